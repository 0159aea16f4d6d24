"""Several calls at the same time, answered in order."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

T = TypeVar("T")


async def together(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make the calls at once; the platform's gate bounds how many are in flight.

    The first error cancels the other calls and is raised as it is, not in a group, so
    that callers can catch it by its class.
    """
    if len(calls) == 1:
        return [await calls[0]()]
    results: dict[int, T] = {}
    errors: list[Exception] = []

    async def make(index: int) -> None:
        try:
            results[index] = await calls[index]()
        except Exception as error:  # noqa: BLE001 - it is raised below
            errors.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for index in range(len(calls)):
            group.start_soon(make, index)
    if errors:
        raise errors[0]
    return [results[index] for index in range(len(calls))]
