"""One paginator: page tokens and offsets, and the guards that listings need."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from aioruns.errors import Unreadable

T = TypeVar("T")


async def pages(
    read: Callable[[str | None], Awaitable[tuple[Sequence[T], str | None]]],
    start: str | None = None,
) -> AsyncIterator[Sequence[T]]:
    """Read a listing page by page.

    An empty page with a token is not the end; the same token twice in a row would never
    end, and is an error.

    Args:
        read: Reads the page of a token and returns its rows and the next token; None,
            or an empty token, means that there is no next page.
        start: Token of the first page.

    Yields:
        The rows of each page.

    Raises:
        Unreadable: The server returned the token that it was asked with.
    """
    token = start
    while True:
        rows, following = await read(token)
        yield rows
        if not following:
            return
        if following == token:
            raise Unreadable(
                f"the server answered page token {token[:40]!r} with the same token: "
                "the listing would never end"
            )
        token = following
