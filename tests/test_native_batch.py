"""Batches that a platform runs by itself: followed as specs are, with few requests."""

import asyncio
import cProfile
import gc

import anyio
import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.batch import as_completed, gather, submit_all
from aioruns.errors import (
    BadRequest,
    Forbidden,
    GaveUp,
    InvalidInput,
    NotFound,
    SubmissionsFailed,
    Unauthorized,
)
from aioruns.native import Member, NativeBatch
from aioruns.runs import RunState


class FakeBatch:
    """Makes its runs on a fake platform, and names them as slowly as it is told.

    Attributes:
        lives: Seconds that each run takes, and how it ends.
        every: Seconds between two runs becoming known.
        takes: Seconds of preparing and of creating.
        absent: Indexes of the runs that the platform never starts.
    """

    def __init__(self, platform, lives, *, every=0.0, takes=(0.0, 0.0), absent=()):
        self.platform = platform
        self.lives = lives
        self.every = every
        self.takes = takes
        self.absent = absent
        self.prepared = 0
        self.created = 0
        self.named = 0
        self.closed = False

    async def prepare(self):
        await self.platform.clock.sleep(self.takes[0])
        self.prepared += 1

    async def start(self):
        await self.platform.clock.sleep(self.takes[1])
        self.created += 1
        return self._members()

    async def _members(self):
        try:
            # In another order than they have in the batch.
            for index, (lasts, final) in reversed(list(enumerate(self.lives))):
                await self.platform.clock.sleep(self.every)
                self.named += 1
                yield self._member(index, lasts, final)
        finally:
            self.closed = True

    def _member(self, index, lasts, final):
        spec, key = self.platform.spec(), f"batch/{index}"
        if index in self.absent:
            return Member(index, spec, key, error=NotFound("no such run", None, 404))
        run = self.platform.add(f"b{index}", target="batch", lasts=lasts, final=final)
        return Member(index, spec, key, run)


def succeeding(*seconds):
    return [(lasts, RunState.SUCCEEDED) for lasts in seconds]


@pytest.fixture
def platform():
    return FakePlatform()


@pytest.fixture(autouse=True)
async def _nothing_left():
    """No task goes on, and nothing is closed by the garbage collector."""
    yield
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_lists_and_generators_are_no_batches(platform):
    async def specs():
        yield platform.spec()

    assert isinstance(FakeBatch(platform, []), NativeBatch)
    assert not isinstance([platform.spec()], NativeBatch)
    assert not isinstance(iter(()), NativeBatch)
    assert not isinstance(specs(), NativeBatch)


async def test_outcomes_come_as_the_runs_end(platform):
    batch = FakeBatch(platform, succeeding(9.0, 3.0, 6.0))
    async with as_completed(batch) as outcomes:
        seen = [(outcome.key, outcome.index) async for outcome in outcomes]
    assert seen == [("batch/1", 1), ("batch/2", 2), ("batch/0", 0)]
    assert (batch.prepared, batch.created, platform.calls["create"]) == (1, 1, 0)


async def test_gather_has_the_order_of_the_batch(platform):
    outcomes = await gather(FakeBatch(platform, succeeding(*range(9, 0, -1))))
    assert [outcome.index for outcome in outcomes] == list(range(9))
    assert outcomes[3].result == "result of b3"
    assert outcomes[3].run.id == "b3"
    assert outcomes[3].submitted is not None
    assert outcomes[3].duration > 5


async def test_all_runs_are_followed_by_one_request_a_round(platform):
    outcomes = await gather(FakeBatch(platform, succeeding(*[60.0] * 1000)))
    assert len(outcomes) == 1000
    assert platform.calls["read_states"] < 60
    assert max(len(refs) for _, refs in platform.asked) == 1000


async def calls_of(count):
    platform = FakePlatform()
    profile = cProfile.Profile()
    with profile:
        await gather(FakeBatch(platform, succeeding(*[60.0] * count)), results=False)
    return sum(entry.callcount for entry in profile.getstats())


async def test_the_work_grows_with_the_runs_and_not_with_their_square():
    # All end in one round, so all leave at once.
    assert await calls_of(1600) < 6 * await calls_of(400)


async def test_leaving_a_sweep_of_many_runs_is_no_trouble(platform):
    batch = FakeBatch(platform, succeeding(*[1000.0] * 50))
    async with as_completed(batch):
        await platform.clock.sleep(10.0)
    assert platform.clock.now() < 1015


async def test_a_slow_run_keeps_no_other_outcome_back(platform):
    batch = FakeBatch(platform, succeeding(*[500.0] * 9, 1.0))
    async with as_completed(batch, max_active=2) as outcomes:
        first = await anext(outcomes)
    assert first.index == 9
    assert platform.clock.now() < 1020


async def test_so_many_results_are_fetched_at_once_as_runs_may_be_active(platform):
    fetching = []

    async def fetch_result(ref):
        fetching.append(ref)
        most.append(len(fetching))
        await platform.clock.sleep(1.0)
        fetching.remove(ref)

    most = []
    platform.fetch_result = fetch_result
    await gather(FakeBatch(platform, succeeding(*[5.0] * 20)), max_active=3)
    assert max(most) == 3


async def test_runs_are_followed_while_others_are_not_known_yet(platform):
    batch = FakeBatch(platform, succeeding(*[1.0] * 5), every=10.0)
    async with as_completed(batch) as outcomes:
        first = await anext(outcomes)
        assert batch.named < 5
    assert first.succeeded


async def test_failures_and_absent_runs_are_outcomes(platform):
    lives = [(1.0, RunState.FAILED), (1.0, RunState.SUCCEEDED), (1.0, RunState.FAILED)]
    outcomes = await gather(FakeBatch(platform, lives, absent=(2,)))
    assert [one.state for one in outcomes] == [
        RunState.FAILED,
        RunState.SUCCEEDED,
        RunState.UNKNOWN,
    ]
    assert isinstance(outcomes[2].error, NotFound)
    assert outcomes[2].run is None
    assert platform.calls["fetch_result"] == 1


async def test_each_wait_has_its_own_bound(platform):
    outcomes = await gather(FakeBatch(platform, succeeding(1.0, 1e6)), within=60)
    assert outcomes[0].succeeded
    assert isinstance(outcomes[1].error, GaveUp)
    assert outcomes[1].run.id == "b1"


async def test_results_may_be_left_where_they_are(platform):
    (outcome,) = await gather(FakeBatch(platform, succeeding(1.0)), results=False)
    assert outcome.succeeded
    assert platform.calls["fetch_result"] == 0


async def test_every_run_is_told_of(platform):
    told = []
    await gather(FakeBatch(platform, succeeding(1.0, 2.0)), on_submitted=told.append)
    assert sorted(run.id for run in told) == ["b0", "b1"]


async def test_progress_knows_how_many_there_are_once_all_are_known(platform):
    async with as_completed(FakeBatch(platform, succeeding(1, 2, 3))) as outcomes:
        assert len([one async for one in outcomes]) == 3
    assert outcomes.progress.total == 3


def test_a_batch_needs_no_journal(platform):
    with pytest.raises(InvalidInput, match="keeps a batch"):
        as_completed(FakeBatch(platform, succeeding(1)), journal="sweep.db")


async def test_no_runs_no_outcomes(platform):
    assert await gather(FakeBatch(platform, [])) == []


async def test_submit_all_gives_the_runs_of_a_batch(platform):
    runs = await submit_all(FakeBatch(platform, succeeding(5.0, 5.0, 5.0)))
    assert [run.id for run in runs] == ["b0", "b1", "b2"]
    assert platform.calls["read_states"] == 0


async def test_submit_all_names_the_runs_that_were_not_started(platform):
    with pytest.raises(SubmissionsFailed) as caught:
        await submit_all(FakeBatch(platform, succeeding(5.0, 5.0), absent=(0,)))
    assert len(caught.value.submitted) == 1
    assert caught.value.failures[0][0] == "batch/0"


@pytest.mark.parametrize("phase", ["prepare", "start"])
async def test_a_batch_that_cannot_be_created_raises(platform, phase):
    batch = FakeBatch(platform, succeeding(1.0))

    async def refused():
        raise BadRequest("no", None, 400)

    setattr(batch, phase, refused)
    with pytest.raises(BadRequest):
        await gather(batch)


async def test_an_error_of_naming_the_runs_raises(platform):
    batch = FakeBatch(platform, succeeding(1.0, 2.0))

    def broken(*_):
        raise ZeroDivisionError

    batch._member = broken
    with pytest.raises(ZeroDivisionError):
        await gather(batch)


@pytest.mark.parametrize("kind", [Unauthorized, Forbidden])
async def test_refused_credentials_stop_the_sweep(platform, kind):
    platform.plans["fetch_result"] = [failing(kind("no", None, 401))]
    batch = FakeBatch(platform, succeeding(1.0, *[1000.0] * 5))
    with pytest.raises(kind):
        await gather(batch)
    assert platform.clock.now() < 1100


async def test_leaving_while_it_is_prepared_creates_nothing(platform):
    batch = FakeBatch(platform, succeeding(1.0), takes=(60.0, 0.0))
    async with as_completed(batch):
        await platform.clock.sleep(1.0)
    assert (batch.prepared, batch.created) == (0, 0)
    assert platform.clock.now() < 1005


async def test_leaving_while_it_is_created_lets_the_creation_end(platform):
    batch = FakeBatch(platform, succeeding(1.0), takes=(0.0, 5.0))
    async with as_completed(batch):
        await platform.clock.sleep(1.0)
    assert batch.created == 1
    assert platform.calls["read_states"] == 0


async def test_leaving_stops_following_and_closes_the_batch(platform):
    batch = FakeBatch(platform, succeeding(*[100.0] * 5), every=10.0)
    async with as_completed(batch) as outcomes:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(outcomes.__anext__)
                await platform.clock.sleep(25.0)
                scope.cancel()
    assert batch.named == 2
    assert batch.closed
    assert platform.calls["cancel"] == 0


async def test_the_block_s_own_error_comes_out_as_it_is(platform):
    batch = FakeBatch(platform, succeeding(1.0, 100.0))
    with pytest.raises(KeyError):  # noqa: PT012 - the loop is what is tested
        async with as_completed(batch) as outcomes:
            async for _ in outcomes:
                raise KeyError("mine")
