"""A clock on which all time runs faster: pauses of seconds cost milliseconds."""

import time
from datetime import UTC, datetime

import anyio
from attrs import Factory, frozen


@frozen
class FastClock:
    """Monotonic time and wall clock run `pace` times as fast as the machine's.

    Every process that is given the same epoch sees the same wall clock, and so does a
    server that takes its times from `utc`: client, server and killed processes live in
    one world whose seconds are short. Only the timeout of an attempt is aiohttp's own,
    in seconds of the machine.

    Attributes:
        pace: Seconds of this clock in a second of the machine.
        epoch: The machine's time (`time.time()`) at which both clocks agree.
    """

    pace: float = 20.0
    epoch: float = Factory(time.time)

    def now(self) -> float:
        """Seconds that only grow."""
        return time.monotonic() * self.pace

    def utc(self) -> datetime:
        """The wall clock, with its zone."""
        passed = (time.time() - self.epoch) * self.pace
        return datetime.fromtimestamp(self.epoch + passed, UTC)

    async def sleep(self, seconds: float) -> None:
        """Let that many short seconds pass."""
        await anyio.sleep(seconds / self.pace)

    async def wait(self, event: anyio.Event, seconds: float) -> None:
        """Wait for the event, but not longer."""
        with anyio.move_on_after(seconds / self.pace):
            await event.wait()

    def limit(self, seconds: float) -> anyio.CancelScope:
        """A cancel scope that ends after that many short seconds."""
        return anyio.move_on_after(seconds / self.pace)
