"""Places in a log, and pages of lines between them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from attrs import evolve, fields, frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.abeja.tally import LAST_SECOND, Tally, second_of
from aioruns.seam import LogEvent, LogPage, Position, Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        return {
            name: value
            for name, default, value in zip(_NAMES, _DEFAULTS, _values(self))  # noqa: B905 - of one length, and checking that takes as long again
            if value != default
        }

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

_NAMES = [one.name for one in fields(Place)]
_DEFAULTS = [one.default for one in fields(Place)]
_values = attrgetter(*_NAMES)


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
