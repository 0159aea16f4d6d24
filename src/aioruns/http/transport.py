"""The only place that knows aiohttp: one attempt, one answer, read to its end."""

import asyncio
import io
import math
import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import anyio
from yarl import URL

from aioruns.errors import AiorunsError, InvalidInput, NotSent, OutcomeUnknown
from aioruns.http.deadlines import Deadlines
from aioruns.http.request import FileBody, FileSink, Receiver, Response

CONNECT_TIMEOUT = 10.0
"""Seconds for one TCP and TLS connection to be made."""

KEEPALIVE = 75.0
"""Seconds that an idle connection is kept: longer than the longest poll interval,
since a new TLS connection costs as much as ten requests."""

_LARGE = 1024 * 1024
"""Bytes that are transferred in one go; more would hold up the event loop."""

_SERVERS = 16
"""Servers whose parsed addresses are kept."""

_WHOLE = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
"""aiohttp's clocks where a deadline bounds the whole attempt."""

_NO_TYPE = ("Content-Type",)
"""Headers that aiohttp must not add by itself."""


class Transport(Protocol):
    """A way to send one request once."""

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | FileBody | None,
        timeout: float,  # noqa: ASYNC109 - the attempt's clock is the transport's own
        sink: FileSink | Receiver | None = None,
    ) -> Response:
        """Send, and read the whole answer.

        With a file as body, or a sink, `timeout` bounds the silence between two parts
        of the transfer instead of the whole attempt.

        Raises:
            NotSent: The request did not leave.
            OutcomeUnknown: It left, and no whole answer came back.
        """
        ...

    async def aclose(self) -> None:
        """Close what this transport opened."""
        ...


class AiohttpTransport:
    """aiohttp as the library wants it; made inside the event loop that uses it.

    Args:
        http: A session of the caller's own, which is used and never closed.
        trace_configs: Passed to aiohttp, for telemetry.
        tls: How servers prove who they are; None is aiohttp's default.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        # asyncio receives into buffers of 256 KiB. Until something larger was freed
        # once, glibc maps and unmaps each of them: 17 us of a submission.
        bytes(2 * 256 * 1024)
        self._owned = http is None
        self._http = http or aiohttp.ClientSession(
            # Requests queue at the gates, never inside the connector, where the
            # queueing would count as time of the request.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEEPALIVE, ssl=tls or True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=False,
            trust_env=False,
            trace_configs=list(trace_configs),
        )
        self._servers: dict[str, URL] = {}
        self._deadlines = Deadlines()
        # Looked up once: trust_env would do it in a thread for every request, and let
        # ~/.netrc replace our authorization.
        self._proxies = getproxies()
        self._bypassed: dict[str, bool] = {}

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | FileBody | None,
        timeout: float,
        sink: FileSink | Receiver | None = None,
    ) -> Coroutine[Any, Any, Response]:
        """Send once; see `Transport.send`."""
        if isinstance(body, FileBody):
            return self._upload(method, url, headers, body, timeout, sink)
        data = io.BytesIO(body) if body and len(body) > _LARGE else body
        return self._exchange(method, url, headers, data, timeout, sink)

    async def _upload(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: FileBody,
        timeout: float,  # noqa: ASYNC109 - see Transport.send
        sink: FileSink | Receiver | None,
    ) -> Response:
        headers = {**headers, "Content-Length": str(body.size)}
        # Opened and closed here, since aiohttp may drop its writer half-way.
        async with await anyio.open_file(body.file, "rb") as file:
            # aiohttp's own clock for silence starts when the body is written.
            with anyio.move_on_after(timeout) as patience:
                parts = _parts(file, body, patience, timeout)
                return await self._exchange(method, url, headers, parts, timeout, sink)
            raise OutcomeUnknown(f"the upload stood still for {timeout:g} s")

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | io.BytesIO | AsyncIterator[bytes] | None,
        timeout: float,  # noqa: ASYNC109 - see Transport.send
        sink: FileSink | Receiver | None,
    ) -> Response:
        whole = data is None or isinstance(data, (bytes, io.BytesIO))
        by_parts = sink is not None or not whole
        deadline = self._deadlines.start(math.inf if by_parts else timeout)
        try:
            answer = await self._http.request(
                method,
                self._url(url),
                headers=headers,
                data=data,
                allow_redirects=False,
                # Skipping costs 4 us, also where there is nothing to skip.
                skip_auto_headers=(
                    None
                    if "Content-Type" in headers or (data is None and method == "GET")
                    else _NO_TYPE
                ),
                proxy=self._proxy(url) if self._proxies else None,
                timeout=_silence(timeout) if by_parts else _WHOLE,
            )
            if sink is None or answer.status >= 300:
                # Read to its end, or broken off, an answer gives the connection back.
                content = await answer.read()
                return Response(answer.status, answer.headers, content)
            async with answer:
                await _save(answer, sink)
            return Response(answer.status, answer.headers, b"")
        except asyncio.CancelledError as error:
            if deadline.passed():
                raise OutcomeUnknown(f"no answer within {timeout:g} s") from error
            raise
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise _meaning(error, timeout) from error
        finally:
            self._deadlines.end(deadline)

    async def aclose(self) -> None:
        """Close the pool, unless the session was the caller's own."""
        self._deadlines.close()
        if self._owned:
            await self._http.close()

    def _url(self, url: str) -> URL:
        """An address that is not parsed again below a server that is known.

        It saves 2 to 4 us; `yarl` keeps addresses that are used again and again.
        """
        end = url.find("/", 8)  # behind `https://`
        asked = url.find("?")
        if end < 0 or 0 <= asked < end or "#" in url:
            return URL(url, encoded=True)
        server = self._servers.get(url[:end])
        if server is None:
            server = URL(url[:end], encoded=True)
            if len(self._servers) < _SERVERS:
                self._servers[url[:end]] = server
        if asked < 0:
            return server.with_path(url[end:], encoded=True)
        return URL.build(
            scheme=server.scheme,
            authority=server.raw_authority,
            path=url[end:asked],
            query_string=url[asked + 1 :],
            encoded=True,
        )

    def _proxy(self, url: str) -> str | None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in self._bypassed:
            self._bypassed[host] = bool(proxy_bypass(host))
        return None if self._bypassed[host] else self._proxies.get(parts.scheme)


def _silence(seconds: float) -> aiohttp.ClientTimeout:
    """The clocks of aiohttp where the silence between two parts is bounded."""
    return aiohttp.ClientTimeout(
        total=None, sock_read=seconds, sock_connect=CONNECT_TIMEOUT
    )


def _meaning(error: Exception, timeout: float) -> AiorunsError:
    """What an error of aiohttp says of the request: whether it left.

    From narrow to wide: both of aiohttp's timeouts are also TimeoutError and OSError,
    and only the connection errors prove that nothing was sent.
    """
    match error:
        case aiohttp.ConnectionTimeoutError():
            return NotSent(f"no connection within {CONNECT_TIMEOUT:g} s")
        case aiohttp.ClientConnectorError():
            return NotSent(f"no connection to the server: {error}")
        case aiohttp.InvalidURL():
            return InvalidInput(f"not an address: {error}")
        case TimeoutError():
            text = f"no answer within {timeout:g} s"
        case aiohttp.ServerDisconnectedError():
            text = "the server closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            text = "the answer broke off before its end"
        case _:
            text = f"the connection failed: {str(error) or type(error).__name__}"
    return OutcomeUnknown(text)


async def _parts(
    file: anyio.AsyncFile[bytes],
    body: FileBody,
    patience: anyio.CancelScope,
    timeout: float,  # noqa: ASYNC109 - how long each part may take
) -> AsyncIterator[bytes]:
    sent = 0
    while part := await file.read(_LARGE):
        yield part
        patience.deadline = anyio.current_time() + timeout
        sent += len(part)
        if body.progress is not None:
            body.progress(sent, body.size)
    patience.deadline = float("inf")


async def _save(answer: aiohttp.ClientResponse, sink: FileSink | Receiver) -> None:
    if not isinstance(sink, FileSink):
        await sink.begin()
        async for part in answer.content.iter_any():
            if not await sink.take(part):
                return  # leaving the rest unread gives the connection up
        return
    received = 0
    async with await anyio.open_file(sink.file, "wb") as file:
        async for part in answer.content.iter_chunked(_LARGE):
            await file.write(part)
            received += len(part)
            if sink.progress is not None:
                sink.progress(received, answer.content_length)
