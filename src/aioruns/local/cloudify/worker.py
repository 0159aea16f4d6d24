"""What the manager's workers do: report progress, and start what was queued."""

import asyncio
import logging

import orjson

from aioruns.local.cloudify.lineup import Lineup
from aioruns.local.cloudify.statuses import ENDED, final_status
from aioruns.local.engine import Engine
from aioruns.local.lag import Lag, lagging
from aioruns.local.records import Json, RunRecord, State

_LOG = logging.getLogger("aioruns.local")

PLATFORM = "cloudify"
EVENT = "event"
"""Stream of the lines that hold events, as JSON."""
LOG = "log"
"""Stream of the lines that hold logs which a request created, as JSON."""


class Worker:
    """Follow the engine's runs, note their events, and free the queue behind them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._passes: set[asyncio.Task[None]] = set()
        self.lineup = Lineup()
        engine.watch(PLATFORM, self._observe)

    def records(self) -> list[RunRecord]:
        """All runs as they are now, whatever lag the request is shown."""
        with lagging(Lag()):
            return self._engine.runs(PLATFORM)

    def record(self, run_id: str) -> RunRecord | None:
        """One run as it is now."""
        with lagging(Lag()):
            return self._engine.get(PLATFORM, run_id)

    def note(self, record: RunRecord, kind: str, message: str) -> None:
        """Write an event of a run."""
        event: dict[str, Json] = {"event_type": kind, "message": message}
        self._engine.note(record, orjson.dumps(event).decode(), stream=EVENT)

    def _observe(self, record: RunRecord) -> None:
        if record.state is not State.QUEUED:
            self._advance(record)
        self.lineup.place(record)
        if record.state.final:
            self.dequeue_soon()

    def _advance(self, record: RunRecord) -> None:
        detail = record.detail
        written = detail.get("status")
        if written in ENDED and detail.get("held"):
            return  # a restored execution: no program of it ever runs
        if written is not None and written not in ENDED:
            # the worker writes over what a request wrote, unless it was an end
            del detail["status"]
        if written not in ENDED:
            for stale in ("error", "started_at", "ended_at"):
                detail.pop(stale, None)
        self._report(record)

    def _report(self, record: RunRecord) -> None:
        # wire/cloudify.md 3.2.1: the event first, then the status
        workflow = f"'{record.detail['workflow_id']}' workflow execution"
        # a dry run succeeds without having run
        ran = record.state in {State.RUNNING, State.SUCCEEDED}
        if ran and not record.detail.get("begun"):
            record.detail["begun"] = True
            self.note(record, "workflow_started", f"{workflow} started")
        match record.state:
            case State.SUCCEEDED:
                self.note(record, "workflow_succeeded", f"{workflow} succeeded")
            case State.FAILED:
                text = f"{workflow} failed: {record.error}"
                self.note(record, "workflow_failed", text)
            case State.CANCELED:
                self.note(record, "workflow_cancelled", f"{workflow} cancelled")
        if record.state.final:
            record.detail["final"] = final_status(record)

    # -- the queue ------------------------------------------------------------------

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

    async def _dequeue(self) -> None:
        chosen = self.lineup.startable()
        # Decided and marked without a pause, so that no two passes choose the same.
        for record in chosen:
            record.detail["held"] = False
            record.detail.pop("status", None)
            self.lineup.place(record)
        for record in chosen:
            await self._engine.release(PLATFORM, record.id)  # saves as well
