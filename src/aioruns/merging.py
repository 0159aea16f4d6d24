"""One stream over the logs of many runs."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, field, frozen

from aioruns.errors import AiorunsError, InvalidInput
from aioruns.runs import LogEvent, Run

_PAGES_AHEAD = 16


@frozen
class RunEvent:
    """One log line, and the run that wrote it."""

    run: Run
    event: LogEvent


@define(eq=False)
class MergedLogs:
    """The log lines of many runs as they come; made by `merge_logs`.

    Each run's lines are in their order. Runs may join while the stream is open.

    Attributes:
        failures: Runs whose logs could not be read to the end, with the reason; the
            other runs go on.
    """

    _runs: Iterable[Run] | None
    _follow: bool
    failures: list[tuple[Run, AiorunsError]] = field(factory=list, init=False)
    _joining: bool = field(default=False, init=False)
    _group: anyio.abc.TaskGroup = field(init=False)
    _sender: MemoryObjectSendStream[tuple[Run, Sequence[LogEvent]]] = field(init=False)
    _pages: MemoryObjectReceiveStream[tuple[Run, Sequence[LogEvent]]] = field(
        init=False
    )
    _current: list[RunEvent] = field(factory=list, init=False)

    async def __aenter__(self) -> Self:
        runs = None if self._runs is None else list(self._runs)
        self._sender, self._pages = anyio.create_memory_object_stream[
            tuple[Run, Sequence[LogEvent]]
        ](_PAGES_AHEAD)
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
            self._sender.close()
            self._pages.close()

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
        self._group.start_soon(self._read, run, self._sender.clone())

    def finish(self) -> None:
        """No further run will join: the stream ends with the logs of those in it."""
        self._joining = False
        self._sender.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> RunEvent:
        if not self._current:
            try:
                run, events = await self._pages.receive()
            except anyio.EndOfStream:
                raise StopAsyncIteration from None
            self._current = [RunEvent(run, event) for event in reversed(events)]
        return self._current.pop()

    async def _read(
        self, run: Run, sender: MemoryObjectSendStream[tuple[Run, Sequence[LogEvent]]]
    ) -> None:
        stream = run.logs(follow=self._follow)
        with sender:
            try:
                # Whole pages cross the queue: a hop costs more than an event.
                while events := await stream.next_page():
                    await sender.send((run, events))
            except AiorunsError as error:
                self.failures.append((run, error))


def merge_logs(runs: Iterable[Run] | None = None, *, follow: bool = True) -> MergedLogs:
    """Follow the logs of many runs in one stream.

    Args:
        runs: Whose logs. None opens an empty stream: runs join by `add(run)`, and
            `finish()` says that no more will.
        follow: Wait for lines until the runs have ended.

    Returns:
        An async context manager whose value is an async iterator of `RunEvent`.

    Example:
        ```python
        async with aioruns.merge_logs(runs) as lines:
            async for line in lines:
                print(line.run.id, line.event.message)
        ```
    """
    return MergedLogs(runs, follow)
