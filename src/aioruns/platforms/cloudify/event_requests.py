"""The requests for events and logs of executions, by the time of their arrival."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlencode

from aioruns.http.request import Request, path, query
from aioruns.platforms.cloudify.rows import (
    EVENT,
    FIELDS,
    LOG,
    EventRows,
    milliseconds,
)
from aioruns.seam import ALL, Window


def list_events(
    run_ids: Sequence[str],
    since: int | None = None,
    before: int | None = None,
    *,
    size: int,
    offset: int = 0,
    down: bool = False,
    window: Window = ALL,
) -> Request[EventRows]:
    """List events and logs by the time of their arrival (wire/cloudify.md 4.2).

    Args:
        run_ids: Of which executions; of several, each row names its own.
        since: Those that arrived at this millisecond or later.
        before: Those that arrived before this millisecond.
        size: Rows, at most.
        offset: Rows to leave out.
        down: Newest first.
        window: Which are wanted, by the times that they carry.
    """
    where = {
        "_size": size,
        "_offset": offset or None,
        "_range": [*_arrived(since, before), *_written(window)],
    }
    encoded = f"{_events_of(tuple(run_ids), down=down)}&{urlencode(query(where))}"
    return Request("GET", path("events"), EventRows, encoded_query=encoded)


@lru_cache(maxsize=64)
def _events_of(run_ids: tuple[str, ...], *, down: bool) -> str:
    """What is the same in each request for a log; quoting it takes 25 us."""
    asked = {
        "execution_id": run_ids,
        "type": [EVENT, LOG],
        "_include": FIELDS if len(run_ids) == 1 else f"{FIELDS},execution_id",
        "_sort": "-reported_timestamp" if down else "reported_timestamp",
    }
    return urlencode(query(asked))


def _arrived(since: int | None, before: int | None) -> list[str]:
    if since is None and before is None:
        return []
    first = "" if since is None else stamp(since)
    last = "" if before is None else stamp(before)
    return [f"reported_timestamp,{first},{last}"]


def _written(window: Window) -> list[str]:
    """A range for a window: wider than that, to whole milliseconds.

    The manager compares microseconds, which it does not show (wire/cloudify.md 2.8).
    """
    if window == ALL:
        return []
    since, until = window.since, window.until
    first = "" if since is None else stamp(milliseconds(since))
    last = "" if until is None else stamp(milliseconds(until) + 1)
    return [f"timestamp,{first},{last}"]


def stamp(moment: int) -> str:
    """A time, given in milliseconds, in UTC as the manager writes it."""
    when = datetime.fromtimestamp(moment // 1000, UTC).replace(tzinfo=None)
    return f"{when.isoformat()}.{moment % 1000:03}Z"
