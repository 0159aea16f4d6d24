"""Pages of live logs (wire/nextmv.md 3.3.3).

Millions of lines pass here, so a page is read straight from its bytes, which takes
three quarters of what a detour by JSON objects does; what is odd goes the long way
through the models, which say exactly what is wrong and where.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, Final

from attrs import frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import converter, read_straight
from aioruns.platforms.nextmv.models.logs import LiveLogPage
from aioruns.seam import LogEvent

_SOURCE: Final = "stderr"


@frozen
class LivePage:
    """What came after a token.

    Attributes:
        events: The lines.
        times: Their times as they came.
        text: The platform's word for where the run stands.
        token: What to ask with next; empty if the page does not say.
        hint: Seconds after which there may be more; 0 if the page does not say.
    """

    events: Sequence[LogEvent]
    times: Sequence[str]
    text: str
    token: str
    hint: float


class _Line(Struct, gc=False):
    # The time stays text: as a datetime it would be rounded where it must be cut.
    timestamp: str
    log: str


class _Page(Struct, gc=False):
    items: list[_Line] | None = None
    status_v2: str | None = None
    next_page_token: str | None = None
    next_available_in_seconds: int | float | None = None


_decode = Decoder(_Page).decode


def _straight(body: bytes) -> LivePage | None:
    try:
        page = _decode(body)
        items = page.items or ()
        times = [item.timestamp for item in items]
        moments = list(map(datetime.fromisoformat, times))
        # Times with a zone are not compared with others; sorting is faster than `max`.
        in_order = sorted(moments)
        if in_order and in_order[-1].tzinfo is None:
            return None
    except (MsgspecError, TypeError, ValueError):
        return None
    messages = [item.log for item in items]
    text = page.status_v2
    return LivePage(
        list(map(LogEvent, moments, messages, repeat(_SOURCE))),
        times,
        "none" if text is None else text,
        page.next_page_token or "",
        page.next_available_in_seconds or 0,
    )


def _live_page(value: Any, _: object) -> LivePage:
    items = value.get("items")
    if type(items) not in {list, type(None)}:
        raise TypeError(f"items must be an array, not {type(items).__name__}")
    page = converter.structure(value, LiveLogPage)
    return LivePage(
        [LogEvent(item.timestamp, item.log, _SOURCE) for item in page.items],
        [item.raw["timestamp"] for item in page.items],
        str(page.status_v2),
        page.next_page_token or "",
        page.next_available_in_seconds,
    )


read_straight(LivePage, _straight)
converter.register_structure_hook(LivePage, _live_page)
