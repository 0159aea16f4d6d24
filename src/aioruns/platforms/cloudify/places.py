"""Positions in a log that is followed: short, since they are in cursors.

A position is a time before which nothing is to come, and the rows that were given since
then. Their numbers lie close together: packed, a thousand of them are a line of text.
"""

import base64
import zlib
from collections.abc import Iterable

from attrs import frozen

from aioruns.errors import InvalidInput
from aioruns.seam import Position


@frozen
class Place:
    """A position, decoded.

    Attributes:
        since: Milliseconds: what arrived before was given; None is the beginning.
        seen: Keys of rows that arrived since then and were given.
        skip: Rows since then that were given and need not be seen again, so many are
            of one millisecond.
        asked: Whether the newest row of this log was looked for.
    """

    since: int | None = None
    seen: frozenset[int] = frozenset()
    skip: int = 0
    asked: bool = False

    @staticmethod
    def of(position: Position | None) -> "Place":
        """Decode a position.

        Raises:
            InvalidInput: It is not one of these.
        """
        if position is None:
            return START
        try:
            return Place(
                int(position["t"]),
                frozenset(unpacked(position.get("s", ""))),
                int(position.get("k", 0)),
                bool(position.get("n", 0)),
            )
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise InvalidInput(
                "the position in this log's cursor cannot be read: read the log from "
                "its beginning, or from another cursor"
            ) from error

    def position(self) -> Position | None:
        """Encode it; None for the beginning."""
        if self.since is None:
            return None
        made: Position = {"t": self.since}
        if self.seen:
            made["s"] = packed(self.seen)
        if self.skip:
            made["k"] = self.skip
        if self.asked:
            made["n"] = 1
        return made


START = Place()


def packed(keys: Iterable[int]) -> str:
    """Numbers of any order as short text: the steps between them."""
    steps = bytearray()
    last = 0
    for key in sorted(keys):
        step, last = key - last, key
        while step > 0x7F:
            steps.append(step & 0x7F | 0x80)
            step >>= 7
        steps.append(step)
    if not steps:
        return ""
    plain, tight = bytes(steps), zlib.compress(steps, 9)
    if len(tight) < len(plain):
        return "z" + base64.b85encode(tight).decode("ascii")
    return "p" + base64.b85encode(plain).decode("ascii")


def unpacked(text: str) -> list[int]:
    """The numbers that `packed` wrote.

    Raises:
        ValueError: It did not write this; or a `zlib.error`.
    """
    if not text:
        return []
    data = base64.b85decode(text[1:])
    if text[0] == "z":
        data = zlib.decompress(data)
    keys: list[int] = []
    last = step = shift = 0
    for byte in data:
        step |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            continue
        last += step
        keys.append(last)
        step = shift = 0
    return keys
