"""Managed inputs: inputs that have a name and stay."""

from pathlib import Path

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
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.inputs import MANAGED, run_input
from aioruns.local.nextmv.layout import FORMATS
from aioruns.local.nextmv.presigned import uploaded
from aioruns.local.nextmv.things import Things
from aioruns.local.records import Json


def _made(
    desk: Desk, _app: str, fields: dict[str, Json], before: dict[str, Json]
) -> dict[str, Json]:
    upload_id, run_id = text_of(fields, "upload_id"), text_of(fields, "run_id")
    kind = object_of(fields, "format")
    for side in ("input", "output"):
        name = text_of(object_of(kind, side), "type")
        if name and name not in FORMATS:
            raise Refusal(400, f"The format '{name}' is not known.")
    if not kind and not before:
        record = None if upload_id else desk.engine.get(PLATFORM, run_id)
        json = {"input": {"type": "json"}, "output": {"type": "json"}}
        kind = record.detail["format"] if record else json
    made: dict[str, Json] = {"format": kind}
    if upload_id:
        made["upload_id"] = upload_id
    if run_id:
        made["run_id"] = run_id
    return made


@frozen
class ManagedInputs:
    """The handlers for managed inputs."""

    desk: Desk
    things: Things

    def routes(self) -> list[Route]:
        """List, create, read, replace, delete."""
        many = f"{APPLICATION}/inputs"
        return [
            ("GET", many, self.things.all),
            ("POST", many, self.new),
            ("GET", f"{many}/{{id}}", self.things.read),
            ("PUT", f"{many}/{{id}}", self.things.update),
            ("DELETE", f"{many}/{{id}}", self.delete),
        ]

    async def new(self, request: web.Request) -> web.Response:
        """Create, from an upload or from the input of a run."""
        app = self.desk.application(request)
        fields = await json_object(request)
        path = await self._source(app, fields)
        managed = await self.things.create(app, fields)
        await self.desk.files.link(path, app, MANAGED, managed["id"])
        return answer(managed)

    async def _source(self, app: str, fields: dict[str, Json]) -> Path:
        if upload_id := text_of(fields, "upload_id"):
            return await uploaded(self.desk, app, upload_id, "input")
        run_id = text_of(fields, "run_id")
        if not run_id:
            raise Refusal(400, "A managed input needs an `upload_id` or a `run_id`.")
        record = self.desk.engine.get(PLATFORM, run_id)
        if record is None or record.scope != app:
            raise Refusal(400, f"Application '{app}' has no run '{run_id}'.")
        path = await run_input(self.desk, app, run_id)
        if path is None:
            raise Refusal(400, f"Run '{run_id}' was deleted at this moment.")
        return path

    async def delete(self, request: web.Request) -> web.Response:
        """Delete; runs that have it keep theirs."""
        app, managed = self.things.found(request)
        response = await self.things.delete(request)
        await self.desk.files.drop(app, MANAGED, managed["id"])
        return response


def managed_inputs(desk: Desk) -> ManagedInputs:
    """The handlers for managed inputs."""
    changeable = ("name", "description")
    things = Things(desk, "inputs", "managed input", "managed-input", _made, changeable)
    return ManagedInputs(desk, things)
