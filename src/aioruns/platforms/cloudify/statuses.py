"""What the manager's words for an execution mean (wire/cloudify.md 3.2.1)."""

from collections.abc import Mapping
from typing import Final

from aioruns.seam import RunState

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
