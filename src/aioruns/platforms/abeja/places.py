"""Places in a log, and pages of lines between them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, evolve, frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.abeja.tally import LAST_SECOND, Tally, second_of
from aioruns.seam import LogEvent, LogPage, Position, Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# Not frozen: that would double what it costs, and every page makes one. Nobody changes
# them.
@define(unsafe_hash=True)
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
        brought: Whether lines of that second may have been consumed that are not
            counted: the token came from a caller, or from the end of the log.
        plain: Whether the token is of the plain log that is being followed.
    """

    token: str | None = None
    start: int | None = None
    end: int | None = None
    skip: int = 0
    second: int | None = None
    seen: int = 0
    brought: bool = False
    plain: bool = False

    @classmethod
    def of(cls, position: Mapping[str, Any] | None) -> "Place":
        """Read what `position` wrote."""
        if type(position) is _Told:
            return position.place
        given: dict[str, Any] = {}
        for name, value in (position or {}).items():
            kind = _KINDS.get(name)
            if kind is None:
                continue
            in_range = not isinstance(value, int) or 0 <= value <= LAST_SECOND
            if type(value) is not kind or not in_range:
                raise InvalidInput(f"this cursor is damaged ({name}): begin without it")
            given[name] = value
        return cls(**given)

    @property
    def position(self) -> Position:
        """The place as a small JSON object."""
        told = _Told()
        told.place = self
        # Spelled out, since every page of every log comes by here: to go through the
        # fields takes three times as long.
        if self.token is not None:
            told["token"] = self.token
        if self.start is not None:
            told["start"] = self.start
        if self.end is not None:
            told["end"] = self.end
        if self.skip:
            told["skip"] = self.skip
        if self.second is not None:
            told["second"] = self.second
        if self.seen:
            told["seen"] = self.seen
        if self.brought:
            told["brought"] = True
        if self.plain:
            told["plain"] = True
        return told

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


_KINDS: Mapping[str, type] = {
    "token": str,
    "start": int,
    "end": int,
    "skip": int,
    "second": int,
    "seen": int,
    "brought": bool,
    "plain": bool,
}


class _Told(dict[str, Any]):
    """A position that still knows its place: most are read back where they were made.

    Nobody changes a position, so that the two stay the same.
    """

    __slots__ = ("place",)
    place: Place


@frozen
class Part:
    """Lines, oldest first.

    Attributes:
        lines: The lines.
        token: The token behind them; None where there is none yet.
        open: Whether what follows them is found by asking for them again, since they
            are the last of their log for now.
        ordered: Whether no line is known to be older than the one before it.
    """

    lines: Sequence[LogEvent]
    token: str | None
    open: bool = False
    ordered: bool = False


def page_of(place: Place, parts: Iterable[Part], *, more: bool) -> LogPage:
    """The events of consecutive parts, and the place behind each of them."""
    events: list[LogEvent] = []
    # Of every part: how many events come before it, and token and skip to begin there.
    begins: list[tuple[int, str | None, int]] = []
    token, skip = place.token, place.skip
    by_time = ordered = False
    for part in parts:
        ordered = part.ordered and not events
        begins.append((len(events), token, skip))
        events += part.lines[skip:] if skip else part.lines
        if part.open:
            break
        token, skip = part.token, max(0, skip - len(part.lines))
        by_time = token is None
    else:
        begins.append((len(events), token, skip))

    tally = Tally(
        events, place.second, place.seen, brought=place.brought, ordered=ordered
    )

    def after(n: int) -> Position:
        # The last part that begins at or before n; where an empty one begins at the
        # same event, the later one.
        part = begins[-1]
        if part[0] > n:
            part = next(begin for begin in reversed(begins) if begin[0] <= n)
        before, token, skip = part
        found = Place(
            token,
            place.start,
            place.end,
            skip + n - before,
            *tally.after(n),
            place.plain,
        )
        # wire/abeja.md 4.3: at the end of the plain logs there is no token.
        return (found.again() if by_time and part is begins[-1] else found).position

    return LogPage(events, after, more=more)


def page_behind(
    place: Place, lines: Sequence[LogEvent], token: str | None, *, ordered: bool
) -> LogPage:
    """What `page_of` makes of one part, with less around it, for the many plain pages.

    Args:
        place: The place that the lines were asked for with.
        lines: The lines behind its token, more than it skips.
        token: The token behind them; without one the part is open.
        ordered: Whether no line is known to be older than the one before it.
    """
    skip = place.skip
    events = lines[skip:] if skip else lines
    count = len(events)
    tally = Tally(
        events, place.second, place.seen, brought=place.brought, ordered=ordered
    )

    def after(n: int) -> Position:
        ended = token is not None and n == count
        return Place(
            token if ended else place.token,
            place.start,
            place.end,
            0 if ended else skip + n,
            *tally.after(n),
            place.plain,
        ).position

    return LogPage(events, after, token is not None)


def begin(window: Window) -> Place:
    """Where the lines of a window begin."""
    return Place(
        start=_seconds(window.since, up=False), end=_seconds(window.until, up=True)
    )


def nothing(place: Place) -> LogPage:
    """The page of a reader that found nothing new."""
    return LogPage((), always(place.position))


def always(position: Position | None) -> Callable[[int], Position | None]:
    """The `after` of a page without events."""
    return lambda _: position


def _seconds(time: datetime | None, *, up: bool) -> int | None:
    """A bound of a window in whole seconds (wire/abeja.md 2.4), not too narrow."""
    if time is None:
        return None
    second = second_of(time) + (up and time.microsecond > 0)
    # What lies beyond the calendar is no bound.
    return second if second <= LAST_SECOND else None


def _time(second: int | None) -> datetime | None:
    return None if second is None else _EPOCH + timedelta(seconds=second)
