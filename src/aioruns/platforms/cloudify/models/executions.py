"""Executions of workflows (wire/cloudify.md 3.1, 3.2)."""

from datetime import datetime
from typing import Any, ClassVar

import orjson
from attrs import define, field, frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import Json, converter, parse_time, read_straight
from aioruns.platforms.cloudify.models.answers import Answer


@frozen
class Execution(Answer):
    """An execution of a workflow.

    What `_include` left out, or the manager does not know, has the default; `id` and
    `status` are always asked for.

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

    TERMINATED: ClassVar[str] = "terminated"
    FAILED: ClassVar[str] = "failed"
    CANCELLED: ClassVar[str] = "cancelled"
    PENDING: ClassVar[str] = "pending"
    STARTED: ClassVar[str] = "started"
    CANCELLING: ClassVar[str] = "cancelling"
    FORCE_CANCELLING: ClassVar[str] = "force_cancelling"
    KILL_CANCELLING: ClassVar[str] = "kill_cancelling"
    QUEUED: ClassVar[str] = "queued"
    SCHEDULED: ClassVar[str] = "scheduled"
    END_STATES: ClassVar[tuple[str, ...]] = (TERMINATED, FAILED, CANCELLED)

    id: str
    status: str
    status_display: str | None = None
    workflow_id: str | None = None
    deployment_id: str | None = None
    deployment_display_name: str | None = None
    blueprint_id: str | None = None
    # Parameters may hold passwords of the systems that a workflow sets up.
    parameters: Json = field(factory=dict, repr=False)
    parameters_p: Json | None = field(default=None, repr=False)
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    scheduled_for: datetime | None = None
    created_by: str | None = None
    is_system_workflow: bool = False
    is_dry_run: bool = False
    allow_custom_parameters: bool = False
    resume: bool = False
    total_operations: int = 0
    finished_operations: int = 0
    tenant_name: str | None = None
    visibility: str | None = None
    resource_availability: str | None = None
    private_resource: bool = False

    @property
    def ended(self) -> bool:
        """Whether it has ended, however it did; a resume may change that."""
        return self.status in self.END_STATES


@frozen
class ScheduledExecution(Execution):
    """What a start at a later time answers: almost nothing (wire/cloudify.md 2.5)."""

    id: str = ""
    status: str = "scheduled"


# Not frozen, as below: that would double what it costs.
@define
class Started:
    """What a submission needs of the answer to a start."""

    id: str


class _Answer(Struct, gc=False):
    id: str


_decode_answer = Decoder(_Answer).decode


def _straight_started(body: bytes) -> Started | None:
    # Of all that comes, no objects are made but this.
    try:
        return Started(_decode_answer(body).id)
    except MsgspecError:
        return None


read_straight(Started, _straight_started)


@define
class ExecutionState:
    """The fields of an execution that polling asks for."""

    id: str
    status: str
    error: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


_general = converter.get_structure_hook(ExecutionState)


def _state(value: Any) -> ExecutionState | None:
    """Read the usual shape by hand, since states are read all the time."""
    try:
        get = value.get
        run_id, status, error = value["id"], value["status"], get("error")
        created, started, ended = get("created_at"), get("started_at"), get("ended_at")
        if type(run_id) is type(status) is str and (
            error is None or type(error) is str
        ):
            return ExecutionState(
                run_id,
                status,
                error,
                None if created is None else parse_time(created),
                None if started is None else parse_time(started),
                None if ended is None else parse_time(ended),
            )
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    return None


def _straight_state(body: bytes) -> ExecutionState | None:
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return _state(value)


def _structure_state(value: Any, kind: Any) -> ExecutionState:
    made: ExecutionState = _state(value) or _general(value, kind)
    return made


read_straight(ExecutionState, _straight_state)
converter.register_structure_hook(ExecutionState, _structure_state)


@frozen
class StatusCount:
    """How many executions have a status (wire/cloudify.md 2.9)."""

    status: str
    executions: int


@frozen
class ExecutionMark:
    """The fields of an execution by which a submission is found again."""

    id: str
    workflow_id: str | None = None
    created_at: datetime | None = None
    parameters: Json | None = field(default=None, repr=False)
