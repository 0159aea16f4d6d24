"""The body of `POST /executions`, checked (wire/cloudify.md 2.3)."""

from collections.abc import Mapping
from datetime import datetime

from attrs import Factory, frozen

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.queries import moment, truth
from aioruns.local.cloudify.statuses import STATUSES
from aioruns.local.cloudify.users import (
    SET_EXECUTION,
    SET_OWNER,
    SET_TIMESTAMP,
    Caller,
)
from aioruns.local.records import Json, utcnow

# What a field that only the role `sys_admin` may send asks for.
_PERMISSIONS = {
    "id": SET_EXECUTION,
    "is_system_workflow": SET_EXECUTION,
    "error": SET_EXECUTION,
    "created_by": SET_OWNER,
    "created_at": SET_TIMESTAMP,
    "started_at": SET_TIMESTAMP,
    "ended_at": SET_TIMESTAMP,
}


@frozen
class Wish:
    """What somebody asks to start."""

    deployment_id: str
    workflow_id: str
    parameters: Mapping[str, Json]
    creator: str
    custom: bool = False
    force: bool = False
    dry_run: bool = False
    queue: bool = False
    status: str | None = None
    """Create the execution in this status, and start nothing."""
    id: str | None = None
    system: bool = False
    scheduled: datetime | None = None
    """When to start; None for now."""
    told: Mapping[str, Json] = Factory(dict)
    """What the body claims of an execution that was somewhere else."""


def read(body: Mapping[str, Json], caller: Caller) -> Wish:
    """Check the fields of a body; unknown ones are ignored."""
    parameters = body.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise bad("`parameters` must be an object")
    status = text(body, "force_status")
    if status is not None and status not in STATUSES:
        raise bad(f"`force_status` must be one of {', '.join(sorted(STATUSES))}")
    wait = body.get("wait_after_fail", 600)
    if isinstance(wait, bool) or not isinstance(wait, int):
        raise bad("`wait_after_fail` must be a number of seconds")
    told: dict[str, Json] = {}
    for name in ("created_at", "started_at", "ended_at"):
        given = text(body, name)
        if given is not None:
            told[name] = date(name, given)
    error = text(body, "error")
    if error:
        told["error"] = error
    deployment_id = required(body, "deployment_id")
    wish = Wish(
        deployment_id=deployment_id,
        workflow_id=required(body, "workflow_id"),
        parameters=parameters or {},
        creator=text(body, "created_by") or caller.name,
        custom=flag(body, "allow_custom_parameters"),
        force=flag(body, "force"),
        dry_run=flag(body, "dry_run"),
        queue=flag(body, "queue"),
        status=status,
        id=text(body, "id") or None,
        system=_system(body) or not deployment_id,
        scheduled=_scheduled(body, status),
        told=told,
    )
    for name, permission in _PERMISSIONS.items():
        if body.get(name):
            caller.require(permission, f"`{name}`")
    return wish


def required(body: Mapping[str, Json], name: str) -> str:
    """A text that must be there."""
    if name not in body:
        raise bad(f"Missing {name} in json request body")
    value = body[name]
    if not isinstance(value, str):
        raise bad(f"`{name}` must be a string")
    return value


def text(body: Mapping[str, Json], name: str) -> str | None:
    """A text, or null, or nothing."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad(f"`{name}` must be a string or null")
    return value


def flag(body: Mapping[str, Json], name: str, *, default: bool = False) -> bool:
    """A boolean, or its text; null is refused."""
    value = body.get(name, default)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return truth(value, name)
    raise bad(f"`{name}` must be true or false")


def date(name: str, given: str) -> str:
    """A date in any form, as it is kept."""
    try:
        return moment(given).isoformat()
    except ValueError:
        raise bad(f"`{name}` must be a date, not `{given}`") from None


def _system(body: Mapping[str, Json]) -> bool:
    value = body.get("is_system_workflow")
    if value is not None and not isinstance(value, bool):
        raise bad("`is_system_workflow` must be true, false or null")
    return bool(value)


def _scheduled(body: Mapping[str, Json], status: str | None) -> datetime | None:
    given = text(body, "scheduled_time")
    if given is None:
        return None
    if status is not None:
        raise bad("`scheduled_time` cannot be combined with `force_status`")
    try:
        when = moment(given)
    except ValueError:
        raise Refusal(
            500, "internal_server_error", f"`scheduled_time` is no date: {given}"
        ) from None
    if when <= utcnow():
        raise bad(f"`scheduled_time` is in the past: {given}")
    return when
