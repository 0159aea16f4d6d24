"""From a run record to the bodies that clients read (wire/nextmv.md 4.2)."""

from collections.abc import Mapping
from datetime import datetime

from aioruns.local.nextmv.answers import rfc3339
from aioruns.local.nextmv.desk import USER
from aioruns.local.nextmv.verdicts import Verdict
from aioruns.local.records import Json, RunRecord, State

_LEGACY = {
    # The legacy `status` has no word for queued or canceled (wire/nextmv.md 4.4).
    State.QUEUED: "running",
    State.RUNNING: "running",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELED: "failed",
}


def _milliseconds(start: datetime | None, end: datetime | None) -> int:
    if start is None or end is None:
        return 0
    return round((end - start).total_seconds() * 1000)


def _present(values: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in values.items() if value is not None}


def information(record: RunRecord, verdict: Verdict) -> dict[str, Json]:
    """RunInformation: the answer of `/metadata`."""
    detail = record.detail
    metadata = {
        "application_id": record.scope,
        "application_instance_id": detail["instance_id"],
        "application_version_id": detail["version_id"],
        "created_at": rfc3339(record.created),
        "initiated_at": verdict.started and rfc3339(verdict.started),
        **_durations(record, verdict),
        "error": verdict.error,
        "input_size": detail["input_size"],
        "output_size": verdict.output_size,
        "format": detail["format"],
        "run_type": detail["run_type"],
        "execution_class": detail["execution_class"],
        "runtime": detail["runtime"],
        "options": {
            "active_options": detail["options"],
            "options_summary": detail["options_summary"],
            "request_options": detail["request_options"],
        },
        "status_v2": verdict.state.value,
        "status": _LEGACY[verdict.state],
        "experiment_id": detail["experiment_id"],
        "experiment_type": detail.get("experiment_type"),
        "queuing_priority": detail["queuing"].get("priority"),
        "queuing_disabled": detail["queuing"].get("disabled"),
        "secrets_collection_id": detail["secrets_collection_id"],
        "integration": _integration(record),
        "tracking": detail["tracking"],
        **verdict.figures,
    }
    return {
        "id": record.id,
        "name": detail["name"],
        "description": detail["description"],
        "user_email": USER,
        "metadata": _present(metadata),
    }


def _durations(record: RunRecord, verdict: Verdict) -> dict[str, Json]:
    if not verdict.state.final:
        return {"duration": 0}
    if (tracked := record.detail.get("result")) is not None:
        # It was over before this server heard of it.
        took = tracked["execution_duration"]
        return {"duration": took or 0, "execution_duration": took}
    return {
        "duration": _milliseconds(record.created, record.ended),
        "execution_duration": _milliseconds(verdict.started, record.ended),
    }


def _integration(record: RunRecord) -> dict[str, Json] | None:
    integration = record.detail["integration_id"]
    if integration is None:
        return None
    return {"id": integration, "provider": "local", "run_id": record.id}


def queued(record: RunRecord, verdict: Verdict) -> dict[str, Json]:
    """QueuedRun: an item of the account's queue."""
    detail = record.detail
    return {
        "id": record.id,
        "user_email": USER,
        "name": detail["name"],
        "description": detail["description"],
        "created_at": rfc3339(record.created),
        "application_id": record.scope,
        "application_instance_id": detail["instance_id"],
        "application_version_id": detail["version_id"],
        "execution_class": detail["execution_class"],
        "status_v2": verdict.state.value,
    }


_ROW_KEYS = (
    *("input_id", "option_set", "scenario_id", "repetition", "input_set_id"),
    "run_number",
)
"""What experiments add to a run."""


def listed(record: RunRecord, verdict: Verdict) -> dict[str, Json]:
    """Run: an item of run lists."""
    detail = record.detail
    more = {
        "run_type": detail["run_type"],
        "runtime": detail["runtime"],
        "queuing_priority": detail["queuing"].get("priority"),
        "queuing_disabled": detail["queuing"].get("disabled"),
        "experiment_id": detail["experiment_id"],
        "options": detail["options"],
        "request_options": detail["request_options"],
        "options_summary": detail["options_summary"],
        "statistics": _indicated(verdict, "statistics"),
        "metrics": _indicated(verdict, "metrics"),
        **{key: detail.get(key) for key in _ROW_KEYS},
    }
    return queued(record, verdict) | _present(more)


def _indicated(verdict: Verdict, name: str) -> dict[str, Json] | None:
    """RunInfoStatistics or RunInfoMetrics."""
    if name in verdict.broken:
        return {"status": "failed", "error": verdict.broken[name], "indicators": []}
    if name not in verdict.figures:
        return None
    values = indicators(verdict.figures[name])
    told = [{"name": key, "value": value} for key, value in values.items()]
    return {"status": "succeeded", "indicators": told}


def indicators(figures: Mapping[str, Json], before: str = "") -> dict[str, Json]:
    """The single values inside, by dotted path: `result.value`."""
    found: dict[str, Json] = {}
    for key, value in figures.items():
        if isinstance(value, dict):
            found |= indicators(value, f"{before}{key}.")
        elif isinstance(value, str | int | float):
            found[f"{before}{key}"] = value
    return found
