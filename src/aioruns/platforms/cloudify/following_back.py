"""An execution's log from its end: the last lines, and all of them newest first."""

from bisect import bisect_left

from attrs import frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.cloudify.event_requests import list_events
from aioruns.platforms.cloudify.following import BACK, ROWS, Reached, Reader, unseen
from aioruns.platforms.cloudify.places import Place, packed, unpacked
from aioruns.platforms.cloudify.rows import NO_ROWS, EventRows
from aioruns.seam import LogPage, Position, RunRef, Window

_SPARE = 100
"""Rows before the last lines that are read with them: mostly those of two seconds."""

_MANY = 1000
_MARGIN = 500


async def read_newest(
    reader: Reader, ref: RunRef, count: int, window: Window
) -> LogPage:
    """Read the last lines; of more than a page, only where they begin.

    Rows before them that are not settled are read, too: the way forward comes past
    them, and must not give them.
    """
    settling = reader.settling
    sent = settling.clock.now()
    skip = max(0, count - ROWS)
    wanted = count - skip
    rows: EventRows = NO_ROWS
    taken = 0
    while True:
        page = await reader.send(
            list_events(
                [ref.id],
                size=wanted + _SPARE if not taken else ROWS,
                offset=skip + taken,
                down=True,
                window=window,
            )
        )
        taken += len(page)
        if page and not skip and not rows:
            settling.note(page.time(0))
        rows = rows.with_new(page)
        ended = not page or skip + taken >= page.total
        fresh = _last(rows, wanted, window)
        settled = settling.until(sent)
        if rows:
            settled = max(settled, rows.time(0) - BACK)
        if ended or _covers(rows, fresh, wanted, settled):
            break
    if skip and not rows:
        return LogPage((), lambda _: None, more=page.total > 0)
    # From here on in order of arrival.
    rows = rows.pick(range(len(rows) - 1, -1, -1))
    fresh = [len(rows) - 1 - index for index in reversed(fresh)]
    first = None if ended else rows.time(0) + 1
    keys = frozenset(map(rows.key, range(len(rows))))
    old = keys.difference(map(rows.key, fresh))
    through = rows.time(len(rows) - 1) if skip else None
    reached = Reached(Place(first, old), rows, fresh, settled, through)
    return LogPage([rows.events[n] for n in fresh], reached.after, more=skip > 0)


def _last(rows: EventRows, wanted: int, window: Window) -> list[int]:
    """Which rows, newest first, are the last lines of a window."""
    events = rows.events
    held = [index for index in range(len(rows)) if window.holds(events[index])]
    return held[:wanted]


def _covers(rows: EventRows, fresh: list[int], wanted: int, settled: int) -> bool:
    """Whether all rows that a reader comes past after the last lines were read."""
    if len(fresh) < wanted:
        return False
    oldest = rows.time(len(rows) - 1)
    first = rows.time(fresh[-1]) if fresh else rows.time(0)
    return oldest < min(first, settled)


async def read_older(
    reader: Reader, ref: RunRef, position: Position | None, window: Window
) -> LogPage:
    """Read what arrived before a position, newest first."""
    place = _Back.of(position)
    rows = await reader.send(
        list_events(
            [ref.id],
            before=place.before,
            size=ROWS + len(place.seen),
            offset=place.skip,
            down=True,
            window=window,
        )
    )
    more = 0 < len(rows) < rows.total - place.skip
    fresh, _ = unseen(Place(0, place.seen), rows)

    def after(count: int) -> Position | None:
        end = len(rows) if count == len(fresh) else fresh[count]
        if not end:
            return position
        last = rows.time(end - 1)
        whole = not more if end == len(rows) else rows.time(end) < last
        if whole:
            return _Back(last).position()
        begin = bisect_left(range(end), -last, key=lambda n: -rows.time(n))
        same = place.before == last + 1
        given = (place.skip if same else 0) + end - begin
        if given > _MANY:
            start = max(begin, end - _MARGIN)
            skip = (place.skip if same else 0) + start - begin
        else:
            start, skip = begin, place.skip if same else 0
        seen = {rows.key(index) for index in range(start, end)}
        later = map(rows.key, range(end, len(rows)))
        seen.update(key for key in later if key in place.seen)
        return _Back(last + 1, frozenset(seen), skip).position()

    return LogPage([rows.events[index] for index in fresh], after, more)


@frozen
class _Back:
    """A position on the way back.

    Attributes:
        before: Milliseconds: what arrived then or later was given; None is the end.
        seen: Keys of those that arrived in the millisecond before and were given.
        skip: Rows of that millisecond that were given and need not be seen again.
    """

    before: int | None = None
    seen: frozenset[int] = frozenset()
    skip: int = 0

    @staticmethod
    def of(position: Position | None) -> "_Back":
        if position is None:
            return _Back()
        if not isinstance(position.get("u"), int):
            raise InvalidInput(
                "this position is for reading forward: read back from the end of the "
                "log instead"
            )
        seen = frozenset(unpacked(position.get("s", "")))
        return _Back(position["u"], seen, position.get("k", 0))

    def position(self) -> Position:
        made: Position = {"u": self.before}
        if self.seen:
            made["s"] = packed(self.seen)
        if self.skip:
            made["k"] = self.skip
        return made
