"""What the manager's words for an execution mean (wire/cloudify.md 3.2.1)."""

from collections.abc import Iterable, Mapping
from typing import Final

from aioruns.platforms.cloudify.models import ExecutionState
from aioruns.seam import RunRef, RunState, Status

STATES: Mapping[str, RunState] = {
    "scheduled": RunState.QUEUED,
    "queued": RunState.QUEUED,
    "pending": RunState.QUEUED,
    "started": RunState.RUNNING,
    "cancelling": RunState.RUNNING,
    "force_cancelling": RunState.RUNNING,
    "kill_cancelling": RunState.RUNNING,
    "terminated": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "cancelled": RunState.CANCELED,
}

CANCELLING: Final = frozenset({"cancelling", "force_cancelling", "kill_cancelling"})


def state_of(status: str) -> RunState:
    """The status in common words; UNKNOWN if it is not documented."""
    return STATES.get(status, RunState.UNKNOWN)


def of_ids(rows: Iterable[ExecutionState]) -> Mapping[str, ExecutionState]:
    """One row for each id.

    wire/cloudify.md 6.2: simultaneous starts can make several executions of one id.
    They have ended when all of them have; then the oldest tells how.
    """
    found: dict[str, ExecutionState] = {}
    for row in rows:
        if row.id not in found or not state_of(row.status).final:
            found[row.id] = row
    return found


def status_of(ref: RunRef, row: ExecutionState) -> Status:
    """What a row says about a run."""
    return Status(
        ref,
        STATES.get(row.status, RunState.UNKNOWN),
        row.status,
        reason_of(row.error) if row.error else "",
        row.created_at,
        row.started_at,
        row.ended_at,
    )


def moved(known: Status | None, ref: RunRef, text: str) -> Status:
    """What is known of a run, with a word that is not of its end."""
    if known is not None and known.text == text:
        return known
    created = None if known is None else known.created
    return Status(ref, state_of(text), text, created=created)


def reason_of(error: str) -> str:
    """What went wrong, without the traceback before it; `Execution.error` has all."""
    if "Traceback (most recent call last)" not in error:
        return error
    lines = error.strip().splitlines()
    last = max(n for n, text in enumerate(lines) if text.startswith((" ", "Traceback")))
    return "\n".join(lines[last + 1 :]) or lines[-1]
