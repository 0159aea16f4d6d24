"""Answers the events query as a manager does, in memory."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import orjson
from attrs import define, field, frozen

from aioruns.http.codec import decode

BEGIN = 1_714_557_600_000
"""Milliseconds of the first moment in these tests."""


def shown(at):
    when = datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None)
    return f"{when.isoformat(timespec='milliseconds')}Z"


@frozen(order=True)
class Row:
    """A row that arrived `at` milliseconds after the beginning.

    Attributes:
        at: When it arrived.
        number: Its number among those of its type.
        type: Event or log.
        run: Of which execution.
        written: When it was written; by default when it arrived.
        visible: When it can be read; by default when it arrived.
    """

    at: float
    number: int
    type: str = "cloudify_log"
    run: str = "e-1"
    written: float | None = None
    visible: float | None = None

    @property
    def text(self):
        return f"{self.type} {self.number}"

    def item(self):
        source = "event_type" if self.type == "cloudify_event" else "logger"
        return {
            "_storage_id": self.number,
            "type": self.type,
            "timestamp": shown(BEGIN + int(self.written_at)),
            "reported_timestamp": shown(BEGIN + int(self.at)),
            "message": self.text,
            "execution_id": self.run,
            source: "x",
        }

    @property
    def written_at(self):
        return self.at if self.written is None else self.written


@define
class LiveClock:
    """A clock that a test moves, whose wall shows the times of the rows.

    Attributes:
        time: Seconds since the beginning.
    """

    time: float = 0.0

    def now(self):
        return 1000.0 + self.time

    def utc(self):
        return datetime.fromtimestamp(BEGIN / 1000 + self.time, UTC)


@define
class Manager:
    """A `send` for readers."""

    rows: list
    clock: LiveClock = field(factory=LiveClock)
    asked: list = field(factory=list)
    largest: int | None = None
    given: int = 0

    async def __call__(self, request):
        pairs = parse_qsl(urlsplit(request.url("http://m")).query)
        self.asked.append(pairs)
        asked = dict(pairs)
        runs = {value for name, value in pairs if name == "execution_id"}
        rows = [row for row in self.rows if row.run in runs and self.is_visible(row)]
        for name, value in pairs:
            if name == "_range":
                rows = within(rows, *value.split(","))
        rows.sort(key=lambda row: (row.at, row.written_at, row.number))
        if asked["_sort"].startswith("-"):
            rows.reverse()
        start, size = int(asked.get("_offset", 0)), int(asked["_size"])
        size = min(size, self.largest or size)
        items = [row.item() for row in rows[start : start + size]]
        self.given += len(items)
        page = {
            "items": items,
            "metadata": {"pagination": {"total": len(rows)}},
        }
        return decode(orjson.dumps(page), request.returns)

    def is_visible(self, row):
        return row.visible is None or row.visible <= self.clock.time * 1000


def within(rows, name, first, last):
    def time(row):
        at = row.at if name == "reported_timestamp" else row.written_at
        return BEGIN + at

    def bound(text, without):
        if not text:
            return without
        return round(datetime.fromisoformat(text).timestamp() * 1000)

    low, high = bound(first, 0), bound(last, float("inf"))
    return [row for row in rows if low <= time(row) < high]
