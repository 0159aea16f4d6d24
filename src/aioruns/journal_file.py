"""The journal's file: one process writes it, a group of changes at a time.

Everything here blocks, and is called in a worker thread.
"""

import sqlite3
from datetime import datetime
from pathlib import Path
from threading import Lock

import anyio
from attrs import define, evolve, field

from aioruns import journal_schema as schema
from aioruns.errors import JournalError
from aioruns.journal_identity import derive_key
from aioruns.journal_opening import open_locked, sentences, transaction
from aioruns.journal_schema import Entry, Stage, read_entry, stamp


@define(eq=False)
class Plan:
    """A spec that is looked for, and written down if it is new.

    Attributes:
        identity: As `identify` tells it.
        platform: Its platform.
        target: Its target.
        key: Its own key, if it has one.
        submitting: When its submission begins, if that is to be written as well.
        entry: What was found or made.
    """

    identity: int
    platform: str
    target: str
    key: str | None
    submitting: datetime | None
    entry: Entry | None = None


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
        submitted: Values for `schema.SUBMITTED`.
        ended: Values for `schema.ENDED`.
        noted: Set when something is in it.
        asked: Set when somebody waits for it.
        done: Set when it was written, or will not be.
        written: Whether it was.
        error: Why it was not.
    """

    plans: list[Plan] = field(factory=list)
    again: list[Again] = field(factory=list)
    submitting: list[tuple[object, ...]] = field(factory=list)
    submitted: list[tuple[object, ...]] = field(factory=list)
    ended: list[tuple[object, ...]] = field(factory=list)
    noted: anyio.Event = field(factory=anyio.Event)
    asked: anyio.Event = field(factory=anyio.Event)
    done: anyio.Event = field(factory=anyio.Event)
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
            run.executemany(schema.SUBMITTED, group.submitted)
            run.executemany(schema.ENDED, group.ended)
            if group.plans or group.again:
                (last,) = run.execute("SELECT max(id) FROM attempts").fetchone()
                last = self._plan(last or 0, group.plans)
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

    def _plan(self, last: int, plans: list[Plan]) -> int:
        """Find what is there and write what is new; return the last row."""
        specs: dict[tuple[int, int], int] = {}
        attempts: list[tuple[object, ...]] = []
        begun: list[tuple[object, ...]] = []
        repeated: dict[int, int] = {}
        for plan in plans:
            identity, since = plan.identity, plan.submitting
            repetition = repeated.get(identity)
            if repetition is None:
                repetition, is_there = self._turn_of(identity)
                if is_there:
                    entry = self._found_entry(identity, repetition)
                    if since is not None and entry.stage is Stage.PLANNED:
                        entry = evolve(entry, stage=Stage.SUBMITTING, since=since)
                        begun.append((stamp(since), entry.row))
                    plan.entry = entry
                    continue
            repeated[identity] = repetition + 1
            last += 1
            key = plan.key or derive_key(identity, repetition, 1, self.salt)
            stage = Stage.PLANNED if since is None else Stage.SUBMITTING
            specs[identity, repetition] = last
            attempts.append(
                (last, last, 1, plan.platform, plan.target, key, stage, stamp(since))
            )
            plan.entry = Entry(
                last, last, repetition, 1, key, stage, True, since, identity=identity
            )
        run = self._connection
        run.executemany(schema.SUBMITTING, begun)
        run.executemany(schema.INSERT_ATTEMPT, attempts)
        rows = ((*spec, row) for spec, row in specs.items())
        run.executemany(schema.INSERT_SPEC, rows)
        return last

    def _turn_of(self, identity: int) -> tuple[int, bool]:
        """Which repetition of a spec comes next in this pass, and whether it is there.

        Only what earlier processes left must be counted: what this one adds comes
        after all of that, so that the last repetition tells the number.
        """
        execute = self._connection.execute
        found = execute(schema.LAST_REPETITION, (identity,)).fetchone()
        if found is None:
            return 0, False
        last: int = found[0]
        if found[1] > self._found:
            return last + 1, False
        row = execute("SELECT times FROM seen WHERE identity = ?", (identity,))
        (times,) = row.fetchone() or (0,)
        if times > last:
            return last + 1, False
        execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (identity, times + 1))
        return times, True

    def _found_entry(self, identity: int, repetition: int) -> Entry:
        found = self._connection.execute(schema.FIND, (identity, repetition))
        return read_entry(found.fetchone(), identity, repetition)

    def _attempt_again(self, last: int, again: list[Again]) -> None:
        for one in again:
            last += 1
            before = one.before
            attempt = before.attempt + 1
            key = one.key or derive_key(
                before.identity, before.repetition, attempt, self.salt
            )
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
