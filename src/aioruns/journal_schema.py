"""What a journal looks like on disk; `docs/journal.md` tells it to its readers."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar

from aioruns.journal_rows import Rows
from aioruns.seam import RunRef, RunState, Status
from aioruns.values import Value

APPLICATION_ID = 0x61_69_6F_72
"""What SQLite's own header says of the file: "aior"."""

VERSION = 2

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    spec INTEGER NOT NULL,
    identity INTEGER NOT NULL,
    repetition INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    platform TEXT NOT NULL,
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    stage TEXT NOT NULL,
    since REAL,
    run_id TEXT,
    submitted REAL,
    state TEXT,
    text TEXT,
    reason TEXT,
    created REAL,
    started REAL,
    ended REAL,
    finished REAL,
    error TEXT
);
CREATE INDEX repeated ON attempts (spec) WHERE attempt > 1;
CREATE VIEW runs AS
    SELECT attempts.id, platform, target, key, attempt, stage, run_id, state, text,
        reason, error, datetime(since, 'unixepoch') AS since,
        datetime(submitted, 'unixepoch') AS submitted,
        datetime(created, 'unixepoch') AS created,
        datetime(started, 'unixepoch') AS started,
        datetime(ended, 'unixepoch') AS ended,
        datetime(finished, 'unixepoch') AS finished
    FROM attempts WHERE NOT EXISTS (
        SELECT 1 FROM attempts AS later WHERE later.spec = attempts.spec
            AND later.attempt > 1 AND later.attempt > attempts.attempt
    );
"""

# Where each spec is found. Identities are random, so that an index of them changes all
# over with every group: in the journal itself that would be half of what is written.
PLACES = """
CREATE TEMP TABLE places (
    identity INTEGER NOT NULL,
    repetition INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    PRIMARY KEY (identity, repetition)
) WITHOUT ROWID;
INSERT INTO places
    SELECT identity, repetition, max(id) FROM attempts GROUP BY identity, repetition;
CREATE TEMP TABLE seen (identity INTEGER PRIMARY KEY, times INTEGER NOT NULL)
"""


class Stage(StrEnum):
    """How far a spec has come."""

    PLANNED = "planned"
    """It is known; nothing was sent."""
    SUBMITTING = "submitting"
    """Its key is on disk; a request with it may have left."""
    SUBMITTED = "submitted"
    """Its run exists."""
    ENDED = "ended"
    """Its run has ended, or could not be submitted."""


class Entry(Value, frozen=True, gc=False):
    """What a journal knows of one spec: its latest attempt.

    Attributes:
        row: The attempt's `id` in the journal.
        spec: The `id` of the spec's first attempt.
        repetition: How many equal specs came before it in the same pass.
        attempt: Which submission of the spec this is, from 1.
        key: The submission key.
        stage: How far it has come.
        fresh: Whether nothing can have been sent under the key yet. Otherwise an
            entry at SUBMITTING was left by a process that ended then.
        since: When it went on to SUBMITTING.
        run_id: The platform's id of the run, once it is known.
        submitted: When the submission was answered.
        status: The final status, once the run has ended.
        finished: When the end was learnt.
        error: What went wrong, in the words of this library, at most 500 characters.
        identity: The number by which the spec is known again.
    """

    row: int
    spec: int
    repetition: int
    attempt: int
    key: str
    stage: Stage
    fresh: bool
    since: datetime | None = None
    run_id: str | None = None
    submitted: datetime | None = None
    status: Status | None = None
    finished: datetime | None = None
    error: str | None = None
    identity: int = 0
    hidden: ClassVar[frozenset[str]] = frozenset({"identity"})


SPEC = Rows("INSERT INTO places VALUES (?, ?, ?)")
NEW_SPEC = Rows("INSERT OR IGNORE INTO places VALUES (?, ?, ?)")
_BEGUN = (
    "INSERT INTO attempts "
    "(id, spec, identity, repetition, attempt, platform, target, key, stage, since) "
)
ATTEMPT = Rows(f"{_BEGUN} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
INSERT_AGAIN = (
    _BEGUN + "SELECT ?, spec, identity, repetition, ?, platform, target, ?, ?, ? "
    "FROM attempts WHERE id = ?"
)
UPDATE_LATEST = "UPDATE places SET latest = ? WHERE identity = ? AND repetition = ?"
SUBMITTING = "UPDATE attempts SET stage = 'submitting', since = ? WHERE id = ?"
PUT_BACK = "UPDATE attempts SET stage = 'planned', since = NULL WHERE id = ?"
# Equal specs are told apart by their number, so that none is taken out between others.
TAKE_OUT_SPEC = """
DELETE FROM places WHERE identity = :identity AND repetition = :repetition
    AND latest = :row AND NOT EXISTS (
        SELECT 1 FROM places WHERE identity = :identity AND repetition > :repetition
    )
"""
TAKE_OUT_ATTEMPT = "DELETE FROM attempts WHERE id = :row"
# What was refused once may be submitted after all, by a later process.
SUBMITTED = Rows(
    "UPDATE attempts SET stage = 'submitted', finished = NULL, error = NULL, "
    "run_id = ?, submitted = ? WHERE id = ?",
    "UPDATE attempts SET stage = 'submitted', finished = NULL, error = NULL, "
    "run_id = told.column1, submitted = told.column2 "
    "FROM (VALUES (?, ?, ?)) AS told WHERE id = told.column3",
)
ENDED = Rows(
    "UPDATE attempts SET stage = 'ended', finished = ?, error = ?, state = ?, "
    "text = ?, reason = ?, created = ?, started = ?, ended = ? WHERE id = ?",
    "UPDATE attempts SET stage = 'ended', finished = told.column1, "
    "error = told.column2, state = told.column3, text = told.column4, "
    "reason = told.column5, created = told.column6, started = told.column7, "
    "ended = told.column8 "
    "FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)) AS told WHERE id = told.column9",
)
LAST_REPETITION = """
SELECT repetition, latest FROM places WHERE identity = ?
ORDER BY repetition DESC LIMIT 1
"""
_COLUMNS = """
SELECT id, spec, attempt, key, stage, since, run_id, submitted, finished, error, target,
    state, text, reason, created, started, ended
"""
_LATEST = "(SELECT latest FROM places WHERE identity = ? AND repetition = ?)"
FIND = f"{_COLUMNS} FROM attempts WHERE id = {_LATEST}"
FIND_EARLIER = f"""
{_COLUMNS} FROM attempts WHERE id = :spec AND id < :row
UNION ALL
{_COLUMNS} FROM attempts WHERE spec = :spec AND attempt > 1 AND id < :row
ORDER BY attempt
"""


def stamp(at: datetime | None) -> float | None:
    """A time as the journal keeps it: seconds since 1970, exact to microseconds."""
    return None if at is None else at.timestamp()


def read_entry(row: tuple[object, ...], identity: int, repetition: int) -> Entry:
    """Make an entry of what FIND found.

    Raises:
        ValueError: Another program wrote what cannot be understood.
    """
    row_id, spec, attempt = (_number(value) for value in row[:3])
    stage = Stage(str(row[4]))
    run_id, error = _text(row[6]), _text(row[9])
    status = None
    if row[11] is not None:
        status = Status(
            RunRef(str(row[10]), run_id or ""),
            RunState(str(row[11])),
            _text(row[12]) or "",
            _text(row[13]) or "",
            *(_time(value) for value in row[14:17]),
        )
    return Entry(
        row_id,
        spec,
        repetition,
        attempt,
        str(row[3]),
        stage,
        stage is Stage.PLANNED,
        _time(row[5]),
        run_id,
        _time(row[7]),
        status,
        _time(row[8]),
        error,
        identity,
    )


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004 - of a file, no call
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, float | int):
        raise ValueError(f"{value!r} is no time")  # noqa: TRY004 - of a file, no call
    return datetime.fromtimestamp(value, UTC)
