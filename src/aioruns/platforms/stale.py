"""Answers from before a run's end, given after it: replicas and caches do that."""

from aioruns.errors import Unreadable
from aioruns.seam import RunState


def check_ended(run_id: str, word: str, state: RunState) -> None:
    """Refuse a result from before the end: it would look like an empty one.

    Args:
        run_id: The run, which has ended.
        word: What the answer with the result says of it.
        state: What that means; a word that is not documented is let pass.

    Raises:
        Unreadable: The answer is older than the end.
    """
    if state in {RunState.QUEUED, RunState.RUNNING}:
        raise Unreadable(
            f"run {run_id} has ended, but the answer with its result still says "
            f"{word!r}: ask again in a moment"
        )
