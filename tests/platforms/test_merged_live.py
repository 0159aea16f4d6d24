"""Merged logs over real sockets, from platforms of two kinds at once."""

import asyncio

import pytest

from aioruns.http.retry import RetryPolicy
from aioruns.local.faults import Fault
from aioruns.merging import merge_logs
from aioruns.platforms.abeja import Abeja
from aioruns.platforms.cloudify import Cloudify
from aioruns.platforms.cloudify.adapter import Adapter
from aioruns.seam import Abilities
from aioruns.session import Session

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
EVENTS = "^GET /api/v3.1/events"


def lines(count):
    return [f"line {number}" for number in range(count)]


async def write(job):
    for line in lines(20):
        await job.log(line)
        await asyncio.sleep(0.01)


async def hold(job):
    await job.log("begun")
    await asyncio.Event().wait()


@pytest.fixture
async def session():
    async with Session(timeout=5, deadline=20, retry=RetryPolicy(base=0.01)) as opened:
        yield opened


@pytest.fixture
def cloudify(server, session, monkeypatch):
    """Asks often and waits for stragglers shortly: the test takes no longer."""
    monkeypatch.setattr("aioruns.logs.SHORTEST_PAUSE", 0.1)
    abilities = Abilities(settle=(0.02,), drain=0.1, spans_targets=True)
    monkeypatch.setattr(Adapter, "abilities", abilities)
    for number in range(40):
        server.cloudify.register(f"web{number}", "write", write)
        server.cloudify.register(f"web{number}", "hold", hold)
    return Cloudify(server.url, token=server.token, session=session)


@pytest.fixture
def abeja(server, session):
    server.abeja.register(DEPLOYMENT, VERSION, write)
    server.settings.page_size = 7
    client = Abeja(ORG, auth_token=server.token, url=server.url, session=session)
    client.runs.platform.abilities = Abilities(
        cancels=False, settle=(0.02,), drain=0.1, grace=2.0
    )
    return client


@pytest.fixture
def counted(server):
    """How many requests for Cloudify's events there were."""
    server.faults.add(Fault("delay", EVENTS))
    return lambda: server.faults.counts["delay"]


async def follow(runs):
    """What each run wrote, without what the platforms say themselves."""
    seen = {run.id: [] for run in runs}
    async with merge_logs(runs) as merged:
        async for line in merged:
            if line.event.message.startswith("line "):
                seen[line.run.id].append(line.event.message)
    assert merged.failures == []
    return seen


async def start(cloudify, count, workflow="write"):
    webs = [cloudify.deployment(f"web{number}") for number in range(count)]
    return [await web.submit(workflow) for web in webs]


async def test_runs_of_two_platforms(cloudify, abeja):
    deployment = abeja.deployment(DEPLOYMENT)
    runs = [
        *await start(cloudify, 8),
        *[await deployment.submit(VERSION) for _ in range(4)],
    ]
    assert await follow(runs) == {run.id: lines(20) for run in runs}


async def test_executions_share_their_requests(cloudify, counted):
    runs = await start(cloudify, 40, "hold")
    async with merge_logs(runs) as merged, asyncio.timeout(10):
        async for line in merged:
            if line.event.message == "begun":
                break
        await asyncio.sleep(1.5)
    # Each by itself would have asked four times at least.
    assert 3 <= counted() < 40


@pytest.mark.parametrize(
    "kind", ["503", "429", "drop-before", "drop-after", "truncate"]
)
async def test_failures_lose_nothing(server, cloudify, kind):
    server.faults.add(Fault(kind, EVENTS, times=4, after=1, retry_after=0.01))
    runs = await start(cloudify, 6)
    assert await follow(runs) == {run.id: lines(20) for run in runs}
    assert server.faults.counts[kind] == 4
