"""Counting the lines of the latest second, when somebody asks."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from attrs import define, field

from aioruns.seam import LogEvent

LAST_SECOND = 253402300799
"""The last second of the year 9999, since 1970."""

_timestamp = attrgetter("timestamp")


@define(eq=False)
class Tally:
    """The latest second, and how many lines it has had, behind each of some events.

    It goes on from where it was asked last, so that asking behind every event costs as
    much as asking once.

    Attributes:
        events: The events.
        second: The latest second before them, since 1970, if there is one.
        seen: How many lines it has had.
        brought: Whether it may have had lines that are not counted.
        ordered: Whether no event is older than the one before it.
    """

    events: Sequence[LogEvent]
    second: int | None
    seen: int
    brought: bool = field(kw_only=True)
    ordered: bool = field(default=False, kw_only=True)
    _at: int = field(default=0, init=False)
    _now: tuple[int | None, int, bool] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._now = (self.second, self.seen, self.brought)

    def after(self, n: int) -> tuple[int | None, int, bool]:
        """Second, lines in it, and whether there may be more, behind n events."""
        if n < self._at:
            self._at, self._now = 0, (self.second, self.seen, self.brought)
        if n > self._at:
            self._now = self._counted(*self._now, self._at, n)
            self._at = n
        return self._now

    def _counted(
        self, second: int | None, seen: int, brought: bool, at: int, n: int
    ) -> tuple[int | None, int, bool]:
        if self.ordered:
            latest = self.events[n - 1].timestamp
            begin = latest.replace(microsecond=0)
            count = n - bisect_left(self.events, begin, at, n, key=_timestamp)
        else:
            times = list(map(_timestamp, self.events[at:n]))
            latest = max(times)
            # Not by seconds: comparing times is cheaper than converting them.
            begin = latest.replace(microsecond=0)
            count = sum(map(begin.__le__, times))
        own = second_of(latest)
        if second is not None and own < second:
            return second, seen, brought
        if second == own:
            return own, seen + count, brought
        # Lines that were not counted were of an earlier second, unless these are the
        # first lines that are seen at all.
        known = second is not None or count < n - at
        return own, count, brought and not known


def second_of(time: datetime) -> int:
    """The second that a time lies in, since 1970, within the calendar of requests."""
    return min(max(0, math.floor(time.timestamp())), LAST_SECOND)
