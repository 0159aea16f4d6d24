"""What a run wrote (wire/nextmv.md 3.3.3, 4.2)."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.statuses import StatusV2


@frozen
class RunLog:
    """The whole log of a run, as one text."""

    log: str
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class TimestampedRunLog:
    """One line of a run's log, and when it was written."""

    timestamp: datetime
    log: str
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class LiveLogPage:
    """What came after a token, and when to ask again.

    Attributes:
        items: The lines.
        status_v2: Where the run stands.
        next_page_token: What to ask with next.
        next_available_in_seconds: When there may be more.
    """

    items: list[TimestampedRunLog] = field(factory=list)
    status_v2: StatusV2 | str = StatusV2.none
    next_page_token: str | None = None
    next_available_in_seconds: float = 0.0
