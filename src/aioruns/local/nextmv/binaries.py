"""What an application runs: pushed tarballs, and programs registered in code."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from attrs import define, field, frozen

from aioruns.local.nextmv.answers import (
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
    completed,
    read_start,
    unpack,
)
from aioruns.local.nextmv.presigned import UPLOADS, signed_url
from aioruns.local.records import Json, Program, utcnow

_PUSHED = "pushed-binary"
"""The upload id of the tarball that waits for its activation: the last one wins."""

_BINARIES = "binaries"
"""The group of files that were activated."""


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


@frozen
class Installed:
    """A program that can be run now."""

    program: Program
    root: Path | None = None
    """Where it was unpacked; a program of this process was not."""


@define
class Binaries:
    """The handlers of a push, and the programs behind the binaries."""

    desk: Desk
    _installed: dict[tuple[str, str], Installed] = field(factory=dict)
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
        tarball = await self.desk.files.find(app, UPLOADS, _PUSHED)
        if tarball is None:
            raise Refusal(
                400,
                f"Nothing was uploaded for application '{app}': ask for an upload URL, "
                "put the tarball to it, then activate it.",
            )
        key = f"binary-{slug(12)}"
        # The next push replaces the upload; this binary stays for its versions.
        tarball = await self.desk.files.link(tarball, app, _BINARIES, key)
        try:
            root = (await self._unpacked(app, key, tarball, requirements)).root
        except Refusal:
            await self.desk.files.drop(app, _BINARIES, key)
            raise
        assert root is not None
        requirements = await asyncio.to_thread(completed, requirements, root)
        return answer(executable(await add(self.desk, app, key, requirements)))

    def register(self, app: str, key: str, program: Program) -> None:
        """Let a binary mean a program of this process."""
        self._installed[app, key] = Installed(program)

    def forget(self, app: str) -> None:
        """Drop the programs of an application that was deleted."""
        for known in [known for known in self._installed if known[0] == app]:
            del self._installed[known]

    async def installed(self, app: str, binary: Mapping[str, Json]) -> Installed:
        """What a binary runs.

        Raises:
            Refusal: It cannot be run (400).
        """
        key = binary["id"]
        if (app, key) not in self._installed:
            tarball = await self.desk.files.find(app, _BINARIES, key)
            if tarball is None:
                raise Refusal(
                    400,
                    f"The program of application '{app}' lives in code that this "
                    "server has not loaded: register it again, or push a binary.",
                )
            await self._unpacked(app, key, tarball, binary["requirements"])
        return self._installed[app, key]

    async def _unpacked(
        self, app: str, key: str, tarball: Path, requirements: dict[str, Json]
    ) -> Installed:
        async with self._unpacking:
            if (app, key) not in self._installed:
                try:
                    self._installed[app, key] = await asyncio.to_thread(
                        self._unpack, key, tarball, requirements
                    )
                except BadAppError as error:
                    raise Refusal(400, str(error)) from error
            return self._installed[app, key]

    def _unpack(
        self, key: str, tarball: Path, requirements: dict[str, Json]
    ) -> Installed:
        directory = self.desk.files.scratch() / key
        unpack(tarball, directory)
        program = command(directory, read_start(directory, requirements))
        return Installed(program, directory)
