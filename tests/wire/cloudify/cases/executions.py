"""Executions (wire/cloudify.md 2.1 to 2.4, 2.7)."""

from typing import Any

from tests.wire.cloudify.case import Answer, Case, fails, ok, page
from tests.wire.cloudify.cases import shapes

NEW = ok(shapes.execution(), 201)
SAME = ok(shapes.execution())
BOTH = page(shapes.execution(), shapes.ENDED_EXECUTION)
COUNT = ok({"items": [{"count": 4}], "metadata": {"pagination": {}}})


def _case(operation: str, name: str, arguments: str, *answers: Answer, **more: Any):
    return Case(f"executions.{operation}", name, arguments, answers, **more)


LISTS = [
    _case("list", "plain", "", BOTH),
    _case("list", "empty", "", page()),
    _case("list", "deployment", 'deployment_id="web-1"', BOTH),
    _case(
        "list",
        "include",
        '_include=["id", "status"]',
        page({"id": "e-1", "status": "x"}),
    ),
    _case("list", "include-first", '["id"]', page({"id": "e-1", "status": "x"})),
    _case(
        "list",
        "include-tuple",
        '_include=("status",)',
        page({"id": "e-1", "status": "queued"}),
    ),
    _case(
        "list", "system", "include_system_workflows=True", page(shapes.SYSTEM_EXECUTION)
    ),
    _case("list", "sorted", 'sort="created_at"', BOTH),
    _case("list", "descending", 'sort="created_at", is_descending=True', BOTH),
    _case("list", "descending-without-field", "is_descending=True", BOTH),
    _case("list", "sorts", '_sort=["-created_at", "id"]', BOTH),
    _case(
        "list",
        "page",
        "_size=2, _offset=40",
        page(shapes.execution(), total=99, offset=40),
    ),
    _case("list", "ids", 'id=["e-1", "e 2/ü&+"]', BOTH),
    _case(
        "list",
        "filters",
        'status="failed", workflow_id=["a", "b"], is_dry_run=False, created_by=None',
        BOTH,
    ),
    _case(
        "list",
        "group",
        '_group_id="g-1", _all_tenants=True, _get_all_results=False',
        BOTH,
    ),
    _case(
        "list",
        "everything",
        '["id"], deployment_id="d", include_system_workflows=True, sort="id", '
        'is_descending=True, visibility="tenant", _size=1',
        page({"id": "e", "status": "x"}),
    ),
    _case("list", "unknown-filter", 'colour="red"', fails(400, "bad_parameters_error")),
    _case(
        "list",
        "unknown-status",
        'status="finished"',
        fails(500, "internal_server_error"),
    ),
    _case(
        "list",
        "unknown-field",
        '_include=["colour"]',
        fails(400, "no_such_include_field_error"),
    ),
    _case("list", "forbidden", "", fails(403, "forbidden_error")),
    _case("list", "unauthorized", "", fails(401, "unauthorized_error")),
    _case(
        "list",
        "html",
        "",
        Answer(414, "<html><h1>Request Line is too large</h1></html>"),
    ),
    _case(
        "list",
        "html-as-success",
        "",
        ok("<html>login</html>", Content_Type="text/html"),
        official_fails=True,
    ),
    _case("list", "no-items", "", ok({"metadata": {}}), official_fails=True),
    _case("list", "not-an-object", "", ok([shapes.execution()]), official_fails=True),
    _case(
        "list", "redirected", "", Answer(302, "", {"Location": "/elsewhere"}), page()
    ),
]

READS = [
    _case("get", "plain", '"e-1"', SAME),
    _case("get", "ended", 'execution_id="e-2"', ok(shapes.ENDED_EXECUTION)),
    _case("get", "system", '"e-3"', ok(shapes.SYSTEM_EXECUTION)),
    _case(
        "get",
        "include",
        '"e-1", _include=["id", "error"]',
        ok({"id": "e-1", "error": "x", "status": "y"}),
    ),
    _case(
        "get",
        "include-other",
        '"e-1", ["error"]',
        ok({"id": "e-1", "error": "x", "status": "y"}),
    ),
    _case("get", "odd-id", '"a b/c?d#e"', SAME),
    _case("get", "empty-id", '""', official_fails=True),
    _case("get", "missing", '"e-9"', fails(404, "not_found_error")),
    _case("get", "ambiguous", '"e-1"', fails(409, "ambiguous_name")),
    _case(
        "get",
        "maintenance",
        '"e-1"',
        fails(503, "maintenance_mode_active", server_traceback="NoneType: None"),
        SAME,
        spare=1,
    ),
    _case(
        "get", "error-is-no-object", '"e-1"', Answer(404, ["no"]), official_fails=True
    ),
    _case(
        "get", "error-with-detail", '"e-1"', Answer(404, {"detail": "no such thing"})
    ),
    _case(
        "get",
        "error-without-message",
        '"e-1"',
        fails(403, "forbidden_while_cancelling", message=""),
    ),
    _case("should_start", "yes", '"e-1"', ok(True)),
    _case("should_start", "no", 'execution_id="e-1"', ok(False)),
    _case("should_start", "missing", '"e-1"', fails(404, "not_found_error")),
    _case("should_start", "empty-id", '""', official_fails=True),
    _case("dump", "one-page", "", BOTH),
    _case(
        "dump",
        "pages",
        "",
        page(shapes.execution(), shapes.ENDED_EXECUTION, total=3),
        page(shapes.SYSTEM_EXECUTION, total=3, offset=2),
        ours=(
            page(shapes.execution(), shapes.ENDED_EXECUTION, total=3),
            page(shapes.ENDED_EXECUTION, shapes.SYSTEM_EXECUTION, total=3, offset=1),
        ),
    ),
    _case("dump", "empty", "", page()),
    _case("dump", "chosen", '["e-2"]', BOTH),
    _case(
        "dump",
        "empty-page-before-the-total",
        "",
        page(shapes.execution(), total=3),
        page(total=3, offset=1),
        official_fails=True,
    ),
    _case("dump", "refused", "execution_ids=[]", fails(403, "forbidden_error")),
]

_EVERYTHING = (
    '"web-1", "scale", {"delta": 2}, True, False, True, True, "2030-01-01T00:00:00",'
    ' "queued", "other", "2024-05-01T10:00:00", "2024-05-01T10:00:01",'
    ' "2024-05-01T10:00:02", "e-7", 5, False, "why"'
)

STARTS = [
    *[
        one
        for operation in ("start", "create")
        for one in (
            _case(operation, "plain", '"web-1", "scale"', NEW),
            _case(
                operation,
                "by-name",
                'deployment_id="web-1", workflow_id="scale", parameters={"delta": 2}',
                NEW,
            ),
            _case(
                operation,
                "flags",
                '"web-1", "scale", allow_custom_parameters=True, force=True, '
                "dry_run=True, queue=True",
                NEW,
            ),
            _case(operation, "everything", _EVERYTHING, NEW),
            _case(
                operation,
                "scheduled",
                '"web-1", "scale", schedule="2030-01-01T00:00:00"',
                ok(shapes.SCHEDULED_ANSWER, 201),
            ),
            _case(
                operation,
                "system",
                '"", "create_snapshot", is_system_workflow=True',
                ok(shapes.SYSTEM_EXECUTION, 201),
            ),
            _case(
                operation,
                "own-id",
                '"web-1", "scale", execution_id="mine", wait_after_fail=0',
                NEW,
            ),
            _case(
                operation,
                "empty-parameters",
                '"web-1", "scale", parameters={}, error=""',
                NEW,
            ),
            _case(operation, "unexpected-status", '"web-1", "scale"', SAME),
        )
    ],
    *[
        _case("start", f"refused-{code}", '"web-1", "scale"', fails(status, code))
        for status, code in (
            (400, "existing_running_execution_error"),
            (400, "illegal_execution_parameters_error"),
            (400, "nonexistent_workflow_error"),
            (400, "unavailable_workflow_error"),
            (400, "dependent_exists_error"),
            (400, "deployment_environment_creation_in_progress_error"),
            (400, "deployment_environment_creation_pending_error"),
            (400, "deployment_creation_error"),
            (400, "bad_parameters_error"),
            (400, "missing_cloudify_license"),
            (400, "not_cluster_master"),
            (403, "forbidden_error"),
            (403, "forbidden_while_cancelling"),
            (404, "not_found_error"),
            (405, "plugin_in_use"),
            (409, "conflict_error"),
            (415, "unsupported_content_type_error"),
            (500, "internal_server_error"),
            (503, "entering_maintenance_mode"),
            (503, "maintenance_mode_active"),
        )
    ],
    _case(
        "start",
        "html",
        '"web-1", "scale"',
        Answer(400, "<p>The browser sent a request</p>"),
    ),
    _case("restore", "two", "copies(DUMPED), LOGGER", NEW, NEW),
    _case(
        "restore",
        "one-refused",
        "copies(DUMPED), LOGGER",
        fails(409, "conflict_error"),
        NEW,
    ),
    _case("restore", "none", "[], logger=LOGGER"),
]

CHANGES = [
    _case("update", "plain", '"e-1", "started"', SAME),
    _case("update", "error", '"e-1", status="failed", error="why"', SAME),
    _case("update", "no-error", '"e-1", "terminated", error=""', SAME),
    _case(
        "update",
        "refused",
        '"e-1", "pending"',
        fails(400, "invalid_exception_status_update"),
    ),
    _case("cancel", "plain", '"e-1"', SAME),
    _case("cancel", "force", '"e-1", True', SAME),
    _case("cancel", "kill", '"e-1", kill=True', SAME),
    _case("cancel", "kill-wins", '"e-1", force=True, kill=True', SAME),
    _case("cancel", "again", '"e-1"', fails(400, "illegal_action_error")),
    _case("cancel", "missing", '"e-1"', fails(404, "not_found_error")),
    _case("resume", "plain", '"e-1"', SAME),
    _case("resume", "force", '"e-1", force=True', SAME),
    _case("resume", "refused", '"e-1"', fails(409, "conflict_error")),
    _case("requeue", "plain", '"e-1"', SAME),
    _case(
        "requeue", "refused", 'execution_id="e-1"', fails(400, "illegal_action_error")
    ),
    _case("delete", "all", "", COUNT),
    _case("delete", "keep-last", "keep_last=10, deployment_id='web-1'", COUNT),
    _case("delete", "before", "datetime(2024, 5, 1, 10, 0, 0)", COUNT),
    _case(
        "delete",
        "before-microseconds",
        "to_datetime=datetime(2024, 5, 1, 10, 0, 0, 5)",
        COUNT,
    ),
    _case("delete", "before-day", "to_datetime=date(2024, 5, 1)", COUNT),
    _case(
        "delete",
        "before-with-zone",
        "to_datetime=datetime(2024, 5, 1, 10, tzinfo=timezone(timedelta(hours=2)))",
        COUNT,
    ),
    _case(
        "delete", "filters", 'workflow_id=["a", "b"], is_system_workflow=True', COUNT
    ),
    _case("delete", "keep-none", "keep_last=0", COUNT),
    _case(
        "delete", "both", "datetime(2024, 5, 1), 3", fails(400, "bad_parameters_error")
    ),
    _case("delete", "forbidden", "", fails(403, "forbidden_error")),
]

CASES = [*LISTS, *READS, *STARTS, *CHANGES]
