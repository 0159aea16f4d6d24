"""What the mocked tests share: a web without sockets, and time that passes at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from aioresponses import aioresponses, core
from tests.mocked.shim import Response

from aioruns import RetryPolicy, Session


class Web:
    """aioresponses, and what it was sent, in order.

    It replaces `ClientSession._request` whole, so it shows what the transport asks of
    aiohttp: method, address, headers and body. What aiohttp adds, and connections, are
    tested against the local run server.
    """

    def __init__(self, mocked):
        self._mocked = mocked
        self.sent = []

    def answer(
        self, method, url, payload=None, *, status=200, body=b"", kind=None, **more
    ):
        """Answer one request; the same request again takes the next answer.

        The address may be a pattern. Query pairs are noted in the order of their names.
        """

        def note(asked, **call):
            assert call["allow_redirects"] is False
            headers = dict(call["headers"] or {})
            self.sent.append((method, str(asked), headers, call["data"]))

        self._mocked.add(
            url,
            method,
            status=status,
            payload=payload,
            body=body,
            content_type=kind or "application/json",
            callback=note,
            **more,
        )

    def fail(self, method, url, exception):
        """Fail one request."""
        self._mocked.add(url, method, exception=exception)

    @property
    def lines(self):
        """Method and address of every request."""
        return [f"{method} {url}" for method, url, _, _ in self.sent]


class Clock:
    """Time that passes only where the library lets it pass."""

    def __init__(self):
        self.slept = []
        self._now = 1000.0

    def now(self):
        return self._now

    def utc(self):
        passed = timedelta(seconds=self._now - 1000.0)
        return datetime(2026, 5, 4, 21, 0, 0, tzinfo=UTC) + passed

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)

    async def wait(self, _event, seconds):
        await self.sleep(seconds)

    def limit(self, _seconds):
        return anyio.CancelScope()


@pytest.fixture(autouse=True)
def _shim(monkeypatch):
    monkeypatch.setattr(core, "ClientResponse", Response)


@pytest.fixture
def web():
    with aioresponses() as mocked:
        yield Web(mocked)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def session(clock):
    """A session that retries, in no time."""
    async with Session(clock=clock) as opened:
        yield opened


@pytest.fixture
async def once(clock):
    """A session that tries everything once."""
    async with Session(clock=clock, retry=RetryPolicy(attempts=1)) as opened:
        yield opened
