"""Files on the disk: uploads, inputs, outputs, assets and pushed binaries."""

import asyncio
import atexit
import hashlib
import secrets
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
from attrs import define, field

_CHUNK = 2**20


@define
class Files:
    """Every file has an application, a group inside that, and a name.

    With a data file they are kept beside it and outlive the server; otherwise they go
    with it. A file that is linked to a second place stays when the first one is
    dropped.
    """

    data: str | None
    """The server's data file."""
    _scratch: Path | None = None
    _lock: threading.Lock = field(factory=threading.Lock)

    # -- on worker threads ----------------------------------------------------------

    def scratch(self) -> Path:
        """A directory that is deleted at the end; blocks."""
        with self._lock:
            if self._scratch is None:
                self._scratch = Path(tempfile.mkdtemp(prefix="aioruns-nextmv-"))
                # In case that nobody calls `close`.
                atexit.register(shutil.rmtree, self._scratch, ignore_errors=True)
            return self._scratch

    def path(self, app: str, group: str, name: str) -> Path:
        """Where a file is, or would be; blocks at the first call."""
        root = Path(f"{self.data}.files") if self.data else self.scratch() / "files"
        return root / _hashed(app) / _hashed(group) / _hashed(name)

    # -- in the event loop ----------------------------------------------------------

    async def find(self, app: str, group: str, name: str) -> Path | None:
        """Where a file is, or None if there is none."""
        return await asyncio.to_thread(self._find, app, group, name)

    def _find(self, app: str, group: str, name: str) -> Path | None:
        path = self.path(app, group, name)
        return path if path.is_file() else None

    async def take(
        self, app: str, group: str, name: str, chunks: AsyncIterator[bytes]
    ) -> int:
        """Write a file as its bytes arrive, and tell how many they were.

        A file that was there is replaced once all bytes have arrived, or not at all.
        """
        path = await asyncio.to_thread(self._ready, app, group, name)
        part = path.with_suffix(f".{secrets.token_hex(8)}")
        size = 0
        try:
            async with await anyio.open_file(part, "wb") as file:
                pending = bytearray()
                async for chunk in chunks:
                    size += len(chunk)
                    pending += chunk
                    if len(pending) >= _CHUNK:
                        await file.write(bytes(pending))
                        pending.clear()
                await file.write(bytes(pending))
            await asyncio.to_thread(part.replace, path)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await asyncio.to_thread(part.unlink, missing_ok=True)
            raise
        return size

    async def put(self, app: str, group: str, name: str, data: bytes) -> Path:
        """Write a file whose bytes are at hand."""

        def write() -> Path:
            path = self._ready(app, group, name)
            part = path.with_suffix(f".{secrets.token_hex(8)}")
            part.write_bytes(data)
            return part.replace(path)

        return await asyncio.to_thread(write)

    async def link(self, source: Path, app: str, group: str, name: str) -> Path:
        """Let a file stand at a second place too."""

        def link() -> Path:
            path = self._ready(app, group, name)
            path.unlink(missing_ok=True)
            try:
                path.hardlink_to(source)
            except FileNotFoundError:
                raise
            except OSError:  # a file system without hard links
                shutil.copyfile(source, path)
            return path

        return await asyncio.to_thread(link)

    async def drop(self, app: str, group: str = "", name: str = "") -> None:
        """Delete a file, or without a name a group, or without that all of `app`."""

        def drop() -> None:
            path = self.path(app, group, name)
            if name:
                path.unlink(missing_ok=True)
            else:
                directory = path.parent if group else path.parent.parent
                shutil.rmtree(directory, ignore_errors=True)

        await asyncio.to_thread(drop)

    async def close(self) -> None:
        """Delete what does not outlive the server."""
        if self._scratch is not None:
            await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
            self._scratch = None

    def _ready(self, app: str, group: str, name: str) -> Path:
        path = self.path(app, group, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _hashed(text: str) -> str:
    # Ids may hold anything, and file names may not.
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
