"""One wait for many runs."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Final

import anyio
from attrs import define, field, frozen

from aioruns.cancelling import NotCanceled, cancel_all, check_cancels
from aioruns.errors import AiorunsError, CallError
from aioruns.runs import Run
from aioruns.seam import RunRef, RunState, Status
from aioruns.waiting import Heard, Watcher


class ReturnWhen(StrEnum):
    """When `wait` returns."""

    ALL_COMPLETED = "all completed"
    FIRST_COMPLETED = "first completed"
    FIRST_FAILED = "first failed"


ALL_COMPLETED: Final = ReturnWhen.ALL_COMPLETED
"""When all runs have ended."""

FIRST_COMPLETED: Final = ReturnWhen.FIRST_COMPLETED
"""When one of the runs has ended, however it did."""

FIRST_FAILED: Final = ReturnWhen.FIRST_FAILED
"""When one of the runs has ended without success, or all have ended."""


@frozen
class Waited:
    """What a wait for many runs found.

    Attributes:
        done: Runs that have ended, and how.
        pending: Runs that have not, in the order in which they were given; each one's
            `cursor` lets another process go on.
        errors: Runs that could not be followed to their end, for example since they do
            not exist, and why.
        not_canceled: Pending runs that could not be cancelled, and why.
    """

    done: Mapping[Run, Status]
    pending: Sequence[Run]
    errors: Mapping[Run, AiorunsError]
    not_canceled: Mapping[Run, AiorunsError]


@define(eq=False)
class _JointWait:
    runs: Sequence[Run]
    return_when: ReturnWhen
    enough: "asyncio.Future[None]"
    found: dict[Run, Status | CallError] = field(factory=dict)
    _followed: list[tuple[Watcher, RunRef, Heard]] = field(factory=list)

    def join(self) -> None:
        for run in self.runs:
            watcher, heard = run.runs.watcher(run.target), partial(self._hear, run)
            self._followed.append((watcher, run.ref, heard))
            watcher.join(run.ref, heard, fresh=run.fresh)
            run.fresh = False

    def _hear(self, run: Run, outcome: Status | CallError) -> None:
        self.found.setdefault(run, outcome)
        failed = (
            not isinstance(outcome, Status) or outcome.state is not RunState.SUCCEEDED
        )
        if not self.enough.done() and (
            len(self.found) == len(self.runs)
            or self.return_when is FIRST_COMPLETED
            or (failed and self.return_when is FIRST_FAILED)
        ):
            self.enough.set_result(None)

    async def attend(self) -> None:
        watchers = {id(watcher): watcher for watcher, _, _ in self._followed}
        try:
            async with anyio.create_task_group() as group:
                for watcher in watchers.values():
                    group.start_soon(watcher.attend, self.enough)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__

    def leave(self) -> None:
        for watcher, ref, heard in self._followed:
            watcher.leave(ref, heard)

    @property
    def pending(self) -> list[Run]:
        return [run for run in self.runs if run not in self.found]

    def waited(self, failed: Mapping[Run, AiorunsError]) -> Waited:
        found = [(run, self.found[run]) for run in self.runs if run in self.found]
        return Waited(
            {run: one for run, one in found if isinstance(one, Status)},
            self.pending,
            {run: one for run, one in found if not isinstance(one, Status)},
            failed,
        )


async def wait(
    runs: Iterable[Run],
    *,
    return_when: ReturnWhen = ALL_COMPLETED,
    within: float | None = None,
    cancel_remote: bool = False,
) -> Waited:
    """Wait for many runs at once, of any platforms.

    As many runs as you like cost one task for each platform (on some, for each target),
    and share their requests.

    Args:
        runs: What to wait for.
        return_when: `ALL_COMPLETED`, `FIRST_COMPLETED` or `FIRST_FAILED`.
        within: Seconds to wait at most; then, as with `asyncio.wait`, it returns with
            what is pending.
        cancel_remote: Whether to cancel runs that are pending when the wait is
            cancelled or `within` runs out; that may take 15 seconds more. Otherwise
            they are left alone.

    Returns:
        Which runs have ended and which have not.

    Raises:
        NotSupported: `cancel_remote` where a platform cannot cancel runs.

    Example:
        ```python
        waited = await aioruns.wait(runs, return_when=aioruns.FIRST_FAILED, within=600)
        for run in waited.pending:
            await run.cancel()
        ```
    """
    waited = list(dict.fromkeys(runs))
    if cancel_remote:
        for run in waited:
            check_cancels(run.runs.platform)
    if not waited:
        return Waited({}, (), {}, {})
    enough: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    joint = _JointWait(waited, return_when, enough)
    ran_out = within is not None
    joint.join()
    try:
        if within is None:
            await joint.attend()
        else:
            with waited[0].runs.platform.clock.limit(within):
                await joint.attend()
                ran_out = False
    except BaseException as error:
        if cancel_remote and not isinstance(error, Exception):
            await _cancel(joint.pending)
        raise
    finally:
        joint.leave()
    failed = await _cancel(joint.pending) if cancel_remote and ran_out else {}
    return joint.waited(failed)


async def _cancel(pending: Sequence[Run]) -> dict[Run, AiorunsError]:
    """Cancel runs, those of all platforms at once; return those that could not be."""
    by_runs: dict[int, list[Run]] = {}
    for run in pending:
        by_runs.setdefault(id(run.runs), []).append(run)
    failed: dict[Run, AiorunsError] = {}

    def note(runs: Sequence[Run], found: Sequence[NotCanceled]) -> None:
        by_ref = {run.ref: run for run in runs}
        failed.update((by_ref[one.ref], one.error) for one in found)

    async def cancel(runs: Sequence[Run]) -> None:
        note(runs, await cancel_all(runs[0].runs.platform, [run.ref for run in runs]))

    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as group:
            for runs in by_runs.values():
                group.start_soon(partial(cancel, runs))
    return failed
