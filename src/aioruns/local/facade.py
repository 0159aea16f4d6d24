"""What a façade is to the server: a name, routes, and its platform's error bodies."""

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from attrs import define, field


@define
class Settings:
    """What all façades share; the server fills `base_url` once it is bound."""

    token: str = field(repr=False)
    """The secret that every platform's own way of authentication must carry."""
    page_size: int = 20
    """Rows a page where the platform leaves the size to the server; small, so that
    clients page."""
    base_url: str = ""
    """`http://127.0.0.1:PORT`, for pre-signed URLs."""


class Facade(Protocol):
    """One platform's HTTP API over the engine.

    A façade is made as `XFacade(engine, settings)`. Handlers translate; what runs and
    what it wrote is the engine's.
    """

    name: str

    def routes(self) -> Iterable[web.RouteDef]:
        """The platform's routes; the four platforms share one port and no path."""
        ...

    def owns(self, path: str) -> bool:
        """Whether a path that no route matched is this platform's to answer."""
        ...

    def error(self, status: int, message: str) -> web.Response:
        """An error answer of this platform: faults, unknown routes, and defects."""
        ...
