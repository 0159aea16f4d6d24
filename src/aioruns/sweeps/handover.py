"""Outcomes on their way to whoever iterates."""

import asyncio
from collections import deque

from attrs import define, field

from aioruns.sweeps.outcome import Outcome

_Turns = deque[asyncio.Future[None]]


@define(eq=False)
class Handover:
    """A queue that is bounded, and can be closed from both ends.

    Attributes:
        room: Outcomes that are in it, at most.
        over: Whether nothing will be put any more.
        left: Whether nobody will take any more; then what is put is dropped.
    """

    room: int
    over: bool = field(default=False, init=False)
    left: bool = field(default=False, init=False)
    _outcomes: deque[Outcome] = field(factory=deque, init=False)
    _takers: _Turns = field(factory=deque, init=False)
    _givers: _Turns = field(factory=deque, init=False)

    def put_now(self, outcome: Outcome) -> bool:
        """Put an outcome if there is room; otherwise nothing happens."""
        if not self.left:
            if len(self._outcomes) >= self.room:
                return False
            self._outcomes.append(outcome)
            if self._takers:
                _wake(self._takers)
        return True

    async def put(self, outcome: Outcome) -> None:
        """Put an outcome, when there is room."""
        while not self.put_now(outcome):
            await self._turn(self._givers)

    async def take(self) -> Outcome:
        """Take the next outcome.

        Raises:
            StopAsyncIteration: There is none any more.
        """
        while not self._outcomes:
            if self.over or self.left:
                raise StopAsyncIteration
            await self._turn(self._takers)
        outcome = self._outcomes.popleft()
        if self._givers:
            _wake(self._givers)
        return outcome

    def end(self) -> None:
        """Say that nothing will be put any more; what is there may be taken."""
        self.over = True
        _wake_all(self._takers)

    def leave(self) -> None:
        """Say that nobody will take any more."""
        self.left = True
        self._outcomes.clear()
        _wake_all(self._givers)
        _wake_all(self._takers)

    async def _turn(self, turns: _Turns) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turns.append(turn)
        try:
            await turn
        except BaseException:
            # The turn may have been given to somebody who is no more.
            if turn.done() and not turn.cancelled():
                _wake(turns)
            raise


def _wake(turns: _Turns) -> None:
    while turns:
        turn = turns.popleft()
        if not turn.done():  # a cancelled one stays there until here
            turn.set_result(None)
            return


def _wake_all(turns: _Turns) -> None:
    while turns:
        _wake(turns)
