"""What experiments of all kinds share: reading them with their runs, and polling."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from aioruns.errors import Context, GaveUp
from aioruns.http.clock import Clock
from aioruns.http.request import Request
from aioruns.platforms.nextmv.models.experiments import (
    ExperimentRuns,
    ExperimentStatus,
)
from aioruns.platforms.nextmv.models.run_rows import Run
from aioruns.platforms.nextmv.polling import PollingOptions, poll
from aioruns.platforms.nextmv.things import Things

DONE = frozenset(
    {
        ExperimentStatus.COMPLETED,
        ExperimentStatus.FAILED,
        ExperimentStatus.DRAFT,
        ExperimentStatus.CANCELED,
        ExperimentStatus.DELETE_FAILED,
    }
)
"""Polling stops on these (wire/nextmv.md 4.4)."""

DELETING_PATIENCE = 300.0
"""Seconds for which an experiment may be deleted before polling it gives up."""


class _Experiment(Protocol):
    @property
    def status(self) -> ExperimentStatus | str | None: ...


E = TypeVar("E", bound=_Experiment)


async def runs_of(things: Things, experiment_id: str) -> list[Run]:
    """All runs of an experiment, which the platform gives in one answer."""
    address = things.paths.one(experiment_id, "runs")
    answer = await things.client.send(Request("GET", address, ExperimentRuns))
    return answer.runs or []


async def until_done(
    options: PollingOptions,
    clock: Clock,
    read: Callable[[], Awaitable[E]],
    *,
    what: str,
) -> E:
    """Poll an experiment until it has ended.

    Args:
        options: When to ask, and when to give up.
        clock: Where time comes from.
        read: Reads the experiment, or its metadata.
        what: Which one, for messages.

    Raises:
        GaveUp: The options' limits were reached; or somebody deleted the experiment,
            and that has gone on for five minutes.
        NotFound: It does not exist, or not any more.
    """
    deleting_since: float | None = None

    async def ask() -> E | None:
        nonlocal deleting_since
        experiment = await read()
        if experiment.status in DONE:
            return experiment
        if experiment.status != ExperimentStatus.DELETING:
            deleting_since = None
        elif deleting_since is None:
            deleting_since = clock.now()
        elif clock.now() - deleting_since >= DELETING_PATIENCE:
            # The documented stop statuses are without it: nothing would end the poll.
            raise GaveUp(
                f"{what} has been 'deleting' for {DELETING_PATIENCE:g} s: somebody "
                "deleted it, so it will not come to an end",
                Context(platform="nextmv"),
            )
        return None

    return await poll(options, clock, ask, what=what)
