"""What a sweep is told to do: again, until, at most, and what to leave behind."""

import asyncio
import itertools

import pytest
from tests.fake_platform import FakePlatform, failing
from tests.fakes import FakeClock

from aioruns.batch import as_completed, gather
from aioruns.errors import (
    Forbidden,
    GaveUp,
    InvalidInput,
    NotSent,
    NotSupported,
    OutcomeUnknown,
    TooManyRequests,
)
from aioruns.seam import RunState


@pytest.fixture
def platform():
    return FakePlatform()


def failing_first(platform, times, state=RunState.FAILED):
    """Let each spec's first runs fail."""
    create = platform.create_now
    seen = {}

    def create_now(submission):
        base = submission.key.split("~")[0]
        seen[base] = seen.get(base, 0) + 1
        platform.life = (5.0, state if seen[base] <= times else RunState.SUCCEEDED)
        return create(submission)

    platform.create_now = create_now


# -- again ----------------------------------------------------------------------------


async def test_a_failed_run_is_submitted_again_under_a_new_key(platform):
    failing_first(platform, 2)
    (outcome,) = await gather([platform.spec("k")], retry_failed=3)
    assert outcome.succeeded
    assert outcome.attempts == 3
    assert [attempt.state for attempt in outcome.earlier] == [RunState.FAILED] * 2
    keys = [*(attempt.key for attempt in outcome.earlier), outcome.key]
    assert keys == ["k", "k~2", "k~3"]
    assert [submission.key for submission in platform.creations] == keys
    assert len({attempt.run.id for attempt in outcome.earlier}) == 2
    assert all(5 <= attempt.duration < 6 for attempt in outcome.earlier)


async def test_in_the_end_a_failure_is_the_outcome(platform):
    failing_first(platform, 9)
    outcomes = await gather([platform.spec("k"), platform.spec()], retry_failed=1)
    assert [outcome.state for outcome in outcomes] == [RunState.FAILED] * 2
    assert platform.calls["create"] == 4
    assert len({submission.key for submission in platform.creations}) == 4


async def test_a_cancelled_run_is_not_submitted_again(platform):
    failing_first(platform, 9, RunState.CANCELED)
    (outcome,) = await gather([platform.spec()], retry_failed=5)
    assert outcome.attempts == 1


async def test_a_long_key_stays_a_key_and_its_own(platform):
    failing_first(platform, 1)
    twins = [platform.spec("x" * 63 + end) for end in "ab"]
    outcomes = await gather(twins, retry_failed=1)
    keys = {outcome.key for outcome in outcomes}
    assert len(keys) == 2
    assert max(map(len, keys)) <= 64


# -- until ----------------------------------------------------------------------------


async def test_an_outcome_may_stop_the_sweep(platform):
    platform.life = (1.0, RunState.SUCCEEDED)
    platform.lives = {f"k{n}": (float(n), RunState.SUCCEEDED) for n in range(10)}
    specs = (platform.spec(f"k{n}") for n in itertools.count(1))
    outcomes = await gather(
        specs, max_active=3, stop_when=lambda outcome: outcome.key == "k5"
    )
    keys = [outcome.key for outcome in outcomes]
    assert "k5" in keys
    # What was active has ended, too, and nothing more was submitted.
    assert len(keys) == platform.calls["create"] <= 9


async def test_a_sweep_has_an_end_in_time(platform):
    platform.lives["slow"] = (1e6, RunState.SUCCEEDED)
    specs = itertools.chain(
        [platform.spec("slow")], (platform.spec() for _ in itertools.count())
    )
    began = platform.clock.now()
    outcomes = await gather(specs, max_active=2, total_within=60)
    assert platform.clock.now() - began == pytest.approx(60, abs=1)
    late = [outcome for outcome in outcomes if outcome.error]
    assert 1 <= len(late) <= 2
    assert all(isinstance(outcome.error, GaveUp) for outcome in late)
    assert late[0].error.context.cursor == late[0].run.cursor
    assert len(outcomes) == platform.calls["create"]


async def test_a_submission_under_way_is_given_up_like_the_others(platform):
    platform.life = (1e6, RunState.SUCCEEDED)
    platform.latency = 20.0
    began = platform.clock.now()
    (outcome,) = await gather([platform.spec()], total_within=10)
    assert isinstance(outcome.error, GaveUp)
    assert outcome.run is not None
    assert platform.clock.now() - began < 50


async def test_each_wait_has_its_own_bound(platform):
    platform.lives = {f"k{n}": (n * 20.0, RunState.SUCCEEDED) for n in range(6)}
    outcomes = await gather([platform.spec(f"k{n}") for n in range(6)], within=50)
    assert [outcome.error is None for outcome in outcomes] == [True] * 3 + [False] * 3
    assert all(isinstance(outcome.error, GaveUp) for outcome in outcomes[3:])
    assert platform.calls["cancel"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_active": 0},
        {"retry_failed": -1},
        {"within": 0},
        {"total_within": -1},
        {"on_unknown": "hope"},
    ],
)
def test_what_cannot_be_right_is_refused_at_once(platform, wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        as_completed([platform.spec()], **wrong)


def test_an_async_progress_is_refused_at_once(platform):
    async def progress(_):
        raise AssertionError

    with pytest.raises(InvalidInput, match="not awaited"):
        as_completed([platform.spec()], progress=progress)


# -- what is not known ----------------------------------------------------------------


async def test_where_nothing_can_be_looked_up_a_doubt_is_an_outcome():
    platform = FakePlatform(finds=False)
    platform.plans["create"] = [failing(OutcomeUnknown("lost"))]
    (outcome,) = await gather([platform.spec()])
    assert isinstance(outcome.error, OutcomeUnknown)
    assert outcome.run is None
    assert platform.calls["create"] == 1


async def test_where_nothing_can_be_looked_up_it_may_be_sent_again():
    platform = FakePlatform(finds=False)
    platform.plans["create"] = [failing(OutcomeUnknown("lost"))] * 2
    (outcome,) = await gather([platform.spec()], on_unknown="submit again")
    assert outcome.succeeded
    assert platform.calls["create"] == 3


async def test_what_did_not_arrive_is_sent_again_for_a_while(platform, caplog):
    """A server that is restarted costs a sweep no spec."""
    away, busy = NotSent("no connection"), TooManyRequests("busy", None, 429)
    first, second = [*[failing(away)] * 5, *[failing(busy)] * 3], [failing(away)] * 4
    platform.plans["create"] = [None, *first, None, *second]
    outcomes = await gather([platform.spec() for _ in range(3)], max_active=1)
    assert all(outcome.succeeded for outcome in outcomes)
    assert {outcome.attempts for outcome in outcomes} == {1}
    assert platform.calls["find"] == 0
    warnings = [one for one in caplog.records if one.levelname == "WARNING"]
    assert len(warnings) == 1


@pytest.mark.parametrize(("answers_first", "seconds"), [(True, 120), (False, 20)])
async def test_a_server_that_stays_away(platform, answers_first, seconds):
    """One that never answered may be a wrong address: that is said sooner."""
    away = failing(NotSent("no connection"))
    platform.plans["create"] = [*[None] * answers_first, *[away] * 1000]
    *_, outcome = await gather([platform.spec()] * (1 + answers_first), max_active=1)
    assert isinstance(outcome.error, NotSent)
    assert seconds <= platform.clock.now() - 1000 < seconds + 30


async def test_once_a_sweep_is_left_nothing_is_sent_again(platform):
    platform.plans["create"] = [failing(NotSent("no connection"))] * 1000
    async with as_completed([platform.spec()]):
        await platform.clock.sleep(5)
        sent = platform.calls["create"]
    assert sent > 3
    assert platform.calls["create"] <= sent + 1


async def test_a_look_that_fails_may_be_passed_over(platform):
    plans = platform.plans
    plans["create"] = [failing(OutcomeUnknown("lost"))]
    plans["find"] = [failing(Forbidden("no", None, 403))] * 4
    (outcome,) = await gather([platform.spec()], on_unknown="submit again")
    assert outcome.succeeded
    assert platform.calls["create"] == 2


# -- what is left behind --------------------------------------------------------------


async def test_leaving_cancels_what_is_active_where_wanted(platform):
    platform.life = (1000.0, RunState.SUCCEEDED)
    platform.lives["quick"] = (1.0, RunState.SUCCEEDED)
    specs = [platform.spec("quick"), *(platform.spec() for _ in range(9))]
    async with as_completed(specs, max_active=5, cancel_remote=True) as outcomes:
        async for outcome in outcomes:
            assert outcome.key == "quick"
            break
    active = [run for run in platform.known.values() if run.key != "quick"]
    assert platform.calls["cancel"] == len(active) >= 4
    assert {run.final for run in active} == {RunState.CANCELED}
    assert outcomes.not_canceled == []
    assert not platform.runs.watcher("t")._followed


async def test_what_could_not_be_cancelled_is_told(platform):
    platform.life = (1000.0, RunState.SUCCEEDED)
    platform.plans["cancel"] = [failing(Forbidden("no", None, 403))]
    sweep = as_completed([platform.spec(), platform.spec()], cancel_remote=True)

    async def follow():
        async with sweep as outcomes:
            async for _ in outcomes:
                raise AssertionError

    task = asyncio.create_task(follow())
    await platform.clock.sleep(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ((run, error),) = sweep.not_canceled
    assert isinstance(error, Forbidden)
    assert platform.known[run.ref].final is RunState.SUCCEEDED


async def test_a_run_that_is_given_up_is_cancelled_where_wanted(platform):
    platform.life = (1000.0, RunState.SUCCEEDED)
    (outcome,) = await gather([platform.spec()], within=5, cancel_remote=True)
    assert isinstance(outcome.error, GaveUp)
    assert platform.known[outcome.run.ref].final is RunState.CANCELED


async def test_where_runs_cannot_be_cancelled_nothing_is_submitted():
    platform = FakePlatform(cancels=False)
    with pytest.raises(NotSupported, match="cannot cancel"):
        await gather([platform.spec()], cancel_remote=True)
    assert platform.calls["create"] == 0


# -- several platforms ----------------------------------------------------------------


async def test_a_slow_platform_does_not_hold_up_the_others():
    clock = FakeClock()
    slow, quick = FakePlatform(clock), FakePlatform(clock)
    slow.life = (1000.0, RunState.SUCCEEDED)
    quick.life = (1.0, RunState.SUCCEEDED)
    specs = (platform.spec(f"{n}") for n in range(200) for platform in (slow, quick))
    began, ended = clock.now(), []
    async with as_completed(specs, max_active=10) as outcomes:
        async for outcome in outcomes:
            if outcome.spec.runs is quick.runs:
                ended.append(clock.now() - began)
            if len(ended) == 200:
                break
    # Twenty rounds of ten, of a little more than a second each.
    assert ended[-1] < 60
    assert slow.calls["create"] == 10


async def test_specs_that_are_put_aside_are_bounded(monkeypatch):
    monkeypatch.setattr("aioruns.sweeps.conducting._ASIDE", 20)
    clock = FakeClock()
    slow, quick = FakePlatform(clock), FakePlatform(clock)
    slow.life = (100.0, RunState.SUCCEEDED)
    read = 0

    def endless():
        nonlocal read
        for platform in itertools.chain([quick], itertools.repeat(slow)):
            read += 1
            yield platform.spec()

    async with as_completed(endless(), max_active=5) as outcomes:
        async for _ in outcomes:
            if clock.now() > 1250:
                break
    submitted = slow.calls["create"] + 1
    assert submitted <= read <= submitted + 21
    assert 10 <= slow.calls["create"] <= 20


# -- how far it has come --------------------------------------------------------------


async def test_progress_counts(platform):
    failing_first(platform, 1)
    specs = [platform.spec(f"k{n}") for n in range(10)]
    async with as_completed(specs, max_active=4, retry_failed=1) as outcomes:
        seen = [outcomes.progress async for _ in outcomes]
    assert [progress.done for progress in seen] != []
    last = outcomes.progress
    assert last.total == 10
    assert last.submitted == 10
    assert last.retried == 10
    assert last.active == 0
    assert last.ended == {RunState.SUCCEEDED: 10}
    assert last.rate > 0
    assert last.eta == 0
    assert max(progress.active for progress in seen) <= 4


async def test_progress_tells_of_the_latest_failures(platform):
    platform.life = (1.0, RunState.FAILED)
    specs = (platform.spec() for _ in range(9))
    async with as_completed(specs, max_active=1) as outcomes:
        async for outcome in outcomes:
            latest = outcome
    progress = outcomes.progress
    assert progress.total is None
    assert progress.eta is None
    assert len(progress.failures) == 5
    assert progress.failures[0].startswith(latest.run.id)
