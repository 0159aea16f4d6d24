"""The journal's file: one process writes it, a group of changes at a time.

Everything here blocks, and is called in a worker thread.
"""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Lock

import anyio
from attrs import define, field

from aioruns import journal_schema as schema
from aioruns.errors import JournalError
from aioruns.journal_identity import derive_key
from aioruns.journal_opening import open_locked, sentences, transaction
from aioruns.journal_plans import Plan, Planner
from aioruns.journal_rows import Values
from aioruns.journal_schema import Entry, Stage, read_entry, stamp

Told = Callable[[JournalError | None], None]
"""Called when something is on the disk, or with the reason why it is not."""


@define(eq=False)
class Again:
    """One more attempt of a spec.

    Attributes:
        before: The attempt before it.
        key: Its key, if it is not to be derived.
        submitting: When it begins, if that is to be written as well.
        entry: What was made.
    """

    before: Entry
    key: str | None
    submitting: datetime | None
    entry: Entry | None = None


@define(eq=False)
class Group:
    """Changes that are written in one transaction.

    Attributes:
        plans: Specs to look for.
        again: Further attempts.
        submitting: Values for `schema.SUBMITTING`.
        put_back: What is to be taken out again.
        submitted: Values for `schema.SUBMITTED`.
        ended: Values for `schema.ENDED`.
        anything: Whether something is in it.
        noted: Set when something is in it.
        asked: Set when somebody waits for it.
        done: Set when it was written, or will not be.
        told: Called after that, with `error`.
        written: Whether it was.
        error: Why it was not.
    """

    plans: list[Plan] = field(factory=list)
    again: list[Again] = field(factory=list)
    submitting: list[tuple[float | None, int]] = field(factory=list)
    put_back: list[Entry] = field(factory=list)
    submitted: Values = field(factory=list)
    ended: Values = field(factory=list)
    anything: bool = False
    noted: anyio.Event = field(factory=anyio.Event)
    asked: anyio.Event = field(factory=anyio.Event)
    done: anyio.Event = field(factory=anyio.Event)
    told: list[Told] = field(factory=list)
    written: bool = False
    error: JournalError | None = None

    def forget_asked(self) -> None:
        """Drop what somebody waited for; what was only noted stays."""
        self.plans.clear()
        self.again.clear()
        self.submitting.clear()


@define(eq=False)
class JournalFile:
    """An open journal, which no other process can open.

    Attributes:
        path: Where it is.
        salt: Its own random bytes.
    """

    path: Path
    _connection: sqlite3.Connection
    _lock: sqlite3.Connection
    salt: bytes
    _found: int
    """The last attempt that earlier processes left."""
    _turn: Lock = field(factory=Lock)
    """A cancelled caller may leave while its thread still writes."""
    _planner: Planner = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._planner = Planner(self._connection, self._found)

    @classmethod
    def open(cls, path: Path) -> "JournalFile":
        """Open a journal, and make it if there is none.

        Raises:
            JournalLocked: Another sweep is using it.
            JournalError: It cannot be opened or written, or is no journal.
        """
        path = path.resolve()
        return cls(path, *open_locked(path))

    def write(self, group: Group) -> None:
        """Write a group, all of it or nothing; it is on the disk when this returns.

        Raises:
            JournalError: It could not be written.
        """
        with self._turn, sentences(self.path), transaction(self._connection) as run:
            run.executemany(schema.SUBMITTING, group.submitting)
            for entry in reversed(group.put_back):
                self._planner.put_back(entry)
            schema.SUBMITTED.write(run, group.submitted)
            schema.ENDED.write(run, group.ended)
            if group.plans or group.again:
                (last,) = run.execute("SELECT max(id) FROM attempts").fetchone()
                last = last or 0
                for plan in group.plans:
                    last = self._planner.plan(last, plan)
                self._attempt_again(last, group.again)

    def earlier(self, entry: Entry) -> list[Entry]:
        """The attempts of a spec before this one, the first of them first."""
        with self._turn, sentences(self.path):
            where = {"spec": entry.spec, "row": entry.row}
            rows = self._connection.execute(schema.FIND_EARLIER, where)
            return [read_entry(row, entry.identity, entry.repetition) for row in rows]

    def close(self) -> None:
        """Fold the write-ahead log into the file, and let others open it."""
        with self._turn, sentences(self.path):
            try:
                self._connection.close()
            finally:
                self._lock.close()

    def _attempt_again(self, last: int, again: list[Again]) -> None:
        for one in again:
            last += 1
            before = one.before
            attempt = before.attempt + 1
            key = one.key or derive_key(before.identity, before.repetition, attempt)
            since = one.submitting
            stage = Stage.PLANNED if since is None else Stage.SUBMITTING
            one.entry = Entry(
                last,
                before.spec,
                before.repetition,
                attempt,
                key,
                stage,
                True,
                since,
                identity=before.identity,
            )
            execute = self._connection.execute
            made = (last, attempt, key, stage, stamp(since), before.row)
            execute(schema.INSERT_AGAIN, made)
            spec = (last, before.identity, before.repetition)
            execute(schema.UPDATE_LATEST, spec)
