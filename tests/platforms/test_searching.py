"""Many who look for submissions share the walks through a listing."""

import asyncio

import pytest

from aioruns.errors import OutcomeUnknown
from aioruns.platforms.searching import Search
from aioruns.seam import RunRef, Submission


class Listing:
    """A listing whose walks end when they are told to."""

    def __init__(self, *keys):
        self.keys = set(keys)
        self.walks = []
        self.go = asyncio.Semaphore(0)
        self.error = None

    async def walk(self, submissions):
        wanted = {one.key for one in submissions}
        there = wanted & self.keys
        self.walks.append(wanted)
        await self.go.acquire()
        if self.error is not None:
            raise self.error
        return {key: RunRef("t", f"run-{key}") for key in there}


def find(search, key):
    return asyncio.create_task(search.find(Submission("t", {}, key)))


async def turns():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_comes_during_a_walk_shares_the_next_one():
    listing = Listing("a", "c")
    search = Search(listing.walk)
    first = find(search, "a")
    await turns()
    others = [find(search, key) for key in "bcd"]
    await turns()
    listing.keys.add("d")
    assert listing.walks == [{"a"}]
    listing.go.release()
    assert (await first).id == "run-a"
    await turns()
    assert listing.walks == [{"a"}, {"b", "c", "d"}]
    listing.go.release()
    found = await asyncio.gather(*others)
    assert [ref and ref.id for ref in found] == [None, "run-c", "run-d"]


async def test_a_run_that_came_during_a_walk_is_found_by_the_next():
    listing = Listing()
    search = Search(listing.walk)
    for expected in (None, RunRef("t", "run-a")):
        seeking = find(search, "a")
        await turns()
        listing.keys.add("a")  # too late for the walk that has begun
        listing.go.release()
        assert await seeking == expected


@pytest.mark.parametrize("cancelled", [0, 1, 2])
async def test_who_gives_up_leaves_the_walk_to_the_others(cancelled):
    listing = Listing("a", "b", "c")
    search = Search(listing.walk)
    seeking = [find(search, key) for key in "abc"]
    await turns()
    seeking[cancelled].cancel()
    await turns()
    for _ in range(3):
        listing.go.release()
    done = await asyncio.gather(*seeking, return_exceptions=True)
    assert isinstance(done.pop(cancelled), asyncio.CancelledError)
    assert all(ref.id.startswith("run-") for ref in done)
    assert search._waiting == []


async def test_a_walk_that_fails_fails_for_all_of_its_own():
    listing = Listing("a", "b")
    listing.error = OutcomeUnknown("lost")
    search = Search(listing.walk)
    seeking = [find(search, key) for key in "ab"]
    await turns()
    listing.go.release()
    listing.go.release()
    errors = await asyncio.gather(*seeking, return_exceptions=True)
    assert [type(error) for error in errors] == [OutcomeUnknown] * 2
    listing.error = None
    again = find(search, "a")
    listing.go.release()
    assert (await again).id == "run-a"
