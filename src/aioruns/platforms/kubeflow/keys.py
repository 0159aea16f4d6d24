"""How a submission key travels: in the run's name, and as its id where possible."""

from uuid import UUID

from aioruns.errors import InvalidInput
from aioruns.platforms.named_ids import named_id

NAME_LIMIT = 254
"""Characters of a run's name; longer ones fail on older installs, after the workflow
was created (wire/kubeflow.md 8.2)."""

_RUN_IDS = UUID("7a3b6c4e-52f1-4d0a-9a86-0f5f0f6f8f11").bytes
"""The namespace in which a submission key becomes a run id."""


def run_id_of(key: str) -> str:
    """The run id that a submission key stands for, on servers that let us choose."""
    return named_id(_RUN_IDS, key)


def name_with_key(name: str, key: str) -> str:
    """A run's name with the key by which it can be found again.

    Raises:
        InvalidInput: They are too long together.
    """
    full = f"{name} [{key}]"
    if len(full) > NAME_LIMIT:
        raise InvalidInput(
            f"the run's name and its submission key {key[:40]!r} have {len(full)} "
            f"characters together, and {NAME_LIMIT} are possible: shorten one of them"
        )
    return full
