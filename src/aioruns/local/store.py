"""What outlives the process: one SQLite connection on one worker thread.

Writes are collected and written in batches; everything goes through the one thread in
order, so that a read sees all writes before it and a state on disk never precedes the
lines that were written before it.
"""

import asyncio
import heapq
import itertools
import logging
import operator
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_LOG = logging.getLogger("aioruns.local")

VERSION = 2
_SCHEMA = """
CREATE TABLE runs (
    serial INTEGER PRIMARY KEY, platform TEXT NOT NULL, id TEXT NOT NULL,
    body BLOB NOT NULL, UNIQUE (platform, id)
);
CREATE TABLE lines (
    serial INTEGER PRIMARY KEY, run INTEGER NOT NULL, task TEXT NOT NULL,
    stream TEXT NOT NULL, time INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX lines_of_run ON lines (run, serial);
CREATE TABLE outputs (
    run INTEGER NOT NULL, task TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (run, task, name)
);
CREATE TABLE documents (
    serial INTEGER PRIMARY KEY, platform TEXT NOT NULL, kind TEXT NOT NULL,
    key TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (platform, kind, key)
);
CREATE TABLE blobs (
    platform TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (platform, key)
);
"""

PUT_RUN = """INSERT INTO runs (serial, platform, id, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (serial) DO UPDATE SET body = excluded.body"""
PUT_LINE = "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)"
PUT_OUTPUT = "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?)"
PUT_DOCUMENT = """INSERT INTO documents (platform, kind, key, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (platform, kind, key) DO UPDATE SET body = excluded.body"""
DROP_DOCUMENT = "DELETE FROM documents WHERE platform = ? AND kind = ? AND key = ?"
PUT_BLOB = "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)"
DROP_BLOB = "DELETE FROM blobs WHERE platform = ? AND key = ?"
DROP_LINE = "DELETE FROM lines WHERE serial = ?"
DROP_OUTPUTS = "DELETE FROM outputs WHERE run = ? AND task = ?"
DROP_RUN = (
    "DELETE FROM runs WHERE serial = ?",
    "DELETE FROM lines WHERE run = ?",
    "DELETE FROM outputs WHERE run = ?",
)

Row = tuple[Any, ...]
_T = TypeVar("_T")

_FLUSH_AFTER = 0.02  # seconds
_FLUSH_ROWS = 500


class BadDataFile(Exception):
    """The file that was given for the server's data cannot be used."""


class Store:
    """A connection, the thread that it lives on, and the writes not yet handed over."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aioruns-local-store")
        self._pending: list[tuple[str, Row]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._connection: sqlite3.Connection

    async def open(self) -> None:
        """Open or create the database; raises `BadDataFile` if that cannot be."""
        try:
            await self._call(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Write what is pending and close the connection."""
        try:
            await self.flush()
        finally:
            await self._call(self._connection.close)
            self._thread.shutdown(wait=False)

    # -- writing --------------------------------------------------------------------

    def write(self, sql: str, row: Row) -> None:
        """Write soon, after everything that was given to `write` before."""
        self._pending.append((sql, row))
        if len(self._pending) >= _FLUSH_ROWS:
            self._push()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_FLUSH_AFTER, self._push)

    async def flush(self) -> None:
        """Return when all that was given to `write` is committed."""
        pushed = self._push()
        if pushed is None:
            await self._call(lambda: None)
        else:
            await asyncio.wrap_future(pushed)

    def _push(self) -> Future[None] | None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return None
        batch, self._pending = self._pending, []
        future = self._thread.submit(self._commit, batch)
        future.add_done_callback(_report)
        return future

    def _commit(self, batch: list[tuple[str, Row]]) -> None:
        with self._connection:
            for sql, group in itertools.groupby(batch, key=operator.itemgetter(0)):
                self._connection.executemany(sql, [row for _, row in group])

    # -- reading --------------------------------------------------------------------

    async def rows(self, sql: str, *parameters: object) -> list[Row]:
        """All rows of one query, after the writes before it."""
        return await self._call(
            lambda: self._connection.execute(sql, parameters).fetchall()
        )

    async def value(self, sql: str, *parameters: object) -> bytes | None:
        """The bytes that a query finds, or None."""
        rows = await self.rows(sql, *parameters)
        data: bytes | None = rows[0][0] if rows else None
        return data

    async def lines(
        self,
        runs: Sequence[int],
        *,
        task: str | None,
        streams: Sequence[str] | None,
        after: int,
        limit: int | None,
        newest_first: bool,
        since: int | None = None,
        skip: int = 0,
    ) -> list[Row]:
        """Rows (serial, run, task, stream, time, text) of some runs in one order."""
        where, values = _condition(task, streams)
        if after:
            where.append("serial < ?" if newest_first else "serial > ?")
            values.append(after)
        if since is not None:
            where.append("serial >= ?")
        order = "DESC" if newest_first else "ASC"
        sql = (
            "SELECT serial, run, task, stream, time, text FROM lines"  # noqa: S608 - only placeholders
            f" WHERE {' AND '.join(where)} ORDER BY serial {order}"
        )

        def read() -> list[Row]:
            late = [] if since is None else [self._first_since(since)]
            # Cursors are lazy: a page over many runs reads little more than the page,
            # and every run is read along the index.
            cursors: list[Iterator[Row]] = [
                self._connection.execute(sql, (run, *values, *late)) for run in runs
            ]
            first = operator.itemgetter(0)
            merged = heapq.merge(*cursors, key=first, reverse=newest_first)
            end = None if limit is None else skip + limit
            return list(itertools.islice(merged, skip, end))

        return await self._call(read)

    async def count_lines(
        self, runs: Sequence[int], *, streams: Sequence[str] | None
    ) -> int:
        """How many lines some runs have."""
        where, values = _condition(None, streams)
        sql = f"SELECT count(*) FROM lines WHERE {' AND '.join(where)}"  # noqa: S608 - only placeholders

        def read() -> int:
            execute = self._connection.execute
            return sum(execute(sql, (run, *values)).fetchone()[0] for run in runs)

        return await self._call(read)

    def _first_since(self, time: int) -> int:
        """The serial from which on no line is older than `time`."""
        # Times grow with serials, which are the table's own order: a bisection needs
        # no index of times.
        sql = "SELECT serial, time FROM lines WHERE serial >= ? ORDER BY serial LIMIT 1"
        (last,) = self._connection.execute("SELECT max(serial) FROM lines").fetchone()
        low, high = 0, (last or 0) + 1
        while low < high:
            middle = (low + high) // 2
            row = self._connection.execute(sql, (middle,)).fetchone()
            if row is None or row[1] >= time:
                high = middle
            else:
                low = row[0] + 1
        return low

    async def _call(self, function: Callable[[], _T]) -> _T:
        self._push()
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    # -- on the thread --------------------------------------------------------------

    def _open(self) -> None:
        try:
            self._connection = sqlite3.connect(self._path, timeout=0.5)
            try:
                version = _prepared(self._connection)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            raise BadDataFile(
                f"The data file {self._path} cannot be used ({error}): another server"
                " may have it open, or it is no data file of this server. Stop that"
                " server, or choose another file."
            ) from error
        if version != VERSION:
            self._connection.close()
            raise BadDataFile(
                f"The data file {self._path} has version {version}, and this server"
                f" reads version {VERSION}. Choose another file."
            )


def _condition(
    task: str | None, streams: Sequence[str] | None
) -> tuple[list[str], list[object]]:
    where, values = ["run = ?"], list[object]()
    if task is not None:
        where.append("task = ?")
        values.append(task)
    if streams is not None:
        where.append(f"stream IN ({', '.join('?' * len(streams))})")
        values.extend(streams)
    return where, values


def _prepared(connection: sqlite3.Connection) -> int:
    """The version of the database, which is made if the file is new."""
    # Exclusive: a second server on the same file would end the runs of the first.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript("BEGIN EXCLUSIVE; COMMIT")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version or tables:
        return version
    script = f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"
    connection.executescript(script)
    return VERSION


def _report(future: Future[None]) -> None:
    error = future.exception()
    if error is not None:
        _LOG.error("The local run server could not save its data: %s", error)
