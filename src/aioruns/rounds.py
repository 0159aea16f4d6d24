"""When which runs are due for a look: often while they are young, then more seldom.

Runs that joined at about the same time form a cohort and are read together. Cohorts
that have grown alike are merged, so there are few of them, however many the runs.
"""

import math
import random
from collections.abc import Iterable

from attrs import define, field

from aioruns.seam import RunRef

FIRST_INTERVAL = 0.3
"""Seconds between the looks at runs that were just submitted."""

LONGEST_INTERVAL = 10.0
"""Seconds between the looks at old runs."""

_SHARE_OF_AGE = 0.1
_EARLY = 0.3
"""Share of its interval by which a cohort may be read early, along with others."""

_ALIKE = 1.25
"""Cohorts whose intervals differ by less than this factor are merged when read."""


@define(eq=False)
class Cohort:
    """Runs that are read together.

    Attributes:
        joined: When the first of them joined.
        due: When they are to be read next, at the latest.
        refs: The runs, in order.
    """

    joined: float
    due: float
    refs: dict[RunRef, None] = field(factory=dict)
    read: bool = field(default=False, init=False)

    def interval(self, now: float) -> float:
        """Seconds until the next look."""
        age = (now - self.joined) * _SHARE_OF_AGE
        return min(LONGEST_INTERVAL, max(FIRST_INTERVAL, age))


@define(eq=False)
class Schedule:
    """The cohorts of one watcher."""

    _cohorts: list[Cohort] = field(factory=list, init=False)
    _of: dict[RunRef, Cohort] = field(factory=dict, init=False)
    _not_before: float = field(default=-math.inf, init=False)

    def add(self, ref: RunRef, now: float, due: float) -> bool:
        """Let a run join, to be read at a time at the latest.

        Returns:
            Whether the next round may have to come sooner.
        """
        cohort = self._cohorts[-1] if self._cohorts else None
        sooner = False
        if cohort is None or cohort.read or now - cohort.joined > FIRST_INTERVAL:
            cohort = Cohort(now, due)
            self._cohorts.append(cohort)
            sooner = True
        elif due < cohort.due:
            cohort.due = due
            sooner = True
        cohort.refs[ref] = None
        self._of[ref] = cohort
        return sooner

    def remove(self, ref: RunRef) -> None:
        """Let a run leave."""
        cohort = self._of.pop(ref)
        del cohort.refs[ref]
        if not cohort.refs:
            self._cohorts.remove(cohort)

    def hasten(self, ref: RunRef, due: float) -> None:
        """Have a run read sooner, however short ago the last round was."""
        cohort = self._of.get(ref)
        if cohort is not None:
            cohort.due = min(cohort.due, due)
            self._not_before = due

    def next_due(self) -> float:
        """When the next round must come; infinity if there is nothing to read."""
        due = min((cohort.due for cohort in self._cohorts), default=math.inf)
        return max(due, self._not_before)

    def due(self, now: float) -> list[Cohort]:
        """The cohorts of a round that takes place now.

        If one of them is due, those that are due a little later go along.
        """
        if self.next_due() > now:
            return []
        return [
            one for one in self._cohorts if one.due - now <= _EARLY * one.interval(now)
        ]

    def note_read(self, cohorts: Iterable[Cohort], now: float) -> None:
        """Plan the next look at the cohorts of a round that took place."""
        spread = random.uniform(0.8, 1.0)  # noqa: S311 - no two clients keep step
        self._not_before = now + FIRST_INTERVAL * spread
        before: Cohort | None = None
        for cohort in cohorts:
            if not cohort.refs:
                continue  # all left meanwhile
            interval = cohort.interval(now)
            cohort.read, cohort.due = True, now + interval * spread
            if before is not None and before.interval(now) < interval * _ALIKE:
                self._merge(cohort, before)
            else:
                before = cohort

    def _merge(self, younger: Cohort, older: Cohort) -> None:
        older.refs.update(younger.refs)
        older.due = younger.due
        for ref in younger.refs:
            self._of[ref] = older
        self._cohorts.remove(younger)
