"""Reading executions, acting on them, and deleting them (wire/cloudify.md 2.1)."""

from aiohttp import web
from multidict import MultiMapping

from aioruns.local import lag
from aioruns.local.cloudify import deleting, views
from aioruns.local.cloudify.answers import Refusal, as_json, bad, missing, page
from aioruns.local.cloudify.guard import json_object
from aioruns.local.cloudify.queries import Order, arrange, included, known, orders
from aioruns.local.cloudify.queries import window as read_window
from aioruns.local.cloudify.selecting import selected
from aioruns.local.cloudify.statuses import (
    ENDED,
    STATUSES,
    after_action,
    may_become,
    status_of,
)
from aioruns.local.cloudify.worker import PLATFORM, Worker
from aioruns.local.engine import Engine
from aioruns.local.records import Json, RunRecord, State, utcnow

_PAGE = 1000


class Executions:
    """The handlers of `/executions`, but for the start."""

    def __init__(self, engine: Engine, worker: Worker) -> None:
        self._engine = engine
        self._worker = worker

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /executions`."""
        query = request.query
        fields = known(included(query), views.FIELDS, "Execution")
        order = [*orders(query, views.FILTERS), Order("created_at", down=False)]
        window = read_window(query, default=_PAGE)
        rows = selected(self._candidates(query), query)
        arrange(rows, order, views.FILTERS)
        return page(
            [views.execution(record, fields) for record in window.cut(rows)],
            total=len(rows),
            size=_PAGE if window.everything else window.size,
            offset=window.offset,
        )

    def _candidates(self, query: MultiMapping[str]) -> list[RunRecord]:
        if "id" not in query or lag.current() is not None:
            return self._engine.runs(PLATFORM)
        # The bulk poll of a few among very many.
        found = (
            self._engine.get(PLATFORM, i) for i in dict.fromkeys(query.getall("id"))
        )
        return [record for record in found if record is not None]

    async def one(self, request: web.Request) -> web.Response:
        """`GET /executions/{id}`."""
        fields = known(included(request.query), views.FIELDS, "Execution")
        run_id = request.match_info["id"]
        record = self._engine.get(PLATFORM, run_id)
        if record is None:
            raise missing("Execution", run_id)
        return as_json(views.execution(record, fields))

    async def update(self, request: web.Request) -> web.Response:
        """`PATCH /executions/{id}`: what a worker reports (2.4)."""
        body = await json_object(request)
        record = self._found(request)
        target, error = body.get("status"), body.get("error", "")
        if not isinstance(target, str):
            raise bad("Missing status in json request body")
        if error is not None and not isinstance(error, str):
            raise bad("`error` must be a string")
        current = status_of(record)
        if not may_become(current, target):
            raise Refusal(
                400,
                "invalid_exception_status_update",
                f"Invalid relationship - can't change status from {current} to {target}"
                f" for execution {record.id}",
            )
        if target not in STATUSES:
            raise bad(f"`status` must be one of {', '.join(sorted(STATUSES))}")
        detail = record.detail
        if target != current:
            detail["status"] = target
        detail["error"] = error or ""
        if target == "started":
            detail["started_at"] = utcnow().isoformat()
        if target in ENDED and current not in ENDED:
            detail["ended_at"] = utcnow().isoformat()
            self._worker.dequeue_soon()
        self._worker.lineup.place(record)
        await self._engine.save(record)
        return as_json(views.answered(record, target) | {"error": detail["error"]})

    async def act(self, request: web.Request) -> web.Response:
        """`POST /executions/{id}` with an action."""
        action = (await json_object(request)).get("action")
        if not isinstance(action, str):
            raise bad("Missing action in json request body")
        record = self._found(request)
        current = status_of(record)
        status = after_action(record.id, current, action)
        if status == "pending":
            return as_json(await self._resume(record))
        return as_json(await self._cancel(record, current, status))

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /executions`: forget ended ones (2.7)."""
        choice = deleting.read(await json_object(request))
        window = read_window(request.query, default=_PAGE)
        matching = selected(self._worker.records(), request.query, system=True)
        doomed = deleting.doomed(matching, choice)
        for record in doomed:
            if self._worker.record(record.id) is record:  # no other request was faster
                await self._engine.remove(PLATFORM, record.id)
        asked = {"_size": window.size, "_offset": window.offset}
        pagination = {
            name.removeprefix("_"): value
            for name, value in asked.items()
            if name in request.query
        }
        return as_json(
            {"items": [{"count": len(doomed)}], "metadata": {"pagination": pagination}}
        )

    async def should_start(self, request: web.Request) -> web.Response:
        """`GET /executions/{id}/should-start`."""
        record = self._found(request)
        ahead = self._worker.lineup.ahead(record.scope)
        return as_json(all(other is record for other in ahead))

    def _found(self, request: web.Request) -> RunRecord:
        run_id = request.match_info["id"]
        record = self._worker.record(run_id)
        if record is None:
            raise missing("Execution", run_id)
        return record

    async def _cancel(
        self, record: RunRecord, current: str, status: str
    ) -> dict[str, Json]:
        detail = record.detail
        detail["cancel"] = status
        if current in ENDED:
            # wire/cloudify.md 3.2.2: kill takes an ended execution as well, and the
            # worker, which finds no process, brings it to `cancelled`
            detail["status"], detail["error"] = "cancelled", ""
            await self._engine.save(record)
        else:
            detail.pop("status", None)
            await self._engine.cancel(PLATFORM, record.id)  # saves as well
            self._worker.lineup.place(record)
        return views.answered(record, status) | {"error": ""}

    async def _resume(self, record: RunRecord) -> dict[str, Json]:
        # The error of the last time stays until the worker starts again.
        kept: dict[str, Json] = {"resume": True, "error": views.error(record)}
        before = dict(record.detail)
        detail = record.detail
        for name in ("status", "final", "cancel", "ended_at"):
            detail.pop(name, None)
        detail.update(kept, held=False)
        match record.state:
            case State.QUEUED:  # restored, or still waiting
                await self._engine.release(PLATFORM, record.id)
            case State.SUCCEEDED:  # nothing is left to do
                detail["error"] = ""
            case State.FAILED | State.CANCELED:
                detail.pop("begun", None)
                try:
                    await self._engine.reset(PLATFORM, record.id)
                except ValueError as error:
                    record.detail = before
                    raise Refusal(409, "conflict_error", str(error)) from None
        self._worker.lineup.place(record)
        await self._engine.save(record)
        return views.answered(record, "pending") | kept
