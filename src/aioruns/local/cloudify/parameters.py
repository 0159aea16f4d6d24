"""Declared parameters of a workflow: types, defaults, constraints (2.3)."""

import re
from collections.abc import Callable, Mapping

import orjson
from attrs import frozen

from aioruns.local.records import Json

_KEYS = frozenset({"type", "default", "constraints", "description", "required"})
_TRUTH = {"true": True, "false": False}


class Illegal(ValueError):
    """A value is not what was declared; the text says how."""


@frozen
class Parameter:
    """One declared parameter.

    Args:
        type: `string`, `integer`, `float`, `boolean`, `list`, `dict`, or None for any.
        default: Value when none is given.
        required: Whether one must be given.
        constraints: As blueprints have them: a list of objects with one key each.
        plain: Whether only a default was declared.
    """

    type: str | None = None
    default: Json = None
    required: bool = False
    constraints: tuple[tuple[str, Json], ...] = ()
    description: str | None = None
    plain: bool = False

    def accept(self, name: str, value: Json) -> Json:
        """The value as the workflow gets it; text becomes what was declared.

        Raises:
            Illegal: It cannot be.
        """
        converted = value if self.type is None else _TYPES[self.type](name, value)
        for rule, argument in self.constraints:
            if not _RULES[rule](converted, argument):
                raise Illegal(
                    f"the parameter `{name}` is {orjson.dumps(converted).decode()}, "
                    f"which breaks the constraint {rule}: "
                    f"{orjson.dumps(argument).decode()}"
                )
        return converted

    def view(self) -> dict[str, Json]:
        """As the deployment's workflows show it."""
        if self.plain:
            return {"default": self.default}
        shown: dict[str, Json] = {"required": self.required}
        if not self.required:
            shown["default"] = self.default
        if self.type is not None:
            shown["type"] = self.type
        if self.constraints:
            shown["constraints"] = [{rule: value} for rule, value in self.constraints]
        if self.description is not None:
            shown["description"] = self.description
        return shown


def declared(value: Json) -> Parameter:
    """Read a declaration: an object of the keys of `Parameter`, or just a default."""
    if not isinstance(value, Mapping) or not value or not value.keys() <= _KEYS:
        return Parameter(default=value, plain=True)
    kind = value.get("type")
    if kind is not None and kind not in _TYPES:
        raise ValueError(
            f"There is no parameter type {kind!r}; choose one of {', '.join(_TYPES)}."
        )
    constraints = tuple(
        pair for entry in value.get("constraints") or () for pair in entry.items()
    )
    for rule, _ in constraints:
        if rule not in _RULES:
            raise ValueError(
                f"There is no constraint {rule!r}; choose one of {', '.join(_RULES)}."
            )
    return Parameter(
        type=kind,
        default=value.get("default"),
        required=bool(value.get("required", "default" not in value)),
        constraints=constraints,
        description=value.get("description"),
    )


def _read(name: str, value: Json, kind: str, read: Callable[[str], Json]) -> Json:
    try:
        return read(value)
    except (ValueError, KeyError):
        raise Illegal(
            f"the parameter `{name}` is {value!r} and must be {kind}"
        ) from None


def _string(name: str, value: Json) -> Json:
    if not isinstance(value, str):
        raise Illegal(f"the parameter `{name}` is {value!r} and must be text")
    return value


def _integer(name: str, value: Json) -> Json:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _read(name, value, "an integer", lambda text: int(_text(text)))


def _float(name: str, value: Json) -> Json:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return _read(name, value, "a number", lambda text: float(_text(text)))


def _boolean(name: str, value: Json) -> Json:
    if isinstance(value, bool):
        return value
    return _read(name, value, "true or false", lambda text: _TRUTH[_text(text).lower()])


def _shaped(shape: type, kind: str) -> Callable[[str, Json], Json]:
    def accept(name: str, value: Json) -> Json:
        read = value
        if isinstance(value, str):
            read = _read(name, value, kind, orjson.loads)
        if not isinstance(read, shape):
            raise Illegal(f"the parameter `{name}` is {value!r} and must be {kind}")
        return read

    return accept


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - one way to say no for all readers
    return value


_TYPES: Mapping[str, Callable[[str, Json], Json]] = {
    "string": _string,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "list": _shaped(list, "a list"),
    "dict": _shaped(dict, "an object"),
}


def _compared(test: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    def compare(value: Json, argument: Json) -> bool:
        try:
            return bool(test(value, argument))
        except TypeError:
            return False

    return compare


_RULES: Mapping[str, Callable[[Json, Json], bool]] = {
    "equal": lambda value, other: bool(value == other),
    "greater_than": _compared(lambda value, other: value > other),
    "greater_or_equal": _compared(lambda value, other: value >= other),
    "less_than": _compared(lambda value, other: value < other),
    "less_or_equal": _compared(lambda value, other: value <= other),
    "in_range": _compared(lambda value, both: both[0] <= value <= both[1]),
    "valid_values": lambda value, allowed: value in allowed,
    "length": _compared(lambda value, size: len(value) == size),
    "min_length": _compared(lambda value, size: len(value) >= size),
    "max_length": _compared(lambda value, size: len(value) <= size),
    "pattern": lambda value, text: (
        isinstance(value, str) and re.fullmatch(text, value) is not None
    ),
}
