"""Deadlines: who is late is woken, nobody else, and a cancellation stays one."""

import asyncio

import pytest

from aioruns.http.deadlines import Deadlines


@pytest.fixture
async def pass_time(monkeypatch):
    """Let seconds pass on the event loop's clock, without waiting for them."""
    loop = asyncio.get_running_loop()
    machine, ahead = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: machine() + ahead)

    async def pass_time(seconds):
        nonlocal ahead
        await asyncio.sleep(0)  # tasks that were made just now begin
        ahead += seconds
        for _ in range(5):
            await asyncio.sleep(0)

    return pass_time


@pytest.fixture
async def deadlines():
    made = Deadlines()
    yield made
    made.close()


async def attempt(deadlines, seconds, told):
    """Work without end; note how it ended."""
    deadline = deadlines.start(seconds)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if not deadline.passed():
            told.append("cancelled")
            raise
        told.append("late")
    finally:
        deadlines.end(deadline)


async def test_who_is_late_is_woken_and_goes_on(deadlines, pass_time):
    told = []
    task = asyncio.create_task(attempt(deadlines, 60, told))
    await pass_time(59.9)
    assert not told
    await pass_time(0.2)
    assert told == ["late"]
    await task
    assert task.cancelling() == 0


async def test_each_has_its_own_time(deadlines, pass_time):
    told = []
    seconds = (60, 10, 30, 10)
    tasks = [
        asyncio.create_task(attempt(deadlines, each, told), name=str(each))
        for each in seconds
    ]
    for passing, ended in ((10.1, 2), (10.1, 2), (10.1, 3), (31, 4)):
        await pass_time(passing)
        assert len(told) == ended
    assert told == ["late"] * 4
    await asyncio.gather(*tasks)


async def test_who_has_ended_is_not_woken(deadlines, pass_time):
    deadline = deadlines.start(10)
    deadlines.end(deadline)
    await pass_time(20)
    assert asyncio.current_task().cancelling() == 0
    assert not deadline.passed()


async def test_a_cancellation_from_outside_goes_on(deadlines, pass_time):
    told = []
    task = asyncio.create_task(attempt(deadlines, 10, told))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert told == ["cancelled"]
    assert task.cancelled()


async def test_a_cancellation_in_the_same_moment_goes_on(deadlines, pass_time):
    """It is not taken for the deadline's own, whichever came first."""
    for outside_first in (True, False):
        told = []
        task = asyncio.create_task(attempt(deadlines, 10, told))
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        at = loop.time() + (9.99 if outside_first else 10.01)
        loop.call_at(at, task.cancel)
        await pass_time(10.02)
        await asyncio.wait([task])
        assert told == ["cancelled"]
        assert task.cancelled()


async def test_an_attempt_that_swallows_the_wake_up_leaves_no_cancellation(
    deadlines, pass_time
):
    async def swallow():
        deadline = deadlines.start(10)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return asyncio.current_task().cancelling()
        finally:
            deadlines.end(deadline)

    task = asyncio.create_task(swallow())
    await pass_time(11)
    assert await task == 1
    assert task.cancelling() == 0


async def test_one_timer_does_for_all(deadlines, pass_time, monkeypatch):
    loop = asyncio.get_running_loop()
    made = []
    call_at = loop.call_at
    monkeypatch.setattr(
        loop, "call_at", lambda *args: made.append(args[0]) or call_at(*args)
    )
    for _ in range(100):
        deadlines.end(deadlines.start(60))
    assert len(made) == 1
    await pass_time(61)
    assert len(made) == 1  # nothing is under way: nothing to look at
    deadlines.end(deadlines.start(60))
    assert len(made) == 2


async def test_who_is_under_way_when_it_is_closed_is_woken_all_the_same(
    deadlines, pass_time
):
    told = []
    task = asyncio.create_task(attempt(deadlines, 60, told))
    await asyncio.sleep(0)
    deadlines.close()
    await pass_time(61)
    assert told == ["late"]
    await task
