"""The seam between what a lane decides and who does it."""

import logging
from collections.abc import Awaitable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from attrs import define, field

from aioruns.cancelling import NotCanceled, cancel_all
from aioruns.errors import CallError, NotSent, TooManyRequests
from aioruns.patience import FIRST_PAUSE, LONGEST_PAUSE, Patience, patiently
from aioruns.runs import Runs
from aioruns.seam import RunRef
from aioruns.sweeps.order import Order
from aioruns.waiting import Heard, Watcher

if TYPE_CHECKING:
    from aioruns.sweeps.lane import Host

logger = logging.getLogger("aioruns.sweeps")


class Hands(Protocol):
    """Submits the orders of one platform, follows their runs, fetches results."""

    async def serve(self) -> None:
        """Do what must go on meanwhile, until cancelled."""
        ...

    def submit(self, order: Order) -> Awaitable[RunRef]:
        """Create the run of an order, so that it exists once.

        Raises:
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        ...

    async def submit_again(
        self, order: Order, failed: CallError, *, answered: bool
    ) -> RunRef:
        """Go on after the request did not leave, or was refused by a rate limit.

        Other submissions may have been answered well.

        Raises:
            CallError: As of `submit`, or `failed` itself.
        """
        ...

    def follow(self, order: Order, ref: RunRef, heard: Heard, *, fresh: bool) -> None:
        """Call when an order's run has ended, or cannot be read; until `leave`."""
        ...

    def leave(self, order: Order, ref: RunRef, heard: Heard) -> None:
        """Follow it no longer."""
        ...

    async def fetch_result(self, order: Order, ref: RunRef) -> object:
        """What a run that succeeded has produced.

        Raises:
            CallError: The platform could not be asked.
        """
        ...

    async def cancel(self, refs: Iterable[RunRef]) -> list[NotCanceled]:
        """Ask the platform to end runs; return those that could not be."""
        ...

    async def aclose(self) -> None:
        """Let go of what was opened; nothing is raised."""
        ...


@define(eq=False)
class LocalHands:
    """This process does it.

    Attributes:
        host: The sweep.
        runs: The platform.
    """

    host: "Host"
    runs: Runs
    _warned: bool = field(default=False, init=False)
    _repeats: bool = field(init=False)
    _target: str | None = field(default=None, init=False)
    _watcher: Watcher = field(init=False)
    """The one of the latest target: most sweeps have a single one."""

    def __attrs_post_init__(self) -> None:
        self._repeats = self.host.policy.on_unknown == "submit again"

    async def serve(self) -> None:
        """Nothing: watchers are attended by the sweep."""

    def submit(self, order: Order) -> Awaitable[RunRef]:
        """Create the run of an order."""
        return self.runs.create(
            order.spec,
            order.key,
            since=order.since,
            repeat_unknown=self._repeats,
        )

    async def submit_again(
        self, order: Order, failed: CallError, *, answered: bool
    ) -> RunRef:
        """Go on with the patience of a wait, beyond the attempts of a single call."""
        clock = self.runs.platform.clock
        patience, pause = Patience(answered), FIRST_PAUSE
        while not self.host.left and patience.endures(failed, clock.now()):
            if not self._warned:
                self._warned = True
                logger.warning("submitting again for a while after: %s", failed)
            await clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                return await self.submit(order)
            except (NotSent, TooManyRequests) as error:
                failed = error
        raise failed

    def follow(
        self,
        order: Order,  # noqa: ARG002 - others go by the order
        ref: RunRef,
        heard: Heard,
        *,
        fresh: bool,
    ) -> None:
        """Join those who wait."""
        if ref.target != self._target:
            self._target, self._watcher = ref.target, self.runs.watcher(ref.target)
            self.host.attend(self._watcher)
        self._watcher.join(ref, heard, fresh=fresh)

    def leave(
        self,
        order: Order,  # noqa: ARG002 - others go by the order
        ref: RunRef,
        heard: Heard,
    ) -> None:
        """Leave those who wait."""
        if ref.target == self._target:
            self._watcher.leave(ref, heard)
        else:
            self.runs.watcher(ref.target).leave(ref, heard)

    async def fetch_result(
        self,
        order: Order,  # noqa: ARG002 - others go by the order
        ref: RunRef,
    ) -> object:
        """What the run has produced; as patient as waiting for it was."""
        platform = self.runs.platform
        fetch = partial(platform.fetch_result, ref)
        return await patiently(fetch, platform.clock)

    async def cancel(self, refs: Iterable[RunRef]) -> list[NotCanceled]:
        """Ask the platform to end runs."""
        return await cancel_all(self.runs.platform, refs)

    async def aclose(self) -> None:
        """Nothing was opened."""
