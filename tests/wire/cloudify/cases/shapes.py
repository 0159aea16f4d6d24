"""Things that a manager answers, with all of their keys (wire/cloudify.md 3)."""

from typing import Any

CREATED = "2024-05-01T10:00:00.123Z"
STARTED = "2024-05-01T10:00:01.004Z"
ENDED = "2024-05-01T10:00:02.900Z"


def execution(**more: Any) -> dict[str, Any]:
    """An execution that has just been started."""
    return {
        "created_at": CREATED,
        "visibility": "tenant",
        "id": "e-1",
        "ended_at": None,
        "error": None,
        "is_system_workflow": False,
        "parameters_p": None,
        "parameters": {"delta": 2, "deep": {"a": [1, None]}},
        "status": "pending",
        "workflow_id": "scale",
        "started_at": None,
        "scheduled_for": None,
        "is_dry_run": False,
        "resume": False,
        "total_operations": 0,
        "finished_operations": 0,
        "allow_custom_parameters": True,
        "blueprint_id": "web",
        "deployment_display_name": "Web 1",
        "deployment_id": "web-1",
        "status_display": "pending",
        "tenant_name": "default_tenant",
        "created_by": "user",
        "resource_availability": "tenant",
        "private_resource": False,
    } | more


ENDED_EXECUTION = execution(
    id="e-2",
    status="terminated",
    status_display="completed",
    started_at=STARTED,
    ended_at=ENDED,
    error="",
    total_operations=12,
    finished_operations=12,
    unknown_key={"of": "later"},
)
SYSTEM_EXECUTION = execution(
    id="e-3",
    deployment_id=None,
    deployment_display_name=None,
    blueprint_id=None,
    workflow_id="create_snapshot",
    is_system_workflow=True,
    parameters=None,
    total_operations=None,
)
SCHEDULED_ANSWER = dict.fromkeys(execution()) | {"status": "scheduled"}


def group(**more: Any) -> dict[str, Any]:
    """A full execution group."""
    return {
        "id": "g-1",
        "workflow_id": "install",
        "concurrency": 2,
        "deployment_group_id": "fleet",
        "status": "queued",
        "execution_ids": ["e-10", "e-11"],
        "created_at": CREATED,
        "created_by": "user",
        "tenant_name": "default_tenant",
        "visibility": "tenant",
        "resource_availability": "tenant",
        "private_resource": False,
    } | more


LIGHT_GROUP = group(execution_ids=None, status=None)


def event(**more: Any) -> dict[str, Any]:
    """An event."""
    return {
        "_storage_id": 91,
        "type": "cloudify_event",
        "timestamp": CREATED,
        "reported_timestamp": STARTED,
        "message": "'scale' workflow execution started",
        "event_type": "workflow_started",
        "operation": None,
        "execution_id": "e-1",
        "execution_group_id": None,
        "workflow_id": "scale",
        "deployment_id": "web-1",
        "deployment_display_name": "Web 1",
        "blueprint_id": "web",
        "error_causes": None,
        "source_id": None,
        "target_id": None,
        "node_instance_id": None,
        "node_name": None,
        "manager_name": "m1",
        "agent_name": None,
    } | more


LOG = {name: value for name, value in event().items() if name != "event_type"} | {
    "type": "cloudify_log",
    "level": "info",
    "logger": "ctx.a1",
    "message": "x",
}


def schedule(**more: Any) -> dict[str, Any]:
    """An execution schedule."""
    return {
        "id": "nightly",
        "deployment_id": "web-1",
        "workflow_id": "heal",
        "parameters": {"a": 1},
        "execution_arguments": {"force": True},
        "created_at": CREATED,
        "created_by": "user",
        "next_occurrence": "2024-05-02T01:00:00.000Z",
        "since": "2024-05-01T01:00:00.000Z",
        "until": None,
        "rule": {"recurrence": "1 day", "count": 3},
        "slip": 5,
        "stop_on_fail": False,
        "enabled": True,
        "latest_execution_status": None,
        "deployment_display_name": "Web 1",
        "blueprint_id": "web",
        "tenant_name": "default_tenant",
        "visibility": "tenant",
        "resource_availability": "tenant",
        "private_resource": False,
    } | more
