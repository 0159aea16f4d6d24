"""Execution groups: members, derived status, events of their own, target groups."""

from collections.abc import Iterable
from datetime import datetime

import orjson

from aioruns.local.cloudify.answers import missing
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.naming import (
    ADMIN,
    EVENT,
    GROUPS,
    LOG,
    PLATFORM,
    TENANT,
    groups_of,
    shown_id,
)
from aioruns.local.cloudify.queries import Columns, moment
from aioruns.local.cloudify.statuses import ENDED, WAITING, status_of
from aioruns.local.cloudify.workflows import Catalog
from aioruns.local.engine import Engine
from aioruns.local.lag import Lag, lagging
from aioruns.local.records import Json, RunRecord

# Which of a group's target groups a finished member joins (wire/cloudify.md 3.4).
_TARGETS = {"terminated": "success_group_id", "failed": "failure_group_id"}


class Groups:
    """All execution groups.

    A group's `detail` holds its workflow_id, deployment_group_id, concurrency,
    created_by, the engine ids of its `members`, and its target groups.
    """

    def __init__(self, engine: Engine, catalog: Catalog, behaviour: Behaviour) -> None:
        self._engine = engine
        self._catalog = catalog
        self._behaviour = behaviour

    def all(self) -> list[RunRecord]:
        """Every group in order of creation."""
        return self._engine.runs(GROUPS)

    def get(self, group_id: str) -> RunRecord | None:
        """The group, or None."""
        with lagging(Lag()):
            return self._engine.get(GROUPS, group_id)

    def found(self, group_id: str) -> RunRecord:
        """The group, or the refusal of an unknown one."""
        group = self.get(group_id)
        if group is None:
            raise missing("ExecutionGroup", group_id)
        return group

    async def create(self, group_id: str, detail: dict[str, Json]) -> RunRecord:
        """Keep a new group; it starts nothing."""
        return await self._engine.submit(GROUPS, group_id, [], detail=detail)

    async def save(self, group: RunRecord) -> None:
        """Write a group through after its detail was changed."""
        await self._engine.save(group)

    async def remove(self, group: RunRecord) -> None:
        """Forget a group that was refused after all."""
        await self._engine.remove(GROUPS, group.id)

    def concurrency(self, group_id: str) -> int:
        """How many members may be active at the same time."""
        group = self.get(group_id)
        return 0 if group is None else int(group.detail["concurrency"])

    def members(self, group: RunRecord) -> list[RunRecord]:
        """The executions of a group that were not deleted, as the request sees them."""
        found = (self._engine.get(PLATFORM, i) for i in group.detail["members"])
        return [record for record in found if record is not None]

    def true_members(self, group: RunRecord) -> list[RunRecord]:
        """The executions of a group as they are, whatever lag the request is shown."""
        with lagging(Lag()):
            return self.members(group)

    def status(self, group: RunRecord) -> str | None:
        """Derived from the members (wire/cloudify.md 3.3)."""
        statuses = {status_of(record) for record in self.members(group)}
        if not statuses:
            return None
        if statuses == {"pending"}:
            return "pending"
        if statuses <= WAITING | {"pending"}:
            return "queued"
        if not statuses <= ENDED:
            return "started"
        if "failed" in statuses:
            return "failed"
        off = not self._behaviour.defects.cancelled_group_terminated
        return "cancelled" if off and statuses == {"cancelled"} else "terminated"

    # -- what is told of members --------------------------------------------------

    def reported(self, record: RunRecord, status: str, error: str = "") -> None:
        """A worker wrote the status of an execution: tell its groups."""
        for group_id in groups_of(record):
            group = self.get(group_id)
            if group is None:
                continue
            text = f"execution '{shown_id(record)}' is {status} now"
            if error:
                text += f", because of '{error}'"
            event = {"event_type": "execution_state_change", "message": text}
            self._note(group, event, EVENT)
            target = group.detail.get(_TARGETS.get(status, ""))
            if target is not None:
                self._join(target, [record])

    def tell(self, group: RunRecord, message: str) -> None:
        """Write a log of the manager's own for a group."""
        log = {"logger": "manager", "level": "info", "message": message}
        self._note(group, log, LOG)

    def aim(self, group: RunRecord, name: str, target: str) -> None:
        """Set a target group; members that have ended join it at once."""
        self._catalog.group(target)
        group.detail[name] = target
        statuses = {status for status, field in _TARGETS.items() if field == name}
        ended = [r for r in self.members(group) if status_of(r) in statuses]
        self._join(target, ended)

    def _join(self, target: str, records: Iterable[RunRecord]) -> None:
        group = self._catalog.groups.get(target)
        if group is not None:
            new = [r.scope for r in records if r.scope not in group.deployment_ids]
            group.deployment_ids.extend(dict.fromkeys(new))

    def _note(self, group: RunRecord, row: dict[str, Json], stream: str) -> None:
        self._engine.note(group, orjson.dumps(row).decode(), stream=stream)

    # -- how they look ------------------------------------------------------------

    @property
    def columns(self) -> Columns[RunRecord]:
        """The fields of an execution group."""
        return {
            "created_at": _created_at,
            "visibility": lambda _: "tenant",
            "id": lambda group: group.id,
            "workflow_id": lambda group: group.detail["workflow_id"],
            "concurrency": lambda group: group.detail["concurrency"],
            "tenant_name": lambda _: TENANT,
            "created_by": lambda group: group.detail.get("created_by", ADMIN),
            "resource_availability": lambda _: "tenant",
            "private_resource": lambda _: False,
            "execution_ids": lambda group: [shown_id(r) for r in self.members(group)],
            "deployment_group_id": lambda group: group.detail["deployment_group_id"],
            "status": self.status,
        }


def _created_at(group: RunRecord) -> datetime:
    told = group.detail.get("created_at")
    return group.created if told is None else moment(told)
