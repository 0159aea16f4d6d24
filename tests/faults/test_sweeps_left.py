"""^C in mid-sweep with a journal: nothing is begun, and nothing is forgotten."""

import asyncio
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve
from tests.faults.grounds import GROUNDS, Work
from tests.faults.sweeper import SweepJob, read_told

from aioruns.local.faults import Fault
from aioruns.local.records import State
from aioruns.local.server import LocalServer

_ROOT = Path(__file__).parents[2]
_SPECS, _ACTIVE = 60, 12


async def _start(job):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.interrupted",
        job.dumps().decode(),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _in_journal(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        return journal.execute("SELECT stage, run_id FROM attempts").fetchall()


def _shown(run):
    """What the platform says of how a run ended."""
    if run.state is State.SUCCEEDED and run.detail.get("cancel"):
        return "failed"  # wire/cloudify.md 3.2.1: it was cancelled just before its end
    return run.state.value


@pytest.mark.parametrize("platform", GROUNDS)
async def test_a_sweep_is_interrupted(platform, clock, tmp_path):
    rng = random.Random(platform)
    # Every third run would last for ever, so that some are active at any moment.
    work = Work(lasting=3, seconds=0.02)
    async with LocalServer(token="local-token", slots=32) as server:
        GROUNDS[platform].register(server, work)
        server.faults.add(Fault("delay", "^POST ", rate=0.7, seconds=0.15))
        job = SweepJob(
            platform,
            server.url,
            server.token,
            str(tmp_path / "sweep.db"),
            str(tmp_path / "told"),
            clock.epoch,
            clock.pace,
            count=_SPECS,
            max_active=_ACTIVE,
            cancel_remote=platform != "abeja",  # it cannot
        )
        process = await _start(job)
        async with asyncio.timeout(20):
            while len(server.engine.runs(platform)) < 14:  # noqa: ASYNC110 - it counts
                await asyncio.sleep(0.005)
        await asyncio.sleep(rng.uniform(0, 0.1))
        before = len(server.engine.runs(platform))
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            said = await process.communicate()
        assert said == (b"", b"")
        assert process.returncode == 130

        runs = server.engine.runs(platform)
        assert len(runs) <= before + _ACTIVE
        assert len(runs) < _SPECS
        rows = _in_journal(tmp_path / "sweep.db")
        assert sorted(run_id for _, run_id in rows) == sorted(run.id for run in runs)
        assert {stage for stage, _ in rows} <= {"submitted", "ended"}
        server.faults.clear()
        if job.cancel_remote:
            for run in runs:
                await asyncio.wait_for(server.engine.ended(platform, run.id), 5)
            assert State.CANCELED in {run.state for run in runs}

        # What was begun is taken up, and the rest follows.
        work.lasting = 0
        if not job.cancel_remote:
            return
        process = await _start(evolve(job, cancel_remote=False))
        async with asyncio.timeout(20):
            said = await process.communicate()
        assert said == (b"", b"")
        assert process.returncode == 0
        told, ended = read_told(tmp_path / "told")
        assert ended
        assert sorted(one.seed for one in told) == list(range(_SPECS))
        states = {run.id: _shown(run) for run in server.engine.runs(platform)}
        assert {run_id: one.state for one in told for run_id in one.runs} == states
        assert len(states) == _SPECS
