"""The watcher: many waits on one target, few requests.

There is no background task. One of those who wait leads: it reads the states of all
followed runs in a round, wakes the others whose runs have ended, and sleeps. When the
leader is done or cancelled, another one takes over. So every request is made by a task
that somebody owns.
"""

import asyncio
import copy
import logging
import random
from typing import Final

import anyio
from attrs import define, field

from aioruns.errors import CallError, Context, NotFound, Rejected
from aioruns.seam import Platform, RunRef, RunState, Status

logger = logging.getLogger("aioruns.waiting")

FIRST_INTERVAL = 0.3
"""Seconds between the rounds for runs that were just submitted."""

LONGEST_INTERVAL = 10.0
"""Seconds between the rounds for old runs."""

PATIENCE = 120.0
"""Seconds for which rounds may fail one after the other before the waits fail."""

_LEAD: Final = "lead"

_MOST_MISSING = 1000
"""Runs that were looked for in vain and are remembered, for the end of their grace."""


@define(eq=False)
class _Waiter:
    ref: RunRef
    woken: "asyncio.Future[Status | str]"


@define(eq=False)
class Watcher:
    """Everyone who waits for runs of one target of one platform.

    Attributes:
        platform: Reads the states.
    """

    platform: Platform
    _waiters: dict[RunRef, list[_Waiter]] = field(factory=dict, init=False)
    _looking: dict[RunRef, int] = field(factory=dict, init=False)
    _known: dict[RunRef, tuple[float, Status]] = field(factory=dict, init=False)
    _first_seen: dict[RunRef, float] = field(factory=dict, init=False)
    _electable: set[_Waiter] = field(factory=set, init=False)
    _leader: _Waiter | None = field(default=None, init=False)
    _joined: anyio.Event = field(factory=anyio.Event, init=False)
    _joined_at: float = field(default=0.0, init=False)
    _round_lock: anyio.Lock = field(factory=anyio.Lock, init=False)
    _failing_since: float | None = field(default=None, init=False)
    _unknown_texts: set[str] = field(factory=set, init=False)

    async def wait(self, ref: RunRef) -> Status:
        """Return the status of a run once it has ended.

        Raises:
            NotFound: The run does not exist, or not any more.
            CallError: Its states could not be read for two minutes.
        """
        loop = asyncio.get_running_loop()
        waiter = _Waiter(ref, loop.create_future())
        self._waiters.setdefault(ref, []).append(waiter)
        self._electable.add(waiter)
        self._hurry()
        try:
            while True:
                known = self._known.get(ref)
                if known is not None and known[1].state.final:
                    # Others heard of it and have not left yet: no round asks again.
                    return known[1]
                if self._leader is None:
                    self._leader = waiter
                    try:
                        await self._lead(waiter)
                    finally:
                        self._leader = None
                woken = await waiter.woken
                if isinstance(woken, Status):
                    return woken
                waiter.woken = loop.create_future()
                self._electable.add(waiter)
        finally:
            self._electable.discard(waiter)
            if waiter.woken.done() and not waiter.woken.cancelled():
                waiter.woken.exception()  # seen, even if the wait was cancelled
            self._waiters[ref].remove(waiter)
            self._forget(ref)
            self._elect()

    async def look(self, ref: RunRef, max_age: float = 0.0) -> Status | None:
        """The status of a run, read at most `max_age` seconds ago.

        Lookers at the same time, and those who wait, share one round of requests.

        Returns:
            None while the run is not visible yet.

        Raises:
            NotFound: The run does not exist, or not any more.
        """
        asked = self.platform.clock.now()
        known = self._known.get(ref)
        if known and (known[1].state.final or known[0] >= asked - max_age):
            return known[1]
        self._looking[ref] = self._looking.get(ref, 0) + 1
        try:
            async with self._round_lock:
                known = self._known.get(ref)
                if known is None or known[0] < asked:
                    await self._round()
                    known = self._known.get(ref)
            if known is None or (known[0] < asked and not known[1].state.final):
                missing = self._missing(ref)
                if missing is not None:
                    raise missing
            return known[1] if known else None
        finally:
            self._looking[ref] -= 1
            self._forget(ref)

    def note(self, status: Status) -> None:
        """Hear of a state that somebody else read, for example with a log page.

        It says less than a round does, so an ended run lets the next round come soon
        instead of ending the waits itself.
        """
        if status.state.final and status.ref in self._waiters:
            self._hurry()

    def _hurry(self) -> None:
        """Let the next round come as soon as rounds may follow each other."""
        self._joined_at = self.platform.clock.now()
        self._joined.set()

    async def _lead(self, leader: _Waiter) -> None:
        while not leader.woken.done():
            began = self.platform.clock.now()
            async with self._round_lock:
                try:
                    await self._round()
                except CallError as error:
                    self._round_failed(error)
                else:
                    self._failing_since = None
            await self._rest(leader, began)

    async def _rest(self, leader: _Waiter, began: float) -> None:
        """Let time pass until the next round, less of it if somebody joins."""
        clock = self.platform.clock
        spread = random.uniform(0.8, 1.2)  # noqa: S311 - no two clients keep step
        while not leader.woken.done():
            left = began + self._interval() * spread - clock.now()
            if left <= 0:
                return
            self._joined = anyio.Event()
            await clock.wait(self._joined, left)

    async def _round(self) -> None:
        """Read all followed runs once. The lock is held."""
        asked = self.platform.clock.now()
        refs = [
            ref
            for ref in {**self._waiters, **self._looking}
            if ref not in self._known or not self._known[ref][1].state.final
        ]
        for ref in refs:
            self._first_seen.setdefault(ref, asked)
        statuses = await self.platform.read_states(refs, {})
        for status in statuses.values():
            self._take(status, asked)
        for ref in refs:
            if ref not in statuses:
                missing = self._missing(ref)
                if missing is not None:
                    self._wake(ref, missing)

    def _take(self, status: Status, asked: float) -> None:
        ref = status.ref
        before = self._known.get(ref)
        if before and before[1].state.final:
            # A stale page must not bring an ended run back to life.
            status = before[1]
        new = status.text and status.text not in self._unknown_texts
        if status.state is RunState.UNKNOWN and new:
            self._unknown_texts.add(status.text)
            logger.warning(
                "%s names a run state that is not documented: %r",
                self.platform.name,
                status.text,
            )
        self._known[ref] = (asked, status)
        if status.state.final:
            self._wake(ref, status)

    def _wake(self, ref: RunRef, outcome: Status | CallError) -> None:
        for waiter in self._waiters.get(ref, ()):
            if waiter.woken.done():
                continue
            if waiter is self._leader:
                self._joined.set()  # it may be resting
            if isinstance(outcome, Status):
                waiter.woken.set_result(outcome)
            else:
                # Each waiter raises an error of its own: tracebacks do not mix.
                waiter.woken.set_exception(copy.copy(outcome))

    def _missing(self, ref: RunRef) -> NotFound | None:
        """The error for a run that no answer shows, once it should have been seen.

        A new run may be shown by one replica and be missing in the next.
        """
        now = self.platform.clock.now()
        if now - self._first_seen.get(ref, now) < self.platform.abilities.grace:
            return None
        gone = "no longer exists" if ref in self._known else "does not exist"
        context = Context(platform=self.platform.name)
        return NotFound(f"run {ref.id} of {ref.target} {gone}", context, 404)

    def _round_failed(self, error: CallError) -> None:
        """Bear with failures that may pass; let the others reach those who wait."""
        now = self.platform.clock.now()
        if self._failing_since is None:
            self._failing_since = now
        passing = not isinstance(error, Rejected) or error.status >= 429
        if passing and now - self._failing_since < PATIENCE:
            logger.info("reading states failed, asking again: %s", error)
            return
        self._failing_since = None
        for ref in self._waiters:
            self._wake(ref, error)

    def _interval(self) -> float:
        """Seconds between rounds; they grow with the age of the youngest wait."""
        age = self.platform.clock.now() - self._joined_at
        return min(LONGEST_INTERVAL, max(FIRST_INTERVAL, age / 10))

    def _forget(self, ref: RunRef) -> None:
        if not self._looking.get(ref):
            self._looking.pop(ref, None)
        if not self._waiters.get(ref):
            self._waiters.pop(ref, None)
        if not self._waiters:
            self._failing_since = None
        if ref in self._looking or ref in self._waiters:
            return
        if self._known.pop(ref, None) is not None:
            self._first_seen.pop(ref, None)
        elif len(self._first_seen) > _MOST_MISSING:
            # The grace of a run that was never shown counts from the first look,
            # however many looks it takes; so that one is remembered, for a while.
            del self._first_seen[next(iter(self._first_seen))]

    def _elect(self) -> None:
        """Wake one of those who wait to lead, if nobody does.

        Thousands may leave after one round; none of them looks through all others.
        """
        while self._leader is None and self._electable:
            waiter = self._electable.pop()
            if not waiter.woken.done():
                waiter.woken.set_result(_LEAD)
                return
