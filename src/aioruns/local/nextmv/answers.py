"""Bodies in, bodies out: JSON, timestamps, refusals."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web

from aioruns.local.records import Json

PLATFORM = "nextmv"
"""The name under which the engine keeps this platform's runs and documents."""

INLINE_LIMIT = 5 * 1024 * 1024
"""Bytes of compact JSON; strictly more goes through URLs (wire/nextmv.md 1.10)."""

BODY_LIMIT = 500 * 1024 * 1024
"""Bytes of one request body (wire/nextmv.md 1.10)."""

UPLOAD_LIMIT = 700 * 1024 * 1024
"""Bytes of one upload to a pre-signed URL (wire/nextmv.md 1.10)."""

_SMALL = 64 * 1024


class Refusal(Exception):
    """A request that is answered with an error status and a text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def compact(value: Json) -> str:
    """JSON text as the platform writes it: no spaces, ASCII only."""
    return json.dumps(value, separators=(",", ":"))


def answer(value: Json, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.json_response(value, status=status, dumps=compact)


def refused(status: int, message: str) -> web.Response:
    """An error answer. No source defines a schema: a text (wire/nextmv.md 7.1)."""
    return web.Response(status=status, text=message)


def rfc3339(moment: datetime, timespec: str = "milliseconds") -> str:
    """A UTC time as `2026-05-04T21:00:00.120Z`."""
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


async def parsed(data: bytes) -> Json:
    """The JSON value of `data`, without holding up the event loop if it is long.

    Raises:
        ValueError: It is not JSON, or it holds NaN or an infinity.
    """
    if len(data) <= _SMALL:
        return _loads(data)
    return await asyncio.to_thread(_loads, data)


def _loads(data: bytes) -> Json:
    return json.loads(data, parse_constant=_no_constant)


def _no_constant(name: str) -> Json:
    message = f"{name} is not JSON"
    raise ValueError(message)


async def body(request: web.Request) -> bytes:
    """The whole request body, whatever limit the server has for others."""
    chunks = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise Refusal(413, f"The request body is larger than {BODY_LIMIT} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def json_object(request: web.Request) -> dict[str, Json]:
    """The request body, which must be one JSON object."""
    try:
        value = await parsed(await body(request))
    except ValueError as error:
        raise Refusal(400, f"The request body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refusal(400, "The request body must be a JSON object.")
    return value


def text_of(fields: Mapping[str, Json], key: str) -> str:
    """An optional string field; empty if it is missing or null."""
    value = fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(400, f"`{key}` must be a string.")
    return value


def object_of(fields: Mapping[str, Json], key: str) -> dict[str, Json]:
    """An optional object field; empty if it is missing or null."""
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, f"`{key}` must be an object.")
    return value
