"""A log is followed through faults by processes that are killed: each line once.

Runs write bursts and silence; every route of the server answers wrongly, late or not at
all now and then; the process that follows dies by SIGKILL at moments that are not
chosen, and another one goes on from the last cursor on disk.
"""

import asyncio
import random
from datetime import timedelta

import pytest
from attrs import evolve
from tests.faults.follower import CLIENTS, Job, count_records, read_records
from tests.faults.places import PLACES
from tests.faults.scripts import make_script
from tests.faults.storm import make_storm

from aioruns import Session
from aioruns.local.server import LocalServer
from aioruns.seam import ALL, Window


@pytest.mark.parametrize("platform", PLACES)
async def test_each_line_once_and_in_order(platform, seed, clock, followers, tmp_path):
    rng = random.Random(f"{platform}/{seed}")
    async with LocalServer(token="local-token", slots=4, seed=seed) as server:
        place = PLACES[platform](server)
        place.prepare(rng)
        scripts = [make_script(rng, most=place.most, seconds=0.3) for _ in range(3)]
        programs = [script.as_callable() for script in scripts]
        if rng.random() < 0.2:
            programs[0] = scripts[0].as_process(tmp_path)
        session = Session(clock=clock)
        async with session, CLIENTS[platform](server.url, server.token, session) as api:
            run = await place.submit(api, programs)
        window = ALL if platform == "kubeflow" else _make_window(rng, clock)
        for fault in make_storm(rng, platform):
            # What is kept back for good would be late for a window that has passed.
            if window.until is None or fault.kind != "empty-page":
                server.faults.add(fault)
        job = Job(
            platform,
            server.url,
            server.token,
            run.target,
            run.id,
            str(tmp_path / "records"),
            clock.epoch,
            clock.pace,
            busy=rng.choice((0.0, 0.0, 0.5)),
            since=window.since,
            until=window.until,
        )
        records = await _follow(followers, job, rng, tmp_path / "records")
        server.faults.clear()
        record = await server.engine.ended(platform, run.id)
        *seen, last = records
        told = f"{server.faults.counts} after {len(seen)} lines: {last.message}"
        assert last.kind == "end", told
        assert last.message == record.state.value
        await place.check(record, seen, window)


def _make_window(rng, clock):
    """Seldom some, most often all; in milliseconds, as platforms give times."""
    if rng.random() < 0.6:
        return ALL
    since = clock.utc() + timedelta(seconds=rng.uniform(-1, 3))
    since = since.replace(microsecond=since.microsecond // 1000 * 1000)
    until = since + timedelta(milliseconds=rng.randint(100, 5000))
    return Window(*rng.choice(((since, None), (None, until), (since, until))))


async def _follow(followers, job, rng, out):
    """Follow to the end, through a few deaths on the way."""
    for _ in range(rng.randint(1, 5)):
        before = count_records(out)
        follower = followers.start(job)
        if rng.random() < 0.5:
            await _until(out, before + rng.choice((1, 1, 2, 7, 50)), follower)
        else:
            await asyncio.sleep(rng.uniform(0, 0.15))
        await follower.kill()
        records = read_records(out)
        if records and records[-1].kind != "line":
            return records
        if records:
            job = evolve(job, cursor=records[-1].cursor)
    follower = followers.start(job)
    assert await asyncio.wait_for(asyncio.shield(follower.ended), 30) == 0
    return read_records(out)


async def _until(out, count, follower):
    """Wait for some records, for a moment at most."""
    for _ in range(50):
        if follower.ended.done() or count_records(out) >= count:
            return
        await asyncio.sleep(0.004)
