"""The façade: authentication, routes, errors, and programs registered in code."""

import asyncio
import hmac
from collections.abc import Iterable

from aiohttp import web

from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.nextmv.answers import PLATFORM, Refusal, refused
from aioruns.local.nextmv.applications import (
    REGISTERED,
    Applications,
    found_registered,
    instances,
    versions,
)
from aioruns.local.nextmv.binaries import Binaries
from aioruns.local.nextmv.definitions import definitions
from aioruns.local.nextmv.desk import Desk, Handler
from aioruns.local.nextmv.ensembles import EnsembleRuns
from aioruns.local.nextmv.files import Files
from aioruns.local.nextmv.inputsets import input_sets
from aioruns.local.nextmv.laboratory import laboratory
from aioruns.local.nextmv.locking import Locks
from aioruns.local.nextmv.managed import managed_inputs
from aioruns.local.nextmv.outputs import Outputs
from aioruns.local.nextmv.presigned import Presigned
from aioruns.local.nextmv.reading import Reading
from aioruns.local.nextmv.runs import Runs
from aioruns.local.nextmv.starting import Starter
from aioruns.local.nextmv.vault import vault
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.records import Program


class NextmvFacade:
    """Nextmv Cloud: applications, what stands in them, and their runs."""

    name = PLATFORM

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._desk = Desk(engine, settings, Files(engine.data))
        self._binaries = Binaries(self._desk)
        self._presigned = Presigned(self._desk)
        outputs = Outputs(self._desk)
        verdicts = Verdicts(self._desk, outputs)
        starter = Starter(self._desk, self._binaries)
        ensembles = EnsembleRuns(self._desk, starter, outputs, verdicts)
        experiments = laboratory(self._desk, starter, verdicts)
        self._resources = (
            Applications(self._desk, self._binaries),
            versions(self._desk),
            instances(self._desk),
            Locks(instances(self._desk)),
            managed_inputs(self._desk),
            input_sets(self._desk),
            vault(self._desk),
            definitions(self._desk),
            self._binaries,
            self._presigned,
            Runs(self._desk, starter, ensembles, experiments.mirror, verdicts),
            Reading(self._desk, verdicts, outputs),
            *experiments.resources,
        )
        self._registered: dict[str, str] = {}
        self._founding = asyncio.Lock()

    @property
    def live_delay(self) -> float:
        """Seconds that live logs tell clients to wait for more lines; 0.2 at first."""
        return self._desk.live_delay

    @live_delay.setter
    def live_delay(self, seconds: float) -> None:
        self._desk.live_delay = seconds

    def register(
        self, application_id: str, program: Program, *, name: str | None = None
    ) -> None:
        """Make an application that runs `program`.

        It has a version `v1` and a default instance `default`. Registering again
        replaces the program. An async callable finds the run's options in `job.env`, a
        `Command` gets them as arguments `-option value`; both get the input on `stdin`.

        Args:
            application_id: The id of the application; made if it does not exist.
            program: What its runs do; what it prints is their output.
            name: The name of the application; its id if missing.
        """
        self._binaries.register(application_id, REGISTERED, program)
        self._registered[application_id] = name or application_id

    def routes(self) -> Iterable[web.RouteDef]:
        """All routes: those of the API want the key, pre-signed ones refuse it."""
        for resource in self._resources:
            for method, path, handler in resource.routes():
                yield web.route(method, path, self._answered(handler, key=True))
        for method, path, handler in self._presigned.keyless():
            yield web.route(method, path, self._answered(handler, key=False))

    def owns(self, path: str) -> bool:
        """Whether a path that no route matched is this platform's to answer."""
        return path.startswith(("/v1/", "/uploads/", "/downloads/"))

    def error(self, status: int, message: str) -> web.Response:
        """An error answer."""
        return refused(status, message)

    async def stop(self) -> None:
        """End the work that goes on beside the requests."""
        await self._desk.background.stop()

    async def close(self) -> None:
        """Delete the files that do not outlive the server; no program may be left."""
        await self._desk.files.close()

    def _answered(self, handler: Handler, *, key: bool) -> Handler:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                if key:
                    self._admit(request)
                await self._found_registered()
                return await handler(request)
            except Refusal as refusal:
                return self.error(refusal.status, refusal.message)

        return answered

    def _admit(self, request: web.Request) -> None:
        """Check the key: a wrong one is a 403, none at all a 401."""
        # wire/nextmv.md 7.1
        header = request.headers.get("Authorization")
        if header is None:
            raise Refusal(401, "The API key is missing: send `Authorization: Bearer`.")
        scheme, _, given = header.partition(" ")
        expected = self._desk.settings.token.encode()
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode(), expected
        ):
            raise Refusal(403, "The API key is wrong or missing.")

    async def _found_registered(self) -> None:
        """Make the applications of programs that were registered since."""
        if not self._registered:
            return
        async with self._founding:
            for application_id, name in list(self._registered.items()):
                await found_registered(self._desk, application_id, name)
                del self._registered[application_id]
