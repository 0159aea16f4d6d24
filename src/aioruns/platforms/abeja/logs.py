"""Reading a run's log from any place, without losing or repeating lines.

Only the recent logs give tokens that stay good at the end of the log; the plain logs
have none there (wire/abeja.md 4.3). So everything is read from the recent logs: back to
the beginning first, then forward. The way back keeps only the oldest pages and their
forward tokens, so a long log needs little memory, and the pages in between are read
once more on the way forward. Joining the plain logs to the recent ones instead would
have to guess by time and text which lines are the same.
"""

import logging
import math
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from attrs import asdict, evolve, frozen

from aioruns.errors import BadRequest, InvalidInput, Unreadable
from aioruns.http.codec import DecodeError, structure
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.models import LogLine, RecentLogs
from aioruns.platforms.client import Client
from aioruns.seam import LogEvent, LogPage, Position, RunRef

logger = logging.getLogger("aioruns.platforms.abeja")

KEPT_PAGES = 16
"""Pages held in memory on the way back to the beginning of a log."""


@frozen
class Place:
    """Where a reader stands.

    Attributes:
        token: Forward token behind which it goes on; None is the beginning.
        start: The `start_time` that belongs to the token, in seconds since 1970: tokens
            are good only with the filter that they were given for (wire/abeja.md 4.3).
        skip: Lines behind the token that were consumed already.
        second: The second of the latest consumed line, since 1970.
        seen: Consumed lines of that second. If the token is not accepted any more,
            reading starts again at `second` and leaves out so many lines: by count,
            since lines with the same time and text are legitimate (wire/abeja.md 4.4).
    """

    token: str | None = None
    start: int | None = None
    skip: int = 0
    second: int | None = None
    seen: int = 0

    @classmethod
    def of(cls, position: Position | None) -> "Place":
        """Read what `position` wrote."""
        try:
            return structure(position or {}, cls)
        except DecodeError as error:
            raise InvalidInput(
                f"this cursor is damaged ({error}): begin without it"
            ) from error

    @property
    def position(self) -> Position:
        """The place as a small JSON object."""
        return asdict(self, filter=lambda field, value: value != field.default)

    @property
    def start_time(self) -> datetime | None:
        """`start` for a request."""
        return None if self.start is None else datetime.fromtimestamp(self.start, UTC)

    def again(self) -> "Place":
        """The same place, told by time instead of token."""
        return evolve(self, token=None, start=self.second, skip=self.seen)


@frozen
class Part:
    """Lines, oldest first, and the token behind them."""

    lines: Sequence[LogLine]
    token: str


async def read_logs(
    client: Client, organization_id: str, ref: RunRef, position: Position | None
) -> LogPage:
    """Read what follows a position.

    Args:
        client: Sends the requests.
        organization_id: The organization of the run's deployment.
        ref: Which run.
        position: Where to go on; None is the beginning of the log.
    """
    place = Place.of(position)
    reader = _Reader(client, organization_id, ref)
    if place.token is None:
        return await reader.from_start(place)
    try:
        return await reader.forward(place)
    except BadRequest as error:
        # wire/abeja.md 4.3: tokens may expire.
        logger.info("a log token of %s is refused, reading by time: %s", ref.id, error)
        return await reader.from_start(place.again())


@frozen
class _Reader:
    client: Client
    organization_id: str
    ref: RunRef

    async def forward(self, place: Place) -> LogPage:
        """The page behind a forward token."""
        while True:
            answer = await self._ask(place, forward=place.token)
            part = _part(answer)
            if not part.lines:
                # wire/abeja.md 4.3: the token may change although there is nothing new.
                return _page(evolve(place, token=part.token), ())
            if part.token == place.token:
                raise Unreadable(
                    f"the log of run {self.ref.id} gives new lines with the old token: "
                    "it would never end"
                )
            if place.skip < len(part.lines):
                return _page(place, (part,))
            place = evolve(place, token=part.token, skip=place.skip - len(part.lines))

    async def from_start(self, place: Place) -> LogPage:
        """Go back to the beginning, and return the oldest pages."""
        newest = answer = await self._ask(place)
        parts: deque[Part] = deque(maxlen=KEPT_PAGES)
        while answer.events:
            parts.appendleft(_part(answer))
            token = answer.next_backward_token
            answer = await self._ask(place, backward=token)
            if answer.events and (not token or answer.next_backward_token == token):
                raise Unreadable(
                    f"the log of run {self.ref.id} gives older lines with the old "
                    "token: it would never end"
                )
        if not parts:
            return _page(evolve(place, token=_part(newest).token), ())
        page = _page(place, parts)
        if page.events:
            return page
        # All of it was consumed before; what is behind it is asked for at once, so that
        # a page without events always means that there is nothing new.
        return await self.forward(Place.of(page.after(0)))

    async def _ask(
        self, place: Place, forward: str | None = None, backward: str | None = None
    ) -> RecentLogs:
        return await self.client.send(
            requests.get_run_recent_logs(
                self.organization_id,
                self.ref.target,
                self.ref.id,
                next_forward_token=forward,
                next_backward_token=backward,
                start_time=place.start_time,
            )
        )


def _part(answer: RecentLogs) -> Part:
    if not answer.next_forward_token:
        raise Unreadable("a page of recent logs carries no next_forward_token")
    # wire/abeja.md 4.2: the newest line is the first, whichever token was used.
    return Part(answer.events[::-1], answer.next_forward_token)


def _page(place: Place, parts: Iterable[Part]) -> LogPage:
    """The events of consecutive parts, and the place behind each of them."""
    events: list[LogEvent] = []
    # Of every part: how many events come before it, and the place where it begins.
    begins: list[tuple[int, Place]] = []
    # Behind every event: the latest second, and how many lines it has had so far.
    seconds: list[tuple[int | None, int]] = [(place.second, place.seen)]
    for part in parts:
        begins.append((len(events), place))
        for line in part.lines[place.skip :]:
            events.append(LogEvent(line.timestamp, line.message))
            seconds.append(_counted(seconds[-1], line))
        place = evolve(
            place, token=part.token, skip=max(0, place.skip - len(part.lines))
        )
    begins.append((len(events), place))

    def after(n: int) -> Position:
        # The last part that begins at or before n; where an empty one begins at the
        # same event, the later one.
        before, at = next(begin for begin in reversed(begins) if begin[0] <= n)
        second, seen = seconds[n]
        return evolve(at, skip=at.skip + n - before, second=second, seen=seen).position

    return LogPage(tuple(events), after, more=bool(events))


def _counted(latest: tuple[int | None, int], line: LogLine) -> tuple[int | None, int]:
    second, seen = latest
    own = math.floor(line.timestamp.timestamp())
    if second is None or own > second:
        return own, 1
    return second, seen + (own == second)
