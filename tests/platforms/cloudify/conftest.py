"""A Cloudify client whose answers are written down, and one of a running server."""

import pytest
from tests.fake_transport import FakeTransport
from tests.fakes import FakeClock

from aioruns import session as session_module
from aioruns.http.retry import RetryPolicy
from aioruns.platforms.cloudify import Cloudify
from aioruns.platforms.cloudify.adapter import Adapter
from aioruns.seam import Abilities
from aioruns.session import Session


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def transport(monkeypatch):
    fake = FakeTransport()
    monkeypatch.setattr(session_module, "AiohttpTransport", lambda *_: fake)
    return fake


@pytest.fixture
async def scripted(transport, clock):
    """A client whose answers are `transport.script`."""
    async with Session(clock=clock) as session:
        yield Cloudify("http://m", token="t", session=session)


@pytest.fixture
async def cloudify(server, monkeypatch):
    """A client of the running server; the platform's pauses are short."""
    short = Abilities(settle=(0.02, 0.05), drain=0.1, spans_targets=True)
    monkeypatch.setattr(Adapter, "abilities", short)
    monkeypatch.setattr("aioruns.platforms.cloudify.group_run.FIRST_INTERVAL", 0.05)
    monkeypatch.setattr("aioruns.waiting.FIRST_INTERVAL", 0.05)
    retry = RetryPolicy(base=0.01)
    async with (
        Session(timeout=5, deadline=20, retry=retry) as session,
        Cloudify(server.url, token="local-token", session=session) as client,
    ):
        yield client
