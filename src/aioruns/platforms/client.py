"""What the four platform clients share: an origin, and a session owned or shared."""

import ssl
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from aioruns.errors import NotSupported
from aioruns.http.request import Request
from aioruns.origin import Origin
from aioruns.platforms.connection import Connection, by_value
from aioruns.runs import Runs
from aioruns.session import Session

T = TypeVar("T")


class Client:
    """A platform at one address, with one set of credentials.

    Args:
        origin: Address, authorization and gate.
        session: A session to share, which the caller opens and closes. Without one the
            client makes its own, which `async with` opens and closes.
        tls: How the server proves who it is, for a session of the client's own.

    Attributes:
        runs: Where specs are submitted and handles are made; each platform sets it.
    """

    runs: Runs

    _stand_in: ClassVar[Mapping[str, str]] = {}
    """Arguments in place of credentials that are put in afterwards."""

    def __init__(
        self,
        origin: Origin,
        session: Session | None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.origin = origin
        self.session = session or Session(tls=tls)
        self._owns_session = session is None
        # One time for all: a pause of the gate is a pause of the session's calls.
        self.origin.gate.clock = self.session.clock

    async def __aenter__(self) -> Self:
        if self._owns_session:
            self.session.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the session, unless it is shared."""
        if self._owns_session:
            await self.session.aclose()

    def send(self, request: Request[T]) -> Coroutine[Any, Any, T]:
        """Send a request to the platform; errors as of `Session.send`."""
        return self.session.send(request, self.origin)

    def connection(
        self, *, credentials: bool = False, share: float = 1.0
    ) -> Connection:
        """Describe by value how to make a client like this one, elsewhere.

        Args:
            credentials: Whether to put in those that this client holds. Without them
                the client looks for its own where it is made.
            share: Which part of the bounds on requests a second or minute it may use.

        Raises:
            NotSupported: The credentials, or the client, cannot be passed.
        """
        auth = by_value(self.origin.auth) if credentials else None
        if credentials and auth is None:
            raise NotSupported(
                f"the credentials of {self!r} cannot be passed to another process: let "
                "it find its own"
            )
        session = self.session
        return Connection(
            type(self),
            self.origin.base_url,
            self._options(share),
            session.timeout,
            session.deadline,
            session.retry,
            self._stand_in,
            auth,
        )

    def _options(self, share: float) -> dict[str, Any]:
        """The arguments that make a client like this one, without credentials."""
        raise NotSupported(f"how {self!r} is made cannot be described")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.origin.base_url!r})"
