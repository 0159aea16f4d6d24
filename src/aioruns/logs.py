"""Following logs: one short request a page, nothing held while user code runs."""

import math
import random
from collections.abc import Sequence
from typing import Self

from attrs import define, field

from aioruns.cursors import make_cursor, read_cursor
from aioruns.errors import CallError, NotFound
from aioruns.seam import LogEvent, LogPage, Platform, Position, RunRef, Status
from aioruns.waiting import Watcher

SHORTEST_PAUSE = 0.5
"""Seconds between two requests for new lines, at first."""

LONGEST_PAUSE = 10.0
"""Seconds between two requests of a stream that has been quiet for long."""

_GROWTH = 1.5

_SHORTEST_HINT = 0.05
"""Seconds; a server that asks to be asked at once must not make us spin."""


@define(eq=False)
class LogStream:
    """The lines of one run, exactly once and in order.

    An async iterator of `LogEvent`. With `follow` it ends when the run has ended and
    all that it wrote was read; otherwise when everything that is there now was read.

    Attributes:
        platform: Reads the pages.
        ref: Which run.
        watcher: Knows whether the run has ended.
        follow: Whether to wait for lines to come.

    Example:
        ```python
        stream = run.logs()
        async for event in stream:
            print(event.timestamp, event.message)
            save(stream.cursor)  # run.logs(cursor=...) goes on after this line
        ```
    """

    platform: Platform
    ref: RunRef
    watcher: Watcher
    follow: bool = True
    _position: Position | None = None
    _page: LogPage | None = field(default=None, init=False)
    _index: int = field(default=0, init=False)
    _pause: float = field(default=SHORTEST_PAUSE, init=False)
    _ended: Status | None = field(default=None, init=False)
    _drained_at: float = field(default=math.inf, init=False)
    _asked_after_end: bool = field(default=False, init=False)
    _done: bool = field(default=False, init=False)

    @property
    def cursor(self) -> str:
        """Text from which `run.logs(cursor=...)` continues after the last event."""
        position = (
            self._position if self._page is None else self._page.after(self._index)
        )
        return make_cursor(
            "logs",
            {
                "platform": self.platform.name,
                "target": self.ref.target,
                "run": self.ref.id,
                "at": position,
            },
        )

    @staticmethod
    def position(cursor: str, platform: str, ref: RunRef) -> Position | None:
        """Read a cursor of this run back.

        Raises:
            InvalidInput: It is not a cursor, or belongs to another run or platform.
        """
        value = read_cursor(
            cursor, "logs", platform=platform, target=ref.target, run=ref.id
        )
        at: Position | None = value["at"]
        return at

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LogEvent:
        while self._page is None or self._index == len(self._page.events):
            if self._done:
                raise StopAsyncIteration
            await self._next_page()
        self._index += 1
        return self._page.events[self._index - 1]

    async def next_page(self) -> Sequence[LogEvent]:
        """All events that are at hand, at least one; empty at the end.

        For those who pass events on: a page crosses a queue at the price of one event.
        """
        try:
            first = await anext(self)
        except StopAsyncIteration:
            return ()
        if self._page is None:
            raise AssertionError
        rest = self._page.events[self._index :]
        self._index = len(self._page.events)
        return [first, *rest]

    async def _next_page(self) -> None:
        try:
            previous = self._page
            if previous is not None:
                self._position = previous.after(len(previous.events))
                if not previous.more and await self._finished(previous):
                    self._done = True
                    return
            ended = self._ended is not None
            self._page, self._index = await self._read(), 0
            self._asked_after_end = ended  # only a page that came can be the last
        except CallError as error:
            error.with_cursor(self.cursor)
            raise

    async def _read(self) -> LogPage:
        try:
            page = await self.platform.read_logs(self.ref, self._position)
        except NotFound:
            # No log yet, or no such run: the run's own state tells which.
            await self.watcher.look(self.ref)
            position = self._position
            return LogPage((), after=lambda _: position)
        if page.status is not None:
            self.watcher.note(page.status)
            self._note_end(page.status)
        return page

    async def _finished(self, page: LogPage) -> bool:
        """After a page without more: whether it was the last; if not, wait a little.

        Lines written before the end may come after a page that was asked for before it,
        so once the run is known to have ended, the log is read at least once more, and
        until the platform's stragglers have had their time.
        """
        clock = self.platform.clock
        if not self.follow:
            return True
        if self._asked_after_end:
            left = self._drained_at - clock.now()
            if left <= 0:
                return True
            if not page.events:
                await clock.sleep(left)
            return False
        if self._ended is None and page.status is None:
            status = await self.watcher.look(self.ref, max_age=self._pause)
            if status is not None:
                self._note_end(status)
        if self._ended is None:
            await self._rest(page)
        return False

    async def _rest(self, page: LogPage) -> None:
        """Let time pass before the next request: the server's hint, or our pause."""
        clock = self.platform.clock
        if page.events:
            self._pause = SHORTEST_PAUSE
        if page.hint is not None:
            await clock.sleep(max(page.hint, _SHORTEST_HINT))
        else:
            # After a page with lines, too: a run that writes all the time would have us
            # ask all the time.
            spread = random.uniform(0.9, 1.1)  # noqa: S311 - out of step
            await clock.sleep(self._pause * spread)
        if not page.events:
            self._pause = min(LONGEST_PAUSE, self._pause * _GROWTH)

    def _note_end(self, status: Status) -> None:
        if self._ended is None and status.state.final:
            self._ended = status
            drain = self.platform.abilities.drain
            self._drained_at = self.platform.clock.now() + drain
