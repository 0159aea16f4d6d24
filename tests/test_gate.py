"""The gate: a limit, one pause for all, and one request at a time after it."""

import asyncio

import pytest
from tests.fakes import FakeClock

from aioruns.http.gate import Gate, Pace


@pytest.fixture
def clock():
    return FakeClock()


class Passing:
    """Requests that pass the gate, and when."""

    def __init__(self, gate):
        self.gate = gate
        self.clock = gate.clock
        self.begun = []
        self.inside = self.most = 0

    async def one(self, seconds=1.0, *, succeeds=True):
        async with self.gate:
            self.begun.append(self.clock.now())
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                await self.clock.sleep(seconds)
            finally:
                self.inside -= 1
        if succeeds:
            self.gate.succeeded()


async def test_at_most_so_many_pass_at_once(clock):
    passing = Passing(Gate(3, clock))
    await asyncio.gather(*(passing.one() for _ in range(10)))
    assert passing.most == 3
    assert clock.now() == 1004.0


async def test_they_pass_in_the_order_in_which_they_came(clock):
    gate = Gate(1, clock)
    order = []

    async def one(name):
        async with gate:
            order.append(name)
            await clock.sleep(1.0)

    await asyncio.gather(*(one(name) for name in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_who_waits_for_nothing_does_not_overtake_the_queue(clock):
    gate = Gate(1, clock)
    assert gate.enter_nowait()
    waiting = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()  # the place belongs to the one that waits, before it has run
    assert not gate.enter_nowait()
    await waiting
    gate.leave()
    assert gate.enter_nowait()


@pytest.mark.parametrize("after", [False, True])
async def test_cancelled_in_the_queue_it_passes_its_turn_on(clock, after):
    """Whether it is cancelled before its turn has come, or just after."""
    gate = Gate(1, clock)
    assert gate.enter_nowait()
    first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
    await asyncio.sleep(0)
    if after:
        gate.leave()
        first.cancel()
    else:
        first.cancel()
        gate.leave()
    await second
    assert first.cancelled() or first.cancelling()
    gate.leave()
    assert gate.enter_nowait()


async def test_all_that_waited_may_be_gone(clock):
    gate = Gate(1, clock)
    assert gate.enter_nowait()
    waiting = [asyncio.create_task(gate.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    gate.leave()
    assert gate.enter_nowait()
    assert not gate.enter_nowait()


async def test_a_pause_and_a_pace_are_no_open_gate(clock):
    gate = Gate(2, clock)
    gate.pause(1.0)
    assert not gate.enter_nowait()
    assert not Gate(2, clock, Pace(1.0, clock)).enter_nowait()


async def test_nothing_passes_during_a_pause(clock):
    gate = Gate(10, clock)
    gate.pause(5.0)
    passing = Passing(gate)
    await asyncio.gather(*(passing.one() for _ in range(4)))
    assert min(passing.begun) == 1005.0


async def test_after_a_pause_one_goes_first_and_its_success_opens_for_all(clock):
    gate = Gate(10, clock)
    gate.pause(5.0)
    passing = Passing(gate)
    await asyncio.gather(*(passing.one() for _ in range(5)))
    assert passing.begun == [1005.0, *[1006.0] * 4]
    assert passing.most == 4


async def test_until_one_succeeds_they_pass_one_by_one(clock):
    gate = Gate(10, clock)
    gate.pause(5.0)
    passing = Passing(gate)
    await asyncio.gather(
        *(passing.one(succeeds=False) for _ in range(3)),
        *(passing.one() for _ in range(3)),
    )
    assert passing.begun == [1005.0, 1006.0, 1007.0, 1008.0, 1009.0, 1009.0]


async def test_another_pause_holds_the_next_one_longer(clock):
    gate = Gate(10, clock)
    gate.pause(5.0)
    passing = Passing(gate)

    async def refused():
        async with gate:
            passing.begun.append(clock.now())
            await clock.sleep(1.0)
        gate.pause(10.0)

    await asyncio.gather(refused(), passing.one(), passing.one())
    assert passing.begun == [1005.0, 1016.0, 1017.0]


async def test_a_shorter_pause_does_not_shorten_a_longer_one(clock):
    gate = Gate(10, clock)
    gate.pause(5.0)
    gate.pause(1.0)
    passing = Passing(gate)
    await passing.one()
    assert passing.begun == [1005.0]


async def test_an_old_request_that_succeeds_does_not_end_the_pause(clock):
    gate = Gate(10, clock)
    passing = Passing(gate)

    async def pause():
        await clock.sleep(0.5)
        gate.pause(5.0)
        await asyncio.gather(passing.one(), passing.one())

    await asyncio.gather(passing.one(1.0), pause())
    assert passing.begun == [1000.0, 1005.5, 1006.5]


async def test_cancelled_requests_leave_no_slot_occupied(clock):
    gate = Gate(2, clock)
    gate.pause(5.0)
    passing = Passing(gate)
    tasks = [asyncio.create_task(passing.one()) for _ in range(6)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(passing.one() for _ in range(4)))
    # The first alone, then two at once, then the last.
    assert passing.begun == [1005.0, 1006.0, 1006.0, 1007.0]


async def test_a_request_that_is_cancelled_inside_lets_the_next_one_in(clock):
    gate = Gate(4, clock)
    gate.pause(5.0)
    passing = Passing(gate)
    first = asyncio.create_task(passing.one(100.0))
    second = asyncio.create_task(passing.one(1.0))
    await clock.sleep(6.0)
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert passing.begun == [1005.0, 1006.0]
