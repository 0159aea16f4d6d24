"""Places in a log, and pages of lines between them."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from attrs import asdict, evolve, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import DecodeError, structure
from aioruns.platforms.abeja.models import LogLine
from aioruns.seam import LogEvent, LogPage, Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253402300799  # of the year 9999


@frozen
class Place:
    """Where a reader stands.

    Attributes:
        token: Token behind which it goes on; None is the beginning.
        start: The `start_time` that belongs to the token, in seconds since 1970: tokens
            are good only with the filter that they were given for (wire/abeja.md 4.3).
        end: The `end_time`, likewise.
        skip: Lines behind the token that were consumed already.
        second: The second of the latest consumed line, since 1970.
        seen: Consumed lines of that second. Where there is no token, or none that is
            accepted any more, reading starts again at `second` and leaves out so many
            lines: by count, since lines with the same time and text are legitimate
            (wire/abeja.md 4.4).
        brought: Whether the token came from the caller, so that lines of its second may
            have been consumed that are not counted.
    """

    token: str | None = None
    start: int | None = None
    end: int | None = None
    skip: int = 0
    second: int | None = None
    seen: int = 0
    brought: bool = False

    @classmethod
    def of(cls, position: Position | None) -> "Place":
        """Read what `position` wrote."""
        try:
            place = structure(position or {}, cls)
        except DecodeError as error:
            raise InvalidInput(
                f"this cursor is damaged ({error}): begin without it"
            ) from error
        if any(
            second is not None and not 0 <= second <= _LAST_SECOND
            for second in (place.start, place.end, place.second)
        ):
            raise InvalidInput("this cursor is damaged (a time): begin without it")
        return place

    @property
    def position(self) -> Position:
        """The place as a small JSON object."""
        return asdict(self, filter=lambda field, value: value != field.default)

    @property
    def start_time(self) -> datetime | None:
        """`start` for a request."""
        return _time(self.start)

    @property
    def end_time(self) -> datetime | None:
        """`end` for a request."""
        return _time(self.end)

    def again(self) -> "Place":
        """The same place, told by time instead of token."""
        if self.second is None:
            return evolve(self, token=None, skip=0)
        return evolve(self, token=None, start=self.second, skip=self.seen)


@frozen
class Part:
    """Lines, oldest first, and the token behind them; None where there is none yet."""

    lines: Sequence[LogLine]
    token: str | None


def page_of(place: Place, parts: Iterable[Part], *, more: bool) -> LogPage:
    """The events of consecutive parts, and the place behind each of them."""
    events: list[LogEvent] = []
    # Of every part: how many events come before it, and the place where it begins.
    begins: list[tuple[int, Place]] = []
    # Behind every event: the latest second, and how many lines it has had so far.
    seconds: list[tuple[int | None, int]] = [(place.second, place.seen)]
    ended = False
    for part in parts:
        begins.append((len(events), place))
        for line in part.lines[place.skip :]:
            events.append(LogEvent(line.timestamp, line.message))
            seconds.append(_counted(seconds[-1], line))
        place = evolve(
            place, token=part.token, skip=max(0, place.skip - len(part.lines))
        )
        ended = part.token is None
    begins.append((len(events), place))

    def after(n: int) -> Position:
        # The last part that begins at or before n; where an empty one begins at the
        # same event, the later one.
        before, at = next(begin for begin in reversed(begins) if begin[0] <= n)
        second, seen = seconds[n]
        found = evolve(at, skip=at.skip + n - before, second=second, seen=seen)
        # wire/abeja.md 4.3: at the end of the plain logs there is no token.
        return (found.again() if ended and at is place else found).position

    return LogPage(tuple(events), after, more=more)


def nothing(place: Place) -> LogPage:
    """The page of a reader that found nothing new."""
    return LogPage((), _always(place.position))


def _always(position: Position) -> Callable[[int], Position]:
    return lambda _: position


def _counted(latest: tuple[int | None, int], line: LogLine) -> tuple[int | None, int]:
    second, seen = latest
    own = min(max(0, math.floor(line.timestamp.timestamp())), _LAST_SECOND)
    if second is None or own > second:
        return own, 1
    return second, seen + (own == second)


def _time(second: int | None) -> datetime | None:
    return None if second is None else _EPOCH + timedelta(seconds=second)
