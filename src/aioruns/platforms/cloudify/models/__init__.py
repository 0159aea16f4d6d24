"""What a Cloudify Manager answers (wire/cloudify.md 3)."""

from aioruns.platforms.cloudify.models.events import Event, EventItem
from aioruns.platforms.cloudify.models.executions import (
    Execution,
    ExecutionMark,
    ExecutionState,
    ScheduledExecution,
    Started,
    StatusCount,
)
from aioruns.platforms.cloudify.models.groups import ExecutionGroup
from aioruns.platforms.cloudify.models.lists import (
    ListResponse,
    Metadata,
    Pagination,
)
from aioruns.platforms.cloudify.models.schedules import ExecutionSchedule

__all__ = [
    "Event",
    "EventItem",
    "Execution",
    "ExecutionGroup",
    "ExecutionMark",
    "ExecutionSchedule",
    "ExecutionState",
    "ListResponse",
    "Metadata",
    "Pagination",
    "ScheduledExecution",
    "Started",
    "StatusCount",
]
