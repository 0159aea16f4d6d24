"""The sweep: reads specs, has lanes take them to their ends, hands outcomes over."""

import asyncio
import logging
import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import anyio
import anyio.abc
from attrs import define, field

from aioruns.cancelling import check_cancels
from aioruns.errors import AiorunsError, Forbidden, Unauthorized
from aioruns.http.clock import Clock
from aioruns.journal import Journal
from aioruns.native import Member, NativeBatch
from aioruns.runs import Run, Runs, RunSpec
from aioruns.submitting import new_key
from aioruns.sweeps.ahead import Ahead
from aioruns.sweeps.engine import Engine, LocalEngine, SweepLane
from aioruns.sweeps.handover import Handover
from aioruns.sweeps.ledger import JournalLedger, Ledger, NoLedger
from aioruns.sweeps.order import Order, Policy
from aioruns.sweeps.outcome import Outcome
from aioruns.sweeps.reading import SpecReader
from aioruns.sweeps.showing import Showing
from aioruns.sweeps.tally import Progress, Tally
from aioruns.waiting import Watcher

logger = logging.getLogger("aioruns.sweeps")

Specs = Iterable[RunSpec] | AsyncIterable[RunSpec] | NativeBatch

SETTLE = 30.0
"""Seconds for which a submission in flight may go on after the block was left."""

_ASIDE = 1000
"""Specs put aside for a platform without room, so that the others go on."""


@define(eq=False, repr=False)
class Outcomes:
    """The outcomes of a sweep, as they come; made by `as_completed`.

    Attributes:
        policy: What it was told to do.
        ledger: Where it is kept how far each spec has come.
        tally: Counts what happens.
        not_canceled: After the block, with `cancel_remote`: runs that could not be
            cancelled, and why.
    """

    policy: Policy
    _source: Specs
    _journal_file: str | os.PathLike[str] | None = None
    _show: bool | Callable[[Progress], None] = False
    _engine: Engine = field(factory=LocalEngine)
    ledger: Ledger = field(factory=NoLedger, init=False)
    tally: Tally = field(init=False)
    not_canceled: list[tuple[Run, AiorunsError]] = field(factory=list, init=False)
    _showing: Showing = field(init=False)
    _reader: SpecReader = field(init=False)
    _lanes: dict[int, SweepLane] = field(factory=dict, init=False)
    _ahead: dict[int, Ahead] = field(factory=dict, init=False)
    _watchers: set[Watcher] = field(factory=set, init=False)
    _outer: anyio.abc.TaskGroup = field(init=False)
    _served: anyio.abc.TaskGroup = field(init=False)
    _submitters: anyio.abc.TaskGroup = field(init=False)
    _inner: anyio.abc.TaskGroup = field(init=False)
    _handover: Handover = field(init=False)
    _settling: set[anyio.CancelScope] = field(factory=set, init=False)
    _open: int = field(default=0, init=False)
    _over: bool = field(default=False, init=False)
    _stopped_by: BaseException | None = field(default=None, init=False)
    _clock: Clock | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        source = self._source
        native = isinstance(source, NativeBatch)
        total = len(source) if isinstance(source, Sized) and not native else None
        self.tally = Tally(total)
        self._showing = Showing(self._show, lambda: self.progress, self._fail)
        specs = () if isinstance(source, NativeBatch) else source
        aside = max(_ASIDE, self.policy.max_active)
        self._reader = SpecReader(specs, aside, self._open_lane)
        if self._journal_file is not None:
            self.ledger = JournalLedger(await Journal.open(self._journal_file))
        self._handover = Handover(self.policy.max_active)
        self._outer = anyio.create_task_group()
        await self._outer.__aenter__()
        await self._outer.start(self._conduct)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._leave()
        self._handover.leave()
        self._outer.cancel_scope.cancel()
        try:
            handled = await self._outer.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # Raised as it is: what the block raised.
            raise _first(group, error) from None
        finally:
            with anyio.CancelScope(shield=True):
                await self._clean_up()
        if self._stopped_by is not None:
            raise self._stopped_by
        return handled

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        return await self._handover.take()

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        now = self.tally.began if self._clock is None else self._clock.now()
        return self.tally.progress(now)

    def stop(self) -> None:
        """Submit no more; what is active goes on to its end.

        With `cancel_remote` it is cancelled when the block is left.
        """
        self._read_no_more()
        self._check_over()

    @property
    def left(self) -> bool:
        """Whether the block was left, or will be at once."""
        return self._over

    # -- what lanes ask --------------------------------------------------------------

    async def next_order(self, runs: Runs, room: int) -> Order | None:
        """The next spec of a platform; None when there is none any more."""
        if isinstance(self.ledger, JournalLedger):
            ahead = self._ahead[id(runs)]
            order = ahead.take_now(room) or await ahead.take()
            if order is not None:
                self._open += 1
                if order.attempt > 1:
                    await self.ledger.recall(order)
                return order
        else:
            taken = self._reader.take_now(runs) or await self._reader.take(runs)
            if taken is not None:
                self._open += 1
                index, spec = taken
                return Order(index, spec, spec.key or new_key())
        self._check_over()
        return None

    def deliver_now(self, outcome: Outcome) -> bool:
        """Hand an outcome over if there is room for it; otherwise nothing happens."""
        if self._handover.put_now(outcome):
            self._note(outcome)
            return True
        return False

    async def deliver(self, outcome: Outcome) -> None:
        """Hand an outcome over to whoever iterates."""
        await self._handover.put(outcome)
        self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        self.tally.note(outcome)
        error, stop_when = outcome.error, self.policy.stop_when
        if error is not None and isinstance(error, Unauthorized | Forbidden):
            # A wrong key must not make a hundred thousand errors.
            self._fail(error)
        elif stop_when is not None and stop_when(outcome):
            self._read_no_more()
        self._open -= 1
        if not self._open:
            self._check_over()

    @contextmanager
    def brought_to_its_end(self) -> Iterator[anyio.CancelScope]:
        """Go on with a submission even if the block is left, for a while.

        Otherwise nobody would know of the run.
        """
        with anyio.CancelScope(shield=True) as scope:
            self._settling.add(scope)
            try:
                yield scope
            finally:
                self._settling.discard(scope)

    def attend(self, watcher: Watcher) -> None:
        """Have a watcher work as long as the sweep lasts."""
        if watcher not in self._watchers and not self._over:
            self._watchers.add(watcher)
            self._inner.start_soon(_attend, watcher)

    # -- tasks -----------------------------------------------------------------------

    async def _conduct(
        self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Hold all tasks of the sweep; they end with the last outcome.

        They are shielded as a whole, so that those who submit are not cut off when the
        sweep is left; see `_leave`.
        """
        with anyio.CancelScope(shield=True):
            try:
                async with (
                    self._showing,
                    anyio.create_task_group() as self._served,
                ):
                    self._served.start_soon(self.ledger.serve)
                    async with anyio.create_task_group() as self._submitters:
                        try:
                            await self._hold_inner(task_status)
                        except BaseExceptionGroup as group:
                            self._fail(_first(group, None))
                    self._served.cancel_scope.cancel()
            finally:
                self._handover.end()

    async def _hold_inner(self, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Hold what may be cut off: following, fetching, and native batches."""
        async with anyio.create_task_group() as self._inner:
            task_status.started()
            if isinstance(self._source, NativeBatch):
                self._inner.start_soon(self._follow_batch, self._source)
            else:
                await self._reader.begin()
                self._check_over()
            await anyio.sleep_forever()

    async def _serve(self, lane: SweepLane) -> None:
        try:
            await lane.serve()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - raised when the block is left
            self._fail(error)

    async def _submit(self, lane: SweepLane) -> None:
        try:
            await lane.submit()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - raised when the block is left
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Stop everything; the error is raised when the block is left."""
        if self._stopped_by is None:
            self._stopped_by = error
        self._leave()
        self._outer.cancel_scope.cancel()

    def _leave(self) -> None:
        """Begin no further submission, settle those in flight, and end."""
        self._read_no_more()
        until = anyio.current_time() + SETTLE
        for scope in self._settling:
            scope.deadline = until
        self._submitters.cancel_scope.deadline = until
        self._end()

    def _read_no_more(self) -> None:
        self._reader.stop()
        for ahead in self._ahead.values():
            ahead.stop()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            for lane in self._lanes.values():
                lane.close()
            self._inner.cancel_scope.cancel()

    def _open_lane(self, runs: Runs) -> None:
        self._lane(runs, submits=True)

    def _lane(self, runs: Runs, *, submits: bool) -> SweepLane:
        if self._clock is None:
            self._start(runs.platform.clock)
        lane = self._lanes.get(id(runs))
        if lane is None:
            if self.policy.cancel_remote:
                check_cancels(runs.platform)
            lane = self._lanes[id(runs)] = self._engine.lane(self, runs)
            if isinstance(self.ledger, JournalLedger):
                self._ahead[id(runs)] = Ahead(self._reader, runs, self.ledger)
            self._served.start_soon(self._serve, lane)
            for _ in range(lane.submitters if submits else 0):
                self._submitters.start_soon(self._submit, lane)
            for _ in range(lane.finishers):
                self._inner.start_soon(lane.finish)
            if self.policy.within is not None:
                self._inner.start_soon(lane.give_up_late, self.policy.within)
        return lane

    async def _follow_batch(self, batch: NativeBatch) -> None:
        """Follow the runs of a native batch, all at once."""
        await batch.prepare()
        with self.brought_to_its_end() as scope:
            members = await batch.start()
        if scope.cancelled_caught:
            return
        self._open += 1  # until all members are known
        count = 0
        async for member in members:
            self._open += 1
            count += 1
            lane = self._lane(member.spec.runs, submits=False)
            await lane.begin(_joined(member))
            if member.run is not None and self.policy.on_submitted is not None:
                self.policy.on_submitted(member.run)
        self.tally.total = count
        self._open -= 1
        self._reader.stop()
        self._check_over()

    def _start(self, clock: Clock) -> None:
        """Let time begin; it is that of the first platform that is known."""
        self._clock, self.tally.began = clock, clock.now()
        self._inner.start_soon(self._showing.serve, clock)
        if self.policy.total_within is not None:
            self._inner.start_soon(self._run_out, clock, self.policy.total_within)

    async def _run_out(self, clock: Clock, within: float) -> None:
        await clock.sleep(within)
        self._read_no_more()
        for lane in self._lanes.values():
            lane.give_up_all(within)
        self._check_over()

    def _check_over(self) -> None:
        """End all tasks when there is nothing more to do."""
        if (
            self._reader.exhausted
            and not self._reader.aside
            and not self._open
            and all(ahead.over for ahead in self._ahead.values())
        ):
            self._end()

    async def _clean_up(self) -> None:
        """After all tasks have ended: cancel what is wanted, and close what is open."""
        for lane in self._lanes.values():
            if self.policy.cancel_remote:
                for order, failed in await lane.cancel_active():
                    if (run := order.run) is not None:
                        self.not_canceled.append((run, failed.error))
                        logger.warning(
                            "run %s could not be cancelled: %s", run.id, failed
                        )
            await lane.leave()
        try:
            await self._reader.aclose()
        finally:
            await self.ledger.aclose()


async def _attend(watcher: Watcher) -> None:
    await watcher.attend(asyncio.get_running_loop().create_future())


def _joined(member: Member) -> Order:
    order = Order(member.index, member.spec, member.key)
    order.handle, order.error = member.run, member.error
    if member.run is not None:
        order.ref = member.run.ref
        order.submitted = member.run.runs.platform.clock.utc()
    return order


def _first(group: BaseExceptionGroup, error: BaseException | None) -> BaseException:
    """The one to raise of what several tasks raised."""
    found = list(_leaves(group))
    return error if error is not None and error in found else found[0]


def _leaves(group: BaseExceptionGroup) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one
