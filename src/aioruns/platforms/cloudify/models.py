"""What a Cloudify Manager answers (wire/cloudify.md 3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from attrs import field, frozen

from aioruns.http.codec import Json

T = TypeVar("T")


@frozen
class Execution:
    """An execution of a workflow (wire/cloudify.md 3.1).

    Attributes:
        id: Its id.
        status: The manager's word for where it stands.
        status_display: `completed` for `terminated`, otherwise the status.
        workflow_id: Which workflow it executes.
        deployment_id: Of which deployment; None for a system workflow.
        deployment_display_name: The deployment's name for people.
        blueprint_id: The deployment's blueprint when the execution was created.
        parameters: The workflow's defaults with the parameters given.
        parameters_p: Nothing; the manager still sends it.
        error: Why it failed, often a traceback; empty or None otherwise.
        created_at: When it was created, to the millisecond.
        started_at: When a worker started it last.
        ended_at: When it ended.
        scheduled_for: When it is to start, if it was scheduled.
        created_by: The user's name.
        is_system_workflow: Whether the workflow is the manager's own.
        is_dry_run: Whether it only pretends.
        allow_custom_parameters: Whether undeclared parameters were permitted.
        resume: Whether it was resumed.
        total_operations: Operations in it; 0 when not known.
        finished_operations: Operations that are done.
        tenant_name: The tenant that it belongs to.
        visibility: `private`, `tenant` or `global`.
        resource_availability: The same; deprecated by the manager.
        private_resource: Whether it is private; deprecated by the manager.
        raw: The object as it came.
    """

    id: str
    status: str
    status_display: str | None = None
    workflow_id: str | None = None
    deployment_id: str | None = None
    deployment_display_name: str | None = None
    blueprint_id: str | None = None
    # Parameters may hold passwords of the systems that a workflow sets up.
    parameters: Json | None = field(default=None, repr=False)
    parameters_p: Json | None = field(default=None, repr=False)
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    scheduled_for: datetime | None = None
    created_by: str | None = None
    is_system_workflow: bool | None = None
    is_dry_run: bool | None = None
    allow_custom_parameters: bool | None = None
    resume: bool | None = None
    total_operations: int | None = None
    finished_operations: int | None = None
    tenant_name: str | None = None
    visibility: str | None = None
    resource_availability: str | None = None
    private_resource: bool | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ExecutionState:
    """The fields of an execution that polling asks for."""

    id: str
    status: str
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@frozen
class ExecutionMark:
    """The fields of an execution by which a submission is found again."""

    id: str
    workflow_id: str | None = None
    created_at: datetime | None = None
    parameters: Json | None = field(default=None, repr=False)


@frozen
class EventItem:
    """An event or a log line (wire/cloudify.md 3.5).

    Attributes:
        type: `cloudify_event` or `cloudify_log`; each has ids of its own.
        timestamp: By the clock of who wrote it.
        reported_timestamp: By the manager's clock when it arrived.
        message: The text.
        event_type: What happened, for events.
        logger: What wrote it, for logs.
    """

    _storage_id: int
    type: str
    timestamp: datetime
    reported_timestamp: datetime
    message: str | None = None
    event_type: str | None = None
    logger: str | None = None

    @property
    def storage_id(self) -> int:
        """Its number among those of its type."""
        return self._storage_id


@frozen
class Pagination:
    """Which part of a list a page is."""

    total: int = 0
    size: int = 0
    offset: int = 0


@frozen
class Metadata:
    """What a page says of itself."""

    pagination: Pagination = field(factory=Pagination)


@frozen
class Page(Generic[T]):
    """A page of a list (wire/cloudify.md 4.1)."""

    items: Sequence[T]
    metadata: Metadata = field(factory=Metadata)
