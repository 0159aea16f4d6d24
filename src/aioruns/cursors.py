"""Cursors: short texts from which work continues, in another process too."""

import base64
import binascii
from typing import Any

import orjson

from aioruns.errors import InvalidInput

_VERSION = 1


def make_cursor(kind: str, value: dict[str, Any]) -> str:
    """Write a cursor.

    Args:
        kind: What it continues, for example `logs`.
        value: JSON values that say from where.

    Returns:
        URL-safe text.
    """
    data = orjson.dumps({"v": _VERSION, "kind": kind, **value})
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_cursor(text: str, kind: str, **expected: str) -> dict[str, Any]:
    """Read a cursor back.

    Args:
        text: What `make_cursor` wrote.
        kind: What it must continue.
        expected: Values that must be in it, for example the platform and the run.

    Raises:
        InvalidInput: It is no cursor, of a later version, or of something else.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        value = orjson.loads(base64.urlsafe_b64decode(padded))
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise InvalidInput(f"this is not a cursor: {text[:40]!r}") from error
    if not isinstance(value, dict) or value.get("v") != _VERSION:
        raise InvalidInput("this cursor was made by another version of aioruns")
    for name, wanted in {"kind": kind, **expected}.items():
        if value.get(name) != wanted:
            raise InvalidInput(
                f"this cursor belongs to {name} {value.get(name)!r}, not to {wanted!r}"
            )
    return value
