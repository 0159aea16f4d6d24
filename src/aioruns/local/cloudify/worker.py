"""What the manager's workers do: report progress, and start what was queued."""

import asyncio
import logging
from collections.abc import Sequence

import orjson

from aioruns.local.cloudify.answers import Refusal
from aioruns.local.cloudify.groups import Groups
from aioruns.local.cloudify.lineup import Lineup
from aioruns.local.cloudify.naming import EVENT, PLATFORM, twin_of
from aioruns.local.cloudify.statuses import ENDED, final_status, status_of
from aioruns.local.cloudify.workflows import Catalog
from aioruns.local.engine import Engine
from aioruns.local.lag import Lag, lagging
from aioruns.local.records import Json, RunRecord, State

_LOG = logging.getLogger("aioruns.local")
# wire/cloudify.md 3.4
_ATTEMPTS = 5
_BEFORE_START = frozenset({"queued", "pending"})


class Worker:
    """Follow the engine's runs, note their events, and free the queue behind them."""

    def __init__(self, engine: Engine, catalog: Catalog, groups: Groups) -> None:
        self._engine = engine
        self._catalog = catalog
        self._groups = groups
        self._passes: set[asyncio.Task[None]] = set()
        self._tokens: dict[str, RunRecord] = {}
        self.lineup = Lineup(groups.concurrency)
        self.resting = False
        """Whether nothing is taken from the queue, as in maintenance."""
        engine.watch(PLATFORM, self._observe)

    def open(self) -> None:
        """Give up what an earlier server had queued again and not started."""
        for record in self.records():
            if record.state.final and record.detail.get("status") in _BEFORE_START:
                self._fail(record, "the server was restarted")

    async def close(self) -> None:
        """End the passes over the queue that are under way."""
        for task in list(self._passes):
            task.cancel()
        await asyncio.gather(*self._passes, return_exceptions=True)

    def records(self) -> list[RunRecord]:
        """All runs as they are now, whatever lag the request is shown."""
        with lagging(Lag()):
            return self._engine.runs(PLATFORM)

    def record(self, run_id: str) -> RunRecord | None:
        """One run as it is now; of two with one id, the first."""
        with lagging(Lag()):
            return self._engine.get(PLATFORM, run_id)

    def with_id(self, run_id: str) -> list[RunRecord]:
        """All runs with an id; more than one only with the defect."""
        found, wanted = [], run_id
        while (record := self.record(wanted)) is not None:
            found.append(record)
            wanted = twin_of(wanted)
        return found

    def alone(self, run_id: str) -> None:
        """Refuse an id that two executions have (wire/cloudify.md 6.2)."""
        if self.record(twin_of(run_id)) is not None:
            raise Refusal(
                409, "ambiguous_name", f"Several executions have the id `{run_id}`"
            )

    def record_of_token(self, token: str) -> RunRecord | None:
        """The execution that an execution token was made for."""
        return self._tokens.get(token)

    def note(self, record: RunRecord, kind: str, message: str) -> None:
        """Write an event of a run."""
        event: dict[str, Json] = {"event_type": kind, "message": message}
        # The worker stamps it, and it may take its time to the manager.
        event["sent"] = True
        self._engine.note(record, orjson.dumps(event).decode(), stream=EVENT)

    def forget(self, record: RunRecord) -> None:
        """Drop what is known of an execution that is deleted."""
        self._tokens.pop(record.detail.get("token", ""), None)
        self.lineup.forget(record)

    def _observe(self, record: RunRecord) -> None:
        detail = record.detail
        if "token" in detail:
            self._tokens[detail["token"]] = record
        # A restored execution, or one that was cancelled while it waited in a group: no
        # program of it ever ran, and no worker reports its end.
        silent = detail.get("held") and detail.get("status") in ENDED
        if record.state is not State.QUEUED and not silent:
            self._advance(record)
        self.lineup.place(record)
        if record.state.final and not silent:
            self.dequeue_soon()

    def _advance(self, record: RunRecord) -> None:
        detail = record.detail
        written = detail.get("status")
        if written is not None and written not in ENDED:
            # the worker writes over what a request wrote, unless it was an end
            del detail["status"]
        if written not in ENDED:
            for stale in ("error", "started_at", "ended_at"):
                detail.pop(stale, None)
        self._report(record, told=written not in ENDED)

    def _report(self, record: RunRecord, *, told: bool) -> None:
        # wire/cloudify.md 3.2.1: the event first, then the status
        workflow = f"'{record.detail['workflow_id']}' workflow execution"
        # a dry run succeeds without having run
        ran = record.state in {State.RUNNING, State.SUCCEEDED}
        if ran and not record.detail.get("begun"):
            record.detail["begun"] = True
            self.note(record, "workflow_started", f"{workflow} started")
            if told:
                self._groups.reported(record, "started")
        match record.state:
            case State.SUCCEEDED:
                self.note(record, "workflow_succeeded", f"{workflow} succeeded")
            case State.FAILED:
                text = f"{workflow} failed: {record.error}"
                self.note(record, "workflow_failed", text)
            case State.CANCELED:
                self.note(record, "workflow_cancelled", f"{workflow} cancelled")
        if record.state.final:
            status = record.detail["final"] = final_status(record)
            if told:
                self._groups.reported(record, status, record.error)

    # -- the queue ------------------------------------------------------------------

    async def launch(self, record: RunRecord) -> None:
        """Let the programs of an execution run, for the first time or again.

        Raises:
            ValueError: An earlier server had them.
        """
        match record.state:
            case State.QUEUED:
                await self._engine.release(PLATFORM, record.id)
            case State.FAILED | State.CANCELED:
                record.detail.pop("begun", None)
                await self._engine.reset(PLATFORM, record.id)
        self.lineup.place(record)
        await self._engine.save(record)

    def dequeue_soon(self) -> None:
        """Start what was waiting for an execution that has ended now."""
        # The engine tells of an end in the middle of its own work and cannot wait.
        task = asyncio.get_running_loop().create_task(self._dequeue())
        self._passes.add(task)
        task.add_done_callback(self._passed)

    def _passed(self, task: asyncio.Task[None]) -> None:
        self._passes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("Queued executions were not started: %s", task.exception())

    async def start_now(self, queued: Sequence[RunRecord]) -> None:
        """Start those of some queued executions that need not wait for others."""
        for record in queued:
            if all(other is record for other in self.lineup.ahead(record.scope)):
                self._take(record)
        await self._launch(queued)

    async def _dequeue(self) -> None:
        for _ in range(_ATTEMPTS):
            chosen = [] if self.resting else self.lineup.startable()
            # Decided and marked without a pause, so that no two passes choose the same.
            taken = [record for record in chosen if self._take(record)]
            await self._launch(chosen)
            if len(taken) == len(chosen):
                return

    async def _launch(self, records: Sequence[RunRecord]) -> None:
        for record in records:
            if status_of(record) != "pending":  # it failed, waits, or was cancelled
                await self._engine.save(record)
                continue
            try:
                await self.launch(record)
            except ValueError as error:
                self._fail(record, str(error))
                await self._engine.save(record)

    def _take(self, record: RunRecord) -> bool:
        """Take an execution from the queue; one that cannot start has failed."""
        detail = record.detail
        try:
            workflow = self._catalog.workflow(record.scope, detail["workflow_id"])
            problem = workflow.unavailable(record.scope)
        except Refusal as refusal:
            problem = refusal
        if problem is not None:
            self._fail(record, problem.message)
            return False
        detail["held"] = False
        detail.pop("status", None)
        if record.state.final:
            detail["status"] = "pending"  # resumed, and started again in a moment
        self.lineup.place(record)
        return True

    def _fail(self, record: RunRecord, problem: str) -> None:
        error = f"Error dequeueing execution: {problem}"
        record.detail.update(held=True, status="failed", error=error)
        self.lineup.place(record)
