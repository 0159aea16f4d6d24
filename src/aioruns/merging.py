"""One stream over the logs of many runs."""

from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import anyio
import anyio.abc
import anyio.lowlevel
from attrs import define, field, frozen

from aioruns.errors import AiorunsError, InvalidInput
from aioruns.log_sources import LogSource
from aioruns.logs_together import LogsTogether
from aioruns.page_budget import PageBudget
from aioruns.runs import LogEvent, Run
from aioruns.seam import ReadsTogether


@frozen
class RunEvent:
    """One log line, and the run that wrote it."""

    run: Run
    event: LogEvent


@define(eq=False)
class MergedLogs:
    """The log lines of many runs as they come; made by `merge_logs`.

    Each run's lines are in their order. Runs that have lines at hand take turns of at
    most 64 lines, so that a loud one does not keep the others' lines waiting. However
    many runs there are, 48 pages are at hand at most; while they wait to be taken, no
    request is made. Runs may join while the stream is open.

    Attributes:
        failures: Runs whose logs could not be read to the end, with the reason.
    """

    _runs: Iterable[Run] | None
    _follow: bool
    _stop_on_failure: bool
    failures: list[tuple[Run, AiorunsError]] = field(factory=list, init=False)
    _joining: bool = field(default=False, init=False)
    _group: anyio.abc.TaskGroup = field(init=False)
    _readers: set[anyio.CancelScope] = field(factory=set, init=False)
    _budget: PageBudget = field(factory=PageBudget, init=False)
    _together: dict[tuple[int, str], LogsTogether] = field(factory=dict, init=False)
    _at_hand: deque[LogSource] = field(factory=deque, init=False)
    _turn: list[RunEvent] = field(factory=list, init=False)
    _changed: anyio.Event = field(factory=anyio.Event, init=False)

    async def __aenter__(self) -> Self:
        runs = None if self._runs is None else list(self._runs)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._joining = True
        if runs is not None:
            for run in runs:
                self.add(run)
            self.finish()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._joining = False
        self._group.cancel_scope.cancel()
        try:
            return await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # Raised as it is: what the block raised, or else a defect in reading.
            mine = any(one is error for one in group.exceptions)
            first = error if mine and error is not None else group.exceptions[0]
            raise first from first.__cause__
        finally:
            self._at_hand.clear()
            self._turn.clear()

    def add(self, run: Run) -> None:
        """Let a run join; its lines are read from the beginning.

        Raises:
            InvalidInput: Outside of `async with`, or after `finish()`.
        """
        if not self._joining:
            raise InvalidInput(
                f"run {run.id} cannot join the merged logs: add runs inside of their "
                "`async with` block, and before finish()"
            )
        source = LogSource(run, self._follow, self._budget, self._shared(run))
        reader = anyio.CancelScope()
        self._readers.add(reader)
        if self._stopping:
            reader.cancel()
        self._group.start_soon(self._read, source, reader)

    def finish(self) -> None:
        """No further run will join: the stream ends with the logs of those in it."""
        self._joining = False
        self._notify()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RunEvent:
        while not self._turn:
            await self._next_turn()
        return self._turn.pop()

    @property
    def _stopping(self) -> bool:
        return self._stop_on_failure and bool(self.failures)

    async def _next_turn(self) -> None:
        """Let the run that has waited longest deliver some of its lines."""
        # The readers come to their turn, too, while there are always lines at hand.
        await anyio.lowlevel.checkpoint()
        while not self._at_hand:
            if self._stopping:
                raise self.failures[0][1]
            if not self._joining and not self._readers:
                raise StopAsyncIteration
            await self._changed.wait()
        source = self._at_hand.popleft()
        run = source.run
        self._turn = [RunEvent(run, event) for event in reversed(source.take())]
        if source.at_hand:
            self._at_hand.append(source)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _shared(self, run: Run) -> LogsTogether | None:
        """Who reads the logs of this run's scope together, if its platform can."""
        platform = run.runs.platform
        if not isinstance(platform, ReadsTogether):
            return None
        target = "" if platform.abilities.spans_targets else run.target
        scope = (id(platform), target)
        together = self._together.get(scope)
        if together is None:
            together = LogsTogether(platform, platform.clock, self._budget)
            self._together[scope] = together
            self._group.start_soon(together.run)
        return together

    async def _read(self, source: LogSource, reader: anyio.CancelScope) -> None:
        try:
            with reader:
                while await source.next_page():
                    self._at_hand.append(source)
                    self._notify()
                    await source.taken()
        except AiorunsError as error:
            self.failures.append((source.run, error))
            if self._stop_on_failure:
                for other in self._readers:
                    other.cancel()
        finally:
            self._readers.discard(reader)
            self._notify()


def merge_logs(
    runs: Iterable[Run] | None = None,
    *,
    follow: bool = True,
    stop_on_failure: bool = False,
) -> MergedLogs:
    """Follow the logs of many runs in one stream.

    Where the platform answers for several runs at once, quiet runs share requests.

    Args:
        runs: Whose logs. None opens an empty stream: runs join by `add(run)`, and
            `finish()` says that no more will.
        follow: Wait for lines until the runs have ended.
        stop_on_failure: End with the first failure to read a run's log, which the
            iteration raises after the lines at hand. By default it is noted in
            `failures`, and the other runs' lines go on.

    Returns:
        An async context manager whose value is an async iterator of `RunEvent`.

    Example:
        ```python
        async with aioruns.merge_logs(runs) as lines:
            async for line in lines:
                print(line.run.id, line.event.message)
        ```
    """
    return MergedLogs(runs, follow, stop_on_failure)
