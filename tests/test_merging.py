"""One stream over the logs of many runs."""

import asyncio
import gc
import weakref
from collections import Counter

import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.errors import Context, Forbidden, InvalidInput, NotFound
from aioruns.log_sources import TURN
from aioruns.merging import merge_logs
from aioruns.page_budget import LOUD, QUIET
from aioruns.seam import ALL, LogEvent, LogPage


def refuse():
    raise Forbidden("not yours", Context(), 403)


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
    platform.plans["read_logs"] = [None, None, refuse]
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


class Line(LogEvent, frozen=True, gc=True, weakref=True):
    """A line that tells when it is gone."""


class Loud(FakePlatform):
    """Runs named loud have a full page of lines for whoever asks.

    Attributes:
        full: Lines of a full page.
        made: All their events that are still in memory.
    """

    def __init__(self, full=100, **abilities):
        super().__init__(**abilities)
        self.full = full
        self.made = weakref.WeakSet()

    async def read_logs(self, ref, position, window=ALL):
        if not ref.id.startswith("loud"):
            page = await super().read_logs(ref, position, window)
            if page.events:
                self.answered()
            return page
        await self._called("read_logs")
        start = position["line"] if position else 0
        now = self.clock.utc()
        events = [Line(now, f"{start + n}") for n in range(self.full)]
        self.made.update(events)
        return LogPage(events, lambda count: {"line": start + count}, more=True)

    def answered(self):
        """Lines of another run are on their way."""

    def add_loud(self, count):
        return [self.add(f"loud{n}", lasts=1e9) for n in range(count)]


@pytest.mark.parametrize("loud", [1, 20, 200])
async def test_loud_runs_do_not_keep_a_quiet_ones_lines_waiting(loud):
    platform = Loud()
    platform.latency = 0.2
    taken, handed = 0, []
    platform.answered = lambda: handed.append(taken)
    lines = [(at, f"at {at}") for at in range(1, 6)]
    quiet = platform.add("quiet", lasts=1e9, lines=lines)
    waited, late = [], []
    async with merge_logs([*platform.add_loud(loud), quiet]) as merged:
        async for line in merged:
            taken += 1
            if line.run is quiet:
                waited.append(taken - handed[len(waited)])
                late.append(platform.clock.utc() - line.event.timestamp)
                if len(waited) == 5:
                    break
    assert max(waited) <= (min(loud, LOUD) + 1) * TURN
    # It was asked about as often as if it were alone.
    assert platform.clock.now() < 1000 + 5 + 10


async def test_loud_runs_are_heard_alike():
    platform = Loud()
    runs = platform.add_loud(100)
    heard = Counter()
    async with merge_logs(runs) as merged:
        for _ in range(100 * platform.full * 5):
            heard[(await anext(merged)).run.id] += 1
    assert len(heard) == 100
    assert max(heard.values()) - min(heard.values()) <= 2 * platform.full


async def test_pages_in_memory_are_bounded():
    platform = Loud()
    at_hand = []
    async with merge_logs(platform.add_loud(300)) as merged:
        for number in range(300 * platform.full * 2):
            line = await anext(merged)
            if number % 1000 == 0:
                at_hand.append(len(platform.made))
                del line
    # Besides the pages at hand, each stream keeps one line of its last page.
    assert max(at_hand) <= (QUIET + LOUD) * platform.full + 300 + TURN
    assert max(at_hand[30:]) <= LOUD * platform.full + 300 + TURN


async def test_nothing_is_asked_for_while_the_consumer_is_busy():
    """Pages wait with the platform, not in memory."""
    platform = Loud()
    async with merge_logs(platform.add_loud(300)) as merged:
        await anext(merged)
        await platform.clock.sleep(1)
        calls = platform.calls.total()
        assert calls <= QUIET + LOUD + 1
        await platform.clock.sleep(1000)
        assert platform.calls.total() == calls


async def test_runs_that_wait_for_lines_do_not_take_the_pages_of_others():
    platform = Loud()
    resting = [platform.add(f"r{n}", lasts=1e9) for n in range(3 * QUIET)]
    line = platform.add("q", lasts=1e9, lines=[(5, "here")])
    async with merge_logs([*resting, line]) as merged:
        assert (await anext(merged)).event.message == "here"
    assert platform.clock.now() < 1000 + 5 + 5


async def test_the_readers_run_while_lines_are_at_hand():
    """A consumer that always finds lines must not stop the event loop."""
    platform = Loud()
    platform.latency = 0
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    async with merge_logs(platform.add_loud(3)) as merged:
        for _ in range(50 * TURN):
            await anext(merged)
    ticking.cancel()
    assert ticks >= 50


# -- stop_on_failure ------------------------------------------------------------------


async def test_the_first_failure_ends_it_if_that_is_asked_for(platform):
    platform.plans["read_logs"] = [None, None, None, refuse]
    runs = [add(platform, name) for name in "abc"]
    lines = []

    async def follow():
        async with merge_logs(runs, stop_on_failure=True) as merged:
            lines.extend([line async for line in merged])

    with pytest.raises(Forbidden):
        await follow()


async def test_lines_at_hand_come_before_the_failure(platform):
    platform.page = 100
    for name in "abc":
        add(platform, name, 1)
    bad = platform.runs.run("t", "b")
    read_logs = platform.read_logs

    async def read(ref, position, window=ALL):
        if ref == bad.ref:
            await platform.clock.sleep(1)
            refuse()
        return await read_logs(ref, position, window)

    platform.read_logs = read
    runs = [platform.runs.run("t", name) for name in "abc"]
    async with merge_logs(runs, stop_on_failure=True) as merged:
        await platform.clock.sleep(3)
        calls = platform.calls.total()
        await platform.clock.sleep(100)
        assert platform.calls.total() == calls  # the others have ended, too
        assert {(await anext(merged)).run.id for _ in range(2)} == {"a", "c"}
        for _ in range(2):
            with pytest.raises(Forbidden) as caught:
                await anext(merged)
    ((run, error),) = merged.failures
    assert run is runs[1]
    assert caught.value is error


async def test_a_failure_ends_the_reading_of_the_others(platform):
    runs = [platform.add(name, lasts=1e9) for name in "abc"]
    platform.plans["read_logs"] = [*[None] * 10, refuse]
    async with merge_logs(runs, stop_on_failure=True) as merged:
        await platform.clock.sleep(100)
        assert merged.failures
        calls = platform.calls.total()
        await platform.clock.sleep(100)
        assert platform.calls.total() == calls


async def test_what_joins_after_the_failure_is_not_read(platform):
    async with merge_logs(stop_on_failure=True) as merged:
        platform.plans["read_logs"] = [refuse]
        merged.add(add(platform, "a"))
        with pytest.raises(Forbidden):
            await anext(merged)
        merged.add(add(platform, "b"))
        await platform.clock.sleep(10)
    assert platform.calls["read_logs"] == 1
