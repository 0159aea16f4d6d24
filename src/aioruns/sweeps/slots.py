"""Room for so many active runs, given in the order in which it was asked for."""

import asyncio
from collections import deque

from attrs import define, field


@define(eq=False)
class Slots:
    """How many more runs may become active.

    A semaphore would do, but each run takes a slot and gives it back; where there is
    room, who wants a slot takes it by `free -= 1`, without a call.

    Attributes:
        free: Slots that may be taken at once.
    """

    free: int
    _queue: deque[asyncio.Future[None]] = field(factory=deque, init=False, repr=False)

    async def acquire(self) -> None:
        """Take a slot, or wait for one."""
        if self.free:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.release()  # the slot was given to somebody who is no more
            raise

    def release(self) -> None:
        """Hand a slot on, or give it back."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():  # a cancelled one stays in the queue until here
                turn.set_result(None)
                return
        self.free += 1
