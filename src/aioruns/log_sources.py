"""One run's log on its way into a merged stream."""

import random
from collections.abc import Awaitable, Callable, Sequence

import anyio
from attrs import define, evolve, field

from aioruns import logs
from aioruns.errors import Rejected
from aioruns.logs import LogStream
from aioruns.logs_together import LogsTogether
from aioruns.page_budget import Lease, PageBudget
from aioruns.runs import LogEvent, Run
from aioruns.seam import LogPage, Position, RunRef, Window

TURN = 64
"""Lines that a run may deliver before others have their turn."""

_GROWTH = 1.5

ReadLogs = Callable[[RunRef, Position | None, Window], Awaitable[LogPage]]


@define(eq=False)
class LogSource:
    """Reads one run's log page by page, each at its place in the budget.

    Attributes:
        run: Whose log.
        follow: Whether to wait for lines to come.
        budget: What all runs of the merged stream share.
        together: Reads it in one request with others; None where that is not offered.
    """

    run: Run
    follow: bool
    budget: PageBudget
    together: LogsTogether | None
    _stream: LogStream = field(init=False)
    _read_alone: ReadLogs = field(init=False)
    _lease: Lease | None = field(default=None, init=False)
    _more: bool = field(default=False, init=False)
    _loud: bool = field(default=False, init=False)
    _refused: bool = field(default=False, init=False)
    _pause: float = field(default=0.0, init=False)
    _lines: Sequence[LogEvent] = field(default=(), init=False)
    _taken: int = field(default=0, init=False)
    _all_taken: anyio.Event = field(factory=anyio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._stream = self.run.logs(follow=self.follow)
        self._read_alone, self._stream.read = self._stream.read, self._read

    async def next_page(self) -> bool:
        """Wait for the next lines; False at the end of the log.

        Raises:
            CallError: The log could not be read on.
        """
        self._lines, self._taken = await self._stream.next_page(), 0
        self._all_taken = anyio.Event()
        return bool(self._lines)

    async def taken(self) -> None:
        """Wait until the lines at hand have been taken."""
        await self._all_taken.wait()

    @property
    def at_hand(self) -> bool:
        """Whether there are lines to take."""
        return bool(self._lines)

    def take(self) -> Sequence[LogEvent]:
        """The lines of one turn."""
        lines = self._lines[self._taken : self._taken + TURN]
        self._taken += len(lines)
        if self._taken == len(self._lines):
            self._lines = ()
            self._give_back()
            self._all_taken.set()
        return lines

    async def _read(
        self, ref: RunRef, position: Position | None, window: Window
    ) -> LogPage:
        """What the stream calls for each page."""
        self._give_back()  # its last page may have held nothing that is wanted
        if self.together is None or self._more or self._refused:
            page = await self._read_singly(ref, position, window)
            self._pause = 0.0  # the stream has rested as long as this page asks for
        else:
            page = await self._read_together(self.together, ref, position, window)
        self._more = page.more
        self._loud = page.more or len(page.events) > TURN
        return page

    async def _read_singly(
        self, ref: RunRef, position: Position | None, window: Window
    ) -> LogPage:
        lease = await self.budget.take(loud=self._loud)
        self._lease = lease
        try:
            page = await self._read_alone(ref, position, window)
        except BaseException as error:
            # One request about several runs fails for all if it is refused for one.
            self._refused = isinstance(error, Rejected) and error.status < 429
            self._give_back()
            raise
        self._refused = False
        if not page.events:
            self._give_back()
        return page

    async def _read_together(
        self,
        together: LogsTogether,
        ref: RunRef,
        position: Position | None,
        window: Window,
    ) -> LogPage:
        """Rest and read with others: the stream itself hardly rests in between."""
        ended = self._stream.ended
        pause = 0.0 if ended else self._pause
        spread = random.uniform(0.9, 1.1)  # noqa: S311 - out of step
        self._pause = 0.0  # after a failure, too, the stream rests by itself
        shared = await together.ask(ref, position, pause * spread)
        if shared is None:
            page = await self._read_singly(ref, position, window)
        else:
            page, self._lease = shared.page, shared.lease
        if page.hint is not None:
            self._pause = page.hint
        elif page.events:
            self._pause = logs.SHORTEST_PAUSE
        else:
            self._pause = min(
                logs.LONGEST_PAUSE, max(logs.SHORTEST_PAUSE, pause * _GROWTH)
            )
        return evolve(page, hint=0.0)

    def _give_back(self) -> None:
        if self._lease is not None:
            self._lease.give_back()
            self._lease = None
