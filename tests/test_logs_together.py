"""Merged logs of platforms that answer for several runs in one request."""

import asyncio
import gc
from collections import Counter
from itertools import pairwise

import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.errors import Context, Forbidden, NotFound, OutcomeUnknown, ServerFailure
from aioruns.merging import merge_logs
from aioruns.page_budget import LOUD, QUIET, PageBudget
from aioruns.seam import ALL, LogEvent, LogPage, ReadsTogether


class Sharing(FakePlatform):
    """Answers for up to 80 runs at once.

    Attributes:
        bad: Ids of runs for which a request is refused as a whole.
        together: The refs of each request about several.
    """

    logs_at_once = 80

    def __init__(self, **abilities):
        super().__init__(**abilities)
        self.bad = set()
        self.together = []

    async def read_logs_of(self, positions):
        self.together.append(list(positions))
        await self._called("read_logs_of")
        self._check(positions)
        pages = {ref: self._page(ref, at) for ref, at in positions.items()}
        return {ref: page for ref, page in pages.items() if page.events}

    async def read_logs(self, ref, position, window=ALL):
        await self._called("read_logs")
        self._check([ref])
        return self._page(ref, position)

    def _check(self, refs):
        if self.bad & {ref.id for ref in refs}:
            raise Forbidden("not yours", Context(), 403)

    def _page(self, ref, position):
        start, now = position["line"] if position else 0, self.clock.now()
        lines = self.known[ref].lines if ref in self.known else []
        there = [text for at, text in lines[start:] if at <= now]
        events = [LogEvent(self.clock.utc(), text) for text in there[: self.page]]
        more = len(there) > self.page
        return LogPage(events, lambda count: {"line": start + count}, more)


@pytest.fixture
def platform():
    return Sharing()


@pytest.fixture(autouse=True)
async def _nothing_left():
    yield
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def add(platform, count, lines=10, **facts):
    """Runs that write a line every two seconds, from the first second on."""
    return [
        platform.add(
            f"r{n}",
            lasts=2 * lines,
            lines=[(1 + 2 * i, f"r{n} {i}") for i in range(lines)],
            **facts,
        )
        for n in range(count)
    ]


async def gather(merged):
    lines = {}
    async for line in merged:
        lines.setdefault(line.run.id, []).append(line.event.message)
    return lines


def all_of(runs, lines=10):
    return {run.id: [f"{run.id} {i}" for i in range(lines)] for run in runs}


def test_the_double_is_what_it_stands_for(platform):
    assert isinstance(platform, ReadsTogether)
    assert not isinstance(FakePlatform(), ReadsTogether)


@pytest.mark.parametrize("count", [1, 80, 200])
async def test_every_line_once_and_in_order(platform, count):
    runs = add(platform, count)
    async with merge_logs(runs) as merged:
        assert await gather(merged) == all_of(runs)
    assert merged.failures == []
    assert platform.calls["read_logs"] == 0
    assert max(map(len, platform.together)) == min(count, 80)


async def test_quiet_runs_cost_a_small_part_of_a_request():
    """200 of them for an hour, against one that is read by itself."""
    alone = FakePlatform()
    alone.add("r", lasts=3600)
    async with merge_logs([alone.runs.run("t", "r")]) as merged:
        assert await gather(merged) == {}
    platform = Sharing()
    runs = [platform.add(f"r{n}", lasts=3600) for n in range(200)]
    async with merge_logs(runs) as merged:
        assert await gather(merged) == {}
    assert platform.calls["read_logs"] == 0
    # 80 runs a request at most: 200 make three requests.
    singly = 200 * alone.calls["read_logs"]
    assert singly > 200 * 360
    assert platform.calls["read_logs_of"] <= 1.1 * singly / (200 / 3)


async def test_lines_of_a_quiet_run_come_soon(platform):
    runs = [platform.add(f"r{n}", lasts=1e9) for n in range(100)]
    spoken = [at * 97.0 for at in range(1, 11)]
    platform.known[runs[33].ref].lines = [(1000 + at, str(at)) for at in spoken]
    async with merge_logs(runs) as merged:
        for at in spoken:
            assert (await anext(merged)).event.message == str(at)
            assert platform.clock.now() < 1000 + at + 12


async def test_a_run_that_joins_is_read_soon(platform):
    async with merge_logs() as merged:
        for run in [platform.add(f"r{n}", lasts=1e9) for n in range(10)]:
            merged.add(run)
        await platform.clock.sleep(1000)
        new = platform.add("new", lasts=1e9, lines=[(-1, "hello")])
        began = platform.clock.now()
        merged.add(new)
        assert (await anext(merged)).run is new
        assert platform.clock.now() < began + 0.1


async def test_runs_that_join_one_after_the_other_share_a_request(platform):
    async with merge_logs() as merged:
        for n in range(10):
            merged.add(platform.add(f"r{n}", lasts=1e9))
            await platform.clock.sleep(0.001)
        await platform.clock.sleep(0.1)
    assert [len(refs) for refs in platform.together] == [10]


async def test_the_end_of_a_run_is_not_kept_waiting(platform):
    """Once it is known to have ended, the last look does not wait for its turn."""
    runs = [platform.add(f"r{n}", lasts=1000) for n in range(10)]
    platform.known[runs[0].ref].lines = [(2000 - 0.001, "last words")]
    async with merge_logs(runs) as merged:
        assert await gather(merged) == {"r0": ["last words"]}
    assert platform.clock.now() < platform.moments["read_states"][-1] + 0.2


async def test_requests_are_not_closer_than_half_a_second(platform):
    runs = add(platform, 40, 20)
    async with merge_logs(runs) as merged:
        await gather(merged)
    # Only after the end come the looks of those that have ended.
    moments = [at for at in platform.moments["read_logs_of"] if at < 1039]
    assert min(after - before for before, after in pairwise(moments)) >= 0.44


async def test_a_backlog_is_read_singly_and_comes_back(platform):
    platform.page = 10
    (run,) = add(platform, 1, 3)
    platform.known[run.ref].lines[:0] = [(0, f"old {n}") for n in range(95)]
    quiet = [platform.add(f"q{n}", lasts=20) for n in range(5)]
    async with merge_logs([run, *quiet]) as merged:
        lines = await gather(merged)
    old = [f"old {n}" for n in range(95)]
    assert lines == {"r0": [*old, "r0 0", "r0 1", "r0 2"]}
    assert platform.calls["read_logs"] == 9
    assert sum(run.ref in refs for refs in platform.together) > 3


async def test_what_is_there_now_takes_few_requests(platform):
    runs = add(platform, 200)
    await platform.clock.sleep(4)
    async with merge_logs(runs, follow=False) as merged:
        assert await gather(merged) == all_of(runs, 2)
    assert platform.calls == {"read_logs_of": 3}


async def test_a_run_that_is_followed_twice(platform):
    (run,) = add(platform, 1)
    again = platform.runs.run("t", "r0")
    lines = {run: [], again: []}
    async with merge_logs([run, again]) as merged:
        async for line in merged:
            lines[line.run].append(line.event.message)
    assert lines[run] == lines[again] == all_of([run])["r0"]


async def test_targets_are_asked_about_together_only_if_the_platform_spans_them():
    for spans in (True, False):
        platform = Sharing(spans_targets=spans)
        runs = [platform.add("r", target=name, lasts=3) for name in "ab"]
        async with merge_logs(runs) as merged:
            await gather(merged)
        assert {len(refs) for refs in platform.together} == {2 if spans else 1}


async def test_pages_at_hand_are_bounded_and_nothing_is_asked_for_more(platform):
    platform.page = 5
    runs = [platform.add(f"r{n}", lasts=1e9) for n in range(1000)]
    for run in runs:
        platform.known[run.ref].lines = [(0.0, str(n)) for n in range(1000)]
    async with merge_logs(runs) as merged:
        await anext(merged)
        await platform.clock.sleep(1)
        calls = platform.calls.total()
        assert calls <= QUIET + LOUD + 1
        await platform.clock.sleep(1000)
        assert platform.calls.total() == calls


# -- failures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [OutcomeUnknown("lost"), ServerFailure("down", Context(), 503)],
    ids=lambda error: type(error).__name__,
)
async def test_failures_that_pass_lose_nothing(platform, error):
    platform.page = 100
    runs = add(platform, 100)
    platform.plans["read_logs_of"] = [
        None,
        *[failing(error)] * 10,
        None,
        failing(error),
    ]
    async with merge_logs(runs) as merged:
        assert await gather(merged) == all_of(runs)
    assert merged.failures == []
    assert platform.calls["read_logs"] == 0


async def test_failures_that_do_not_pass_reach_all(platform):
    runs = add(platform, 100, 1000)
    platform.plans["read_logs_of"] = [None, *[failing(OutcomeUnknown("lost"))] * 10_000]
    async with merge_logs(runs) as merged:
        await gather(merged)
    assert {run.id for run, _ in merged.failures} == {run.id for run in runs}
    errors = [error for _, error in merged.failures]
    assert len({id(error) for error in errors}) == 100
    for run, error in merged.failures:
        assert error.context.cursor is not None, repr(error)
        # It is this run's own, and continues it.
        assert run.logs(cursor=error.context.cursor).ref == run.ref


async def test_one_that_is_refused_for_itself_does_not_fail_the_others(platform):
    runs = add(platform, 100)
    platform.bad = {"r7"}
    async with merge_logs(runs) as merged:
        lines = await gather(merged)
    assert lines == all_of(runs[:7] + runs[8:])
    ((run, error),) = merged.failures
    assert (run, type(error)) == (runs[7], Forbidden)
    # Those of one refused request were read singly, and together again after that.
    assert platform.calls["read_logs"] == 80


async def test_one_that_has_no_log_yet_does_not_disturb_the_others(platform):
    """Its refusals are endured, by itself."""
    runs = add(platform, 20)
    bad = runs[7]
    check = platform._check

    def refuse(refs):
        if platform.clock.now() < 1009 and bad.ref in refs:
            raise NotFound("no log", Context(), 404)
        check(refs)

    platform._check = refuse
    async with merge_logs(runs) as merged:
        assert await gather(merged) == all_of(runs)
    assert Counter(ref for refs in platform.together for ref in refs)[bad.ref] > 1
    assert platform.calls["read_logs"] < 20 + 20


async def test_a_platform_that_refuses_all_sharing_is_read_singly(platform):
    runs = add(platform, 20)
    platform.plans["read_logs_of"] = [failing(Forbidden("no", Context(), 403))] * 1000
    async with merge_logs(runs) as merged:
        assert await gather(merged) == all_of(runs)
    assert platform.calls["read_logs_of"] == 3
    assert merged.failures == []


async def test_a_defect_is_raised_as_it_is(platform):
    platform.plans["read_logs_of"] = [None, failing(ZeroDivisionError("defect"))]

    async def follow():
        async with merge_logs(add(platform, 10)) as merged:
            await gather(merged)

    with pytest.raises(ZeroDivisionError):
        await follow()


async def test_leaving_early_ends_the_reading(platform):
    async with merge_logs(add(platform, 10)) as merged:
        await anext(merged)
    calls = platform.calls.total()
    await platform.clock.sleep(100)
    assert platform.calls.total() == calls


async def test_cancelling_who_reads(platform):
    async def follow():
        async with merge_logs(add(platform, 10)) as merged:
            await gather(merged)

    task = asyncio.create_task(follow())
    await platform.clock.sleep(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_first_failure_ends_it_if_that_is_asked_for(platform):
    platform.bad = {"r3"}

    async def follow():
        async with merge_logs(add(platform, 10), stop_on_failure=True) as merged:
            await gather(merged)

    with pytest.raises(Forbidden):
        await follow()
    assert platform.clock.now() < 1001


# -- the budget -----------------------------------------------------------------------


async def test_an_answer_holds_its_place_until_all_its_lines_were_taken():
    budget = PageBudget()
    leases = [await budget.take() for _ in range(QUIET)]
    leases[0].share(3)
    waiting = asyncio.create_task(budget.take())
    for _ in range(2):
        leases[0].give_back()
        await asyncio.sleep(0)
        assert not waiting.done()
    leases[0].give_back()
    await waiting
    leases[1].share(0)  # an answer without lines holds none
    await asyncio.wait_for(budget.take(), 1)
