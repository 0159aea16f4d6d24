"""Data behind pre-signed URLs: streamed to disk, unpacked where it is an archive."""

import gzip
import os
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from aioruns.errors import InvalidInput, Unreadable
from aioruns.http.codec import DecodeError, decode
from aioruns.http.request import FileSink, Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.jsontext import LARGE
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat
from aioruns.platforms.nextmv.models.information import Metadata

if TYPE_CHECKING or sys.version_info >= (3, 12):
    import tarfile
else:  # early releases of 3.11, Debian's among them, unpack without the data filter
    from backports import tarfile

T = TypeVar("T")

Directory = str | os.PathLike[str] | None
"""Where files go; None where no files are expected."""

JSON = "application/json"
"""What requests say of runs' data, whatever it is (wire/nextmv.md 1.2)."""


def input_by_url(metadata: Metadata) -> bool:
    """Whether a run's input must be downloaded (wire/nextmv.md 3.3.2)."""
    archive = metadata.content_format in {
        InputFormat.CSV_ARCHIVE,
        ContentFormat.MULTI_FILE,
    }
    return archive or metadata.input_size > LARGE


def output_by_url(metadata: Metadata) -> bool:
    """Whether a run's output must be downloaded (wire/nextmv.md 3.3.4)."""
    return metadata.output_format != ContentFormat.JSON or metadata.output_size > LARGE


async def download(
    client: Client,
    url: str,
    file: Path,
    progress: Progress | None = None,
    content_type: str = JSON,
) -> None:
    """Stream what is behind a pre-signed URL to a file, which appears when it is whole.

    Raises:
        InvalidInput: The file cannot be written; what was asked for was not lost.
        CallError: The download failed.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        sink = FileSink(part, progress)
        await client.send(requests.download(url, sink, content_type))
        await anyio.Path(part).replace(file)
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise InvalidInput(
            f"{file} cannot be written ({error.strerror}): choose another place"
        ) from error
    finally:
        with anyio.CancelScope(shield=True), suppress(OSError):
            await anyio.Path(part).unlink()


@asynccontextmanager
async def temporary_directory() -> AsyncIterator[Path]:
    """A directory that is deleted at the end, with all that is in it."""
    place = await anyio.to_thread.run_sync(_new_directory)
    try:
        yield Path(place.name)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(place.cleanup)


@asynccontextmanager
async def downloaded(
    client: Client,
    url: str,
    progress: Progress | None = None,
    content_type: str = JSON,
) -> AsyncIterator[Path]:
    """Stream what is behind a pre-signed URL to a file that is deleted at the end."""
    async with temporary_directory() as directory:
        sink = FileSink(directory / "data", progress)
        await client.send(requests.download(url, sink, content_type))
        yield sink.file


async def download_as(
    client: Client,
    url: str,
    returns: type[T],
    progress: Progress | None = None,
    content_type: str = JSON,
) -> T:
    """Read what is behind a pre-signed URL, by way of a file.

    A file may take longer than one attempt of a call, and its decoding would hold up
    the event loop.

    Args:
        client: The platform.
        url: The pre-signed URL.
        returns: What it is structured into: `object` for JSON, `str`, or `bytes`.
        progress: Called as the transfer goes on.
        content_type: What the request says of it (wire/nextmv.md 1.2).

    Raises:
        Unreadable: It is not JSON.
        CallError: The download failed.
    """
    async with downloaded(client, url, progress, content_type) as file:
        content = await anyio.Path(file).read_bytes()
    try:
        return await anyio.to_thread.run_sync(decode, content, returns)
    except DecodeError as error:
        raise Unreadable(f"the data behind the download URL: {error}") from error


async def unpack_into(
    client: Client, url: str, directory: Path, progress: Progress | None = None
) -> None:
    """Unpack the archive behind a pre-signed URL.

    Args:
        client: The platform.
        url: The pre-signed URL.
        directory: Made if it is missing.
        progress: Called as the archive is downloaded.

    Raises:
        InvalidInput: The directory cannot be written.
        Unreadable: It is no archive, or has a member that would land elsewhere; what
            came before that member is unpacked.
        CallError: The download failed.
    """
    async with downloaded(client, url, progress) as file:
        await anyio.to_thread.run_sync(_unpack, file, directory)


def directory_for(directory: Directory, what: str) -> Path:
    """The directory that files go to.

    Raises:
        InvalidInput: There is none.
    """
    if directory is None:
        raise InvalidInput(
            f"{what} is files: give output_dir_path, the directory that they go to"
        )
    return Path(directory)


_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


def _new_directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="aioruns-", ignore_cleanup_errors=True)


def _unpack(file: Path, directory: Path) -> None:
    try:
        with tarfile.open(file, "r:*") as archive:
            directory.mkdir(parents=True, exist_ok=True)
            for member in archive:
                # Ends the thread's work when the call is cancelled.
                anyio.from_thread.check_cancelled()
                archive.extract(member, directory, filter="data")
    except tarfile.FilterError as error:
        raise Unreadable(
            f"the archive would write outside of {directory}: {error}; it was not "
            "unpacked further"
        ) from error
    except _BROKEN as error:
        raise Unreadable(
            f"the files are no archive that can be unpacked: {error}"
        ) from error
    except OSError as error:
        raise InvalidInput(
            f"the files cannot be written to {directory} ({error}): choose another "
            "output_dir_path"
        ) from error
