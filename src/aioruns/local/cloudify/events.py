"""Listing and creating events and logs (wire/cloudify.md 2.8)."""

from collections.abc import Mapping

import orjson
from aiohttp import web

from aioruns.local.cloudify import eventquery
from aioruns.local.cloudify.answers import Refusal, as_json, bad, missing, page
from aioruns.local.cloudify.guard import json_object
from aioruns.local.cloudify.queries import arrange, moment
from aioruns.local.cloudify.rows import COLUMNS, EVENTS, LOGS, Row, item, row_of
from aioruns.local.cloudify.worker import EVENT, LOG, PLATFORM, Worker
from aioruns.local.engine import Engine
from aioruns.local.records import Json

_PROGRAM = ("stdout", "stderr")
_STREAMS = {EVENTS: (EVENT,), LOGS: (*_PROGRAM, LOG)}


class Events:
    """The handlers of `/events`."""

    def __init__(self, engine: Engine, worker: Worker) -> None:
        self._engine = engine
        self._worker = worker

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /events`."""
        query = eventquery.read(request.query)
        rows = [row for row in await self._rows(query) if query.passes(row)]
        arrange(rows, query.order, COLUMNS)
        window = query.window
        return page(
            [item(row, query.fields) for row in window.cut(rows)],
            total=len(rows),
            size=window.size,
            offset=window.offset,
            filtered=False,
        )

    async def _rows(self, query: eventquery.EventQuery) -> list[Row]:
        streams = [stream for kind in query.types for stream in _STREAMS.get(kind, ())]
        records = {r.id: r for r in self._worker.records() if query.wants(r)}
        if not streams or not records:
            return []
        lines = await self._engine.lines(PLATFORM, list(records), streams=streams)
        return [row_of(records[run_id], line) for run_id, line in lines]

    async def create(self, request: web.Request) -> web.Response:
        """`POST /events`."""
        body = await json_object(request)
        run_id = body.get("execution_id")
        group_id = body.get("execution_group_id")
        if (run_id is None) == (group_id is None):
            raise Refusal(
                409,
                "conflict_error",
                "Exactly one of execution_id and execution_group_id must be given",
            )
        if run_id is None:
            raise missing("ExecutionGroup", str(group_id))
        record = self._worker.record(str(run_id))
        if record is None:
            raise missing("Execution", str(run_id))
        senders = {
            name: body[name] for name in ("agent_name", "manager_name") if name in body
        }
        notes = [
            (stream, orjson.dumps(senders | _noted(entry, own)).decode())
            for name, stream, own in _TABLES
            for entry in _entries(body, name)
        ]
        for stream, text in notes:
            self._engine.note(record, text, stream=stream)
        if not notes:
            return web.Response(status=204)
        return as_json(None, status=201)


_TABLES = (("events", EVENT, ("event_type",)), ("logs", LOG, ("logger", "level")))


def _entries(body: Mapping[str, Json], name: str) -> list[Json]:
    entries = body.get(name) or []
    if not isinstance(entries, list):
        raise bad(f"`{name}` must be a list or null")
    return entries


def _noted(entry: Json, own: tuple[str, ...]) -> dict[str, Json]:
    context = entry.get("context") if isinstance(entry, dict) else None
    if not isinstance(context, dict):
        raise Refusal(
            500, "internal_server_error", "An event or a log has no `context` object"
        )
    message = entry.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("text"), str):
        raise bad("`message` must be an object with a `text`")
    causes = context.get("task_error_causes")
    noted: dict[str, Json] = {
        "message": message["text"],
        "operation": entry.get("operation") or context.get("operation"),
        "source_id": context.get("source_id"),
        "target_id": context.get("target_id"),
        "error_causes": None if causes is None else orjson.dumps(causes).decode(),
        **{name: entry.get(name) for name in own},
    }
    for name in ("timestamp", "reported_timestamp"):
        if entry.get(name) is not None:
            noted[name] = _date(entry[name])
    return noted


def _date(text: Json) -> str:
    try:
        return moment(text).isoformat()
    except (ValueError, AttributeError):
        raise bad(f"`{text}` is not a date") from None
