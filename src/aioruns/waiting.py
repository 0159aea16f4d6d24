"""The watcher: many waits on one target, few requests.

There is no background task. Whoever waits attends: one of the attendants leads, which
is to read the runs that are due in a round, wake those whose runs have ended, and rest.
When the leader is done or cancelled, another attendant takes over. So every request is
made by a task that somebody owns, and ten thousand waits need one task.
"""

import asyncio
import copy
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
from attrs import define, field

from aioruns.errors import CallError, Context, NotFound
from aioruns.patience import Patience
from aioruns.rounds import FIRST_INTERVAL, LONGEST_INTERVAL, Schedule
from aioruns.seam import Platform, RunRef, RunState, Status

logger = logging.getLogger("aioruns.waiting")

Heard = Callable[[Status | CallError], None]
"""Told how a run ended, or why it cannot be followed."""

_SUCCEEDED = RunState.SUCCEEDED

_MOST_MISSING = 1000
"""Runs that were looked for in vain and are remembered, for the end of their grace."""


@define(eq=False, repr=False)
class Watcher:
    """Everyone who waits for runs of one target of one platform.

    Attributes:
        platform: Reads the states.
    """

    platform: Platform
    # Nearly every run has one follower, who is spared a list.
    _followed: dict[RunRef, Heard] = field(factory=dict, init=False)
    _others: dict[RunRef, list[Heard]] = field(factory=dict, init=False)
    _looking: dict[RunRef, int] = field(factory=dict, init=False)
    _known: dict[RunRef, Status] = field(factory=dict, init=False)
    _ended: set[RunRef] = field(factory=set, init=False)
    _first_seen: dict[RunRef, float] = field(factory=dict, init=False)
    _missed: dict[RunRef, float] = field(factory=dict, init=False)
    _schedule: Schedule = field(factory=Schedule, init=False)
    _round_at: float = field(default=-math.inf, init=False)
    _latest: Mapping[RunRef, Status] = field(factory=dict, init=False)
    _latest_at: float = field(default=-math.inf, init=False)
    _leader: "asyncio.Future[object] | None" = field(default=None, init=False)
    _standby: dict["asyncio.Future[Any]", "asyncio.Future[None]"] = field(
        factory=dict, init=False
    )
    _wakes_at: float = field(default=-math.inf, init=False)
    _stirred: anyio.Event = field(factory=anyio.Event, init=False)
    _round_lock: anyio.Lock = field(factory=anyio.Lock, init=False)
    _patience: Patience = field(factory=Patience, init=False)
    _unknown_texts: set[str] = field(factory=set, init=False)

    # -- for those who wait ----------------------------------------------------------

    async def wait(self, ref: RunRef, *, fresh: bool = False) -> Status:
        """Return the status of a run once it has ended.

        Args:
            ref: Which run.
            fresh: Whether it was submitted just now, so that a look can wait.

        Raises:
            NotFound: The run does not exist, or not any more.
            CallError: Its states could not be read for two minutes.
        """
        ended: asyncio.Future[Status] = asyncio.get_running_loop().create_future()

        def heard(outcome: Status | CallError) -> None:
            if ended.done():
                return
            if isinstance(outcome, Status):
                ended.set_result(outcome)
            else:
                ended.set_exception(outcome)

        self.join(ref, heard, fresh=fresh)
        try:
            await self.attend(ended)
            return ended.result()
        finally:
            self.leave(ref, heard)
            if ended.done():
                ended.exception()  # seen, even if the wait was cancelled

    def join(self, ref: RunRef, heard: Heard, *, fresh: bool = False) -> None:
        """Follow a run, until `leave`; somebody must attend meanwhile.

        Args:
            ref: Which run.
            heard: Called when it has ended, perhaps at once, or cannot be read; then
                perhaps more than once.
            fresh: As of `wait`.
        """
        if ref not in self._followed:
            now = self.platform.clock.now()
            self._followed[ref] = heard
            if ref not in self._first_seen:
                self._first_seen[ref] = self._missed.pop(ref, now)
            begin = now if fresh else self._round_at
            if self._schedule.add(ref, now, max(now, begin + FIRST_INTERVAL)):
                self._stir_if_late()
        else:
            self._others.setdefault(ref, []).append(heard)
        if ref in self._ended:
            # Others heard of it and have not left yet: no round asks again.
            heard(self._known[ref])

    def leave(self, ref: RunRef, heard: Heard) -> None:
        """Follow a run no longer."""
        if ref in self._others:
            self._leave_others(ref, heard)
        else:
            del self._followed[ref]
            self._schedule.remove(ref)
            self._forget(ref)

    def _leave_others(self, ref: RunRef, heard: Heard) -> None:
        others = self._others[ref]
        if heard in others:
            others.remove(heard)
        else:
            self._followed[ref] = others.pop(0)
        if not others:
            del self._others[ref]

    async def attend(self, until: "asyncio.Future[Any]") -> None:
        """Lead, or stand by to lead, until a future is done."""
        try:
            while not until.done():
                if self._leader is None:
                    self._leader = until
                    until.add_done_callback(self._stir)
                    try:
                        await self._lead(until)
                    finally:
                        until.remove_done_callback(self._stir)
                        self._leader = None
                else:
                    await self._stand_by(until)
        finally:
            self._elect()

    async def look(self, ref: RunRef, max_age: float = 0.0) -> Status | None:
        """The status of a run, read at most `max_age` seconds ago.

        Lookers at the same time share their requests.

        Returns:
            None while the run is not visible yet.

        Raises:
            NotFound: The run does not exist, or not any more.
        """
        asked = self.platform.clock.now()
        if ref in self._ended or self._was_read(ref, asked - max_age):
            return self._known[ref]
        self._looking[ref] = self._looking.get(ref, 0) + 1
        if ref not in self._first_seen:
            self._first_seen[ref] = self._missed.pop(ref, asked)
        try:
            async with self._round_lock:
                if ref not in self._ended and not self._was_read(ref, asked):
                    await self._round(
                        [one for one in self._looking if one not in self._ended]
                    )
            if ref not in self._ended and not self._was_read(ref, asked):
                missing = self._missing(ref)
                if missing is not None:
                    raise missing
            return self._known.get(ref)
        finally:
            self._looking[ref] -= 1
            if not self._looking[ref]:
                del self._looking[ref]
            self._forget(ref)

    def note(self, status: Status) -> None:
        """Hear of a state that somebody else read, for example with a log page.

        Those who wait for the run are woken at once; where it does not say why the run
        failed, by a round that comes at once.
        """
        if not status.state.final or not self._is_of_interest(status.ref):
            return
        if status.state is RunState.FAILED and not status.reason:
            self._schedule.hasten(status.ref, self.platform.clock.now())
            self._stir_if_late()
        else:
            self._take(status)

    # -- who leads -------------------------------------------------------------------

    async def _stand_by(self, until: "asyncio.Future[Any]") -> None:
        """Wait until the future is done, or for being elected to lead."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def release(_: object) -> None:
            if not turn.done():
                turn.set_result(None)

        self._standby[until] = turn
        until.add_done_callback(release)
        try:
            await turn
        finally:
            until.remove_done_callback(release)
            self._standby.pop(until, None)

    def _elect(self) -> None:
        """Let one of those who stand by lead, if nobody does.

        Thousands may leave after one round; none of them looks through all others.
        """
        while self._leader is None and self._standby:
            _, turn = self._standby.popitem()
            if not turn.done():
                turn.set_result(None)
                return

    async def _lead(self, until: "asyncio.Future[Any]") -> None:
        clock = self.platform.clock
        while not until.done():
            async with self._round_lock:
                now = clock.now()
                cohorts = self._schedule.due(now)
                refs = [ref for one in cohorts for ref in one.refs]
                if self._ended:
                    refs = [ref for ref in refs if ref not in self._ended]
                refs += [ref for ref in self._looking if ref not in self._followed]
                try:
                    if refs:
                        await self._round(refs)
                except CallError as error:
                    if not self._patience.endures(error, clock.now()):
                        self._fail_all(error)
                    logger.info("reading states failed: %s", error)
                else:
                    self._patience.restore()
                self._schedule.note_read(cohorts, now)
            await self._rest(until)

    async def _rest(self, until: "asyncio.Future[Any]") -> None:
        """Let time pass until the next round, less of it if somebody is in a hurry."""
        clock = self.platform.clock
        while not until.done():
            self._wakes_at = self._schedule.next_due()
            left = self._wakes_at - clock.now()
            if left <= 0:
                break
            self._stirred = anyio.Event()
            await clock.wait(self._stirred, min(left, LONGEST_INTERVAL))
        self._wakes_at = -math.inf

    def _stir_if_late(self) -> None:
        """Wake a resting leader if the next round must come sooner than it thinks."""
        if self._schedule.next_due() < self._wakes_at:
            self._stir()

    def _stir(self, _: object = None) -> None:
        """Have a resting leader look at the time again."""
        self._stirred.set()

    # -- rounds ----------------------------------------------------------------------

    async def _round(self, refs: Sequence[RunRef]) -> None:
        """Read runs once. The lock is held."""
        self._round_at = asked = self.platform.clock.now()
        statuses = await self.platform.read_states(refs, self._known)
        same = statuses is self._latest
        self._latest, self._latest_at = statuses, asked
        if same and len(statuses) == len(refs):
            return  # the platform says so when nothing has changed
        known = self._known
        changed = [one for ref, one in statuses.items() if known.get(ref) is not one]
        for status in changed:
            self._take(status)
        if len(statuses) < len(refs):
            for ref in refs:
                missing = None if ref in statuses else self._missing(ref)
                if missing is not None:
                    self._wake(ref, missing)

    def _take(self, status: Status) -> None:
        ref, state = status.ref, status.state
        # A stale page must not bring an ended run back to life.
        if ref in self._ended or not (ref in self._followed or ref in self._looking):
            return
        self._known[ref] = status
        if state is _SUCCEEDED or state.final:
            self._ended.add(ref)
            if ref in self._followed and ref not in self._others:
                self._followed[ref](status)
            else:
                self._wake(ref, status)
        elif state is RunState.UNKNOWN and status.text:
            self._warn_once(status.text)

    def _warn_once(self, text: str) -> None:
        if text not in self._unknown_texts:
            self._unknown_texts.add(text)
            logger.warning(
                "%s names a run state that is not documented: %r",
                self.platform.name,
                text,
            )

    def _wake(self, ref: RunRef, outcome: Status | CallError) -> None:
        others = tuple(self._others.get(ref, ()))
        heard = self._followed.get(ref)
        if heard is None:
            return
        # Each one raises an error of its own: tracebacks do not mix.
        heard(outcome if isinstance(outcome, Status) else copy.copy(outcome))
        for one in others:
            one(outcome if isinstance(outcome, Status) else copy.copy(outcome))

    def _fail_all(self, error: CallError) -> None:
        for ref in list(self._followed):
            self._wake(ref, error)

    def _missing(self, ref: RunRef) -> NotFound | None:
        """The error for a run that no answer shows, once it should have been seen.

        A new run may be shown by one replica and be missing in the next.
        """
        now = self.platform.clock.now()
        if now - self._first_seen[ref] < self.platform.abilities.grace:
            return None
        gone = "no longer exists" if ref in self._known else "does not exist"
        context = Context(platform=self.platform.name)
        return NotFound(f"run {ref.id} of {ref.target} {gone}", context, 404)

    # -- what is remembered ----------------------------------------------------------

    def _was_read(self, ref: RunRef, since: float) -> bool:
        return self._latest_at >= since and ref in self._latest and ref in self._known

    def _is_of_interest(self, ref: RunRef) -> bool:
        return ref in self._followed or ref in self._looking

    def _forget(self, ref: RunRef) -> None:
        if not self._followed:
            self._patience.restore()
        if ref in self._followed or ref in self._looking:
            return
        self._ended.discard(ref)
        first_seen = self._first_seen.pop(ref)
        if self._known.pop(ref, None) is None:
            # The grace of a run that was never shown counts from the first look,
            # however many looks it takes; so that one is remembered, for a while.
            self._missed[ref] = first_seen
            if len(self._missed) > _MOST_MISSING:
                del self._missed[next(iter(self._missed))]
