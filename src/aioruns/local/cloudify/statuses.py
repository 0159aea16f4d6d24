"""Execution statuses: what they are, and what may follow them (wire/cloudify.md 3.2).

`detail` of a run holds, where they are needed:
  held      the engine waits with it: the deployment is busy
  status    written by a request, not reached by the programs
  final     what the end of the programs was reported as
  cancel    which `*cancelling` was asked for last
"""

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.defects import Defects
from aioruns.local.records import RunRecord, State

ACTIVE = frozenset(
    {"pending", "started", "cancelling", "force_cancelling", "kill_cancelling"}
)
WAITING = frozenset({"queued", "scheduled"})
ENDED = frozenset({"terminated", "failed", "cancelled"})
STATUSES = ACTIVE | WAITING | ENDED

_FINAL = {
    State.SUCCEEDED: "terminated",
    State.FAILED: "failed",
    State.CANCELED: "cancelled",
}
# A graceful or forced cancel cannot be ignored: the end is failed or cancelled.
_BENT = frozenset({"cancelling", "force_cancelling"})
_AFTER_BENT = frozenset({"queued", "scheduled", "failed", "cancelled"})

_CANCELS = {
    "cancel": "cancelling",
    "force-cancel": "force_cancelling",
    "kill": "kill_cancelling",
}
_CANCELLABLE = frozenset({"pending", "started"}) | WAITING
_RESUMABLE = {
    "resume": frozenset({"started", "failed", "cancelled"}),
    "force-resume": frozenset({"failed", "cancelled"}),
}


def status_of(record: RunRecord) -> str:
    """The status that the manager shows for a run."""
    detail = record.detail
    if "status" in detail:
        return str(detail["status"])
    if record.state.final:
        return str(detail.get("final") or _FINAL[record.state])
    if record.canceling:
        return str(detail.get("cancel", "cancelling"))
    if record.state is State.RUNNING:
        return "started"
    return "queued" if detail.get("held") else "pending"


def final_status(record: RunRecord) -> str:
    """What the worker reports when the programs of a run have ended."""
    status = _FINAL[record.state]
    if status == "terminated" and record.detail.get("cancel") in _BENT:
        return "failed"  # wire/cloudify.md 3.2.1: `terminated` is refused
    return status


def displayed(status: str) -> str:
    """The `status_display` of a status."""
    return "completed" if status == "terminated" else status


def may_become(current: str, target: str) -> bool:
    """Whether a worker may write `target` over `current` (3.2.3)."""
    if current == target:
        return True
    if current in ENDED:
        return False
    return current not in _BENT or target in _AFTER_BENT


def after_action(run_id: str, current: str, action: str, defects: Defects) -> str:
    """The status that an action leads to; raises what refuses it (3.2.2).

    `pending` means a resume, `queued` a place in the queue, all others a cancel.
    """
    if action in _RESUMABLE:
        if current in _RESUMABLE[action]:
            return "pending"
        raise Refusal(
            409,
            "conflict_error",
            f"Cannot {action} execution {run_id} in state {current}; it must be in "
            + ", ".join(sorted(_RESUMABLE[action])),
        )
    if action not in {*_CANCELS, "requeue"}:
        raise bad(
            f"Invalid action: {action}; valid actions are: "
            + ", ".join([*_CANCELS, *_RESUMABLE, "requeue"])
        )
    if not _applies(current, action, defects):
        raise Refusal(
            400,
            "illegal_action_error",
            f"Cannot {action} execution {run_id} because it is in status {current}",
        )
    if action != "requeue":
        return _CANCELS[action]
    return "cancelling" if defects.requeue_cancels else "queued"


def _applies(current: str, action: str, defects: Defects) -> bool:
    if action == "requeue" and not defects.requeue_cancels:
        return current in WAITING or current == "pending"
    if action == "kill":
        return current not in ENDED or defects.kill_takes_ended
    if action == "force-cancel" and current == "cancelling":
        return True
    return current in _CANCELLABLE
