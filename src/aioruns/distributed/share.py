"""One worker's share of a sweep: a lane whose orders come from the caller."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anyio
import anyio.abc
from attrs import define, field

from aioruns.distributed.messages import Ended, Report, Submitted, Terms, Work
from aioruns.platforms.client import Client
from aioruns.runs import Runs, RunSpec
from aioruns.sweeps.lane import Lane
from aioruns.sweeps.ledger import NoLedger
from aioruns.sweeps.order import Order, Policy
from aioruns.sweeps.outcome import Outcome
from aioruns.sweeps.tally import Tally
from aioruns.waiting import Watcher

_AT_ONCE = 256
"""Reports in one message."""


@define(eq=False)
class ReportingLedger(NoLedger):
    """Tells the caller, who keeps the journal, as soon as a run exists."""

    share: "Share"

    def submitted(self, order: Order) -> None:
        """Report it."""
        if order.ref is not None:
            self.share.report(Submitted(order.index, order.ref))


@define(eq=False)
class Share:
    """Takes orders to their ends, and reports; a `Host` of `Lane`.

    Attributes:
        terms: What the worker was told.
        client: The platform's client.
    """

    terms: Terms
    client: Client
    ledger: ReportingLedger = field(init=False)
    tally: Tally = field(factory=lambda: Tally(None), init=False)
    _lane: Lane = field(init=False)
    _tasks: anyio.abc.TaskGroup = field(init=False)
    _work: deque[Order] = field(factory=deque, init=False)
    _some_work: anyio.Semaphore = field(
        factory=lambda: anyio.Semaphore(0, fast_acquire=True), init=False
    )
    _orders: dict[int, Order] = field(factory=dict, init=False)
    _reports: deque[Report] = field(factory=deque, init=False)
    _some_reports: anyio.Event = field(factory=anyio.Event, init=False)
    _stopped: bool = field(default=False, init=False)
    _watchers: set[Watcher] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.ledger = ReportingLedger(self)
        self._lane = Lane(self, self.client.runs)

    @property
    def policy(self) -> Policy:
        """What the sweep is told to do."""
        return self.terms.policy

    @property
    def left(self) -> bool:
        """Whether nobody wants to hear of anything any more."""
        return self._stopped

    async def serve(self) -> None:
        """Work, until cancelled; submissions in flight are cut off then."""
        try:
            async with anyio.create_task_group() as self._tasks:
                for _ in range(self._lane.submitters):
                    self._tasks.start_soon(self._lane.submit)
                for _ in range(self._lane.finishers):
                    self._tasks.start_soon(self._lane.finish)
                await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self._lane.leave()

    # -- what the caller asks ----------------------------------------------------------

    def start(self, works: Sequence[Work]) -> None:
        """Take up orders."""
        for work in works:
            spec = RunSpec(self.client.runs, work.target, work.payload, work.given_key)
            order = Order(work.number, spec, work.key, since=work.since)
            order.ref, order.status = work.ref, work.status
            self._orders[work.number] = order
            self._work.append(order)
            self._some_work.release()

    def drop(self, numbers: Sequence[int]) -> None:
        """Nobody wants to hear of these any more."""
        for number in numbers:
            order = self._orders.pop(number, None)
            if order is not None:
                self._lane.drop(order)

    async def reports(self, within: float) -> list[Report]:
        """What has happened since the last time; waits for something to happen."""
        if not self._reports and not self._stopped:
            self._some_reports = anyio.Event()
            with anyio.move_on_after(within):
                await self._some_reports.wait()
        count = min(len(self._reports), _AT_ONCE)
        return [self._reports.popleft() for _ in range(count)]

    def stop(self) -> None:
        """Let nobody wait for reports any more."""
        self._stopped = True
        self._some_reports.set()

    def report(self, report: Report) -> None:
        """Have the caller know."""
        self._reports.append(report)
        self._some_reports.set()

    # -- what the lane asks ------------------------------------------------------------

    async def next_order(
        self,
        runs: Runs,  # noqa: ARG002 - there is one platform
        room: int,  # noqa: ARG002 - the caller keeps the journal
    ) -> Order | None:
        """The next order; there is always another one to be waited for."""
        while True:
            await self._some_work.acquire()
            order = self._work.popleft()
            if order.index in self._orders:
                return order

    @contextmanager
    def brought_to_its_end(self) -> Iterator[anyio.CancelScope]:
        """The caller waits for what is in flight before it stops a worker."""
        with anyio.CancelScope() as scope:
            yield scope

    def attend(self, watcher: Watcher) -> None:
        """Have a watcher work as long as the share lasts."""
        if watcher not in self._watchers:
            self._watchers.add(watcher)
            never = asyncio.get_running_loop().create_future()
            self._tasks.start_soon(watcher.attend, never)

    def deliver_now(self, outcome: Outcome) -> bool:
        """Report how an order ended."""
        if self._orders.pop(outcome.index, None) is not None:
            self.report(
                Ended(outcome.index, outcome.status, outcome.error, outcome.result)
            )
        return True

    async def deliver(self, outcome: Outcome) -> None:
        """Report how an order ended."""
        self.deliver_now(outcome)
