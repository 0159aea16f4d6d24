"""Logs of runs and services, from the start and from the end (wire/abeja.md 2.4, 2.5).

Positions in tokens are serials of lines: `log` and `forward` tokens continue behind
one, a `backward` token continues at it, towards older lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from aioruns.local.abeja import inputs, views
from aioruns.local.abeja.answers import Refused
from aioruns.local.abeja.inputs import Window
from aioruns.local.abeja.runs import find
from aioruns.local.abeja.tokens import seal, unseal
from aioruns.local.faults import suffers
from aioruns.local.records import Json, Line, RunRecord

if TYPE_CHECKING:
    from aioruns.local.abeja.facade import AbejaFacade

_STREAMS = ("stdout", "stderr")


async def logs(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer a page of a run's lines, oldest first."""
    return await oldest_first(abeja, request, find(abeja, request))


async def recent(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer a page of a run's lines, newest first, at the end or beside a token."""
    return await newest_first(abeja, request, find(abeja, request))


async def oldest_first(
    abeja: AbejaFacade, request: web.Request, record: RunRecord
) -> web.Response:
    """A page of what a run or a service wrote, from its start or behind a token."""
    window = inputs.window(request)
    position = 0
    if token := request.query.get("next_token"):
        position = unseal("log", record.id, token)
    elif abeja.empty_page_with_token:
        return web.json_response(
            {"events": [], "next_token": seal("log", record.id, 0)}
        )
    size = abeja.settings.page_size
    lines = await _lines(abeja, record, window, size + 1, after=position)
    body: dict[str, Json] = {"events": [views.event(line) for line in lines[:size]]}
    if len(lines) > size:
        body["next_token"] = seal("log", record.id, lines[size - 1].serial)
    return web.json_response(body)


async def newest_first(
    abeja: AbejaFacade, request: web.Request, record: RunRecord
) -> web.Response:
    """A page of what a run or a service wrote, from its end or beside a token."""
    window = inputs.window(request)
    forward = request.query.get("next_forward_token")
    backward = request.query.get("next_backward_token")
    if forward and backward:
        raise Refused(400, "Send next_forward_token or next_backward_token, not both.")
    if forward and suffers("dead-token"):
        raise Refused(400, "The token has expired.")
    size = abeja.settings.page_size
    position = 0
    if forward:
        position = unseal("forward", record.id, forward)
        lines = await _lines(abeja, record, window, size, after=position)
        lines.reverse()
        if suffers("empty-page") and not record.state.final:
            lines = []
    else:
        older_than = 0  # which to the engine means: the newest
        if backward:
            position = unseal("backward", record.id, backward)
            older_than = position + 1
        lines = await _lines(
            abeja, record, window, size, after=older_than, newest_first=True
        )
    salt = 0
    if lines:
        newest, oldest = lines[0].serial, lines[-1].serial - 1
    else:
        newest = oldest = position
        if abeja.forward_tokens == "changed" or suffers("new-token"):
            salt = abeja.next_salt()
    return web.json_response(
        {
            "events": [views.event(line) for line in lines],
            "next_backward_token": seal("backward", record.id, oldest, salt),
            "next_forward_token": seal("forward", record.id, newest, salt),
        }
    )


async def _lines(
    abeja: AbejaFacade,
    record: RunRecord,
    window: Window,
    count: int,
    *,
    after: int,
    newest_first: bool = False,
) -> list[Line]:
    """The next `count` lines of the window in one direction, from a serial on."""
    found: list[Line] = []
    while True:
        rows = await abeja.engine.lines(
            record.platform,
            record.id,
            streams=_STREAMS,
            after=after,
            limit=count,
            newest_first=newest_first,
        )
        found += [line for _, line in rows if window.holds(line.time)]
        if len(rows) < count or len(found) >= count:
            return found[:count]
        after = rows[-1][1].serial
