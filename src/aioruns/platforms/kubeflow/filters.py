"""Filters of listings, built from values (wire/kubeflow.md 5.2)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from string import ascii_letters, digits
from typing import Literal, get_args
from urllib.parse import quote

import orjson
from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.platforms.kubeflow.models.writing import stamp

Version = Literal["v1beta1", "v2beta1"]
"""A REST version; their filters differ in the name of the operator's key."""

Operation = Literal[
    "EQUALS",
    "NOT_EQUALS",
    "GREATER_THAN",
    "GREATER_THAN_EQUALS",
    "LESS_THAN",
    "LESS_THAN_EQUALS",
    "IN",
    "IS_SUBSTRING",
]
"""What a predicate compares by."""

Scalar = str | int | datetime
"""A value to compare with."""

IDS_AT_ONCE = 100
"""Ids in one filter; with 100 UUIDs an address stays below the 8 KB that proxies permit
(wire/kubeflow.md 8.1)."""

_LONGEST = 6500
"""Characters of ids in one filter, as they stand in an address."""

_BETWEEN = len(quote('"",'))
"""Characters that an id needs besides its own."""

_PLAIN = (ascii_letters + digits + "-_.").encode()
"""What quoting leaves as it is."""

_INT32 = 2**31
_INT64 = 2**63


@frozen
class Predicate:
    """One condition.

    Attributes:
        key: The column, for example `status` (v1beta1) or `state` (v2beta1).
        operation: How to compare.
        value: Text, a whole number or a time; a list of texts or of numbers for `IN`.
    """

    key: str = field()
    operation: Operation = field()
    value: Scalar | Sequence[str] | Sequence[int] = field()

    @key.validator
    def _check_key(self, _: object, key: str) -> None:
        if not isinstance(key, str) or not key:
            raise InvalidInput(f"a filter's key must name a column, and is {key!r}")

    @operation.validator
    def _check_operation(self, _: object, operation: str) -> None:
        if operation not in get_args(Operation):
            known = ", ".join(get_args(Operation))
            raise InvalidInput(f"{operation!r} is no operation of filters: {known} are")

    @value.validator
    def _check_value(self, _: object, value: object) -> None:
        several = isinstance(value, list | tuple)
        if several != (self.operation == "IN"):
            wanted = "a list" if self.operation == "IN" else "one value"
            raise InvalidInput(
                f"{self.operation} on {self.key!r} wants {wanted}, not {value!r}"
            )
        if self.operation == "IS_SUBSTRING" and not isinstance(value, str):
            raise InvalidInput(f"IS_SUBSTRING on {self.key!r} wants text")
        self._kind()

    def json(self, version: Version) -> Json:
        """The predicate as a REST version wants it."""
        kind, value = self._kind()
        operator = "op" if version == "v1beta1" else "operation"
        return {operator: self.operation, "key": self.key, kind: value}

    def _kind(self) -> tuple[str, object]:
        """The value's key, which says its type, and the value."""
        if isinstance(self.value, list | tuple):
            # An empty list matches nothing, whatever its items would be.
            kinds = {self._one(item)[0] for item in self.value} or {"string_value"}
            if kinds == {"int_value", "long_value"}:
                kinds = {"long_value"}
            if len(kinds) > 1 or "timestamp_value" in kinds:
                raise InvalidInput(
                    f"IN on {self.key!r} wants texts only or whole numbers only"
                )
            (kind,) = kinds
            as_text = kind == "long_value"
            items = [str(item) if as_text else item for item in self.value]
            return f"{kind}s", {"values": items}
        return self._one(self.value)

    def _one(self, value: object) -> tuple[str, object]:
        if isinstance(value, str):
            return "string_value", str(value)
        if isinstance(value, datetime):
            return "timestamp_value", stamp(value)
        if isinstance(value, int) and not isinstance(value, bool):
            if -_INT32 <= value < _INT32:
                return "int_value", value
            if -_INT64 <= value < _INT64:
                return "long_value", str(value)
        raise InvalidInput(
            f"{value!r} cannot be compared with the column {self.key!r}: give text, a "
            "whole number of up to 64 bits, or a time"
        )


@frozen
class Filter:
    """Conditions that all must hold; the server knows neither OR nor NOT.

    Attributes:
        predicates: The conditions.

    Example:
        ```python
        failed = Filter().where("status", "IN", ["Failed", "Error"])
        since = failed.where("created_at", "GREATER_THAN_EQUALS", yesterday)
        page = await kubeflow.run_service.list_runs(filter=since)
        ```
    """

    predicates: tuple[Predicate, ...] = ()

    def where(
        self,
        key: str,
        operation: Operation,
        value: Scalar | Sequence[str] | Sequence[int],
    ) -> "Filter":
        """This filter with one more condition.

        Args:
            key: The column: `id`, `name`, `description`, `created_at`, `scheduled_at`,
                `storage_state`, `status`; servers of 2.x releases know more.
            operation: How to compare. `IS_SUBSTRING` takes `%` and `_` for wildcards.
            value: Text, a whole number, a time with zone; a list of them for `IN`.

        Raises:
            InvalidInput: The value does not go with the operation.
        """
        return Filter((*self.predicates, Predicate(key, operation, value)))

    def text(self, version: Version) -> str:
        """The JSON text that a REST version wants."""
        predicates = [predicate.json(version) for predicate in self.predicates]
        text = orjson.dumps({"predicates": predicates}).decode()
        # wire/kubeflow.md 5.2: the server form-decodes a filter a second time
        return text.replace("+", "\\u002b").replace("%", "\\u0025")


def filter_text(given: Filter | str | None, version: Version) -> str | None:
    """A filter as it is sent; text is taken as it is."""
    return given.text(version) if isinstance(given, Filter) else given


def chunks(ids: Iterable[str], most: int = IDS_AT_ONCE) -> Iterator[list[str]]:
    """Ids in portions whose filters stay below the length that proxies permit."""
    rest = list(ids)
    start = 0
    while start < len(rest):
        portion = rest[start : start + most]
        if not _short(portion):
            portion = portion[: _fitting(portion)]
        yield portion
        start += len(portion)


def plain(ids: Sequence[str]) -> bool:
    """Whether ids stand in an address as they are, as UUIDs do."""
    return not "".join(ids).encode("utf-8", "replace").translate(None, _PLAIN)


def _short(ids: Sequence[str]) -> bool:
    """Whether ids fit for sure, without quoting them one by one."""
    return sum(map(len, ids)) + _BETWEEN * len(ids) <= _LONGEST and plain(ids)


def _fitting(ids: Sequence[str]) -> int:
    """How many of the ids fit, at least one."""
    length = 0
    for count, one in enumerate(ids):
        length += len(quote(f'"{one}",', safe=""))
        if count and length > _LONGEST:
            return count
    return len(ids)
