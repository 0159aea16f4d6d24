"""An execution's log, from a position on (wire/cloudify.md 4.2).

The manager inserts rows behind those that were read already: senders stamp a line
before they send it, and transactions end in any order. So each request goes back a
little behind the last arrival time, and what was seen there is left out. A position is
that time, and what was seen since a little before it.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

from aioruns.http.request import Request
from aioruns.platforms.cloudify import requests
from aioruns.platforms.cloudify.models import EventItem, ListResponse
from aioruns.seam import LogEvent, LogPage, Position

OVERLAP = 2.0
"""Seconds that a request goes back: longer than the manager takes to insert a row."""

ROWS = 1000
"""New rows that one request asks for."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_BACK = round(OVERLAP * 1000)

Send = Callable[[Request[ListResponse[EventItem]]], Awaitable[ListResponse[EventItem]]]

# Type and number (which events and logs share), and milliseconds of the arrival.
_Seen = tuple[str, int, int]


@frozen
class _Place:
    """A position, decoded."""

    time: int
    seen: Sequence[_Seen]

    @staticmethod
    def of(position: Position | None) -> "_Place | None":
        if position is None:
            return None
        return _Place(position["t"], [(k, n, at) for k, n, at in position["seen"]])


async def read(send: Send, run_id: str, position: Position | None) -> LogPage:
    """Read the rows that a position has not seen, in order of arrival.

    One request is enough, unless more rows arrived late than a page has.
    """
    place = _Place.of(position)
    since = None if place is None else _EPOCH + (place.time - _BACK) * _MILLISECOND
    seen = set() if place is None else {(kind, n) for kind, n, _ in place.seen}
    size = ROWS + len(seen)
    offset = 0
    while True:
        page = await send(requests.list_events(run_id, since, size, offset))
        fresh = [row for row in page.items if (row.type, row.storage_id) not in seen]
        offset += len(page.items)
        # An empty page is the end whatever the total says: rows can be deleted.
        more = bool(page.items) and offset < page.metadata.pagination.total
        if fresh or not more:
            break
    return LogPage([_event(row) for row in fresh], _after(position, place, fresh), more)


def _after(
    position: Position | None, place: _Place | None, fresh: Sequence[EventItem]
) -> Callable[[int], Position | None]:
    arrived = [(row.reported_timestamp - _EPOCH) // _MILLISECOND for row in fresh]

    def after(count: int) -> Position | None:
        if count == 0:
            return position
        # A row that arrived late does not move the time back.
        time = max(arrived[count - 1], place.time if place else 0)
        start = time - _BACK
        kept = [one for one in place.seen if one[2] >= start] if place else []
        for index in range(bisect_left(arrived, start, hi=count), count):
            row = fresh[index]
            kept.append((row.type, row.storage_id, arrived[index]))
        return {"t": time, "seen": kept}

    return after


def _event(row: EventItem) -> LogEvent:
    source = row.event_type if row.type == "cloudify_event" else row.logger
    return LogEvent(row.timestamp, row.message or "", source or "")
