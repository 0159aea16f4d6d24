"""Lists: the paged shape, and the one of before there were pages."""

import base64
import binascii
import json
from collections.abc import Sequence

from aiohttp import web

from aioruns.local.nextmv.answers import Refusal, answer, compact
from aioruns.local.records import Json


def token(*parts: str | int) -> str:
    """An opaque token for a place in a list."""
    return base64.urlsafe_b64encode(compact(parts).encode()).decode().rstrip("=")


def untoken(text: str, kind: str) -> list[str | int]:
    """The parts of a token after its first, which must be `kind`.

    Raises:
        Refusal: The token was not given out, or for another list.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        parts = None
    if not isinstance(parts, list) or not parts or parts[0] != kind:
        raise Refusal(400, "The token is not one that this list gave out.")
    return parts[1:]


def wants_pages(request: web.Request) -> bool:
    """Whether the client knows pages (wire/nextmv.md 2)."""
    return request.query.get("pagereturn") == "true"


def cut(request: web.Request, keys: Sequence[str], size: int) -> tuple[slice, str]:
    """Which rows to send, and the token for the next page (empty at the end).

    Without `pagereturn=true` that is all rows.

    Args:
        request: Names the list by its path, and the place in it by `pagetoken`.
        keys: What identifies each row, in the order of the list.
        size: Rows a page.
    """
    if not wants_pages(request):
        return slice(0, len(keys)), ""
    start = 0
    if given := request.query.get("pagetoken"):
        start = _after(untoken(given, request.path), keys)
    end = start + size
    if end >= len(keys):
        return slice(start, len(keys)), ""
    return slice(start, end), token(request.path, keys[end - 1], end)


def _after(parts: list[str | int], keys: Sequence[str]) -> int:
    match parts:
        case [str(last), int(offset)] if offset > 0:
            # Rows may have come or gone in front of the last one since.
            return keys.index(last) + 1 if last in keys else offset - 1
        case _:
            raise Refusal(400, "The page token is not one that this list gave out.")


def listing(
    request: web.Request, rows: dict[str, Json], size: int, *, bare: bool = True
) -> web.Response:
    """The answer to a list request of `rows`, which are keyed by id.

    Without pages that is an array, or if not `bare` an object with `items`
    (wire/nextmv.md 2).
    """
    part, following = cut(request, list(rows), size)
    items = list(rows.values())[part]
    if wants_pages(request):
        return answer({"items": items, "next_page_token": following})
    return answer(items if bare else {"items": items})
