"""Execution groups (wire/cloudify.md 3.3)."""

from datetime import datetime

from attrs import frozen

from aioruns.platforms.cloudify.models.answers import Answer


@frozen
class ExecutionGroup(Answer):
    """Executions of one workflow in all deployments of a deployment group.

    Attributes:
        id: Its id.
        execution_ids: Ids of its executions. None in "light" answers: in lists without
            `_get_data=True`, and after every action and change.
        status: Where it stands, derived from its executions; None in light answers and
            while it has no executions. A group that has ended never reads `cancelled`:
            count its executions instead.
        deployment_group_id: The deployment group that it was started from.
        workflow_id: The workflow that its executions run.
        concurrency: Executions that run at once; 0 is paused.
        created_at: When it was created, to the millisecond.
        created_by: The user's name.
        tenant_name: The tenant that it belongs to.
        visibility: `private`, `tenant` or `global`.
        resource_availability: The same; deprecated by the manager.
        private_resource: Whether it is private; deprecated by the manager.
        raw: The object as it came.
    """

    id: str
    execution_ids: tuple[str, ...] | None = None
    status: str | None = None
    deployment_group_id: str | None = None
    workflow_id: str | None = None
    concurrency: int | None = None
    created_at: datetime | None = None
    created_by: str | None = None
    tenant_name: str | None = None
    visibility: str | None = None
    resource_availability: str | None = None
    private_resource: bool = False
