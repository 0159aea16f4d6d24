"""The engine's memory: runs and documents in memory and on disk, lines on disk."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import cattrs.preconf.orjson
import orjson

from aioruns.local import store
from aioruns.local.records import Json, Line, RunRecord, State, utcnow

_LOG = logging.getLogger("aioruns.local")
_JSON = cattrs.preconf.orjson.make_converter()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

RESTARTED = "the server was restarted while this run was under way"

Listener = Callable[[RunRecord], None]


class Book:
    """Records of runs with their lines and outputs, and the façades' documents."""

    def __init__(self, path: str) -> None:
        self._store = store.Store(path)
        self._runs: dict[str, dict[str, RunRecord]] = {}
        self._documents: dict[tuple[str, str], dict[str, bytes]] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._run_serial = 0
        self._line_serial = 0
        self._last_time = _EPOCH

    async def open(self) -> None:
        """Read what an earlier server left; its live runs have failed."""
        await self._store.open()
        try:
            await self._load()
        except BaseException:
            await self._store.close()
            raise

    async def close(self) -> None:
        """Save what is not saved yet."""
        await self._store.close()

    async def flush(self) -> None:
        """Return when everything so far is saved."""
        await self._store.flush()

    # -- runs ---------------------------------------------------------------------

    def add(self, record: RunRecord) -> None:
        """Take in a new run; raises KeyError if its id is taken."""
        runs = self._runs.setdefault(record.platform, {})
        if record.id in runs:
            raise KeyError(record.id)
        self._run_serial += 1
        record.serial = self._run_serial
        runs[record.id] = record

    def runs(self, platform: str) -> Mapping[str, RunRecord]:
        """The runs of a platform by id, in creation order."""
        return self._runs.get(platform, {})

    def watch(self, platform: str, listener: Listener) -> None:
        """Call `listener` at every state that a run of this platform enters."""
        self._listeners.setdefault(platform, []).append(listener)

    def enter(self, record: RunRecord, state: State) -> None:
        """Bring a run into a state, tell the listeners, and save it."""
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
        self.save(record)

    def save(self, record: RunRecord) -> None:
        """Write a run as it is now; `flush` waits for it."""
        body = _JSON.dumps(record)
        row = (record.serial, record.platform, record.id, body)
        self._store.write(store.PUT_RUN, row)

    def forget(self, record: RunRecord) -> None:
        """Remove a run with its lines and outputs."""
        self._runs[record.platform].pop(record.id, None)
        for sql in store.DROP_RUN:
            self._store.write(sql, (record.serial,))

    # -- what they wrote ------------------------------------------------------------

    def note(self, record: RunRecord, text: str, *, stream: str, task: str) -> None:
        """Add one line to a run."""
        self._line_serial += 1
        # The wall clock may be set back; lines of one server stay in order by time.
        self._last_time = now = max(utcnow(), self._last_time)
        time = (now - _EPOCH) // _MICROSECOND
        if not text.isascii():
            text = text.encode(errors="replace").decode()  # no half surrogate pairs
        row = (self._line_serial, record.serial, task, stream, time, text)
        self._store.write(store.PUT_LINE, row)

    async def lines(
        self,
        runs: Sequence[RunRecord],
        *,
        task: str | None,
        streams: Sequence[str] | None,
        after: int,
        limit: int | None,
        newest_first: bool,
    ) -> list[tuple[str, Line]]:
        """(run id, line) over some runs, in order of `serial` or against it."""
        ids = {record.serial: record.id for record in runs}
        rows = await self._store.lines(
            list(ids),
            task=task,
            streams=streams,
            after=after,
            limit=limit,
            newest_first=newest_first,
        )
        return [(ids[row[1]], _line(row)) for row in rows]

    async def lines_of(
        self,
        runs: Sequence[RunRecord],
        *,
        streams: Sequence[str] | None,
        since: datetime | None,
        skip: int,
        limit: int | None,
    ) -> list[tuple[RunRecord, Line]]:
        """(run, line) over some runs, in order of `serial`, which is that of time."""
        records = {record.serial: record for record in runs}
        rows = await self._store.lines(
            list(records),
            task=None,
            streams=streams,
            after=0,
            limit=limit,
            newest_first=False,
            since=None if since is None else (since - _EPOCH) // _MICROSECOND,
            skip=skip,
        )
        return [(records[row[1]], _line(row)) for row in rows]

    async def count_lines(
        self, runs: Sequence[RunRecord], *, streams: Sequence[str] | None
    ) -> int:
        """How many lines some runs have."""
        serials = [record.serial for record in runs]
        return await self._store.count_lines(serials, streams=streams)

    def erase(self, lines: Iterable[Line]) -> None:
        """Remove some lines."""
        for line in lines:
            self._store.write(store.DROP_LINE, (line.serial,))

    def keep(self, record: RunRecord, task: str, outputs: Mapping[str, bytes]) -> None:
        """Save a task's outputs by name, in place of those it had."""
        self._store.write(store.DROP_OUTPUTS, (record.serial, task))
        for name, data in outputs.items():
            self._store.write(store.PUT_OUTPUT, (record.serial, task, name, data))

    async def output(self, record: RunRecord, task: str, name: str) -> bytes | None:
        """One output of a task."""
        sql = "SELECT data FROM outputs WHERE run = ? AND task = ? AND name = ?"
        return await self._store.value(sql, record.serial, task, name)

    # -- things of the façades --------------------------------------------------------

    def put(self, platform: str, kind: str, key: str, value: Json) -> None:
        """Insert or replace a document."""
        body = orjson.dumps(value)
        self._documents.setdefault((platform, kind), {})[key] = body
        self._store.write(store.PUT_DOCUMENT, (platform, kind, key, body))

    def documents(self, platform: str, kind: str) -> Mapping[str, Json]:
        """The documents of a kind as they are now, decoded when looked at."""
        return _Documents(dict(self._documents.get((platform, kind), {})))

    def drop(self, platform: str, kind: str, key: str) -> None:
        """Remove a document if it is there."""
        self._documents.get((platform, kind), {}).pop(key, None)
        self._store.write(store.DROP_DOCUMENT, (platform, kind, key))

    def put_blob(self, platform: str, key: str, data: bytes) -> None:
        """Insert or replace bytes."""
        self._store.write(store.PUT_BLOB, (platform, key, data))

    def drop_blob(self, platform: str, key: str) -> None:
        """Remove bytes if they are there."""
        self._store.write(store.DROP_BLOB, (platform, key))

    async def blob(self, platform: str, key: str) -> bytes | None:
        """Bytes under a key, or None."""
        sql = "SELECT data FROM blobs WHERE platform = ? AND key = ?"
        return await self._store.value(sql, platform, key)

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
        for runs in self._runs.values():
            for record in runs.values():
                if not record.state.final:
                    self._abandon(record)
        await self.flush()

    def _abandon(self, record: RunRecord) -> None:
        for task in record.tasks.values():
            if task.state is State.RUNNING:
                task.state, task.ended, task.error = State.FAILED, utcnow(), RESTARTED
            elif task.state is State.QUEUED:
                task.state, task.ended = State.CANCELED, utcnow()
        record.error, record.canceling = RESTARTED, False
        self.enter(record, State.FAILED)


def _line(row: store.Row) -> Line:
    serial, _, task, stream, time, text = row
    return Line(serial, task, stream, _EPOCH + time * _MICROSECOND, text)


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
