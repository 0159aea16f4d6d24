"""Log streams: every line once and in order, a cursor at each, and an end."""

import asyncio
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from msgspec.structs import replace
from tests.fake_platform import FakePlatform, failing

from aioruns.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    TooManyRequests,
)
from aioruns.patience import PATIENCE
from aioruns.seam import ALL, LogEvent, LogPage, RunState

TEN = [(n / 2, f"line {n}") for n in range(10)]
TEXTS = [text for _, text in TEN]
NO = Forbidden("no", None, 403)


@pytest.fixture
def platform():
    return FakePlatform()


async def texts(stream):
    return [event.message async for event in stream]


async def test_every_line_once_and_in_order(platform):
    run = platform.add(lasts=5, lines=TEN)
    assert await texts(run.logs()) == TEXTS
    assert await run.state() is RunState.SUCCEEDED


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_pages_of_every_size(platform, page):
    platform.page = page
    run = platform.add(lasts=1, lines=[(0, text) for text in TEXTS])
    assert await texts(run.logs()) == TEXTS


async def test_a_cursor_at_every_event_continues_exactly(platform):
    run = platform.add(lasts=5, lines=TEN)
    stream = run.logs()
    cursors = [stream.cursor]
    cursors.extend([stream.cursor async for _ in stream])
    for taken, cursor in enumerate(cursors):
        assert await texts(run.logs(cursor=cursor)) == TEXTS[taken:]


async def test_a_cursor_belongs_to_its_run(platform):
    stream = platform.add("r1").logs()
    with pytest.raises(InvalidInput, match="run"):
        platform.add("r2").logs(cursor=stream.cursor)
    with pytest.raises(InvalidInput, match="not a cursor"):
        platform.add("r2").logs(cursor="nonsense!")


async def test_without_follow_it_ends_with_what_is_there(platform):
    run = platform.add(lasts=100, lines=TEN)
    await platform.clock.sleep(2.1)
    began = platform.clock.now()
    assert await texts(run.logs(follow=False)) == TEXTS[:5]
    assert platform.clock.now() - began < 0.1
    assert platform.calls["read_states"] == 0


async def test_pages_are_handed_over_whole(platform):
    run = platform.add(lasts=1, lines=[(0, text) for text in TEXTS])
    stream = run.logs()
    pages = []
    while events := await stream.next_page():
        pages.append([event.message for event in events])
    assert pages == [TEXTS[0:3], TEXTS[3:6], TEXTS[6:9], TEXTS[9:]]
    assert await stream.next_page() == ()


# -- the end --------------------------------------------------------------------------


async def test_the_last_lines_before_the_end_are_not_lost(platform):
    """They are written after a page was read, and before the state was."""
    lines = [(n * 0.1, str(n)) for n in range(60)]
    for lasts in (5.95, 6.0, 6.3, 6.7):
        run = platform.add(f"r{lasts}", lasts=lasts, lines=lines)
        assert len(await texts(run.logs())) == 60


async def test_a_page_is_asked_for_after_the_end_is_known(platform):
    run = platform.add(lasts=3, lines=[(2.999, "last words")])
    assert await texts(run.logs()) == ["last words"]
    assert platform.moments["read_logs"][-1] > platform.moments["read_states"][-1]


async def test_a_page_that_tells_of_the_end_is_not_the_last(platform):
    """Its lines may have been collected before its state was."""
    platform.says_state = True
    run = platform.add(lasts=3)
    read_logs = platform.read_logs

    async def write_late(ref, position, window):
        page = await read_logs(ref, position)
        if page.status.state.final:
            platform.known[ref].lines = [(platform.clock.now(), "late")]
        return page

    platform.read_logs = write_late
    assert await texts(run.logs()) == ["late"]
    assert platform.calls["read_states"] == 0


async def test_stragglers_have_their_time():
    platform = FakePlatform(drain=2.0)
    run = platform.add(lasts=3, lines=[(1, "a"), (3.5, "b"), (4.5, "c"), (9, "never")])
    began = platform.clock.now()
    assert await texts(run.logs()) == ["a", "b", "c"]
    assert 5 <= platform.clock.now() - began < 7


async def test_a_page_that_is_long_under_way_is_not_the_last():
    """It was made before the stragglers had their time, however late it comes."""
    platform = FakePlatform(drain=2.0)
    run = platform.add(lasts=3, lines=[(1, "a"), (4.8, "b")])
    read_logs, began = platform.read_logs, platform.clock.now()

    async def read_slowly(ref, position, window):
        page = await read_logs(ref, position)
        if platform.moments["read_states"][-1:] > [began + 3]:
            await platform.clock.sleep(3)
        return page

    platform.read_logs = read_slowly
    assert await texts(run.logs()) == ["a", "b"]


@pytest.mark.parametrize(("lag", "seen"), [(5, ["a", "b"]), (1000, ["a"])])
async def test_a_page_from_before_the_known_end_is_not_the_last(platform, lag, seen):
    """One server of several may not have heard of the end, nor of the last lines."""
    platform.says_state, platform.page = True, 1
    run = platform.add(lasts=1, lines=[(0, "a"), (0, "b")])
    await platform.clock.sleep(2)
    read_logs, began = platform.read_logs, platform.clock.now()

    async def read_stale(ref, position, window):
        page = await read_logs(ref, position)
        if position is None or platform.clock.now() > began + lag:
            return page
        status = replace(page.status, state=RunState.RUNNING)
        return LogPage((), lambda _: position, status=status)

    platform.read_logs = read_stale
    assert await texts(run.logs()) == seen
    assert platform.clock.now() - began < 100
    assert min(platform.gaps("read_logs")[2:], default=1) > 0.3  # it does not spin


async def test_the_log_of_a_run_that_has_ended_long_ago(platform):
    run = platform.add(lasts=1, lines=TEN)
    await platform.clock.sleep(1000)
    began = platform.clock.now()
    assert await texts(run.logs()) == TEXTS
    assert platform.clock.now() - began < 1
    assert platform.calls["read_states"] == 1


async def test_a_stream_stays_at_its_end(platform):
    run = platform.add(lasts=1, lines=TEN[:1])
    stream = run.logs()
    assert len(await texts(stream)) == 1
    calls = platform.calls.total()
    assert await texts(stream) == []
    assert platform.calls.total() == calls
    assert await texts(run.logs(cursor=stream.cursor)) == []


# -- what is not there ----------------------------------------------------------------


async def test_a_log_that_is_not_there_yet(platform):
    run = platform.add(lasts=8, lines=TEN, logged=4, shown=2)
    assert await texts(run.logs()) == TEXTS


async def test_the_log_of_no_run(platform):
    began = platform.clock.now()
    with pytest.raises(NotFound, match="does not exist") as caught:
        await texts(platform.runs.run("t", "nowhere").logs())
    assert 15 <= platform.clock.now() - began < 30
    assert caught.value.context.cursor is not None


async def test_a_platform_that_answers_an_empty_log_for_no_run(platform):
    async def read_logs(ref, position, window):
        await platform.clock.sleep(0.01)
        return LogPage((), after=lambda _: position)

    platform.read_logs = read_logs
    with pytest.raises(NotFound, match="does not exist"):
        await texts(platform.runs.run("t", "nowhere").logs())


# -- failures -------------------------------------------------------------------------


async def test_failures_that_pass_are_endured(platform):
    run = platform.add(lasts=5, lines=TEN)
    lost = failing(OutcomeUnknown("lost"))
    busy = failing(TooManyRequests("busy", None, 429))
    platform.plans["read_logs"] = [lost, busy, None, lost, busy]
    platform.plans["read_states"] = [lost, None, busy]
    assert await texts(run.logs()) == TEXTS


async def test_failures_that_go_on_are_raised_with_the_cursor(platform):
    run = platform.add(lasts=5, lines=TEN)
    stream = run.logs()
    assert (await anext(stream)).message == TEXTS[0]
    platform.plans["read_logs"] = [failing(OutcomeUnknown("lost"))] * 1000
    began = platform.clock.now()
    with pytest.raises(OutcomeUnknown) as caught:
        await texts(stream)
    assert PATIENCE <= platform.clock.now() - began < PATIENCE + 20
    assert caught.value.context.cursor == stream.cursor


async def test_a_refusal_names_the_cursor_and_the_stream_goes_on(platform):
    run = platform.add(lasts=5, lines=TEN)
    platform.plans["read_logs"] = [None, failing(NO)] * 3
    platform.plans["read_states"] = [failing(NO), None] * 3
    got, failures = await _persistently(run.logs())
    assert got == TEXTS
    assert failures == 6


async def test_no_line_is_lost_by_errors(platform):
    """Whatever fails, at whatever call: going on gives each line once."""
    for call in ("read_logs", "read_states"):
        for place in range(12):
            run = platform.add(f"{call}-{place}", lasts=5, lines=TEN)
            platform.plans[call] = [*[None] * place, failing(NO)]
            got, failures = await _persistently(run.logs())
            assert got == TEXTS
            assert failures <= 1
            platform.plans.clear()


async def test_no_line_is_lost_by_an_error_after_the_end_is_known(platform):
    run = platform.add(lasts=1)
    stream = run.logs()

    def write_last_words():
        """After the page was read, and before the state that says: ended."""
        if platform.clock.now() > 1001:
            platform.known[run.ref].lines = [(1001, "last words")]

    def fail_after_the_end():
        if stream.ended:
            failing(NO)()

    platform.plans["read_states"] = [write_last_words] * 20
    platform.plans["read_logs"] = [fail_after_the_end] * 20
    with pytest.raises(Forbidden) as caught:
        await texts(stream)
    platform.plans.clear()
    assert await texts(run.logs(cursor=caught.value.context.cursor)) == ["last words"]
    assert await texts(stream) == ["last words"]


async def _persistently(stream):
    """Take all lines, going on after errors; how many there were."""
    got, cursors = [], []
    while True:
        try:
            got.append((await anext(stream)).message)
        except Forbidden as error:
            cursors.append((error.context.cursor, stream.cursor))
        except StopAsyncIteration:
            break
    assert all(named == own for named, own in cursors)
    return got, len(cursors)


async def test_a_cancelled_step_loses_nothing(platform):
    run = platform.add(lasts=5, lines=TEN)
    stream, got = run.logs(), []
    while True:
        step = asyncio.ensure_future(anext(stream))
        await platform.clock.sleep(0.13)
        step.cancel()
        try:
            got.append((await step).message)
        except asyncio.CancelledError:
            continue
        except StopAsyncIteration:
            break
    assert got == TEXTS


# -- how often ------------------------------------------------------------------------


async def test_a_quiet_log_is_asked_less_and_less(platform):
    run = platform.add(lasts=600, lines=[(0, "a")])
    assert await texts(run.logs()) == ["a"]
    assert platform.calls["read_logs"] < 80
    assert max(platform.gaps("read_logs")) > 8


async def test_a_busy_log_is_not_asked_without_pause(platform):
    platform.latency = 0.001
    platform.page = 1000
    run = platform.add(lasts=10, lines=[(n / 1000, str(n)) for n in range(10_000)])
    assert len(await texts(run.logs())) == 10_000
    assert platform.calls["read_logs"] < 30


async def test_a_page_with_more_is_followed_at_once(platform):
    run = platform.add(lasts=100, lines=[(0, text) for text in TEXTS])
    stream = run.logs()
    began = platform.clock.now()
    for _ in TEXTS:
        await anext(stream)
    assert platform.clock.now() - began < 0.1


async def test_the_hint_of_the_server_is_obeyed(platform):
    platform.hint = 4.0
    run = platform.add(lasts=40, lines=TEN)
    assert await texts(run.logs()) == TEXTS
    assert min(platform.gaps("read_logs")[3:-1]) >= 4


async def test_a_hint_of_zero_does_not_make_us_spin(platform):
    platform.hint = 0.0
    platform.latency = 0.0
    run = platform.add(lasts=10, lines=TEN)
    assert await texts(run.logs()) == TEXTS
    assert platform.calls["read_logs"] < 10 / 0.05 + 20


async def test_streams_and_waits_share_their_looks(platform):
    runs = [platform.add(f"r{n}", lasts=30, lines=TEN) for n in range(50)]
    await asyncio.gather(
        *(texts(run.logs()) for run in runs), *(run.wait() for run in runs)
    )
    assert platform.calls["read_states"] < 250


async def test_an_idle_hour_costs_no_more_than_the_intervals_allow(platform):
    run = platform.add(lasts=3600)
    assert await texts(run.logs()) == []
    # Half a second at first, half as much again each time, ten seconds in the end; a
    # fifth less at the most.
    assert platform.calls["read_logs"] <= 8 + 3600 / 8
    assert platform.calls["read_states"] <= 8 + 3600 / 8


# -- which lines ----------------------------------------------------------------------


def _at(platform, seconds):
    return platform.clock.utc() + timedelta(seconds=seconds)


@pytest.fixture
def stamped(platform):
    """Lines carry the time at which they were written."""
    read_logs = platform.read_logs

    async def with_times(ref, position, window=ALL):
        page = await read_logs(ref, position)
        start = position["line"] if position else 0
        begin = platform.clock.utc() - timedelta(seconds=platform.clock.now())
        events = [
            replace(event, timestamp=begin + timedelta(seconds=at))
            for event, (at, _) in zip(
                page.events, platform.known[ref].lines[start:], strict=False
            )
        ]
        return evolve(page, events=events)

    platform.read_logs = with_times
    return platform


async def test_a_window_of_times(stamped):
    run = stamped.add(lasts=20, lines=[(n, str(n)) for n in range(15)])
    since, until = _at(stamped, 3), _at(stamped, 7)
    stream = run.logs(since=since, until=until)
    got = [(await anext(stream)).message, (await anext(stream)).message]
    rest = run.logs(cursor=stream.cursor)
    began = stamped.clock.now()
    assert got + await texts(rest) == ["3", "4", "5", "6"]
    # It does not wait for the end of the run.
    assert stamped.clock.now() - began < 6
    pages = run.logs(since=since, until=until)
    assert [e.message for e in await pages.next_page()] == ["3", "4", "5"]


@pytest.mark.parametrize("since", ["2024-05-01T00:00:00", None])
async def test_windows_that_cannot_be_right(platform, since):
    run = platform.add()
    naive = datetime.fromisoformat(since) if since else None
    late, early = _at(platform, 5), _at(platform, 1)
    with pytest.raises(InvalidInput, match=r"zone|before"):
        run.logs(since=naive or late, until=early)


async def test_where_lines_have_no_times_windows_are_refused():
    platform = FakePlatform(line_times=False)
    with pytest.raises(NotSupported, match="keeps no times"):
        platform.add().logs(since=_at(platform, 0))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10, 50])
async def test_the_last_lines_then_what_follows(platform, count):
    old = [(0, text) for text in TEXTS]
    run = platform.add(lasts=30, lines=[*old, (8, "x"), (9, "y")])
    await platform.clock.sleep(1)
    stream = run.logs(tail=count)
    wanted = [*TEXTS[len(TEXTS) - min(count, 10) :], "x", "y"]
    got = []
    cursors = [stream.cursor]
    async for event in stream:
        got.append(event.message)
        cursors.append(stream.cursor)
    assert got == wanted
    for taken, cursor in list(enumerate(cursors))[1:]:
        assert await texts(run.logs(cursor=cursor)) == wanted[taken:]


async def test_a_tail_goes_on_in_another_process_before_it_began(platform):
    run = platform.add(lasts=3, lines=TEN)
    await platform.clock.sleep(100)
    cursor = run.logs(tail=2).cursor
    assert await texts(run.logs(cursor=cursor)) == TEXTS[-2:]


async def test_newest_first_where_the_platform_can(platform):
    run = platform.add(lines=TEN)
    with pytest.raises(NotSupported, match="from the beginning only"):
        run.logs(newest_first=True)

    class Back(FakePlatform):
        async def read_older(self, ref, position, window):
            lines = self.known[ref].lines
            end = position["end"] if position else len(lines)
            events = [LogEvent(self.clock.utc(), t) for _, t in lines[:end][::-1][:3]]
            return LogPage(events, lambda n: {"end": end - n}, more=end > 3)

        async def read_newest(self, ref, count, window):
            lines = self.known[ref].lines
            start = max(0, len(lines) - count)
            events = [LogEvent(self.clock.utc(), t) for _, t in lines[start:]]
            return LogPage(events, lambda n: {"line": start + n})

    back = Back()
    run = back.add(lasts=0, lines=[(0, text) for text in TEXTS])
    stream = run.logs(newest_first=True)
    got = [(await anext(stream)).message for _ in range(4)]
    assert got == TEXTS[:-5:-1]
    assert await texts(run.logs(cursor=stream.cursor)) == TEXTS[-5::-1]
    assert await texts(run.logs(tail=2)) == TEXTS[-2:]


@pytest.mark.parametrize(
    "choices",
    [{"tail": -1}, {"tail": 1, "newest_first": True}, {"tail": 1, "cursor": "x"}],
)
def test_choices_that_exclude_each_other(choices):
    with pytest.raises(InvalidInput):
        FakePlatform().runs.run("t", "r").logs(**choices)
