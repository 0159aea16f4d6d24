"""All rows of a list, page by page, while rows come and go (wire/cloudify.md 4.1)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import TypeVar

from aioruns.platforms.cloudify.models import ListResponse

T = TypeVar("T")


async def rows(
    read: Callable[[int], Awaitable[ListResponse[T]]],
    name: Callable[[T], Hashable],
) -> AsyncIterator[T]:
    """Read a list in a fixed order, each row once.

    Deleted rows let those behind them move forward, past an offset that counts rows. So
    each page begins with the last row of the one before; where it does not, rows have
    moved, and the reading goes back.

    Args:
        read: Reads the page at an offset; pages must come in one order.
        name: What tells a row from the others.

    Yields:
        The rows.
    """
    seen: set[Hashable] = set()
    offset, overlaps, step = 0, False, 1
    smallest: float = float("inf")
    while True:
        page = await read(offset)
        total = page.metadata.pagination.total
        if not page.items:
            # An empty page is the end, unless the whole list got shorter than what was
            # read. It cannot do that for ever.
            if not 0 < total <= offset or total >= smallest:
                return
            smallest = total
            offset, overlaps = max(0, total - step), True
            continue
        step = len(page.items)
        names = [name(row) for row in page.items]
        if offset and overlaps and names[0] not in seen:
            offset = max(0, offset - step)
            continue
        for row, named in zip(page.items, names, strict=True):
            if named not in seen:
                seen.add(named)
                yield row
        if offset + step >= total:
            return
        overlaps = step > 1
        offset += step - overlaps
