"""Statements that write many rows at once.

For every statement SQLite gives the interpreter lock back and takes it again, and the
event loop beside it is busy: that costs more than what the statement does.
"""

import re
import sqlite3
from collections.abc import Sequence
from itertools import chain

_SIZES = (64, 8)
"""Rows of one statement; few sizes, as each one is kept as a statement of its own."""

_UPDATES_FROM = sqlite3.sqlite_version_info >= (3, 33)

_ROW = re.compile(r"(?<=VALUES )\((\?, )*\?\)")


class Rows:
    """A statement for one row, and for many.

    Args:
        one: Writes one row. If it is an insertion, it has its `VALUES (?, ...)`.
        update: The same as an update from `VALUES (?, ...)`, with which no two rows
            that are written at one time may be about the same one.
    """

    def __init__(self, one: str, update: str | None = None) -> None:
        self._one = one
        many = update or one
        sizes = _SIZES if update is None or _UPDATES_FROM else ()
        self._many = [(size, _repeated(many, size)) for size in sizes]

    def write(
        self, connection: sqlite3.Connection, rows: Sequence[Sequence[object]]
    ) -> int:
        """Write rows; return how many were written."""
        written = done = 0
        for size, statement in self._many:
            while len(rows) - done >= size:
                values = list(chain.from_iterable(rows[done : done + size]))
                written += connection.execute(statement, values).rowcount
                done += size
        if len(rows) > done:
            written += connection.executemany(self._one, rows[done:]).rowcount
        return written


def _repeated(statement: str, times: int) -> str:
    return _ROW.sub(lambda row: ", ".join([row[0]] * times), statement)
