"""The states of many Nextmv runs, in few requests (wire/nextmv.md 8.1)."""

import json
from math import ceil

import pytest
from tests.fakes import FakeClock
from tests.platforms.nextmv.scripted import information

from aioruns import Nextmv, RunState, Session
from aioruns.errors import NotFound, Unreadable
from aioruns.http.codec import DecodeError, decode
from aioruns.platforms.nextmv.batch_runs import batch_target
from aioruns.platforms.nextmv.state_rows import StateRows
from aioruns.seam import RunRef

PAGE = 50


class ListingNextmv(Nextmv):
    """Shows runs, newest first, and counts what it is asked.

    Attributes:
        runs: The word for each run, newest first.
        hidden: Runs that lists do not show.
        pages: Pages that were read.
        singles: Runs that were read singly.
    """

    def __init__(self, runs=()):
        self.clock = FakeClock()
        super().__init__(
            "nxmv_example",
            url="http://127.0.0.1:1",
            session=Session(clock=self.clock),
        )
        self.runs = dict(runs)
        self.hidden = set()
        self.pages = 0
        self.singles = 0

    async def send(self, request):
        if request.returns is StateRows:
            answer = self.page(dict(request.query), paged="/batch/" not in request.path)
        else:
            self.singles += 1
            run_id = request.path.split("/")[-2]
            if run_id not in self.runs:
                raise NotFound("404 no such run", None, 404)
            answer = information(run_id, status_v2=self.runs[run_id], error="no stops")
        return decode(json.dumps(answer).encode(), request.returns)

    def page(self, query, *, paged):
        self.pages += 1
        shown = [run_id for run_id in self.runs if run_id not in self.hidden]
        if not paged:
            return {"runs": self.rows(shown)}
        assert query["pagereturn"] == "true"
        start = int(query.get("pagetoken", 0))
        end = start + PAGE
        return {
            "runs": self.rows(shown[start:end]),
            "next_page_token": str(end) if end < len(shown) else "",
        }

    def rows(self, names):
        created = "2026-05-04T21:00:00Z"
        return [
            {"id": name, "status_v2": self.runs[name], "created_at": created}
            for name in names
        ]

    async def round(self, names, known=None):
        """Read states once; return them with the pages and single reads it took."""
        self.pages = self.singles = 0
        refs = [RunRef("routing", name) for name in names]
        found = await self.runs_platform.read_states(refs, known or {})
        return found, (self.pages, self.singles)

    @property
    def runs_platform(self):
        return self._adapter

    # `runs` of a client is where handles are made; here it is the server's.
    @property
    def runs(self):
        return self._runs

    @runs.setter
    def runs(self, value):
        if hasattr(value, "platform"):
            self._adapter = value.platform
        else:
            self._runs = value


def names(first, end):
    return [f"run-{number}" for number in range(first, end)]


def newest_first(count, text="running"):
    return dict.fromkeys(reversed(names(0, count)), text)


@pytest.mark.parametrize("count", [3, 8, 50, 51, 1000, 10_000])
async def test_runs_take_the_pages_that_hold_them(count):
    nextmv = ListingNextmv(newest_first(count + 500))
    wanted = names(500, count + 500)
    for _ in range(3):
        found, (pages, singles) = await nextmv.round(wanted)
        assert len(found) == count
        assert pages + singles == ceil(count / PAGE)
        assert singles <= 1  # a page for one run saves nothing


@pytest.mark.parametrize("count", [1, 2])
async def test_few_runs_are_read_singly(count):
    nextmv = ListingNextmv(newest_first(1000))
    for _ in range(3):
        assert (await nextmv.round(names(0, count)))[1] == (0, count)


async def test_known_states_are_taken_as_they_are():
    nextmv = ListingNextmv(newest_first(100))
    first, _ = await nextmv.round(names(0, 100))
    nextmv.runs["run-7"] = "succeeded"
    second, _ = await nextmv.round(names(0, 100), first)
    changed = [ref.id for ref, status in second.items() if status is not first[ref]]
    assert changed == ["run-7"]
    status = second[RunRef("routing", "run-7")]
    assert (status.state, status.text) == (RunState.SUCCEEDED, "succeeded")
    assert status.created.isoformat() == "2026-05-04T21:00:00+00:00"


async def test_only_stragglers_are_read_singly_once_pages_do_not_pay():
    nextmv = ListingNextmv(newest_first(5000))
    wanted = [*names(0, 3), *names(4900, 5000)]  # three of them 98 pages behind
    found, (pages, singles) = await nextmv.round(wanted)
    assert len(found) == len(wanted)
    assert pages + singles <= 2 + 3 + 3
    for _ in range(5):
        found, cost = await nextmv.round(wanted)
        assert (len(found), cost) == (len(wanted), (2, 3))


async def test_the_last_runs_of_many_are_read_in_the_cheaper_way():
    nextmv = ListingNextmv(newest_first(2000))
    wanted = names(0, 2000)
    assert (await nextmv.round(wanted))[1] == (40, 0)
    # One on each of twenty pages far back, and a page full of them in front.
    wanted = [*names(0, 1000)[::50], *names(1960, 2000)]
    found, cost = await nextmv.round(wanted)
    assert (len(found), cost) == (60, (1, 20))
    # Those that are dense are worth their way.
    wanted = names(0, 1000)
    found, cost = await nextmv.round(wanted)
    assert (len(found), sum(cost)) == (1000, 40)


async def test_runs_far_behind_others_cost_little_more_than_single_reads():
    nextmv = ListingNextmv(newest_first(100_000))
    for count in (3, 10, 100, 1000):
        wanted = names(0, count)
        _, (pages, singles) = await nextmv.round(wanted)
        assert singles == count
        assert pages <= 1 + count / 20
        _, cost = await nextmv.round(wanted)  # it is known now
        assert cost == (0, count)
        await nextmv.clock.sleep(100)


async def test_pages_are_tried_again_and_more_and_more_seldom():
    nextmv = ListingNextmv(newest_first(10_000))
    wanted, tried = names(0, 100), []
    for second in range(300):
        _, (pages, _) = await nextmv.round(wanted)
        if pages:
            tried.append(second)
        await nextmv.clock.sleep(1)
    assert len(tried) < 12


async def test_a_list_that_lags_behind_is_come_back_to():
    nextmv = ListingNextmv(newest_first(200))
    nextmv.hidden = set(nextmv.runs)
    found, (_, singles) = await nextmv.round(names(0, 200))
    assert (len(found), singles) == (200, 200)
    nextmv.hidden = set()
    await nextmv.clock.sleep(1.1)
    assert (await nextmv.round(names(0, 200)))[1] == (4, 0)


async def test_new_runs_in_front_move_the_others_back():
    nextmv = ListingNextmv(newest_first(400))
    wanted = names(0, 400)
    await nextmv.round(wanted)
    nextmv.runs = newest_first(520)
    found, cost = await nextmv.round(names(0, 520))
    assert (len(found), cost) == (520, (11, 0))
    nextmv.runs = newest_first(700)  # and those of others
    found, cost = await nextmv.round(names(0, 520))
    assert (len(found), cost) == (520, (14, 0))


async def test_parts_of_the_runs_may_be_due_at_other_times():
    nextmv = ListingNextmv(newest_first(4000))
    old, young = names(0, 1000), names(3000, 4000)
    assert (await nextmv.round([*old, *young]))[1][1] == 0
    for _ in range(3):
        assert (await nextmv.round(young))[1] == (20, 0)
        assert (await nextmv.round(old))[1] == (80, 0)


async def test_a_run_that_fell_off_the_pages_is_told_from_one_that_is_gone():
    nextmv = ListingNextmv(newest_first(100))
    wanted = names(0, 60)
    first, _ = await nextmv.round(wanted)
    nextmv.hidden = {"run-3"}
    del nextmv.runs["run-5"]
    found, _ = await nextmv.round(wanted, first)
    missing = {name for name in wanted if RunRef("routing", name) not in found}
    assert missing == {"run-5"}


async def test_the_reason_of_a_failure_is_read_once():
    nextmv = ListingNextmv(newest_first(100))
    nextmv.runs["run-3"] = "failed"
    first, cost = await nextmv.round(names(0, 100))
    assert first[RunRef("routing", "run-3")].reason == "no stops"
    assert cost == (2, 1)
    second, cost = await nextmv.round(names(0, 100), first)
    assert second[RunRef("routing", "run-3")] is first[RunRef("routing", "run-3")]
    assert cost == (2, 0)


async def test_a_batch_takes_one_request():
    nextmv = ListingNextmv(newest_first(10_000))
    target = batch_target("routing", "nightly")
    refs = [RunRef(target, name) for name in names(0, 10_000)]
    found = await nextmv.runs_platform.read_states(refs, {})
    again = await nextmv.runs_platform.read_states(refs, found)
    assert len(found) == 10_000
    assert all(again[ref] is status for ref, status in found.items())
    assert (nextmv.pages, nextmv.singles) == (2, 0)


# -- decoding ----------------------------------------------------------------------

ROW = {"id": "r", "status_v2": "running", "created_at": None}


def read(value):
    return decode(json.dumps(value).encode(), StateRows)


def test_lists_without_runs():
    for value in ({}, {"runs": None}, {"runs": [], "next_page_token": None}):
        assert read(value) == StateRows([], [], [], None)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ([], "expected an object, not list @ $"),
        ({"runs": {}}, "runs must be an array"),
        ({"runs": [ROW, {"id": "r"}]}, "$.runs[1]"),
        ({"runs": [ROW | {"id": None}]}, "$.runs[0].id"),
        ({"runs": [ROW | {"id": 7}]}, "$.runs[0].id"),
        ({"runs": [ROW | {"status_v2": None}]}, "$.runs[0].status_v2"),
        ({"runs": ["r"]}, "$.runs[0]"),
        ({"runs": [ROW], "next_page_token": 7}, "$.next_page_token"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(value, where):
    with pytest.raises(DecodeError) as caught:
        read(value)
    assert where in str(caught.value)


@pytest.mark.parametrize("created", [7, "noon"])
def test_a_time_that_is_none_is_said_with_its_run(created):
    rows = read({"runs": [ROW | {"created_at": created}]})
    ref = RunRef("routing", "r")
    with pytest.raises(Unreadable, match="run 'r' was created at"):
        rows.statuses({"r": ref}, {})
