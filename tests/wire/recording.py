"""A server that gives prepared answers and writes down what it was asked.

Of the standard library alone: the official clients and ours talk to the same one.
"""

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

LONGEST_BODY = 8192
"""Bytes; of a longer body only size and digest are written down."""

_NO_ANSWER_LEFT = 418


class Prepared(Protocol):
    """An answer; see `nextmv.case.Answer`."""

    status: int
    headers: Any

    def content(self, files: str) -> bytes: ...


class Recorder:
    """Two addresses: the API, and the files behind pre-signed URLs."""

    def __init__(self) -> None:
        self._answers: list[Prepared] = []
        self.requests: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._servers = [self._listen("api"), self._listen("files")]
        self.url, self.files = (
            f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers
        )

    def play(self, answers: Sequence[Prepared]) -> None:
        """Forget what was asked, and be ready with new answers."""
        with self._lock:
            self._answers = list(answers)
            self.requests = []

    @property
    def unused(self) -> int:
        """How many answers nobody asked for."""
        return len(self._answers)

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def _listen(self, name: str) -> HTTPServer:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                recorder._serve(name, self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - names of the standard library

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        self._threads = [*getattr(self, "_threads", []), thread]
        return server

    def _serve(self, name: str, handler: BaseHTTPRequestHandler) -> None:
        body, chunked = _read(handler)
        with self._lock:
            self.requests.append(_seen(name, handler, body, chunked=chunked))
            answer = self._answers.pop(0) if self._answers else None
        status = answer.status if answer else _NO_ANSWER_LEFT
        content = answer.content(self.files) if answer else b"no answer is left"
        handler.send_response(status)
        headers = dict(answer.headers) if answer else {}
        headers.setdefault("Content-Type", _content_type(content))
        headers["Content-Length"] = str(len(content))
        for header, value in headers.items():
            handler.send_header(header.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)


@contextmanager
def recording() -> Iterator[Recorder]:
    """A recorder that is closed at the end."""
    recorder = Recorder()
    try:
        yield recorder
    finally:
        recorder.close()


def _read(handler: BaseHTTPRequestHandler) -> tuple[bytes, bool]:
    if "chunked" not in (handler.headers.get("Transfer-Encoding") or ""):
        length = int(handler.headers.get("Content-Length") or 0)
        return handler.rfile.read(length), False
    body = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body, True


def _seen(
    name: str, handler: BaseHTTPRequestHandler, body: bytes, *, chunked: bool
) -> dict[str, Any]:
    parts = urlsplit(handler.path)
    seen: dict[str, Any] = {
        "to": name,
        "method": handler.command,
        "path": parts.path,
        "query": [list(pair) for pair in parse_qsl(parts.query, True)],
        "authorization": handler.headers.get("Authorization"),
        "account": handler.headers.get("nextmv-account"),
        "content_type": handler.headers.get("Content-Type"),
        "body": _body(body),
    }
    return seen | ({"chunked": True} if chunked else {})


def _body(body: bytes) -> dict[str, Any] | None:
    if not body:
        return None
    if body.startswith(b"\x1f\x8b"):
        return {"archive": members(body)}
    try:
        value = json.loads(body)
    except ValueError:
        if len(body) > LONGEST_BODY:
            return {"size": len(body), "digest": _digest(body)}
        return {"text": body.decode("utf-8", "backslashreplace")}
    if len(body) > LONGEST_BODY:
        text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        return {"json_size": len(text), "json_digest": _digest(text)}
    return {"json": value}


def members(archive: bytes) -> dict[str, Any]:
    """Names and texts of the members of a tar.gz, which may consist of many gzips.

    The manifest's text is left out: clients may write it anew.
    """
    seen: dict[str, Any] = {}
    content = io.BytesIO(gzip.decompress(archive))
    with tarfile.open(fileobj=content, ignore_zeros=True) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is None:
                seen[member.name] = {"link": member.linkname}
            elif member.name == "app.yaml":
                seen[member.name] = {"manifest": True}
            else:
                seen[member.name] = file.read().decode()
    return dict(sorted(seen.items()))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _content_type(content: bytes) -> str:
    if content.startswith((b"{", b"[", b"null")):
        return "application/json"
    return "application/octet-stream"
