"""Logs that lose and repeat nothing, against a manager in memory."""

import random
from datetime import UTC, datetime

import orjson
import pytest
from tests.platforms.cloudify.manager import BEGIN, Manager, Row

from aioruns.cursors import make_cursor
from aioruns.errors import InvalidInput
from aioruns.platforms.cloudify import following, following_back
from aioruns.platforms.cloudify.following import Reader
from aioruns.platforms.cloudify.following_together import read_together
from aioruns.platforms.cloudify.places import Place, packed, unpacked
from aioruns.platforms.cloudify.settling import Settling
from aioruns.seam import ALL, RunRef, Window

REF = RunRef("d", "e-1")


class Follower:
    """Reads from one position to the next; each crosses to another process."""

    def __init__(self, manager, run="e-1"):
        self.manager = manager
        self.reader = Reader(manager, Settling(manager.clock))
        self.run = run
        self.position = None
        self.lines = []

    async def page(self, window=ALL):
        page = await self.reader.read(self.run, self.position, window)
        return self.took(page, len(page.events))

    def took(self, page, count):
        self.lines += [event.message for event in page.events[:count]]
        self.position = orjson.loads(orjson.dumps(page.after(count)))
        return page

    async def all(self):
        """Whatever is there now; how many requests it took."""
        before = len(self.manager.asked)
        while (await self.page()).more:
            assert len(self.manager.asked) - before < 1000
        return len(self.manager.asked) - before


def logs(*times, run="e-1"):
    return [Row(at, number, run=run) for number, at in enumerate(times)]


def names(rows):
    return [row.text for row in sorted(rows)]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(following, "ROWS", 7)
    monkeypatch.setattr(following_back, "ROWS", 7)
    monkeypatch.setattr(following_back, "_SPARE", 2)


# -- forward ---------------------------------------------------------------------------


async def test_events_and_logs_share_numbers_and_are_told_apart():
    rows = [Row(0, 1), Row(0, 1, "cloudify_event"), Row(5, 2)]
    follower = Follower(Manager(rows))
    await follower.all()
    await follower.all()
    assert sorted(follower.lines) == sorted(names(rows))


async def test_a_row_that_arrives_late_is_read_once():
    manager = Manager([Row(0, 1), Row(3000, 3)])
    follower = Follower(manager)
    await follower.all()
    manager.rows.append(Row(1500, 2))
    await follower.all()
    manager.rows.append(Row(4000, 4))
    await follower.all()
    await follower.all()
    assert [int(line.split()[1]) for line in follower.lines] == [1, 3, 2, 4]


TIMES = [0, 0, 1, 500, 1999, 2000, 2000, 2001, 2001, 4000, 4100, 9000, 9000, 9001]


async def rest_of(manager, position):
    follower = Follower(manager)
    follower.position = position
    await follower.all()
    return follower.lines


async def test_every_position_continues_exactly(small):
    manager = Manager(logs(*TIMES))
    expected = names(manager.rows)
    follower = Follower(manager)
    assert await rest_of(manager, None) == expected
    while len(follower.lines) < len(expected):
        page = await follower.reader.read("e-1", follower.position)
        for taken in range(len(page.events) + 1):
            position = orjson.loads(orjson.dumps(page.after(taken)))
            done = len(follower.lines) + taken
            assert await rest_of(manager, position) == expected[done:]
        follower.took(page, len(page.events))


@pytest.mark.parametrize("count", [95, 3000])
async def test_rows_of_one_millisecond(count, monkeypatch):
    """However many there are: requests bring new rows, and positions stay short."""
    monkeypatch.setattr(following, "ROWS", 300)
    monkeypatch.setattr(following, "_MANY", 60)
    monkeypatch.setattr(following, "_MARGIN", 30)
    manager = Manager([Row(0, number) for number in range(count)])
    manager.rows.append(Row(50_000, count))
    manager.clock.time = 60
    follower = Follower(manager)
    while (await follower.page()).more:
        assert len(orjson.dumps(follower.position)) < 200
    assert follower.lines == names(manager.rows)
    assert len(manager.asked) <= count / 300 + 3
    assert await rest_of(manager, follower.position) == []


async def test_rows_of_one_millisecond_that_are_deleted_meanwhile(monkeypatch):
    monkeypatch.setattr(following, "ROWS", 300)
    monkeypatch.setattr(following, "_MANY", 60)
    manager = Manager([Row(0, number) for number in range(1000)])
    manager.rows.append(Row(50_000, 1000))
    manager.clock.time = 60
    follower = Follower(manager)
    await follower.page()
    await follower.page()
    assert follower.position["k"] > 0
    expected = names(manager.rows)
    del manager.rows[50:70]
    await follower.all()
    assert follower.lines == expected


async def test_a_long_log_that_is_settled_costs_a_page_a_thousand_lines():
    """Nothing is read twice, and positions stay short."""
    rng = random.Random(1)
    times = sorted(rng.uniform(0, 20_000) for _ in range(20_000))
    manager = Manager(logs(*times))
    manager.clock.time = 3600
    follower = Follower(manager)
    longest = 0
    while (await follower.page()).more:
        longest = max(longest, len(orjson.dumps(follower.position)))
    assert follower.lines == names(manager.rows)
    assert len(manager.asked) <= 22
    assert longest < 3000


async def test_a_cursor_in_a_dense_log_is_short():
    """A thousand lines in two seconds, between those of other executions."""
    rng = random.Random(2)
    numbers = sorted(rng.sample(range(10**7, 10**7 + 4000), 1000))
    rows = [Row(index * 2, number) for index, number in enumerate(numbers)]
    follower = Follower(Manager(rows))
    await follower.all()
    cursor = make_cursor("logs", {"at": follower.position})
    assert len(follower.lines) == 1000
    assert len(cursor) < 1600
    quiet = Follower(Manager(logs(*range(0, 100_000, 1000))))
    await quiet.all()
    assert len(make_cursor("logs", {"at": quiet.position})) < 200


async def test_a_position_forgets_what_is_out_of_reach():
    manager = Manager([Row(number * 100, number) for number in range(200)])
    follower = Follower(manager)
    await follower.all()
    assert len(Place.of(follower.position).seen) == 21
    manager.rows.append(Row(60_000, 500))
    await follower.all()
    assert len(Place.of(follower.position).seen) == 1


async def test_a_silent_log_leaves_nothing_to_remember():
    manager = Manager(logs(*range(0, 2000, 100)))
    follower = Follower(manager)
    await follower.all()
    assert follower.position["s"]
    manager.clock.time = 30
    await follower.all()
    assert set(follower.position) == {"t"}
    assert follower.position["t"] > BEGIN + 20_000


async def test_a_row_from_the_future_settles_nothing_for_others():
    manager = Manager([Row(10**9, 1, run="e-2"), Row(0, 1), Row(3000, 3)])
    other, follower = Follower(manager, "e-2"), Follower(manager)
    follower.reader = other.reader
    await other.all()
    await follower.all()
    manager.rows.append(Row(2000, 2))
    await follower.all()
    assert [int(line.split()[1]) for line in follower.lines] == [1, 3, 2]


@pytest.mark.parametrize("seed", range(30))
async def test_rows_that_become_visible_in_any_order(seed, monkeypatch):
    """Every row once, with pages cut anywhere and positions taken anywhere."""
    rng = random.Random(seed)
    monkeypatch.setattr(following, "ROWS", rng.choice([3, 10, 50]))
    monkeypatch.setattr(following, "_MANY", 20)
    monkeypatch.setattr(following, "_MARGIN", 10)
    manager = Manager(arriving(rng, "e-1", 300), largest=rng.choice([None, 5, 30]))
    follower = Follower(manager)
    while manager.clock.time < 40:
        page = await follower.reader.read("e-1", follower.position)
        whole = rng.random() < 0.7
        count = len(page.events) if whole else rng.randint(0, len(page.events))
        follower.took(page, count)
        if not page.more or rng.random() < 0.3:
            manager.clock.time += rng.choice([0.01, 0.3, 1.0, 5.0])
    await follower.all()
    assert sorted(follower.lines) == sorted(row.text for row in manager.rows)
    assert await rest_of(manager, follower.position) == []


def arriving(rng, run, count):
    """Rows that can be read up to two seconds after they arrived."""
    rows = []
    at = rng.uniform(0, 20_000)
    for number in range(count):
        if rng.random() < 0.1:
            at = rng.uniform(0, 30_000)
        at += rng.choice([0, 0, 0, 1, 20])
        kind = rng.choice(["cloudify_log", "cloudify_event"])
        visible = at + rng.choice([0, rng.uniform(0, 1990)])
        rows.append(Row(at, number, kind, run, visible=visible))
    return rows


async def test_a_window_asks_for_less_and_loses_nothing():
    rows = [Row(at, at, written=at - 500) for at in range(0, 10_000, 100)]
    follower = Follower(Manager(rows))
    window = Window(when(2000.5), when(4000.5))
    page = await follower.page(window)
    held = [event for event in page.events if window.holds(event)]
    assert [int(event.message.split()[1]) for event in held] == list(
        range(2600, 4600, 100)
    )
    assert len(page.events) <= len(held) + 2


def when(at):
    return datetime.fromtimestamp((BEGIN + at) / 1000, UTC)


# -- positions -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys", [[], [0], [5, 3], list(range(500)), [10**12, 7, 10**12 + 1]]
)
def test_numbers_are_packed_and_unpacked(keys):
    text = packed(keys)
    assert unpacked(text) == sorted(keys)
    assert len(text) <= 2 + 9 * len(keys)


@pytest.mark.parametrize("position", [{}, {"t": "x"}, {"t": 1, "s": "z#"}, {"u": 1}])
def test_a_position_of_something_else_is_refused(position):
    with pytest.raises(InvalidInput, match="cursor"):
        Place.of(position)


# -- backwards -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 7, 12, 14, 20, 10**6])
@pytest.mark.parametrize("step", [1, 100, 5000])
async def test_the_last_lines_and_what_follows(small, count, step):
    manager = Manager(logs(*(number * step for number in range(15))))
    expected = names(manager.rows)[-count:]
    follower = Follower(manager)
    page = await following_back.read_newest(follower.reader, REF, count, ALL)
    assert len(page.events) <= 7
    assert page.more == (count > 7)
    for taken in range(len(page.events) + 1):
        position = orjson.loads(orjson.dumps(page.after(taken)))
        assert await rest_of(manager, position) == expected[taken:]
    follower.took(page, len(page.events))
    late = Row(manager.rows[-1].at - step / 2, 99)
    manager.rows.append(late)
    manager.rows.append(Row(manager.rows[-2].at + 1, 100))
    await follower.all()
    if step <= 2000 and count < 7:
        assert follower.lines == [*expected, late.text, "cloudify_log 100"]
    assert follower.lines[-1] == "cloudify_log 100"


async def test_the_last_lines_of_a_window(small):
    manager = Manager(logs(*range(0, 3000, 100)))
    window = Window(until=when(1500.5))
    reader = Follower(manager).reader
    page = await following_back.read_newest(reader, REF, 3, window)
    assert [event.message for event in page.events] == [
        f"cloudify_log {n}" for n in (13, 14, 15)
    ]


async def test_the_last_lines_of_an_empty_log():
    manager = Manager([])
    reader = Follower(manager).reader
    page = await following_back.read_newest(reader, REF, 5, ALL)
    assert (list(page.events), page.after(0), page.more) == ([], None, False)


@pytest.mark.parametrize("step", [0, 0.5, 1, 700])
async def test_backwards_every_line_once(monkeypatch, step):
    monkeypatch.setattr(following_back, "ROWS", 7)
    monkeypatch.setattr(following_back, "_MANY", 10)
    monkeypatch.setattr(following_back, "_MARGIN", 5)
    manager = Manager(logs(*(number * step for number in range(60))))
    expected = list(reversed(names(manager.rows)))
    reader = Follower(manager).reader

    async def back(position):
        lines, asked = [], len(manager.asked)
        while True:
            page = await following_back.read_older(reader, REF, position, ALL)
            lines += [event.message for event in page.events]
            position = orjson.loads(orjson.dumps(page.after(len(page.events))))
            assert len(manager.asked) - asked < 30
            if not page.more:
                return lines

    assert await back(None) == expected
    done, position = 0, None
    while done < len(expected):
        page = await following_back.read_older(reader, REF, position, ALL)
        for taken in range(len(page.events) + 1):
            stored = orjson.loads(orjson.dumps(page.after(taken)))
            assert await back(stored) == expected[done + taken :]
        done += len(page.events)
        position = page.after(len(page.events))


async def test_backwards_and_forwards_have_positions_of_their_own():
    reader = Follower(Manager(logs(0, 1))).reader
    page = await reader.read("e-1", None)
    with pytest.raises(InvalidInput, match="forward"):
        await following_back.read_older(reader, REF, page.after(1), ALL)


# -- together --------------------------------------------------------------------------


class Group:
    """Follows several executions together."""

    def __init__(self, manager, runs):
        self.manager = manager
        self.reader = Reader(manager, Settling(manager.clock))
        self.positions = {RunRef("d", run): None for run in runs}
        self.lines = {ref: [] for ref in self.positions}

    async def round(self, take=len):
        pages = await read_together(self.reader, self.positions)
        for ref, page in pages.items():
            count = take(page.events)
            self.lines[ref] += [event.message for event in page.events[:count]]
            position = orjson.loads(orjson.dumps(page.after(count)))
            self.positions[ref] = position
        return any(page.more for page in pages.values())

    def check(self):
        for ref, lines in self.lines.items():
            rows = [row for row in self.manager.rows if row.run == ref.id]
            assert sorted(lines) == sorted(row.text for row in rows)


async def test_quiet_logs_share_a_request_a_round():
    runs = [f"e-{number}" for number in range(60)]
    manager = Manager([])
    group = Group(manager, runs)
    await group.round()
    rng = random.Random(3)
    for _ in range(100):
        manager.clock.time += 10
        at = manager.clock.time * 1000 - 1
        manager.rows.append(Row(at, len(manager.rows), run=rng.choice(runs)))
        await group.round()
    group.check()
    assert len(manager.asked) <= 103


async def test_a_loud_log_does_not_keep_others_waiting(monkeypatch):
    monkeypatch.setattr(following, "ROWS", 20)
    loud = [Row(number / 100, number, run="loud") for number in range(1000)]
    manager = Manager([*loud, Row(500, 1, run="quiet"), Row(501, 1, run="other")])
    group = Group(manager, ["loud", "quiet", "other"])
    assert await group.round()
    assert group.lines[RunRef("d", "quiet")] == ["cloudify_log 1"]
    assert group.lines[RunRef("d", "other")] == ["cloudify_log 1"]
    assert len(manager.asked) == 2
    while await group.round():
        pass
    group.check()


async def test_logs_that_are_far_apart_are_not_read_again():
    new = logs(*range(0, 3_000_000, 1000), run="new")
    manager = Manager([*new, *logs(*range(0, 100_000, 1000), run="old")])
    manager.clock.time = 3000
    group = Group(manager, ["new", "next"])
    while await group.round():
        pass
    group.positions[RunRef("d", "old")] = None
    group.lines[RunRef("d", "old")] = []
    manager.given = 0
    while await group.round():
        pass
    group.check()
    assert manager.given < 200  # the hundred of the old one, and none of the new


@pytest.mark.parametrize("seed", range(20))
async def test_together_every_row_once(seed, monkeypatch):
    rng = random.Random(seed)
    monkeypatch.setattr(following, "ROWS", rng.choice([5, 20, 100]))
    monkeypatch.setattr(following, "_MANY", 20)
    monkeypatch.setattr(following, "_MARGIN", 10)
    runs = [f"e-{number}" for number in range(rng.choice([2, 5]))]
    rows = [row for run in runs for row in arriving(rng, run, rng.choice([5, 100]))]
    manager = Manager(rows)
    group = Group(manager, runs)
    while manager.clock.time < 40:
        whole = rng.random() < 0.7
        await group.round(len if whole else lambda events: rng.randint(0, len(events)))
        manager.clock.time += rng.choice([0, 0, 0.3, 1.0, 5.0])
    while await group.round():
        pass
    group.check()
