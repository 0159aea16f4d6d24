"""Starting, reading, changing and deleting executions (wire/cloudify.md 2.1)."""

from aiohttp import web
from multidict import MultiMapping

from aioruns.local import lag
from aioruns.local.cloudify import deleting, views, wishes
from aioruns.local.cloudify.actions import Actions, refuse_while_cancelling
from aioruns.local.cloudify.answers import Refusal, as_json, bad, missing, page
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.guard import caller_of, json_object
from aioruns.local.cloudify.naming import PLATFORM, shown_id
from aioruns.local.cloudify.queries import Order, arrange, included, known, orders
from aioruns.local.cloudify.queries import window as read_window
from aioruns.local.cloudify.scheduledesk import ScheduleDesk
from aioruns.local.cloudify.selecting import selected
from aioruns.local.cloudify.starting import Starter
from aioruns.local.cloudify.statuses import after_action, status_of
from aioruns.local.cloudify.tables import PAGE
from aioruns.local.cloudify.worker import Worker
from aioruns.local.engine import Engine
from aioruns.local.records import RunRecord


class Executions:
    """The handlers of `/executions`."""

    def __init__(
        self,
        engine: Engine,
        worker: Worker,
        starter: Starter,
        actions: Actions,
        schedules: ScheduleDesk,
        behaviour: Behaviour,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._starter = starter
        self._schedules = schedules
        self._actions = actions
        self._behaviour = behaviour

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /executions`."""
        query = request.query
        fields = known(included(query), views.FIELDS, "Execution")
        order = [*orders(query, views.FILTERS), Order("created_at", down=False)]
        window = read_window(query, default=PAGE)
        rows = selected(self._candidates(query), query, self._behaviour.defects)
        arrange(rows, order, views.FILTERS)
        return page(
            [views.execution(record, fields) for record in window.cut(rows)],
            total=len(rows),
            size=PAGE if window.everything else window.size,
            offset=window.offset,
        )

    def _candidates(self, query: MultiMapping[str]) -> list[RunRecord]:
        if "id" not in query or lag.current() is not None:
            return self._engine.runs(PLATFORM)
        # The bulk poll of a few among very many.
        return [
            record
            for run_id in dict.fromkeys(query.getall("id"))
            for record in self._worker.with_id(run_id)
        ]

    async def one(self, request: web.Request) -> web.Response:
        """`GET /executions/{id}`."""
        fields = known(included(request.query), views.FIELDS, "Execution")
        run_id = request.match_info["id"]
        self._worker.alone(run_id)
        record = self._engine.get(PLATFORM, run_id)
        if record is None:
            raise missing("Execution", run_id)
        return as_json(views.execution(record, fields))

    async def start(self, request: web.Request) -> web.Response:
        """`POST /executions`: now, in the queue, or at a time (2.3)."""
        body = await json_object(request)
        caller = caller_of(request)
        refuse_while_cancelling(caller)
        wish = wishes.read(body, caller)
        if wish.scheduled is None:
            created = await self._starter.start(wish)
        else:
            created = await self._schedules.later(wish)
        return as_json(created, status=201)

    async def update(self, request: web.Request) -> web.Response:
        """`PATCH /executions/{id}`: what a worker reports (2.4)."""
        body = await json_object(request)
        record = self._found(request)
        answer = await self._actions.report(
            record, body.get("status"), body.get("error", "")
        )
        return as_json(answer)

    async def act(self, request: web.Request) -> web.Response:
        """`POST /executions/{id}` with an action."""
        action = (await json_object(request)).get("action")
        if not isinstance(action, str):
            raise bad("Missing action in json request body")
        record = self._found(request)
        status = after_action(
            shown_id(record), status_of(record), action, self._behaviour.defects
        )
        return as_json(await self._actions.apply(record, status))

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /executions`: forget ended ones (2.7)."""
        choice = deleting.read(await json_object(request))
        window = read_window(request.query, default=PAGE)
        defects = self._behaviour.defects
        if defects.delete_refuses_status and "status" in request.query:
            raise bad("Can't filter by execution status")
        matching = selected(self._worker.records(), request.query, defects, system=True)
        doomed = deleting.doomed(matching, choice, defects)
        for record in doomed:
            if self._worker.record(record.id) is record:  # no other request was faster
                await self._engine.remove(PLATFORM, record.id)
                self._worker.forget(record)
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
        if self._behaviour.defects.should_start_fails:
            raise Refusal(
                500,
                "internal_server_error",
                "TypeError: check_for_executions() got multiple values for an argument",
            )
        ahead = self._worker.lineup.ahead(record.scope)
        return as_json(all(other is record for other in ahead))

    def _found(self, request: web.Request) -> RunRecord:
        run_id = request.match_info["id"]
        self._worker.alone(run_id)
        record = self._worker.record(run_id)
        if record is None:
            raise missing("Execution", run_id)
        return record
