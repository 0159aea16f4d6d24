"""The keys by which runs are sorted and filtered (wire/kubeflow.md 5.1)."""

import json
from collections.abc import Callable

from aioruns.local.kubeflow.errors import Generation
from aioruns.local.kubeflow.rows import detail, metric_value
from aioruns.local.kubeflow.states import history, scheduled, state, status, unix
from aioruns.local.records import RunRecord

Value = str | int | float | None
"""A column's value; None for a metric that was not reported."""


def column(record: RunRecord, key: str, generation: Generation) -> Value:
    """The stored value of a sortable or filterable key."""
    if key.startswith("metric:"):
        return metric_value(record, key.removeprefix("metric:"))
    return _COLUMNS[key](record, generation)


def _storage(record: RunRecord, generation: Generation) -> str:
    # wire/kubeflow.md 5.1: stored names differ, and are not translated
    stored = detail(record)["storage"]
    return f"STORAGESTATE_{stored}" if generation == "G1" else stored


_COLUMNS: dict[str, Callable[[RunRecord, Generation], Value]] = {
    "id": lambda record, _: record.id,
    "name": lambda record, _: detail(record)["name"],
    "description": lambda record, _: detail(record)["description"],
    "created_at": lambda record, _: unix(record.created),
    "scheduled_at": scheduled,
    "storage_state": _storage,
    "status": status,
    # Not on G1:
    "run_id": lambda record, _: record.id,
    "display_name": lambda record, _: detail(record)["name"],
    "finished_at": lambda record, _: unix(record.ended) if record.state.final else 0,
    "state": lambda record, _: state(record),
    "experiment_id": lambda record, _: record.scope,
    "namespace": lambda record, _: detail(record)["namespace"],
    "recurring_run_id": lambda record, _: detail(record)["recurring_run_id"],
    "state_history": lambda record, _: json.dumps(history(record)),
    "runtime_details": lambda *_: "",
}
_KEYS_G1 = {"id", "name", "description", "created_at", "scheduled_at"} | {
    "storage_state",
    "status",
}


def keys(generation: Generation) -> set[str]:
    """The keys that the generation knows."""
    return _KEYS_G1 if generation == "G1" else set(_COLUMNS)
