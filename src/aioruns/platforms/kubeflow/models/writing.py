"""Values as the JSON that the server's gateways read (wire/kubeflow.md 3.1)."""

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

import attrs

from aioruns.errors import InvalidInput

INT64: Final = {"aioruns.kubeflow": "int64"}
"""Metadata of a field that is a 64-bit integer, which travels as text."""

_KEY: Final = "aioruns.json"
_LARGEST: Final = 2**63


def wire(value: object, *, nan_as_text: bool = False) -> Any:
    """The JSON form of a body.

    Of models, what is None or an empty list or map is left out; mappings are sent with
    all that is in them.

    Args:
        value: A model of this package, or JSON values, with times and bytes in them.
        nan_as_text: Whether numbers in mappings that are none are sent as text, which
            is right where the server reads a double. Free-form values have no form for
            them.

    Raises:
        InvalidInput: A part of it has no JSON form.
    """
    if isinstance(value, Mapping):
        return {
            _name(name): wire(item, nan_as_text=nan_as_text)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [wire(item, nan_as_text=nan_as_text) for item in value]
    if isinstance(value, float):
        return _number(value, as_text=nan_as_text)
    if attrs.has(type(value)):
        return _model(value)
    return _scalar(value)


def _scalar(value: object) -> str | int | None:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise InvalidInput(f"the number {value} has more than 64 bits")
    if value is None or isinstance(value, str | int):
        return value
    raise InvalidInput(f"a value of type {type(value).__name__} has no JSON form")


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC.

    Raises:
        InvalidInput: The time has no zone.
    """
    if moment.tzinfo is None:
        raise InvalidInput(
            f"the time {moment.isoformat()} has no time zone: give it one, for example "
            "datetime.now(UTC)"
        )
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _model(value: Any) -> dict[str, Any]:
    made = {}
    for one in attrs.fields(type(value)):
        item = getattr(value, one.name)
        # `raw` is what came, and not what goes.
        optional = isinstance(one.default, attrs.Factory)  # type: ignore[arg-type]  # checkers see a function
        if one.name == "raw" or item is None or (optional and not item):
            continue
        if one.metadata.get("aioruns.kubeflow") == "int64":
            item = str(item)
        elif isinstance(item, float):
            item = _number(item, as_text=True)
        made[one.metadata.get(_KEY, one.name)] = wire(item)
    return made


def _number(value: float, *, as_text: bool) -> float | str:
    if math.isfinite(value):
        return value
    if not as_text:
        raise InvalidInput(f"{value} is no JSON number: give a finite one, or text")
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise InvalidInput(f"{name!r} cannot be a name in a JSON object: give text")
    return name
