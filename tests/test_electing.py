"""Who leads the waits for a target: always somebody, whoever leaves."""

import asyncio

import pytest
from tests.fake_platform import FakePlatform

from aioruns.runs import RunState
from aioruns.waiting import Watcher


class Waits:
    """Waits for runs of one target, as tasks by run id."""

    def __init__(self, platform, *seconds):
        self.platform = platform
        self.watcher = platform.runs.watcher("t")
        runs = [platform.add(f"r{n}", lasts=lasts) for n, lasts in enumerate(seconds)]
        self.tasks = {run.id: asyncio.create_task(run.wait()) for run in runs}

    def leading(self):
        """The id of the leader's run."""
        return next(name for name, task in self.tasks.items() if self._leads(task))

    def _leads(self, task):
        wait = task.get_coro()
        while "ended" not in wait.cr_frame.f_locals:
            wait = wait.cr_await
        return wait.cr_frame.f_locals["ended"] is self.watcher._leader

    async def cancel(self, *ids):
        tasks = [self.tasks.pop(one) for one in ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ended(self):
        """Wait for all; afterwards the watcher remembers nobody."""
        async with asyncio.timeout(10):
            statuses = await asyncio.gather(*self.tasks.values())
        assert {status.state for status in statuses} == {RunState.SUCCEEDED}
        assert self.watcher._standby == {}
        assert self.watcher._followed == {}
        assert self.watcher._leader is None


@pytest.fixture
def platform():
    return FakePlatform()


async def test_after_each_leader_that_leaves_another_one_leads(platform):
    waits = Waits(platform, *[100.0] * 6)
    for _ in range(5):
        await platform.clock.sleep(3.0)
        await waits.cancel(waits.leading())
    await waits.ended()


async def test_one_who_is_chosen_and_leaves_as_well_is_replaced(platform):
    waits = Waits(platform, *[100.0] * 6)
    await platform.clock.sleep(3.0)
    leading = waits.leading()
    others = [one for one in waits.tasks if one != leading][:4]
    # The leader leaves first, and who is woken to lead is cancelled before it can.
    waits.tasks[leading].cancel()
    await asyncio.sleep(0)
    await waits.cancel(leading, *others)
    await waits.ended()


async def test_one_who_comes_too_late_to_lead_can_lead_later(platform):
    waits = Waits(platform, 100.0, 100.0)
    await platform.clock.sleep(3.0)
    first = waits.leading()
    waits.tasks[first].cancel()
    # Somebody joins, and leads, before the one who was woken to lead goes on.
    waits.tasks["r2"] = asyncio.create_task(platform.add("r2", lasts=90.0).wait())
    await platform.clock.sleep(3.0)
    waits.tasks.pop(first)
    await waits.cancel("r2")
    await waits.ended()


async def test_when_many_leave_at_once_the_rest_is_led(platform):
    waits = Waits(platform, *[5.0] * 200, *[50.0] * 200)
    await waits.ended()


async def test_one_who_joins_at_the_end_leaves_nothing_behind(platform, monkeypatch):
    waits = Waits(platform, 9.0, 5.0)
    run = platform.runs.run("t", "r1")
    waits.tasks["again"] = asyncio.create_task(run.wait())
    wake = Watcher._wake

    def join_and_wake(watcher, ref, outcome):
        if ref == run.ref and "late" not in waits.tasks:
            # It runs before those who are woken, and so finds the final status.
            waits.tasks["late"] = asyncio.create_task(run.wait())
        wake(watcher, ref, outcome)

    monkeypatch.setattr(Watcher, "_wake", join_and_wake)
    await platform.clock.sleep(7.0)
    assert waits.tasks["late"].done()
    assert {ref.id for ref in waits.watcher._followed} == {"r0"}
    await waits.ended()
