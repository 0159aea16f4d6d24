"""Many specs: outcomes in memory that is bounded, and nothing left behind."""

import asyncio
import gc

import anyio
import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.batch import Outcome, as_completed, gather, submit_all
from aioruns.errors import (
    BadRequest,
    Forbidden,
    GaveUp,
    InvalidInput,
    OutcomeUnknown,
    ServerFailure,
    SubmissionsFailed,
    Unauthorized,
)
from aioruns.seam import RunState


@pytest.fixture
def platform():
    return FakePlatform()


@pytest.fixture(autouse=True)
async def _nothing_left():
    """No task goes on, and nothing is closed by the garbage collector."""
    yield
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Reader:
    """Specs that note how far they were read."""

    def __init__(self, platform, count=1_000_000):
        self.platform = platform
        self.count = count
        self.read = 0
        self.closed = False

    def __iter__(self):
        for number in range(self.count):
            self.read += 1
            yield self.platform.spec(f"k{number}")

    async def slowly(self):
        try:
            for spec in self:
                await self.platform.clock.sleep(0.001)
                yield spec
        finally:
            self.closed = True


# -- outcomes -------------------------------------------------------------------------


async def test_gather_keeps_the_order_of_the_specs(platform):
    for number in range(30):
        platform.lives[f"k{number}"] = (30.0 - number, RunState.SUCCEEDED)
    outcomes = await gather([platform.spec(f"k{n}") for n in range(30)])
    assert [outcome.index for outcome in outcomes] == list(range(30))
    assert [outcome.key for outcome in outcomes] == [f"k{n}" for n in range(30)]
    assert all(outcome.succeeded for outcome in outcomes)
    assert outcomes[4].result == f"result of {outcomes[4].run.id}"
    assert outcomes[4].spec.key == "k4"
    assert outcomes[4].submitted is not None


async def test_outcomes_come_as_they_are_there(platform):
    for number, lasts in enumerate([9.0, 3.0, 6.0]):
        platform.lives[f"k{number}"] = (lasts, RunState.SUCCEEDED)
    specs = [platform.spec(f"k{n}") for n in range(3)]
    async with as_completed(specs) as outcomes:
        assert [outcome.key async for outcome in outcomes] == ["k1", "k2", "k0"]


async def test_specs_without_a_key_get_one(platform):
    spec = platform.spec()
    first, second = await gather([spec, spec])
    assert first.key != second.key
    assert {submission.key for submission in platform.creations} == {
        first.key,
        second.key,
    }


async def test_failures_are_outcomes(platform):
    platform.lives = {
        "fails": (1.0, RunState.FAILED),
        "stops": (1.0, RunState.CANCELED),
        "lasts": (1e9, RunState.SUCCEEDED),
    }
    specs = [platform.spec(key) for key in ("fails", "refused", "stops", "fine")]
    platform.plans["create"] = [None, failing(BadRequest("no", None, 400))]
    outcomes = await gather(specs, max_active=1)
    assert [outcome.state for outcome in outcomes] == [
        RunState.FAILED,
        RunState.UNKNOWN,
        RunState.CANCELED,
        RunState.SUCCEEDED,
    ]
    assert [outcome.succeeded for outcome in outcomes] == [False, False, False, True]
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, True]
    assert outcomes[1].run is None
    assert outcomes[0].result is None
    assert platform.calls["fetch_result"] == 1


async def test_a_wait_that_gives_up_is_an_outcome_with_its_run(platform):
    platform.lives["lasts"] = (1e6, RunState.SUCCEEDED)
    outcomes = await gather([platform.spec("lasts"), platform.spec("k")], within=60)
    assert isinstance(outcomes[0].error, GaveUp)
    assert outcomes[0].run.id == "run-1"
    assert outcomes[1].succeeded


async def test_fetching_a_result_is_patient(platform):
    platform.plans["fetch_result"] = [failing(ServerFailure("500", None, 500))] * 5
    (outcome,) = await gather([platform.spec()])
    assert outcome.succeeded
    assert platform.calls["fetch_result"] == 6


async def test_a_result_that_cannot_be_fetched_is_an_outcome(platform):
    platform.plans["fetch_result"] = [failing(ServerFailure("500", None, 500))] * 50
    (outcome,) = await gather([platform.spec()])
    assert outcome.state is RunState.SUCCEEDED
    assert not outcome.succeeded
    assert isinstance(outcome.error, ServerFailure)


async def test_results_may_be_left_where_they_are(platform):
    (outcome,) = await gather([platform.spec()], results=False)
    assert outcome.succeeded
    assert outcome.result is None
    assert platform.calls["fetch_result"] == 0


async def test_no_specs_no_outcomes(platform):
    assert await gather([]) == []
    async with as_completed(iter(())) as outcomes:
        assert [outcome async for outcome in outcomes] == []


async def test_runs_of_several_platforms_go_together():
    one, two = FakePlatform(), FakePlatform()
    two.clock = one.clock
    outcomes = await gather([one.spec("a"), two.spec("b"), one.spec("c")])
    assert all(outcome.succeeded for outcome in outcomes)
    assert [len(one.creations), len(two.creations)] == [2, 1]


async def test_a_duration_is_known_once_the_run_has_ended(platform):
    """By our own times where the platform does not tell its own."""
    (outcome,) = await gather([platform.spec()])
    assert 5 <= outcome.duration < 6
    assert Outcome("k", index=0, spec=platform.spec()).duration is None


async def test_max_active_is_at_least_one(platform):
    with pytest.raises(InvalidInput, match="max_active"):
        as_completed([platform.spec()], max_active=0)
    with pytest.raises(InvalidInput, match="max_active"):
        await submit_all([platform.spec()], max_active=0)


# -- refused credentials --------------------------------------------------------------


@pytest.mark.parametrize("error", [Unauthorized, Forbidden])
async def test_refused_credentials_stop_everything(platform, error):
    reader = Reader(platform)
    platform.plans["create"] = [*[None] * 10, failing(error("no", None, 401))]
    with pytest.raises(error):
        await gather(reader, max_active=5)
    assert platform.calls["create"] < 20
    assert reader.read < 20


async def test_credentials_that_are_refused_during_a_wait(platform):
    platform.plans["read_states"] = [None, failing(Unauthorized("no", None, 401))]
    with pytest.raises(Unauthorized):
        await gather(Reader(platform), max_active=5)


# -- memory ---------------------------------------------------------------------------


async def test_what_failed_is_forgotten_with_its_outcome(platform):
    class Refused(BadRequest):
        pass

    async def sweep():
        platform.plans["create"] = [failing(Refused("no", None, 400))] * 20
        platform.plans["fetch_result"] = [failing(Refused("no", None, 400))] * 20
        specs = [platform.spec() for _ in range(30)]
        outcomes = await gather(specs, max_active=4)
        assert sum(isinstance(one.error, Refused) for one in outcomes) == 30

    async def leave():
        platform.plans["create"] = [failing(Refused("no", None, 400))] * 20
        specs = [platform.spec() for _ in range(30)]
        async with as_completed(specs, max_active=4) as outcomes:
            async for outcome in outcomes:
                assert isinstance(outcome.error, Refused)
                break

    await sweep()
    await leave()
    platform.plans.clear()
    gc.collect()
    # By its traceback an error leads back to the order that it is in.
    assert [one for one in gc.get_objects() if isinstance(one, Refused)] == []


async def test_a_sweep_is_shown_in_a_few_words(platform):
    specs = [platform.spec(payload={"n": "x" * 5000}) for _ in range(50)]
    platform.lives = dict.fromkeys(range(50), (1e9, RunState.SUCCEEDED))
    async with as_completed(specs) as outcomes:
        outcome = await anext(outcomes)
        assert len(repr(outcomes)) < 200
        assert len(repr(outcome)) < 1500


async def test_specs_are_read_as_they_are_needed(platform):
    """Nobody takes an outcome: what is in memory is bounded by max_active."""
    reader = Reader(platform)
    async with as_completed(reader, max_active=7) as outcomes:
        await platform.clock.sleep(1000)
        assert 7 <= reader.read <= 2 * 7
        for taken in range(1, 50):
            await anext(outcomes)
            assert reader.read <= taken + 3 * 7


async def test_no_more_runs_are_active_than_allowed(platform):
    most = 0
    create = platform.create

    async def count(submission):
        nonlocal most
        ref = await create(submission)
        now = platform.clock.now()
        most = max(most, sum(run.ends > now for run in platform.known.values()))
        return ref

    platform.create = count
    outcomes = await gather(Reader(platform, 100), max_active=9)
    assert len(outcomes) == 100
    assert most == 9


async def test_async_specs(platform):
    reader = Reader(platform, 20)
    outcomes = await gather(reader.slowly(), max_active=4)
    assert [outcome.key for outcome in outcomes] == [f"k{n}" for n in range(20)]
    assert reader.closed


# -- leaving early --------------------------------------------------------------------


async def test_a_break_stops_the_sweep(platform):
    reader = Reader(platform)
    async with as_completed(reader, max_active=5) as outcomes:
        async for _ in outcomes:
            break
    read, created = reader.read, len(platform.creations)
    assert read <= 12
    await platform.clock.sleep(100)
    assert (reader.read, len(platform.creations)) == (read, created)


async def test_leaving_at_once(platform):
    async with as_completed(Reader(platform), max_active=5):
        pass
    assert len(platform.creations) <= 5


async def test_an_exception_of_the_block_is_raised_as_it_is(platform):
    problem = KeyError("mine")

    async def sweep():
        async with as_completed(Reader(platform), max_active=5) as outcomes:
            await anext(outcomes)
            raise problem

    with pytest.raises(KeyError) as caught:
        await sweep()
    assert caught.value is problem


async def test_a_cancelled_sweep_ends_cancelled(platform):
    reader = Reader(platform)
    task = asyncio.create_task(gather(reader, max_active=5))
    await platform.clock.sleep(20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    created = len(platform.creations)
    await platform.clock.sleep(100)
    assert len(platform.creations) == created


async def test_a_timeout_around_a_sweep(platform):
    with platform.clock.limit(20) as scope:
        await gather(Reader(platform), max_active=5)
    assert scope.cancelled_caught


async def test_submissions_in_flight_are_settled(platform):
    """Otherwise nobody would know of their runs."""
    platform.latency = 3.0
    told = []
    async with as_completed(
        Reader(platform), max_active=5, on_submitted=lambda run: told.append(run.id)
    ):
        await platform.clock.sleep(1)
        assert platform.calls["create"] == 5
        assert told == []
    assert platform.calls["create"] == 5
    assert sorted(told) == [f"run-{n}" for n in range(1, 6)]


async def test_a_submission_in_doubt_is_settled_after_leaving(platform):
    told = []
    platform.plans["create"] = [failing(OutcomeUnknown("lost"))]
    async with as_completed(
        [platform.spec("k")], on_submitted=lambda run: told.append(run.key)
    ):
        await platform.clock.sleep(0.1)
        assert platform.calls["find"] == 1
    assert told == ["k"]
    assert len(platform.creations) == 1


async def test_settling_is_bounded(platform, monkeypatch):
    monkeypatch.setattr("aioruns.sweeps.conducting.SETTLE", 0.05)

    async def never(submission):
        await anyio.sleep_forever()

    platform.create = never
    with anyio.fail_after(5):
        async with as_completed([platform.spec() for _ in range(3)]):
            await asyncio.sleep(0.01)


async def test_async_specs_are_closed_when_the_sweep_is_left(platform):
    reader = Reader(platform)
    specs = reader.slowly()
    async with as_completed(specs, max_active=3):
        await platform.clock.sleep(3)  # all workers wait for runs, none for specs
        assert not reader.closed
    assert reader.closed


# -- errors of programs ---------------------------------------------------------------


async def test_specs_that_fail_are_raised_as_they_are(platform):
    def specs():
        yield platform.spec("k")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await gather(specs())


async def test_specs_that_fail_are_raised_to_who_iterates(platform):
    async def specs():
        for number in range(10):
            yield platform.spec(f"k{number}")
        raise ZeroDivisionError

    async def sweep():
        async with as_completed(specs(), max_active=3) as outcomes:
            async for outcome in outcomes:
                seen.add(outcome.key)

    seen = set()
    with pytest.raises(ZeroDivisionError):
        await sweep()
    assert "k0" in seen


async def test_a_callback_that_fails_is_raised_as_it_is(platform):
    def on_submitted(run):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await gather([platform.spec(), platform.spec()], on_submitted=on_submitted)


# -- submit_all -----------------------------------------------------------------------


async def test_submit_all_does_not_wait(platform):
    began = platform.clock.now()
    runs = await submit_all([platform.spec(f"k{n}") for n in range(100)], max_active=8)
    assert [run.key for run in runs] == [f"k{n}" for n in range(100)]
    assert platform.clock.now() - began < 1
    assert platform.calls["read_states"] == 0


async def test_submit_all_names_what_was_submitted(platform):
    platform.plans["create"] = [None, failing(BadRequest("no", None, 400)), None]
    specs = [platform.spec(f"k{n}") for n in range(3)]
    with pytest.raises(SubmissionsFailed, match="1 of 3 specs") as caught:
        await submit_all(specs, max_active=1)
    assert [key for key, _ in caught.value.failures] == ["k1"]
    again = [platform.runs.from_cursor(text) for text in caught.value.submitted]
    assert [run.key for run in again] == ["k0", "k2"]
