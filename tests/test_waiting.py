"""Many waits on one target share few requests, and each learns of its run once."""

import asyncio
import gc
import logging

import anyio
import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.errors import (
    GaveUp,
    NotFound,
    OutcomeUnknown,
    ServerFailure,
    SessionClosed,
    Unauthorized,
)
from aioruns.patience import PATIENCE
from aioruns.rounds import FIRST_INTERVAL, LONGEST_INTERVAL
from aioruns.seam import RunState, Status


@pytest.fixture
def platform():
    return FakePlatform()


@pytest.fixture(autouse=True)
async def _nothing_unseen():
    """No future may die with an error that nobody took."""
    unseen = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unseen.append(context["message"]))
    yield
    gc.collect()
    await asyncio.sleep(0)
    assert unseen == []


async def test_waits_share_their_rounds(platform):
    runs = [platform.add(f"r{n}", lasts=30) for n in range(200)]
    statuses = await asyncio.gather(*(run.wait() for run in runs))
    assert {status.state for status in statuses} == {RunState.SUCCEEDED}
    assert [status.ref for status in statuses] == [run.ref for run in runs]
    assert platform.calls["read_states"] < 50
    assert all(len(refs) == len(set(refs)) for _, refs in platform.asked)


@pytest.mark.parametrize(("spans", "rounds"), [(True, 1), (False, 20)])
async def test_where_ids_span_targets_all_waits_share_one_watcher(spans, rounds):
    platform = FakePlatform(spans_targets=spans)
    runs = [platform.add(f"r{n}", target=f"t{n}", lasts=0) for n in range(20)]
    statuses = await asyncio.gather(*(run.wait() for run in runs))
    assert [status.ref for status in statuses] == [run.ref for run in runs]
    assert platform.calls["read_states"] == rounds


async def test_one_more_wait_does_not_mean_one_more_round(platform):
    """Runs are submitted one after the other while others are waited for."""
    runs = [platform.add(f"r{n}", lasts=20) for n in range(500)]
    began = platform.clock.now()

    async def wait_later(number, run):
        await platform.clock.sleep(number / 100)
        return await run.wait()

    await asyncio.gather(*(wait_later(n, run) for n, run in enumerate(runs)))
    elapsed = platform.clock.now() - began
    assert elapsed < 26
    assert platform.calls["read_states"] < 5 / FIRST_INTERVAL * 1.3 + 40
    gaps = platform.gaps("read_states")
    assert min(gaps) > FIRST_INTERVAL * 0.7


async def test_a_join_does_not_wait_for_the_long_pause_of_others(platform):
    old = platform.add("old", lasts=10_000)
    async with anyio.create_task_group() as group:
        group.start_soon(old.wait)
        await platform.clock.sleep(500)
        new = platform.add("new", lasts=1)
        began = platform.clock.now()
        await new.wait()
        assert platform.clock.now() - began < 2
        group.cancel_scope.cancel()


async def test_the_interval_grows_and_stays_bounded(platform):
    await platform.add(lasts=600).wait()
    gaps = platform.gaps("read_states")
    assert gaps[0] < 0.5
    assert 8 <= gaps[-1] <= LONGEST_INTERVAL + 0.1
    assert len(gaps) < 120


async def test_several_waits_for_the_same_run(platform):
    run = platform.add(lasts=2)
    statuses = await asyncio.gather(*(run.wait() for _ in range(10)))
    assert len({id(status) for status in statuses}) == 1
    assert all(refs == [run.ref] for _, refs in platform.asked)


async def test_a_final_state_is_never_taken_back(platform):
    run = platform.add(lasts=1)
    watcher = platform.runs.watcher("t")
    read_states = platform.read_states
    ended = asyncio.create_task(run.wait())
    await platform.clock.sleep(0.5)

    async def stale(refs, known):
        statuses = await read_states(refs, known)
        if run.ref in watcher._ended:
            return {ref: Status(ref, RunState.RUNNING, "running") for ref in statuses}
        return statuses

    platform.read_states = stale
    watcher.join(run.ref, print)  # keeps what is known of it
    final = await ended
    assert final.state is RunState.SUCCEEDED
    watcher._take(Status(run.ref, RunState.RUNNING, "running"))
    assert await watcher.look(run.ref) == final


async def test_a_wait_for_a_run_that_is_known_to_have_ended(platform):
    """It joins while another one who learnt of the end has not left yet."""
    run = platform.add(lasts=1)
    watcher = platform.runs.watcher("t")
    ended = asyncio.get_running_loop().create_future()
    watcher.join(run.ref, ended.set_result)
    await watcher.attend(ended)
    platform.calls.clear()
    assert (await run.wait()).state is RunState.SUCCEEDED
    assert platform.calls["read_states"] == 0
    watcher.leave(run.ref, ended.set_result)


async def test_a_leader_that_is_cancelled_is_followed_by_another(platform):
    runs = [platform.add(f"r{n}", lasts=20) for n in range(3)]
    waits = [asyncio.create_task(run.wait()) for run in runs]
    for task in waits[:2]:
        await platform.clock.sleep(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await waits[2]).state is RunState.SUCCEEDED
    assert platform.asked[-1][1] == [runs[2].ref]


async def test_a_leader_that_is_cancelled_in_the_middle_of_a_round(platform):
    platform.latency = 5
    first = asyncio.create_task(platform.add("r1", lasts=20).wait())
    second = asyncio.create_task(platform.add("r2", lasts=20).wait())
    await platform.clock.sleep(1)
    first.cancel()
    assert (await second).state is RunState.SUCCEEDED
    assert first.cancelled()


async def test_a_leader_whose_run_ends_first_leaves_the_others_waiting(platform):
    times = {n: 2.0 * n for n in (1, 2, 3, 4)}
    runs = [platform.add(f"r{n}", lasts=lasts) for n, lasts in times.items()]
    ended = []

    async def note(run):
        await run.wait()
        ended.append((run.id, platform.clock.now() - 1000))

    await asyncio.gather(*map(note, runs))
    assert [run_id for run_id, _ in ended] == ["r1", "r2", "r3", "r4"]
    for (_, when), lasts in zip(ended, times.values(), strict=True):
        assert lasts <= when < lasts + 1.5


async def test_a_leader_hears_of_its_run_from_a_look(platform):
    run = platform.add(lasts=205)
    wait = asyncio.create_task(run.wait())
    await platform.clock.sleep(206)
    while not wait.done() and platform.clock.now() < 1300:
        seen = await run.status()
        if seen.state.final:
            heard = platform.clock.now()
            await wait
            assert platform.clock.now() - heard < 0.1
    assert wait.done()


async def test_looks_share_a_round(platform):
    platform.latency = 1.0
    runs = [platform.add(f"r{n}") for n in range(20)]
    first = asyncio.create_task(runs[0].status())
    await platform.clock.sleep(0.5)
    rest = await asyncio.gather(*(run.status() for run in runs))
    await first
    assert {status.state for status in rest} == {RunState.RUNNING}
    assert platform.calls["read_states"] == 2  # the one under way came too early


async def test_a_look_may_be_content_with_what_a_wait_knows(platform):
    run = platform.add(lasts=50)
    wait = asyncio.create_task(run.wait())
    await platform.clock.sleep(40)
    watcher = platform.runs.watcher("t")
    before = platform.calls["read_states"]
    await watcher.look(run.ref, max_age=60)
    assert platform.calls["read_states"] == before
    await watcher.look(run.ref)
    assert platform.calls["read_states"] == before + 1
    await wait


# -- runs that are not there ----------------------------------------------------------


async def test_a_run_that_is_not_shown_yet(platform):
    run = platform.add(lasts=20, shown=10)
    assert await run.state() is RunState.QUEUED
    assert (await run.wait()).state is RunState.SUCCEEDED


async def test_a_run_that_never_comes(platform):
    run = platform.runs.run("t", "nowhere")
    began = platform.clock.now()
    with pytest.raises(NotFound, match="does not exist"):
        await run.wait()
    assert 15 <= platform.clock.now() - began < 20


async def test_looking_again_and_again_for_a_run_that_never_comes(platform):
    run = platform.runs.run("t", "nowhere")
    began = platform.clock.now()

    async def poll():
        while platform.clock.now() < began + 60:
            assert await run.state() is RunState.QUEUED
            await platform.clock.sleep(1)

    with pytest.raises(NotFound, match="does not exist"):
        await poll()
    assert 15 <= platform.clock.now() - began < 20


async def test_what_is_remembered_of_missing_runs_is_bounded(platform):
    watcher = platform.runs.watcher("t")
    for number in range(3000):
        await watcher.look(platform.runs.run("t", f"n{number}").ref)
    assert len(watcher._missed) <= 1000
    assert not watcher._first_seen
    assert not watcher._known
    assert not watcher._looking


async def test_a_run_that_was_deleted(platform):
    run = platform.add(lasts=100, gone=40)
    with pytest.raises(NotFound, match="no longer exists"):
        await run.wait()
    assert platform.clock.now() < 1060


async def test_a_new_run_that_is_hidden_once_more_is_not_gone(platform):
    """One replica shows it already, and the next one does not."""
    run = platform.add(lasts=8)

    def hide():
        platform.known[run.ref].shown = platform.clock.now() + 2

    platform.plans["read_states"] = [None, hide]
    assert (await run.wait()).state is RunState.SUCCEEDED


async def test_each_waiter_has_an_error_of_its_own(platform):
    run = platform.runs.run("t", "nowhere")
    waits = [run.wait() for _ in range(3)]
    errors = await asyncio.gather(*waits, return_exceptions=True)
    assert all(isinstance(error, NotFound) for error in errors)
    assert len({id(error) for error in errors}) == 3


# -- rounds that fail -----------------------------------------------------------------


async def test_failing_rounds_are_borne(platform):
    run = platform.add(lasts=30)
    errors = (OutcomeUnknown("lost"), ServerFailure("503", None, 503))
    platform.plans["read_states"] = [failing(error) for error in errors] * 3
    assert (await run.wait()).state is RunState.SUCCEEDED


async def test_rounds_that_keep_failing_end_the_waits(platform):
    runs = [platform.add(f"r{n}", lasts=9999) for n in range(3)]
    platform.plans["read_states"] = [failing(OutcomeUnknown("lost"))] * 999
    began = platform.clock.now()
    errors = await asyncio.gather(*(r.wait() for r in runs), return_exceptions=True)
    assert [type(error) for error in errors] == [OutcomeUnknown] * 3
    assert PATIENCE <= platform.clock.now() - began < PATIENCE + 15
    assert platform.calls["read_states"] < 60


async def test_failures_long_ago_do_not_shorten_the_patience(platform):
    run = platform.add(lasts=2000)
    platform.plans["read_states"] = [failing(OutcomeUnknown("lost"))] * 999
    with pytest.raises(GaveUp):
        await run.wait(within=5)
    await platform.clock.sleep(PATIENCE * 2)
    platform.plans["read_states"] = [failing(OutcomeUnknown("lost"))]
    assert (await run.wait()).state is RunState.SUCCEEDED


async def test_a_refusal_ends_the_waits_at_once(platform):
    runs = [platform.add(f"r{n}") for n in range(3)]
    platform.plans["read_states"] = [failing(Unauthorized("no", None, 401))]
    errors = await asyncio.gather(*(r.wait() for r in runs), return_exceptions=True)
    assert [type(error) for error in errors] == [Unauthorized] * 3
    assert platform.calls["read_states"] == 1


async def test_a_wait_that_is_cancelled_while_its_error_is_under_way(
    platform, monkeypatch
):
    """The error that nobody will raise is no "exception was never retrieved"."""
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    run = platform.runs.run("t", "nowhere")
    leader = asyncio.create_task(run.wait())
    await platform.clock.sleep(0.001)
    first_round = platform.moments["read_states"][0]
    platform.latency = 0.0
    # The leader rests; a look learns that the run will never come.
    while platform.clock.now() < first_round + 15:
        await platform.clock.sleep(0.01)
    with pytest.raises(NotFound):
        await run.state()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader


async def test_a_closed_session_ends_all_waits(platform):
    runs = [platform.add(f"r{n}") for n in range(3)]
    platform.plans["read_states"] = [failing(SessionClosed("closed"))] * 9
    errors = await asyncio.gather(*(r.wait() for r in runs), return_exceptions=True)
    assert [type(error) for error in errors] == [SessionClosed] * 3


# -- the rest -------------------------------------------------------------------------


async def test_within_ends_the_wait_and_names_the_cursor(platform):
    run = platform.add(lasts=100)
    other = asyncio.create_task(run.wait())
    await platform.clock.sleep(0)
    began = platform.clock.now()
    with pytest.raises(GaveUp, match="within 7 s") as caught:
        await run.wait(within=7)
    assert platform.clock.now() - began == pytest.approx(7)
    again = platform.runs.from_cursor(caught.value.context.cursor)
    assert again.ref == run.ref
    assert (await again.wait()).state is RunState.SUCCEEDED
    assert (await other).state is RunState.SUCCEEDED


async def test_an_unknown_state_is_said_once_and_is_not_final(platform, caplog):
    run = platform.add(lasts=20)
    platform.known[run.ref].text = "pondering"
    caplog.set_level(logging.WARNING, "aioruns.waiting")
    for _ in range(3):
        assert await run.state() is RunState.UNKNOWN
    wait = asyncio.create_task(run.wait())
    await platform.clock.sleep(10)
    platform.known[run.ref].text = None
    assert (await wait).state is RunState.SUCCEEDED
    assert len(caplog.records) == 1
    assert "pondering" in caplog.text


async def test_a_run_without_a_word_for_its_state_is_no_reason_to_warn(
    platform, caplog
):
    run = platform.add(lasts=20)
    read_states = platform.read_states

    async def without_words(refs, known):
        statuses = await read_states(refs, known)
        return {ref: Status(ref, RunState.UNKNOWN, "") for ref in statuses}

    platform.read_states = without_words
    assert await run.state() is RunState.UNKNOWN
    assert not caplog.records


async def test_nothing_is_kept_of_runs_that_nobody_follows(platform):
    runs = [platform.add(f"r{n}", lasts=n / 10) for n in range(50)]
    await asyncio.gather(*(run.wait() for run in runs))
    watcher = platform.runs.watcher("t")
    assert not watcher._followed
    assert watcher._schedule.next_due() == float("inf")
    assert not watcher._known
    assert not watcher._first_seen
    assert watcher._leader is None


@pytest.mark.parametrize(
    ("state", "reason", "rounds"),
    [
        (RunState.SUCCEEDED, "", 0),
        (RunState.CANCELED, "", 0),
        (RunState.FAILED, "out of memory", 0),
        (RunState.FAILED, "", 1),  # a round tells why
    ],
)
async def test_an_end_that_a_log_page_told_wakes_at_once(
    platform, state, reason, rounds, monkeypatch
):
    # So that no round comes between the end and the page that tells of it.
    monkeypatch.setattr("aioruns.rounds.random.uniform", lambda _, high: high)
    run = platform.add(lasts=205, final=state)
    wait = asyncio.create_task(run.wait())
    await platform.clock.sleep(205.5)
    assert not wait.done()
    platform.calls.clear()
    began = platform.clock.now()
    platform.runs.watcher("t").note(Status(run.ref, state, "over", reason))
    status = await wait
    assert status.state is state
    assert status.reason == reason
    assert platform.calls["read_states"] == rounds
    assert platform.clock.now() - began <= platform.latency * rounds + 1e-6


async def test_ten_thousand_waits_are_one_task(platform):
    runs = [platform.add(f"r{n}", lasts=30) for n in range(10_000)]
    watcher = platform.runs.watcher("t")
    enough, heard = asyncio.get_running_loop().create_future(), []

    def hear(status):
        heard.append(status)
        if len(heard) == len(runs):
            enough.set_result(None)

    for run in runs:
        watcher.join(run.ref, hear, fresh=True)
    tasks = len(asyncio.all_tasks())
    async with asyncio.TaskGroup() as group:
        group.create_task(watcher.attend(enough))
        await platform.clock.sleep(10)
        assert len(asyncio.all_tasks()) == tasks + 1
    assert {status.ref for status in heard} == {run.ref for run in runs}
    for run in runs:
        watcher.leave(run.ref, hear)
    assert all(len(refs) == 10_000 for _, refs in platform.asked)


async def test_old_runs_are_not_read_as_often_as_young_ones(platform):
    old = [platform.add(f"old{n}", lasts=10_000) for n in range(50)]
    async with anyio.create_task_group() as group:
        for run in old:
            group.start_soon(run.wait)
            await platform.clock.sleep(1)
        await platform.clock.sleep(500)
        young = platform.add("young", lasts=20)
        platform.asked.clear()
        await young.wait()
        rounds = [refs for _, refs in platform.asked]
        assert sum(young.ref in refs for refs in rounds) > 15
        assert sum(old[0].ref in refs for refs in rounds) <= 4
        # They were spread over fifty seconds, and have come together since.
        assert {len(refs) for refs in rounds if old[0].ref in refs} <= {50, 51}
        group.cancel_scope.cancel()


async def test_an_idle_hour_costs_no_more_than_the_intervals_allow(platform):
    await platform.add(lasts=3600).wait()
    # 0.3 s at first, a tenth of the age later, ten seconds in the end; a fifth less at
    # the most: 12 rounds in 3 s, then 11 for every factor e up to 100 s, then 0.125/s.
    assert platform.calls["read_states"] <= 12 / 0.8 + 46 / 0.8 + 3500 / 8 + 3
