"""One wait for many runs: when it returns, with what, and what it leaves alone."""

import asyncio

import pytest
from tests.fake_platform import FakePlatform, failing
from tests.fakes import FakeClock

import aioruns
from aioruns.errors import GaveUp, InvalidInput, NotFound, NotSupported, OutcomeUnknown
from aioruns.joint_wait import ReturnWhen
from aioruns.runs import Run, RunState


@pytest.fixture
def platform():
    return FakePlatform()


async def test_until_all_have_ended(platform):
    runs = [platform.add(f"r{n}", lasts=n + 1) for n in range(5)]
    waited = await aioruns.wait(runs)
    assert list(waited.done) == runs
    assert {status.state for status in waited.done.values()} == {RunState.SUCCEEDED}
    assert waited.pending == []
    assert waited.errors == {}


async def test_until_the_first_has_ended(platform):
    slow, quick = platform.add("slow", lasts=100), platform.add("quick", lasts=2)
    waited = await aioruns.wait([slow, quick], return_when=aioruns.FIRST_COMPLETED)
    assert list(waited.done) == [quick]
    assert waited.pending == [slow]


async def test_until_the_first_has_failed(platform):
    runs = [
        platform.add("good", lasts=1),
        platform.add("bad", lasts=5, final=RunState.FAILED),
        platform.add("slow", lasts=100),
    ]
    waited = await aioruns.wait(runs, return_when=aioruns.FIRST_FAILED)
    assert waited.pending == [runs[2]]
    assert waited.done[runs[1]].state is RunState.FAILED
    began = platform.clock.now()
    good = await aioruns.wait(
        [runs[0], runs[2]], return_when=aioruns.FIRST_FAILED, within=500
    )
    assert good.pending == []  # none failed, so it waits for all
    assert platform.clock.now() - began > 90


@pytest.mark.parametrize("when", list(ReturnWhen))
async def test_a_run_that_does_not_exist_is_an_error_of_its_own(platform, when):
    runs = [platform.runs.run("t", "nowhere"), platform.add(lasts=100)]
    waited = await aioruns.wait(runs, return_when=when)
    assert isinstance(waited.errors[runs[0]], NotFound)
    pending = when is not aioruns.ALL_COMPLETED
    assert waited.pending == ([runs[1]] if pending else [])


async def test_within_returns_what_is_pending(platform):
    runs = [platform.add("quick", lasts=1), platform.add("slow", lasts=100)]
    began = platform.clock.now()
    waited = await aioruns.wait(runs, within=10)
    assert platform.clock.now() - began == pytest.approx(10)
    assert list(waited.done) == runs[:1]
    assert waited.pending == runs[1:]
    again = Run.from_cursor(waited.pending[0].cursor, platform)
    assert (await again.wait()).state is RunState.SUCCEEDED
    assert platform.calls["cancel"] == 0


async def test_nothing_to_wait_for(platform):
    assert (await aioruns.wait([])).pending == ()
    assert platform.calls.total() == 0


async def test_one_task_for_each_platform_and_shared_requests():
    clock = FakeClock()
    platforms = [FakePlatform(clock, spans_targets=True) for _ in range(3)]
    runs = [
        platform.add(f"r{n}", lasts=20, target=f"t{n % 7}")
        for platform in platforms
        for n in range(1000)
    ]
    before = len(asyncio.all_tasks())
    waiting = asyncio.create_task(aioruns.wait(runs))
    await clock.sleep(5)
    assert len(asyncio.all_tasks()) == before + 1 + len(platforms)
    waited = await waiting
    assert len(waited.done) == 3000
    for platform in platforms:
        assert platform.calls["read_states"] < 60
        watcher = platform.runs.watcher("t0")
        assert not watcher._followed
        assert not watcher._known


async def test_a_platform_that_cannot_be_asked(platform):
    platform.plans["read_states"] = [failing(OutcomeUnknown("lost"))] * 1000
    runs = [platform.add(f"r{n}") for n in range(3)]
    waited = await aioruns.wait(runs)
    assert list(waited.errors) == runs
    assert len({id(error) for error in waited.errors.values()}) == 3


async def test_the_same_run_twice_is_one(platform):
    run = platform.add(lasts=1)
    waited = await aioruns.wait([run, run])
    assert list(waited.done) == [run]


# -- cancelling ------------------------------------------------------------------------


async def test_a_cancelled_wait_leaves_runs_alone(platform):
    runs = [platform.add(f"r{n}", lasts=100) for n in range(3)]
    for coroutine in (aioruns.wait(runs), runs[0].wait()):
        waiting = asyncio.create_task(coroutine)
        await platform.clock.sleep(2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert platform.calls["cancel"] == 0
    assert not platform.runs.watcher("t")._followed


async def test_a_cancelled_wait_cancels_runs_where_wanted(platform):
    runs = [platform.add("quick", lasts=1)]
    runs += [platform.add(f"r{n}", lasts=100) for n in range(3)]
    waiting = asyncio.create_task(aioruns.wait(runs, cancel_remote=True))
    await platform.clock.sleep(3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert platform.calls["cancel"] == 3
    assert await runs[1].state() is RunState.CANCELED

    alone = platform.add("alone", lasts=100)
    waiting = asyncio.create_task(alone.wait(cancel_remote=True))
    await platform.clock.sleep(3)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await alone.state() is RunState.CANCELED


async def test_giving_up_cancels_runs_where_wanted(platform):
    run = platform.add("r0", lasts=100)
    with pytest.raises(GaveUp, match="was asked to end"):
        await run.wait(within=3, cancel_remote=True)
    assert await run.state() is RunState.CANCELED
    platform.plans["cancel"] = [failing(OutcomeUnknown("lost"))]
    other = platform.add("r1", lasts=100)
    with pytest.raises(GaveUp, match="could not be cancelled: lost"):
        await other.wait(within=3, cancel_remote=True)
    third = platform.add("r2", lasts=100)
    waited = await aioruns.wait([other, third], within=3, cancel_remote=True)
    assert waited.pending == [other, third]
    assert waited.not_canceled == {}


async def test_cancelling_is_bounded_and_says_what_it_could_not_do(platform):
    runs = [platform.add(f"r{n}", lasts=1000) for n in range(3)]
    platform.latency = 100.0
    waiting = asyncio.create_task(aioruns.wait(runs, within=200, cancel_remote=True))
    began = platform.clock.now()
    waited = await waiting
    assert platform.clock.now() - began == pytest.approx(215)
    assert list(waited.not_canceled) == runs
    assert all(isinstance(one, GaveUp) for one in waited.not_canceled.values())


async def test_where_runs_cannot_be_cancelled_it_is_said_before_the_wait():
    platform = FakePlatform(cancels=False)
    run = platform.add(lasts=1)
    for wait in (run.wait, lambda **given: aioruns.wait([run], **given)):
        with pytest.raises(NotSupported, match="cannot cancel a run"):
            await wait(cancel_remote=True)
    assert platform.calls.total() == 0


async def test_a_cursor_of_another_platform(platform):
    other = FakePlatform()
    other.name = "other"
    with pytest.raises(InvalidInput, match="belongs to platform 'fake'"):
        Run.from_cursor(platform.add().cursor, other)
