"""The workers of a cluster that take part in a sweep, as they come and go."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol

import anyio
import anyio.abc
from attrs import define, field

from aioruns.distributed.job import Job
from aioruns.distributed.link import Link, WorkerLost
from aioruns.distributed.messages import Ended, Report, Terms
from aioruns.errors import AiorunsError

logger = logging.getLogger("aioruns.distributed")

_LOOK_EVERY = 1.0
"""Seconds between looks for workers that joined."""

_ASK_AGAIN = 5.0
"""Seconds until a worker that was lost is asked again, if it is still there."""

_LOOK_WITHIN = 10.0

_OUT_OF_WORK = 1.25
"""Leases after which a lost worker has stopped, even if it heard a call that was given
up: that is so after 0.75 of a lease, and a call that comes after 1.0 is not heard."""


class NoWorkers(AiorunsError):
    """The cluster has no worker that takes part, and none came for a while."""


class Listener(Protocol):
    """Who hears what becomes of jobs."""

    def report(self, job: Job, report: Report) -> None:
        """A worker says something of a job."""
        ...

    async def lost(self, jobs: list[Job], stops_within: float) -> None:
        """The worker of these jobs was lost; it may go on for so many seconds."""
        ...


@define(eq=False)
class Crew:
    """Hands jobs to workers, and takes those of lost workers to others.

    Attributes:
        connected: Gives an asynchronous client of the cluster.
        terms: Makes what a worker is told, given which part of the rates it may use.
        listener: Hears what becomes of jobs.
        lease: Seconds for which a worker goes on without a call.
        worker_within: Seconds to be without any worker at most.
        links: The workers that take part now, by address.
    """

    connected: Callable[[], AbstractAsyncContextManager[Any]]
    terms: Callable[[float], Terms]
    listener: Listener
    lease: float
    worker_within: float
    links: dict[str, Link] = field(factory=dict, init=False)
    _client: Any = field(default=None, init=False)
    _stack: AsyncExitStack = field(factory=AsyncExitStack, init=False)
    _waiting: dict[int, Job] = field(factory=dict, init=False)
    _opening: int = field(default=0, init=False)
    _begun: bool = field(default=False, init=False)
    _asked: dict[str, float] = field(factory=dict, init=False)
    _trouble: str = field(default="", init=False)
    _tasks: anyio.abc.TaskGroup = field(init=False)

    async def serve(self) -> None:
        """Work with the workers that there are, until cancelled.

        Raises:
            NoWorkers: There was none for too long.
            AiorunsError: A worker cannot make its client.
        """
        try:
            self._client = await self._stack.enter_async_context(self.connected())
        except OSError as error:
            raise NoWorkers(f"the scheduler cannot be reached: {error}") from error
        async with anyio.create_task_group() as self._tasks:
            alone_since = anyio.current_time()
            while True:
                addresses = await self._addresses()
                now = anyio.current_time()
                for address in addresses:
                    if now >= self._asked.get(address, now):
                        self._asked[address] = float("inf")
                        self._opening += 1
                        self._tasks.start_soon(self._work_with, address, len(addresses))
                for address in self._asked.keys() - addresses:
                    if self._asked[address] <= now:
                        del self._asked[address]
                if self.links:
                    self._hand_over_waiting()
                    alone_since = now
                elif now - alone_since > self.worker_within:
                    raise NoWorkers(
                        f"no worker of the cluster took part for {self.worker_within:g}"
                        f" s: {self._trouble or 'there is none'}; what was submitted "
                        "goes on, and a sweep with a journal can be begun again"
                    )
                await anyio.sleep(_LOOK_EVERY)

    def hand_over(self, job: Job) -> None:
        """Give a job to the worker with the fewest, or to the next that comes."""
        if self.links and self._begun:
            link = min(self.links.values(), key=lambda one: len(one.jobs))
            link.hand_over(job)
        else:
            self._waiting[job.work.number] = job

    def drop(self, job: Job) -> None:
        """Nobody wants to hear of a job any more."""
        self._waiting.pop(job.work.number, None)
        for link in self.links.values():
            link.drop(job)

    async def aclose(self) -> None:
        """Stop all workers' shares; nothing is raised."""
        async with self._stack, anyio.create_task_group() as tasks:
            for link in self.links.values():
                tasks.start_soon(link.close)
        self.links.clear()

    async def _addresses(self) -> set[str]:
        try:
            with anyio.fail_after(_LOOK_WITHIN):
                return set(await self._client.nthreads())
        except Exception as error:  # noqa: BLE001 - a lost scheduler shows in many ways
            self._trouble = f"the scheduler cannot be asked, {_named(error)}"
            return set()

    async def _work_with(self, address: str, workers: int) -> None:
        """Have a worker take part, until it is lost."""
        try:
            link = await Link.open(self._client, address, self.terms(1 / workers))
            self.links[address] = link
        except WorkerLost as error:
            self._note(address, error)
            return
        finally:
            self._opening -= 1
            if not self._opening:
                self._hand_over_waiting()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(link.send)
                tasks.start_soon(self._listen, link)
        except* WorkerLost as group:
            self._note(address, group.exceptions[0])
            del self.links[address]
            link.release()
            jobs = list(link.jobs.values())
            out_of_work = _OUT_OF_WORK * self.lease
            self._tasks.start_soon(self.listener.lost, jobs, out_of_work)

    def _hand_over_waiting(self) -> None:
        """Share out what waits, once all workers are there or a look has passed."""
        if self.links:
            self._begun = True
            waiting, self._waiting = self._waiting, {}
            for job in waiting.values():
                self.hand_over(job)

    async def _listen(self, link: Link) -> None:
        while True:
            for report in await link.reports():
                job = link.jobs.get(report.number)
                if job is None:
                    continue
                if isinstance(report, Ended):
                    del link.jobs[report.number]
                self.listener.report(job, report)

    def _note(self, address: str, error: BaseException) -> None:
        self._trouble = f"the worker {address} was lost, {error}"
        logger.warning("%s", self._trouble)
        self._asked[address] = anyio.current_time() + _ASK_AGAIN


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
