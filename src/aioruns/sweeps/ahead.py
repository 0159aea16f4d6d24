"""Orders that are in the journal before somebody is free to submit them.

A transaction costs about as much for two hundred keys as for one. So specs are planned
ahead of those who submit, but never more of them than there is room for.
"""

import asyncio
from collections import deque

from attrs import define, field

from aioruns.errors import JournalError
from aioruns.runs import Runs, RunSpec
from aioruns.sweeps.ledger import JournalLedger
from aioruns.sweeps.order import Order
from aioruns.sweeps.reading import SpecReader

MOST = 256
"""Orders that are ahead, at most: a resume after a kill looks for all their keys."""

FEW = 128
"""As few may be left before more are planned, which takes a moment."""


@define(eq=False)
class Ahead:
    """Plans the specs of one platform in groups.

    Attributes:
        reader: Where specs come from.
        runs: Of this platform.
        ledger: Where they are planned.
        held: Specs that were read and that nobody has taken yet.
    """

    reader: SpecReader
    runs: Runs
    ledger: JournalLedger
    held: int = field(default=0, init=False)
    _ready: deque[Order] = field(factory=deque, init=False)
    _coming: int = field(default=0, init=False)
    _turns: deque[asyncio.Future[Order | None]] = field(factory=deque, init=False)
    _failure: BaseException | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)

    @property
    def over(self) -> bool:
        """Whether there is nothing to be taken or told any more."""
        return self._stopped or (not self.held and self._failure is None)

    def take_now(self, room: int) -> Order | None:
        """The next order, whose key is on the disk; None if `take` must wait for one.

        Args:
            room: How many orders beside this one could be submitted now.
        """
        if self._stopped:
            return None
        if not self._coming and len(self._ready) <= FEW:
            # What cannot be looked up must not be in doubt without need.
            self._plan_ahead(room if self.runs.platform.abilities.finds else 0)
        if not self._ready:
            return None
        self.held -= 1
        return self._ready.popleft()

    async def take(self) -> Order | None:
        """Wait for the next order; None when there is none any more.

        Raises:
            JournalError: It could not be written, and must not be submitted.
        """
        order = None if self._stopped else await self._wait()
        if order is not None:
            self.held -= 1
        elif not self._coming:
            self._raise_failure()
        return order

    def stop(self) -> None:
        """Give nothing out any more: what was planned was not begun."""
        self._stopped = True
        self._failure = None
        while self._ready:
            self._put_back(self._ready.popleft())
        self._wake_all()

    def _plan_ahead(self, room: int) -> None:
        """Plan what can be read without waiting, as far as there is room."""
        indexes: list[int] = []
        specs: list[RunSpec] = []
        try:
            for _ in range(min(MOST, room + 1) - len(self._ready)):
                taken = self.reader.take_now(self.runs)
                if taken is None:
                    break
                indexes.append(taken[0])
                specs.append(taken[1])
        except Exception as error:  # noqa: BLE001 - raised after what came before it
            self._failure = error
        if specs:
            self._plan(indexes, specs)

    def _plan(self, indexes: list[int], specs: list[RunSpec]) -> None:
        def told(error: JournalError | None) -> None:
            self._coming -= len(specs)
            if error is not None:
                self._failure = error
                self.held -= len(specs)
                self._wake_all()
                return
            for index, spec, entry in zip(indexes, specs, plan.entries, strict=True):
                self._give(self.ledger.take_up(index, spec, entry))

        now = self.runs.platform.clock.utc()
        plan = self.ledger.journal.plan_all(specs, now, told)
        self.held += len(specs)
        self._coming += len(specs)

    def _give(self, order: Order) -> None:
        if self._stopped:
            self._put_back(order)
            return
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():  # a cancelled one stays there until here
                turn.set_result(order)
                return
        self._ready.append(order)

    async def _wait(self) -> Order | None:
        """Wait for an order that is on its way; see to it that one is."""
        if self._coming <= len(self._turns):
            if self._failure is not None:
                return None
            taken = await self.reader.take(self.runs)
            if taken is None or self._stopped:
                return None
            self._plan([taken[0]], [taken[1]])
        turn: asyncio.Future[Order | None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            return await turn
        except BaseException:
            order = turn.result() if turn.done() and not turn.cancelled() else None
            if order is not None:
                self._give(order)  # it was given to somebody who is no more
            raise

    def _wake_all(self) -> None:
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _put_back(self, order: Order) -> None:
        self.held -= 1
        self.ledger.put_back(order)
