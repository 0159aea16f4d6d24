"""Logs of many runs in few requests, where the platform answers for several at once.

Runs that are at the head of their logs say when they want to be read. The first that is
due takes along all who wait, so a quiet run costs a small part of a request.
"""

import asyncio
import copy
import heapq
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

import anyio
from attrs import define, field, frozen

from aioruns.errors import CallError, Rejected, Unauthorized
from aioruns.http.clock import Clock
from aioruns.page_budget import Lease, PageBudget
from aioruns.seam import LogPage, Position, ReadsTogether, RunRef

_GATHERING = 0.02
"""Seconds in which those who want to be read at once find together."""

_MOST_REFUSALS = 3
"""Refusals in a row after which no request is about several runs any more."""


@frozen
class SharedPage:
    """One run's part of a shared answer.

    Attributes:
        page: What there is to read.
        lease: The answer's place in the budget; None if the page is empty.
    """

    page: LogPage
    lease: Lease | None


@define(order=True)
class _Ask:
    due: float
    number: int
    ref: RunRef = field(order=False)
    position: Position | None = field(order=False)
    answer: "asyncio.Future[SharedPage | None]" = field(order=False)


@define(eq=False)
class LogsTogether:
    """Reads the logs of many runs of one scope of a platform.

    Attributes:
        platform: Answers for several runs at once.
        clock: Its clock.
        budget: Where a place is taken before each request.
    """

    platform: ReadsTogether
    clock: Clock
    budget: PageBudget
    _asks: list[_Ask] = field(factory=list, init=False)
    _sooner: anyio.Event = field(factory=anyio.Event, init=False)
    _numbers: "count[int]" = field(factory=count, init=False)
    _refusals: int = field(default=0, init=False)

    async def ask(
        self, ref: RunRef, position: Position | None, within: float
    ) -> SharedPage | None:
        """Read a run's log together with others.

        Args:
            ref: Which run.
            position: From where on.
            within: Seconds until it shall be read; it may be earlier, with others.

        Returns:
            None if the platform refused the request, perhaps because of another run in
            it: this run is to be read by itself.

        Raises:
            CallError: The request failed.
        """
        if self._refusals >= _MOST_REFUSALS:
            await self.clock.sleep(within)
            return None
        due = self.clock.now() + max(within, _GATHERING)
        answer = asyncio.get_running_loop().create_future()
        ask = _Ask(due, next(self._numbers), ref, position, answer)
        heapq.heappush(self._asks, ask)
        if self._asks[0] is ask:
            self._sooner.set()
        return await ask.answer

    async def run(self) -> None:
        """Answer those who ask, until cancelled."""
        while True:
            await self._until_due()
            lease = await self.budget.take()
            asks = self._pick()
            pages: Mapping[RunRef, LogPage] = {}
            try:
                if asks:
                    positions = {ask.ref: ask.position for ask in asks}
                    pages = await self.platform.read_logs_of(positions)
                    self._refusals = 0
            except CallError as error:
                self._fail(asks, error)
            finally:
                _hand_out(asks, pages, lease)

    async def _until_due(self) -> None:
        while True:
            self._sooner = anyio.Event()
            if not self._asks:
                await self._sooner.wait()
                continue
            left = self._asks[0].due - self.clock.now()
            if left <= 0:
                return
            await self.clock.wait(self._sooner, left)

    def _pick(self) -> Sequence[_Ask]:
        """Those who are due, and whom the same request can take along."""
        picked: dict[RunRef, _Ask] = {}
        twice: list[_Ask] = []
        while self._asks and len(picked) < self.platform.logs_at_once:
            ask = heapq.heappop(self._asks)
            if ask.ref in picked:
                twice.append(ask)  # followed twice, from different positions
            elif not ask.answer.done():
                picked[ask.ref] = ask
        for ask in twice:
            heapq.heappush(self._asks, ask)
        return list(picked.values())

    def _fail(self, asks: Iterable[_Ask], error: CallError) -> None:
        refused = (
            isinstance(error, Rejected)
            and 400 <= error.status < 429
            and not isinstance(error, Unauthorized)
        )
        self._refusals += refused
        for ask in asks:
            if ask.answer.done():
                continue
            if refused:
                ask.answer.set_result(None)
            else:
                # Each stream raises an error of its own: tracebacks do not mix.
                ask.answer.set_exception(copy.copy(error))


def _hand_out(
    asks: Iterable[_Ask], pages: Mapping[RunRef, LogPage], lease: Lease
) -> None:
    """Give each who still waits its page; those with events hold the place."""
    waiting = [ask for ask in asks if not ask.answer.done()]
    holders = 0
    for ask in waiting:
        page = pages.get(ask.ref) or _nothing_after(ask.position)
        holders += bool(page.events)
        ask.answer.set_result(SharedPage(page, lease if page.events else None))
    lease.share(holders)


def _nothing_after(position: Position | None) -> LogPage:
    return LogPage((), after=lambda _: position)
