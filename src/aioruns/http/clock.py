"""Time as a seam, so that no test waits on the wall."""

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """What the library asks of time."""

    def now(self) -> float:
        """Seconds that only grow."""
        ...

    def utc(self) -> datetime:
        """The wall clock, with its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        ...

    async def wait(self, event: anyio.Event, seconds: float) -> None:
        """Let that many seconds pass, or fewer if the event is set."""
        ...

    def limit(self, seconds: float) -> anyio.CancelScope:
        """A cancel scope that ends after that many seconds."""
        ...


class SystemClock:
    """The machine's own clock.

    It tells the wall clock to the millisecond: of what happens a thousandfold at one
    time, such as the ends of runs, only the first makes a new value.
    """

    _told_at = 0.0
    _told = datetime.fromtimestamp(0.0, UTC)

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The wall clock in UTC."""
        at = time.time()
        if not 0.0 <= at - self._told_at < 0.001:
            self._told_at, self._told = at, datetime.fromtimestamp(at, UTC)
        return self._told

    async def sleep(self, seconds: float) -> None:
        """Sleep in the event loop."""
        await anyio.sleep(seconds)

    async def wait(self, event: anyio.Event, seconds: float) -> None:
        """Wait for the event, but not longer."""
        with anyio.move_on_after(seconds):
            await event.wait()

    def limit(self, seconds: float) -> anyio.CancelScope:
        """A cancel scope on the event loop's clock."""
        return anyio.move_on_after(seconds)
