"""Applications, and what stands in them: versions and instances."""

from collections.abc import Iterable

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import (
    PLATFORM,
    Refusal,
    answer,
    json_object,
    object_of,
    text_of,
)
from aioruns.local.nextmv.binaries import Binaries, add, executable, latest
from aioruns.local.nextmv.configuration import Layer, format_of, queuing_of
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.experiments import KINDS
from aioruns.local.nextmv.inputs import drop_files
from aioruns.local.nextmv.pages import listing
from aioruns.local.nextmv.things import Things, named, stamped
from aioruns.local.records import Json

_POINTERS = ("default_instance", "default_experiment_instance")

_INSIDE = (
    *("versions", "instances", "binaries", "inputs", "setinputs", "inputsets"),
    *("secrets", "ensembles", *KINDS),
)
"""The kinds of documents that go with their application."""

REGISTERED = "registered"
"""The id of the binary that stands for a program registered in code."""


def new_application(fields: dict[str, Json]) -> dict[str, Json]:
    """The application that a creation body asks for."""
    pipeline = fields.get("is_pipeline") is True
    application = {
        **named(fields, "app"),
        "type": "pipeline" if pipeline else "custom",
        "locked": False,
    }
    application |= {key: text for key in _POINTERS if (text := text_of(fields, key))}
    return stamped(application)


def _version(
    desk: Desk, app: str, fields: dict[str, Json], before: dict[str, Json]
) -> dict[str, Json]:
    if before:
        return {"executable": before["executable"]}
    binary = latest(desk, app)
    if binary is None:
        raise Refusal(
            400,
            f"Application '{app}' has no binary to make a version of: push one first.",
        )
    made: dict[str, Json] = {"executable": executable(binary)}
    if configuration := object_of(fields, "configuration"):
        made["configuration"] = _checked(configuration)
    return made


def _instance(
    desk: Desk, app: str, fields: dict[str, Json], before: dict[str, Json]
) -> dict[str, Json]:
    version = text_of(fields, "version_id")
    if not version or desk.find(f"versions/{app}", version) is None:
        raise Refusal(
            400,
            f"Application '{app}' has no version '{version}': `version_id` must name "
            "one that exists.",
        )
    return {
        "version_id": version,
        "configuration": _checked(object_of(fields, "configuration")),
        "locked": before.get("locked", False),
    }


def _checked(configuration: dict[str, Json]) -> dict[str, Json]:
    """A configuration that runs can be started with."""
    object_of(configuration, "options")
    format_of([Layer("instance", configuration)], None, {})
    queuing_of(configuration)
    text_of(configuration, "secrets_collection_id")
    text_of(configuration, "execution_class")
    if text_of(configuration, "integration_id"):
        return {**configuration, "execution_class": "integration"}
    return configuration


def versions(desk: Desk) -> Things:
    """The handlers for versions: snapshots of the latest binary."""
    return Things(
        desk, "versions", "version", "version", _version, ("name", "description")
    )


def instances(desk: Desk) -> Things:
    """The handlers for instances: versions with a configuration."""
    changeable = ("name", "description", "version_id", "configuration")
    return Things(desk, "instances", "instance", "instance", _instance, changeable)


@frozen
class Applications:
    """The handlers for applications."""

    desk: Desk
    binaries: Binaries

    def routes(self) -> list[Route]:
        """List, create, read, replace, delete."""
        return [
            ("GET", "/v1/applications", self.all),
            ("POST", "/v1/applications", self.new),
            ("GET", APPLICATION, self.read),
            ("PUT", APPLICATION, self.update),
            ("DELETE", APPLICATION, self.delete),
        ]

    async def all(self, request: web.Request) -> web.Response:
        """List."""
        rows = self.desk.rows("applications")
        return listing(request, rows, self.desk.settings.page_size)

    async def new(self, request: web.Request) -> web.Response:
        """Create; an id that exists is a conflict."""
        application = new_application(await json_object(request))
        app = application["id"]
        if self.desk.find("applications", app) is not None:
            raise Refusal(409, f"There already is an application '{app}'.")
        await self.desk.keep("applications", app, application)
        return answer(application)

    async def read(self, request: web.Request) -> web.Response:
        """Read."""
        app = self.desk.application(request)
        return answer(self.desk.find("applications", app))

    async def update(self, request: web.Request) -> web.Response:
        """Replace what may change; a field that is absent stays."""
        app = self.desk.application(request)
        fields = await json_object(request)
        application = self.desk.find("applications", app)
        assert application is not None
        for key in ("name", "description", *_POINTERS):
            if fields.get(key) is not None:
                application[key] = text_of(fields, key)
        application = stamped(application)
        await self.desk.keep("applications", app, application)
        return answer(application)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete with all that stands in it; live runs are canceled."""
        app = self.desk.application(request)
        await self.desk.drop("applications", app)
        self.binaries.forget(app)
        engine = self.desk.engine
        for record in engine.runs(PLATFORM, app):
            # An experiment that is being deleted removes its runs at the same time.
            if engine.get(PLATFORM, record.id) is not None:
                await engine.remove(PLATFORM, record.id)
            await drop_files(self.desk, app, record.id)
        await self.desk.drop("latest", app)
        for kind in _INSIDE:
            await self._clear(f"{kind}/{app}", self.desk.rows(f"{kind}/{app}"))
        await self.desk.files.drop(app)
        return web.Response(status=204)

    async def _clear(self, kind: str, keys: Iterable[str]) -> None:
        for key in keys:
            await self.desk.drop(kind, key)


async def found_registered(desk: Desk, app: str, name: str) -> None:
    """Make the application of a registered program, ready to run.

    It gets a version `v1` of the program and a default instance `default` of that,
    each unless it is there.
    """
    await add(desk, app, REGISTERED, {})
    if desk.find("applications", app) is None:
        made = new_application({"id": app, "name": name, "default_instance": "default"})
        await desk.keep("applications", app, made)
    inside = {"application_id": app}
    if desk.find(f"versions/{app}", "v1") is None:
        version = named({"id": "v1"}, "") | inside | _version(desk, app, {}, {})
        await desk.keep(f"versions/{app}", "v1", stamped(version))
    if desk.find(f"instances/{app}", "default") is None:
        instance = named({"id": "default"}, "") | inside
        instance |= _instance(desk, app, {"version_id": "v1"}, {})
        await desk.keep(f"instances/{app}", "default", stamped(instance))
