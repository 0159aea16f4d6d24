"""Pages of live logs (wire/nextmv.md 3.3.3).

Millions of lines pass here, so pages are taken apart by hand; what is odd goes the long
way through the models, which say exactly what is wrong and where.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import repeat
from operator import attrgetter
from typing import Any, Final

from attrs import frozen

from aioruns.http.codec import Json, converter
from aioruns.platforms.nextmv.models.logs import LiveLogPage
from aioruns.seam import LogEvent

_SOURCE: Final = "stderr"
_zone = attrgetter("tzinfo")


@frozen
class LivePage:
    """What came after a token.

    Attributes:
        events: The lines.
        items: The same lines as they came.
        text: The platform's word for where the run stands.
        token: What to ask with next; empty if the page does not say.
        hint: Seconds after which there may be more; 0 if the page does not say.
    """

    events: Sequence[LogEvent]
    items: Sequence[Json]
    text: str
    token: str
    hint: float


def _live_page(value: Any, _: object) -> LivePage:
    given = {name: part for name, part in value.items() if part is not None}
    items = given.get("items", [])
    try:
        text = given.get("status_v2", "none")
        token = given.get("next_page_token", "")
        hint = given.get("next_available_in_seconds", 0)
        if (
            type(items) is list
            and type(text) is str
            and type(token) is str
            and type(hint) in {int, float}
        ):
            return LivePage(_events(items), items, text, token, hint)
    except (KeyError, TypeError, ValueError):
        pass  # the models say what is wrong
    if type(items) is not list:
        raise TypeError(f"items must be an array, not {type(items).__name__}")
    page = converter.structure(value, LiveLogPage)
    return LivePage(
        [LogEvent(item.timestamp, item.log, _SOURCE) for item in page.items],
        [item.raw for item in page.items],
        str(page.status_v2),
        page.next_page_token or "",
        page.next_available_in_seconds,
    )


def _events(items: Sequence[Any]) -> list[LogEvent]:
    # datetime cuts what is finer than microseconds
    times = list(map(datetime.fromisoformat, [item["timestamp"] for item in items]))
    messages = [item["log"] for item in items]
    if not {*map(type, messages)} <= {str}:
        raise TypeError
    if not all(map(_zone, times)):
        times = [time if time.tzinfo else time.replace(tzinfo=UTC) for time in times]
    return list(map(LogEvent, times, messages, repeat(_SOURCE)))


converter.register_structure_hook(LivePage, _live_page)
