"""The stub server: requests are cut by hand, answers are bytes.

    python -m benchmarks.stub.server [CORE] [CERTIFICATE]

prints its ports: one for plain HTTP, one that answers 50 ms late, and, given a file
with a certificate and its key, one for HTTPS. Beside the four APIs it answers
`/-/reset` and `/-/paths`, which begin and return a record of the paths that were asked
for, `/-/forget`, which drops the runs that were submitted, and `/-/cpu`, the CPU
seconds spent so far.
"""

import asyncio
import importlib
import json
import os
import ssl
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

from benchmarks.stub import abeja, cloudify, kubeflow, made, nextmv

_PLATFORMS = {
    "v1": nextmv.answer,
    "apis": kubeflow.answer,
    "organizations": abeja.answer,
    "api": cloudify.answer,
}
LATENCY = 0.05
"""Seconds by which the second port answers late."""

_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: stub\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
)
# wire/cloudify.md 2: the official client takes no other status for a creation.
_HEAD_CREATED = _HEAD.replace(b"200 OK", b"201 Created")


class Paths:
    """What was asked for since the last reset."""

    def __init__(self) -> None:
        self.kept = False
        self.paths: list[str] = []

    def answer(self, path: str) -> bytes:
        """Reset, or tell."""
        if path == "/-/cpu":
            return json.dumps(time.process_time()).encode()
        if path == "/-/forget":
            made.forget()
        elif path == "/-/reset":
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
            body = self._data[end + 4 : end + 4 + size]
            self._data = self._data[end + 4 + size :]
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            self._take(method, target, body)

    def _take(self, method: str, target: str, given: bytes) -> None:
        self._answer(method, target, given)

    def _answer(self, method: str, target: str, given: bytes) -> None:
        path, _, query = target.partition("?")
        first = path.split("/", 2)[1]
        if first == "-":
            body: bytes | Iterator[bytes] = self._paths.answer(path)
        else:
            if self._paths.kept:
                self._paths.paths.append(target)
            body = _PLATFORMS[first](method, path, query, given)
        if isinstance(body, bytes):
            created = method == "POST" and first == "api"
            head = _HEAD_CREATED if created else _HEAD
            self._transport.write(
                b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
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


class LateConnection(Connection):
    """Answers as a server that is far away: late, but any number at once."""

    def _take(self, method: str, target: str, given: bytes) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(LATENCY, self._answer_late, method, target, given)

    def _answer_late(self, method: str, target: str, given: bytes) -> None:
        if not self._transport.is_closing():
            self._answer(method, target, given)


async def _serve(certificate: str | None) -> None:
    paths = Paths()
    loop = asyncio.get_running_loop()
    ports = []
    for kind, file in (
        (Connection, None),
        (LateConnection, None),
        (Connection, certificate),
    ):
        context = None
        if file is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
        server = await loop.create_server(
            partial(kind, paths), "127.0.0.1", 0, ssl=context, backlog=1024
        )
        ports.append(server.sockets[0].getsockname()[1])
    print(*ports, flush=True)
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
    run(_serve(sys.argv[2] if len(sys.argv) > 2 else None))


if __name__ == "__main__":
    main()
