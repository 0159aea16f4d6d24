"""The engine: a queue of runs, their programs, and everything that they wrote."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import anyio
import cattrs.preconf.orjson
import orjson

from aioruns.local import lag, store
from aioruns.local.programs import GRACE, Execution, execute
from aioruns.local.records import (
    Json,
    Line,
    RunRecord,
    State,
    Task,
    TaskRecord,
    utcnow,
)
from aioruns.local.schedule import Live, Queue, checked

_LOG = logging.getLogger("aioruns.local")
_JSON = cattrs.preconf.orjson.make_converter()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_LONGEST_END = 5 * GRACE
"""Seconds that leaving the engine may take: a program needs at most two graces."""

RESTARTED = "the server was restarted while this run was under way"


class Engine:
    """Run programs at most `slots` at a time and remember what they did.

    Runs are held in memory and written through to SQLite; lines, outputs and blobs
    live in SQLite. Use as `async with Engine(...) as engine`; leaving it ends all
    programs.

    Args:
        slots: How many programs run at the same time; at least 1.
        data: The SQLite file to keep everything in; None keeps it in memory.
    """

    def __init__(self, *, slots: int = 2, data: str | None = None) -> None:
        if slots < 1:
            raise ValueError(f"slots must be at least 1, and is {slots}.")
        self.hide: set[str] = set()
        """Secrets that no program may find in its environment."""
        self._free = slots
        self._store = store.Store(data or ":memory:")
        self._runs: dict[str, dict[str, RunRecord]] = {}
        self._live: dict[int, Live] = {}
        self._again: dict[int, Mapping[str, Task]] = {}
        self._documents: dict[tuple[str, str], dict[str, bytes]] = {}
        self._listeners: dict[str, list[Callable[[RunRecord], None]]] = {}
        self._queue = Queue()
        self._wake = asyncio.Event()
        self._root: asyncio.Task[None] | None = None
        self._run_serial = 0
        self._line_serial = 0
        self._last_time = _EPOCH

    async def __aenter__(self) -> Self:
        await self._store.open()
        try:
            await self._load()
        except BaseException:
            await self._store.close()
            raise
        # A task of its own, since a fixture enters and leaves in different tasks, which
        # a task group does not survive. It is awaited in __aexit__.
        self._root = asyncio.create_task(self._main(), name="aioruns-local-engine")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._root is not None
        with anyio.CancelScope(shield=True):
            self._root.cancel()
            await asyncio.wait([self._root], timeout=_LONGEST_END)
            await self._store.close()
        if not self._root.done():
            _LOG.error("A program ignores that the local run server is ending")
        elif not self._root.cancelled() and (crash := self._root.exception()):
            raise crash

    # -- runs ---------------------------------------------------------------------

    async def submit(
        self,
        platform: str,
        run_id: str,
        tasks: Sequence[Task],
        *,
        scope: str = "",
        detail: dict[str, Json] | None = None,
        hold: bool = False,
    ) -> RunRecord:
        """Queue a run. `hold=True` keeps it queued until `release`.

        A run without tasks succeeds at once. An id that is taken raises KeyError, and
        tasks that wait for each other raise ValueError.
        """
        named = checked(tasks)
        runs = self._runs.setdefault(platform, {})
        if run_id in runs:
            raise KeyError(run_id)
        self._run_serial += 1
        record = RunRecord(
            platform=platform,
            id=run_id,
            scope=scope,
            detail={} if detail is None else detail,
            tasks={name: TaskRecord(name) for name in named},
            created=utcnow(),
            serial=self._run_serial,
        )
        runs[run_id] = record
        self._start(Live(record, named, held=hold))
        await self._store.flush()
        return record

    async def release(self, platform: str, run_id: str) -> None:
        """Let a held run start when a slot is free."""
        live = self._live.get(self._true(platform, run_id).serial)
        if live is not None and live.held:
            live.held = False
            self._admit(live)

    def get(self, platform: str, run_id: str) -> RunRecord | None:
        """The run, or None. Sees states with the lag that a fault asks for."""
        record = self._runs.get(platform, {}).get(run_id)
        behind = lag.current()
        if record is None or behind is None or not behind.states:
            return record
        return lag.as_it_was(record, utcnow() - timedelta(seconds=behind.states))

    def runs(self, platform: str, scope: str | None = None) -> list[RunRecord]:
        """All runs in creation order, lagging behind if a fault asks for it."""
        runs = [
            record
            for record in self._runs.get(platform, {}).values()
            if scope is None or record.scope == scope
        ]
        behind = lag.current()
        if behind is not None and behind.listing:
            since = utcnow() - timedelta(seconds=behind.listing)
            runs = [record for record in runs if record.created <= since]
        if behind is not None and behind.states:
            when = utcnow() - timedelta(seconds=behind.states)
            runs = [lag.as_it_was(record, when) for record in runs]
        return runs

    async def cancel(self, platform: str, run_id: str) -> None:
        """Ask the run to end, without waiting until it has; `ended` waits.

        Queued tasks end at once, running process groups are terminated, and killed
        after a grace period. Idempotent; no effect at the end.
        """
        record = self._true(platform, run_id)
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
        if not record.tasks:
            self._finish(live, State.CANCELED)
        else:
            self._settle(live)
        await self._store.flush()

    async def ended(self, platform: str, run_id: str) -> RunRecord:
        """Wait until the run has ended."""
        record = self._true(platform, run_id)
        while (live := self._live.get(record.serial)) is not None:
            await live.done.wait()
        return record

    async def remove(self, platform: str, run_id: str) -> None:
        """Forget the run with its lines and outputs; a live one is canceled first."""
        await self.cancel(platform, run_id)
        record = await self.ended(platform, run_id)
        self._runs[platform].pop(run_id, None)
        self._again.pop(record.serial, None)
        for sql in store.DROP_RUN:
            self._store.write(sql, (record.serial,))
        await self._store.flush()

    async def save(self, record: RunRecord) -> None:
        """Write a run through after its `detail` was changed."""
        true = self._true(record.platform, record.id)
        true.detail = record.detail  # a record that lags behind is a copy
        self._save(true)
        await self._store.flush()

    async def reset(self, platform: str, run_id: str) -> None:
        """Queue a failed or canceled run again under its id: succeeded tasks are kept.

        Raises ValueError for a run in another state, and for a run of an earlier
        server, whose programs this one does not have.
        """
        record = self._true(platform, run_id)
        if record.state not in {State.FAILED, State.CANCELED}:
            raise ValueError(
                f"The run {run_id} is {record.state}; only a failed or canceled run can"
                " be queued again."
            )
        tasks = self._again.pop(record.serial, None)
        if tasks is None:
            raise ValueError(
                f"The run {run_id} was started by an earlier server, and this one does"
                " not have its programs. Submit it anew."
            )
        for name, task in record.tasks.items():
            if task.state is not State.SUCCEEDED:
                record.tasks[name] = TaskRecord(name)
                self._store.write(store.DROP_OUTPUTS, (record.serial, name))
        record.ended = record.cancel_asked = None
        record.canceling, record.error = False, ""
        self._start(Live(record, tasks))
        await self._store.flush()

    def watch(self, platform: str, listener: Callable[[RunRecord], None]) -> None:
        """Call `listener` at every state that a run of this platform enters.

        QUEUED at its creation is included. It runs in the event loop and must not
        block; its exceptions are logged only. It is called *before* the new state can
        be read by a request, so that lines which it adds with `note` precede the state.
        """
        self._listeners.setdefault(platform, []).append(listener)

    # -- what they wrote ----------------------------------------------------------

    async def lines(
        self,
        platform: str,
        run_ids: str | Sequence[str],
        *,
        task: str | None = None,
        streams: Sequence[str] | None = None,
        after: int = 0,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[tuple[str, Line]]:
        """(run id, line) in order of `serial`; `after` is the serial last seen.

        With `newest_first` the order is the other way round, and a page after serial N
        has the lines older than N. Ids that are unknown have no lines.
        """
        wanted = [run_ids] if isinstance(run_ids, str) else run_ids
        runs = self._runs.get(platform, {})
        ids = {runs[run_id].serial: run_id for run_id in wanted if run_id in runs}
        rows = await self._store.lines(
            list(ids),
            task=task,
            streams=streams,
            after=after,
            limit=limit,
            newest_first=newest_first,
        )
        return [
            (ids[run], Line(serial, name, stream, _EPOCH + time * _MICROSECOND, text))
            for serial, run, name, stream, time, text in rows
        ]

    def note(
        self, record: RunRecord, text: str, *, stream: str, task: str = "main"
    ) -> None:
        """Add a line of the façade's own to the run's lines, in order."""
        self._line_serial += 1
        # The wall clock may be set back; lines of one server stay in order by time.
        self._last_time = now = max(utcnow(), self._last_time)
        time = (now - _EPOCH) // _MICROSECOND
        if not text.isascii():
            text = text.encode(errors="replace").decode()  # no half surrogate pairs
        row = (self._line_serial, record.serial, task, stream, time, text)
        self._store.write(store.PUT_LINE, row)

    async def stdout(
        self, platform: str, run_id: str, task: str = "main"
    ) -> bytes | None:
        """All bytes that the task wrote to standard output; None if it never ran.

        While it runs: what it wrote so far.
        """
        return await self._output(platform, run_id, task, "")

    async def kept(
        self, platform: str, run_id: str, task: str, name: str
    ) -> bytes | None:
        """The bytes of one of the task's `keep` files; None if it wrote none."""
        return await self._output(platform, run_id, task, name)

    async def _output(
        self, platform: str, run_id: str, task: str, name: str
    ) -> bytes | None:
        record = self._runs.get(platform, {}).get(run_id)
        if record is None:
            return None
        live = self._live.get(record.serial)
        if live is not None and not name and task in live.executions:
            return bytes(live.executions[task].stdout)
        rows = await self._store.rows(
            "SELECT data FROM outputs WHERE run = ? AND task = ? AND name = ?",
            record.serial,
            task,
            name,
        )
        return rows[0][0] if rows else None

    # -- things of the façades: applications, uploads, pipelines, schedules ---------

    async def put(self, platform: str, kind: str, key: str, value: Json) -> None:
        """Store a JSON document (insert or replace; creation order is kept)."""
        body = orjson.dumps(value)
        self._documents.setdefault((platform, kind), {})[key] = body
        self._store.write(store.PUT_DOCUMENT, (platform, kind, key, body))
        await self._store.flush()

    def document(self, platform: str, kind: str, key: str) -> Json | None:
        """One document, or None. A copy: change it and `put` it back."""
        body = self._documents.get((platform, kind), {}).get(key)
        return None if body is None else orjson.loads(body)

    def documents(self, platform: str, kind: str) -> Mapping[str, Json]:
        """All documents of a kind in creation order, each a copy."""
        return _Documents(dict(self._documents.get((platform, kind), {})))

    async def drop(self, platform: str, kind: str, key: str) -> None:
        """Remove a document if it is there."""
        self._documents.get((platform, kind), {}).pop(key, None)
        self._store.write(store.DROP_DOCUMENT, (platform, kind, key))
        await self._store.flush()

    async def put_blob(self, platform: str, key: str, data: bytes) -> None:
        """Store bytes under a key."""
        self._store.write(store.PUT_BLOB, (platform, key, data))
        await self._store.flush()

    async def blob(self, platform: str, key: str) -> bytes | None:
        """Bytes under a key, or None."""
        sql = "SELECT data FROM blobs WHERE platform = ? AND key = ?"
        rows = await self._store.rows(sql, platform, key)
        return rows[0][0] if rows else None

    # -- the life of a run ---------------------------------------------------------

    async def _main(self) -> None:
        async with anyio.create_task_group() as programs:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._free and (taken := self._queue.take()) is not None:
                    live, task = taken
                    self._free -= 1
                    programs.start_soon(self._run, live, task, self._begin(live, task))

    def _start(self, live: Live) -> None:
        self._live[live.record.serial] = live
        self._enter(live.record, State.QUEUED)
        if not live.held:
            self._admit(live)

    def _admit(self, live: Live) -> None:
        self._queue.admit(live)
        self._settle(live)

    def _begin(self, live: Live, task: Task) -> anyio.CancelScope:
        record = live.record
        state = record.tasks[task.name]
        state.state, state.started = State.RUNNING, utcnow()
        live.executions[task.name] = Execution(
            line=lambda stream, text: self.note(
                record, text, stream=stream, task=task.name
            ),
            flush=self._store.flush,
        )
        live.scopes[task.name] = scope = anyio.CancelScope()
        if record.state is State.QUEUED:
            record.started = record.started or state.started
            self._enter(record, State.RUNNING)
        return scope

    async def _run(self, live: Live, task: Task, scope: anyio.CancelScope) -> None:
        execution = live.executions[task.name]
        with scope:
            try:
                await execute(task, execution, hide=self.hide)
            except Exception as error:  # noqa: BLE001 - one run must not end all others
                _LOG.exception("The run %s broke the engine", live.record.id)
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
        serial = live.record.serial
        outputs = {"": bytes(execution.stdout), **execution.kept}
        for name, data in outputs.items():
            self._store.write(store.PUT_OUTPUT, (serial, task.name, name, data))
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
        self._save(record)

    def _finish(self, live: Live, state: State) -> None:
        record = live.record
        record.canceling = False
        if state is State.FAILED:
            record.error = _reason(record)
        if state is not State.SUCCEEDED:
            self._again[record.serial] = live.tasks
        self._queue.leave(live)
        del self._live[record.serial]
        self._enter(record, state)
        live.done.set()

    def _enter(self, record: RunRecord, state: State) -> None:
        # Nothing is awaited here: no request can see the state before the listeners'
        # lines are in the store's queue, which every read of lines goes through.
        now = utcnow()
        record.state = state
        record.history.append((now, state))
        if state.final:
            record.ended = now
        for listener in self._listeners.get(record.platform, ()):
            try:
                listener(record)
            except Exception:  # noqa: BLE001 - must not end all programs
                _LOG.exception("A listener of %s failed", record.platform)
        self._save(record)

    def _save(self, record: RunRecord) -> None:
        body = _JSON.dumps(record)
        row = (record.serial, record.platform, record.id, body)
        self._store.write(store.PUT_RUN, row)

    def _true(self, platform: str, run_id: str) -> RunRecord:
        return self._runs[platform][run_id]

    # -- the start -------------------------------------------------------------------

    async def _load(self) -> None:
        sql = "SELECT coalesce(max(serial), 0), coalesce(max(time), 0) FROM lines"
        ((self._line_serial, last),) = await self._store.rows(sql)
        self._last_time = _EPOCH + last * _MICROSECOND
        sql = "SELECT platform, kind, key, body FROM documents ORDER BY serial"
        for platform, kind, key, body in await self._store.rows(sql):
            self._documents.setdefault((platform, kind), {})[key] = body
        for (body,) in await self._store.rows("SELECT body FROM runs ORDER BY serial"):
            record = _JSON.loads(body, RunRecord)
            self._runs.setdefault(record.platform, {})[record.id] = record
            self._run_serial = record.serial
            if not record.state.final:
                self._abandon(record)
        await self._store.flush()

    def _abandon(self, record: RunRecord) -> None:
        for task in record.tasks.values():
            if task.state is State.RUNNING:
                task.state, task.ended, task.error = State.FAILED, utcnow(), RESTARTED
            elif task.state is State.QUEUED:
                task.state, task.ended = State.CANCELED, utcnow()
        record.error, record.canceling = RESTARTED, False
        self._enter(record, State.FAILED)


class _Documents(Mapping[str, Json]):
    """Documents that are decoded when they are looked at."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self._bodies = bodies

    def __getitem__(self, key: str) -> Json:
        return orjson.loads(self._bodies[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._bodies)

    def __len__(self) -> int:
        return len(self._bodies)


def _reason(record: RunRecord) -> str:
    failed = [t for t in record.tasks.values() if t.state is State.FAILED]
    if len(record.tasks) == 1:
        return failed[0].error
    return "; ".join(f"task {task.name}: {task.error}" for task in failed)
