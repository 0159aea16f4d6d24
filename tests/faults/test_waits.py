"""Waits through faults: every end is learnt, as it is, and stays what it was."""

import asyncio
import contextlib
import random

import pytest
from tests.faults.follower import CLIENTS
from tests.faults.places import PLACES
from tests.faults.storm import make_storm

from aioruns import Session
from aioruns.errors import CallError
from aioruns.local.server import LocalServer


def _program(rng):
    seconds, fails = rng.uniform(0, 0.4), rng.random() < 0.3

    async def work(job):
        await asyncio.sleep(seconds)
        if fails:
            raise ValueError("on purpose")
        return {}

    return work


async def _look_again_and_again(runs, rng, clock, ends):
    """Read states beside the waits, in the same rounds; keep those that are final."""
    while True:
        run = rng.choice(runs)
        with contextlib.suppress(CallError):  # one look is not patient
            status = await run.status()
            if status.state.final:
                ends.append(status)
        await clock.sleep(rng.uniform(0, 1))


@pytest.mark.parametrize("platform", PLACES)
async def test_every_end_is_learnt(platform, rare_seed, clock):
    rng = random.Random(f"{platform}/{rare_seed}")
    session = Session(clock=clock, timeout=1.0)
    async with (
        LocalServer(token="local-token", slots=8, seed=rare_seed) as server,
        session,
        CLIENTS[platform](server.url, server.token, session) as api,
    ):
        place = PLACES[platform](server)
        place.prepare(rng)
        programs = [_program(rng) for _ in range(rng.choice((1, 4, 15, 40)))]
        runs = [await place.submit(api, [program] * 3) for program in programs]
        for fault in make_storm(rng, platform):
            server.faults.add(fault)
        ends = []
        looks = asyncio.create_task(_look_again_and_again(runs, rng, clock, ends))
        try:
            async with asyncio.timeout(40):
                waited = await asyncio.gather(*(run.wait() for run in runs))
                again = await asyncio.gather(*(run.wait() for run in runs))
        finally:
            looks.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looks
        server.faults.clear()
        true = {r.id: r.state.value for r in server.engine.runs(platform)}
        assert {status.ref.id for status in waited} == true.keys()
        for status in (*waited, *again, *ends):
            assert status.state.value == true[status.ref.id]
