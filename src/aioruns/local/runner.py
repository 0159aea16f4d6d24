"""The life of runs: tasks start when slots are free, end, and decide about the rest."""

import asyncio
import logging
from collections.abc import Collection, Mapping

import anyio

from aioruns.local.book import Book
from aioruns.local.execution import Execution
from aioruns.local.programs import execute
from aioruns.local.records import RunRecord, State, Task, TaskRecord, utcnow
from aioruns.local.schedule import Live, Queue

_LOG = logging.getLogger("aioruns.local")


class Runner:
    """Runs tasks, at most `slots` at a time, and writes what happens into the book.

    Args:
        book: Receives states, lines and outputs.
        slots: How many programs run at the same time.
        grace: Seconds that a program has to end when it is asked to.
        hide: Secrets that no program may find in its environment; may still grow.
    """

    def __init__(
        self, book: Book, *, slots: int, grace: float, hide: Collection[str]
    ) -> None:
        self._book = book
        self._free = slots
        self._grace = grace
        self._hide = hide
        self._live: dict[int, Live] = {}
        self._again: dict[int, Mapping[str, Task]] = {}
        self._queue = Queue()
        self._wake = asyncio.Event()
        self._root: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start programs from now on."""
        # A task of its own, since a fixture enters and leaves in different tasks, which
        # a task group does not survive. It is awaited in `close`.
        self._root = asyncio.create_task(self._main(), name="aioruns-local-runner")

    async def close(self) -> None:
        """End all programs, in bounded time; their runs stay as they are."""
        assert self._root is not None
        self._root.cancel()
        # A program needs at most two graces, and a little more to clear up.
        await asyncio.wait([self._root], timeout=1 + 3 * self._grace)
        if not self._root.done():
            _LOG.error("A program ignores that the local run server is ending.")
        elif not self._root.cancelled() and (crash := self._root.exception()):
            raise crash

    # -- what may be asked -----------------------------------------------------------

    def start(
        self,
        record: RunRecord,
        tasks: Mapping[str, Task],
        *,
        held: bool = False,
        priority: int = 0,
    ) -> None:
        """Queue a run."""
        live = Live(record, tasks, held=held, priority=priority)
        self._live[record.serial] = live
        self._book.enter(record, State.QUEUED)
        if not held:
            self._admit(live)

    def spare(self) -> int:
        """How many more tasks could start now."""
        return max(0, self._free - self._queue.waiting())

    def release(self, record: RunRecord) -> None:
        """Queue a run that was held."""
        live = self._live.get(record.serial)
        if live is not None and live.held:
            live.held = False
            self._admit(live)

    def cancel(self, record: RunRecord) -> None:
        """Ask a run to end."""
        live = self._live.get(record.serial)
        if live is None or record.canceling:
            return
        record.canceling = True
        record.cancel_asked = now = utcnow()
        for task in record.tasks.values():
            if task.state is State.QUEUED:
                task.state, task.ended = State.CANCELED, now
        for scope in list(live.scopes.values()):
            scope.cancel()
        if record.tasks:
            self._settle(live)
        else:
            self._finish(live, State.CANCELED)

    async def ended(self, record: RunRecord) -> None:
        """Return when the run has ended."""
        while (live := self._live.get(record.serial)) is not None:
            await live.done.wait()

    def restart(self, record: RunRecord) -> bool:
        """Queue an ended run again, or say that its programs are not known."""
        tasks = self._again.pop(record.serial, None)
        if tasks is None:
            return False
        for name, task in record.tasks.items():
            if task.state is not State.SUCCEEDED:
                record.tasks[name] = TaskRecord(name)
                self._book.keep(record, name, {})
        record.ended = record.cancel_asked = None
        record.canceling, record.error = False, ""
        self.start(record, tasks)
        return True

    def forget(self, record: RunRecord) -> None:
        """Drop the programs of an ended run."""
        self._again.pop(record.serial, None)

    def stdout(self, record: RunRecord, task: str) -> bytes | None:
        """What a running task has written so far; None if it is not running."""
        live = self._live.get(record.serial)
        if live is None or task not in live.executions:
            return None
        return bytes(live.executions[task].stdout)

    # -- what happens -----------------------------------------------------------------

    async def _main(self) -> None:
        async with anyio.create_task_group() as programs:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._free and (taken := self._queue.take()) is not None:
                    live, task = taken
                    self._free -= 1
                    programs.start_soon(self._run, live, task, self._begin(live, task))

    def _admit(self, live: Live) -> None:
        self._queue.admit(live)
        self._settle(live)

    def _begin(self, live: Live, task: Task) -> anyio.CancelScope:
        record = live.record
        state = record.tasks[task.name]
        state.state, state.started = State.RUNNING, utcnow()
        live.executions[task.name] = Execution(
            line=lambda stream, text: self._book.note(
                record, text, stream=stream, task=task.name
            ),
            flush=self._book.flush,
            grace=self._grace,
        )
        live.scopes[task.name] = scope = anyio.CancelScope()
        if record.state is State.QUEUED:
            record.started = record.started or state.started
            self._book.enter(record, State.RUNNING)
        return scope

    async def _run(self, live: Live, task: Task, scope: anyio.CancelScope) -> None:
        execution = live.executions[task.name]
        with scope:
            try:
                await execute(task, execution, hide=self._hide)
            except Exception as error:  # noqa: BLE001 - one run must not end all others
                _LOG.exception("The run %s met a defect", live.record.id)
                execution.error = f"internal error: {error}"
        self._free += 1
        self._wake.set()
        state = live.record.tasks[task.name]
        state.exit_code, state.ended = execution.exit_code, utcnow()
        if scope.cancelled_caught:
            state.state = State.CANCELED
        elif execution.error:
            state.state, state.error = State.FAILED, execution.error
        else:
            state.state = State.SUCCEEDED
        outputs = {"": bytes(execution.stdout), **execution.kept}
        self._book.keep(live.record, task.name, outputs)
        del live.scopes[task.name], live.executions[task.name]
        self._settle(live)

    def _settle(self, live: Live) -> None:
        """Draw the conclusions from a change of the run's tasks."""
        record = live.record
        for name, missing in live.doomed().items():
            task = record.tasks[name]
            task.state, task.ended = State.CANCELED, utcnow()
            task.error = f"the task {missing}, which it comes after, did not succeed"
        verdict = live.verdict()
        if verdict is not None:
            self._finish(live, verdict)
            return
        if not live.held and not record.canceling:
            self._queue.offer(live)
            self._wake.set()
        self._book.save(record)

    def _finish(self, live: Live, state: State) -> None:
        record = live.record
        record.canceling = False
        if state is State.FAILED:
            record.error = _reason(record)
        if state is not State.SUCCEEDED:
            self._again[record.serial] = live.tasks
        self._queue.leave(live)
        del self._live[record.serial]
        self._book.enter(record, state)
        live.done.set()


def _reason(record: RunRecord) -> str:
    failed = [t for t in record.tasks.values() if t.state is State.FAILED]
    if len(record.tasks) == 1:
        return failed[0].error
    return "; ".join(f"task {task.name}: {task.error}" for task in failed)
