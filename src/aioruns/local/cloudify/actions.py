"""What is done to executions: cancels, resumes, reports (wire/cloudify.md 3.2.2)."""

from aioruns.local.cloudify import views
from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.groups import Groups
from aioruns.local.cloudify.naming import PLATFORM, shown_id
from aioruns.local.cloudify.statuses import ENDED, STATUSES, may_become, status_of
from aioruns.local.cloudify.users import Caller
from aioruns.local.cloudify.worker import Worker
from aioruns.local.engine import Engine
from aioruns.local.records import Json, RunRecord, utcnow


def refuse_while_cancelling(caller: Caller) -> None:
    """Let no execution that is being cancelled start others (2.3)."""
    execution = caller.execution
    if execution is not None and status_of(execution).endswith("cancelling"):
        raise Refusal(403, "forbidden_while_cancelling", "")


class Actions:
    """What requests change of executions."""

    def __init__(self, engine: Engine, worker: Worker, groups: Groups) -> None:
        self._engine = engine
        self._worker = worker
        self._groups = groups

    async def apply(self, record: RunRecord, status: str) -> dict[str, Json]:
        """Do the action that leads to a status; the answer shows that status."""
        if status == "pending":
            return await self._resume(record)
        if status == "queued":
            return await self._requeue(record)
        return await self.cancel(record, status)

    async def cancel(self, record: RunRecord, status: str) -> dict[str, Json]:
        """Ask for an end; `status` says how."""
        detail = record.detail
        if status_of(record) in ENDED:
            # wire/cloudify.md 3.2.2: the worker, which finds no process, brings it to
            # `cancelled`
            detail.update(cancel=status, status="cancelled", error="")
            await self._engine.save(record)
        elif record.state.final:
            # resumed in a group, and not started again yet
            detail.update(cancel=status, status="cancelled", error="")
            self._worker.lineup.place(record)
            await self._engine.save(record)
        else:
            detail["cancel"] = status
            detail.pop("status", None)
            await self._engine.cancel(PLATFORM, record.id)  # saves as well
            self._worker.lineup.place(record)
        return views.answered(record, status) | {"error": ""}

    def drop(self, record: RunRecord) -> None:
        """Cancel at once what waits in a group: no event, and no time of an end."""
        record.detail.update(held=True, status="cancelled", ended_at=None)
        self._worker.lineup.place(record)

    async def settle(self, record: RunRecord) -> None:
        """Let the engine forget the programs of a dropped execution."""
        await self._engine.cancel(PLATFORM, record.id)
        await self._engine.save(record)

    def revive(self, record: RunRecord) -> None:
        """Put an ended execution back into the queue, without starting it yet."""
        kept = {"resume": True, "error": views.error(record)}
        for name in ("final", "cancel", "ended_at"):
            record.detail.pop(name, None)
        record.detail.update(kept, held=True, status="queued")
        self._worker.lineup.place(record)

    async def _resume(self, record: RunRecord) -> dict[str, Json]:
        # The error of the last time stays until the worker starts again.
        kept: dict[str, Json] = {"resume": True, "error": views.error(record)}
        detail, before = record.detail, dict(record.detail)
        for name in ("status", "final", "cancel", "ended_at"):
            detail.pop(name, None)
        detail.update(kept, held=False)
        if status_of(record) == "terminated":  # nothing is left to do
            detail["error"] = ""
        try:
            await self._worker.launch(record)
        except ValueError as error:
            record.detail = before
            raise Refusal(409, "conflict_error", str(error)) from None
        return views.answered(record, "pending") | kept

    async def _requeue(self, record: RunRecord) -> dict[str, Json]:
        if record.detail.get("held"):
            record.detail["status"] = "queued"
            self._worker.lineup.place(record)
            await self._engine.save(record)
            self._worker.dequeue_soon()
        return views.answered(record, status_of(record))

    async def report(
        self, record: RunRecord, target: Json, error: Json
    ) -> dict[str, Json]:
        """Write the status that a worker reports (2.4)."""
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
                f" for execution {shown_id(record)}",
            )
        if target not in STATUSES:
            raise bad(f"`status` must be one of {', '.join(sorted(STATUSES))}")
        detail = record.detail
        if target != current:
            detail["status"] = target
        detail["error"] = error or ""
        if target == "started":
            detail["started_at"] = utcnow().isoformat()
        self._groups.reported(record, target, error or "")
        ends = target in ENDED and current not in ENDED
        if ends:
            detail["ended_at"] = utcnow().isoformat()
        self._worker.lineup.place(record)
        if ends:
            self._worker.dequeue_soon()
        await self._engine.save(record)
        return views.answered(record, target) | {"error": detail["error"]}
