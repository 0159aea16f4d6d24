"""The engine: a queue of runs, their programs, and everything that they wrote."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import anyio

from aioruns.local import lag
from aioruns.local.book import Book
from aioruns.local.records import (
    Json,
    Line,
    RunRecord,
    State,
    Task,
    TaskRecord,
    utcnow,
)
from aioruns.local.runner import Runner
from aioruns.local.schedule import checked


class Engine:
    """Run programs at most `slots` at a time and remember what they did.

    Runs are held in memory and written through to SQLite; lines, outputs and blobs
    live in SQLite. Use as `async with Engine(...) as engine`; leaving it ends all
    programs.

    Args:
        slots: How many programs run at the same time; at least 1.
        data: The SQLite file to keep everything in; None keeps it in memory.
        grace: Seconds between asking a program to end and killing it.
    """

    def __init__(
        self, *, slots: int = 2, data: str | None = None, grace: float = 2.0
    ) -> None:
        if slots < 1:
            raise ValueError(f"slots must be at least 1, and is {slots}.")
        self.hide: set[str] = set()
        """Secrets that no program may find in its environment."""
        self.data = data
        """The SQLite file, or None; façades keep large files beside it."""
        self._book = Book(data or ":memory:")
        self._runner = Runner(self._book, slots=slots, grace=grace, hide=self.hide)

    async def __aenter__(self) -> Self:
        await self._book.open()
        self._runner.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await self._runner.close()
            finally:
                await self._book.close()

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
        priority: int = 0,
    ) -> RunRecord:
        """Queue a run. `hold=True` keeps it queued until `release`.

        Of the runs that wait for a slot, those with the lowest `priority` go first.

        A run without tasks succeeds at once. An id that is taken raises KeyError, and
        tasks that wait for each other raise ValueError.
        """
        named = checked(tasks)
        record = RunRecord(
            platform=platform,
            id=run_id,
            scope=scope,
            detail={} if detail is None else detail,
            tasks={name: TaskRecord(name) for name in named},
            created=utcnow(),
        )
        self._book.add(record)
        self._runner.start(record, named, held=hold, priority=priority)
        await self._book.flush()
        return record

    @property
    def spare(self) -> int:
        """How many more programs could start at once, without waiting for a slot."""
        return self._runner.spare()

    async def release(self, platform: str, run_id: str) -> None:
        """Let a held run start when a slot is free."""
        self._runner.release(self._true(platform, run_id))

    def get(self, platform: str, run_id: str) -> RunRecord | None:
        """The run, or None. Sees states with the lag that a fault asks for."""
        record = self._book.runs(platform).get(run_id)
        behind = lag.current()
        if record is None or behind is None or not behind.states:
            return record
        return lag.as_it_was(record, utcnow() - timedelta(seconds=behind.states))

    def runs(self, platform: str, scope: str | None = None) -> list[RunRecord]:
        """All runs in creation order, lagging behind if a fault asks for it."""
        runs = [
            record
            for record in self._book.runs(platform).values()
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
        self._runner.cancel(self._true(platform, run_id))
        await self._book.flush()

    async def ended(self, platform: str, run_id: str) -> RunRecord:
        """Wait until the run has ended."""
        record = self._true(platform, run_id)
        await self._runner.ended(record)
        return record

    async def remove(self, platform: str, run_id: str) -> None:
        """Forget the run with its lines and outputs; a live one is canceled first.

        Two may remove a run at the same time; both find it gone afterwards.
        """
        record = self._true(platform, run_id)
        self._runner.cancel(record)
        await self._runner.ended(record)
        if run_id in self._book.runs(platform):
            self._runner.forget(record)
            self._book.forget(record)
        await self._book.flush()

    async def save(self, record: RunRecord) -> None:
        """Write a run through after its `detail` was changed."""
        true = self._true(record.platform, record.id)
        true.detail = record.detail  # a record that lags behind is a copy
        self._book.save(true)
        await self._book.flush()

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
        if not self._runner.restart(record):
            raise ValueError(
                f"The run {run_id} was started by an earlier server, and this one does"
                " not have its programs. Submit it anew."
            )
        await self._book.flush()

    def watch(self, platform: str, listener: Callable[[RunRecord], None]) -> None:
        """Call `listener` at every state that a run of this platform enters.

        QUEUED at its creation is included. It runs in the event loop and must not
        block; its exceptions are logged only. It is called *before* the new state can
        be read by a request, so that lines which it adds with `note` precede the state.
        """
        self._book.watch(platform, listener)

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
        runs = self._book.runs(platform)
        return await self._book.lines(
            [runs[run_id] for run_id in wanted if run_id in runs],
            task=task,
            streams=streams,
            after=after,
            limit=limit,
            newest_first=newest_first,
        )

    async def lines_of(
        self,
        records: Sequence[RunRecord],
        *,
        streams: Sequence[str] | None = None,
        since: datetime | None = None,
        skip: int = 0,
        limit: int | None = None,
    ) -> list[tuple[RunRecord, Line]]:
        """(run, line) of runs of any platform in order of `serial`, and so of time.

        Args:
            records: Whose lines.
            streams: Only these; None for all.
            since: Leave out what is older; finding the place costs next to nothing.
            skip: Leave out so many at the front.
            limit: At most so many; None for all.
        """
        return await self._book.lines_of(
            records, streams=streams, since=since, skip=skip, limit=limit
        )

    async def count_lines(
        self, records: Sequence[RunRecord], *, streams: Sequence[str] | None = None
    ) -> int:
        """How many lines the runs have."""
        return await self._book.count_lines(records, streams=streams)

    async def erase(self, lines: Iterable[Line]) -> None:
        """Remove some lines."""
        self._book.erase(lines)
        await self._book.flush()

    def note(
        self, record: RunRecord, text: str, *, stream: str, task: str = "main"
    ) -> None:
        """Add a line of the façade's own to the run's lines, in order."""
        self._book.note(record, text, stream=stream, task=task)

    async def stdout(
        self, platform: str, run_id: str, task: str = "main"
    ) -> bytes | None:
        """All bytes that the task wrote to standard output; None if it never ran.

        While it runs: what it wrote so far.
        """
        record = self._book.runs(platform).get(run_id)
        if record is None:
            return None
        running = self._runner.stdout(record, task)
        if running is not None:
            return running
        return await self._book.output(record, task, "")

    async def kept(
        self, platform: str, run_id: str, task: str, name: str
    ) -> bytes | None:
        """The bytes of one of the task's `keep` files; None if it wrote none."""
        record = self._book.runs(platform).get(run_id)
        return await self._book.output(record, task, name) if record else None

    # -- things of the façades: applications, uploads, pipelines, schedules ---------

    async def put(self, platform: str, kind: str, key: str, value: Json) -> None:
        """Store a JSON document (insert or replace; creation order is kept)."""
        self._book.put(platform, kind, key, value)
        await self._book.flush()

    def document(self, platform: str, kind: str, key: str) -> Json | None:
        """One document, or None. A copy: change it and `put` it back."""
        return self._book.documents(platform, kind).get(key)

    def documents(self, platform: str, kind: str) -> Mapping[str, Json]:
        """All documents of a kind in creation order, each a copy."""
        return self._book.documents(platform, kind)

    async def drop(self, platform: str, kind: str, key: str) -> None:
        """Remove a document if it is there."""
        self._book.drop(platform, kind, key)
        await self._book.flush()

    async def put_blob(self, platform: str, key: str, data: bytes) -> None:
        """Store bytes under a key."""
        self._book.put_blob(platform, key, data)
        await self._book.flush()

    async def blob(self, platform: str, key: str) -> bytes | None:
        """Bytes under a key, or None."""
        return await self._book.blob(platform, key)

    async def drop_blob(self, platform: str, key: str) -> None:
        """Remove bytes if they are there."""
        self._book.drop_blob(platform, key)

    def _true(self, platform: str, run_id: str) -> RunRecord:
        return self._book.runs(platform)[run_id]
