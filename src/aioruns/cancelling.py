"""Cancelling runs on the platform when what waited for them goes away."""

from collections.abc import Iterable

import anyio
from attrs import frozen

from aioruns.errors import AiorunsError, Context, GaveUp, NotSupported
from aioruns.seam import Platform, RunRef
from aioruns.together import each

CANCEL_WITHIN = 15.0
"""Seconds that cancelling may take after the wait for the runs has ended."""


@frozen
class NotCanceled:
    """A run that could not be cancelled, and why."""

    ref: RunRef
    error: AiorunsError


def check_cancels(platform: Platform) -> None:
    """Refuse what needs cancelling where it is not possible.

    Raises:
        NotSupported: The platform cannot cancel runs.
    """
    if not platform.abilities.cancels:
        raise NotSupported(
            f"{platform.name} cannot cancel a run: it goes on until it ends by itself"
        )


async def cancel_all(
    platform: Platform, refs: Iterable[RunRef], within: float = CANCEL_WITHIN
) -> list[NotCanceled]:
    """Ask the platform to end runs, whatever happens to the caller meanwhile.

    Args:
        platform: Whose runs.
        refs: Which.
        within: Seconds to try, at most.

    Returns:
        Runs that could not be cancelled, or not in time; nothing is raised.
    """
    left = dict.fromkeys(refs)
    failed: list[NotCanceled] = []

    async def cancel(ref: RunRef) -> None:
        try:
            await platform.cancel(ref)
        except AiorunsError as error:
            failed.append(NotCanceled(ref, error))
        del left[ref]

    # Level-triggered cancellation would end each request at once without the shield.
    with anyio.CancelScope(shield=True), platform.clock.limit(within):
        await each(list(left), cancel)
    late = f"it could not be cancelled within {within:g} s"
    context = Context(platform.name)
    return failed + [NotCanceled(ref, GaveUp(late, context)) for ref in left]
