"""Execution schedules (wire/cloudify.md 2.5)."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.cloudify.models.answers import Answer


@frozen
class ExecutionSchedule(Answer):
    """When a workflow of a deployment is to be executed.

    It does not tell the ids of the executions that it starts.

    Attributes:
        id: Its id, unique within its deployment.
        deployment_id: The deployment.
        workflow_id: The workflow.
        parameters: Parameters of the executions.
        execution_arguments: Flags of the executions, such as `force`.
        created_at: When it was created.
        created_by: The user's name.
        next_occurrence: When it starts an execution next; None if it never will.
        since: The earliest time.
        until: The latest time, if there is one.
        rule: How it repeats.
        slip: Minutes by which a start may be late.
        stop_on_fail: Whether a failed execution is the last one.
        enabled: Whether it starts executions.
        latest_execution_status: How its last execution stands.
        deployment_display_name: The deployment's name for people.
        blueprint_id: The deployment's blueprint.
        tenant_name: The tenant that it belongs to.
        visibility: `private`, `tenant` or `global`.
        resource_availability: The same; deprecated by the manager.
        private_resource: Whether it is private; deprecated by the manager.
        raw: The object as it came.
    """

    id: str
    deployment_id: str | None = None
    workflow_id: str | None = None
    parameters: Json = field(factory=dict, repr=False)
    execution_arguments: Json = field(factory=dict, repr=False)
    created_at: datetime | None = None
    created_by: str | None = None
    next_occurrence: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    rule: Json = field(factory=dict)
    slip: int | None = None
    stop_on_fail: bool | None = None
    enabled: bool | None = None
    latest_execution_status: str | None = None
    deployment_display_name: str | None = None
    blueprint_id: str | None = None
    tenant_name: str | None = None
    visibility: str | None = None
    resource_availability: str | None = None
    private_resource: bool = False
