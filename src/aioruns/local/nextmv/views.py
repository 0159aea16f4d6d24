"""From a run record to the bodies that clients read (wire/nextmv.md 4.2)."""

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
    final = verdict.state.final
    metadata = {
        "application_id": record.scope,
        "application_instance_id": detail["instance_id"],
        "application_version_id": detail["version_id"],
        "created_at": rfc3339(record.created),
        "initiated_at": record.started and rfc3339(record.started),
        "duration": _milliseconds(record.created, record.ended) if final else 0,
        "execution_duration": (
            _milliseconds(record.started, record.ended) if final else None
        ),
        "error": verdict.error,
        "input_size": detail["input_size"],
        "output_size": verdict.output_size,
        "format": detail["format"],
        "run_type": {
            "type": "standard",
            "definition_id": "",
            "reference_id": "",
        },
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
        "queuing_priority": detail["queuing"].get("priority"),
        "queuing_disabled": detail["queuing"].get("disabled"),
        "secrets_collection_id": detail["secrets_collection_id"],
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


def listed(record: RunRecord, verdict: Verdict) -> dict[str, Json]:
    """Run: an item of run lists."""
    detail = record.detail
    more = {
        "run_type": {"type": "standard"},
        "runtime": detail["runtime"],
        "queuing_priority": detail["queuing"].get("priority"),
        "queuing_disabled": detail["queuing"].get("disabled"),
        "experiment_id": detail["experiment_id"],
        "options": detail["options"],
        "request_options": detail["request_options"],
        "options_summary": detail["options_summary"],
    }
    return queued(record, verdict) | _present(more)
