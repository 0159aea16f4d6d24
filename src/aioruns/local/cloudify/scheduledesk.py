"""The handlers of `/execution-schedules`, and starts that are for later (2.5)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from aiohttp import web

from aioruns.local.cloudify.answers import Refusal, as_json, bad, missing
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.guard import caller_of, json_object
from aioruns.local.cloudify.naming import TENANT
from aioruns.local.cloudify.queries import (
    Columns,
    included,
    known,
    plain_date,
    stamp,
)
from aioruns.local.cloudify.recurrences import rule_of
from aioruns.local.cloudify.scheduler import (
    Schedule,
    Scheduler,
    moment_of,
    plan,
    upcoming,
)
from aioruns.local.cloudify.starting import Starter
from aioruns.local.cloudify.statuses import status_of
from aioruns.local.cloudify.tables import fields_of, listed
from aioruns.local.cloudify.users import SET_OWNER, SET_TIMESTAMP, Caller, User
from aioruns.local.cloudify.views import FIELDS
from aioruns.local.cloudify.wishes import Wish, date, flag, required, text
from aioruns.local.cloudify.workflows import Catalog
from aioruns.local.records import Json, utcnow


class ScheduleDesk:
    """The handlers of `/execution-schedules`."""

    def __init__(
        self,
        scheduler: Scheduler,
        starter: Starter,
        catalog: Catalog,
        users: Mapping[str, User],
        behaviour: Behaviour,
    ) -> None:
        self._scheduler = scheduler
        self._starter = starter
        self._catalog = catalog
        self._users = users
        self._behaviour = behaviour
        self._columns: Columns[Schedule] = {
            "id": lambda s: s["id"],
            "created_at": lambda s: moment_of(s, "created_at"),
            "visibility": lambda _: "tenant",
            "next_occurrence": lambda s: moment_of(s, "next_occurrence"),
            "since": lambda s: moment_of(s, "since"),
            "until": lambda s: moment_of(s, "until"),
            "rule": lambda s: s["rule"],
            "slip": lambda s: s["slip"],
            "workflow_id": lambda s: s["workflow_id"],
            "parameters": lambda s: s["parameters"],
            "execution_arguments": lambda s: s["execution_arguments"],
            "stop_on_fail": lambda s: s["stop_on_fail"],
            "enabled": lambda s: s["enabled"],
            "deployment_id": lambda s: s["deployment_id"],
            "latest_execution_status": self._latest,
            "tenant_name": lambda _: TENANT,
            "created_by": lambda s: s["created_by"],
            "resource_availability": lambda _: "tenant",
            "private_resource": lambda _: False,
            "all_next_occurrences": upcoming,
        }

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /execution-schedules`."""
        part = request.query.get("_search", "").lower()
        rows = [s for s in self._scheduler.all() if part in s["id"].lower()]
        return listed(rows, request.query, self._columns, "ExecutionSchedule")

    async def one(self, request: web.Request) -> web.Response:
        """`GET /execution-schedules/{id}`."""
        fields = known(included(request.query), self._columns, "ExecutionSchedule")
        return as_json(fields_of(self._found(request), self._columns, fields))

    async def create(self, request: web.Request) -> web.Response:
        """`PUT /execution-schedules/{id}`."""
        deployment_id = _deployment_id(request)
        body, schedule_id = await json_object(request), request.match_info["id"]
        schedule = self._read(body, caller_of(request))
        schedule |= {"id": schedule_id, "deployment_id": deployment_id}
        self._catalog.workflow(deployment_id, schedule["workflow_id"])
        plan(schedule)
        # Nothing is awaited between the look and the entry: of two requests with one
        # id, one is refused (wire/cloudify.md 6.2).
        if self._scheduler.get(deployment_id, schedule_id) is not None:
            raise Refusal(
                409,
                "conflict_error",
                f"ExecutionSchedule with ID `{schedule_id}` already exists",
            )
        await self._scheduler.put(schedule)
        return as_json(fields_of(schedule, self._columns), status=201)

    async def update(self, request: web.Request) -> web.Response:
        """`PATCH /execution-schedules/{id}`; what is null stays."""
        schedule = self._found(request)
        body = await json_object(request)
        for name in ("since", "until"):
            if body.get(name):
                schedule[name] = plain_date(body[name], name).isoformat()
        workflow_id = text(body, "workflow_id")
        if workflow_id:
            schedule["workflow_id"] = workflow_id
        if body.get("slip") is not None:
            schedule["slip"] = _slip(body["slip"])
        for name in ("stop_on_fail", "enabled"):
            if body.get(name) is not None:
                schedule[name] = flag(body, name)
        schedule["rule"] = rule_of(body, schedule["rule"])
        plan(schedule)
        await self._scheduler.put(schedule)
        return as_json(fields_of(schedule, self._columns), status=201)

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /execution-schedules/{id}`."""
        await self._scheduler.drop(self._found(request))
        return web.Response(status=204)

    async def later(self, wish: Wish) -> dict[str, Json]:
        """`POST /executions` with a `scheduled_time`: a schedule, not an execution."""
        await self._starter.check(wish)
        assert wish.scheduled is not None
        when = wish.scheduled.isoformat()
        schedule: Schedule = {
            "id": f"{wish.workflow_id}_{uuid4()}",
            "deployment_id": wish.deployment_id,
            "workflow_id": wish.workflow_id,
            "parameters": dict(wish.parameters),
            "execution_arguments": {
                "allow_custom_parameters": wish.custom,
                "force": wish.force,
                "is_dry_run": wish.dry_run,
            },
            "since": when,
            "until": None,
            "rule": {"recurrence": None, "count": 1, "weekdays": None},
            "slip": 0,
            "stop_on_fail": False,
            "enabled": True,
            "created_at": utcnow().isoformat(),
            "created_by": wish.creator,
            "latest": None,
        }
        plan(schedule)
        await self._scheduler.put(schedule)
        answer: dict[str, Json] = dict.fromkeys(FIELDS)
        answer |= {"status": "scheduled", "status_display": "scheduled"}
        if not self._behaviour.defects.schedule_without_id:
            answer |= {
                name: schedule[name]
                for name in ("id", "deployment_id", "workflow_id", "parameters")
            }
            answer["scheduled_for"] = stamp(wish.scheduled)
        return answer

    def _read(self, body: Mapping[str, Json], caller: Caller) -> Schedule:
        parameters = body.get("parameters")
        if parameters is not None and not isinstance(parameters, dict):
            raise bad("parameters: expected an object")
        if "since" not in body:
            raise bad("Missing since in json request body")
        created_at, creator = text(body, "created_at"), text(body, "created_by")
        if created_at:
            caller.require(SET_TIMESTAMP, "`created_at`")
        if creator:
            caller.require(SET_OWNER, "`created_by`")
            if creator not in self._users:
                raise bad(f"`created_by` must be one of {', '.join(self._users)}")
        return {
            "workflow_id": required(body, "workflow_id"),
            "parameters": parameters,
            "execution_arguments": _arguments(body),
            "since": plain_date(body["since"], "since").isoformat(),
            "until": _until(body),
            "rule": rule_of(body),
            "slip": _slip(body.get("slip", 0)),
            "stop_on_fail": flag(body, "stop_on_fail"),
            "enabled": flag(body, "enabled", default=True),
            "created_at": (
                date("created_at", created_at) if created_at else utcnow().isoformat()
            ),
            "created_by": creator or caller.name,
            "latest": None,
        }

    def _found(self, request: web.Request) -> Schedule:
        schedule_id = request.match_info["id"]
        schedule = self._scheduler.get(_deployment_id(request), schedule_id)
        if schedule is None:
            raise missing("ExecutionSchedule", schedule_id)
        return schedule

    def _latest(self, schedule: Schedule) -> str | None:
        record = self._scheduler.latest(schedule)
        return None if record is None else status_of(record)


def _deployment_id(request: web.Request) -> str:
    if "deployment_id" not in request.query:
        raise Refusal(400, None, "The query parameter deployment_id is missing.")
    return request.query["deployment_id"]


def _until(body: Mapping[str, Json]) -> str | None:
    until = body.get("until")
    when: datetime | None = plain_date(until, "until") if until else None
    return None if when is None else when.isoformat()


def _slip(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise bad(f"`slip` must be a number of minutes, not `{value}`")
    return value


def _arguments(body: Mapping[str, Json]) -> dict[str, Json]:
    given = body.get("execution_arguments")
    if not given:
        return {}
    if not isinstance(given, dict):
        raise bad("execution_arguments: expected an object")
    dry = "dry_run" if "dry_run" in given else "is_dry_run"
    return {
        "allow_custom_parameters": flag(given, "allow_custom_parameters"),
        "force": flag(given, "force"),
        "is_dry_run": flag(given, dry),
        "wait_after_fail": given.get("wait_after_fail", 600),
    }
