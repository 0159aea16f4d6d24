"""The runs that were submitted for a sweep; they have ended at once."""

SWEEP = "sweep"
"""Application and deployment whose runs are remembered; others' are not."""

SWEEP_JSON = b'"deployment_id":"sweep"'
SWEEP_NUMBER = "2000000000099"
SWEEP_UUID = "0e5e6a5f-0000-4000-8000-000000000099"

_ids: list[str] = []
_known: set[str] = set()


def add(run_id: str = "") -> str:
    """Remember a run; without an id it gets one."""
    made = run_id or f"{len(_ids):08d}-0000-4000-9000-{len(_ids):012d}"
    _ids.append(made)
    _known.add(made)
    return made


def knows(run_id: str) -> bool:
    """Whether it was submitted for a sweep."""
    return run_id in _known


def any_there() -> bool:
    """Whether a sweep is under way."""
    return bool(_ids)


def count() -> int:
    """How many runs were submitted."""
    return len(_ids)


def newest(size: int, token: str) -> tuple[list[str], str]:
    """A page of ids, the newest first, and the token of the next page.

    Args:
        size: Runs a page.
        token: How many runs were there before those of the page before; they stay
            where they are while others are submitted.
    """
    end = int(token) if token else len(_ids)
    begin = max(0, end - size)
    return _ids[begin:end][::-1], str(begin) if begin else ""


def forget() -> None:
    """Drop them all."""
    _ids.clear()
    _known.clear()
