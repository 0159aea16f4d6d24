"""An order as its caller sees it while a worker has it."""

import asyncio
from datetime import datetime

from attrs import define, evolve

from aioruns.distributed.messages import Ended, Work
from aioruns.errors import CallError, GaveUp
from aioruns.seam import RunRef, Status
from aioruns.waiting import Heard


@define(eq=False)
class Job:
    """Work that some worker has, had, or will have.

    Attributes:
        work: What it is handed.
        taken: When it was taken up, before it was handed to anybody.
        submitted: Done when the run exists; None if it did from the beginning.
        heard: Called when the run has ended.
        ended: How it ended, once that was reported.
        done: Done with the end; for who waits for the result.
        sent: Whether the worker that has it was told.
        losses: How many workers were lost while they were submitting it.
    """

    work: Work
    taken: datetime
    submitted: "asyncio.Future[RunRef] | None" = None
    heard: Heard | None = None
    ended: Ended | None = None
    done: "asyncio.Future[Ended] | None" = None
    sent: bool = False
    losses: int = 0

    def exists(self, ref: RunRef) -> None:
        """The run exists: whoever takes it up, follows it."""
        self.work = evolve(self.work, ref=ref)
        if self.submitted is not None and not self.submitted.done():
            self.submitted.set_result(ref)

    def end(self, report: Ended) -> None:
        """There is nothing more to do for it."""
        self.ended = report
        if self.done is not None and not self.done.done():
            self.done.set_result(report)
        if self.submitted is not None and not self.submitted.done():
            self.fail(report.error or GaveUp("a worker ended an order without a word"))
        else:
            self.tell()

    def fail(self, error: BaseException) -> None:
        """It goes no further, here or anywhere."""
        for future in (self.submitted, self.done):
            if future is not None and not future.done():
                future.set_exception(error)

    def tell(self) -> None:
        """Say how the run ended, if that is known and somebody wants to hear it."""
        if self.ended is None or self.heard is None:
            return
        if self.ended.status is not None:
            self.heard(self.ended.status)
        elif isinstance(self.ended.error, CallError):
            self.heard(self.ended.error)

    def lose(self) -> None:
        """Its worker is lost, which may have submitted it without saying so."""
        if self.sent and self.work.ref is None:
            self.losses += 1
            self.work = evolve(self.work, since=self.work.since or self.taken)
        self.sent = False

    def has_ended(self, status: Status | None) -> None:
        """Only its result is wanted."""
        self.work = evolve(self.work, status=status)
