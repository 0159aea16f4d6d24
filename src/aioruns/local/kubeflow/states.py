"""Where a run stands, in the words of both REST versions, and its times."""

from datetime import UTC, datetime
from operator import itemgetter

from aioruns.local.kubeflow.errors import Generation
from aioruns.local.records import Json, RunRecord, State

EPOCH = "1970-01-01T00:00:00Z"
"""A run's time that is not set (wire/kubeflow.md 3.1)."""
YEAR_ONE = "0001-01-01T00:00:00Z"
"""A task's time that is not set."""

# wire/kubeflow.md 4.2: terminated runs end as FAILED
_STATES = {
    State.QUEUED: "PENDING",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "SUCCEEDED",
    State.FAILED: "FAILED",
    State.CANCELED: "FAILED",
}
_STATUSES = {
    "PENDING": "Pending",
    "RUNNING": "Running",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "CANCELING": "Terminating",
}


def stamp(moment: datetime | None, unset: str = EPOCH) -> str:
    """RFC 3339 in whole seconds, as the server stores times."""
    if moment is None:
        return unset
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(moment: datetime | None) -> int:
    """Whole seconds since 1970; 0 when not set."""
    return 0 if moment is None else int(moment.timestamp())


def told(record: RunRecord) -> str:
    """What a client last asked of the run: `terminate`, `retry` or nothing."""
    requests = record.detail["requests"]
    return str(requests[-1][1]) if requests else ""


def state(record: RunRecord) -> str:
    """The v2beta1 state of a run."""
    if not record.state.final and told(record) == "terminate":
        return "CANCELING"
    if record.state is State.QUEUED and told(record) == "retry":
        return "RUNNING"  # wire/kubeflow.md 2.7: at once, though nothing runs yet
    return _STATES[record.state]


def status(record: RunRecord, generation: Generation) -> str:
    """The v1beta1 status of a run; empty on G1 until a workflow was picked up."""
    name = state(record)
    return "" if name == "PENDING" and generation == "G1" else _STATUSES[name]


def task_state(phase: str) -> str:
    """The v2beta1 state of a workflow node's phase."""
    return "SKIPPED" if phase == "Omitted" else phase.upper()


def history(record: RunRecord) -> list[dict[str, Json]]:
    """The v2beta1 `state_history`: transitions, oldest first."""
    moments = [(moment, _STATES[entry]) for moment, entry in record.history]
    moments += [
        (datetime.fromisoformat(moment), "CANCELING")
        for moment, request in record.detail["requests"]
        if request == "terminate"
    ]
    moments.sort(key=itemgetter(0))
    shown: list[dict[str, Json]] = []
    for moment, name in moments or [(record.created, "PENDING")]:
        # A retried run goes straight back to RUNNING.
        again = "RUNNING" if shown and name == "PENDING" else name
        if not shown or shown[-1]["state"] != again:
            shown.append({"update_time": stamp(moment), "state": again})
    return shown


def scheduled(record: RunRecord, generation: Generation) -> int:
    """Seconds since 1970 of `scheduled_at`; 0 on G1 (wire/kubeflow.md 2.1)."""
    if generation == "G1":
        return 0
    return int(record.detail["scheduled"]) or unix(record.created)


def from_unix(seconds: int) -> str:
    """RFC 3339 of seconds since 1970."""
    return stamp(datetime.fromtimestamp(seconds, UTC))
