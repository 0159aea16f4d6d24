"""How many pages of logs may be at hand at once, whatever the number of runs."""

import anyio
from attrs import define, field

QUIET = 32
"""Pages, or requests for them, of runs that are at the head of their logs."""

LOUD = 16
"""Pages, or requests for them, of runs that have more to tell than one turn's lines."""


@define(eq=False)
class Lease:
    """A place in the budget, until each of its holders has given it back.

    One answer about several runs takes one place for all of them.
    """

    _places: anyio.Semaphore
    _holders: int = field(default=1, init=False)

    def share(self, holders: int) -> None:
        """Say how many will give it back; none gives it back now."""
        self._holders = holders
        if not holders:
            self._places.release()

    def give_back(self) -> None:
        """One holder has no more use for it; the last one frees the place."""
        self._holders -= 1
        if not self._holders:
            self._places.release()


def _places(number: int) -> anyio.Semaphore:
    return anyio.Semaphore(number, max_value=number, fast_acquire=True)


@define(eq=False)
class PageBudget:
    """Places for pages, taken before a request and kept until its lines were taken.

    Loud and quiet runs do not queue for the same places: a quiet run's few lines never
    wait until hundreds of loud runs have got rid of a full page each.
    """

    _quiet: anyio.Semaphore = field(factory=lambda: _places(QUIET), init=False)
    _loud: anyio.Semaphore = field(factory=lambda: _places(LOUD), init=False)

    async def take(self, *, loud: bool = False) -> Lease:
        """Wait for a place, in the order of asking."""
        places = self._loud if loud else self._quiet
        await places.acquire()
        return Lease(places)
