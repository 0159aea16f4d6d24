"""The actor on a worker: one session, and the orders that the caller hands over.

Its methods run in the worker's event loop, so that thousands of runs are followed
there without a thread or a task of the cluster for each.
"""

import asyncio
import secrets
from collections.abc import Iterable, Sequence

import anyio

from aioruns.cancelling import cancel_all
from aioruns.distributed.messages import Answer, Terms, Work
from aioruns.distributed.share import Share
from aioruns.errors import AiorunsError
from aioruns.platforms.client import Client
from aioruns.seam import RunRef


class SweepWorker:
    """Made once on each worker of a sweep.

    The caller is known by its calls. When there is none for as long as the lease, the
    worker stops: the caller is gone, or has given its orders to others meanwhile.

    Args:
        terms: What it is told.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        # An actor that the cluster made anew knows nothing of what the first one did.
        self._name = secrets.token_hex(8)
        self._share: Share | None = None
        self._failure: BaseException | None = None
        self._called_at = 0.0

    async def open(self) -> Answer:
        """Open the session; the value is the name that further calls must give."""
        self._called_at = anyio.current_time()
        try:
            client = self._terms.connection.make()
        except AiorunsError as error:
            return Answer(failure=error)
        share = Share(self._terms, client)
        opened = anyio.Event()
        # The cluster owns the event loop, so no task group can be open here; the lease
        # ends the task.
        self._task = asyncio.create_task(self._serve(client, share, opened))
        await opened.wait()
        return self._answer(self._name)

    async def hand_over(
        self, name: str, works: Sequence[Work], drops: Sequence[int]
    ) -> Answer:
        """Take up orders, and drop others."""
        share = self._of(name)
        if share is None:
            return self._answer()
        share.start(works)
        share.drop(drops)
        return self._answer()

    async def reports(self, name: str, within: float) -> Answer:
        """What has happened; waits so many seconds at most for something to happen."""
        share = self._of(name)
        return self._answer(await share.reports(within) if share else ())

    async def cancel(self, name: str, refs: Iterable[RunRef]) -> Answer:
        """Ask the platform to end runs; the value says which could not be cancelled."""
        share = self._of(name)
        if share is None:
            return self._answer()
        return self._answer(await cancel_all(share.client.runs.platform, refs))

    async def close(self, name: str) -> Answer:
        """Stop at once."""
        if self._of(name) is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        return self._answer()

    def _of(self, name: str) -> Share | None:
        """The share, if the call is meant for this actor and it is at work."""
        now = anyio.current_time()
        if now > self._called_at + self._terms.lease:
            # A process that was frozen wakes with calls that came while it was: the
            # caller has given them up, and what they ask for to others.
            self._share = None
            self._task.cancel()
        self._called_at = now
        return self._share if name == self._name else None

    def _answer(self, value: object = None) -> Answer:
        return Answer(value, self._failure, over=self._share is None)

    async def _serve(self, client: Client, share: Share, opened: anyio.Event) -> None:
        try:
            async with client, anyio.create_task_group() as tasks:
                self._share = share
                opened.set()
                tasks.start_soon(share.serve)
                await self._outlast_lease()
                tasks.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - raised where the caller is
            self._failure = _told(error)
        finally:
            self._share = None
            share.stop()
            opened.set()

    async def _outlast_lease(self) -> None:
        """Sleep until there was no call for as long as the lease."""
        ends = self._called_at + self._terms.lease
        while ends > anyio.current_time():
            await anyio.sleep_until(ends)
            ends = self._called_at + self._terms.lease


def _told(error: BaseException) -> BaseException:
    """An error as it can be sent: not every one pickles."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, AiorunsError):
        return error
    return RuntimeError(
        f"a worker of the sweep failed: {type(error).__name__}: {error}"
    )
