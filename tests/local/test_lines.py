"""Reading the lines of several runs from a time on, in pages, and removing some."""

from datetime import timedelta

import pytest

from aioruns.local.engine import Engine
from aioruns.local.records import utcnow


@pytest.fixture
async def engine():
    async with Engine() as running:
        yield running


async def test_lines_from_a_time_on(engine):
    first = await engine.submit("one", "a", [])
    second = await engine.submit("two", "a", [])
    for n in range(50):
        engine.note((first, second)[n % 2], str(n), stream="odd" if n % 3 else "third")
    both = [first, second]
    everything = await engine.lines_of(both)
    assert [line.text for _, line in everything] == [str(n) for n in range(50)]
    assert [record for record, _ in everything] == both * 25

    for at in (0, 1, 7, 48, 49):
        since = everything[at][1].time
        rows = await engine.lines_of(both, since=since)
        assert rows == [row for row in everything if row[1].time >= since]
    before = everything[0][1].time - timedelta(days=1)
    assert await engine.lines_of(both, since=before) == everything
    assert await engine.lines_of(both, since=utcnow()) == []
    assert await engine.lines_of([], since=before) == []


async def test_lines_in_pages(engine):
    record = await engine.submit("one", "a", [])
    for n in range(10):
        engine.note(record, str(n), stream="odd" if n % 2 else "even")
    rows = await engine.lines_of([record], streams=["odd"], skip=1, limit=3)
    assert [line.text for _, line in rows] == ["3", "5", "7"]
    assert await engine.count_lines([record]) == 10
    assert await engine.count_lines([record], streams=["odd", "none"]) == 5
    assert await engine.count_lines([]) == 0


async def test_erased_lines_are_gone(engine):
    record = await engine.submit("one", "a", [])
    for n in range(4):
        engine.note(record, str(n), stream="x")
    rows = await engine.lines_of([record])
    await engine.erase(line for _, line in rows[1:3])
    assert [line.text for _, line in await engine.lines("one", "a")] == ["0", "3"]
