"""What callers of the documented operations give, checked before anything is sent."""

from collections.abc import Mapping

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.platforms.kubeflow.filters import Filter, Version, filter_text
from aioruns.platforms.kubeflow.models.writing import wire


def body_of(body: object, kind: type, *, nan_as_text: bool = False) -> Json:
    """A body as JSON.

    Args:
        body: A model of that kind, or a mapping with the server's own keys.
        kind: The documented model.
        nan_as_text: See `wire`.

    Raises:
        InvalidInput: It is neither, or a part of it has no JSON form.
    """
    if not isinstance(body, kind | Mapping):
        raise InvalidInput(
            f"the body must be {kind.__name__} or a mapping, not {type(body).__name__}"
        )
    made: Json = wire(body, nan_as_text=nan_as_text)
    return made


def checked_filter(given: Filter | str | None, version: Version) -> str | None:
    """A filter as it is sent: a `Filter`, or JSON text as it is.

    Raises:
        InvalidInput: It is something else.
    """
    if given is not None and not isinstance(given, Filter | str):
        raise InvalidInput(
            f"filter must be a Filter or JSON text, not {type(given).__name__}"
        )
    return filter_text(given, version)


def checked_size(page_size: int | None) -> int | None:
    """A number of rows.

    Raises:
        InvalidInput: It is no whole number, or negative.
    """
    if page_size is None:
        return None
    if isinstance(page_size, bool) or not isinstance(page_size, int) or page_size < 0:
        raise InvalidInput(
            f"page_size must be a whole number from 0 (the server's own) to 200, and "
            f"is {page_size!r}"
        )
    return page_size
