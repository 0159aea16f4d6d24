"""The hands of a lane whose runs are submitted and followed on the workers."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator

import anyio
from attrs import define, field

from aioruns.cancelling import CANCEL_WITHIN, NotCanceled
from aioruns.distributed.crew import Crew, Listener
from aioruns.distributed.job import Job
from aioruns.distributed.link import Link, WorkerLost
from aioruns.distributed.messages import Ended, Report, Submitted, Work
from aioruns.errors import AiorunsError, CallError, Context, GaveUp, OutcomeUnknown
from aioruns.runs import Runs
from aioruns.seam import RunRef, RunState
from aioruns.sweeps.lane import Host
from aioruns.sweeps.order import Order
from aioruns.waiting import Heard

_MOST_LOSSES = 5
"""Workers that may be lost over one submission: perhaps it is what they die of."""


@define(eq=False)
class DaskHands:
    """Submits, follows and fetches by a crew of workers; see `Hands`.

    Attributes:
        host: The sweep.
        runs: The platform, as the caller sees it.
        make_crew: Makes the crew, given who listens to it.
    """

    host: Host
    runs: Runs
    make_crew: Callable[[Listener], Crew]
    _crew: Crew = field(init=False)
    _numbers: Iterator[int] = field(factory=itertools.count, init=False)
    _jobs: dict[Order, Job] = field(factory=dict, init=False)
    _open: dict[int, Job] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._crew = self.make_crew(self)

    async def serve(self) -> None:
        """Have the crew work, until cancelled."""
        try:
            await self._crew.serve()
        except Exception as error:  # noqa: BLE001 - raised as its first one
            first = _first(error)
            # Nobody will answer those who wait for a submission.
            for job in list(self._open.values()):
                job.fail(first)
            raise first from None

    async def submit(self, order: Order) -> RunRef:
        """Have a worker create the run of an order."""
        job = self._jobs[order] = self._make_job(order)
        job.submitted = asyncio.get_running_loop().create_future()
        self._crew.hand_over(job)
        try:
            return await job.submitted
        except BaseException:
            del self._jobs[order]
            self._forget(job)
            raise

    async def submit_again(
        self,
        order: Order,  # noqa: ARG002 - the worker's own hands were patient
        failed: CallError,
        *,
        answered: bool,  # noqa: ARG002 - as above
    ) -> RunRef:
        """Leave it at that."""
        raise failed

    def follow(
        self,
        order: Order,
        ref: RunRef,
        heard: Heard,
        *,
        fresh: bool,  # noqa: ARG002 - whoever submitted it knows
    ) -> None:
        """Have it said when a run has ended; it may be one of an earlier process."""
        job = self._jobs.get(order)
        if job is None:
            job = self._jobs[order] = self._make_job(order, ref)
            job.heard = heard
            self._crew.hand_over(job)
        else:
            job.heard = heard
            job.tell()

    def leave(
        self,
        order: Order,
        ref: RunRef,  # noqa: ARG002 - goes by the order
        heard: Heard,  # noqa: ARG002 - there is only one
    ) -> None:
        """Follow a run no longer; a result that has come with its end is kept."""
        job = self._jobs[order]
        job.heard = None
        if job.ended is None:
            self._forget(job)
        elif job.ended.status and job.ended.status.state is RunState.SUCCEEDED:
            return
        del self._jobs[order]

    async def fetch_result(self, order: Order, ref: RunRef) -> object:
        """The result that came with the end, or that a worker fetches now."""
        job = self._jobs.pop(order, None)
        ended = job.ended if job is not None else None
        if ended is None:
            ended = await self._fetch(order, ref)
        if ended.error is not None:
            raise ended.error
        return ended.result

    async def cancel(self, refs: Iterable[RunRef]) -> list[NotCanceled]:
        """Have all workers cancel their parts, whatever happens to the caller."""
        left, links = list(refs), list(self._crew.links.values())
        failed: list[NotCanceled] = []
        if not left:
            return failed
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                for place, link in enumerate(links):
                    part = left[place :: len(links)]
                    tasks.start_soon(self._cancel_by, link, part, failed)
        if not links:
            failed += self._not_canceled(left, "no worker is there to cancel it")
        return failed

    async def aclose(self) -> None:
        """Stop the workers' shares."""
        await self._crew.aclose()

    # -- what the crew tells -----------------------------------------------------------

    def report(self, job: Job, report: Report) -> None:
        """Hear of a job."""
        if isinstance(report, Submitted):
            job.exists(report.ref)
        else:
            self._open.pop(report.number, None)
            job.end(report)

    async def lost(self, jobs: list[Job], stops_within: float) -> None:
        """Give the jobs of a lost worker to others, without any of them run twice."""
        doubtful = [job for job in jobs if job.sent and job.work.ref is None]
        for job in jobs:
            job.lose()
            if job not in doubtful:
                self._give_again(job)
        if doubtful:
            # The worker may only be cut off: until it stops, it may submit what nobody
            # finds yet.
            await anyio.sleep(stops_within)
        for job in doubtful:
            why = self._hopeless(job)
            if why:
                job.fail(
                    OutcomeUnknown(
                        f"whether run {job.work.key} was created is not known: {why}; "
                        "look at the platform before you submit it again",
                        Context(self.runs.platform.name),
                    )
                )
            else:
                self._give_again(job)

    def _give_again(self, job: Job) -> None:
        if job.work.number in self._open:
            self._crew.hand_over(job)

    def _hopeless(self, job: Job) -> str:
        """Why a submission that is in doubt is not handed to another worker."""
        platform = self.runs.platform
        if job.losses >= _MOST_LOSSES:
            return f"{job.losses} workers were lost while they were submitting it"
        if platform.abilities.finds or self.host.policy.on_unknown != "error":
            return ""
        return f"its worker was lost, and {platform.name} offers no way to find it"

    # -- jobs --------------------------------------------------------------------------

    def _make_job(self, order: Order, ref: RunRef | None = None) -> Job:
        spec, number = order.spec, next(self._numbers)
        target = spec.target if ref is None else ref.target
        work = Work(number, target, spec.payload, spec.key, order.key, order.since, ref)
        job = self._open[number] = Job(work, self.runs.platform.clock.utc())
        return job

    def _forget(self, job: Job) -> None:
        self._open.pop(job.work.number, None)
        self._crew.drop(job)

    async def _fetch(self, order: Order, ref: RunRef) -> Ended:
        job = self._make_job(order, ref)
        job.has_ended(order.status)
        job.done = asyncio.get_running_loop().create_future()
        self._crew.hand_over(job)
        try:
            return await job.done
        finally:
            self._forget(job)

    async def _cancel_by(
        self, link: Link, refs: list[RunRef], failed: list[NotCanceled]
    ) -> None:
        try:
            failed += await link.cancel(refs, CANCEL_WITHIN + 1)
        except (WorkerLost, AiorunsError) as error:
            failed += self._not_canceled(refs, f"the worker {link.address}: {error}")

    def _not_canceled(self, refs: list[RunRef], why: str) -> list[NotCanceled]:
        context = Context(self.runs.platform.name)
        text = f"it could not be cancelled: {why}"
        return [NotCanceled(ref, GaveUp(text, context)) for ref in refs]


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
