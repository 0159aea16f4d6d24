"""Chains of pages, and the guards that they need (wire/abeja.md 4.3)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from attrs import define, field

from aioruns.errors import CallError, Unreadable

T = TypeVar("T")


@define
class TokenGuard:
    """Sees that a chain of pages gets on.

    Attributes:
        what: What the pages are of, for the error.
    """

    what: str
    _latest: str | None = field(default=None, init=False)
    _was_empty: bool = field(default=False, init=False)

    def check(self, asked: str | None, given: str | None, *, empty: bool) -> None:
        """Take in a page.

        Args:
            asked: The token that the page was asked for with.
            given: The token that came with it, if there is one.
            empty: Whether nothing else came.

        Raises:
            Unreadable: The same token came twice in a row and nothing with it, or a
                page points to itself, so that its rows would come for ever.
        """
        repeats = given == asked if not empty else given == self._latest
        if given and repeats and (not empty or self._was_empty):
            raise Unreadable(
                f"{self.what} gives the token {given[:40]!r} again: reading on would "
                "never end"
            )
        self._latest, self._was_empty = given, empty


async def chain(
    read: Callable[[str | None], Awaitable[tuple[Sequence[T], str | None]]],
    start: str | None = None,
) -> AsyncIterator[Sequence[T]]:
    """Read a listing page by page; an empty page with a token is not the end.

    Args:
        read: Reads the page of a token and returns its rows and the next token; None,
            or an empty token, means that there is no next page.
        start: Token of the first page.

    Yields:
        The rows of each page.

    Raises:
        Unreadable: The listing would never end; see `TokenGuard`.
        CallError: A page could not be read; its context's cursor is the page's token.
    """
    guard = TokenGuard("the listing")
    token = start
    while True:
        try:
            rows, following = await read(token)
            guard.check(token, following, empty=not rows)
        except CallError as error:
            if token:
                error.with_cursor(token)
            raise
        yield rows
        if not following:
            return
        token = following
