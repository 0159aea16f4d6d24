"""What the answers of the four platforms share: times, ids, and blocks of lines.

A log has a hundred lines a second. A second is a block of bytes that was made before,
into which only its time and its number are put.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LINES = 100
"""Lines a second, and events a page where a page is 100 events."""

TIME = b"2026-01-01T00:00:00"
"""Stands for the second in a block."""

NUMBER = b"@@@@@@"
"""Stands for the number of the second in a block, in six digits."""


def message(line: int, length: int) -> str:
    """The text of a line: unique within its log, and of a constant length."""
    text = f"epoch {NUMBER.decode()} step {line:02d} loss=0.{line:02d}713 "
    return text.ljust(length, ".")


@lru_cache(maxsize=4096)
def second(number: int) -> bytes:
    """A second of the log as ISO text without zone."""
    return (BEGIN + timedelta(seconds=number)).isoformat()[:19].encode()


def fill(template: bytes, number: int) -> bytes:
    """A block of the log's second with this number."""
    return template.replace(TIME, second(number)).replace(NUMBER, b"%06d" % number)


def rows(templates: Sequence[bytes], begin: int, end: int) -> bytes:
    """The lines from `begin` up to `end`, joined by commas.

    Args:
        templates: The hundred lines of one second.
        begin: Number of the first line in the log.
        end: Number behind the last one.
    """
    parts = []
    at = begin
    while at < end:
        number, line = divmod(at, LINES)
        count = min(LINES - line, end - at)
        block = (
            _joined(tuple(templates))
            if count == LINES
            else b",".join(templates[line : line + count])
        )
        parts.append(fill(block, number))
        at += count
    return b",".join(parts)


@lru_cache(maxsize=64)
def _joined(templates: tuple[bytes, ...]) -> bytes:
    return b",".join(templates)


def run_id(number: int) -> str:
    """The id of one of many runs that are followed; it has the length of a UUID."""
    return f"{number:08d}-0000-4000-8000-{number:012d}"


def number_of(text: str) -> int:
    """The number in an id of `run_id`."""
    return int(text[:8])


def pages_of(text: str) -> int:
    """How long the log of a run is, which its id says: `log-1000` has 1,000 pages."""
    return int(text.rpartition("-")[2])


def pairs(query: str) -> dict[str, list[str]]:
    """A query, decoded."""
    found: dict[str, list[str]] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        found.setdefault(unquote(name), []).append(unquote(value.replace("+", " ")))
    return found


def seconds_since_begin(text: str) -> float:
    """An ISO time of a query, as seconds of the log."""
    when = datetime.fromisoformat(text)
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - BEGIN).total_seconds()
