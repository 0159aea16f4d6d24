"""Events and logs (wire/cloudify.md 2.8)."""

from typing import Any

from tests.wire.cloudify.case import Answer, Case, fails, ok, page
from tests.wire.cloudify.cases import shapes

ROWS = page(shapes.event(), shapes.LOG)
WRITTEN = Answer(201, None)


def _case(operation: str, name: str, arguments: str, *answers: Answer, **more: Any):
    return Case(f"events.{operation}", name, arguments, answers, **more)


CASES = [
    _case("get", "plain", '"e-1"', ROWS),
    _case(
        "get",
        "everything",
        '"e-1", 40, 20, True',
        page(shapes.LOG, total=99, offset=40),
    ),
    _case(
        "get",
        "by-name",
        'execution_id="e-1", from_event=1, batch_size=5, include_logs=True',
        ROWS,
    ),
    _case("list", "plain", "", ROWS),
    _case("list", "empty", "", page()),
    _case("list", "logs", "True", ROWS),
    _case("list", "execution", 'execution_id="e-1", include_logs=True', ROWS),
    _case(
        "list",
        "executions",
        'execution_id=["e-1", "e-2"], execution_group_id="g"',
        ROWS,
    ),
    _case("list", "message", 'message="%50% done_"', ROWS),
    _case("list", "from", "from_datetime=datetime(2024, 5, 1, 10, 0)", ROWS),
    _case("list", "to-text", 'to_datetime="2024-05-01"', ROWS),
    _case(
        "list",
        "between",
        'False, None, datetime(2024, 5, 1, 10, 0, 0, 1000), "2024-05-02T00:00:00.000Z"',
        ROWS,
    ),
    _case(
        "list",
        "from-with-zone",
        "from_datetime=datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))",
        ROWS,
    ),
    _case(
        "list",
        "two-ranges",
        'from_datetime="2024-05-01", _range=["reported_timestamp,2024-05-01,"]',
        ROWS,
    ),
    _case("list", "range", '_range="reported_timestamp,2024-05-01,"', ROWS),
    _case(
        "list",
        "range-as-text-and-from",
        'from_datetime="2024-05-01", _range="reported_timestamp,2024-05-01,"',
        ROWS,
        official_fails=True,
    ),
    _case(
        "list",
        "include",
        '_include=["_storage_id", "message"]',
        page({"_storage_id": 1, "message": "m"}, {}),
    ),
    _case("list", "sorted", 'sort="-reported_timestamp"', ROWS),
    _case(
        "list",
        "filters",
        'include_logs=True, level=["error", "critical"], event_type="x", '
        'node_id="n", node_instance_id="ni", deployment_id="d", blueprint_id="b", '
        'operation="%create", _size=3, _offset=6',
        ROWS,
    ),
    _case("list", "unknown", 'colour="red"', fails(400, "bad_parameters_error")),
    _case(
        "create",
        "events",
        'events=[{"event_type": "x", "message": {"text": "t"}, "context": {}}], '
        'execution_id="e-1"',
        WRITTEN,
    ),
    _case(
        "create",
        "logs",
        'None, [{"logger": "l", "level": "info", "message": {"text": "t"}, '
        '"context": {"operation": "o"}}], "e-1", "agent", "manager"',
        WRITTEN,
    ),
    _case(
        "create",
        "group",
        'events=[{"event_type": "x", "message": {"text": "t"}, "context": {}, '
        '"timestamp": "2024-05-01T10:00:00"}], execution_group_id="g-1"',
        WRITTEN,
    ),
    _case("create", "nothing", "[], []", Answer(204)),
    _case(
        "create",
        "by-execution-token",
        'logs=[{"logger": "l", "level": "info", "message": {"text": "t"}, '
        '"context": {}}]',
        WRITTEN,
        connect="execution-token",
    ),
    _case(
        "create",
        "both-ids",
        'execution_id="e", execution_group_id="g"',
        fails(409, "conflict_error"),
    ),
    _case(
        "create",
        "without-context",
        'events=[{"event_type": "x", "message": {"text": "t"}}], execution_id="e"',
        fails(500, "internal_server_error"),
    ),
    _case(
        "create",
        "missing",
        'events=[], logs=[], execution_id="e-9"',
        fails(404, "not_found_error"),
    ),
    _case(
        "delete",
        "plain",
        '"web-1"',
        ok(
            {
                "items": [7],
                "metadata": {"pagination": {"total": 7, "size": 0, "offset": 0}},
            }
        ),
    ),
    _case(
        "delete",
        "everything",
        '"web-1", True, "%x%", "2024-05-01", "2024-05-02", "timestamp", '
        'execution_id="e"',
        ok(
            {
                "items": [0],
                "metadata": {"pagination": {"total": 0, "size": 0, "offset": 0}},
            }
        ),
    ),
    _case("delete", "refused", 'deployment_id="web-1"', fails(403, "forbidden_error")),
]
