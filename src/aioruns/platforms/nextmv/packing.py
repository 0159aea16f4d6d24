"""Temporary files that are streamed: directories as tar.gz, and long data."""

import os
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread

from aioruns.errors import InvalidInput
from aioruns.http.request import FileBody, Progress

_ITSELF = "inputs.tar.gz"
"""Files of this name are left out (wire/nextmv.md 3.3.1)."""

_LEVEL = 3
"""Of compression; above it the time grows faster than the size shrinks."""


@asynccontextmanager
async def packed(
    directory: Path, progress: Progress | None = None
) -> AsyncIterator[FileBody]:
    """Pack a directory into a temporary file, which is deleted at the end.

    Symbolic links are packed as links and never followed, wherever they lead; empty
    directories vanish (wire/nextmv.md 3.3.1).

    Args:
        directory: What to pack.
        progress: Called as the archive is uploaded.

    Yields:
        The archive as a body for a request.

    Raises:
        InvalidInput: The directory, or a file in it, cannot be read.
    """
    place = await anyio.to_thread.run_sync(_new_file)
    try:
        size = await anyio.to_thread.run_sync(_pack, directory, place)
        yield FileBody(place, size, progress)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_delete, place)


@asynccontextmanager
async def stored(data: bytes) -> AsyncIterator[FileBody]:
    """Write long data to a temporary file, which is deleted at the end.

    A file may take as long as its transfer goes on, where bytes must have left within
    the time of one attempt.
    """
    place = await anyio.to_thread.run_sync(_new_file)
    try:
        await anyio.Path(place).write_bytes(data)
        yield FileBody(place, len(data))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_delete, place)


def _new_file() -> Path:
    handle, name = tempfile.mkstemp(prefix="aioruns-upload-")
    os.close(handle)
    return Path(name)


def _delete(place: Path) -> None:
    place.unlink(missing_ok=True)


def _pack(directory: Path, place: Path) -> int:
    """Write the archive, and return its bytes."""
    if not directory.is_dir():
        raise InvalidInput(f"there is no directory {directory} to take the files from")
    try:
        with tarfile.open(place, "w:gz", compresslevel=_LEVEL) as archive:
            for file in _files(directory):
                # Ends the thread's work when the submission is cancelled.
                anyio.from_thread.check_cancelled()
                name = file.relative_to(directory).as_posix()
                archive.add(file, name, recursive=False, filter=_anonymous)
    except OSError as error:
        raise InvalidInput(
            f"the directory {directory} cannot be packed: {error}"
        ) from error
    return place.stat().st_size


def _files(directory: Path) -> list[Path]:
    """Files and links to files; links to directories are not entered."""

    def fail(error: OSError) -> None:
        raise error

    found: list[Path] = []
    for parent, _, names in os.walk(directory, onerror=fail):
        for name in names:
            file = Path(parent, name)
            if name != _ITSELF and (file.is_symlink() or file.is_file()):
                found.append(file)
    return sorted(found)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who owns the file on this machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
