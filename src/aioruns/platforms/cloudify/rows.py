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
_TEXT_OR_NOTHING = {str, type(None)}
_NUMBER = {int}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_kind = itemgetter("type")
_number = itemgetter("_storage_id")
_message = itemgetter("message")
_arrival = itemgetter("reported_timestamp")
_timestamp = itemgetter("timestamp")
_logger = itemgetter("logger")
_parse = datetime.fromisoformat


@frozen(eq=False)
class EventRows:
    """A page of events and logs.

    The rows' other fields are let go with the page that came: a page that is kept while
    the next one is read makes that slower.

    Attributes:
        events: What the rows say, in their order.
        total: Rows that match, on all pages.
        numbers: Their numbers.
        kinds: Their types.
        arrivals: When they arrived, as text.
        runs: Which executions wrote them; None if that was not asked for.
    """

    events: Sequence[LogEvent]
    total: int
    numbers: Sequence[int]
    kinds: Sequence[str]
    arrivals: Sequence[str]
    runs: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.events)

    def key(self, index: int) -> int:
        """What names a row: events and logs share numbers (wire/cloudify.md 3.5)."""
        return 2 * self.numbers[index] + (self.kinds[index] == EVENT)

    def time(self, index: int) -> int:
        """When a row arrived, in milliseconds."""
        return milliseconds(parse_time(self.arrivals[index]))

    def with_new(self, other: "EventRows") -> "EventRows":
        """These rows, and the others that are not among them.

        Rows that arrive between two pages move others to the later one.
        """
        keys = set(map(self.key, range(len(self))))
        new = other.pick([n for n in range(len(other)) if other.key(n) not in keys])
        return EventRows(
            [*self.events, *new.events],
            other.total,
            [*self.numbers, *new.numbers],
            [*self.kinds, *new.kinds],
            [*self.arrivals, *new.arrivals],
            [*self.runs, *new.runs],
        )

    def pick(self, indices: Sequence[int]) -> "EventRows":
        """Some of the rows, in this order."""
        return EventRows(
            [self.events[index] for index in indices],
            self.total,
            [self.numbers[index] for index in indices],
            [self.kinds[index] for index in indices],
            [self.arrivals[index] for index in indices],
            [self.runs[index] for index in indices],
        )


NO_ROWS = EventRows((), 0, (), (), (), ())


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
        return EventRows(
            [_event(row) for row in page.items],
            page.metadata.pagination.total,
            [row.storage_id for row in page.items],
            [row.type for row in page.items],
            [row.reported_timestamp.isoformat() for row in page.items],
            [row.execution_id for row in page.items],
        )


def _quickly(value: Mapping[str, Any]) -> EventRows:
    items = value["items"]
    total = value["metadata"]["pagination"]["total"]
    if type(items) is not list or type(total) is not int:
        raise TypeError
    # Whole columns at once: a loop over the rows would cost as much as all else.
    numbers = list(map(_number, items))
    kinds = list(map(_kind, items))
    arrivals = list(map(_arrival, items))
    messages = _texts(list(map(_message, items)))
    sources = _texts(_sources(items, set(kinds)))
    times = list(map(_parse, map(_timestamp, items)))
    if set(map(type, numbers)) - _NUMBER or (times and _some_without_zone(times)):
        raise TypeError
    _all_text(arrivals)
    runs = [None] * len(items)
    if items and "execution_id" in items[0]:
        runs = [row["execution_id"] for row in items]
    # A thousand objects less that the collector of garbage looks at.
    items.clear()
    events = list(map(LogEvent, times, messages, sources))
    return EventRows(events, total, numbers, kinds, arrivals, runs)


def _texts(column: list[Any]) -> list[Any]:
    """A column of texts, where nothing is the empty text."""
    try:
        _all_text(column)
    except TypeError:
        if set(map(type, column)) - _TEXT_OR_NOTHING:
            raise
        return [text or "" for text in column]
    return column


def _all_text(column: Iterable[Any]) -> None:
    """Raise a TypeError unless they are: 6 us for a page; looking at types, 28."""
    "".join(column)


def _some_without_zone(times: Sequence[datetime]) -> bool:
    """Whether one has none; a TypeError if others have: such are not compared.

    It takes 13 us for a page; looking at each, 38.
    """
    return max(times).tzinfo is None


def _sources(items: Sequence[Json], kinds: set[str]) -> list[Any]:
    """An event has no logger, and a log no event type (wire/cloudify.md 3.5)."""
    if kinds == {LOG}:
        return list(map(_logger, items))
    if not kinds <= _KINDS:
        raise TypeError
    return [row["event_type" if row["type"] == EVENT else "logger"] for row in items]


def _event(row: EventItem) -> LogEvent:
    source = row.event_type if row.type == EVENT else row.logger
    return LogEvent(row.timestamp, row.message or "", source or "")


converter.register_structure_hook(EventRows, _structure)
