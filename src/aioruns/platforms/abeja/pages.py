"""Pages of logs as following reads them, in a short way, since there are many.

They are read straight from their bytes, which takes three quarters of what a
detour by JSON objects does. What is not of the documented shape goes through the
models, whose errors say where.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import define, frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import converter, read_straight
from aioruns.platforms.abeja.models import LogLine, RecentLogs, RunLogs
from aioruns.seam import LogEvent


# Not frozen: that would double what it costs. Nobody changes them.
@define
class PlainPage:
    """A page of a plain log, oldest line first.

    Attributes:
        events: The lines.
        next_token: Asks for the next page; None or empty at the end.
        ordered: Whether no line is known to be older than the one before it.
    """

    events: Sequence[LogEvent]
    next_token: str | None
    ordered: bool


@frozen
class RecentPage:
    """A page of a recent log, newest line first whichever token was used.

    Attributes:
        events: The lines.
        next_forward_token: Asks for newer lines.
        next_backward_token: Asks for older lines.
    """

    events: Sequence[LogEvent]
    next_forward_token: str
    next_backward_token: str


class _Line(Struct, gc=False):
    # The time stays text: as a datetime it would be rounded where it must be cut.
    timestamp: str
    message: str


class _Plain(Struct, gc=False):
    events: list[_Line]
    next_token: str | None = None


class _Recent(Struct, gc=False):
    events: list[_Line]
    next_forward_token: str
    next_backward_token: str


_decode_plain = Decoder(_Plain).decode
_decode_recent = Decoder(_Recent).decode


def _straight_plain(body: bytes) -> PlainPage | None:
    try:
        page = _decode_plain(body)
        events, ordered = _events(page.events)
    except (MsgspecError, TypeError, ValueError):
        return None
    return PlainPage(events, page.next_token, ordered)


def _straight_recent(body: bytes) -> RecentPage | None:
    try:
        page = _decode_recent(body)
        events, _ = _events(page.events)
    except (MsgspecError, TypeError, ValueError):
        return None
    return RecentPage(events, page.next_forward_token, page.next_backward_token)


def _events(lines: Sequence[_Line]) -> tuple[list[LogEvent], bool]:
    """The lines of a page, and whether their times only grow.

    Whole columns at once: a loop over the lines would take longer.

    Raises:
        TypeError: Some times have no zone: such are not compared with others.
        ValueError: No time has a zone, or one cannot be read.
    """
    times = list(map(datetime.fromisoformat, [line.timestamp for line in lines]))
    in_order = sorted(times)
    if in_order and in_order[-1].tzinfo is None:
        raise ValueError
    events = list(map(LogEvent, times, [line.message for line in lines]))
    return events, in_order == times


def _plain(value: dict[str, Any], _: object) -> PlainPage:
    page = converter.structure(value, RunLogs)
    events = _structured(value, page.events)
    return PlainPage(events, page.next_token, ordered=False)


def _recent(value: dict[str, Any], _: object) -> RecentPage:
    page = converter.structure(value, RecentLogs)
    events = _structured(value, page.events)
    return RecentPage(events, page.next_forward_token, page.next_backward_token)


def _structured(value: dict[str, Any], lines: Sequence[LogLine]) -> list[LogEvent]:
    if type(value["events"]) is not list:
        raise TypeError("events must be a list")  # empty text would pass for one
    return [LogEvent(line.timestamp, line.message) for line in lines]


read_straight(PlainPage, _straight_plain)
read_straight(RecentPage, _straight_recent)
converter.register_structure_hook(PlainPage, _plain)
converter.register_structure_hook(RecentPage, _recent)
