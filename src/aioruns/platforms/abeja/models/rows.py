"""As much of a run as listings are read for: their pages are read often."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.platforms.abeja.models.text import object_or_text


@frozen
class RunRow:
    """As much of a run as polling needs."""

    run_id: str
    status: str
    created_at: datetime | None = None
    modified_at: datetime | None = None


@frozen
class MarkedRow:
    """As much of a run as finding a submission needs."""

    run_id: str
    created_at: datetime | None = None
    user_env_vars: Any = field(default=None, converter=object_or_text, repr=False)


@frozen
class MarkedRows:
    """A page of runs for finding a submission."""

    # Without a default: what has no entries says nothing of the run that is looked for.
    entries: Sequence[MarkedRow]
    next_page_token: str | None = None
