"""Several calls at once, bounded, and failing as one."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

T = TypeVar("T")

WORKERS = 32


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Call `work` for every item, up to 32 at once.

    Args:
        items: Taken one by one.
        work: Called with each item.

    Raises:
        Exception: The first failure as it is, not in a group; the other calls are
            cancelled.
    """
    taken = list(items)
    if len(taken) <= 1:
        # A task group costs much more than calling.
        for item in taken:
            await work(item)
        return
    rest = iter(taken)
    failures: list[Exception] = []

    async def worker(scope: anyio.CancelScope) -> None:
        for item in rest:
            try:
                await work(item)
            except Exception as error:  # noqa: BLE001 - raised again below
                failures.append(error)
                scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(min(WORKERS, len(taken))):
            group.start_soon(worker, group.cancel_scope)
    if failures:
        raise failures[0]
