"""Which executions a query string means."""

from collections.abc import Callable, Iterable
from datetime import datetime

from multidict import MultiMapping

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.defects import Defects
from aioruns.local.cloudify.lineup import is_system
from aioruns.local.cloudify.naming import groups_of
from aioruns.local.cloudify.queries import boolean, moment, truth
from aioruns.local.cloudify.statuses import STATUSES
from aioruns.local.cloudify.views import FILTERS, GROUP
from aioruns.local.records import Json, RunRecord

Test = Callable[[RunRecord], bool]

_BOOLEANS = frozenset(
    {
        "is_system_workflow",
        "is_dry_run",
        "resume",
        "allow_custom_parameters",
        "private_resource",
    }
)
# Never equal to a text in the manager's database.
_OBJECTS = frozenset({"parameters", "parameters_p"})


def selected(
    records: Iterable[RunRecord],
    query: MultiMapping[str],
    defects: Defects,
    *,
    system: bool = False,
) -> list[RunRecord]:
    """The executions that pass every filter.

    Args:
        records: Executions to choose from.
        query: Names that start with an underscore are no filters.
        defects: What the manager does wrong.
        system: Show system workflows without being asked to.
    """
    statuses = set(query.getall("status", []))
    if defects.unknown_status_fails and not statuses <= STATUSES:
        strange = ", ".join(sorted(statuses - STATUSES))
        raise Refusal(500, "internal_server_error", f"LookupError: {strange}")
    tests = [
        _test(name, query.getall(name))
        for name in dict.fromkeys(query)
        if not name.startswith("_")
    ]
    if "_group_id" in query:
        tests.append(_test(GROUP, query.getall("_group_id")))
    for name in ("_all_tenants", "_get_data"):
        boolean(query, name)  # without effect here, and checked all the same
    shown = boolean(query, "_include_system_workflows") or system
    if not shown and "is_system_workflow" not in query:
        tests.append(lambda record: not is_system(record))
    return [record for record in records if all(test(record) for test in tests)]


def _test(name: str, values: list[str]) -> Test:
    if name not in FILTERS:
        raise bad(
            f"Cannot filter by `{name}`: allowed are {', '.join(sorted(FILTERS))}"
        )
    if name == GROUP:
        groups = frozenset(values)
        return lambda record: not groups.isdisjoint(groups_of(record))
    read = FILTERS[name]
    if name in _OBJECTS:
        return lambda _: False
    wanted: set[Json] = {_value(name, text) for text in values}
    return lambda record: read(record) in wanted


def _value(name: str, text: str) -> Json:
    if name in _BOOLEANS:
        return truth(text, name)
    if name.endswith("_operations"):
        return int(text) if text.isdecimal() else None
    if name.endswith("_at"):
        return _moment(text)
    return text


def _moment(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        raise bad(f"`{text}` is not a date") from None
