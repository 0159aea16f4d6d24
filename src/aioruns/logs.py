"""Following logs: one short request a page, nothing held while user code runs."""

import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from operator import length_hint
from typing import Self

from attrs import define, field, frozen

from aioruns.cursors import make_cursor, read_cursor
from aioruns.errors import CallError, InvalidInput, NotFound, NotSupported
from aioruns.patience import Patience
from aioruns.seam import (
    ALL,
    LogEvent,
    LogPage,
    Platform,
    Position,
    ReadsBack,
    RunRef,
    Status,
    Window,
)
from aioruns.waiting import Watcher

SHORTEST_PAUSE = 0.5
"""Seconds between two requests for new lines, at first."""

LONGEST_PAUSE = 10.0
"""Seconds between two requests of a stream that has been quiet for long."""

_GROWTH = 1.5

_SHORTEST_HINT = 0.05
"""Seconds; a server that asks to be asked at once must not make us spin."""

_LONG_AGO = 300.0
"""Seconds after the end of a run, as the platform tells it, from which on nothing can
come late any more, even if the platform's clock differs from ours."""

_LAG = 60.0
"""Seconds after which a page is believed that tells of an earlier state than the known
one."""

Read = Callable[[RunRef, Position | None, Window], Awaitable[LogPage]]


@frozen
class _End:
    """What the end of a page says; the page itself is not kept."""

    busy: bool
    more: bool
    hint: float | None
    status: Status | None
    incomplete: bool


_GO_ON = _End(busy=True, more=True, hint=None, status=None, incomplete=False)
"""The end of most pages: with more to come at once, nothing else is looked at."""


@define(eq=False)
class LogStream:
    """The lines of one run, exactly once and in order; made by `Run.logs`.

    An async iterator of `LogEvent`. With `follow` it ends when the run has ended and
    all that it wrote was read; otherwise when everything that is there now was read.
    Failures that pass are endured for two minutes; then, and when the platform refuses,
    the error is raised, with the cursor in its context.

    Attributes:
        platform: Reads the pages.
        ref: Which run.
        watcher: Knows whether the run has ended.
        follow: Whether to wait for lines to come.
        window: Which lines, by their times.
        tail: How many of the lines that are there to begin with; None is all.
        back: Whether to read from the newest line back to the first.
        read: Reads a page; of the platform, unless the streams of many runs share
            their requests.
        ended: Whether the run is known to have ended, or the window to have passed.

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
    window: Window = ALL
    tail: int | None = None
    back: bool = False
    _position: Position | None = None
    read: Read = field(init=False)
    ended: bool = field(default=False, init=False)
    _page: LogPage | None = field(default=None, init=False)
    _end: _End | None = field(default=None, init=False)
    _held: Sequence[int] | None = field(default=None, init=False)
    _at_hand: Iterator[LogEvent] = field(factory=lambda: iter(()), init=False)
    _pause: float = field(default=SHORTEST_PAUSE, init=False)
    _drained_at: float = field(default=math.inf, init=False)
    _asked_at: float = field(default=-math.inf, init=False)
    _done: bool = field(default=False, init=False)
    _patience: Patience = field(factory=Patience, init=False)

    def __attrs_post_init__(self) -> None:
        self.read = self.platform.read_logs
        if self.window is not ALL and not self.platform.abilities.line_times:
            raise NotSupported(
                f"{self.platform.name} keeps no times of log lines: read all of them, "
                "without since and until"
            )
        if self.back:
            if not isinstance(self.platform, ReadsBack):
                raise NotSupported(
                    f"{self.platform.name} gives logs from the beginning only: leave "
                    "newest_first out, or read the last lines with tail"
                )
            self.read = self.platform.read_older
            self.follow = False

    @property
    def cursor(self) -> str:
        """Text from which `run.logs(cursor=...)` continues after the last event."""
        page = self._page
        at = self._position if page is None else page.after(self._given(page))
        window = self.window
        value = {
            "platform": self.platform.name,
            "target": self.ref.target,
            "run": self.ref.id,
            "at": at,
            "since": window.since and window.since.isoformat(),
            "until": window.until and window.until.isoformat(),
            "tail": self.tail,
            "back": self.back or None,
        }
        return make_cursor("logs", {k: v for k, v in value.items() if v is not None})

    @classmethod
    def from_cursor(
        cls,
        cursor: str,
        platform: Platform,
        ref: RunRef,
        watcher: Watcher,
        *,
        follow: bool,
    ) -> Self:
        """The stream that a cursor of this run continues.

        Raises:
            InvalidInput: It is not a cursor, or belongs to another run or platform.
        """
        value = read_cursor(
            cursor, "logs", platform=platform.name, target=ref.target, run=ref.id
        )
        times = [
            text and datetime.fromisoformat(text)
            for text in (value.get("since"), value.get("until"))
        ]
        window = Window(*times) if any(times) else ALL
        tail, back = value.get("tail"), value.get("back", False)
        at = value.get("at")
        return cls(platform, ref, watcher, follow, window, tail, back, at)

    def __aiter__(self) -> Self:
        return self

    # This is called for every line, so it counts none: `_given` asks the iterator.
    async def __anext__(self) -> LogEvent:
        for event in self._at_hand:
            return event
        while not self._done:
            await self._next_page()
            for event in self._at_hand:
                return event
        raise StopAsyncIteration

    async def next_page(self) -> Sequence[LogEvent]:
        """All events that are at hand, at least one; empty at the end.

        For those who pass events on: a page crosses a queue at the price of one event.
        """
        while not (events := list(self._at_hand)):
            if self._done:
                return ()
            await self._next_page()
        if self._page is None:
            raise AssertionError
        self._leave(self._page)
        return events

    async def _next_page(self) -> None:
        if self._page is not None:
            self._leave(self._page)
        while True:
            try:
                # No call for most pages, which have more behind them, and here no
                # `_read`, since each call on the way costs at both ends of a wait.
                if self._end is _GO_ON or await self._goes_on():
                    asked_at = self.platform.clock.now() if self.ended else -math.inf
                    try:
                        page = await self.read(self.ref, self._position, self.window)
                    except NotFound:
                        page = await self._no_log(self._position)
                    else:
                        if page.status is not None:
                            self._note(page)
                    self._turn_to(page)
                    self._asked_at = asked_at  # only a page that came can be the last
            except CallError as error:
                clock = self.platform.clock
                if not self._patience.endures(error, clock.now()):
                    error.with_cursor(self.cursor)
                    raise
                await self._sleep()
            else:
                self._patience.restore()
                return

    async def _goes_on(self) -> bool:
        """Whether to ask for the page after the one that was left: not if done."""
        if self._end is not None:
            if not self._end.more and await self._finished(self._end):
                self._done = True
                return False
        elif self.tail is not None:
            self._turn_to(await self._read_tail(self.tail))
            self.tail = None
            return False
        return True

    def _leave(self, page: LogPage) -> None:
        """Let go of a page that was read to its end: only one is held at a time."""
        self._position = page.after(len(page.events))
        self._end = (
            _GO_ON
            if page.more
            else _End(bool(page.events), False, page.hint, page.status, page.incomplete)
        )
        self._page = None

    def _turn_to(self, page: LogPage) -> None:
        self._page, self._end = page, None
        events = page.events
        if self.window is ALL:
            self._held = None
            self._at_hand = iter(events if type(events) is list else list(events))
        else:
            holds = self.window.holds
            self._held = [n for n, event in enumerate(events) if holds(event)]
            self._at_hand = iter([events[n] for n in self._held])

    def _given(self, page: LogPage) -> int:
        """How many of a page's events were given, or lie before the next one."""
        left = length_hint(self._at_hand)
        if self._held is None or not left:
            return len(page.events) - left
        return self._held[-left]

    async def _read(self, position: Position | None) -> LogPage:
        try:
            page = await self.read(self.ref, position, self.window)
        except NotFound:
            return await self._no_log(position)
        self._note(page)
        return page

    async def _read_tail(self, count: int) -> LogPage:
        if isinstance(self.platform, ReadsBack):
            try:
                page = await self.platform.read_newest(self.ref, count, self.window)
            except NotFound:
                return await self._no_log(None)
            self._note(page)
            return page
        # Only from the beginning: the pages are read, and the last lines kept.
        last: deque[tuple[LogEvent, LogPage, int]] = deque(maxlen=count)
        page = await self._read(self._position)
        while True:
            for index, event in enumerate(page.events):
                if self.window.holds(event):
                    last.append((event, page, index))
            end = page.after(len(page.events))
            if not page.more:
                break
            page = await self._read(end)
        kept = list(last)

        def after(n: int) -> Position | None:
            if n == len(kept):
                return end
            _, page, index = kept[n]
            return page.after(index)

        return LogPage([event for event, _, _ in kept], after)

    async def _no_log(self, position: Position | None) -> LogPage:
        """Nothing is there yet, or no such run: the run's own state tells which."""
        await self.watcher.look(self.ref)
        return LogPage((), after=lambda _: position)

    def _note(self, page: LogPage) -> None:
        status = page.status
        if status is not None and status.state.final:
            self.watcher.note(status)
            self._note_end(status)

    async def _finished(self, end: _End) -> bool:
        """After a page without more: whether it was the last; if not, wait a little.

        Lines written before the end may come after a page that was asked for before it,
        so once the run is known to have ended, the log is read at once, and once more
        when the platform's stragglers have had their time. A page that was asked for
        before then is not the last, however late it comes.
        """
        clock = self.platform.clock
        if not self.follow:
            return True
        if end.incomplete or self._lags_behind(end):
            await self._rest(end)
            return False
        if self._asked_at >= self._drained_at:
            return True
        if self._asked_at > -math.inf:
            left = self._drained_at - clock.now()
            if left > 0 and not end.busy:
                await clock.sleep(left)
            return False
        if not self.ended and end.status is None:
            status = await self.watcher.look(self.ref, max_age=self._pause)
            if status is not None:
                self._note_end(status)
        if not self.ended and self.window.until is not None:
            self._note_until(self.window.until)
        if not self.ended:
            await self._rest(end)
        return False

    def _lags_behind(self, end: _End) -> bool:
        """Whether a page comes from before the known end, and lacks what followed.

        One server of several may be behind the one that told of the end.
        """
        return (
            self.ended
            and end.status is not None
            and not end.status.state.final
            and self.platform.clock.now() < self._drained_at + _LAG
        )

    async def _rest(self, end: _End) -> None:
        """Let time pass before the next request: the server's hint, or our pause."""
        if end.busy:
            self._pause = SHORTEST_PAUSE
        if end.hint is not None:
            await self.platform.clock.sleep(max(end.hint, _SHORTEST_HINT))
        else:
            # After a page with lines, too: a run that writes all the time would have us
            # ask all the time.
            await self._sleep()
        if not end.busy:
            self._pause = min(LONGEST_PAUSE, self._pause * _GROWTH)

    async def _sleep(self) -> None:
        spread = random.uniform(0.8, 1.0)  # noqa: S311 - out of step
        await self.platform.clock.sleep(self._pause * spread)

    def _note_end(self, status: Status) -> None:
        if self.ended or not status.state.final:
            return
        clock = self.platform.clock
        ago = (
            0.0
            if status.ended is None
            else (clock.utc() - status.ended).total_seconds()
        )
        self._note_over(0.0 if ago > _LONG_AGO else self.platform.abilities.drain)

    def _note_until(self, until: datetime) -> None:
        """Lines of a window that has passed come no more than those of an ended run."""
        clock = self.platform.clock
        if clock.utc() >= until:
            self._note_over(max(self.platform.abilities.drain, SHORTEST_PAUSE))

    def _note_over(self, drain: float) -> None:
        self.ended = True
        self._drained_at = self.platform.clock.now() + drain


def make_window(since: datetime | None, until: datetime | None) -> Window:
    """Make a window of times that users give.

    Raises:
        InvalidInput: A time has no zone, or the window is empty.
    """
    for name, time in (("since", since), ("until", until)):
        if time is not None and time.tzinfo is None:
            raise InvalidInput(
                f"{name} must say its zone, for example datetime.now(UTC); {time} is "
                "without one"
            )
    if since is not None and until is not None and since >= until:
        raise InvalidInput(f"since ({since}) must be before until ({until})")
    return Window(since, until) if since or until else ALL
