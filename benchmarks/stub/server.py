"""The stub server: requests are cut by hand, answers are bytes.

    python -m benchmarks.stub.server [CORE]

prints its port. Beside the four APIs it answers `/-/reset` and `/-/paths`, which begin
and return a record of the paths that were asked for.
"""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import cast

from benchmarks.stub import abeja, cloudify, kubeflow, nextmv

_PLATFORMS = {
    "v1": nextmv.answer,
    "apis": kubeflow.answer,
    "organizations": abeja.answer,
    "api": cloudify.answer,
}
_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: stub\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
)


class Paths:
    """What was asked for since the last reset."""

    def __init__(self) -> None:
        self.kept = False
        self.paths: list[str] = []

    def answer(self, path: str) -> bytes:
        """Reset, or tell."""
        if path == "/-/reset":
            self.kept, self.paths = True, []
        else:
            self.kept = False
        return json.dumps(self.paths).encode()


class Connection(asyncio.Protocol):
    """One connection; pipelined requests are answered in their order."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._data = b""
        self._parts: Iterator[bytes] | None = None
        self._flows = True
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is there as a whole."""
        self._data += data
        self._serve()

    def pause_writing(self) -> None:
        """The client is slow: keep the rest of a long answer back."""
        self._flows = False

    def resume_writing(self) -> None:
        """Go on with a long answer."""
        self._flows = True
        self._send_parts()

    def _serve(self) -> None:
        while self._parts is None:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._data[:end]
            size = 0
            if not head.startswith(b"GET"):
                at = head.lower().find(b"content-length:")
                if at >= 0:
                    size = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._data) < end + 4 + size:
                return
            self._data = self._data[end + 4 + size :]
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            self._answer(method, target)

    def _answer(self, method: str, target: str) -> None:
        path, _, query = target.partition("?")
        first = path.split("/", 2)[1]
        if first == "-":
            body: bytes | Iterator[bytes] = self._paths.answer(path)
        else:
            if self._paths.kept:
                self._paths.paths.append(target)
            body = _PLATFORMS[first](method, path, query)
        if isinstance(body, bytes):
            self._transport.write(
                b"%bContent-Length: %d\r\n\r\n%b" % (_HEAD, len(body), body)
            )
            return
        self._transport.write(
            _HEAD.replace(b"application/json", b"text/plain; charset=utf-8")
            + b"Transfer-Encoding: chunked\r\n\r\n"
        )
        self._parts = body
        self._send_parts()

    def _send_parts(self) -> None:
        while self._parts is not None and self._flows:
            part = next(self._parts, b"")
            self._transport.write(b"%x\r\n%b\r\n" % (len(part), part))
            if not part:
                self._parts = None
                self._serve()


async def _serve() -> None:
    paths = Paths()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(paths), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.connect_read_pipe(Ended, sys.stdin)
    await Ended.come.wait()


class Ended(asyncio.Protocol):
    """The end of standard input ends the server, however its parent ended."""

    come = asyncio.Event()

    def connection_lost(self, _: Exception | None) -> None:
        """The parent is gone."""
        self.come.set()


def main() -> None:
    """Serve until standard input ends."""
    if len(sys.argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    try:
        run = importlib.import_module("uvloop").run
    except ImportError:
        run = asyncio.run
    run(_serve())


if __name__ == "__main__":
    main()
