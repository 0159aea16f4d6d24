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
    _leader: _Waiter | None = field(default=None, init=False)
    _joined: anyio.Event = field(factory=anyio.Event, init=False)
    _joined_at: float = field(default=0.0, init=False)
    _round_lock: anyio.Lock = field(factory=anyio.Lock, init=False)
    _failing_since: float | None = field(default=None, init=False)

    async def wait(self, ref: RunRef) -> Status:
        """Return the status of a run once it has ended.

        Raises:
            NotFound: The run does not exist, or not any more.
            CallError: Its states could not be read for two minutes.
        """
        loop = asyncio.get_running_loop()
        waiter = _Waiter(ref, loop.create_future())
        self._waiters.setdefault(ref, []).append(waiter)
        self._joined_at = self.platform.clock.now()
        self._joined.set()
        try:
            while True:
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
        finally:
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
            missing = None if known else self._missing(ref)
            if missing is not None:
                raise missing
            return known[1] if known else None
        finally:
            self._looking[ref] -= 1
            self._forget(ref)

    def note(self, status: Status) -> None:
        """Hear of a state that somebody else read, for example with a log page.

        It says less than a round does, so an ended run lets the next round come at once
        instead of ending the waits itself.
        """
        if status.state.final and status.ref in self._waiters:
            self._joined.set()

    async def _lead(self, leader: _Waiter) -> None:
        clock = self.platform.clock
        while not leader.woken.done():
            self._joined = anyio.Event()
            async with self._round_lock:
                try:
                    await self._round()
                except CallError as error:
                    self._round_failed(error)
                else:
                    self._failing_since = None
            if leader.woken.done():
                return
            await clock.wait(self._joined, self._interval())

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
        statuses = await self.platform.read_states(refs)
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
        if status.state is RunState.UNKNOWN and not before:
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
            if isinstance(outcome, Status):
                waiter.woken.set_result(outcome)
            else:
                # Each waiter raises an error of its own: tracebacks do not mix.
                waiter.woken.set_exception(copy.copy(outcome))

    def _missing(self, ref: RunRef) -> NotFound | None:
        """The error for a run that no answer shows, once it should have been seen."""
        age = self.platform.clock.now() - self._first_seen[ref]
        if ref not in self._known and age < self.platform.abilities.grace:
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
        """Grows with the age of the youngest wait; no two clients keep step."""
        age = self.platform.clock.now() - self._joined_at
        seconds = min(LONGEST_INTERVAL, max(FIRST_INTERVAL, age / 10))
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load only

    def _forget(self, ref: RunRef) -> None:
        if not self._looking.get(ref):
            self._looking.pop(ref, None)
        if not self._waiters.get(ref):
            self._waiters.pop(ref, None)
        if ref not in self._looking and ref not in self._waiters:
            self._known.pop(ref, None)
            self._first_seen.pop(ref, None)

    def _elect(self) -> None:
        """Wake one of those who wait to lead, if nobody does."""
        if self._leader is None:
            for waiters in self._waiters.values():
                for waiter in waiters:
                    if not waiter.woken.done():
                        waiter.woken.set_result(_LEAD)
                        return
