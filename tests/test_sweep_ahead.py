"""Keys that are written ahead of those who submit, and many rows at once."""

import asyncio
import itertools
import sqlite3
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime

import anyio
import pytest
from tests.fake_platform import FakePlatform

from aioruns import journal_rows
from aioruns.batch import as_completed, gather
from aioruns.errors import InvalidInput, JournalError
from aioruns.journal import Journal
from aioruns.journal_file import JournalFile
from aioruns.journal_rows import Rows
from aioruns.seam import RunState
from aioruns.sweeps.ahead import MOST
from aioruns.sweeps.handover import Handover
from aioruns.sweeps.slots import Slots

NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def platform():
    return FakePlatform()


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "sweep.db"


def specs_of(platform, count):
    return (platform.spec(payload={"seed": n}) for n in range(count))


def rows_of(path, query):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def stages(path):
    return dict(rows_of(path, "SELECT stage, count(*) FROM runs GROUP BY 1"))


@asynccontextmanager
async def opened(path):
    """A journal in the hands of a sweep."""
    journal = await Journal.open(path)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(journal.serve)
            yield journal
            group.cancel_scope.cancel()
    finally:
        await journal.aclose()


# -- ahead ----------------------------------------------------------------------------


async def test_many_keys_share_a_transaction(platform, journal, monkeypatch):
    sizes = []
    write = JournalFile.write

    def counted(self, group):
        sizes.append(sum(len(plan.specs) for plan in group.plans))
        write(self, group)

    monkeypatch.setattr(JournalFile, "write", counted)
    outcomes = await gather(specs_of(platform, 2000), max_active=2000, journal=journal)
    assert len(outcomes) == sum(sizes) == 2000
    assert max(sizes) <= MOST
    assert len([size for size in sizes if size]) < 2000 / 100


async def test_no_more_specs_are_read_than_there_is_room_for(platform, journal):
    platform.life = (1000.0, RunState.SUCCEEDED)
    read = itertools.count()
    specs = (platform.spec(payload={"seed": next(read)}) for _ in itertools.count())
    submitted = anyio.Semaphore(0)
    async with as_completed(
        specs,
        max_active=7,
        journal=journal,
        on_submitted=lambda _: submitted.release(),
    ):
        for _ in range(7):
            await submitted.acquire()
        await platform.clock.sleep(100)
        assert next(read) == 7
    assert stages(journal) == {"submitted": 7}


@pytest.mark.parametrize("finds", [True, False])
async def test_what_was_not_begun_is_put_back(journal, finds):
    """Left in mid-sweep, or stopped by an outcome."""
    platform = FakePlatform(finds=finds)
    platform.latency = 3.0
    begun = anyio.Event()
    platform.plans["create"] = [begun.set]
    async with as_completed(
        specs_of(platform, 500), max_active=300, journal=journal
    ) as outcomes:
        await begun.wait()
        assert outcomes.progress.done == 0
    created = platform.calls["create"]
    assert created < 300
    found = stages(journal)
    assert found == {"submitted": created}
    # Nothing is looked for, since nothing is in doubt.
    outcomes = await gather(specs_of(platform, 500), max_active=300, journal=journal)
    assert all(outcome.succeeded for outcome in outcomes)
    assert platform.calls["create"] == 500
    assert platform.calls["find"] == 0


async def test_an_outcome_that_stops_the_sweep_stops_what_is_ahead(platform, journal):
    platform.latency = 1.0
    outcomes = await gather(
        specs_of(platform, 5000),
        max_active=1000,
        journal=journal,
        stop_when=lambda _: True,
    )
    assert len(outcomes) == platform.calls["create"] < 5000
    assert stages(journal) == {"ended": len(outcomes)}


async def test_what_is_put_back_between_equal_specs_stays_planned(journal, platform):
    async with opened(journal) as kept:
        spec = platform.spec(payload={"seed": 1})
        entries = [await kept.plan(spec, NOW) for _ in range(4)]
        for place in (1, 3):
            kept.put_back(entries[place])
        kept.submitted(entries[2], "run-2", NOW)
    query = "SELECT repetition, stage FROM attempts"
    assert sorted(rows_of(journal, query)) == [
        (0, "submitting"),
        (1, "planned"),
        (2, "submitted"),
    ]
    async with opened(journal) as kept:
        again = [await kept.plan(spec, NOW) for _ in range(4)]
    assert [entry.fresh for entry in again] == [False, True, False, True]
    assert [entry.key for entry in again] == [entry.key for entry in entries]


async def test_equal_specs_are_still_told_apart(platform, journal):
    def specs():
        return (platform.spec(payload={"seed": n // 3}) for n in range(600))

    first = await gather(specs(), max_active=600, journal=journal)
    assert len({outcome.key for outcome in first}) == 600
    again = await gather(specs(), max_active=600, journal=journal)
    # Which of the equal ones is which is no matter.
    assert {one.run.id for one in again} == {one.run.id for one in first}
    assert platform.calls["create"] == 600


async def test_specs_of_several_platforms_and_old_ones_between(journal):
    one, two = FakePlatform(), FakePlatform()
    two.clock, two.name = one.clock, "other"

    def specs(places):
        return (
            (one, two)[n % 2].spec(payload={"seed": n}, target=f"t{n % 5}")
            for n in places
        )

    await gather(specs(range(0, 1000, 3)), max_active=400, journal=journal)
    outcomes = await gather(specs(range(1000)), max_active=400, journal=journal)
    assert [outcome.spec.payload["seed"] for outcome in outcomes] == list(range(1000))
    assert len(one.creations) == len(two.creations) == 500
    assert all(
        submission.target == f"t{submission.payload['seed'] % 5}"
        for submission in one.creations + two.creations
    )


async def test_what_comes_before_a_spec_that_fails_is_submitted(platform, journal):
    def specs():
        yield from specs_of(platform, 20)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await gather(specs(), journal=journal)
    assert stages(journal).get("submitting", 0) == 0
    assert platform.calls["create"] == 20


async def test_a_spec_that_cannot_be_known_again_ends_the_sweep(platform, journal):
    specs = [platform.spec(payload={"seed": seed}) for seed in (1, object())]
    with pytest.raises(InvalidInput, match="give it a key"):
        await gather(specs, journal=journal)


async def test_a_journal_that_cannot_be_written_ends_the_sweep(
    platform, journal, monkeypatch
):
    def broken(self, group):
        if group.plans:
            raise JournalError("the disk is full")

    monkeypatch.setattr(JournalFile, "write", broken)
    with anyio.fail_after(10):
        with pytest.raises(JournalError, match="disk is full"):
            await gather(specs_of(platform, 1000), max_active=300, journal=journal)
    assert platform.calls["create"] == 0


async def test_async_specs_with_a_journal(platform, journal):
    async def specs():
        for spec in specs_of(platform, 300):
            await asyncio.sleep(0)
            yield spec

    outcomes = await gather(specs(), max_active=100, journal=journal)
    assert [outcome.spec.payload["seed"] for outcome in outcomes] == list(range(300))
    assert all(outcome.succeeded for outcome in outcomes)


# -- rows -----------------------------------------------------------------------------


@pytest.mark.parametrize("updates_from", [True, False])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 64, 200])
def test_rows_are_written_by_few_statements(count, updates_from, monkeypatch):
    if not journal_rows._UPDATES_FROM and updates_from:
        pytest.skip("an old SQLite")
    monkeypatch.setattr(journal_rows, "_UPDATES_FROM", updates_from)
    insert = Rows("INSERT OR IGNORE INTO t VALUES (?, ?)")
    update = Rows(
        "UPDATE t SET b = ? WHERE a = ?",
        "UPDATE t SET b = told.column1 FROM (VALUES (?, ?)) AS told "
        "WHERE a = told.column2",
    )
    statements = []
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as run:
        run.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        run.set_trace_callback(statements.append)
        pairs = [value for n in range(count) for value in (n, f"was {n}")]
        assert insert.write(run, pairs) == count
        assert insert.write(run, pairs) == 0
        assert len(statements) <= 2 * (count // 64 + 8 + 7)
        changed = [value for n in range(count) for value in (f"is {n}", n)]
        assert update.write(run, changed) == count
        rows = run.execute("SELECT a, b FROM t ORDER BY a").fetchall()
    assert rows == [(n, f"is {n}") for n in range(count)]


# -- handing over ---------------------------------------------------------------------


async def test_a_cancelled_taker_leaves_the_outcome_to_the_next():
    handover = Handover(2)
    first, second = (asyncio.create_task(handover.take()) for _ in range(2))
    await asyncio.sleep(0)
    handover.put_now("outcome")
    first.cancel()
    assert await asyncio.wait_for(second, 5) == "outcome"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_who_has_no_room_waits_and_the_end_is_told():
    handover = Handover(1)
    assert handover.put_now("one")
    assert not handover.put_now("two")
    givers = [asyncio.create_task(handover.put(n)) for n in ("two", "three")]
    await asyncio.sleep(0)
    givers[0].cancel()
    taken = [await handover.take(), await handover.take()]
    await givers[1]
    assert taken == ["one", "three"]
    late = asyncio.create_task(handover.take())
    await asyncio.sleep(0)
    handover.end()
    with pytest.raises(StopAsyncIteration):
        await handover.take()
    await asyncio.wait([late])
    assert late.exception() is not None


async def test_a_cancelled_one_who_waits_for_a_slot_does_not_keep_it():
    slots = Slots(1)
    await slots.acquire()
    first, second = (asyncio.create_task(slots.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    slots.release()
    first.cancel()
    await asyncio.wait_for(second, 5)
    assert slots.free == 0
    slots.release()
    assert slots.free == 1
