"""What may be asked of lists (wire/cloudify.md 2.2, 2.8)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypedDict, cast

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, encode
from aioruns.http.request import query

Texts = str | Sequence[str]
"""One value, or several of which any may match."""

When = str | datetime
"""A time as text or as a value; without a zone it is UTC."""


class PageOptions(TypedDict, total=False):
    """Which part of a list, in which order.

    `_size` is 1000 unless given, and has no maximum; `_sort` may name several fields,
    each descending with `-` before it.
    """

    _size: int
    _offset: int
    _sort: Texts


class ListOptions(PageOptions, total=False):
    """What lists of resources understand besides."""

    _all_tenants: bool
    _get_all_results: bool
    _get_data: bool


class ExecutionFilters(ListOptions, total=False):
    """Fields that executions are filtered by: any of several values, all of fields."""

    id: Texts
    status: Texts
    status_display: Texts
    workflow_id: Texts
    deployment_display_name: Texts
    blueprint_id: Texts
    execution_group_id: Texts
    created_by: Texts
    is_system_workflow: bool
    is_dry_run: bool
    allow_custom_parameters: bool
    resume: bool
    total_operations: int
    finished_operations: int
    tenant_name: Texts
    visibility: Texts
    _group_id: Texts


class ExecutionGroupFilters(ListOptions, total=False):
    """Fields that execution groups are filtered by; `status` is not among them."""

    id: Texts
    workflow_id: Texts
    deployment_group_id: Texts
    concurrency: int
    created_by: Texts
    tenant_name: Texts
    visibility: Texts


class ScheduleFilters(ListOptions, total=False):
    """Fields that execution schedules are filtered by."""

    id: Texts
    deployment_id: Texts
    workflow_id: Texts
    enabled: bool
    created_by: Texts
    tenant_name: Texts
    visibility: Texts


class EventFilters(PageOptions, total=False):
    """What events and logs are filtered by.

    `message` and `operation` are SQL patterns without regard to case: `%` stands for
    any text. `event_type` leaves out logs, and `level` leaves out events.
    """

    execution_id: Texts
    execution_group_id: Texts
    blueprint_id: Texts
    node_id: Texts
    node_instance_id: Texts
    event_type: Texts
    level: Texts
    operation: Texts
    _range: Texts


class ExecutionEventFilters(EventFilters, total=False):
    """The filters of events where the deployment is one of them."""

    deployment_id: Texts


def pairs(values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Make query pairs: None is left out, and several values repeat their key."""
    return query(
        {
            name: _text(value)
            if isinstance(value, str) or not isinstance(value, Iterable)
            else [cast("str", _text(item)) for item in value]
            for name, value in values.items()
        }
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return time_text(value) if isinstance(value, datetime) else str(value)


def included(fields: Iterable[str] | None, *always: str) -> str | None:
    """The value of `_include`; no fields ask for all.

    Args:
        fields: What to ask for; a text is one field, or several with commas.
        always: What is asked for besides: without it a thing cannot be told from an
            answer that is none.
    """
    if fields is None:
        return None
    names = fields.split(",") if isinstance(fields, str) else fields
    asked = [name for name in dict.fromkeys(names) if name]
    return ",".join(dict.fromkeys([*asked, *always])) if asked else None


def order(sort: str | None, *, is_descending: bool) -> str | None:
    """The value of `_sort` for one field."""
    return f"-{sort}" if sort and is_descending else sort or None


def time_text(when: When) -> str:
    """A time as the manager takes it everywhere: UTC, without a zone.

    wire/cloudify.md 2.7: an offset is refused, and so is `Z` after whole seconds.
    """
    if not isinstance(when, datetime):
        return when
    if when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return when.isoformat()


def day_or_time_text(when: date) -> str:
    """A day, or a time as of `time_text`."""
    return time_text(when) if isinstance(when, datetime) else when.isoformat()


def identified(id: object, what: str) -> str:
    """Refuse an id that names nothing."""
    if not isinstance(id, str) or not id:
        raise InvalidInput(f"the {what} must be text that is not empty, not {id!r}")
    return id


def flags(**given: object) -> None:
    """Refuse flags that are not True or False (wire/cloudify.md 2.3)."""
    for name, flag in given.items():
        if not isinstance(flag, bool):
            raise InvalidInput(f"{name} must be True or False, not {flag!r}")


def json_object(value: object, what: str) -> Json | None:
    """Refuse what is not a JSON object."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        kind = type(value).__name__
        raise InvalidInput(f"{what} must be a JSON object, not {kind}")
    made: Json = dict(value)
    try:
        encode(made)
    except TypeError as error:
        raise InvalidInput(f"{what} must be a JSON object: {error}") from error
    return made
