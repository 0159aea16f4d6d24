"""Listing, creating and deleting events and logs (wire/cloudify.md 2.8)."""

from collections.abc import Mapping
from datetime import datetime
from itertools import chain

import orjson
from aiohttp import web

from aioruns.local.cloudify import eventquery
from aioruns.local.cloudify.answers import Refusal, as_json, bad, missing, page
from aioruns.local.cloudify.arrivals import Arrivals
from aioruns.local.cloudify.groups import Groups
from aioruns.local.cloudify.guard import caller_of, json_object
from aioruns.local.cloudify.naming import EVENT, LOG
from aioruns.local.cloudify.queries import arrange, moment
from aioruns.local.cloudify.rows import COLUMNS, EVENTS, LOGS, Row, item, noted_in
from aioruns.local.cloudify.users import SET_TIMESTAMP, Caller
from aioruns.local.cloudify.worker import Worker
from aioruns.local.engine import Engine
from aioruns.local.records import Json, Line, RunRecord, utcnow

_PROGRAM = ("stdout", "stderr")
_STREAMS = {EVENTS: (EVENT,), LOGS: (*_PROGRAM, LOG)}


class Events:
    """The handlers of `/events`."""

    def __init__(
        self, engine: Engine, worker: Worker, groups: Groups, arrivals: Arrivals
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._groups = groups
        self._arrivals = arrivals

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /events`."""
        query = eventquery.read(request.query)
        streams = [stream for kind in query.types for stream in _STREAMS.get(kind, ())]
        records = [r for r in self._candidates(query) if query.wants(r)]
        # Lines are kept in the order of insertion, unless somebody said otherwise.
        ordered = not any(record.detail.get("told_times") for record in records)
        rows: list[Row] = []
        total = 0
        if not streams or not records:
            pass
        elif ordered and query.plain and self._arrivals.at_once:
            rows, total = await self._page(records, streams, query)
        else:
            since = query.since if ordered else None
            found = await self._rows(records, streams, since)
            rows = [row for row in found if query.passes(row)]
            arrange(rows, query.order, COLUMNS)
            rows, total = query.window.cut(rows), len(rows)
        return page(
            [item(row, query.fields) for row in rows],
            total=total,
            size=query.window.size,
            offset=query.window.offset,
            filtered=False,
        )

    def _candidates(self, query: eventquery.EventQuery) -> list[RunRecord]:
        # The follower of one execution or group among very many.
        if "execution_id" in query.runs:
            found = map(self._worker.with_id, query.runs["execution_id"])
            return list(chain.from_iterable(found))
        if "execution_group_id" in query.runs:
            groups = map(self._groups.get, query.runs["execution_group_id"])
            return [group for group in groups if group is not None]
        return [*self._worker.records(), *self._groups.all()]

    async def _page(
        self,
        records: list[RunRecord],
        streams: list[str],
        query: eventquery.EventQuery,
    ) -> tuple[list[Row], int]:
        # Long logs are read page by page, and most of them is not looked at for each.
        window = query.window
        lines = await self._engine.lines_of(
            records, streams=streams, skip=window.offset, limit=window.size
        )
        total = await self._engine.count_lines(records, streams=streams)
        return [self._row(*pair) for pair in lines], total

    async def _rows(
        self, records: list[RunRecord], streams: list[str], since: datetime | None
    ) -> list[Row]:
        """The rows that can be read, of those that were reported since then."""
        if since is not None:
            since -= self._arrivals.latest
        now = utcnow()  # first, so that all that can be read by then is in the lines
        lines = await self._engine.lines_of(records, streams=streams, since=since)
        rows = (self._row(*pair) for pair in lines)
        shown = self._arrivals.shown
        return [row for row in rows if shown(row.line, row.inserted) <= now]

    def _row(self, record: RunRecord, line: Line) -> Row:
        noted = noted_in(line)
        return Row(record, line, noted, self._arrivals.inserted(record, line, noted))

    async def create(self, request: web.Request) -> web.Response:
        """`POST /events`."""
        body = await json_object(request)
        caller = caller_of(request)
        record = self._target(body, caller)
        senders = {
            name: body[name] for name in ("agent_name", "manager_name") if name in body
        }
        noted = [
            (stream, senders | _noted(entry, own))
            for name, stream, own in _TABLES
            for entry in _entries(body, name)
        ]
        if any("reported_timestamp" in row for _, row in noted):
            caller.require(SET_TIMESTAMP, "`reported_timestamp`")
            record.detail["told_times"] = True
            await self._engine.save(record)
        for stream, row in noted:
            self._engine.note(record, orjson.dumps(row).decode(), stream=stream)
        if not noted:
            return web.Response(status=204)
        return as_json(None, status=201)

    def _target(self, body: Mapping[str, Json], caller: Caller) -> RunRecord:
        run_id, group_id = body.get("execution_id"), body.get("execution_group_id")
        if run_id is None and group_id is None and caller.execution is not None:
            return caller.execution
        if (run_id is None) == (group_id is None):
            raise Refusal(
                409,
                "conflict_error",
                "Exactly one of execution_id and execution_group_id must be given",
            )
        if run_id is None:
            return self._groups.found(str(group_id))
        self._worker.alone(str(run_id))
        record = self._worker.record(str(run_id))
        if record is None:
            raise missing("Execution", str(run_id))
        return record

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /events`: those of a deployment, in ranges of time."""
        query = request.query
        if EVENTS not in query.getall("type", []):
            raise bad(f"At least the filter type={EVENTS} is needed")
        if "deployment_id" not in query:
            raise Refusal(500, "internal_server_error", "KeyError: 'deployment_id'")
        asked = eventquery.read(query)
        streams = [stream for kind in asked.types for stream in _STREAMS.get(kind, ())]
        # The first deployment and the ranges count, and no other filter.
        records = [
            r for r in self._worker.records() if r.scope == query["deployment_id"]
        ]
        tests = eventquery.range_tests(query)
        rows = await self._rows(records, streams, None)
        doomed = [row for row in rows if all(test(row) for test in tests)]
        await self._engine.erase(row.line for row in doomed)
        pagination = {
            "size": asked.window.size,
            "offset": asked.window.offset,
            "total": len(doomed),
        }
        return as_json({"items": [len(doomed)], "metadata": {"pagination": pagination}})


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
