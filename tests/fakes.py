"""Time that passes by itself: no test waits on the wall."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

import anyio

_START = datetime(2024, 5, 1, tzinfo=UTC)


class FakeClock:
    """A `Clock` that jumps to the next moment somebody waits for.

    It jumps only when no task can go on by itself, so everything that happens at one
    moment has happened before the next. For tests without sockets and threads: an
    answer from outside would be jumped over.
    """

    def __init__(self, start=1000.0):
        self._now = start
        self._start = start
        self._timers = []
        self._numbers = itertools.count()
        self._driven = False

    def now(self):
        return self._now

    def utc(self):
        return _START + timedelta(seconds=self._now - self._start)

    async def sleep(self, seconds):
        with self.limit(seconds):
            await anyio.sleep_forever()

    async def wait(self, event, seconds):
        with self.limit(seconds):
            await event.wait()

    def limit(self, seconds):
        return _Limit(self, seconds)

    def add(self, limit, seconds):
        entry = (self._now + seconds, next(self._numbers), limit)
        heapq.heappush(self._timers, entry)
        if not self._driven:
            self._driven = True
            asyncio.get_running_loop().call_soon(self._drive)

    def _drive(self):
        loop = asyncio.get_running_loop()
        while self._timers and not self._timers[0][2].open:
            heapq.heappop(self._timers)
        if not self._timers:
            self._driven = False
            return
        if not loop._ready:
            when, _, limit = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            limit.scope.cancel()
        loop.call_soon(self._drive)


class _Limit:
    """What `Clock.limit` gives: a cancel scope, and whether it is still of use."""

    def __init__(self, clock, seconds):
        self.scope = anyio.CancelScope()
        self.open = True
        self._clock = clock
        self._seconds = seconds

    @property
    def cancelled_caught(self):
        return self.scope.cancelled_caught

    def __enter__(self):
        self._clock.add(self, self._seconds)
        self.scope.__enter__()
        return self.scope

    def __exit__(self, *error):
        self.open = False
        return self.scope.__exit__(*error)
