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
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)

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
