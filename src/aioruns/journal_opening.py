"""Opening a journal: the lock, the checks, and the tables of a new one."""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aioruns import journal_schema as schema
from aioruns.errors import JournalError, JournalLocked
from aioruns.journal_identity import SALT_LENGTH

_HEADER = b"SQLite format 3\0"

_PATIENCE = 10.0
"""Seconds to wait for another program that has a transaction open on the file."""


def open_locked(
    path: Path,
) -> tuple[sqlite3.Connection, sqlite3.Connection, bytes, int]:
    """Open a journal, and make it if there is none.

    Returns:
        The journal, its lock, its salt, and the last attempt that is in it.

    Raises:
        JournalLocked: Another sweep is using it.
        JournalError: It cannot be opened or written, or is no journal.
    """
    with contextlib.ExitStack() as stack, sentences(path):
        _check_header(path)
        lock = _locked(path)
        stack.callback(lock.close)
        connection = _connect(path, _PATIENCE)
        stack.callback(connection.close)
        salt, found = _prepared(connection, path)
        stack.pop_all()
    return connection, lock, salt, found


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=patience, isolation_level=None, check_same_thread=False
    )


def _check_header(path: Path) -> None:
    """Refuse a file of another kind before anything is written beside it."""
    if not path.parent.is_dir():
        raise JournalError(
            f"the journal {path} cannot be made: there is no directory {path.parent}"
        )
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        header = file.read(len(_HEADER))
        if header not in {b"", _HEADER}:
            raise _no_journal(path)


def _no_journal(path: Path) -> JournalError:
    return JournalError(
        f"{path} is a file, but no journal of a sweep: name another one, or one that "
        "does not exist yet"
    )


def _locked(path: Path) -> sqlite3.Connection:
    """Take the lock, which the system gives back when this process dies.

    It is on a file of its own, so that everybody can read the journal meanwhile.
    """
    lock = _connect(path.with_name(f"{path.name}-lock"), 0.5)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise JournalLocked(
            f"the journal {path} is in use by another sweep: wait for its end, or end "
            "its process, or name another journal"
        ) from error
    except BaseException:
        lock.close()
        raise
    return lock


def _prepared(connection: sqlite3.Connection, path: Path) -> tuple[bytes, int]:
    """Check or make the tables; return the salt, and the last attempt that is there."""
    (kind,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    is_new = not (kind or version or tables)
    if not is_new and kind != schema.APPLICATION_ID:
        raise _no_journal(path)
    if not is_new and version != schema.VERSION:
        raise JournalError(
            f"the journal {path} is of version {version}, and this aioruns knows "
            f"version {schema.VERSION}: use the aioruns that made it, or name another "
            "journal"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    # A key must be on the disk before its request leaves, whatever fails after that.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    # What is temporary is no part of the memory that a sweep takes.
    connection.execute("PRAGMA temp_store = FILE")
    connection.execute("PRAGMA temp.journal_mode = MEMORY")
    with transaction(connection) as run:
        if is_new:
            for statement in schema.SCHEMA.split(";"):
                run.execute(statement)
            run.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            run.execute(f"PRAGMA user_version = {schema.VERSION}")
            made = [("salt", secrets.token_bytes(SALT_LENGTH)), ("passes", 0)]
            run.executemany("INSERT INTO meta VALUES (?, ?)", made)
        # It tells at once, too, whether the file can be written.
        run.execute("UPDATE meta SET value = value + 1 WHERE name = 'passes'")
        (salt,) = run.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()
        (found,) = run.execute("SELECT max(id) FROM attempts").fetchone()
        for statement in schema.PLACES.split(";"):
            run.execute(statement)
    return salt, found or 0


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of what is done in here, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite may have ended the transaction itself.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Say what SQLite and the system say, and what to do about it."""
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise JournalError(
            f"the journal {path} cannot be used: {error}; see to it that it can be "
            "written, and that there is room on the disk, and start the sweep again"
        ) from error
