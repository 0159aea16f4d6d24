"""JSON text as the platform takes it, and how large it counts it."""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.http.codec import converter, encode

JsonConfigurations = Mapping[str, Any]
"""Arguments of `json.dumps`, for example `{"indent": 2}`."""

LARGE = 5 * 1024 * 1024
"""Bytes of compact JSON above which data goes by way of URLs (wire/nextmv.md 1.10)."""

SURELY_SMALL = LARGE // 3
"""Bytes of text that need not be counted: each of them counts as three at most."""

_PLAIN = bytes(range(0x80))
_BEYOND_ASCII = bytes(range(0x80, 0x100))
_CONTINUES = bytes(range(0x80, 0xC0))
_BEGINS_PAIR = bytes(range(0xF0, 0x100))


def json_text(
    value: object,
    configurations: JsonConfigurations | None = None,
    what: str = "this",
) -> bytes:
    """Write a JSON value, compactly unless the configurations say otherwise.

    Args:
        value: JSON types, attrs values, datetimes, enumerations.
        configurations: Arguments for `json.dumps`; they are not changed.
        what: What the error calls the value.

    Raises:
        InvalidInput: The value, or a part of it, has no JSON form.
    """
    try:
        if configurations:
            text = json.dumps(
                value, **{"default": _plain, "separators": (",", ":"), **configurations}
            )
            return text.encode()
        compact = encode(value)
        if b"null" in compact:
            _refuse_odd_numbers(value)
        return compact
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{what} cannot be written as JSON: {error}") from error


def counted(text: bytes) -> int:
    """Bytes of JSON text as the limits count them.

    The official client escapes what is not ASCII (wire/nextmv.md 1.6): six bytes, or
    twelve beyond the basic plane. What we send is shorter, but the limit is the same.
    """
    if text.isascii():
        return len(text)
    begins = text.translate(None, _PLAIN + _CONTINUES)
    pairs = len(begins.translate(None, bytes(range(0x80, 0xF0))))
    plain = len(text.translate(None, _BEYOND_ASCII))
    return plain + 6 * len(begins) + 6 * pairs


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return converter.unstructure(value)


def _refuse_odd_numbers(value: object) -> None:
    """Find what the encoder silently turned into null."""
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, float) and not math.isfinite(part):
            raise TypeError(f"{part} is no JSON number")
        if isinstance(part, Mapping):
            parts.extend(part.values())
        elif isinstance(part, list | tuple):
            parts.extend(part)
