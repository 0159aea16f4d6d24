"""`POST /execution-groups`: an execution for each deployment of a group (2.6)."""

from collections.abc import Mapping
from uuid import uuid4

from attrs import frozen

from aioruns.local.cloudify.answers import Refusal, bad, missing
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.groups import Groups
from aioruns.local.cloudify.starting import Starter
from aioruns.local.cloudify.statuses import ENDED, status_of
from aioruns.local.cloudify.users import (
    SET_GROUP,
    SET_OWNER,
    SET_TIMESTAMP,
    Caller,
    User,
)
from aioruns.local.cloudify.wishes import Wish, date, required, text
from aioruns.local.cloudify.worker import Worker
from aioruns.local.cloudify.workflows import Catalog, Workflow
from aioruns.local.records import Json, RunRecord

_CONCURRENCY = 5


@frozen
class Member:
    """An execution that a group is about to have."""

    id: str
    wish: Wish
    workflow: Workflow
    parameters: dict[str, Json]


class GroupStarter:
    """Creates groups, and starts their executions."""

    def __init__(
        self,
        groups: Groups,
        starter: Starter,
        worker: Worker,
        catalog: Catalog,
        users: Mapping[str, User],
        behaviour: Behaviour,
    ) -> None:
        self._groups = groups
        self._starter = starter
        self._worker = worker
        self._catalog = catalog
        self._users = users
        self._behaviour = behaviour

    async def create(self, body: Mapping[str, Json], caller: Caller) -> RunRecord:
        """Create the group that a body asks for, and start it unless it has members."""
        detail = self._detail(body, caller)
        existing = [self._execution(i) for i in _ids(body, "associated_executions")]
        group_id = self._id(body, caller)
        deployments = self._catalog.group(detail["deployment_group_id"])
        if existing:
            return await self._gather(group_id, detail, existing)
        skipped: list[str] = []
        try:
            members = self._members(
                deployments.deployment_ids, detail, body, caller, skipped
            )
        except Refusal:
            if self._behaviour.defects.group_start_leaves_group:
                await self._groups.create(group_id, detail)
            raise
        return await self._start(group_id, detail, members, skipped)

    # -- what is asked ----------------------------------------------------------------

    def _detail(self, body: Mapping[str, Json], caller: Caller) -> dict[str, Json]:
        detail: dict[str, Json] = {
            "deployment_group_id": required(body, "deployment_group_id"),
            "workflow_id": required(body, "workflow_id"),
            "concurrency": concurrency(body.get("concurrency", _CONCURRENCY)),
            "created_by": caller.name,
            "members": [],
        }
        created_at = text(body, "created_at")
        if created_at:
            caller.require(SET_TIMESTAMP, "`created_at`")
            detail["created_at"] = date("created_at", created_at)
        creator = text(body, "created_by")
        if creator:
            caller.require(SET_OWNER, "`created_by`")
            if creator not in self._users:
                raise bad(f"`created_by` must be one of {', '.join(self._users)}")
            detail["created_by"] = creator
        return detail

    def _id(self, body: Mapping[str, Json], caller: Caller) -> str:
        wanted = text(body, "id")
        if not wanted:
            return str(uuid4())
        caller.require(SET_GROUP, "`id`")
        if self._groups.get(wanted) is not None:
            raise Refusal(
                409,
                "conflict_error",
                f"ExecutionGroup with ID `{wanted}` already exists",
            )
        return wanted

    def _execution(self, run_id: str) -> RunRecord:
        record = self._worker.record(run_id)
        if record is None:
            raise missing("Execution", run_id)
        return record

    def _members(
        self,
        deployment_ids: list[str],
        detail: Mapping[str, Json],
        body: Mapping[str, Json],
        caller: Caller,
        skipped: list[str],
    ) -> list[Member]:
        common = _object(body, "default_parameters")
        special = _object(body, "parameters")
        members = []
        for deployment_id in deployment_ids:
            wish = Wish(
                deployment_id=deployment_id,
                workflow_id=detail["workflow_id"],
                parameters={**common, **(special.get(deployment_id) or {})},
                creator=caller.name,
                force=bool(body.get("force")),
                queue=True,
            )
            try:
                workflow = self._catalog.workflow(deployment_id, wish.workflow_id)
            except Refusal as refusal:
                if refusal.code != "nonexistent_workflow_error":
                    raise
                skipped.append(refusal.message)
                continue
            parameters = workflow.merge(wish.parameters, custom=False)
            members.append(Member(str(uuid4()), wish, workflow, parameters))
        return members

    # -- what is done -----------------------------------------------------------------

    async def _gather(
        self, group_id: str, detail: dict[str, Json], existing: list[RunRecord]
    ) -> RunRecord:
        detail["members"] = [record.id for record in existing]
        group = await self._groups.create(group_id, detail)
        for record in existing:
            record.detail.setdefault("groups", []).append(group_id)
            self._worker.lineup.place(record)
            await self._groups.save(record)
        return group

    async def _start(
        self,
        group_id: str,
        detail: dict[str, Json],
        members: list[Member],
        skipped: list[str],
    ) -> RunRecord:
        first = members[: detail["concurrency"]]
        problems = {member.id: _problem(member) for member in first}
        problem = next(filter(None, problems.values()), None)
        if problem is not None and not self._behaviour.defects.group_start_leaves_group:
            raise problem
        detail["members"] = [member.id for member in members]
        group = await self._groups.create(group_id, detail)
        for message in skipped:
            self._groups.tell(group, message)
        for number, member in enumerate(members):
            refusal = problems.get(member.id)
            if refusal is not None:
                await self._starter.submit_failed(
                    member.wish,
                    member.workflow,
                    refusal.message,
                    run_id=member.id,
                    groups=(group_id,),
                )
                continue
            early = number < len(first)
            status = self._starter.decide(member.wish) if early else "queued"
            await self._starter.submit(
                member.wish,
                member.workflow,
                member.parameters,
                status,
                run_id=member.id,
                groups=(group_id,),
            )
        if problem is not None:
            raise problem
        members_now = self._groups.true_members(group)
        if any(status_of(record) in ENDED for record in members_now):
            # The manager creates all members at once: an end is after that, and takes
            # the next from the queue.
            self._worker.dequeue_soon()
        return group


def _problem(member: Member) -> Refusal | None:
    if member.wish.force:
        return None
    return member.workflow.unavailable(member.wish.deployment_id)


def concurrency(value: Json) -> int:
    """A number of members that may be active; 0 pauses the group."""
    if value is True or value is False:
        # wire/cloudify.md 2.6: it is an integer to the check, and none to the database
        raise Refusal(409, "storage_error", "`concurrency` is of type boolean")
    if not isinstance(value, int) or value < 0:
        raise bad(f"concurrency must be a nonnegative number, but got: {value}")
    return value


def _object(body: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad(f"`{name}` must be an object or null")
    return value or {}


def _ids(body: Mapping[str, Json], name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise bad(f"`{name}` must be a list of execution ids")
    return value
