"""One sweep over four platforms, one of them slow: the others do not wait."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from tests.faults.follower import CLIENTS
from tests.faults.grounds import GROUNDS, Work, as_wanted

from aioruns import Session, as_completed
from aioruns.local.faults import Fault
from aioruns.local.server import LocalServer

_SPECS = 24
_ROUTES = {
    "nextmv": "/v1/",
    "kubeflow": "/apis/",
    "abeja": "/organizations/",
    "cloudify": "/api/",
}


@pytest.mark.parametrize("slow", GROUNDS)
async def test_a_slow_platform_slows_nobody(slow, clock, tmp_path):
    session = Session(clock=clock, timeout=5.0)
    works = {platform: Work(seconds=0.0) for platform in GROUNDS}
    async with (
        LocalServer(token="local-token", slots=16) as server,
        session,
        AsyncExitStack() as stack,
    ):
        specs = []
        for platform, ground in GROUNDS.items():
            ground.register(server, works[platform])
            connect = CLIENTS[platform](server.url, server.token, session)
            client = await stack.enter_async_context(connect)
            specs.append(list(ground.specs(client, _SPECS)))
        mixed = [spec for some in zip(*specs, strict=True) for spec in some]
        server.faults.add(Fault("delay", _ROUTES[slow], seconds=0.1))
        ends = dict.fromkeys(GROUNDS, 0.0)
        counts = dict.fromkeys(GROUNDS, 0)
        slow_ones = None
        journal = tmp_path / "sweep.db"
        began = time.monotonic()
        async with (
            asyncio.timeout(40),
            as_completed(mixed, max_active=4, journal=journal) as outcomes,
        ):
            async for outcome in outcomes:
                assert outcome.succeeded, outcome
                platform = outcome.spec.platform
                assert GROUNDS[platform].seed(outcome.result) == outcome.index // 4
                ends[platform] = time.monotonic() - began
                counts[platform] += 1
                if slow_ones is None and all(
                    counts[other] == _SPECS for other in GROUNDS if other != slow
                ):
                    slow_ones = counts[slow]
        for platform, work in works.items():
            runs = len(server.engine.runs(platform))
            assert as_wanted(work, runs, _SPECS) == []
        # Each of six rounds of four takes three delayed requests, or two.
        assert ends[slow] > 0.6
        assert slow_ones is not None
        assert slow_ones < _SPECS * 0.8, ends
