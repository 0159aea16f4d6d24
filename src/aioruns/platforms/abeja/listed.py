"""Pages of runs as waiting reads them, straight from their bytes.

A round over ten thousand runs looks at a hundred pages, and most rows say what was
known before.
"""

from collections.abc import Sequence
from typing import Any

from attrs import frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import converter, read_straight


class ListedRun(Struct, gc=False):
    """A run in a page, as far as polling needs it."""

    run_id: str
    status: str
    # Times stay text: they are read, and checked, only where the word has changed.
    created_at: str | None = None
    modified_at: str | None = None


class _Page(Struct, gc=False):
    entries: list[ListedRun]
    next_page_token: str | None = None


@frozen
class StatePage:
    """A page of runs.

    Attributes:
        next_page_token: Asks for the next page; None or empty at the end.
        rows: The runs, where the page was read straight; None otherwise.
        values: The runs as they came, where it was not.
    """

    next_page_token: str | None
    rows: Sequence[ListedRun] | None
    values: Sequence[Any] = ()

    @property
    def entries(self) -> Sequence[object]:
        """The runs, however they were read."""
        return self.values if self.rows is None else self.rows


_decode = Decoder(_Page).decode


def _straight(body: bytes) -> StatePage | None:
    try:
        page = _decode(body)
    except MsgspecError:
        return None
    return StatePage(page.next_page_token, page.entries)


def _page(value: object, _: object) -> StatePage:
    if not isinstance(value, dict) or type(value.get("entries")) is not list:
        raise TypeError("expected an object with a list of entries")
    token = value.get("next_page_token")
    if token is not None and type(token) is not str:
        raise TypeError(f"a token must be text, not {type(token).__name__}")
    return StatePage(token, None, value["entries"])


read_straight(StatePage, _straight)
converter.register_structure_hook(StatePage, _page)
