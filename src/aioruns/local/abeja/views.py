"""Runs, triggers and lines as the JSON that clients see (wire/abeja.md 3)."""

import json
from datetime import UTC, datetime, timedelta

from aioruns.local.records import Json, Line, RunRecord, State, utcnow

STEP = timedelta(milliseconds=50)
"""How long SUBMITTED and STARTING last; the engine has no such states."""

_FINAL = {
    State.SUCCEEDED: "SUCCEEDED",
    State.FAILED: "FAILED",
    State.CANCELED: "FAILED",  # wire/abeja.md 3.2: no canceled state is documented
}


def timestamp(time: datetime) -> str:
    """`2018-01-01T00:00:00.000000Z`, the microseconds always written."""
    naive = time.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(timespec="microseconds") + "Z"


def attempts_left(record: RunRecord) -> int:
    """How often the program of a run that failed may still be started."""
    failures = sum(state is State.FAILED for _, state in record.history)
    attempts: int = record.detail.get("attempts", 1)
    return max(0, attempts - max(1, failures))


def standing(record: RunRecord, now: datetime) -> tuple[str, datetime]:
    """The status at a time, and since when it has been so."""
    if record.state is State.FAILED and attempts_left(record):
        return "RUNNABLE", record.ended or record.created
    if record.state.final:
        return _FINAL[record.state], record.ended or record.created
    again = any(state is State.FAILED for _, state in record.history)
    if again and record.state is State.QUEUED:
        # wire/abeja.md 3.2: between two attempts.
        return "RUNNABLE", record.history[-1][0]
    if again:
        before, after, since = "STARTING", "RUNNING", record.history[-1][0]
    elif record.state is State.QUEUED:
        before, after, since = "SUBMITTED", "RUNNABLE", record.created
    else:
        before, after, since = "STARTING", "RUNNING", record.started or record.created
    if now < since + STEP:
        return before, since
    return after, since + STEP


def run_view(record: RunRecord, *, json_text: bool) -> dict[str, Json]:
    """The run object of get and list."""
    status, since = standing(record, utcnow())
    return _run(record, status, since, json_text=json_text)


def created_view(record: RunRecord, *, json_text: bool) -> dict[str, Json]:
    """The run object of create: just submitted, and the only one with its queue."""
    body = _run(record, "SUBMITTED", record.created, json_text=json_text)
    chosen = record.detail["distribution"]
    body["distribution"] = record.serial % 10 if chosen is None else chosen
    return body


def triggered_view(record: RunRecord, *, json_text: bool) -> dict[str, Json]:
    """The run object of a trigger's listing."""
    body = run_view(record, json_text=json_text)
    del body["model_version"]  # wire/abeja.md 3.1
    body["trigger_id"] = record.detail["trigger_id"]
    return body


def _run(
    record: RunRecord, status: str, since: datetime, *, json_text: bool
) -> dict[str, Json]:
    detail = record.detail
    return {
        "run_id": record.id,
        "deployment_id": record.scope,
        "status": status,
        "model_version": detail["model_version"],
        "model_version_id": detail["version_id"],
        "models": detail["models"],
        "input_data": _operators(detail["input_data"], json_text=json_text),
        "output_template": _operators(detail["output_template"], json_text=json_text),
        "retry_count": detail["retry_count"],
        "user_env_vars": detail["environment"],
        "created_at": timestamp(record.created),
        "modified_at": timestamp(since),
    }


def _operators(value: Json, *, json_text: bool) -> Json:
    return json.dumps(value) if json_text and value is not None else value


def event(line: Line) -> dict[str, str]:
    """One log event."""
    return {"message": line.text, "timestamp": timestamp(line.time)}
