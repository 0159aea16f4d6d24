"""What the handlers of all resources share."""

import secrets
import string
from collections.abc import Awaitable, Callable

from aiohttp import web
from attrs import define, field

from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.nextmv.answers import PLATFORM, Refusal
from aioruns.local.nextmv.background import Background
from aioruns.local.nextmv.files import Files
from aioruns.local.records import Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]
"""Method, path, handler: the façade adds authentication and errors."""

APPLICATION = "/v1/applications/{app}"
USER = "local@localhost"
"""Who submitted everything: one token, one user."""

_SLUG = string.ascii_lowercase + string.digits


def slug(length: int = 8) -> str:
    """Random lower-case letters and digits."""
    number = secrets.randbelow(len(_SLUG) ** length)  # asks the system once
    letters = []
    for _ in range(length):
        number, place = divmod(number, len(_SLUG))
        letters.append(_SLUG[place])
    return "".join(letters)


@define
class Desk:
    """The engine, the settings, and the documents and files of the façade."""

    engine: Engine
    settings: Settings
    files: Files
    background: Background = field(factory=Background)
    live_delay: float = 0.2
    """Seconds until a client should ask for more live logs."""

    def find(self, kind: str, key: str) -> dict[str, Json] | None:
        """One document, or None."""
        found: dict[str, Json] | None = self.engine.document(PLATFORM, kind, key)
        return found

    def rows(self, kind: str) -> dict[str, Json]:
        """All documents of a kind by id, oldest first."""
        return dict(self.engine.documents(PLATFORM, kind))

    async def keep(self, kind: str, key: str, value: Json) -> None:
        """Store a document."""
        await self.engine.put(PLATFORM, kind, key, value)

    async def drop(self, kind: str, key: str) -> None:
        """Remove a document."""
        await self.engine.drop(PLATFORM, kind, key)

    def application(self, request: web.Request) -> str:
        """The id of the application that the path names.

        Raises:
            Refusal: There is none (404).
        """
        app = request.match_info["app"]
        if self.find("applications", app) is None:
            raise Refusal(404, f"There is no application '{app}'.")
        return app
