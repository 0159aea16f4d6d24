"""A log answer, taken apart as it comes: what was passed on is counted, not kept.

Every answer is a pod's whole text so far. Lines are counted and not bytes, because
archived text has other line breaks than the live one (wire/kubeflow.md 6.3).
"""

import threading

import orjson
from attrs import define, field

from aioruns.platforms.kubeflow.spool import Spool

_ERROR = b'{"error_message":'
_ERROR_KEYS = frozenset({"error_message", "error_details"})

_TAIL = 256 * 1024
"""Bytes of an unfinished line that are looked through for an error while skipping."""

_CUT = 64 * 1024
"""Bytes that are made into lines at once: few enough to stay near the processor until
somebody has looked at them."""


@define(eq=False)
class LogText:
    """Receives a log answer, and gives the lines after the first `skip`.

    Attributes:
        skip: Lines that were passed on before.
        slots: Bounds the temporary files that large answers need.
        missing: Lines that the answer is short of `skip`.
        cut: Whether the answer was left before its end, for want of a file; what
            follows must be asked for again.
        rest: What follows the last line break; known when all lines were given.
        error: Why the text is not all there, or empty; known at the same time.
    """

    skip: int
    slots: threading.Semaphore
    missing: int = field(init=False)
    cut: bool = field(default=False, init=False)
    rest: str = field(default="", init=False)
    error: str = field(default="", init=False)
    _spool: Spool = field(init=False)
    _tail: bytes = field(default=b"", init=False)
    _has_lines: bool = field(default=False, init=False)
    _block: bytes = field(default=b"", init=False)
    _at: int = field(default=0, init=False)
    _unfinished: list[bytes] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.missing = self.skip
        self._spool = Spool(self.slots)

    async def begin(self) -> None:
        """Forget what came, for an attempt that starts anew."""
        self.missing, self.cut = self.skip, False
        self._tail, self._has_lines = b"", False
        await self._spool.clear()

    async def take(self, part: bytes) -> bool:
        """Take the next part of the answer; false if that is enough for now."""
        if self.missing:
            breaks = part.count(b"\n")
            if breaks < self.missing:
                self.missing -= breaks
                # Kept for the error that may stand there; no line ends in it.
                last = part.rpartition(b"\n")[2] if breaks else self._tail + part
                self._tail = last[-_TAIL:]
                return True
            part = part.split(b"\n", self.missing)[-1]
            self.missing, self._tail = 0, b""
        if not part:
            return True
        await self._spool.write(part)
        self._has_lines = self._has_lines or b"\n" in part
        # A line longer than what memory is meant for must still be read to its end.
        self.cut = self._spool.crowded and self._has_lines
        return not self.cut

    async def next_lines(self) -> list[str]:
        """The next lines, each of them complete; empty at the end."""
        while True:
            end = self._block.rfind(b"\n", self._at, self._at + _CUT)
            if end < 0:
                end = self._block.find(b"\n", self._at + _CUT)
            if end >= 0:
                text = self._block[self._at : end]
                self._at = end + 1
                if self._unfinished:
                    text = b"".join((*self._unfinished, text))
                    self._unfinished.clear()
                return _lines(text)
            self._unfinished.append(self._block[self._at :])
            self._block, self._at = await self._spool.read(), 0
            if not self._block:
                break
        if not self.cut:
            last = self._tail if self.missing else b"".join(self._unfinished)
            self.rest, self.error = split_rest(last)
        self._unfinished.clear()
        self._tail = b""
        return []


def _lines(text: bytes) -> list[str]:
    decoded = text.decode("utf-8", "replace")
    lines = decoded.split("\n")
    if "\r" in decoded:
        return [line.removesuffix("\r") for line in lines]
    return lines


def split_rest(data: bytes) -> tuple[str, str]:
    """Tell what follows the last line break from the error that may be glued to it.

    Errors come with status 200; they contain no line break. A container that prints
    such an object last, without one, cannot be told from them (wire/kubeflow.md 6.3).

    Returns:
        The text before the error, and the error's message.
    """
    error = ""
    start = data.rfind(_ERROR)
    if start >= 0 and data.endswith(b"}"):
        try:
            value = orjson.loads(data[start:])
        except orjson.JSONDecodeError:
            value = {}
        if value and set(value) <= _ERROR_KEYS:
            error = str(value["error_message"]) or "unknown"
            data = data[:start]
    return data.decode("utf-8", "replace").removesuffix("\r"), error
