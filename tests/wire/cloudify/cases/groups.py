"""Execution groups (wire/cloudify.md 2.6)."""

from typing import Any

from tests.wire.cloudify.case import Answer, Case, fails, ok, page
from tests.wire.cloudify.cases import shapes

FULL = ok(shapes.group())
LIGHT = ok(shapes.LIGHT_GROUP)


def _case(operation: str, name: str, arguments: str, *answers: Answer, **more: Any):
    return Case(f"execution_groups.{operation}", name, arguments, answers, **more)


CASES = [
    _case("list", "plain", "", page(shapes.LIGHT_GROUP)),
    _case("list", "empty", "", page()),
    _case("list", "full", "_get_data=True", page(shapes.group())),
    _case(
        "list",
        "include",
        '_include=["id", "workflow_id"]',
        page({"id": "g", "workflow_id": "w"}),
    ),
    _case(
        "list",
        "filters",
        '["id"], workflow_id=["a", "b"], deployment_group_id="fleet", '
        'concurrency=2, _sort="-created_at", _size=5, _offset=1',
        page({"id": "g"}, offset=1),
    ),
    _case("list", "status", 'status="started"', fails(400, "bad_parameters_error")),
    _case("get", "plain", '"g-1"', FULL),
    _case(
        "get",
        "include",
        'execution_group_id="g-1", _include=["id", "status"]',
        ok({"id": "g-1", "status": "failed"}),
    ),
    _case(
        "get",
        "without-executions",
        '"g-1"',
        ok(shapes.group(execution_ids=[], status=None)),
    ),
    _case("get", "odd-id", '"a b/c"', FULL),
    _case("get", "missing", '"g-9"', fails(404, "not_found_error")),
    _case("start", "plain", '"fleet", "install"', FULL),
    _case(
        "start",
        "positional",
        '"fleet", "install", True, {"a": 1}, {"web-1": {"x": 1}}, 20',
        FULL,
    ),
    _case(
        "start",
        "by-name",
        'deployment_group_id="fleet", workflow_id="install", force=False, '
        "default_parameters={}, parameters=None, concurrency=0",
        FULL,
    ),
    _case(
        "start",
        "illegal",
        '"fleet", "install"',
        fails(400, "illegal_execution_parameters_error"),
    ),
    _case("start", "unknown", '"fleet", "install"', fails(404, "not_found_error")),
    _case("create", "plain", '"fleet", "install", ["e-1", "e-2"]', FULL),
    _case(
        "create",
        "everything",
        '"fleet", "install", ["e-1"], True, {"a": 1}, {"web-1": {"x": 1}}, 3, '
        '"other", "2024-05-01T10:00:00", "g-7"',
        FULL,
    ),
    _case("create", "without-executions", '"fleet", "install", []'),
    _case(
        "create",
        "exists",
        '"fleet", "install", ["e-1"], id="g-1"',
        fails(409, "conflict_error"),
    ),
    _case(
        "create",
        "forbidden",
        '"fleet", "install", ["e-1"], id="g-1"',
        fails(403, "forbidden_error"),
    ),
    _case("cancel", "plain", '"g-1"', LIGHT),
    _case("cancel", "force", '"g-1", True', LIGHT),
    _case("cancel", "kill", '"g-1", force=True, kill=True', LIGHT),
    _case("cancel", "nothing-active", '"g-1"', fails(404, "not_found_error")),
    _case("cancel", "half", '"g-1"', fails(400, "illegal_action_error")),
    _case("resume", "plain", '"g-1"', LIGHT),
    _case("resume", "force", 'execution_group_id="g-1", force=True', LIGHT),
    _case("set_target_group", "both", '"g-1", "good", "bad"', LIGHT),
    _case("set_target_group", "success", '"g-1", success_group="good"', LIGHT),
    _case("set_target_group", "failed", '"g-1", failed_group="bad"', LIGHT),
    _case("set_target_group", "neither", '"g-1"', LIGHT),
    _case(
        "set_target_group", "missing", '"g-1", "none"', fails(404, "not_found_error")
    ),
    _case("set_concurrency", "more", '"g-1", 7', LIGHT),
    _case("set_concurrency", "pause", '"g-1", concurrency=0', LIGHT),
    _case(
        "set_concurrency", "negative", '"g-1", -1', fails(400, "bad_parameters_error")
    ),
    _case("dump", "one-page", "", page(shapes.group(), shapes.group(id="g-2"))),
    _case(
        "dump",
        "pages",
        "",
        page(shapes.group(), shapes.group(id="g-2"), total=3),
        page(shapes.group(id="g-3"), total=3, offset=2),
        ours=(
            page(shapes.group(), shapes.group(id="g-2"), total=3),
            page(shapes.group(id="g-2"), shapes.group(id="g-3"), total=3, offset=1),
        ),
    ),
    _case("dump", "chosen", '["g-2"]', page(shapes.group(), shapes.group(id="g-2"))),
    _case("restore", "two", "copies(DUMPED_GROUPS), LOGGER", FULL),
    _case(
        "restore",
        "refused",
        "copies(DUMPED_GROUPS), LOGGER",
        fails(409, "conflict_error"),
    ),
]
