"""Logs followed through pages as Nextmv may make them (wire/nextmv.md 3.3.3)."""

import json

import pytest
from tests.platforms.nextmv.scripted import ScriptedNextmv

from aioruns.errors import BadRequest, NotFound, Rejected
from aioruns.http.codec import DecodeError, decode
from aioruns.platforms.nextmv.live_pages import LivePage

EXPIRED = Rejected("410 the token has expired", None, 410)


def line(number, text=None):
    time = f"2026-05-04T21:00:{number // 100:02}.{number % 100:02}Z"
    return {"timestamp": time, "log": text or f"line {number}"}


def page(*items, status="running", **more):
    return {"items": list(items), "status_v2": status, **more}


END = page(status="succeeded")


def following(*answers, **given):
    nextmv = ScriptedNextmv(*answers)
    run = nextmv.application("routing").run("run-1")
    return nextmv, run.logs(**given)


async def seen(stream):
    return [event.message async for event in stream]


async def followed(*answers, **given):
    nextmv, stream = following(*answers, **given)
    lines = await seen(stream)
    assert not nextmv.answers, "not all pages were asked for"
    return lines, nextmv


def numbers(*these):
    return [f"line {number}" for number in these]


def asked(nextmv):
    return [dict(request.query).get("since") for request in nextmv.requests]


# -- tokens ------------------------------------------------------------------------


async def test_a_page_without_a_token_is_asked_for_again_and_grows():
    lines, nextmv = await followed(
        page(line(1)),
        page(line(1), line(2)),
        page(line(1), line(2)),
        page(line(1), line(2), line(3), next_page_token="a"),
        page(line(4), status="succeeded"),
        page(line(4), status="succeeded"),
    )
    assert lines == numbers(1, 2, 3, 4)
    assert asked(nextmv) == [None, None, None, None, "a", "a"]


async def test_a_token_that_repeats_is_the_same_page():
    lines, nextmv = await followed(
        page(line(1), next_page_token="a"),
        page(line(2), next_page_token="a"),
        page(line(2), line(3), next_page_token="a"),
        page(line(2), line(3), next_page_token="b"),
        page(line(4), next_page_token="b", status="failed"),
        page(line(4), next_page_token="b", status="failed"),
    )
    assert lines == numbers(1, 2, 3, 4)
    assert asked(nextmv) == [None, "a", "a", "a", "b", "b"]


async def test_a_token_that_changes_on_an_empty_page_is_followed():
    lines, nextmv = await followed(
        page(line(1), next_page_token="a"),
        page(next_page_token="b"),
        page(next_page_token="c"),
        page(line(2), next_page_token="d"),
        page(status="succeeded", next_page_token="e"),
        page(line(3), status="succeeded", next_page_token="f"),
        page(status="succeeded", next_page_token="g"),
        page(status="succeeded", next_page_token="h"),
        page(status="succeeded", next_page_token="i"),
    )
    assert lines == numbers(1, 2, 3)
    assert asked(nextmv)[-1] == "h"


async def test_items_may_be_null_or_absent():
    lines, _ = await followed(
        {"status_v2": "queued"},
        {"items": None, "status_v2": None, "next_page_token": None},
        {"items": [line(1)], "next_available_in_seconds": None},
        END | {"items": None},
        END,
    )
    assert lines == numbers(1)


@pytest.mark.parametrize("hint", [0, 5])
async def test_pages_behind_the_final_state_are_read_without_waiting(hint):
    more = {"status": "succeeded", "next_available_in_seconds": hint}
    lines, nextmv = await followed(
        page(line(1), next_page_token="a", **more),
        page(line(2), next_page_token="b", **more),
        page(line(3), next_page_token="c", **more),
        page(line(4), next_page_token="c", **more),
        page(line(4), next_page_token="c", **more),
    )
    assert lines == numbers(1, 2, 3, 4)
    assert nextmv.pauses == [0, 0, 0, 0]


@pytest.mark.parametrize("gone", [EXPIRED, BadRequest("400 bad token", None, 400)])
async def test_a_token_that_has_expired_costs_a_way_from_the_beginning(gone):
    lines, nextmv = await followed(
        page(line(1), line(2), next_page_token="a"),
        page(line(3), next_page_token="b"),
        page(line(4)),
        gone,
        page(line(1), line(2), next_page_token="A", next_available_in_seconds=9),
        page(line(3), line(4), line(5), next_page_token="B"),
        page(line(6), next_page_token="C"),
        page(status="succeeded", next_page_token="C"),
        page(status="succeeded", next_page_token="C"),
    )
    assert lines == numbers(1, 2, 3, 4, 5, 6)
    assert asked(nextmv) == [None, "a", "b", "b", None, "A", "B", "C", "C"]


async def test_a_token_that_is_refused_from_the_start_is_an_error():
    first = page(line(1), next_page_token="a")
    nextmv, stream = following(first, EXPIRED, first, EXPIRED)
    assert (await anext(stream)).message == "line 1"
    with pytest.raises(Rejected, match="expired") as caught:
        await anext(stream)
    assert not nextmv.answers
    assert caught.value.context.cursor


async def test_a_run_that_is_gone_is_told_from_a_token_that_is():
    gone = NotFound("404 no such run", None, 404)
    first = page(line(1), next_page_token="a")
    nextmv, stream = following(first, gone, gone, *[gone] * 100)
    await anext(stream)
    with pytest.raises(NotFound):
        await anext(stream)
    assert sum(nextmv.pauses) < 60


# -- lines that look alike ---------------------------------------------------------


async def test_lines_that_are_the_same_are_kept():
    same = line(1, ".")
    lines, _ = await followed(
        page(same, same, next_page_token="a"),
        page(same, next_page_token="b"),
        page(same, same),
        page(same, same, same, status="succeeded"),
        page(same, same, same, status="succeeded"),
    )
    assert lines == ["."] * 6


async def test_pages_that_go_back_in_time_overlap():
    lines, _ = await followed(
        page(line(1), line(2), line(3), next_page_token="a"),
        page(line(2), line(3), line(4), next_page_token="b"),
        page(line(2), line(3), line(4), next_page_token="c"),
        page(line(3), line(4), line(5)),
        page(line(3), line(4), line(5), line(6)),
        page(*map(line, range(3, 8)), next_page_token="d"),
        page(*map(line, range(1, 9)), next_page_token="e", status="succeeded"),
        END,
    )
    assert lines == numbers(*range(1, 9))


async def test_late_lines_are_no_overlap():
    lines, _ = await followed(
        page(line(2), line(3), next_page_token="a"),
        page(line(1, "late"), line(3), line(4), next_page_token="b"),
        END,
        END,
    )
    assert lines == ["line 2", "line 3", "late", "line 3", "line 4"]


async def test_overlaps_are_found_with_a_cursor_too():
    pages = [
        page(line(1), line(2), line(3), next_page_token="a"),
        page(line(2), line(3), line(4), line(5), next_page_token="b"),
        page(line(4), line(5), line(6), status="succeeded"),
        page(line(4), line(5), line(6), status="succeeded"),
    ]
    for stop in range(7):
        _, first = following(*pages)
        lines = [(await anext(first)).message for _ in range(stop)]
        # As many pages as are behind the cursor are not asked for again.
        at = 0 if stop < 3 else 1 if stop < 5 else 2
        _, rest = following(*pages[at:], cursor=first.cursor)
        lines += await seen(rest)
        assert lines == numbers(*range(1, 7)), f"stopped after {stop}"
        assert len(first.cursor) < 400


# -- what it costs -----------------------------------------------------------------


async def test_a_full_page_is_followed_at_once_whatever_its_hint_says():
    full = [line(number) for number in range(100)]
    lines, nextmv = await followed(
        page(*full, next_page_token="a", next_available_in_seconds=5),
        page(line(100), next_page_token="b", next_available_in_seconds=5),
        page(line(101), next_page_token="b", status="succeeded"),
        page(line(101), next_page_token="b", status="succeeded"),
    )
    assert lines == numbers(*range(102))
    assert nextmv.pauses[:2] == [0, 5]


@pytest.mark.parametrize(
    "hint", [{}, *({"next_available_in_seconds": n} for n in (0, -1))]
)
async def test_without_a_hint_nobody_spins(hint):
    quiet = [page(next_page_token=f"t{n}", **hint) for n in range(20)]
    _, nextmv = await followed(*quiet, END, END)
    assert min(nextmv.pauses[:-1]) >= 0.4
    assert sum(nextmv.pauses) > 60


# -- decoding ----------------------------------------------------------------------


def read(value):
    return decode(json.dumps(value).encode(), LivePage)


def test_nanoseconds_and_times_without_a_zone():
    items = [
        {"timestamp": time, "log": "."}
        for time in (
            "2026-05-04T21:00:03.123456789Z",
            "2026-05-04T21:00:03.123456",
            "2026-05-04T23:00:03.123456+02:00",
        )
    ]
    events = read({"items": items}).events
    assert len({event.timestamp for event in events}) == 1
    assert all(event.timestamp.tzinfo for event in events)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "expected an object, not list @ $"),
        ({"items": {}}, "items must be an array"),
        ({"items": "ab"}, "items must be an array"),
        ({"items": [line(1), {"log": "x"}]}, "$.items[1]"),
        ({"items": [line(1), {"timestamp": "x", "log": "x"}]}, "$.items[1].timestamp"),
        ({"items": [line(1) | {"timestamp": 7}]}, "$.items[0].timestamp"),
        ({"items": [line(1) | {"log": 7}]}, "$.items[0].log"),
        ({"items": [line(1) | {"log": None}]}, "$.items[0].log"),
        ({"items": [None]}, "$.items[0]"),
        ({"status_v2": 7}, "$.status_v2"),
        ({"next_page_token": 7}, "$.next_page_token"),
        ({"next_available_in_seconds": []}, "$.next_available_in_seconds"),
        ({"next_available_in_seconds": "soon"}, "$.next_available_in_seconds"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(value, where):
    with pytest.raises(DecodeError) as caught:
        read(value)
    assert where in str(caught.value)
