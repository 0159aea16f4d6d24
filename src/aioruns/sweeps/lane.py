"""The specs of one platform, from submission to outcome."""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import anyio
from attrs import Factory, define, field

from aioruns.cancelling import NotCanceled
from aioruns.errors import (
    AiorunsError,
    CallError,
    Context,
    GaveUp,
    NotSent,
    TooManyRequests,
)
from aioruns.runs import Run, Runs, RunState
from aioruns.seam import RunRef, Status
from aioruns.sweeps.hands import Hands, LocalHands
from aioruns.sweeps.ledger import Ledger
from aioruns.sweeps.order import Order, Policy
from aioruns.sweeps.outcome import Outcome
from aioruns.sweeps.slots import Slots
from aioruns.sweeps.tally import Tally
from aioruns.waiting import Watcher


class Host(Protocol):
    """What a lane asks of its sweep."""

    @property
    def policy(self) -> Policy:
        """What the sweep is told to do."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Where it is kept."""
        ...

    @property
    def tally(self) -> Tally:
        """Counts what happens."""
        ...

    @property
    def left(self) -> bool:
        """Whether the sweep was left, so that no submission begins any more."""
        ...

    def next_order(self, runs: Runs, room: int) -> Awaitable[Order | None]:
        """The next spec of a platform; None when there is none any more.

        There is room for so many beside it.
        """
        ...

    def brought_to_its_end(self) -> AbstractContextManager[anyio.CancelScope]:
        """A scope for what must go on for a while, even if the sweep is left."""
        ...

    def attend(self, watcher: Watcher) -> None:
        """Have a watcher work as long as the sweep lasts."""
        ...

    def deliver_now(self, outcome: Outcome) -> bool:
        """Hand an outcome over if there is room for it; otherwise nothing happens."""
        ...

    def deliver(self, outcome: Outcome) -> Awaitable[None]:
        """Hand an outcome over to whoever iterates."""
        ...


@define(eq=False, repr=False)
class Lane:
    """Takes the specs of one platform to their ends, so many at a time.

    A fixed set of tasks submits. A run that is waited for is no task, only an entry of
    the watcher; a second set of tasks takes those that have ended.

    Attributes:
        host: The sweep.
        runs: The platform.
        hands: Who submits, follows and fetches.
    """

    host: Host
    runs: Runs
    hands: Hands = Factory(
        lambda lane: LocalHands(lane.host, lane.runs), takes_self=True
    )
    _slots: Slots = field(init=False)
    _utc: Callable[[], datetime] = field(init=False)
    _hear: Callable[[Order, Status | CallError], None] = field(init=False)
    _active: dict[Order, None] = field(factory=dict, init=False)
    _answered: bool = field(default=False, init=False)
    _ran_out: float | None = field(default=None, init=False)
    _ended: deque[Order] = field(factory=deque, init=False)
    _some_ended: anyio.Semaphore = field(
        factory=lambda: anyio.Semaphore(0, fast_acquire=True), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._slots = Slots(self.host.policy.max_active)
        self._utc = self.runs.platform.clock.utc
        self._hear = self._learn  # one for all, and not one for each order

    @property
    def submitters(self) -> int:
        """How many tasks `submit` should be.

        A little room is left at the gate for reading states: where one more is there
        than the gate lets through, each request has to queue.
        """
        at_once = self.runs.at_once
        return min(self.host.policy.max_active, at_once - at_once // 8)

    @property
    def finishers(self) -> int:
        """How many tasks `finish` should be."""
        return min(self.host.policy.max_active, self.runs.at_once)

    def close(self) -> None:
        """Let those who submit see that there are no specs any more."""
        for _ in range(self.submitters):
            self._slots.release()

    async def serve(self) -> None:
        """Do what must go on meanwhile, until cancelled."""
        await self.hands.serve()

    async def submit(self) -> None:
        """Submit specs while there are any; not cut off when the sweep is left."""
        slots, next_order = self._slots, self.host.next_order
        while True:
            if slots.free:
                slots.free -= 1
            else:
                await slots.acquire()
            order = await next_order(self.runs, slots.free)
            if order is None:
                slots.release()
                return
            if order.ref is None and order.error is None:
                await self._submit(order)
            else:
                await self.begin(order)

    async def begin(self, order: Order) -> None:
        """Take up an order where it stands; it has a slot, or needs none."""
        if order.status is not None or order.error is not None:
            self._note_ended(order)
        elif order.ref is not None:
            self.host.tally.submitted += 1
            if self.host.policy.wait:
                self._follow(order, order.ref, fresh=False)
            else:
                await self._hand_over(order)
        else:
            await self._submit(order)

    async def finish(self) -> None:
        """Take the runs that have ended to their outcomes."""
        while True:
            await self._some_ended.acquire()
            await self._finish(self._ended.popleft())

    async def give_up_late(self, within: float) -> None:
        """Give up waiting for each run that takes longer than that."""
        clock = self.runs.platform.clock
        while True:
            # The first one that is waited for is the first to be late.
            order = next(iter(self._active), None)
            left = within if order is None else order.deadline - clock.now()
            if order is None or left > 0:
                await clock.sleep(left)
            else:
                self._give_up(order, within)

    def give_up_all(self, within: float) -> None:
        """Give up waiting for all runs, and for those whose submission is under way."""
        self._ran_out = within
        for order in list(self._active):
            self._give_up(order, within)

    async def cancel_active(self) -> list[tuple[Order, NotCanceled]]:
        """Cancel the runs that are still waited for; return those that could not be."""
        by_ref = {order.ref: order for order in self._active if order.ref}
        failed = await self.hands.cancel(by_ref)
        return [(by_ref[one.ref], one) for one in failed]

    def drop(self, order: Order) -> None:
        """Wait for a run no more, and say nothing of it."""
        if order in self._active:
            self._take_out(order)
            self._slots.release()

    async def leave(self) -> None:
        """Wait for no run any more, and let go of what was opened."""
        for order in self._active:
            self._leave(order)
        for order in (*self._active, *self._ended):
            order.let_go()
        self._active.clear()
        await self.hands.aclose()

    # -- submission ------------------------------------------------------------------

    async def _submit(self, order: Order) -> None:
        host = self.host
        policy = host.policy
        try:
            try:
                ref = await self.hands.submit(order)
            except (NotSent, TooManyRequests) as error:
                ref = await self.hands.submit_again(
                    order, error, answered=self._answered
                )
        except AiorunsError as error:
            order.error = error
            host.ledger.ended(order, self._utc())
            await self._hand_over(order)
            return
        self._answered = True
        order.ref = ref
        order.submitted = self._utc()
        host.ledger.submitted(order)
        if order.attempt == 1:
            host.tally.submitted += 1
        if policy.on_submitted is not None:
            order.handle = Run(self.runs, ref, order.key)
            policy.on_submitted(order.handle)
        if policy.wait:
            self._follow(order, ref, fresh=True)
        else:
            order.handle = Run(self.runs, ref, order.key, fresh=True)
            await self._hand_over(order)

    def _follow(self, order: Order, ref: RunRef, *, fresh: bool) -> None:
        """Wait for a run that exists."""
        host = self.host
        order.hear = self._hear
        if host.policy.within is not None:
            order.deadline = self.runs.platform.clock.now() + host.policy.within
        self._active[order] = None
        host.tally.active += 1
        self.hands.follow(order, ref, order, fresh=fresh)
        if self._ran_out is not None and order in self._active:
            self._give_up(order, self._ran_out)

    # -- the end ---------------------------------------------------------------------

    def _learn(self, order: Order, outcome: Status | CallError) -> None:
        if isinstance(outcome, Status):
            order.status = outcome
            order.finished = self._utc()
        else:
            order.error = outcome
        self._note_ended(order)

    def _give_up(self, order: Order, within: float) -> None:
        run = order.run
        if run is None:
            raise AssertionError
        context = Context(self.runs.platform.name, cursor=run.cursor)
        text = f"run {run.id} did not end within {within:g} s"
        order.error = GaveUp(text, context)
        self._note_ended(order)

    def _note_ended(self, order: Order) -> None:
        if order.hear is not None:
            self._take_out(order)
        # Most have nothing left to wait for, and are spared a task's turn.
        if self._has_more_to_do(order) or not self._finish_now(order):
            self._ended.append(order)
            self._some_ended.release()

    def _has_more_to_do(self, order: Order) -> bool:
        """Whether requests are left to be made."""
        policy = self.host.policy
        if order.status is None:
            return policy.cancel_remote and isinstance(order.error, GaveUp)
        if order.status.state is RunState.SUCCEEDED:
            return policy.results
        return self._is_retried(order)

    def _is_retried(self, order: Order) -> bool:
        failed = order.status is not None and order.status.state is RunState.FAILED
        return failed and order.attempt <= self.host.policy.retry_failed

    def _finish_now(self, order: Order) -> bool:
        host = self.host
        if not host.deliver_now(order.outcome()):
            return False
        if order.status is not None:
            host.ledger.ended(order, order.finished or self._utc())
        order.let_go()
        self._slots.release()
        return True

    def _take_out(self, order: Order) -> None:
        del self._active[order]
        self.host.tally.active -= 1
        self._leave(order)

    def _leave(self, order: Order) -> None:
        order.hear = None
        if order.ref is not None:
            self.hands.leave(order, order.ref, order)

    async def _finish(self, order: Order) -> None:
        policy, platform = self.host.policy, self.runs.platform
        status, ref = order.status, order.ref
        if status is not None:
            self.host.ledger.ended(order, order.finished or self._utc())
            if self._is_retried(order):
                self.host.tally.retried += 1
                with self.host.brought_to_its_end():
                    await self.host.ledger.begin_again(order, platform.clock.utc())
                    await self._submit(order)
                return
            if policy.results and status.state is RunState.SUCCEEDED and ref:
                try:
                    order.result = await self.hands.fetch_result(order, ref)
                except AiorunsError as error:
                    order.error = error
        elif isinstance(order.error, GaveUp) and policy.cancel_remote and ref:
            await self.hands.cancel([ref])
        await self._hand_over(order)

    async def _hand_over(self, order: Order) -> None:
        await self.host.deliver(order.outcome())
        order.let_go()
        self._slots.release()
