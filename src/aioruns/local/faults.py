"""Faults on demand: what networks, gateways and busy servers do to clients.

The same seed and the same order of requests give the same faults.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import Factory, define, field, frozen

from aioruns.local.lag import Lag, lagging

_STATUSES = ("429", "500", "502", "503", "504")
LOG_KINDS = ("no-token", "new-token", "dead-token", "empty-page", "cut-log", "crlf-log")
"""Kinds that are known to the handlers of logs; the others pay no heed to them."""

KINDS = (
    "delay",
    *_STATUSES,
    "refuse",
    "drop-before",
    "drop-after",
    "truncate",
    "html",
    "stale-state",
    "stale-list",
    *LOG_KINDS,
)
_PASSING = frozenset({"delay", "stale-state", "stale-list", *LOG_KINDS})
"""Kinds that leave the answer to the handler, and so go together with another."""

_SUFFERED: ContextVar[frozenset[str]] = ContextVar("aioruns_local_faults")

_LOGIN = b"""<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><form method="post" action="/login"><h1>Please sign in</h1></form></body></html>
"""


@frozen
class Fault:
    """One kind of trouble on some requests.

    Args:
        kind: `delay` waits before the handler runs; `429`, `500`, `502`, `503`, `504`
            answer in its stead; `drop-before` and `drop-after` close the connection
            without an answer before or after the handler has run; `refuse` does so, and
            nobody can connect for a while; `truncate` sends half of its answer;
            `html` answers 200 with a login page; `stale-state` shows runs as they were;
            `stale-list` leaves new runs out of listings. In answers about logs,
            `no-token` gives no token (Nextmv), `new-token` another one for the same
            place (Nextmv, ABEJA), `dead-token` refuses a forward token (ABEJA),
            `empty-page` keeps back what is there (Nextmv, ABEJA), `cut-log` ends the
            text of a pod with an error, and `crlf-log` has other line breaks
            (Kubeflow).
        route: Regular expression that is searched for in `METHOD /path`.
        rate: Chance that a request that matches is hit, 0 to 1.
        times: Requests hit at most; None for no limit.
        after: Requests that match and are let through first.
        seconds: How long to wait or to refuse, or how far behind to show.
        retry_after: Value of the `Retry-After` header of error statuses but 500; None
            sends none. Seconds, or text as it is.
    """

    kind: str = field()
    route: str = ""
    rate: float = 1.0
    times: int | None = None
    after: int = 0
    seconds: float = 0.0
    retry_after: float | str | None = None

    @kind.validator
    def _known(self, _: object, value: str) -> None:
        if value not in KINDS:
            raise ValueError(
                f"There is no fault {value!r}; choose one of {', '.join(KINDS)}."
            )


@define(eq=False)
class _Armed:
    fault: Fault
    dice: random.Random
    pattern: re.Pattern[str]
    seen: int = 0
    hits: int = 0

    def hits_next(self) -> bool:
        fault = self.fault
        self.seen += 1
        if self.seen <= fault.after:
            return False
        # Thrown also when it decides nothing, so that `times` shifts no later throw.
        hit = self.dice.random() < fault.rate
        if not hit or (fault.times is not None and self.hits >= fault.times):
            return False
        self.hits += 1
        return True


@define(eq=False)
class Faults:
    """The faults in force, in order; the first that answers hides those behind it.

    Args:
        seed: Decides which requests are hit where `rate` is below 1.
    """

    seed: int = 0
    counts: Counter[str] = Factory(Counter)
    """How often each kind was injected."""
    _armed: list[_Armed] = Factory(list)
    _added: int = 0

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        # S311: reproducible on purpose.
        dice = random.Random(f"{self.seed}/{self._added}")  # noqa: S311 - seeded
        self._added += 1
        self._armed.append(_Armed(fault, dice, re.compile(fault.route)))

    def clear(self) -> None:
        """Lift all faults; the counts stay, and the seed starts over."""
        self._armed.clear()
        self._added = 0

    def decide(self, method: str, path: str) -> list[Fault]:
        """The faults that hit this request; at most the last one answers it."""
        chosen = []
        for armed in self._armed:
            if armed.pattern.search(f"{method} {path}") and armed.hits_next():
                chosen.append(armed.fault)
                self.counts[armed.fault.kind] += 1
                if armed.fault.kind not in _PASSING:
                    break
        return chosen


ErrorBody = Callable[[web.Request, int, str], web.Response]


def suffers(kind: str) -> bool:
    """Whether the request that is being answered was hit by a fault of this kind.

    Handlers ask for the `LOG_KINDS`, and if they send their answer in pieces, which the
    middleware gets to see too late, for `truncate` and `drop-after`.
    """
    return kind in _SUFFERED.get(frozenset())


@contextmanager
def _suffering(chosen: list[Fault]) -> Iterator[None]:
    token = _SUFFERED.set(frozenset(fault.kind for fault in chosen))
    try:
        yield
    finally:
        _SUFFERED.reset(token)


async def inject(
    request: web.Request,
    handler: Handler,
    chosen: list[Fault],
    error: ErrorBody,
) -> web.StreamResponse:
    """Answer a request with the faults that were chosen for it."""
    behind = Lag(
        states=max((f.seconds for f in chosen if f.kind == "stale-state"), default=0.0),
        listing=max((f.seconds for f in chosen if f.kind == "stale-list"), default=0.0),
    )
    for fault in chosen:
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
    last = chosen[-1]
    if last.kind in _STATUSES:
        return _refusal(request, last, error)
    with lagging(behind), _suffering(chosen):
        match last.kind:
            case "html":
                return web.Response(
                    body=_LOGIN, content_type="text/html", charset="utf-8"
                )
            case "drop-before" | "refuse":
                return _dropped(request)
            case "drop-after":
                await handler(request)
                return _dropped(request)
            case "truncate":
                return await _truncated(request, await handler(request))
            case _:
                return await handler(request)


def _refusal(request: web.Request, fault: Fault, error: ErrorBody) -> web.Response:
    status = int(fault.kind)
    response = error(request, status, f"An injected fault answers {status}.")
    if fault.retry_after is not None and status != 500:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()  # nobody receives it


async def _truncated(
    request: web.Request, answer: web.StreamResponse
) -> web.StreamResponse:
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes | bytearray) or not body:
        return _dropped(request)
    headers = answer.headers.copy()
    headers["Content-Length"] = str(len(body))
    half = web.StreamResponse(status=answer.status, headers=headers)
    await half.prepare(request)
    await half.write(bytes(body[: len(body) // 2]))
    if request.transport is not None:
        request.transport.close()  # sends what is buffered first
    return half
