"""One paginator, and the guards that listings need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.errors import Unreadable
from aioruns.paging import pages


class Listing:
    """Pages by token, and which tokens were asked for."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def __call__(self, token):
        self.asked.append(token)
        return self.answers[token]


async def rows(listing, start=None):
    return [row async for page in pages(listing, start) for row in page]


async def test_pages_follow_their_tokens():
    listing = Listing({None: ([1, 2], "b"), "b": ([3], "c"), "c": ([4], None)})
    assert await rows(listing) == [1, 2, 3, 4]
    assert listing.asked == [None, "b", "c"]


@pytest.mark.parametrize("end", [None, ""])
async def test_no_token_is_the_end(end):
    assert await rows(Listing({None: ([1], end)})) == [1]


async def test_an_empty_page_with_a_token_is_not_the_end():
    listing = Listing({None: ([], "b"), "b": ([], "c"), "c": ([1], None)})
    assert await rows(listing) == [1]


async def test_a_listing_is_continued_from_a_token():
    listing = Listing({"b": ([3], "c"), "c": ([4], None)})
    assert await rows(listing, "b") == [3, 4]
    assert listing.asked == ["b", "c"]


async def test_the_same_token_twice_is_an_error_and_no_loop():
    listing = Listing({None: ([1], "b"), "b": ([2], "b")})
    seen = []

    async def take():
        async for page in pages(listing):
            seen.extend(page)

    with pytest.raises(Unreadable, match="'b' with the same token"):
        await take()
    assert seen == [1, 2]
    assert listing.asked == [None, "b"]


async def test_nothing_is_read_ahead():
    listing = Listing({None: ([1], "b"), "b": ([2], None)})
    reading = pages(listing)
    assert await anext(reading) == [1]
    assert listing.asked == [None]
    await reading.aclose()


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=8))
async def test_every_row_comes_once_and_in_order(sizes):
    answers = {
        str(n) if n else None: (page, str(n + 1) if n + 1 < len(sizes) else None)
        for n, page in enumerate(sizes)
    }
    assert await rows(Listing(answers)) == [row for page in sizes for row in page]
