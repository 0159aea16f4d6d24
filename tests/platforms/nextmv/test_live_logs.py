"""Following a Nextmv log by polling (wire/nextmv.md 3.3.3)."""

import json

import pytest
from tests.platforms.nextmv.scripted import MISSING, ScriptedNextmv

from aioruns.errors import GaveUp, NotFound
from aioruns.platforms.nextmv import DEFAULT_POLLING_OPTIONS, PollingOptions

CALM = PollingOptions(initial_delay=0, jitter=0)


def line(second, log, **rest):
    return {"timestamp": f"2026-05-04T21:00:{second:02}.5Z", "log": log, **rest}


def page(*items, status="running", **rest):
    return {"items": list(items), "status_v2": status, **rest}


async def tail(*pages, **options):
    nextmv = ScriptedNextmv(*pages)
    options.setdefault("polling_options", CALM)
    lines = await nextmv.application("routing").run_logs_with_polling(
        "run-1", **options
    )
    assert not nextmv.answers
    return [one.log for one in lines], nextmv


async def test_all_lines_come_sorted_by_time():
    lines, nextmv = await tail(
        page(line(9, "late"), line(1, "b"), next_page_token="t1"),
        page(line(1, "c"), line(0, "a"), next_page_token="t2"),
        page(line(10, "end"), status="succeeded"),
    )
    assert lines == ["a", "b", "c", "late", "end"]
    assert nextmv.calls == [
        "GET /run-1/logs/live",
        "GET /run-1/logs/live?since=t1",
        "GET /run-1/logs/live?since=t2",
    ]


async def test_the_callback_hears_lines_as_they_come():
    heard = []
    await tail(
        page(line(9, "late"), line(1, "early")),
        page(line(9, "late"), line(1, "early"), line(2, "new"), status="failed"),
        log_func=lambda one: heard.append(one.log),
    )
    assert heard == ["late", "early", "new"]


@pytest.mark.parametrize("rich_print", [False, True])
async def test_verbose_writes_to_standard_error(capsys, rich_print):
    await tail(
        page(line(1, "at [bold] 7 [/nothing]"), status="succeeded"),
        verbose=True,
        rich_print=rich_print,
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert "[2026-05-04 21:00:01.500000+00:00] at [bold] 7 [/nothing]" in (
        said.err.replace("\n", " ")
    )


async def test_live_logs_that_spin():
    # Neither a missing hint nor a hint of nothing may have us ask all the time.
    _, nextmv = await tail(
        page(line(1, "a"), next_page_token="t1"),
        page(next_available_in_seconds=0),
        page(next_available_in_seconds=-1),
        page(next_available_in_seconds=1e-9),
        page(line(2, "b"), next_available_in_seconds=2.5),
        page(),
        page(status="canceled"),
    )
    assert nextmv.pauses == [1.9, 3.7, 7.3, 0.05, 2.5, 3.7]


async def test_live_logs_that_drop_the_last_page():
    lines, nextmv = await tail(
        page(line(1, "a"), status="succeeded", next_page_token="t1"),
        page(line(2, "b"), status="succeeded", next_page_token="t2"),
        page(line(3, "last"), status="succeeded", next_page_token="t2"),
    )
    assert lines == ["a", "b", "last"]
    assert nextmv.pauses == [0, 0]


async def test_the_drain_ends_at_an_empty_page_and_obeys_the_hint():
    lines, nextmv = await tail(
        page(status="failed", next_page_token="t1", next_available_in_seconds=3),
        page(line(1, "a"), status="failed", next_page_token="t2"),
        page(status="failed", next_page_token="t3"),
    )
    assert lines == ["a"]
    assert nextmv.pauses == [3, 0]


async def test_live_logs_that_repeat_lines():
    a, b, c = line(1, "a"), line(2, "b"), line(3, "c")
    lines, _ = await tail(
        page(a),
        page(a, b),  # asked again without a token, the page has grown
        page(a, b, next_page_token="t1"),
        page(b, c, next_page_token="t2"),  # the next page overlaps
        page(status="succeeded"),
    )
    assert lines == ["a", "b", "c"]


async def test_lines_that_a_run_repeats_are_kept():
    same = line(1, ".")
    lines, _ = await tail(
        page(same, same),
        page(same, same, same),
        page(same, same, same, line(2, "."), line(3, "."), status="succeeded"),
    )
    assert lines == [".", ".", ".", ".", "."]


async def test_lines_that_differ_below_a_microsecond_are_two():
    times = ("2026-05-04T21:00:03.123456001Z", "2026-05-04T21:00:03.123456002Z")
    first, second = ({"timestamp": time, "log": "."} for time in times)
    lines, _ = await tail(
        page(first, next_page_token="t1"), page(second, status="succeeded")
    )
    assert lines == [".", "."]


async def test_polling_defaults_changed_by_tailing():
    before = PollingOptions()
    nextmv = ScriptedNextmv(page(next_available_in_seconds=9), page(status="failed"))
    app = nextmv.application("routing")
    await app.run_logs_with_polling("run-1")
    assert nextmv.pauses == [9]
    assert before == DEFAULT_POLLING_OPTIONS
    assert DEFAULT_POLLING_OPTIONS.sleep_duration_func is None
    assert DEFAULT_POLLING_OPTIONS.pause(1, lambda: 0.0) == pytest.approx(1.9)


@pytest.mark.parametrize("items", [None, []])
async def test_no_lines_are_an_empty_list(items):
    lines, _ = await tail({"items": items, "status_v2": "succeeded"})
    assert lines == []


async def test_a_status_that_is_missing_or_unknown_is_not_the_end():
    lines, _ = await tail({}, page(status="paused"), page(status="succeeded"))
    assert lines == []


async def test_the_limits_of_the_options_hold():
    with pytest.raises(GaveUp, match="the log of run-1"):
        await tail(page(), page(), polling_options=PollingOptions(max_tries=2))


async def test_a_run_that_is_not_there():
    with pytest.raises(NotFound):
        await tail(MISSING)


async def test_a_long_page_is_compared_in_no_time():
    many = [line(n % 60, json.dumps(n)) for n in range(5000)]
    lines, _ = await tail(
        page(*many, next_page_token="t1"),
        page(*many[2500:], *many[:10], status="succeeded"),
    )
    assert len(lines) == 5010
