"""Finding the places of specs in a journal, and giving them some.

Everything here blocks, and is called within a transaction of `aioruns.journal_file`.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from attrs import define, field
from msgspec.structs import replace

from aioruns import journal_schema as schema
from aioruns.journal_identity import derive_key
from aioruns.journal_rows import Values
from aioruns.journal_schema import Entry, Stage, read_entry, stamp
from aioruns.runs import RunSpec


@define(eq=False)
class Plan:
    """Specs that are looked for, and written down if they are new.

    Attributes:
        specs: In their order.
        identities: Of the specs, as `identify` tells them.
        submitting: When their submission begins, if that is to be written as well.
        entries: What was found or made, in the same order.
    """

    specs: Sequence[RunSpec]
    identities: list[int]
    submitting: datetime | None
    entries: list[Entry] = field(factory=list, init=False)


@define(eq=False)
class Planner:
    """Finds and makes the entries of plans."""

    _connection: sqlite3.Connection
    _found: int
    """The last attempt that earlier processes left."""
    _all_new: bool = field(init=False)
    """Whether specs are expected to be new, and different from each other."""

    def __attrs_post_init__(self) -> None:
        self._all_new = not self._found

    def plan(self, last: int, plan: Plan) -> int:
        """Make a plan's entries.

        Args:
            last: The last row of the journal.
            plan: What to plan; entries of a transaction that failed are overwritten.

        Returns:
            The last row now.
        """
        plan.entries = []
        attempts: Values = []
        if not (self._all_new and self._take_new(last, plan, attempts)):
            self._find_each(last, plan, attempts)
        return last + schema.ATTEMPT.write(self._connection, attempts)

    def put_back(self, entry: Entry) -> None:
        """Take out what was not begun; of equal specs the last one first."""
        execute = self._connection.execute
        where = {
            "row": entry.row,
            "identity": entry.identity,
            "repetition": entry.repetition,
        }
        is_new = entry.row > self._found and entry.attempt == 1
        if is_new and execute(schema.TAKE_OUT_SPEC, where).rowcount:
            execute(schema.TAKE_OUT_ATTEMPT, {"row": entry.row})
        else:
            execute(schema.PUT_BACK, (entry.row,))

    def _take_new(self, last: int, plan: Plan, attempts: Values) -> bool:
        """Take places if all specs are new and no two are equal; or change nothing.

        Looking for each of them first would take as long as all the rest.
        """
        run = self._connection
        places: Values = []
        for row, identity in enumerate(plan.identities, last + 1):
            places += (identity, 0, row)
        run.execute("SAVEPOINT plan")
        is_new = schema.NEW_SPEC.write(run, places) == len(plan.specs)
        if not is_new:
            run.execute("ROLLBACK TO plan")
        run.execute("RELEASE plan")
        if is_new:
            for number in range(len(plan.specs)):
                self._make(plan, number, 0, last + 1 + number, attempts)
        return is_new

    def _find_each(self, last: int, plan: Plan, attempts: Values) -> None:
        """Look for each spec, and take a place for those that are new."""
        places: Values = []
        repeated: dict[int, int] = {}
        first = last
        for number, identity in enumerate(plan.identities):
            repetition = repeated.get(identity)
            if repetition is None:
                repetition, is_there = self._turn_of(identity)
                if is_there:
                    entry = self._found_entry(identity, repetition)
                    plan.entries.append(self._begun(entry, plan.submitting))
                    continue
            repeated[identity] = repetition + 1
            last += 1
            self._make(plan, number, repetition, last, attempts)
            places += (identity, repetition, last)
        schema.SPEC.write(self._connection, places)
        self._all_new = last - first == len(plan.specs) == len(repeated)

    def _make(
        self, plan: Plan, number: int, repetition: int, row: int, attempts: Values
    ) -> None:
        """Make the entry of a new spec."""
        spec, identity = plan.specs[number], plan.identities[number]
        since = plan.submitting
        key = spec.key or derive_key(identity, repetition, 1)
        stage = Stage.PLANNED if since is None else Stage.SUBMITTING
        plan.entries.append(
            Entry(row, row, repetition, 1, key, stage, True, since, identity=identity)
        )
        # SQLite is slow with what is a text and more, such as a stage.
        told = str(stage)
        attempts += (
            *(row, row, identity, repetition, 1),
            *(spec.platform, spec.target, key, told, stamp(since)),
        )

    def _begun(self, entry: Entry, since: datetime | None) -> Entry:
        """An entry that was there, at SUBMITTING if that begins now."""
        if since is None or entry.stage is not Stage.PLANNED:
            return entry
        self._connection.execute(schema.SUBMITTING, (stamp(since), entry.row))
        return replace(entry, stage=Stage.SUBMITTING, since=since)

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
