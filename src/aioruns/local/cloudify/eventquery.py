"""What `GET /events` may be asked (wire/cloudify.md 2.8)."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import frozen
from multidict import MultiMapping

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.naming import GROUPS, shown_id
from aioruns.local.cloudify.queries import (
    Order,
    Window,
    boolean,
    included,
    moment,
    orders,
    window,
)
from aioruns.local.cloudify.rows import COLUMNS, EVENTS, LOGS, Row
from aioruns.local.records import RunRecord

_PAGE = 10_000
_TIMES = frozenset({"timestamp", "reported_timestamp"})
_ANY_OF = frozenset({"event_type", "level", "node_id", "node_instance_id"})
_OF_RUN = frozenset(
    {"execution_id", "execution_group_id", "deployment_id", "blueprint_id"}
)
_LIKE = {"message": "message", "message.text": "message", "operation": "operation"}
_CONTROLS = frozenset(
    {"_sort", "_size", "_offset", "_include", "_range", "_get_all_results"}
    # has no effect: only the current tenant is shown
    | {"_all_tenants"}
)
_KNOWN = _ANY_OF | _OF_RUN | _LIKE.keys() | _CONTROLS | {"type"}

Test = Callable[[Row], bool]


@frozen
class EventQuery:
    """One checked query."""

    types: frozenset[str]
    runs: dict[str, frozenset[str]]
    tests: tuple[Test, ...]
    order: tuple[Order, ...]
    window: Window
    fields: tuple[str, ...]
    since: datetime | None
    """Nothing that was reported before is wanted."""

    @property
    def plain(self) -> bool:
        """Whether a page of it is a page of lines: all, in the order of arrival."""
        first = self.order[0]
        return (
            not self.tests
            and first == Order("reported_timestamp", down=False)
            and not self.window.everything
        )

    def wants(self, record: RunRecord) -> bool:
        """Whether the events of this run or group can be among the answer."""
        group = record.platform == GROUPS
        values = {
            "execution_id": None if group else shown_id(record),
            "execution_group_id": record.id if group else None,
            "deployment_id": None if group else record.scope,
            "blueprint_id": None if group else record.detail["blueprint_id"],
        }
        return all(values[name] in wanted for name, wanted in self.runs.items())

    def passes(self, row: Row) -> bool:
        """Whether a row of such a run is among the answer."""
        return all(test(row) for test in self.tests)


def read(query: MultiMapping[str]) -> EventQuery:
    """Check a query string."""
    for name in query:
        if name not in _KNOWN:
            raise bad(
                f"Unknown parameter `{name}`; known are {', '.join(sorted(_KNOWN))}"
            )
    boolean(query, "_all_tenants")
    tests = [_any_of(name, query.getall(name)) for name in _ANY_OF if name in query]
    for name, column in _LIKE.items():
        tests += [_like(column, pattern) for pattern in query.getall(name, [])]
    tests += range_tests(query)
    runs = {name: frozenset(query.getall(name)) for name in _OF_RUN if name in query}
    sorts = orders(query, COLUMNS, prefix="@")
    down = bool(sorts) and sorts[-1].down
    return EventQuery(
        types=_types(query),
        runs=runs,
        tests=tuple(tests),
        order=(*sorts, Order("timestamp", down), Order("_storage_id", down)),
        window=window(query, default=_PAGE),
        fields=tuple(included(query)),
        since=_ranges(query).get("reported_timestamp", (None, None))[0],
    )


def range_tests(query: MultiMapping[str]) -> list[Test]:
    """What every `_range` asks of a row."""
    return [_range(name, *bounds) for name, bounds in _ranges(query).items()]


def _types(query: MultiMapping[str]) -> frozenset[str]:
    types = frozenset(query.getall("type", [EVENTS, LOGS]))
    if "event_type" in query:
        types -= {LOGS}
    if "level" in query:
        types -= {EVENTS}
    return types


def _any_of(name: str, values: Sequence[str]) -> Test:
    wanted = frozenset(values)
    read = COLUMNS["node_name" if name == "node_id" else name]
    return lambda row: read(row) in wanted


def _like(column: str, pattern: str) -> Test:
    parts = {"%": ".*", "_": "."}
    matcher = re.compile(
        "".join(parts.get(sign) or re.escape(sign) for sign in pattern),
        re.IGNORECASE | re.DOTALL,
    )
    read = COLUMNS[column]
    return lambda row: matcher.fullmatch(read(row) or "") is not None


Bounds = tuple[datetime | None, datetime | None]


def _ranges(query: MultiMapping[str]) -> dict[str, Bounds]:
    found: dict[str, Bounds] = {}
    for text in query.getall("_range", []):
        parts = text.split(",")
        if len(parts) != 3 or not (parts[1] or parts[2]):
            raise bad(
                f"Range `{text}` must be field,from,to where from or to may be empty",
                bare=True,
            )
        field = parts[0].removeprefix("@")
        if field not in COLUMNS:
            raise bad(f"Unknown range field `{parts[0]}`", bare=True)
        if field not in _TIMES:
            raise Refusal(
                500, "internal_server_error", f"`{field}` is not a field of dates"
            )
        # a second range of the same field replaces the first
        found[field] = (_bound(parts[1]), _bound(parts[2]))
    return found


def _range(field: str, since: datetime | None, until: datetime | None) -> Test:
    read = COLUMNS[field]

    def test(row: Row) -> bool:
        when = read(row)
        return (since is None or when >= since) and (until is None or when < until)

    return test


def _bound(text: str) -> datetime | None:
    try:
        return moment(text) if text else None
    except ValueError:
        raise bad(f"`{text}` in `_range` is no date", bare=True) from None
