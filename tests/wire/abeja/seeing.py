"""Comparing our values with the objects that the official client gives."""

from datetime import datetime
from http.client import responses
from typing import Any

import attrs
import orjson


def value_of(model: Any) -> Any:
    """The object as it came; what is not in it stands for itself."""
    return getattr(model, "raw", model)


def disagreements(model: Any, official: dict[str, Any]) -> list[str]:
    """Fields of a model that are not what the official object says."""
    found = []
    for field in attrs.fields(type(model)):
        if field.name == "raw":
            continue
        mine, given = getattr(model, field.name), official.get(field.name)
        if given is None:
            agree = mine == field.default
        elif isinstance(mine, datetime):
            agree = mine == datetime.fromisoformat(given)
        elif isinstance(given, str) and isinstance(mine, dict):
            agree = mine == orjson.loads(given)
        elif isinstance(given, list) and any(attrs.has(type(one)) for one in mine):
            agree = len(mine) == len(given) and not any(
                disagreements(*pair) for pair in zip(mine, given, strict=True)
            )
        else:
            agree = mine == (tuple(given) if isinstance(mine, tuple) else given)
        if not agree:
            found.append(f"{field.name}: {mine!r} is not {given!r}")
    return found


KINDS = {
    "InternalServerError": "ServerFailure",
    "MethodNotAllowed": "Rejected",
}
"""Classes of the official client that have another name here; `HttpError` is all that
has no class of its own there."""


def same_error(official: dict[str, Any], ours: BaseException) -> bool:
    """Whether ours says the same of an answer with an error status."""
    kind = official["error"]
    if kind != "HttpError" and type(ours).__name__ != KINDS.get(kind, kind):
        return False
    if getattr(ours, "status", None) != official.get("status"):
        return False
    # The official client puts the phrase of the status where there is no code, and the
    # whole body where there is no description.
    phrase = responses.get(official["status"], "unknown")
    code = getattr(ours, "code", None)
    if code != official["code"] and (code, official["code"]) != (None, phrase):
        return False
    said = official["said"]
    return said in str(ours) or said == ours.context.excerpt  # type: ignore[attr-defined]  # a CallError
