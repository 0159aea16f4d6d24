"""A run as the manager's execution object (wire/cloudify.md 3.1)."""

from collections.abc import Callable, Iterable
from datetime import datetime

from aioruns.local.cloudify.naming import ADMIN, TENANT, groups_of, shown_id
from aioruns.local.cloudify.queries import Columns, moment, stamp
from aioruns.local.cloudify.statuses import ENDED, displayed, status_of
from aioruns.local.records import Json, RunRecord, State


def detail(name: str, default: Json = None) -> Callable[[RunRecord], Json]:
    """Read one entry of a run's detail."""
    return lambda record: record.detail.get(name, default)


def created_at(record: RunRecord) -> datetime:
    """When the execution was created, or was said to be."""
    return _told(record, "created_at") or record.created


def started_at(record: RunRecord) -> datetime | None:
    """When the worker started last; a resume keeps it until the next start."""
    if "started_at" in record.detail:
        return _told(record, "started_at")
    starts = [when for when, state in record.history if state is State.RUNNING]
    return starts[-1] if starts else None


def ended_at(record: RunRecord) -> datetime | None:
    """When the execution ended; null again after a resume."""
    if status_of(record) not in ENDED:
        return None
    if "ended_at" in record.detail:
        return _told(record, "ended_at")
    return record.ended


def error(record: RunRecord) -> str | None:
    """Null until a worker or a cancel wrote one; empty when all went well."""
    if "error" in record.detail:
        text: str | None = record.detail["error"]
        return text
    if record.state is State.QUEUED and not record.canceling:
        return None
    return record.error


def creator(record: RunRecord) -> str:
    """The user that the execution belongs to."""
    return str(record.detail.get("created_by", ADMIN))


def _told(record: RunRecord, name: str) -> datetime | None:
    text = record.detail.get(name)
    return None if text is None else moment(text)


FIELDS: Columns[RunRecord] = {
    "created_at": created_at,
    "visibility": lambda _: "tenant",
    "id": shown_id,
    "ended_at": ended_at,
    "error": error,
    "is_system_workflow": detail("is_system_workflow", False),
    "parameters_p": lambda _: None,
    "parameters": detail("parameters"),
    "status": status_of,
    "workflow_id": detail("workflow_id"),
    "started_at": started_at,
    "scheduled_for": lambda _: None,
    "is_dry_run": detail("is_dry_run", False),
    "resume": detail("resume", False),
    "total_operations": lambda _: 0,
    "finished_operations": lambda _: 0,
    "allow_custom_parameters": detail("allow_custom_parameters", False),
    "blueprint_id": detail("blueprint_id"),
    "deployment_display_name": lambda record: record.scope or None,
    "deployment_id": lambda record: record.scope or None,
    "status_display": lambda record: displayed(status_of(record)),
    "tenant_name": lambda _: TENANT,
    "created_by": creator,
    "resource_availability": lambda _: "tenant",
    "private_resource": lambda _: False,
}

GROUP = "execution_group_id"
FILTERS: Columns[RunRecord] = {**FIELDS, GROUP: lambda r: list(groups_of(r))}
"""What lists can be filtered and sorted by."""


def execution(
    record: RunRecord, fields: Iterable[str] = tuple(FIELDS)
) -> dict[str, Json]:
    """The execution object, or those of its fields that were asked for."""
    values = {name: FIELDS[name](record) for name in fields}
    return {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def answered(record: RunRecord, status: str) -> dict[str, Json]:
    """The execution as the request left it.

    The programs may be further already; the manager's answer to a start or a cancel is
    always the moment before.
    """
    body = execution(record)
    body |= {"status": status, "status_display": displayed(status)}
    if status not in ENDED:
        body["ended_at"] = None
    restored = "status" in record.detail
    if status in {"pending", "queued"} and not body["resume"] and not restored:
        body |= {"started_at": None, "error": None}
    return body
