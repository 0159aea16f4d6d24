"""Bytes that are written once and read once: in memory while few, else on disk."""

import tempfile
import threading
from typing import IO

from anyio.to_thread import run_sync
from attrs import define, field

from aioruns.errors import InvalidInput

_IN_MEMORY = 256 * 1024
"""Bytes that stay in memory; most logs are smaller, and many may be open at once."""

_PART = 1024 * 1024
"""Bytes that are written in one go once there is a file: a thread costs its switch."""

_BLOCK = 1024 * 1024
"""Bytes that are read in one go from a file."""

FILES = 32
"""Files that the spools of one client may have open together."""


@define(eq=False)
class Spool:
    """Takes bytes, then gives them back in blocks.

    Large content goes to a file without a name, so that nothing is left on disk however
    the process ends. It is closed when the spool is read to its end or dropped. File
    work is done in threads, which hold the spool: it is never closed under them.

    Attributes:
        slots: Bounds the files; without a free one, content stays in memory.
    """

    slots: threading.Semaphore
    _held: list[bytes] = field(factory=list, init=False)
    _size: int = field(default=0, init=False)
    _file: IO[bytes] | None = field(default=None, init=False)
    _turned: bool = field(default=False, init=False)

    @property
    def crowded(self) -> bool:
        """Whether it holds in memory what should be in a file."""
        return self._file is None and self._size >= _IN_MEMORY

    async def write(self, part: bytes) -> None:
        """Append bytes.

        Raises:
            InvalidInput: There is no room for temporary files.
        """
        self._held.append(part)
        self._size += len(part)
        if self._file is not None:
            if self._size >= _PART:
                await run_sync(self._put)
        elif self._size >= _IN_MEMORY and self.slots.acquire(blocking=False):
            await run_sync(self._open)

    async def read(self) -> bytes:
        """The next block; empty at the end. Nothing is written any more."""
        if self._file is None:
            block = b"".join(self._held)
            self._forget()
            return block
        if not self._turned:
            await run_sync(self._turn)
        block = await run_sync(self._get)
        if not block:
            await run_sync(self._close)
        return block

    async def clear(self) -> None:
        """Forget all that was written."""
        self._forget()
        if self._file is not None:
            await run_sync(self._close)

    def __del__(self) -> None:
        self._close()

    def _forget(self) -> None:
        self._held.clear()
        self._size = 0

    def _open(self) -> None:
        try:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - see _close
        except OSError as error:
            self.slots.release()
            raise _no_room(error) from error
        self._put()

    def _put(self) -> None:
        if self._file is None:
            raise AssertionError
        try:
            self._file.writelines(self._held)
        except OSError as error:
            raise _no_room(error) from error
        self._forget()

    def _turn(self) -> None:
        self._put()
        if self._file is not None:
            self._file.seek(0)
        self._turned = True

    def _get(self) -> bytes:
        return b"" if self._file is None else self._file.read(_BLOCK)

    def _close(self) -> None:
        file, self._file, self._turned = self._file, None, False
        if file is not None:
            self.slots.release()
            file.close()


def _no_room(error: OSError) -> InvalidInput:
    return InvalidInput(
        f"a large log is kept in {tempfile.gettempdir()} while it is read, and that "
        f"failed ({error}): make room there, or name another directory by TMPDIR"
    )
