"""Lists of things that are few enough to be looked at one by one."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from aiohttp import web
from multidict import MultiMapping

from aioruns.local.cloudify.answers import bad, page
from aioruns.local.cloudify.queries import (
    Columns,
    Order,
    Row,
    arrange,
    boolean,
    included,
    known,
    moment,
    orders,
    stamp,
    truth,
    window,
)
from aioruns.local.records import Json

PAGE = 1000
"""Rows a page without `_size`; a setting of the manager."""


def listed(
    rows: Iterable[Row],
    query: MultiMapping[str],
    columns: Columns[Row],
    kind: str,
    *,
    filters: Collection[str] | None = None,
    hidden: Collection[str] = (),
) -> web.Response:
    """One page of a list, as its query string says (wire/cloudify.md 2.2).

    Args:
        rows: All rows, oldest first.
        query: The query string.
        columns: The fields of the answer.
        kind: Its name, for messages.
        filters: What rows can be filtered by; None for all columns.
        hidden: Fields that are null in this answer.
    """
    fields = known(included(query), columns, kind)
    boolean(query, "_all_tenants")
    tests = [
        _test(name, query.getall(name), columns, filters or columns)
        for name in dict.fromkeys(query)
        if not name.startswith("_")
    ]
    chosen = [row for row in rows if all(test(row) for test in tests)]
    order = orders(query, columns)
    if "created_at" in columns:
        order.append(Order("created_at", down=False))
    arrange(chosen, order, columns)
    asked = window(query, default=PAGE)
    return page(
        [fields_of(row, columns, fields, hidden) for row in asked.cut(chosen)],
        total=len(chosen),
        size=PAGE if asked.everything else asked.size,
        offset=asked.offset,
    )


def fields_of(
    row: Row,
    columns: Columns[Row],
    fields: Iterable[str] = (),
    hidden: Collection[str] = (),
) -> dict[str, Json]:
    """Some fields of a row, or all; those that are hidden are null."""
    return {
        name: None if name in hidden else _shown(columns[name](row))
        for name in fields or columns
    }


def _shown(value: Json) -> Json:
    return stamp(value) if isinstance(value, datetime) else value


def _test(
    name: str, texts: list[str], columns: Columns[Row], allowed: Collection[str]
) -> Callable[[Row], bool]:
    if name not in allowed:
        raise bad(
            f"Cannot filter by `{name}`: allowed are {', '.join(sorted(allowed))}"
        )
    read = columns[name]
    return lambda row: any(_equal(read(row), text, name) for text in texts)


def _equal(value: Json, text: str, name: str) -> bool:
    if isinstance(value, bool):
        return value == truth(text, name)
    if isinstance(value, datetime):
        try:
            return value == moment(text)
        except ValueError:
            raise bad(f"`{text}` is not a date") from None
    return value is not None and str(value) == text
