"""Events and logs: the lines of runs as rows of the manager (wire/cloudify.md 3.5)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import orjson
from attrs import define

from aioruns.local.cloudify.naming import EVENT, GROUPS, LOG, shown_id
from aioruns.local.cloudify.queries import Columns, moment, stamp
from aioruns.local.records import Json, Line, RunRecord

EVENTS = "cloudify_event"
LOGS = "cloudify_log"


@define(eq=False)
class Row:
    """One event or log; `noted` is what a façade's own line holds."""

    record: RunRecord
    """The execution, or the execution group."""
    line: Line
    noted: Mapping[str, Json] | None
    inserted: datetime
    """When the manager got it."""

    @property
    def is_event(self) -> bool:
        """Whether it is an event rather than a log."""
        return self.line.stream == EVENT

    @property
    def of_group(self) -> bool:
        """Whether it belongs to a group rather than to an execution."""
        return self.record.platform == GROUPS


def noted_in(line: Line) -> Mapping[str, Json] | None:
    """What a line of a façade's own holds."""
    noted: Mapping[str, Json] | None = None
    if line.stream in {EVENT, LOG}:
        noted = orjson.loads(line.text)
    return noted


def _storage_id(row: Row) -> int:
    # wire/cloudify.md 3.5: events and logs are two tables that share numbers. The log
    # after an event gets the number of that event.
    return row.line.serial if row.is_event else row.line.serial - 1


def _noted(row: Row, name: str) -> Json:
    return None if row.noted is None else row.noted.get(name)


def _timestamp(row: Row) -> datetime:
    told = _noted(row, "timestamp")
    return row.line.time if told is None else moment(told)


def _reported(row: Row) -> datetime:
    told = _noted(row, "reported_timestamp")
    return row.inserted if told is None else moment(told)


def _of_execution(read: Callable[[RunRecord], Json]) -> Callable[[Row], Json]:
    return lambda row: None if row.of_group else read(row.record)


def _message(row: Row) -> str:
    text = row.line.text if row.noted is None else str(_noted(row, "message"))
    return text.replace("\0", "<NUL>")


def _level(row: Row) -> Json:
    if row.is_event:
        return None
    return "info" if row.noted is None else row.noted.get("level")


def _logger(row: Row) -> Json:
    if row.is_event:
        return None
    return row.line.stream if row.noted is None else row.noted.get("logger")


COLUMNS: Columns[Row] = {
    "_storage_id": _storage_id,
    "type": lambda row: EVENTS if row.is_event else LOGS,
    "timestamp": _timestamp,
    "reported_timestamp": _reported,
    "message": _message,
    "event_type": lambda row: _noted(row, "event_type") if row.is_event else None,
    "level": _level,
    "logger": _logger,
    "error_causes": lambda row: _noted(row, "error_causes"),
    "operation": lambda row: _noted(row, "operation"),
    "source_id": lambda row: _noted(row, "source_id"),
    "target_id": lambda row: _noted(row, "target_id"),
    # no node exists here, and these are filled only for one that does
    "node_instance_id": lambda _: None,
    "node_name": lambda _: None,
    "execution_id": _of_execution(shown_id),
    "execution_group_id": lambda row: row.record.id if row.of_group else None,
    "workflow_id": lambda row: row.record.detail["workflow_id"],
    "deployment_id": _of_execution(lambda record: record.scope or None),
    "deployment_display_name": _of_execution(lambda record: record.scope or None),
    "blueprint_id": _of_execution(lambda record: record.detail["blueprint_id"]),
    "manager_name": lambda row: _noted(row, "manager_name"),
    "agent_name": lambda row: _noted(row, "agent_name"),
}

_NOT_OF_EVENTS = frozenset({"level", "logger"})
_NOT_OF_LOGS = frozenset({"event_type"})


def item(row: Row, fields: Iterable[str] = ()) -> dict[str, Json]:
    """The row as JSON; fields that do not exist are left out silently."""
    absent = _NOT_OF_EVENTS if row.is_event else _NOT_OF_LOGS
    values = {
        name: COLUMNS[name](row)
        for name in fields or COLUMNS
        if name in COLUMNS and name not in absent
    }
    return {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
