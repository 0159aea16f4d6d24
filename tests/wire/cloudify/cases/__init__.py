"""All calls, by resource."""

from tests.wire.cloudify.case import Case
from tests.wire.cloudify.cases import (
    connecting,
    events,
    executions,
    groups,
    schedules,
)

RESOURCES: dict[str, list[Case]] = {
    "executions": executions.CASES,
    "groups": groups.CASES,
    "events": events.CASES,
    "schedules": schedules.CASES,
    "connecting": connecting.CASES,
}
