"""The handlers of `/execution-groups` (wire/cloudify.md 2.6, 3.3, 3.4)."""

from aiohttp import web

from aioruns.local.cloudify.actions import Actions, refuse_while_cancelling
from aioruns.local.cloudify.answers import Refusal, as_json, bad
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.groups import Groups
from aioruns.local.cloudify.groupstarting import GroupStarter, concurrency
from aioruns.local.cloudify.guard import caller_of, json_object
from aioruns.local.cloudify.naming import shown_id
from aioruns.local.cloudify.queries import boolean, included, known
from aioruns.local.cloudify.statuses import ENDED, after_action, status_of
from aioruns.local.cloudify.tables import fields_of, listed
from aioruns.local.cloudify.wishes import text
from aioruns.local.cloudify.worker import Worker
from aioruns.local.records import Json, RunRecord

_CANCELS = frozenset({"cancel", "force-cancel", "kill"})
_RESUMES = frozenset({"resume", "force-resume"})
_REVIVED = frozenset({"failed", "cancelled"})
# Null in light answers (wire/cloudify.md 3.3).
_HEAVY = ("execution_ids", "status")


class GroupDesk:
    """The handlers of `/execution-groups`."""

    def __init__(
        self,
        groups: Groups,
        starter: GroupStarter,
        worker: Worker,
        actions: Actions,
        behaviour: Behaviour,
    ) -> None:
        self._groups = groups
        self._starter = starter
        self._worker = worker
        self._actions = actions
        self._behaviour = behaviour

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /execution-groups`: light, unless `_get_data=true`."""
        columns = self._groups.columns
        return listed(
            self._groups.all(),
            request.query,
            columns,
            "ExecutionGroup",
            filters=[
                name
                for name in columns
                if name not in {*_HEAVY, "resource_availability", "private_resource"}
            ],
            hidden=() if boolean(request.query, "_get_data") else _HEAVY,
        )

    async def one(self, request: web.Request) -> web.Response:
        """`GET /execution-groups/{id}`."""
        columns = self._groups.columns
        fields = known(included(request.query), columns, "ExecutionGroup")
        group = self._groups.found(request.match_info["id"])
        return as_json(fields_of(group, columns, fields))

    async def create(self, request: web.Request) -> web.Response:
        """`POST /execution-groups`."""
        body = await json_object(request)
        caller = caller_of(request)
        refuse_while_cancelling(caller)
        group = await self._starter.create(body, caller)
        answer = fields_of(group, self._groups.columns)
        return as_json(answer)

    async def update(self, request: web.Request) -> web.Response:
        """`PATCH /execution-groups/{id}`: concurrency and target groups."""
        body = await json_object(request)
        group = self._groups.found(request.match_info["id"])
        for name in ("success_group_id", "failure_group_id"):
            target = text(body, name)
            if target:
                self._groups.aim(group, name, target)
        wanted = body.get("concurrency")
        if wanted is not None:
            before = group.detail["concurrency"]
            group.detail["concurrency"] = concurrency(wanted)
            if before == 0 and group.detail["concurrency"] > 0:
                self._worker.dequeue_soon()
        await self._groups.save(group)
        return self._light(group)

    async def act(self, request: web.Request) -> web.Response:
        """`POST /execution-groups/{id}` with an action."""
        action = (await json_object(request)).get("action")
        group = self._groups.found(request.match_info["id"])
        if action in _CANCELS:
            await self._cancel(group, action)
        elif action in _RESUMES:
            await self._resume(group)
        else:
            valid = ", ".join(sorted(_CANCELS | _RESUMES))
            raise bad(f"Invalid action: {action}; valid actions are: {valid}")
        return self._light(group)

    async def _cancel(self, group: RunRecord, action: str) -> None:
        defects = self._behaviour.defects
        members = self._groups.true_members(group)
        waiting = [r for r in members if status_of(r) == "queued"]
        active = [r for r in members if status_of(r) not in ENDED | {"queued"}]
        # All at once: the end of one member must not start another one.
        for record in waiting:
            self._actions.drop(record)
        for record in waiting:
            await self._actions.settle(record)
        if not active and defects.group_cancel_without_active:
            raise Refusal(
                404, "not_found_error", "Requested `Execution` with ID `` was not found"
            )
        wanted: list[tuple[RunRecord, str]] = []
        for record in active:
            try:
                status = after_action(
                    shown_id(record), status_of(record), action, defects
                )
            except Refusal:
                if defects.group_cancel_half_applied:
                    raise
                continue
            wanted.append((record, status))
        for record, status in wanted:
            if status_of(record) not in ENDED:  # it may have ended meanwhile
                await self._actions.cancel(record, status)

    async def _resume(self, group: RunRecord) -> None:
        ended = [
            r for r in self._groups.true_members(group) if status_of(r) in _REVIVED
        ]
        free = group.detail["concurrency"] - self._worker.lineup.active_of(group.id)
        for record in ended:
            self._actions.revive(record)
        first = ended[: max(0, free)]
        await self._worker.start_now(first)
        for record in ended[len(first) :]:
            await self._groups.save(record)

    def _light(self, group: RunRecord) -> web.Response:
        answer: dict[str, Json] = fields_of(group, self._groups.columns, hidden=_HEAVY)
        return as_json(answer)
