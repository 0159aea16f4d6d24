"""Pages of runs as waiting reads them, of v1beta1 straight from their bytes.

A round over ten thousand runs looks at a hundred pages. Rows without JSON objects in
between take a quarter of the time, and are nothing to the collector of garbage.
"""

from collections.abc import Sequence
from typing import Any

from attrs import field, frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import Json, converter, read_straight


class ListedRow(Struct, gc=False):
    """A run in a v1beta1 page, as far as polling needs it."""

    id: str
    name: str | None = None
    status: str | None = None
    error: str | None = None
    # Times stay text: they are read, and checked, only where the word has changed.
    created_at: str | None = None
    finished_at: str | None = None


class _Page(Struct, gc=False):
    runs: list[ListedRow] | None = None


@frozen
class ListedPage:
    """A page of runs.

    Attributes:
        value: The page as it came, where it was not read straight.
        rows: Its rows, where it was.
    """

    value: Json = field(factory=dict)
    rows: Sequence[ListedRow] | None = None


@frozen
class ListedPageV2(ListedPage):
    """A page of v2beta1 runs."""


_decode = Decoder(_Page).decode


def _straight(body: bytes) -> ListedPage | None:
    try:
        page = _decode(body)
    except MsgspecError:
        return None
    return ListedPage(rows=page.runs or ())


def _page(value: Any, kind: type[ListedPage]) -> ListedPage:
    return kind(value)


read_straight(ListedPage, _straight)
converter.register_structure_hook(ListedPage, _page)
converter.register_structure_hook(ListedPageV2, _page)
