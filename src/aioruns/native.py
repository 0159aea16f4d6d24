"""Runs that a platform starts together: batch experiments, execution groups.

Such a batch is one thing on the platform, made by one request under an id that the
client chose, and its runs are read by one request a round, however many they are. It
goes where specs go: into `as_completed` and `gather`.
"""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from attrs import frozen

from aioruns.errors import AiorunsError
from aioruns.runs import Run, RunSpec


@frozen
class Member:
    """One run of a native batch.

    Attributes:
        index: Its place in the batch, from 0, by which `gather` orders.
        spec: What it runs; submitting that makes one more run, outside the batch.
        key: Names it in the batch, in the same way in every process.
        run: Its handle; None if the platform did not start it.
        error: Why there is no run.
    """

    index: int
    spec: RunSpec
    key: str
    run: Run | None = None
    error: AiorunsError | None = None


@runtime_checkable
class NativeBatch(Protocol):
    """What a platform offers so that `as_completed` can follow a batch of its own."""

    async def prepare(self) -> None:
        """Make what the batch needs, such as inputs; cut off if the sweep is left."""
        ...

    async def start(self) -> AsyncIterator[Member]:
        """Create the batch, so that it exists once.

        This is brought to its end even if the sweep is left meanwhile, so it should do
        nothing else.

        Returns:
            Each member once, as soon as its run is known, in any order. Waits for runs
            that share a target share the requests that read their states, so the runs
            of a batch should have a target of their own.
        """
        ...
