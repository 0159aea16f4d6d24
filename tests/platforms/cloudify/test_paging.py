"""Offset pages while rows come and go (wire/cloudify.md 4.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.platforms.cloudify.models import ListResponse, Metadata, Pagination
from aioruns.platforms.cloudify.paging import rows


class Table:
    """Rows of a manager; between two requests something happens to them."""

    def __init__(self, count, size, happenings=()):
        self.rows = list(range(count))
        self.size = size
        self.happenings = iter(happenings)
        self.offsets = []

    async def read(self, offset):
        assert len(self.offsets) < 500, "it never ends"
        if self.offsets:
            next(self.happenings, lambda _: None)(self.rows)
        self.offsets.append(offset)
        items = tuple(self.rows[offset : offset + self.size])
        pagination = Pagination(len(self.rows), self.size, offset)
        return ListResponse(items, Metadata(pagination))

    async def all(self):
        return [row async for row in rows(self.read, lambda row: row)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11])
async def test_a_quiet_list_is_read_once(size):
    table = Table(10, size)
    assert await table.all() == list(range(10))
    assert len(table.offsets) <= 10


async def test_an_empty_list():
    table = Table(0, 5)
    assert await table.all() == []
    assert table.offsets == [0]


async def test_deleted_rows_let_no_other_row_be_missed():
    """The official client's next page would begin behind three unread rows."""
    table = Table(12, 4, [lambda rows: rows.__delitem__(slice(3))])
    assert await table.all() == list(range(12))


async def test_the_last_row_read_is_deleted():
    table = Table(12, 4, [lambda rows: rows.remove(3)])
    assert await table.all() == list(range(12))


async def test_everything_before_an_offset_is_deleted():
    table = Table(10, 5, [lambda rows: rows.__delitem__(slice(9))])
    assert await table.all() == [0, 1, 2, 3, 4, 9]


async def test_an_empty_page_before_the_total_ends_it():
    async def read(offset):
        items = (1, 2, 3) if offset == 0 else ()
        return ListResponse(items, Metadata(Pagination(10, 3, offset)))

    assert [row async for row in rows(read, lambda row: row)] == [1, 2, 3]


async def test_totals_that_make_no_sense_end_it():
    async def read(offset):
        items = (1, 2, 3) if offset == 0 else ()
        return ListResponse(items, Metadata(Pagination(10 if offset == 0 else 1)))

    assert [row async for row in rows(read, lambda row: row)] == [1, 2, 3]


deletion = st.sets(st.integers(0, 60)).map(
    lambda doomed: (
        lambda rows: rows.__setitem__(
            slice(None), [row for row in rows if row not in doomed]
        )
    )
)
addition = st.integers(1, 5).map(
    lambda many: (
        lambda rows: rows.extend(
            range(max(rows, default=100) + 100, max(rows, default=100) + 100 + many)
        )
    )
)


@given(
    st.integers(0, 60), st.integers(2, 20), st.lists(deletion | addition, max_size=12)
)
async def test_rows_that_stay_are_read_once_each(count, size, happenings):
    table = Table(count, size, happenings)
    read = await table.all()
    assert len(read) == len(set(read))
    assert {row for row in table.rows if row < count} <= set(read)
