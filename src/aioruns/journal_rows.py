"""Statements that write many rows at once.

For every statement SQLite gives the interpreter lock back and takes it again, and the
event loop beside it is busy: that costs more than what the statement does.
"""

import re
import sqlite3

Values = list[str | float | None]
"""What is written, one row after the other.

It is one list, since a tuple for each row of a large group sets off the garbage
collector again and again. Whole numbers count as `float` here.
"""

_SIZES = (64, 8)
"""Rows of one statement; few sizes, as each one is kept as a statement of its own."""

_ROW = re.compile(r"(?<=VALUES )\((\?, )*\?\)")

_UPDATES_FROM = sqlite3.sqlite_version_info >= (3, 33)


class Rows:
    """A statement for one row, and for many.

    Args:
        one: Writes one row. If it is an insertion, it may have `VALUES (?, ...)`.
        update: The same as an update from `VALUES (?, ...)`, with which no two rows
            that are written at one time may be about the same one.
    """

    def __init__(self, one: str, update: str | None = None) -> None:
        self._one = one
        self._width = one.count("?")
        many = update if update is not None and _UPDATES_FROM else one
        sizes = _SIZES if "VALUES (" in many else ()
        self._many = [(size * self._width, _repeated(many, size)) for size in sizes]

    def write(self, connection: sqlite3.Connection, values: Values) -> int:
        """Write rows; return how many were written."""
        written = done = 0
        for length, statement in self._many:
            while len(values) - done >= length:
                part = values[done : done + length]
                written += connection.execute(statement, part).rowcount
                done += length
        for start in range(done, len(values), self._width):
            row = values[start : start + self._width]
            written += connection.execute(self._one, row).rowcount
        return written


def _repeated(statement: str, times: int) -> str:
    return _ROW.sub(lambda row: ", ".join([row[0]] * times), statement)
