"""Sweeps whose requests fail one time in five: each spec is run exactly once.

A submission that failed for certain is an outcome with an error, and no run: the same
call with the same journal makes good for it.
"""

import asyncio
import os
import random

import pytest
from tests.faults.follower import CLIENTS
from tests.faults.grounds import GROUNDS, Work, as_wanted, one_in_five

from aioruns import Session, gather
from aioruns.local.server import LocalServer
from aioruns.runs import RunState

_SPECS = 200 if "TORTURE_SEEDS" in os.environ else 100
_PASSES = 6


def _wrong_outcomes(outcomes, work, ground, retried):
    """What is wrong with outcomes, of one for each seed; those with errors aside."""
    assert [one.index for one in outcomes] == list(range(len(outcomes)))
    for seed, one in enumerate(outcomes):
        if one.error is not None:
            continue
        lasts = work.is_failing(seed) and retried < work.times
        wanted = RunState.FAILED if lasts else RunState.SUCCEEDED
        if one.state is not wanted:
            yield f"seed {seed} ended as {one.state}"
        elif one.succeeded and ground.seed(one.result) != seed:
            yield f"seed {seed} has the result of {ground.seed(one.result)}"


@pytest.mark.parametrize("platform", GROUNDS)
async def test_each_spec_runs_once(platform, rare_seed, clock, tmp_path):
    rng = random.Random(f"{platform}/{rare_seed}")
    ground, work = GROUNDS[platform], Work(fails=rng.choice((0, 7)), seconds=0.01)
    retried = rng.choice((0, 1))
    session = Session(clock=clock, timeout=1.0)
    async with (
        LocalServer(token="local-token", slots=16, seed=rare_seed) as server,
        session,
        CLIENTS[platform](server.url, server.token, session) as client,
    ):
        server.kubeflow.generation = rng.choice(("G1", "G2", "G3"))
        ground.register(server, work)
        for fault in one_in_five(rng):
            server.faults.add(fault)
        for _ in range(_PASSES):
            async with asyncio.timeout(40):
                outcomes = await gather(
                    ground.specs(client, _SPECS),
                    max_active=rng.choice((20, 64)),
                    retry_failed=retried,
                    journal=tmp_path / "sweep.db",
                )
            errors = [one for one in outcomes if one.error is not None]
            wrong = list(_wrong_outcomes(outcomes, work, ground, retried))
            assert wrong == []
            assert len(outcomes) == _SPECS
            if not errors:
                break
        assert [str(one.error) for one in errors] == []
        runs = server.engine.runs(platform)
        wrong = as_wanted(work, len(runs), _SPECS, retried)
        assert wrong == [], f"{wrong[:5]} after {server.faults.counts}"
        known = [a.run.id for one in outcomes for a in (*one.earlier, one)]
        assert sorted(known) == sorted(run.id for run in runs)
