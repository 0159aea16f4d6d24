"""What the query strings of lists have in common (wire/cloudify.md 2.2, 2.8)."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from attrs import frozen
from multidict import MultiMapping

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.records import Json

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], Json]]
"""How to read each column of a row."""


@frozen
class Window:
    """Which rows of a list were asked for."""

    size: int
    offset: int
    everything: bool = False

    def cut(self, rows: Sequence[Row]) -> list[Row]:
        """The rows of this page."""
        if self.everything:
            return list(rows)
        return list(rows[self.offset : self.offset + self.size])


def window(query: MultiMapping[str], *, default: int) -> Window:
    """Read `_size`, `_offset` and `_get_all_results`; nothing is clamped."""
    return Window(
        size=_natural(query, "_size", default),
        offset=_natural(query, "_offset", 0),
        everything=boolean(query, "_get_all_results"),
    )


def boolean(query: MultiMapping[str], name: str) -> bool:
    """A query value that is `true` or `false` in any letter case; absent is false."""
    text = query.get(name)
    return False if text is None else truth(text, name)


def truth(text: str, name: str) -> bool:
    """Read a boolean that was written as text."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
    raise bad(f"The value of `{name}` must be true or false, not `{text}`")


def _natural(query: MultiMapping[str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]+", text):
        raise bad(f"`{name}` must be an integer >= 0, not `{text}`", bare=True)
    return int(text)


def included(query: MultiMapping[str]) -> list[str]:
    """The names in the first `_include`; none means all fields."""
    return [name for name in query.get("_include", "").split(",") if name]


def known(names: Sequence[str], allowed: Collection[str], kind: str) -> list[str]:
    """Refuse an `_include` that names what the kind does not have."""
    for name in names:
        if name not in allowed:
            raise Refusal(
                400,
                "no_such_include_field_error",
                f"Field `{name}` does not exist in `{kind}`; fields are: "
                + ", ".join(sorted(allowed)),
            )
    return list(names) or list(allowed)


@frozen
class Order:
    """One `_sort`: a column and a direction."""

    column: str
    down: bool


def orders(
    query: MultiMapping[str], columns: Collection[str], *, prefix: str = ""
) -> list[Order]:
    """Read every `_sort`, the most significant first.

    Args:
        query: The query string.
        columns: What can be sorted by.
        prefix: Ignored at the start of a name.
    """
    found = []
    for text in query.getall("_sort", []):
        name = text[1:] if text[:1] in {"-", "+"} else text
        name = name.removeprefix(prefix)
        if name not in columns:
            raise bad(f"Cannot sort by `{text}`: there is no such field", bare=True)
        found.append(Order(name, down=text.startswith("-")))
    return found


def arrange(rows: list[Row], by: Sequence[Order], columns: Columns[Row]) -> None:
    """Sort in place; as in the manager's database, null is greater than any value."""
    for order in reversed(by):
        read = columns[order.column]

        def key(row: Row, read: Callable[[Row], Json] = read) -> tuple[bool, Json]:
            value = read(row)
            if isinstance(value, dict | list):
                value = str(value)
            return value is None, value

        rows.sort(key=key, reverse=order.down)


# wire/cloudify.md 2.7: a UTC offset is refused, and so is a `Z` without a fraction.
_PLAIN_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?|T\d\d:\d\d:\d\d\.\d{1,6}Z)?"
)


def plain_date(text: Json, name: str) -> datetime:
    """A date in one of the few forms that bodies may use; it is UTC."""
    if not isinstance(text, str) or not _PLAIN_DATE.fullmatch(text):
        raise bad(
            f"`{name}` must be a UTC date such as 2024-05-01, 2024-05-01T10:00:00 "
            "or 2024-05-01T10:00:00.000000Z"
        )
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        raise bad(f"`{name}` is no date: {text}") from None


def moment(text: str) -> datetime:
    """A date text in UTC; without a zone it is UTC already.

    Raises:
        ValueError: The text is no date.
    """
    when = datetime.fromisoformat(text.strip())
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def stamp(when: datetime | None) -> str | None:
    """Microseconds are kept and milliseconds shown: cut, not rounded."""
    if when is None:
        return None
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"
