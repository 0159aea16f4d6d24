"""One stream over the logs of many runs."""

import asyncio
import gc

import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.errors import InvalidInput, NotFound, OutcomeUnknown
from aioruns.merging import merge_logs


@pytest.fixture
def platform():
    return FakePlatform()


@pytest.fixture(autouse=True)
async def _nothing_left():
    """No task goes on, and nothing is closed by the garbage collector."""
    yield
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def add(platform, name, count=10, **facts):
    lines = [(n / 3, f"{name}{n}") for n in range(count)]
    return platform.add(name, lasts=5, lines=lines, **facts)


def of(lines, run):
    return [line.event.message for line in lines if line.run is run]


async def test_each_run_keeps_its_order(platform):
    runs = [add(platform, name) for name in "abcdefgh"]
    async with merge_logs(runs) as merged:
        lines = [line async for line in merged]
    for run in runs:
        assert of(lines, run) == [f"{run.id}{n}" for n in range(10)]
    assert len(lines) == 80
    # They come as they are written, and not run after run.
    assert {line.run.id for line in lines[:40]} == set("abcdefgh")
    assert merged.failures == []


async def test_without_follow_it_ends_with_what_is_there(platform):
    runs = [add(platform, name) for name in "ab"]
    await platform.clock.sleep(1.1)
    async with merge_logs(runs, follow=False) as merged:
        lines = [line async for line in merged]
    assert [of(lines, run) for run in runs] == [
        ["a0", "a1", "a2", "a3"],
        ["b0", "b1", "b2", "b3"],
    ]


async def test_no_runs_no_lines(platform):
    async with merge_logs([]) as merged:
        assert [line async for line in merged] == []


async def test_runs_join_while_the_stream_is_open(platform):
    first = add(platform, "a")
    seen = []
    async with merge_logs() as merged:
        merged.add(first)
        async for line in merged:
            seen.append(line)
            if len(seen) == 4:
                second = add(platform, "b")
                merged.add(second)
                merged.finish()
    assert of(seen, first) == [f"a{n}" for n in range(10)]
    assert of(seen, second) == [f"b{n}" for n in range(10)]


async def test_it_stays_open_until_it_is_finished(platform):
    async with merge_logs() as merged:
        merged.add(add(platform, "a"))
        for _ in range(10):
            await anext(merged)
        last = asyncio.create_task(anext(merged, None))
        await platform.clock.sleep(100)
        assert not last.done()
        merged.finish()
        assert await last is None
        merged.finish()


async def test_nothing_joins_after_the_finish(platform):
    async with merge_logs([add(platform, "a")]) as merged:
        with pytest.raises(InvalidInput, match="finish"):
            merged.add(add(platform, "b"))


async def test_nothing_joins_outside_of_the_block(platform):
    merged = merge_logs()
    with pytest.raises(InvalidInput, match="async with"):
        merged.add(add(platform, "a"))


async def test_one_that_fails_does_not_end_the_others(platform):
    good, missing = add(platform, "a"), platform.runs.run("t", "nowhere")
    async with merge_logs([missing, good]) as merged:
        lines = [line async for line in merged]
    assert len(of(lines, good)) == 10
    ((run, error),) = merged.failures
    assert run is missing
    assert isinstance(error, NotFound)


async def test_a_failure_names_from_where_to_go_on(platform):
    run = add(platform, "a")
    platform.plans["read_logs"] = [None, None, failing(OutcomeUnknown("lost"))]
    async with merge_logs([run]) as merged:
        lines = [line.event.message async for line in merged]
    ((_, error),) = merged.failures
    rest = [e.message async for e in run.logs(cursor=error.context.cursor)]
    assert lines + rest == [f"a{n}" for n in range(10)]


async def test_leaving_early_ends_the_reading(platform):
    async with merge_logs([add(platform, name) for name in "abc"]) as merged:
        await anext(merged)
    calls = platform.calls.total()
    await platform.clock.sleep(100)
    assert platform.calls.total() == calls


async def test_leaving_at_once(platform):
    async with merge_logs([add(platform, name) for name in "abc"]):
        pass
    async with merge_logs():
        pass


async def test_an_exception_of_the_block_is_raised_as_it_is(platform):
    problem = KeyError("mine")

    async def follow():
        async with merge_logs([add(platform, name) for name in "abc"]) as merged:
            await anext(merged)
            raise problem

    with pytest.raises(KeyError) as caught:
        await follow()
    assert caught.value is problem


async def test_a_defect_is_raised_as_it_is(platform):
    platform.plans["read_logs"] = [failing(ZeroDivisionError("defect"))]

    async def follow():
        async with merge_logs([add(platform, name) for name in "abc"]) as merged:
            return [line async for line in merged]

    with pytest.raises(ZeroDivisionError):
        await follow()


async def test_cancelling_who_reads(platform):
    async def follow():
        async with merge_logs([add(platform, name) for name in "abc"]) as merged:
            return [line async for line in merged]

    task = asyncio.create_task(follow())
    await platform.clock.sleep(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_reader_that_is_slow_holds_the_others_up(platform):
    """Pages wait with the platform, not in memory."""
    platform.page = 1
    runs = [add(platform, name, 10_000) for name in "abc"]
    for run in runs:
        platform.known[run.ref].lines = [(0.0, str(n)) for n in range(10_000)]
    async with merge_logs(runs) as merged:
        await anext(merged)
        await platform.clock.sleep(100)
        assert platform.calls["read_logs"] < 16 + 2 * len(runs) + 2
