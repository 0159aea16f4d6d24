"""An execution's log, from a position on (wire/cloudify.md 4.2).

The manager inserts rows behind those that were read already: senders stamp a line
before they send it, and transactions end in any order. What arrived a while ago is
settled, though. So a request goes back to what was not settled when it was read last,
and what was seen there is left out; in a long log that was written before, it goes back
no further than the last row.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence

from attrs import evolve, frozen

from aioruns.http.request import Request
from aioruns.platforms.cloudify.event_requests import list_events
from aioruns.platforms.cloudify.places import Place
from aioruns.platforms.cloudify.rows import NO_ROWS, EventRows
from aioruns.platforms.cloudify.settling import OVERLAP, Settling
from aioruns.seam import ALL, LogPage, Position, Window

ROWS = 1000
"""New rows that one request asks for."""

_MANY = 1000
"""Rows of one millisecond; where more of them were given, most are skipped."""

_MARGIN = 500
"""Rows before the next that are read again then, in case that some were deleted."""

_QUIET = 3000
"""Milliseconds between what is settled and where a log that is silent is read from."""

BACK = round(OVERLAP * 1000)
"""Milliseconds of the overlap."""

Send = Callable[[Request[EventRows]], Awaitable[EventRows]]


@frozen
class Reader:
    """Reads logs forward.

    Attributes:
        send: Sends the requests.
        settling: Knows what is settled.
    """

    send: Send
    settling: Settling

    async def read(
        self, run_id: str, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read the rows that a position has not seen, in order of arrival."""
        place = Place.of(position)
        sent = self.settling.clock.now()
        rows = await self.rows([run_id], place, len(place.seen), window)
        if not rows:
            return page_of(place, rows, self.settling.until(sent), None)
        last = rows.time(len(rows) - 1)
        cut = len(rows) < rows.total - place.skip
        if cut and not self._is_far_behind(last, sent, place):
            newest = await self.send(list_events([run_id], size=1, down=True))
            if newest:
                self.settling.note(newest.time(0))
            place = evolve(place, asked=True)
        return page_of(place, rows, self.settled(rows, sent), last if cut else None)

    async def rows(
        self, run_ids: Sequence[str], place: Place, seen: int, window: Window = ALL
    ) -> EventRows:
        """Read rows since a place, more of them than were seen if there are more.

        Args:
            run_ids: Of which executions.
            place: Since when, and which rows to skip.
            seen: How many rows may have been seen.
            window: Which are wanted.
        """
        rows, taken = NO_ROWS, 0
        while True:
            page = await self.send(
                list_events(
                    run_ids,
                    place.since,
                    size=max(ROWS, seen) + seen,
                    offset=place.skip + taken,
                    window=window,
                )
            )
            rows = rows.with_new(page) if taken else page
            taken += len(page)
            # A page may be shorter than what was asked for.
            if len(rows) > seen or not page or place.skip + taken >= page.total:
                return rows

    def _is_far_behind(self, last: int, sent: float, place: Place) -> bool:
        """Whether a row is known to be settled, or whether that was looked for."""
        return last < self.settling.until(sent) or not self.settling.asks(
            again=place.asked
        )

    def settled(self, rows: EventRows, sent: float) -> int:
        """What arrived before that was there when these rows were asked for."""
        last = rows.time(len(rows) - 1)
        self.settling.note(last)
        # The page's own last row says it, too, whatever the clocks are.
        return max(self.settling.until(sent), last - BACK)


def page_of(
    place: Place, rows: EventRows, settled: int, through: int | None
) -> LogPage:
    """The page that rows make for somebody at a place.

    Args:
        place: Where he was.
        rows: All rows since then, in order of arrival, or the first of them.
        settled: What arrived before that was there.
        through: Where there are more rows: when the last that was read arrived.
    """
    fresh, absent = unseen(place, rows)
    events = rows.events
    if isinstance(fresh, range):
        events = events[fresh.start :]
    else:
        events = [events[index] for index in fresh]
    reached = Reached(place, rows, fresh, settled, through, absent)
    more = through is not None and (bool(fresh) or reached.after(0) != place.position())
    return LogPage(events, reached.after, more)


def unseen(place: Place, rows: EventRows) -> tuple[Sequence[int], frozenset[int]]:
    """Which rows are new, and which seen ones are not among the rows."""
    if not place.seen:
        return range(len(rows)), place.seen
    left = set(place.seen)
    fresh: list[int] = []
    for index in range(len(rows)):
        key = rows.key(index)
        if key not in left:
            fresh.append(index)
            continue
        left.discard(key)
        if not left:
            rest = range(index + 1, len(rows))
            return [*fresh, *rest] if fresh else rest, frozenset()
    return fresh, frozenset(left)


@frozen(eq=False)
class Reached:
    """Says where one is after so many of the new rows.

    Attributes:
        place: Where one was.
        rows: The rows since then, in order of arrival.
        fresh: Which of them are new.
        settled: What arrived before that was there.
        through: Where there are more: when the last that was read arrived.
        absent: Keys of rows that were seen before and did not come again.
    """

    place: Place
    rows: EventRows
    fresh: Sequence[int]
    settled: int
    through: int | None
    absent: frozenset[int] = frozenset()

    def after(self, count: int) -> Position | None:
        """The position after that many of them."""
        place, rows = self.place, self.rows
        everything = count == len(self.fresh)
        end = len(rows) if everything else self.fresh[count]
        reached = [0 if place.since is None else place.since]
        if end:
            reached.append(min(rows.time(end - 1), self.settled))
        if everything:
            # Else a log that is silent for long would be read from its last row on,
            # and that is far behind those that it is read together with.
            silent = self.settled - _QUIET
            reached.append(
                silent if self.through is None else min(self.through, self.settled)
            )
        since = max(reached)
        if since <= 0:
            return place.position()
        if since < self.settled and self._is_whole(since, end):
            since += 1
        elif place.skip and since == place.since:
            return self._within(since, place.skip, end)
        begin = bisect_left(range(end), since, key=rows.time)
        if end - begin > _MANY and rows.time(end - 1) == since < self.settled:
            return self._within(since, -begin, end)
        seen = self._seen(begin, end)
        if self.through is not None or since - (place.since or 0) < 2 * BACK:
            seen |= self.absent
        return Place(since, seen, asked=place.asked).position()

    def _is_whole(self, time: int, end: int) -> bool:
        """Whether no row that arrived until then follows."""
        if end == len(self.rows):
            return self.through is None or time < self.through
        return self.rows.time(end) > time

    def _seen(self, begin: int, end: int) -> frozenset[int]:
        """Keys of rows that were given: those, and seen ones that come later."""
        key, seen = self.rows.key, self.place.seen
        given = {key(index) for index in range(begin, end)}
        if seen:
            later = map(key, range(end, len(self.rows)))
            given.update(one for one in later if one in seen)
        return frozenset(given)

    def _within(self, since: int, before: int, end: int) -> Position | None:
        """In the midst of so many rows of one millisecond that most are skipped."""
        same = bisect_right(range(end), since, key=self.rows.time)
        begin = max(0, same - _MARGIN)
        seen = self._seen(begin, end) | self.absent
        return Place(since, seen, before + begin, self.place.asked).position()
