"""A client of sockets and epoll alone: what the stub server can do."""

import selectors
import socket
from urllib.parse import urlsplit

from benchmarks.child import Meter
from benchmarks.clients.places import APP
from benchmarks.stub.shapes import run_id

_CONNECTIONS = 64
_END = b"\r\n\r\n"


def capacity(
    meter: Meter, url: str, count: int, method: str, pipelined: int
) -> dict[str, object]:
    """Send prepared requests on 64 connections, and count the answers' bytes.

    Args:
        meter: Measures.
        url: The stub server.
        count: Requests in all.
        method: GET reads a run's metadata (1 KB); POST submits (50 bytes).
        pipelined: Requests that a connection sends at once, so that this client is
            not the one that is slow.
    """
    parts = urlsplit(url)
    path = f"/v1/applications/{APP}/runs"
    if method == "GET":
        path += f"/{run_id(7)}/metadata"
    body = b"" if method == "GET" else b'{"input":{"stops":[]}}'
    request = (
        f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    size = _size(parts.hostname or "", parts.port or 0, request)
    batch, expected = request * pipelined, size * pipelined
    left = count // pipelined
    selector = selectors.DefaultSelector()
    waiting: dict[socket.socket, int] = {}
    for _ in range(_CONNECTIONS):
        one = socket.create_connection((parts.hostname or "", parts.port or 0))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(one, selectors.EVENT_READ)
        waiting[one] = 0
    meter.start()
    for one in waiting:
        one.sendall(batch)
        waiting[one] = expected
        left -= 1
    while any(waiting.values()) if left <= 0 else True:
        for key, _ in selector.select():
            one = key.fileobj  # type: ignore[assignment]  # sockets were registered
            waiting[one] -= len(one.recv(262_144))
            if waiting[one] == 0 and left > 0:
                one.sendall(batch)
                waiting[one] = expected
                left -= 1
    meter.stop()
    for one in waiting:
        one.close()
    return {"requests": count, "count": count}


def _size(host: str, port: int, request: bytes) -> int:
    """Bytes of an answer."""
    with socket.create_connection((host, port)) as one:
        one.sendall(request)
        data = b""
        while True:
            data += one.recv(65_536)
            head, found, body = data.partition(_END)
            if found:
                length = int(head.lower().split(b"content-length:")[1].split()[0])
                if len(body) >= length:
                    return len(head) + len(_END) + length
