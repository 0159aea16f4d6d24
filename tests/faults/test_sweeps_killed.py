"""A sweep with a journal is killed again and again: nothing lost, nothing run twice.

The process dies by SIGKILL at moments that are not chosen, and the same call with the
same journal goes on, through faults or without them, until it comes to its end.
"""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve
from tests.faults.followers import Followers
from tests.faults.grounds import GROUNDS, Work, as_wanted, one_in_five
from tests.faults.sweeper import SweepJob, read_told

from aioruns.local.server import LocalServer

_ROOT = Path(__file__).parents[2]
_PASSES = 6


class Sweepers(Followers):
    """The processes that sweep."""

    def open(self):
        """Start their zygote."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sweep_zygote"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


@pytest.fixture(scope="session")
def _sweep_zygote():
    sweepers = Sweepers()
    sweepers.open()
    yield sweepers
    sweepers.close()


@pytest.fixture
async def sweepers(_sweep_zygote):
    """Processes that sweep, and can be killed."""
    _sweep_zygote.attach()
    yield _sweep_zygote
    await _sweep_zygote.detach()


@pytest.mark.parametrize("platform", GROUNDS)
async def test_nothing_is_lost_or_run_twice(
    platform, rare_seed, clock, sweepers, tmp_path
):
    rng = random.Random(f"{platform}/{rare_seed}")
    work = Work(fails=rng.choice((0, 3)), seconds=rng.choice((0.0, 0.02, 0.1)))
    async with LocalServer(token="local-token", slots=16, seed=rare_seed) as server:
        server.kubeflow.generation = rng.choice(("G1", "G2", "G3"))
        GROUNDS[platform].register(server, work)
        for fault in one_in_five(rng) if rng.random() < 0.7 else ():
            server.faults.add(fault)
        job = SweepJob(
            platform,
            server.url,
            server.token,
            str(tmp_path / "sweep.db"),
            str(tmp_path / "told"),
            clock.epoch,
            clock.pace,
            count=rng.choice((10, 40)),
            max_active=rng.choice((1, 8, 64)),
            retry_failed=rng.choice((0, 1, 2)),
        )
        job = evolve(job, max_active=max(job.max_active, job.count // 10))
        kills = 0
        for _ in range(rng.randint(2, 5)):
            kills += await _kill_soon(sweepers, job, server, rng)
        told = await _to_the_end(sweepers, job, Path(job.out))
        runs = server.engine.runs(platform)
        wrong = as_wanted(work, len(runs), job.count, job.retry_failed)
        assert wrong == [], f"{wrong[:5]} after {kills} kills, {server.faults.counts}"
        _check(told, job, work)
        known = [run_id for one in told for run_id in one.runs]
        assert sorted(known) == sorted(run.id for run in runs)


async def _kill_soon(sweepers, job, server, rng):
    """Kill a sweeper at some moment; return whether it lived until then."""
    sweeper = sweepers.start(job)
    if rng.random() < 0.5:
        before = len(server.engine.runs(job.platform))
        more = rng.choice((1, 1, 2, 5, 20))
        for _ in range(100):
            if len(server.engine.runs(job.platform)) >= before + more:
                break
            await asyncio.sleep(0.002)
        await asyncio.sleep(rng.choice((0.0, rng.uniform(0, 0.01))))
    else:
        await asyncio.sleep(rng.uniform(0, 0.5))
    await sweeper.kill()
    return sweeper.ended.result() < 0


async def _to_the_end(sweepers, job, out):
    """Go on to the end, and again for submissions that failed for certain."""
    for _ in range(_PASSES):
        sweeper = sweepers.start(job)
        assert await asyncio.wait_for(asyncio.shield(sweeper.ended), 40) == 0
        told, ended = read_told(out)
        assert ended
        if not any(one.error for one in told):
            break
    return told


def _check(told, job, work):
    assert sorted(one.seed for one in told) == list(range(job.count))
    assert [one.error for one in told if one.error] == []
    for one in told:
        fails = work.is_failing(one.seed) and job.retry_failed < work.times
        assert one.state == ("failed" if fails else "succeeded"), one
        assert one.result == (None if fails else one.seed), one
