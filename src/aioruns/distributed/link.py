"""The caller's end of one worker: calls that end, whatever becomes of the worker."""

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import anyio
from attrs import define, field

from aioruns.cancelling import NotCanceled
from aioruns.distributed.messages import Answer, Report, Reports, Terms
from aioruns.distributed.worker import SweepWorker
from aioruns.seam import RunRef

if TYPE_CHECKING:
    from aioruns.distributed.job import Job

_SLOWEST_START = 60.0
"""Seconds until a worker has made its actor; it may be at work on something else."""

_GIVEN_UP = 0.75
"""Part of the lease after which a call that was not answered is given up."""

_HELD = 0.25
"""Part of the lease for which a worker holds a call while nothing happens."""

_CLOSE_WITHIN = 3.0
_MOST_AT_ONCE = 64
"""Orders in one message."""


class WorkerLost(Exception):
    """Nothing more is to be expected of a worker; its text says why."""


@define(eq=False)
class Link:
    """A worker that takes up orders.

    Attributes:
        address: The worker's address in its cluster.
        lease: Seconds after the last call for which the worker goes on.
        jobs: What was handed over and has not ended, by number.
    """

    address: str
    lease: float
    _client: Any
    _future: Any = field(default=None, init=False)
    _actor: Any = field(default=None, init=False)
    _name: str = field(default="", init=False)
    jobs: dict[int, "Job"] = field(factory=dict, init=False)
    _new: dict[int, "Job"] = field(factory=dict, init=False)
    _drops: list[int] = field(factory=list, init=False)
    _some: anyio.Event = field(factory=anyio.Event, init=False)

    @classmethod
    async def open(cls, client: Any, address: str, terms: Terms) -> "Link":
        """Have a worker make its actor, and a session.

        Args:
            client: The asynchronous client of the cluster.
            address: Which worker.
            terms: What to tell it.

        Raises:
            WorkerLost: It did not, in time or at all.
            AiorunsError: It cannot, for example since it finds no credentials.
        """
        link = cls(address, terms.lease, client)
        try:
            await link._begin(terms)
        except BaseException:
            link.release()
            raise
        return link

    def hand_over(self, job: "Job") -> None:
        """Have the worker take up a job, with the next message."""
        self.jobs[job.work.number] = job
        self._new[job.work.number] = job
        self._some.set()

    def drop(self, job: "Job") -> None:
        """Have the worker forget a job."""
        if self.jobs.pop(job.work.number, None) is None:
            return
        if self._new.pop(job.work.number, None) is None:
            self._drops.append(job.work.number)
            self._some.set()

    async def send(self) -> None:
        """Hand over what is to be, in small shares; until the worker is lost."""
        while True:
            if not self._new and not self._drops:
                self._some = anyio.Event()
                await self._some.wait()
            jobs = list(itertools.islice(self._new.values(), _MOST_AT_ONCE))
            drops, self._drops = self._drops, []
            for job in jobs:
                del self._new[job.work.number]
                job.sent = True
            works = [job.work for job in jobs]
            await self._call("hand_over", works, drops)

    async def reports(self) -> Sequence[Report]:
        """What has happened; perhaps nothing, after a quarter of the lease."""
        return cast("Reports", await self._call("reports", self.lease * _HELD))

    async def cancel(self, refs: Iterable[RunRef], within: float) -> list[NotCanceled]:
        """Have the worker cancel runs.

        Raises:
            WorkerLost: It did not answer.
        """
        answer = await self._call("cancel", list(refs), within=within)
        return cast("list[NotCanceled]", answer)

    async def close(self) -> None:
        """Stop the worker's share; nothing is raised."""
        try:
            await self._call("close", within=_CLOSE_WITHIN)
        except Exception:  # noqa: BLE001, S110 - its lease ends by itself
            pass
        finally:
            self.release()

    def release(self) -> None:
        """Let the cluster forget the actor."""
        if self._future is not None:
            self._future.release()

    async def _begin(self, terms: Terms) -> None:
        limit = _SLOWEST_START
        try:
            # An actor binds to the current client, which may be another one otherwise.
            with anyio.fail_after(limit), self._client.as_current():
                self._future = self._client.submit(
                    SweepWorker,
                    terms,
                    actor=True,
                    pure=False,
                    workers=[self.address],
                    allow_other_workers=False,
                )
                self._actor = await self._future
        except TimeoutError as error:
            raise WorkerLost(
                f"it did not begin within {limit:g} s: is it at work on something else?"
            ) from error
        except Exception as error:
            raise WorkerLost(f"{type(error).__name__}: {error}") from error
        self._name = cast("str", await self._call("open", named=False))

    async def _call(
        self,
        method: str,
        *args: object,
        named: bool = True,
        within: float | None = None,
    ) -> object:
        names = (self._name,) if named else ()
        limit = self.lease * _GIVEN_UP if within is None else within
        try:
            # The cluster does not say of every call that its worker is gone.
            with anyio.fail_after(limit), self._client.as_current():
                answer: Answer = await getattr(self._actor, method)(*names, *args)
        except TimeoutError as error:
            raise WorkerLost(f"it did not answer within {limit:g} s") from error
        except Exception as error:
            # What stops the work itself is said in an answer; this is the cluster's.
            raise WorkerLost(f"{type(error).__name__}: {error}") from error
        if answer.failure is not None:
            raise answer.failure
        if answer.over:
            raise WorkerLost("its lease ended: it heard nothing for too long")
        return answer.value
