"""The seam to engines: who takes the specs of a platform to their ends.

`Lane` decides what becomes of an order, and its hands do it: in this process, or by
`aioruns.distributed` on the workers of a cluster.
"""

from typing import Protocol

from aioruns.cancelling import NotCanceled
from aioruns.runs import Runs
from aioruns.sweeps.lane import Host, Lane
from aioruns.sweeps.order import Order


class SweepLane(Protocol):
    """Takes the specs of one platform to their ends."""

    @property
    def submitters(self) -> int:
        """How many tasks `submit` should be."""
        ...

    @property
    def finishers(self) -> int:
        """How many tasks `finish` should be."""
        ...

    async def serve(self) -> None:
        """Do what must go on meanwhile, until cancelled."""
        ...

    async def submit(self) -> None:
        """Submit specs while there are any; not cut off when the sweep is left."""
        ...

    def close(self) -> None:
        """Wake those who wait for room to submit: there are no specs any more."""
        ...

    async def begin(self, order: Order) -> None:
        """Take up an order where it stands."""
        ...

    async def finish(self) -> None:
        """Take the runs that have ended to their outcomes, until cancelled."""
        ...

    async def give_up_late(self, within: float) -> None:
        """Give up waiting for each run that takes longer, until cancelled."""
        ...

    def give_up_all(self, within: float) -> None:
        """Give up waiting for all runs."""
        ...

    async def cancel_active(self) -> list[tuple[Order, NotCanceled]]:
        """Cancel the runs that are still waited for; return those that could not be."""
        ...

    async def leave(self) -> None:
        """Wait for no run any more, and let go of what was opened."""
        ...


class Engine(Protocol):
    """Makes lanes."""

    def lane(self, host: Host, runs: Runs) -> SweepLane:
        """The lane of one platform in one sweep."""
        ...


class LocalEngine:
    """Submits and waits in this process."""

    def lane(self, host: Host, runs: Runs) -> SweepLane:
        """A `Lane`."""
        return Lane(host, runs)
