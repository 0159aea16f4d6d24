"""What requests carry: JSON bodies and query parameters, checked."""

import json
from datetime import UTC, datetime

from aiohttp import web
from attrs import frozen

from aioruns.local.abeja.answers import Refused
from aioruns.local.records import Json

_DEFAULT_RETRY_COUNT = 5
_MAX_RETRY_COUNT = 9


async def json_object(request: web.Request) -> dict[str, Json]:
    """The body, which must be a JSON object."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Refused(400, "The request body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refused(400, "The request body is not a JSON object.")
    return body


def _wrong(field: str, must: str) -> Refused:
    return Refused(400, f"The field {field} {must}.", {field: [must]})


def text(body: dict[str, Json], field: str) -> str:
    """A field that must be a non-empty string."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise _wrong(field, "is required and must be a string")
    return value


def string_map(body: dict[str, Json], field: str) -> dict[str, str] | None:
    """An optional object of strings; None when null or absent."""
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, dict) or not all(
        isinstance(item, str) for item in value.values()
    ):
        raise _wrong(field, "must be an object whose values are strings")
    return value


def optional_object(body: dict[str, Json], field: str) -> dict[str, Json] | None:
    """An optional object of anything; None when null or absent."""
    value = body.get(field)
    if value is not None and not isinstance(value, dict):
        raise _wrong(field, "must be an object")
    return value


def retry_count(body: dict[str, Json]) -> int:
    """How often the platform may try: 0 to 9, 5 by default (wire/abeja.md 2.1)."""
    value = body.get("retry_count")
    if value is None:
        return _DEFAULT_RETRY_COUNT
    if type(value) is not int or not 0 <= value <= _MAX_RETRY_COUNT:
        raise _wrong("retry_count", "must be an integer from 0 to 9")
    return value


def distribution(body: dict[str, Json]) -> int | None:
    """The number that chooses the queue; None leaves it to the server."""
    value = body.get("distribution")
    if value is not None and type(value) is not int:
        raise _wrong("distribution", "must be an integer")
    return value


def scan_forward(request: web.Request) -> bool:
    """Whether a listing starts at the oldest entry; any letter case is accepted."""
    value = request.query.get("scan_forward", "false")
    match value.lower():
        case "true":
            return True
        case "false":
            return False
    raise Refused(400, f"scan_forward must be true or false, not {value[:40]!r}.")


@frozen
class Window:
    """The times that a log request asks for, both ends included."""

    start: datetime | None
    end: datetime | None

    def holds(self, time: datetime) -> bool:
        """Whether the time is inside."""
        return (self.start is None or self.start <= time) and (
            self.end is None or time <= self.end
        )


def window(request: web.Request) -> Window:
    """`start_time` and `end_time` of the query; empty ones count as absent."""
    return Window(_time(request, "start_time"), _time(request, "end_time"))


def _time(request: web.Request, name: str) -> datetime | None:
    value = request.query.get(name)
    if not value:
        return None
    try:
        # wire/abeja.md 2.4: whole seconds of UTC; the vendor's command line adds a Z.
        return datetime.strptime(value.removesuffix("Z"), "%Y-%m-%dT%H:%M:%S").replace(
            tzinfo=UTC
        )
    except ValueError:
        raise Refused(
            400, f"{name} must look like 2024-01-02T03:04:05 (UTC), not {value[:40]!r}."
        ) from None
