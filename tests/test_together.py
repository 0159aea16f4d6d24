"""Several calls at once: bounded, and failing as one."""

import anyio
import anyio.lowlevel
import pytest

from aioruns.together import WORKERS, each


@pytest.mark.parametrize("count", [0, 1, 2, WORKERS + 5])
async def test_every_item_has_its_call(count):
    done = []

    async def work(item):
        await anyio.lowlevel.checkpoint()
        done.append(item)

    await each(iter(range(count)), work)
    assert sorted(done) == list(range(count))


@pytest.mark.parametrize("count", [1, 2, WORKERS])
async def test_the_first_failure_is_raised_as_it_is(count):
    begun, ended = [], []

    async def work(item):
        begun.append(item)
        if item == 0:
            raise LookupError(item)
        await anyio.sleep(10)
        ended.append(item)

    with pytest.raises(LookupError):
        await each(range(count), work)
    assert 0 in begun
    assert ended == []


async def test_so_many_at_once():
    inside = most = 0

    async def work(_):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await anyio.lowlevel.checkpoint()
        inside -= 1

    await each(range(3 * WORKERS), work)
    assert most == WORKERS
