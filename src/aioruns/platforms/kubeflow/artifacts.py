"""Artifacts into files, without ever holding one in memory.

The server wraps an artifact into one JSON string of base64 (wire/kubeflow.md 2.9). The
answer is streamed into a file beside the wanted one, and decoded from there.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.to_thread

from aioruns.errors import AiorunsError, Context, InvalidInput, Unreadable
from aioruns.http.request import FileSink, Progress, Request, Response
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow.models import ApiReadArtifactResponse

_PIECE = 64 * 1024
"""Characters of base64 that are decoded at once; a multiple of 4."""

_START = re.compile(rb'\s*\{\s*"data"\s*:\s*"')
_EMPTY = re.compile(rb"\s*\{\s*\}\s*")
_END = re.compile(rb"\s*\}\s*")
_STOP = re.compile(rb"[\\=]")
_LONGEST_START = 4096
_LONGEST_REST = 32
"""Characters of an unfinished group: four, each of them escaped, and a little more."""

_ESCAPES = {b"\\/": b"/", b"\\u002b": b"+", b"\\u002f": b"/", b"\\u003d": b"="}
_ESCAPE = re.compile(rb"\\/|\\u00(?:2b|2f|3d)", re.IGNORECASE)


async def save_artifact(
    client: Client,
    request: Request[ApiReadArtifactResponse],
    file: Path,
    progress: Progress | None,
) -> int:
    """Stream an artifact into a file, which is replaced once all of it is there.

    Args:
        client: Sends the request.
        request: Asks for the artifact.
        file: Where to write; its directory must exist.
        progress: Called with the bytes of the answer, a third more than the artifact.

    Returns:
        The size of the artifact in bytes.

    Raises:
        InvalidInput: The directory does not exist or cannot be written to.
        Unreadable: The answer is not an artifact, or not all of it.
        CallError: The server refused or could not be asked.
    """
    if not file.name:
        raise InvalidInput(f"{str(file)!r} names no file to write the artifact to")
    envelope = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    decoded = envelope.with_name(f"{envelope.name}.decoded")
    asked = Request(
        request.method, request.path, Response, sink=FileSink(envelope, progress)
    )
    try:
        await client.send(asked)
        return await anyio.to_thread.run_sync(_take, envelope, decoded, file)
    except AiorunsError:  # some of them are an OSError or a ValueError, too
        raise
    except OSError as error:
        raise InvalidInput(
            f"the artifact cannot be written to {file}: {error.strerror}"
        ) from error
    except ValueError as error:
        shown = request.shown(client.origin.base_url)
        raise Unreadable(
            f"the answer is not an artifact: {error}",
            Context(client.origin.platform, request.method, shown, 1),
        ) from error
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_clear, envelope, decoded)


def decoded_artifact(answer: ApiReadArtifactResponse, context: Context) -> bytes:
    """The bytes of an artifact that was read into memory.

    Raises:
        Unreadable: It is not base64.
    """
    try:
        return base64.b64decode(answer.data or "", validate=True)
    except binascii.Error as error:
        raise Unreadable(f"the artifact is not base64: {error}", context) from error


def _clear(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _take(envelope: Path, decoded: Path, file: Path) -> int:
    size = 0
    with envelope.open("rb") as source, decoded.open("wb") as target:
        for piece in _pieces(source):
            size += target.write(piece)
    decoded.replace(file)
    return size


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    """Decode the envelope piece by piece.

    Raises:
        ValueError: It is something else, or broke off.
    """
    head = source.read(_LONGEST_START)
    start = _START.match(head)
    if start is None:
        if _EMPTY.fullmatch(head):
            # wire/kubeflow.md 2.9: an empty artifact, up to release 2.14
            return
        raise ValueError("it is not a JSON object with base64 in it")
    rest = head[start.end() :]
    while True:
        text, quote, after = rest.partition(b'"')
        text = _unescaped(text)
        # A piece may end inside an escape or before the padding, and four characters
        # make three bytes.
        whole = len(text) if quote else _whole(text)
        if len(text) - whole > _LONGEST_REST:
            raise ValueError("it holds more than base64")
        if whole:
            yield base64.b64decode(text[:whole], validate=True)
        if quote:
            if not _END.fullmatch(after + source.read(_LONGEST_START)):
                raise ValueError("it does not end after the artifact")
            return
        more = source.read(_PIECE)
        if not more:
            raise ValueError("it broke off before its end")
        rest = text[whole:] + more


def _unescaped(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: _ESCAPES[found.group().lower()], text)


def _whole(text: bytes) -> int:
    """How much can be decoded while more is to come."""
    end = _STOP.search(text)
    size = end.start() if end else len(text)
    return size - size % 4
