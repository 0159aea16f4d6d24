"""What the server says about a run, in common words."""

from aioruns.platforms.kubeflow.models.polling import Row, RowV2, State
from aioruns.platforms.kubeflow.workflow import Workflow
from aioruns.seam import RunRef, RunState, Status

STATES = {
    # wire/kubeflow.md 4.1, v1beta1; absent on G1 until a workflow was picked up
    "": RunState.QUEUED,
    "pending": RunState.QUEUED,
    "running": RunState.RUNNING,
    "terminating": RunState.RUNNING,
    # The v1beta1 view of RUNTIME_STATE_UNSPECIFIED, which is a workflow without phase.
    "unknown": RunState.QUEUED,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "error": RunState.FAILED,
    # Nothing had to be done: the steps that depend on such a node go on, too.
    "skipped": RunState.SUCCEEDED,
    # wire/kubeflow.md 4.2, v2beta1; its view of PAUSED in v1beta1 is Pending
    "runtime_state_unspecified": RunState.QUEUED,
    "canceling": RunState.RUNNING,
    "canceled": RunState.CANCELED,
    "paused": RunState.QUEUED,
}
"""Every documented word, in lower case."""


def state_of(text: str) -> RunState:
    """The state that a word of either REST version means."""
    return STATES.get(text.lower(), RunState.UNKNOWN)


def ending(text: str) -> bool:
    """Whether a run in this state needs no termination: it is ending or has ended."""
    return text.lower() in {"terminating", "canceling"} or state_of(text).final


def from_row(ref: RunRef, row: Row | State) -> Status:
    """The status of a run as v1beta1 tells it without the workflow manifest."""
    if row.error and not row.status:
        # wire/kubeflow.md 3.2: a run that the server cannot show has no status
        return Status(ref, RunState.UNKNOWN, row.status, row.error)
    return Status(
        ref,
        state_of(row.status),
        row.status,
        created=row.created_at,
        ended=row.finished_at,
    )


def from_row_v2(ref: RunRef, row: RowV2) -> Status:
    """The status of a run in a v2beta1 page."""
    if row.error and not row.state:
        return Status(ref, RunState.UNKNOWN, row.state, str(row.error.get("message")))
    state = state_of(row.state)
    last = [transition.state for transition in row.state_history[-2:]]
    if last == ["CANCELING", "FAILED"]:
        # wire/kubeflow.md 4.2: terminated runs end as FAILED
        state = RunState.CANCELED
    running = [entry for entry in row.state_history if entry.state == "RUNNING"]
    return Status(
        ref,
        state,
        row.state,
        created=row.created_at,
        started=running[0].update_time if running else None,
        ended=row.finished_at,
    )


def from_detail(ref: RunRef, row: Row | State, workflow: Workflow) -> Status:
    """The status of a run that was read singly, with its workflow manifest.

    Terminated runs end as `Failed`; that a user ended them is told by the manifest
    only (wire/kubeflow.md 4.2), as is why a run failed (6.4).
    """
    plain = from_row(ref, row)
    state, reason = plain.state, plain.reason
    if state is RunState.FAILED:
        state = RunState.CANCELED if workflow.terminated else state
        reason = workflow.reason
    return Status(
        ref,
        state,
        plain.text,
        reason,
        created=plain.created,
        started=workflow.started,
        ended=plain.ended,
    )
