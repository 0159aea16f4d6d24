"""Pages as following and waiting read them: decoded by hand, since there are many.

What is not of the documented shape goes through the models, whose errors say where.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter, le
from typing import Any, TypeVar

from attrs import frozen

from aioruns.http.codec import converter
from aioruns.platforms.abeja.models import RecentLogs, RunLogs
from aioruns.seam import LogEvent

T = TypeVar("T")


@frozen
class PlainPage:
    """A page of a plain log, oldest line first.

    Attributes:
        events: The lines.
        next_token: Asks for the next page; None or empty at the end.
        ordered: Whether no line is older than the one before it.
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


@frozen
class StatePage:
    """A page of runs.

    Attributes:
        entries: The runs as they came: most of them are not looked at closely.
        next_page_token: Asks for the next page; None or empty at the end.
    """

    entries: Sequence[Any]
    next_page_token: str | None


@frozen
class StateRow:
    """One run.

    Attributes:
        entry: The run as it came, which mostly is not looked at closely.
    """

    entry: dict[str, Any]


def _plain(value: dict[str, Any]) -> PlainPage:
    events, ordered = _events(value["events"])
    return PlainPage(events, _text(value.get("next_token"), optional=True), ordered)


def _recent(value: dict[str, Any]) -> RecentPage:
    return RecentPage(
        _events(value["events"])[0],
        _text(value["next_forward_token"]),
        _text(value["next_backward_token"]),
    )


def _states(value: object, _: object) -> StatePage:
    if not isinstance(value, dict) or type(value.get("entries")) is not list:
        raise TypeError("expected an object with a list of entries")
    return StatePage(
        value["entries"], _text(value.get("next_page_token"), optional=True)
    )


def _state(value: object, _: object) -> StateRow:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return StateRow(value)


def _events(rows: object) -> tuple[Sequence[LogEvent], bool]:
    """The lines of a page, and whether their times only grow."""
    if type(rows) is not list:
        raise TypeError("events must be a list")
    times = list(map(datetime.fromisoformat, [row["timestamp"] for row in rows]))
    messages = [row["message"] for row in rows]
    if not {*map(type, messages)} <= {str}:
        raise TypeError("a message must be text")
    if not all(map(_zone, times)):
        times = [time if time.tzinfo else time.replace(tzinfo=UTC) for time in times]
    ordered = all(map(le, times, times[1:]))
    return list(map(LogEvent, times, messages)), ordered


_zone = attrgetter("tzinfo")


def _text(value: Any, *, optional: bool = False) -> Any:
    if type(value) is str or (optional and value is None):
        return value
    raise TypeError(f"a token must be text, not {type(value).__name__}")


def _or_by_model(
    read: Callable[[dict[str, Any]], T], model: type[object]
) -> Callable[[dict[str, Any], object], T]:
    def hook(value: dict[str, Any], _: object) -> T:
        try:
            return read(value)
        except (KeyError, TypeError, ValueError):
            # Raises what says which line is wrong.
            converter.structure(value, model)
            raise

    return hook


converter.register_structure_hook(PlainPage, _or_by_model(_plain, RunLogs))
converter.register_structure_hook(RecentPage, _or_by_model(_recent, RecentLogs))
converter.register_structure_hook(StatePage, _states)
converter.register_structure_hook(StateRow, _state)
