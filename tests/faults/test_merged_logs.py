"""The merged logs of some runs, through faults: of each run each line, in its order."""

import asyncio
import random
from collections import defaultdict

import pytest
from tests.faults.follower import CLIENTS, Record
from tests.faults.places import PLACES
from tests.faults.scripts import make_script
from tests.faults.storm import make_storm

from aioruns import Session, merge_logs
from aioruns.local.server import LocalServer


@pytest.mark.parametrize("platform", PLACES)
async def test_each_line_once_and_in_order(platform, rare_seed, clock):
    rng = random.Random(f"{platform}/{rare_seed}")
    session = Session(clock=clock, timeout=1.0)
    async with (
        LocalServer(token="local-token", slots=16, seed=rare_seed) as server,
        session,
        CLIENTS[platform](server.url, server.token, session) as api,
    ):
        place = PLACES[platform](server)
        place.prepare(rng)
        runs = []
        for _ in range(rng.randint(2, 6)):
            scripts = [make_script(rng, most=100, seconds=0.3) for _ in range(3)]
            programs = [script.as_callable() for script in scripts]
            runs.append(await place.submit(api, programs))
        for fault in make_storm(rng, platform):
            server.faults.add(fault)
        seen = defaultdict(list)
        async with asyncio.timeout(40), merge_logs(runs) as merged:
            async for line in merged:
                event = line.event
                time = event.timestamp.isoformat()
                record = Record("line", "", time, event.source, event.message)
                seen[line.run.id].append(record)
        server.faults.clear()
        assert merged.failures == []
        for run in runs:
            record = await server.engine.ended(platform, run.id)
            await place.check(record, seen[run.id])
