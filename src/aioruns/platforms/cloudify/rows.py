"""Pages of events as following reads them: a thousand rows, and little work for each.

A page of the usual shape is read by hand; any other by the codec, which says what is
wrong and where.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from attrs import frozen

from aioruns.http.codec import Json, converter, parse_time
from aioruns.platforms.cloudify.models import EventItem, ListResponse
from aioruns.seam import LogEvent

EVENT = "cloudify_event"
LOG = "cloudify_log"

FIELDS = "_storage_id,type,timestamp,reported_timestamp,message,event_type,logger"
"""What is asked for; the rest of a row is three times as much."""

_KINDS = {EVENT, LOG}
_TEXT = {str}
_NUMBER = {int}
_TEXT_OR_NOTHING = {str, type(None)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_kind = itemgetter("type")
_number = itemgetter("_storage_id")
_message = itemgetter("message")
_arrival = itemgetter("reported_timestamp")


@frozen(eq=False)
class EventRows:
    """A page of events and logs.

    Attributes:
        events: What the rows say, in their order.
        total: Rows that match, on all pages.
        items: The rows themselves.
    """

    events: Sequence[LogEvent]
    total: int
    items: Sequence[Json]

    def __len__(self) -> int:
        return len(self.items)

    def key(self, index: int) -> int:
        """What names a row: events and logs share numbers (wire/cloudify.md 3.5)."""
        row = self.items[index]
        number: int = row["_storage_id"]
        return 2 * number + int(row["type"] == EVENT)

    def time(self, index: int) -> int:
        """When a row arrived, in milliseconds."""
        return milliseconds(parse_time(self.items[index]["reported_timestamp"]))

    def run(self, index: int) -> object:
        """The id of the execution that wrote it, if that was asked for."""
        return self.items[index].get("execution_id")

    def with_new(self, other: "EventRows") -> "EventRows":
        """These rows, and the others that are not among them.

        Rows that arrive between two pages move others to the later one.
        """
        keys = set(map(self.key, range(len(self))))
        new = other.pick(n for n in range(len(other)) if other.key(n) not in keys)
        events = [*self.events, *new.events]
        return EventRows(events, other.total, [*self.items, *new.items])

    def pick(self, indices: Iterable[int]) -> "EventRows":
        """Some of the rows, in this order."""
        taken = list(indices)
        return EventRows(
            [self.events[index] for index in taken],
            self.total,
            [self.items[index] for index in taken],
        )


NO_ROWS = EventRows((), 0, ())


def milliseconds(when: datetime) -> int:
    """Whole milliseconds since 1970, which is how the manager shows times."""
    since = when - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _structure(value: Any, _: object) -> EventRows:
    try:
        return _quickly(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        page: ListResponse[EventItem] = converter.structure(
            value, ListResponse[EventItem]
        )
        total = page.metadata.pagination.total
        items = [_plain(row) for row in page.items]
        return EventRows([_event(row) for row in page.items], total, items)


def _quickly(value: Mapping[str, Any]) -> EventRows:
    items = value["items"]
    total = value["metadata"]["pagination"]["total"]
    if type(items) is not list or type(total) is not int:
        raise TypeError
    # Whole columns at once, since this is most of what a row costs.
    if not (
        set(map(_kind, items)) <= _KINDS
        and set(map(type, map(_number, items))) <= _NUMBER
        and set(map(type, map(_arrival, items))) <= _TEXT
        and set(map(type, map(_message, items))) <= _TEXT_OR_NOTHING
    ):
        raise TypeError
    parse = datetime.fromisoformat
    events = []
    for row in items:
        when = parse(row["timestamp"])
        if when.tzinfo is None:
            raise ValueError
        # An event has no logger, and a log no event type (wire/cloudify.md 3.5).
        source = row.get("event_type") or row.get("logger") or ""
        if source.__class__ is not str:
            raise TypeError
        events.append(LogEvent(when, row["message"] or "", source))
    return EventRows(events, total, items)


def _event(row: EventItem) -> LogEvent:
    source = row.event_type if row.type == EVENT else row.logger
    return LogEvent(row.timestamp, row.message or "", source or "")


def _plain(row: EventItem) -> Json:
    return {
        "_storage_id": row.storage_id,
        "type": row.type,
        "reported_timestamp": row.reported_timestamp.isoformat(),
        "execution_id": row.execution_id,
    }


converter.register_structure_hook(EventRows, _structure)
