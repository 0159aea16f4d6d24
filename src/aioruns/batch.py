"""Many runs at once: specs in, outcomes out.

A fixed set of workers takes specs from an iterator, so memory grows with what is in
flight and not with the number of specs. One run's failure is an outcome and not an
exception; only a refused key (401, 403) stops everything.

The runs of a native batch exist already: they are only followed, all at once.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

import anyio
import anyio.abc
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import define, evolve, field, frozen

from aioruns.errors import (
    AiorunsError,
    Forbidden,
    InvalidInput,
    SubmissionsFailed,
    Unauthorized,
)
from aioruns.native import Member, NativeBatch
from aioruns.runs import Run, RunSpec, RunState
from aioruns.seam import Status
from aioruns.submitting import new_key

Specs = Iterable[RunSpec] | AsyncIterable[RunSpec] | NativeBatch

MAX_ACTIVE = 64
"""Runs that are submitted and not yet ended, unless the caller says otherwise."""

SETTLE = 30.0
"""Seconds for which a submission in flight may go on after the block was left."""


@frozen
class Outcome:
    """How one spec ended.

    Attributes:
        index: The spec's place in the input, or the run's in its batch, from 0.
        spec: What was submitted.
        key: The submission key that was used; in a batch, what names the run there.
        run: The run's handle; None if it could not be submitted.
        status: The run's final status; None if it is not known.
        result: What the run produced; None if it did not succeed or was not asked for.
        error: Why submission, waiting or fetching the result failed, or None.
        submitted: When the submission was answered, by this machine's clock.
        finished: When the end of the run was learnt, by this machine's clock.
    """

    index: int
    spec: RunSpec
    key: str
    run: Run | None = None
    status: Status | None = None
    result: object = field(default=None, repr=False)
    error: AiorunsError | None = None
    submitted: datetime | None = None
    finished: datetime | None = None

    @property
    def state(self) -> RunState:
        """The run's final state; UNKNOWN if it could not be learnt."""
        return self.status.state if self.status else RunState.UNKNOWN

    @property
    def succeeded(self) -> bool:
        """Whether the run succeeded and its result, if wanted, was fetched."""
        return self.state is RunState.SUCCEEDED and self.error is None

    @property
    def duration(self) -> float | None:
        """Seconds that the run took; None if it did not end.

        From start to end by the platform's times where it tells both, otherwise from
        the answer to the submission until we learnt of the end.
        """
        if self.status and self.status.started and self.status.ended:
            return (self.status.ended - self.status.started).total_seconds()
        if self.submitted and self.finished:
            return (self.finished - self.submitted).total_seconds()
        return None


@define(eq=False)
class Outcomes:
    """The outcomes of a sweep, as they come; made by `as_completed`."""

    _source: Specs
    _max_active: int
    _results: bool
    _wait: bool
    _within: float | None
    _on_submitted: Callable[[Run], None] | None
    _specs: AsyncGenerator[tuple[int, RunSpec], None] = field(init=False)
    _group: anyio.abc.TaskGroup = field(init=False)
    _outcomes: MemoryObjectReceiveStream[Outcome] = field(init=False)
    _submitting: set[anyio.CancelScope] = field(factory=set, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)
    _fetching: anyio.CapacityLimiter = field(init=False)
    _stopped_by: AiorunsError | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        sender, self._outcomes = anyio.create_memory_object_stream[Outcome](
            self._max_active
        )
        self._fetching = anyio.CapacityLimiter(self._max_active)
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        if isinstance(self._source, NativeBatch):
            self._specs = _numbered(())
            self._group.start_soon(self._follow_all, self._source, sender)
            return self
        self._specs = _numbered(self._source)
        with sender:
            for _ in range(self._max_active):
                self._group.start_soon(self._work, sender.clone())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        for scope in self._submitting:
            scope.deadline = anyio.current_time() + SETTLE
        self._group.cancel_scope.cancel()
        try:
            handled = await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # Raised as it is: what the block raised, or else what a worker did, such as
            # an error of the iterator that makes the specs.
            mine = any(one is error for one in group.exceptions)
            first = error if mine and error is not None else group.exceptions[0]
            raise first from first.__cause__
        finally:
            self._outcomes.close()
            await self._specs.aclose()
        if self._stopped_by is not None:
            raise self._stopped_by
        return handled

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        try:
            return await self._outcomes.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def _work(self, sender: MemoryObjectSendStream[Outcome]) -> None:
        with sender:
            while True:
                async with self._turn:
                    taken = await anext(self._specs, None)
                if taken is None:
                    return
                await self._hand_over(await self._run(*taken), sender)

    async def _hand_over(
        self, outcome: Outcome, sender: MemoryObjectSendStream[Outcome]
    ) -> None:
        if isinstance(outcome.error, Unauthorized | Forbidden):
            self._stopped_by = outcome.error
            self._group.cancel_scope.cancel()
        await sender.send(outcome)

    async def _run(self, index: int, spec: RunSpec) -> Outcome:
        """Take one spec to its outcome; only programming errors escape."""
        key = spec.key or new_key()
        outcome = Outcome(index, spec, key)
        try:
            with self._brought_to_its_end() as scope:
                run = await spec.runs.submit(spec, new=key)
        except AiorunsError as error:
            return evolve(outcome, error=error)
        if scope.cancelled_caught:
            return outcome
        return await self._finish(outcome, run)

    async def _finish(self, outcome: Outcome, run: Run) -> Outcome:
        """Wait for a run, and fetch its result."""
        clock = run.runs.platform.clock
        outcome = evolve(outcome, run=run, submitted=clock.utc())
        try:
            if self._on_submitted is not None:
                self._on_submitted(run)
            if not self._wait:
                return outcome
            status = await run.wait(within=self._within)
            outcome = evolve(outcome, status=status, finished=clock.utc())
            if self._results and status.state is RunState.SUCCEEDED:
                async with self._fetching:
                    result = await run.runs.platform.fetch_result(run.ref)
                outcome = evolve(outcome, result=result)
        except AiorunsError as error:
            return evolve(outcome, error=error)
        return outcome

    @contextmanager
    def _brought_to_its_end(self) -> Iterator[anyio.CancelScope]:
        """Go on with a submission even if the block is left, for a while.

        Otherwise nobody would know of the run.
        """
        with anyio.CancelScope(shield=True) as scope:
            self._submitting.add(scope)
            try:
                yield scope
            finally:
                self._submitting.discard(scope)

    async def _follow_all(
        self, batch: NativeBatch, sender: MemoryObjectSendStream[Outcome]
    ) -> None:
        with sender:
            await batch.prepare()
            with self._brought_to_its_end() as scope:
                members = await batch.start()
            if scope.cancelled_caught:
                return
            async for member in members:
                self._group.start_soon(self._follow, member, sender.clone())

    async def _follow(
        self, member: Member, sender: MemoryObjectSendStream[Outcome]
    ) -> None:
        with sender:
            outcome = Outcome(member.index, member.spec, member.key, error=member.error)
            if member.run is not None:
                outcome = await self._finish(outcome, member.run)
            await self._hand_over(outcome, sender)


def as_completed(
    specs: Specs,
    *,
    max_active: int = MAX_ACTIVE,
    results: bool = True,
    within: float | None = None,
    on_submitted: Callable[[Run], None] | None = None,
) -> Outcomes:
    """Submit specs, follow the runs, and yield their outcomes as they come.

    Leaving the block stops the sweep: no new submission starts, those in flight are
    settled, and remote runs go on.

    Args:
        specs: What to submit; read lazily, may be endless. Or a batch that the platform
            runs by itself, such as `app.sweep(...)` of Nextmv.
        max_active: Runs that are submitted and not yet ended, at most. How many runs of
            a batch are active is the platform's choice; then so many results are
            fetched at once, at most.
        results: Whether to fetch the result of each run that succeeded.
        within: Seconds to wait for each run; then its outcome holds a `GaveUp`.
        on_submitted: Called in the event loop with each run's handle.

    Returns:
        An async context manager whose value is an async iterator of `Outcome`.

    Raises:
        Unauthorized: The platform refused the credentials; the sweep stops at once.
        Forbidden: The same.
        CallError: A batch could not be created.

    Example:
        ```python
        specs = [app.spec(problem, options={"seed": n}) for n in range(100)]
        async with aioruns.as_completed(specs, max_active=20) as outcomes:
            async for outcome in outcomes:
                print(outcome.index, outcome.state, outcome.duration)
        ```
    """
    if max_active < 1:
        raise InvalidInput(f"max_active must be at least 1, not {max_active}")
    return Outcomes(specs, max_active, results, True, within, on_submitted)


async def gather(
    specs: Specs,
    *,
    max_active: int = MAX_ACTIVE,
    results: bool = True,
    within: float | None = None,
    on_submitted: Callable[[Run], None] | None = None,
) -> list[Outcome]:
    """Like `as_completed`, but return all outcomes in the order of the specs."""
    async with as_completed(
        specs,
        max_active=max_active,
        results=results,
        within=within,
        on_submitted=on_submitted,
    ) as outcomes:
        return sorted([one async for one in outcomes], key=lambda one: one.index)


async def submit_all(specs: Specs, *, max_active: int = MAX_ACTIVE) -> list[Run]:
    """Submit specs without waiting for the runs.

    Args:
        specs: What to submit.
        max_active: Submissions at once.

    Returns:
        The runs, in the order of the specs.

    Raises:
        SubmissionsFailed: Some were not submitted; it names those that were.
    """
    if max_active < 1:
        raise InvalidInput(f"max_active must be at least 1, not {max_active}")
    async with Outcomes(specs, max_active, False, False, None, None) as outcomes:
        done = sorted([one async for one in outcomes], key=lambda one: one.index)
    failures = tuple((one.key, str(one.error)) for one in done if one.run is None)
    runs = [one.run for one in done if one.run is not None]
    if failures:
        raise SubmissionsFailed(tuple(run.cursor for run in runs), failures)
    return runs


async def _numbered(
    specs: Iterable[RunSpec] | AsyncIterable[RunSpec],
) -> AsyncGenerator[tuple[int, RunSpec], None]:
    if not isinstance(specs, AsyncIterable):
        for index, spec in enumerate(specs):
            yield index, spec
        return
    index = 0
    try:
        async for spec in specs:
            yield index, spec
            index += 1
    finally:
        # Its clean-up runs when the sweep ends, not when garbage is collected.
        if isinstance(specs, AsyncGenerator):
            await specs.aclose()
