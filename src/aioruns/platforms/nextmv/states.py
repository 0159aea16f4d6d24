"""The platform's words for where a run stands (wire/nextmv.md 4.4)."""

from collections.abc import Mapping

from aioruns.seam import RunState

# `none` is a run that the platform has not looked at yet.
STATES: Mapping[str, RunState] = {
    "none": RunState.QUEUED,
    "queued": RunState.QUEUED,
    "running": RunState.RUNNING,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELED,
}


def state_of(text: str) -> RunState:
    """What a word means; UNKNOWN if it is not documented."""
    return STATES.get(text, RunState.UNKNOWN)
