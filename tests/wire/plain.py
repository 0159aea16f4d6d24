"""Values of both clients as the same plain JSON, by the names that Python code uses."""

import builtins
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

_APPLICATION = (
    "id",
    "name",
    "description",
    "type",
    "default_instance_id",
    "default_experiment_instance",
    "subscription_id",
    "locked",
    "created_at",
    "updated_at",
)
_NOT_OF_THE_ANSWER = frozenset({"raw", "client"})


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line a kind
    """The JSON form of a value; what is None in a model is left out."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return {"bytes": value.decode("utf-8", "backslashreplace")}
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    return {
        name: plain(getattr(value, name))
        for name in _names(value)
        if getattr(value, name) is not None
    }


def _names(value: Any) -> list[str]:
    kind = type(value)
    if kind.__name__ == "Application":
        return list(_APPLICATION)
    if hasattr(kind, "model_fields"):
        names = list(kind.model_fields)
    elif hasattr(kind, "__attrs_attrs__"):
        names = [field.name for field in kind.__attrs_attrs__]
    elif is_dataclass(value):
        names = [field.name for field in fields(value)]
    else:
        raise TypeError(f"{kind.__name__} has no plain form")
    return [name for name in names if name not in _NOT_OF_THE_ANSWER]


def kind_of(value: Any) -> str:
    """The name of a value's type, with that of the items of a list."""
    if isinstance(value, list | tuple):
        items = sorted({type(item).__name__ for item in value})
        return f"list[{' | '.join(items)}]"
    return "None" if value is None else type(value).__name__


def returned(value: Any) -> dict[str, Any]:
    """The outcome of a call that returned."""
    return {"returns": kind_of(value), "value": plain(value)}


def raised(error: BaseException) -> dict[str, Any]:
    """The outcome of a call that raised: the class, and which built-in ones it is."""
    outcome: dict[str, Any] = {
        "error": type(error).__name__,
        "kinds": [
            kind.__name__
            for kind in type(error).__mro__
            if hasattr(builtins, kind.__name__)
            and kind not in {Exception, BaseException, object}
        ],
    }
    response = getattr(error, "response", None)
    status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return outcome | ({"status": int(status)} if status else {})


def tree(directory: Path) -> dict[str, str]:
    """The texts of the files below a directory."""
    return {
        path.relative_to(directory).as_posix(): path.read_text()
        for path in sorted(Path(directory).rglob("*"))
        if path.is_file()
    }


def hide_generated(text: str, prefixes: tuple[str, ...]) -> str:
    """Put `********` for the random ends of ids, and of names made from them."""
    for prefix in prefixes:
        text = re.sub(rf"\b({prefix})-[a-z0-9]{{8}}(?![a-z0-9-])", r"\1-********", text)
        words = " ".join(word.capitalize() for word in prefix.split("-"))
        text = re.sub(rf"\b({words}) [A-Z0-9][a-z0-9]{{7}}\b", r"\1 ********", text)
    return text
