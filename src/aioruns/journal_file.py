"""The journal's file: one process writes it, a group of changes at a time.

Everything here blocks, and is called in a worker thread.
"""

import sqlite3
from collections.abc import Callable
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

Values = tuple[str | float | None, ...]
"""What is written of one attempt or spec; whole numbers count as float here."""

Told = Callable[[JournalError | None], None]
"""Called when something is on the disk, or with the reason why it is not."""


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

    def found(self) -> Entry:
        """The entry, once it is on the disk."""
        assert self.entry is not None  # noqa: S101 - narrows; whoever wrote it says so
        return self.entry


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
        put_back: Values for `schema.PUT_BACK`.
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
    submitting: list[Values] = field(factory=list)
    put_back: list[Values] = field(factory=list)
    submitted: list[Values] = field(factory=list)
    ended: list[Values] = field(factory=list)
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
    _all_new: bool = field(init=False)
    """Whether plans are expected to be new, and different from each other."""

    def __attrs_post_init__(self) -> None:
        self._all_new = not self._found

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
            if group.submitting or group.put_back:
                run.executemany(schema.SUBMITTING, group.submitting)
                run.executemany(schema.PUT_BACK, group.put_back)
            schema.SUBMITTED.write(run, group.submitted)
            schema.ENDED.write(run, group.ended)
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
        if self._all_new and self._plan_new(last, plans):
            return last + len(plans)
        was = last
        last = self._plan_each(last, plans)
        # That many of them were new.
        self._all_new = last - was == len(plans)
        return last

    def _plan_new(self, last: int, plans: list[Plan]) -> bool:
        """Write plans if all are new and no two are equal; otherwise change nothing.

        Looking for each of them first would take as long as all the rest.
        """
        run = self._connection
        rows = range(last + 1, last + 1 + len(plans))
        specs = [(plan.identity, 0, row) for plan, row in zip(plans, rows, strict=True)]
        run.execute("SAVEPOINT plans")
        if schema.NEW_SPEC.write(run, specs) < len(plans):
            run.execute("ROLLBACK TO plans")
            run.execute("RELEASE plans")
            return False
        run.execute("RELEASE plans")
        attempts: list[Values] = []
        for plan, row in zip(plans, rows, strict=True):
            plan.entry = entry = self._new_entry(plan, 0, row)
            attempts.append(_attempt_of(plan, entry))
        schema.ATTEMPT.write(run, attempts)
        return True

    def _new_entry(self, plan: Plan, repetition: int, row: int) -> Entry:
        identity, since = plan.identity, plan.submitting
        key = plan.key or derive_key(identity, repetition, 1, self.salt)
        stage = Stage.PLANNED if since is None else Stage.SUBMITTING
        return Entry(
            row, row, repetition, 1, key, stage, True, since, identity=identity
        )

    def _plan_each(self, last: int, plans: list[Plan]) -> int:
        specs: list[Values] = []
        attempts: list[Values] = []
        begun: list[Values] = []
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
            specs.append((identity, repetition, last))
            plan.entry = entry = self._new_entry(plan, repetition, last)
            attempts.append(_attempt_of(plan, entry))
        run = self._connection
        run.executemany(schema.SUBMITTING, begun)
        schema.ATTEMPT.write(run, attempts)
        schema.SPEC.write(run, specs)
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


def _attempt_of(plan: Plan, entry: Entry) -> Values:
    row, since = entry.row, stamp(entry.since)
    # SQLite is slow with what is a text and more, such as a stage.
    stage = str(entry.stage)
    return row, row, 1, plan.platform, plan.target, entry.key, stage, since
