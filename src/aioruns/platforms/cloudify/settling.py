"""Up to when nothing can arrive any more, by the manager's clock.

A row is stamped with the time of its arrival a moment before it can be read, and rows
can be read in another order than that of their stamps. After `OVERLAP` they all can.
"""

from datetime import timedelta

from attrs import define, field

from aioruns.http.clock import Clock
from aioruns.platforms.cloudify.rows import milliseconds

OVERLAP = 2.0
"""Seconds: longer than the manager takes to insert a row, and clocks of its parts
differ (wire/cloudify.md 4.2)."""

LONG_AGO = -(10**15)
"""Milliseconds; before all times."""

_TRUSTED = 60.0
"""Seconds for which the manager's clock is thought to go as ours does."""

_CLOCKS_DIFFER = timedelta(minutes=15)


@define(eq=False)
class Settling:
    """What the times of rows that were read tell of the manager's clock.

    Attributes:
        clock: The session's clock.
    """

    clock: Clock
    _time: int = field(default=LONG_AGO, init=False)
    _noted: float = field(default=0.0, init=False)
    _asked: float | None = field(default=None, init=False)

    def note(self, time: int) -> None:
        """Hear of a row that could be read just now.

        One from the future says nothing: whoever may, gives rows any time.
        """
        now = self.clock.now()
        if time > milliseconds(self.clock.utc() + _CLOCKS_DIFFER):
            return
        later = time - self._time > 1000 * (now - self._noted)
        if later or now - self._noted > _TRUSTED:
            self._time, self._noted = time, now

    def until(self, sent: float) -> int:
        """What arrived before that was there when a request was sent.

        Args:
            sent: When, by our own clock.

        Returns:
            Milliseconds; `LONG_AGO` if nothing is known.
        """
        if self._time == LONG_AGO:
            return LONG_AGO
        passed = min(sent - self._noted, _TRUSTED)
        return self._time + int(1000 * (passed - OVERLAP))

    def asks(self, *, again: bool) -> bool:
        """Whether to look what the newest row is, which is not done all the time.

        Args:
            again: Whether that log's newest row was looked for before.
        """
        now = self.clock.now()
        if again and self._asked is not None and now - self._asked < _TRUSTED:
            return False
        self._asked = now
        return True
