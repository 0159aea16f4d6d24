"""Execution schedules and counters (wire/cloudify.md 2.5, 2.9)."""

from typing import Any

from tests.wire.cloudify.case import Answer, Case, fails, ok, page
from tests.wire.cloudify.cases import shapes

SAME = ok(shapes.schedule())
MADE = ok(shapes.schedule(), 201)


def _case(operation: str, name: str, arguments: str, *answers: Answer, **more: Any):
    return Case(f"execution_schedules.{operation}", name, arguments, answers, **more)


def _counts(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    return Case("summary.executions.get", name, arguments, answers, **more)


CASES = [
    _case(
        "create",
        "plain",
        '"nightly", "web-1", "heal", since="2030-01-01T00:00:00", count=1',
        MADE,
    ),
    _case(
        "create",
        "times",
        '"nightly", "web-1", "heal", since=datetime(2030, 1, 1), '
        'until=datetime(2030, 2, 1, 3, 4, 5), recurrence="1 day"',
        MADE,
    ),
    _case(
        "create",
        "everything",
        '"n", "d", "w", {"force": True}, {"a": 1}, "2030-01-01T00:00:00", '
        '"2030-02-01T00:00:00", "1 day", 3, ["su", "mo"], None, 5, True, "other", '
        '"2024-05-01T10:00:00", False',
        MADE,
    ),
    _case(
        "create",
        "rrule",
        '"n", "d", "w", since="2030-01-01T00:00:00", rrule="RRULE:FREQ=DAILY"',
        MADE,
    ),
    _case("create", "without-since", '"n", "d", "w"', official_fails=True),
    _case("create", "odd-id", '"a b/c", "d e", "w", since="2030-01-01T00:00:00"', MADE),
    _case(
        "create",
        "exists",
        '"n", "d", "w", since="2030-01-01T00:00:00"',
        fails(409, "conflict_error"),
    ),
    _case("update", "plain", '"nightly", "web-1", enabled=False', MADE),
    _case(
        "update",
        "everything",
        '"n", "d", datetime(2030, 1, 1), datetime(2030, 2, 1), "2 days", 4, '
        '["tu"], "RRULE:X", 6, True, True, "other"',
        MADE,
    ),
    _case(
        "update",
        "time-as-text",
        '"n", "d", since="2030-01-01T00:00:00"',
        MADE,
        official_fails=True,
    ),
    _case("update", "missing", '"n", "d"', fails(404, "not_found_error")),
    _case("delete", "plain", '"nightly", "web-1"', Answer(204)),
    _case(
        "delete",
        "missing",
        'schedule_id="n", deployment_id="d"',
        fails(404, "not_found_error"),
    ),
    _case("list", "plain", "", page(shapes.schedule())),
    _case(
        "list",
        "everything",
        '["id"], "id", True, deployment_id="d", enabled=True, _size=3',
        page({"id": "nightly"}),
    ),
    _case("list", "sorted", 'sort="id"', page()),
    _case("get", "plain", '"nightly", "web-1"', SAME),
    _case(
        "get",
        "include",
        'schedule_id="n", deployment_id="d", _include=["id"]',
        ok({"id": "n"}),
    ),
    _case(
        "get", "nulls", '"n", "d"', ok(dict.fromkeys(shapes.schedule()) | {"id": "n"})
    ),
    _case("get", "missing", '"n", "d"', fails(404, "not_found_error")),
    _case(
        "dump",
        "one-page",
        "",
        page(shapes.schedule(), shapes.schedule(deployment_id="web-2")),
    ),
    _case(
        "dump",
        "chosen",
        '["nightly"]',
        page(shapes.schedule(), shapes.schedule(id="weekly")),
    ),
    _case("restore", "one", "copies(DUMPED_SCHEDULES), LOGGER", MADE),
    _case(
        "restore",
        "refused",
        "copies(DUMPED_SCHEDULES), LOGGER",
        fails(409, "conflict_error"),
    ),
    _counts("plain", '"status"', page({"status": "pending", "executions": 4})),
    _counts(
        "sub-field",
        '_target_field="status", _sub_field="workflow_id"',
        page(
            {
                "status": "pending",
                "executions": 1,
                "by workflow_id": [
                    {"status": "pending", "workflow_id": "w", "executions": 1}
                ],
            }
        ),
    ),
    _counts(
        "filters",
        '"status", execution_group_id="g-1", deployment_id="web-1", is_dry_run=False',
        page(),
    ),
    _counts("unknown-field", '"colour"', fails(400, "bad_parameters_error")),
]
