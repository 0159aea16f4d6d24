"""Many runs at once: specs in, outcomes out.

One run's failure is an outcome and not an exception; only a refused key (401, 403)
stops everything. What happens inside is in `aioruns.sweeps`.

The runs of a native batch exist already: they are only followed, all at once.
"""

import inspect
import os
from collections.abc import Callable

from aioruns.errors import InvalidInput, SubmissionsFailed
from aioruns.native import NativeBatch
from aioruns.runs import Run
from aioruns.sweeps.conducting import Outcomes, Specs
from aioruns.sweeps.engine import Engine, LocalEngine
from aioruns.sweeps.order import OnUnknown, Policy
from aioruns.sweeps.outcome import Attempt, Outcome
from aioruns.sweeps.tally import Progress

__all__ = [
    "Attempt",
    "Outcome",
    "Outcomes",
    "Progress",
    "as_completed",
    "gather",
    "submit_all",
]

MAX_ACTIVE = 64
"""Runs that are submitted and not yet ended, unless the caller says otherwise."""


def as_completed(
    specs: Specs,
    *,
    max_active: int = MAX_ACTIVE,
    results: bool = True,
    within: float | None = None,
    total_within: float | None = None,
    retry_failed: int = 0,
    stop_when: Callable[[Outcome], bool] | None = None,
    on_unknown: OnUnknown = "error",
    cancel_remote: bool = False,
    journal: str | os.PathLike[str] | None = None,
    engine: Engine | None = None,
    progress: bool | Callable[[Progress], None] = False,
    on_submitted: Callable[[Run], None] | None = None,
) -> Outcomes:
    """Submit specs, follow the runs, and yield their outcomes as they come.

    Specs of several platforms may be mixed; one that is slow does not hold up the
    others. Leaving the block stops the sweep: no new submission starts, those in flight
    are settled (within 30 s), and remote runs go on, unless `cancel_remote` is given.

    Args:
        specs: What to submit; read lazily, may be endless. Or a batch that the platform
            runs by itself, such as `app.sweep(...)` of Nextmv.
        max_active: Runs that are submitted and not yet ended, at most, on each
            platform. How many runs of a batch are active is the platform's choice.
        results: Whether to fetch the result of each run that succeeded.
        within: Seconds to wait for each run; then its outcome holds a `GaveUp`.
        total_within: Seconds for the whole sweep; then nothing more is submitted, the
            outcomes of active runs hold a `GaveUp`, and the iteration ends.
        retry_failed: How often a run that failed is submitted again, each time under a
            new key. The outcome is that of the last attempt and holds the others.
        stop_when: Called with each outcome, in the event loop; once it returns true
            nothing more is submitted, and the iteration ends with the active runs.
        on_unknown: What becomes of a submission of which neither is known whether it
            arrived, nor can be looked up: `"error"` makes an outcome with an
            `OutcomeUnknown` of it; `"submit again"` risks a second run.
        cancel_remote: Whether to cancel runs that are active when the block is left,
            and runs that are given up. `Outcomes.not_canceled` says which could not be
            cancelled, or not within 15 s.
        journal: A file that makes the sweep survive its process: the same call with the
            same specs goes on where the last one ended. See `docs/journal.md`.
        engine: Who does the work: this process, or for example a
            `aioruns.distributed.DaskEngine` the workers of a cluster.
        progress: True draws how far it has come on the terminal (with the extra `cli`;
            plain lines where there is no terminal); a function is called in the event
            loop with a `Progress`, at most ten times a second.
        on_submitted: Called in the event loop with each run's handle.

    Returns:
        An async context manager whose value is an async iterator of `Outcome`.

    Raises:
        Unauthorized: The platform refused the credentials; the sweep stops at once.
        Forbidden: The same.
        CallError: A batch could not be created.
        JournalError: The journal is in use, or cannot be read or written; a run is
            never submitted without its key in the journal.
        NotSupported: `cancel_remote` where the platform cannot cancel runs.

    Example:
        ```python
        specs = (app.spec(problem, options={"seed": n}) for n in range(10_000))
        async with aioruns.as_completed(
            specs, max_active=500, journal="sweep.db", progress=True
        ) as outcomes:
            async for outcome in outcomes:
                print(outcome.index, outcome.state, outcome.duration)
        ```
    """
    if inspect.iscoroutinefunction(progress):
        raise InvalidInput(
            "progress is called and not awaited: give a function, not an async one"
        )
    if journal is not None and isinstance(specs, NativeBatch):
        raise InvalidInput(
            "the platform itself keeps a batch of its own: give the batch an id, by "
            "which the next process finds it, instead of a journal"
        )
    policy = Policy(
        max_active,
        results=results,
        within=within,
        total_within=total_within,
        retry_failed=retry_failed,
        stop_when=stop_when,
        on_unknown=on_unknown,
        cancel_remote=cancel_remote,
        on_submitted=on_submitted,
    )
    return Outcomes(policy, specs, journal, progress, engine or LocalEngine())


async def gather(
    specs: Specs,
    *,
    max_active: int = MAX_ACTIVE,
    results: bool = True,
    within: float | None = None,
    total_within: float | None = None,
    retry_failed: int = 0,
    stop_when: Callable[[Outcome], bool] | None = None,
    on_unknown: OnUnknown = "error",
    cancel_remote: bool = False,
    journal: str | os.PathLike[str] | None = None,
    engine: Engine | None = None,
    progress: bool | Callable[[Progress], None] = False,
    on_submitted: Callable[[Run], None] | None = None,
) -> list[Outcome]:
    """Like `as_completed`, but return all outcomes in the order of the specs.

    Specs that were not submitted, since `stop_when` or `total_within` ended the sweep,
    have none.
    """
    async with as_completed(
        specs,
        max_active=max_active,
        results=results,
        within=within,
        total_within=total_within,
        retry_failed=retry_failed,
        stop_when=stop_when,
        on_unknown=on_unknown,
        cancel_remote=cancel_remote,
        journal=journal,
        engine=engine,
        progress=progress,
        on_submitted=on_submitted,
    ) as outcomes:
        return sorted([one async for one in outcomes], key=lambda one: one.index)


async def submit_all(
    specs: Specs,
    *,
    max_active: int = MAX_ACTIVE,
    on_unknown: OnUnknown = "error",
    journal: str | os.PathLike[str] | None = None,
) -> list[Run]:
    """Submit specs without waiting for the runs.

    Args:
        specs: What to submit.
        max_active: Submissions at once, on each platform.
        on_unknown: As of `as_completed`.
        journal: As of `as_completed`, which can follow the runs with the same file.

    Returns:
        The runs, in the order of the specs.

    Raises:
        SubmissionsFailed: Some were not submitted; it names those that were.
    """
    policy = Policy(max_active, results=False, wait=False, on_unknown=on_unknown)
    async with Outcomes(policy, specs, journal) as outcomes:
        done = sorted([one async for one in outcomes], key=lambda one: one.index)
    failures = tuple((one.key, str(one.error)) for one in done if one.run is None)
    runs = [one.run for one in done if one.run is not None]
    if failures:
        raise SubmissionsFailed(tuple(run.cursor for run in runs), failures)
    return runs
