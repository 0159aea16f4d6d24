"""How the objects of one class are read, when they are as they should be."""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import Converter

KEY = "aioruns.json"
"""Where a field's metadata has its JSON key."""

Hook = Callable[[Any, Any], Any]
Step = tuple[str, str, type | None, Hook, Any]
"""JSON key, argument, the type that is taken as it is, and a hook with its kind."""

_TAKEN = frozenset({str, bool, int, float})


@frozen
class Plan:
    """The steps by which an object of JSON becomes a value.

    Attributes:
        make: The class.
        required: The fields that must be there.
        optional: The fields for which null, too, means the default.
        keeps_raw: Whether a field called `raw` keeps the object.
    """

    make: Callable[..., Any]
    required: tuple[Step, ...]
    optional: tuple[Step, ...]
    keeps_raw: bool

    @classmethod
    def of(cls, kind: type, converter: Converter) -> "Plan":
        """Look at the fields of a class.

        Args:
            kind: An attrs class, not generic.
            converter: Knows the hooks of the fields' types.
        """
        fields = attrs.fields(attrs.resolve_types(kind))
        taken = [one for one in fields if one.init and one.name != "raw"]
        return cls(
            kind,
            tuple(
                _step(one, one.type, converter)
                for one in taken
                if one.default is attrs.NOTHING
            ),
            tuple(
                _step(one, _without_none(one.type), converter)
                for one in taken
                if one.default is not attrs.NOTHING
            ),
            any(one.name == "raw" for one in fields),
        )

    def read(self, value: dict[str, Any]) -> Any:
        """Read an object.

        Raises:
            Exception: Any, if something is wrong with it.
        """
        given = {}
        for key, name, taken, hook, kind in self.required:
            item = value[key]
            given[name] = item if type(item) is taken else hook(item, kind)
        get = value.get
        for key, name, taken, hook, kind in self.optional:
            item = get(key)
            if item is not None:
                given[name] = item if type(item) is taken else hook(item, kind)
        made = self.make(**given)
        if self.keeps_raw:
            object.__setattr__(made, "raw", value)
        return made


def _step(one: "attrs.Attribute[Any]", kind: Any, converter: Converter) -> Step:
    hook: Hook = _as_it_is if kind is None else converter.get_structure_hook(kind)
    taken = kind if kind in _TAKEN else None
    return one.metadata.get(KEY, one.name), one.alias or one.name, taken, hook, kind


def _as_it_is(value: Any, _: Any) -> Any:
    return value


def _without_none(kind: Any) -> Any:
    """What is left of `X | None`, since null is not read."""
    if get_origin(kind) in {Union, UnionType}:
        members = [one for one in get_args(kind) if one is not NoneType]
        if len(members) == 1:
            return members[0]
    return kind
