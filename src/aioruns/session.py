"""The session: one connection pool and lifetime, and the way that every call takes."""

import asyncio
import logging
import random
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urljoin, urlsplit

import anyio
from attrs import evolve

from aioruns.errors import (
    EXCERPT_LENGTH,
    CallError,
    Context,
    GaveUp,
    InvalidInput,
    Rejected,
    SessionClosed,
    SessionNotOpen,
    TooManyRequests,
    Unauthorized,
    Unreadable,
    WrongLoop,
    rejection,
)
from aioruns.http.clock import Clock, SystemClock
from aioruns.http.codec import DecodeError, decode, encode
from aioruns.http.request import UNSET, Request, Response
from aioruns.http.retry import RetryBudget, RetryPolicy, retry_after
from aioruns.http.transport import AiohttpTransport, Transport
from aioruns.origin import Origin

if TYPE_CHECKING:
    import ssl

    import aiohttp

T = TypeVar("T")

logger = logging.getLogger("aioruns.http")


class Session:
    """One connection pool and lifetime, shared by any number of platforms.

    Share one session in a process; making one for every call costs a new TLS connection
    each time.

    Args:
        timeout: Seconds for one attempt of a call, from the moment it may be sent.
        deadline: Seconds for one call with all of its retries.
        retry: When and how often to try again.
        drain: Seconds that closing waits for the calls in flight.
        http: An aiohttp session of your own; it is used and never closed.
        tls: How servers prove who they are, for example
            `ssl.create_default_context(cafile="ca.pem")`; by default as usual.
        trace_configs: Passed to aiohttp, for telemetry.
        clock: Where time comes from; for tests.

    Example:
        ```python
        async with aioruns.Session(timeout=30) as session:
            nextmv = aioruns.Nextmv(session=session)
            kubeflow = aioruns.Kubeflow("http://localhost:8888", session=session)
        ```
    """

    def __init__(
        self,
        *,
        timeout: float = 60.0,
        deadline: float = 300.0,
        retry: RetryPolicy | None = None,
        drain: float = 10.0,
        http: "aiohttp.ClientSession | None" = None,
        tls: "ssl.SSLContext | None" = None,
        trace_configs: "Sequence[aiohttp.TraceConfig]" = (),
        clock: Clock | None = None,
    ) -> None:
        for name, seconds in (("timeout", timeout), ("deadline", deadline)):
            if not seconds > 0:
                raise InvalidInput(f"{name} must be more than 0 seconds, not {seconds}")
        if http is not None and tls is not None:
            raise InvalidInput(
                "tls cannot be given to an aiohttp session that exists: give the "
                "context to its connector"
            )
        self.timeout = timeout
        self.deadline = deadline
        self.retry = retry or RetryPolicy()
        self.drain = drain
        self.clock: Clock = clock or SystemClock()
        self._budget = RetryBudget()
        self._http = http
        self._tls = tls
        self._trace_configs = trace_configs
        self._transport: Transport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._in_flight = 0
        self._idle: asyncio.Event | None = None

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def open(self) -> None:
        """Open the pool in the running event loop; `async with` calls this.

        Raises:
            SessionClosed: It was closed before; a session is opened once.
        """
        if self._closed:
            raise SessionClosed("this session was closed: make a new Session")
        if self._transport is None:
            self._loop = asyncio.get_running_loop()
            self._transport = AiohttpTransport(
                self._http, self._trace_configs, self._tls
            )

    async def aclose(self) -> None:
        """Refuse new calls, wait up to `drain` seconds for those in flight, and close.

        Calls that are still under way then end with `SessionClosed`. Closing twice is
        fine.
        """
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is None:
            return
        with anyio.CancelScope(shield=True):
            if self._in_flight:
                self._idle = asyncio.Event()
                with suppress(TimeoutError), anyio.fail_after(self.drain):
                    await self._idle.wait()
            await transport.aclose()

    async def send(self, request: Request[T], origin: Origin) -> T:
        """Send a request and structure its answer.

        Args:
            request: What to ask.
            origin: Whom.

        Returns:
            The answer as `request.returns`: structured, or as a whole where that is
            `Response`; None when that is None.

        Raises:
            CallError: See `aioruns.errors`; its class says whether the server may have
                acted.
            SessionNotOpen: Used before `async with`.
            SessionClosed: Used after the session was closed.
            WrongLoop: Used in another event loop.
        """
        if self._loop is not asyncio.get_running_loop() or self._closed:
            self._refuse(origin)
        self._in_flight += 1
        gate = origin.gate
        try:
            call = _Call(request, origin, self.clock.now())
            while True:
                if not gate.enter_nowait():
                    await gate.enter()
                    # Time at the gate is not time of the call (it would make a queue of
                    # calls fail for being a queue).
                    if call.failed is None:
                        call.started = self.clock.now()
                try:
                    # A pre-signed address carries its own permission.
                    presigned = request.presigned is not None
                    headers = {} if presigned else await origin.auth.headers()
                    answer = await self._attempt(call, headers)
                except CallError as error:
                    failure: Response | CallError = error
                else:
                    if answer.status < 300:
                        self._budget.succeeded()
                        gate.succeeded()
                        return self._read(answer, request, call)
                    failure = answer
                finally:
                    gate.leave()
                await self._recover(failure, call)
        finally:
            self._in_flight -= 1
            if self._idle is not None and not self._in_flight:
                self._idle.set()

    def _read(self, answer: Response, request: Request[T], call: "_Call") -> T:
        """Structure an answer."""
        returns = request.returns
        if returns is None:
            return None  # type: ignore[return-value]  # T is None here
        if returns is Response:
            return answer  # type: ignore[return-value]  # T is Response here
        try:
            return decode(answer.body, returns)
        except DecodeError as error:
            kind = answer.headers.get("Content-Type", "no content type")
            context = call.context(self.clock.now())
            raise Unreadable(
                f"the answer with status {answer.status} and {kind} cannot be read: "
                f"{error}; check that the address is the API's and not a login page's",
                evolve(context, excerpt=_excerpt(answer.body)),
            ) from error

    def _refuse(self, origin: Origin) -> None:
        if self._closed:
            raise SessionClosed(
                f"the session of {origin.platform} is closed: make the call inside its "
                "`async with` block"
            )
        if self._loop is None:
            raise SessionNotOpen(
                f"the session of {origin.platform} is not open: write "
                "`async with ... as platform:` and make the call inside"
            )
        raise WrongLoop(
            f"the session of {origin.platform} was opened in another event loop: use "
            "it in the asyncio.run() that opened it, or make a new one"
        )

    def _attempt(
        self, call: "_Call", headers: Mapping[str, str]
    ) -> Coroutine[Any, Any, Response]:
        """Send once; the gate has been passed."""
        request, origin = call.request, call.origin
        call.attempts += 1
        timeout = min(self.timeout, self.deadline)
        if call.failed is not None:
            timeout = min(timeout, self._left(call, call.failed))
        if call.content_type is not None:
            headers = {**headers, "Content-Type": call.content_type}
        if self._transport is None:
            self._refuse(origin)
            raise AssertionError
        origin.sent += 1
        return self._transport.send(
            request.method, call.url, headers, call.body, timeout, request.sink
        )

    def _left(self, call: "_Call", failed: CallError) -> float:
        """Seconds that a call has left for another attempt."""
        left = call.started + self.deadline - self.clock.now()
        if left <= 0:
            # The gate was paused for longer than this call has.
            raise self._gave_up(failed) from failed
        return left

    async def _recover(self, answer: Response | CallError, call: "_Call") -> None:
        """Get ready for another attempt, or raise what failed."""
        failed = call.failed = self._failure(answer, call)
        if isinstance(failed, Unauthorized) and not call.renewed:
            call.renewed = True
            if await call.origin.auth.renew():
                return
        await self._pause(failed, call.request, call.origin)

    def _failure(self, answer: Response | CallError, call: "_Call") -> CallError:
        context = call.context(self.clock.now())
        if isinstance(answer, Response):
            return self._rejected(answer, context, call.origin)
        answer.context = context
        answer.args = (answer.args[0], context)
        if self._closed:
            raise SessionClosed(
                f"the session of {call.origin.platform} was closed while "
                f"{context.method} {context.url} was under way"
            ) from answer
        return answer

    def _rejected(
        self, response: Response, context: Context, origin: Origin
    ) -> Rejected:
        context = evolve(
            context,
            request_id=response.headers.get("X-Request-Id"),
            excerpt=_excerpt(response.body),
        )
        if response.status < 400:
            target = _target(context.url, response.headers.get("Location"))
            message = (
                f"the server redirects to {target}: redirects are refused, so give the "
                "final address"
            )
            return Rejected(message, context, response.status)
        said = origin.explain(response)
        message = f"{response.status} {said.message[:EXCERPT_LENGTH]}".rstrip()
        asked = retry_after(response.headers.get("Retry-After"), self.clock.utc())
        make = said.kind or rejection(response.status)
        return make(message, context, response.status, said.code, asked)

    async def _pause(
        self, failed: CallError, request: Request[T], origin: Origin
    ) -> None:
        """Wait for the next attempt, or raise what failed."""
        context = failed.context
        seconds = self.retry.pause(
            failed,
            context.attempts,
            repeatable=bool(request.repeatable),
            random=random.random,
        )
        if isinstance(failed, TooManyRequests) or (
            isinstance(failed, Rejected) and failed.retry_after is not None
        ):
            asked = failed.retry_after if seconds is None else seconds
            origin.gate.pause(min(asked or 0.0, self.retry.longest_retry_after))
        if seconds is None or not self._budget.take():
            raise failed
        if context.elapsed + seconds > self.deadline:
            raise self._gave_up(failed) from failed
        logger.info(
            "trying again in %.2f s after %s: %s",
            seconds,
            type(failed).__name__,
            failed,
        )
        await self.clock.sleep(seconds)

    def _gave_up(self, failed: CallError) -> GaveUp:
        gave_up = GaveUp(
            f"the deadline of {self.deadline:g} s does not allow another attempt: "
            f"{failed.args[0]}",
            failed.context,
        )
        gave_up.maybe_acted = failed.maybe_acted
        return gave_up


class _Call:
    """One call with its retries."""

    __slots__ = (
        "attempts",
        "body",
        "content_type",
        "entered",
        "failed",
        "origin",
        "renewed",
        "request",
        "started",
        "url",
    )

    def __init__(self, request: Request[Any], origin: Origin, entered: float) -> None:
        self.request = request
        self.origin = origin
        self.entered = self.started = entered
        self.url = request.url(origin.base_url)
        if request.json is UNSET:
            self.body, self.content_type = request.body, request.content_type
        else:
            self.body, self.content_type = encode(request.json), "application/json"
        self.attempts = 0
        self.failed: CallError | None = None
        self.renewed = False

    def context(self, now: float) -> Context:
        """What an error says of it."""
        return Context(
            self.origin.platform,
            self.request.method,
            self.request.shown(self.origin.base_url),
            self.attempts,
            now - self.started,
            self.started - self.entered,
        )


def _excerpt(body: bytes) -> str:
    return body[: 4 * EXCERPT_LENGTH].decode("utf-8", "replace")[:EXCERPT_LENGTH]


def _target(url: str, location: str | None) -> str:
    """Where a redirect leads, without what may be secret in it."""
    if location is None:
        return "an address that it does not name"
    try:
        parts = urlsplit(urljoin(url, location))
    except ValueError:
        return "an address that cannot be read"
    # Behind a pre-signed address the next one may be as secret.
    path = "/(pre-signed)" if url.endswith("/(pre-signed)") else parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
