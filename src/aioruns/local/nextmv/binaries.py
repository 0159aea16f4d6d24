"""What an application runs: pushed tarballs, and programs registered in code."""

import asyncio
import atexit
import shutil
import tempfile
from pathlib import Path

from aiohttp import web
from attrs import define, evolve, field

from aioruns.local.nextmv.answers import (
    PLATFORM,
    Refusal,
    answer,
    json_object,
    object_of,
    rfc3339,
)
from aioruns.local.nextmv.desk import APPLICATION, USER, Desk, Route, slug
from aioruns.local.nextmv.manifest import (
    DEFAULT_RUNTIME,
    BadAppError,
    command,
    read_start,
    unpack,
)
from aioruns.local.nextmv.presigned import signed_url, upload_blob
from aioruns.local.records import Command, Json, Program, utcnow

_PUSHED = "pushed-binary"
"""The upload id of the tarball that waits for its activation: the last one wins."""


def executable(binary: dict[str, Json]) -> dict[str, Json]:
    """A binary as versions show it (wire/nextmv.md 4.6)."""
    return {k: binary[k] for k in ("id", "user_email", "uploaded_at", "requirements")}


def latest(desk: Desk, app: str) -> dict[str, Json] | None:
    """The binary that was pushed or registered last."""
    pointer = desk.find("latest", app)
    return pointer and desk.find(f"binaries/{app}", pointer["id"])


async def add(
    desk: Desk, app: str, key: str, requirements: dict[str, Json]
) -> dict[str, Json]:
    """Note a binary and make it the latest."""
    binary = {
        "id": key,
        "user_email": USER,
        "uploaded_at": rfc3339(utcnow()),
        "requirements": {
            **requirements,
            "executable_type": requirements.get("executable_type") or "python",
            "runtime": requirements.get("runtime") or DEFAULT_RUNTIME,
        },
    }
    await desk.keep(f"binaries/{app}", key, binary)
    await desk.keep("latest", app, {"id": key})
    return binary


@define
class Binaries:
    """The handlers of a push, and the programs behind the binaries."""

    desk: Desk
    _programs: dict[tuple[str, str], Program] = field(factory=dict)
    _home: Path | None = None
    _unpacking: asyncio.Lock = field(factory=asyncio.Lock)

    def routes(self) -> list[Route]:
        """The two steps of a push that need the key."""
        return [
            ("GET", f"{APPLICATION}/binary", self.upload_url),
            ("PUT", f"{APPLICATION}/binary", self.activate),
        ]

    async def upload_url(self, request: web.Request) -> web.Response:
        """Say where to put the tarball."""
        app = self.desk.application(request)
        return answer({"upload_url": signed_url(self.desk, "uploads", app, _PUSHED)})

    async def activate(self, request: web.Request) -> web.Response:
        """Unpack the tarball and let the instance `latest` run it."""
        app = self.desk.application(request)
        requirements = object_of(await json_object(request), "requirements")
        tarball = await self.desk.engine.blob(PLATFORM, upload_blob(app, _PUSHED))
        if tarball is None:
            raise Refusal(
                400,
                f"Nothing was uploaded for application '{app}': ask for an upload URL, "
                "put the tarball to it, then activate it.",
            )
        key = f"binary-{slug(12)}"
        # The next push replaces the upload; this binary stays for its versions.
        await self.desk.engine.put_blob(PLATFORM, upload_blob(app, key), tarball)
        await self._unpacked(app, key, tarball, requirements)
        return answer(executable(await add(self.desk, app, key, requirements)))

    def register(self, app: str, key: str, program: Program) -> None:
        """Let a binary mean a program of this process."""
        self._programs[app, key] = program

    def forget(self, app: str) -> None:
        """Drop the programs of an application that was deleted."""
        for known in [known for known in self._programs if known[0] == app]:
            del self._programs[known]

    async def program(self, app: str, key: str, options: dict[str, str]) -> Program:
        """The program of a binary, given the options that it is to run with.

        Raises:
            Refusal: It cannot be run (400).
        """
        if (app, key) not in self._programs:
            binary = self.desk.find(f"binaries/{app}", key)
            tarball = await self.desk.engine.blob(PLATFORM, upload_blob(app, key))
            if binary is None or tarball is None:
                raise Refusal(
                    400,
                    f"The program of application '{app}' lives in code that this "
                    "server has not loaded: register it again, or push a binary.",
                )
            await self._unpacked(app, key, tarball, binary["requirements"])
        program = self._programs[app, key]
        if not isinstance(program, Command):
            return program
        arguments = [text for k, v in options.items() for text in (f"-{k}", v)]
        return evolve(program, argv=(*program.argv, *arguments))

    async def _unpacked(
        self, app: str, key: str, tarball: bytes, requirements: dict[str, Json]
    ) -> None:
        async with self._unpacking:
            if (app, key) in self._programs:
                return
            try:
                program = await asyncio.to_thread(
                    self._unpack, key, tarball, requirements
                )
            except BadAppError as error:
                raise Refusal(400, str(error)) from error
            self._programs[app, key] = program

    def _unpack(
        self, key: str, tarball: bytes, requirements: dict[str, Json]
    ) -> Command:
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix="aioruns-nextmv-"))
            # In case that nobody calls `close`.
            atexit.register(shutil.rmtree, self._home, ignore_errors=True)
        directory = self._home / key
        unpack(tarball, directory)
        return command(directory, read_start(directory, requirements))

    async def close(self) -> None:
        """Delete what was unpacked."""
        if self._home is not None:
            await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
            self._home = None
