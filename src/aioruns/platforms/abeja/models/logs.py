"""Lines and pages of logs (wire/abeja.md 3.3, 3.4)."""

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json


@frozen
class LogLine:
    """One line of a log; the platform gives it no id."""

    message: str
    timestamp: datetime


@frozen
class RunLogs:
    """A page of a log from its start, oldest line first.

    Attributes:
        events: The lines.
        next_token: Asks for the next page; None or empty at the end.
        raw: The object as it came.
    """

    events: Sequence[LogLine]
    next_token: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RecentLogs:
    """A page of a log from its end, newest line first whichever token was used.

    The tokens are always there; no lines mean that there is nothing more in that
    direction yet (wire/abeja.md 4.1).

    Attributes:
        events: The lines.
        next_forward_token: Asks for newer lines.
        next_backward_token: Asks for older lines.
        raw: The object as it came.
    """

    next_forward_token: str
    next_backward_token: str
    events: Sequence[LogLine]
    raw: Json = field(factory=dict, repr=False, eq=False)
