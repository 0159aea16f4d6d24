"""Deadlines of attempts: one timer of the event loop for all that are under way.

aiohttp makes a timer for each request and asks it again and again, which takes a tenth
of what a request costs; and almost no request ever needs its timer.
"""

import asyncio
import math


class Deadline:
    """The time that one attempt has."""

    __slots__ = ("_before", "_task", "at", "expired")

    def __init__(self, at: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an attempt needs a task that can be woken")
        self.at = at
        self._task = task
        self._before = task.cancelling()
        self.expired = False

    def expire(self) -> None:
        """Wake the task by a cancellation."""
        self.expired = True
        self._task.cancel()

    def passed(self) -> bool:
        """Take the cancellation back that `expire` began.

        Returns:
            Whether it was the only one: another one, from outside, must go on.
        """
        if not self.expired:
            return False
        self.expired = False
        return self._task.uncancel() <= self._before


class Deadlines:
    """Ends attempts that take too long; made inside the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._running: set[Deadline] = set()
        self._looks_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> Deadline:
        """Begin an attempt of the current task, which `end` must follow."""
        at = self._loop.time() + seconds
        deadline = Deadline(at)
        self._running.add(deadline)
        if at < self._looks_at:
            self._look_at(at)
        return deadline

    def end(self, deadline: Deadline) -> None:
        """Forget an attempt."""
        self._running.discard(deadline)
        if deadline.expired:
            deadline.passed()

    def close(self) -> None:
        """Let go of the timer, unless it is still needed.

        Attempts on an aiohttp session that stays open may still be under way.
        """
        if not self._running:
            self._look_at(math.inf)

    def _look(self) -> None:
        """End what is due, and look again when the next attempt is."""
        now = self._loop.time()
        due = [deadline for deadline in self._running if deadline.at <= now]
        self._running.difference_update(due)
        for deadline in due:
            deadline.expire()
        self._look_at(min((one.at for one in self._running), default=math.inf))

    def _look_at(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = at
        self._timer = None if at == math.inf else self._loop.call_at(at, self._look)
