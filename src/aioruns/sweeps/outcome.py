"""How the specs of a sweep ended."""

from datetime import datetime
from typing import ClassVar

from aioruns.errors import AiorunsError
from aioruns.runs import Run, RunSpec, RunState
from aioruns.seam import Status
from aioruns.values import Value

_SUCCEEDED = RunState.SUCCEEDED


class Attempt(Value, frozen=True):
    """One submission of a spec.

    Attributes:
        key: The submission key that was used; in a batch, what names the run there.
        run: The run's handle; None if it could not be submitted.
        status: The run's final status; None if it is not known.
        error: Why submission, waiting or fetching the result failed, or None.
        submitted: When the submission was answered, by this machine's clock.
        finished: When the end of the run was learnt, by this machine's clock.
    """

    key: str
    run: Run | None = None
    status: Status | None = None
    error: AiorunsError | None = None
    submitted: datetime | None = None
    finished: datetime | None = None

    @property
    def state(self) -> RunState:
        """The run's final state; UNKNOWN if it could not be learnt."""
        return self.status.state if self.status else RunState.UNKNOWN

    @property
    def started(self) -> datetime | None:
        """When the run began, by the platform's clock, where it tells that."""
        return self.status.started if self.status else None

    @property
    def ended(self) -> datetime | None:
        """When the run ended: by the platform's clock, or when it was learnt."""
        told = self.status.ended if self.status else None
        return told or self.finished

    @property
    def queued(self) -> float | None:
        """Seconds from the run's creation to its start, as the platform tells them."""
        if self.status and self.status.created and self.status.started:
            return (self.status.started - self.status.created).total_seconds()
        return None

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


class Outcome(Attempt, frozen=True, kw_only=True):
    """How one spec ended: its last attempt, and which spec it was.

    Attributes:
        index: The spec's place in the input, or the run's in its batch, from 0.
        spec: What was submitted.
        result: What the run produced; None if it did not succeed or was not asked for.
        earlier: The attempts before, where failed runs are submitted again.
    """

    index: int
    spec: RunSpec
    result: object = None
    earlier: tuple[Attempt, ...] = ()
    hidden: ClassVar[frozenset[str]] = frozenset({"result"})

    @property
    def succeeded(self) -> bool:
        """Whether the run succeeded and its result, if wanted, was fetched."""
        status = self.status
        return status is not None and status.state is _SUCCEEDED and self.error is None

    @property
    def attempts(self) -> int:
        """How often the spec was submitted."""
        return 1 + len(self.earlier)
