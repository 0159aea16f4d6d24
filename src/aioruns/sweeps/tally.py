"""How far a sweep has come."""

from collections import Counter, deque

from attrs import define, field, frozen

from aioruns.runs import RunState
from aioruns.sweeps.outcome import Outcome

LATEST_FAILURES = 5

_SUCCEEDED = RunState.SUCCEEDED


@frozen
class Progress:
    """How far a sweep has come, at one moment.

    Attributes:
        elapsed: Seconds since the sweep began.
        total: How many specs there are; None if that is not known, as of a generator.
        submitted: Specs whose first submission was answered, now or in an earlier
            process.
        retried: Further submissions, of runs that had failed.
        active: Runs that are submitted and not yet ended.
        ended: Outcomes by the final state of their runs; UNKNOWN counts those whose end
            was not learnt, as the submission or the wait failed.
        failures: What was said of the latest outcomes without success, the latest
            first.
    """

    elapsed: float
    total: int | None
    submitted: int
    retried: int
    active: int
    ended: dict[RunState, int]
    failures: tuple[str, ...]

    @property
    def done(self) -> int:
        """How many outcomes there are."""
        return sum(self.ended.values())

    @property
    def rate(self) -> float:
        """Outcomes a second."""
        return self.done / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds that are left at this rate; None if that cannot be told."""
        if self.total is None or not self.rate:
            return None
        return (self.total - self.done) / self.rate


@define(eq=False)
class Tally:
    """Counts what happens in a sweep.

    Attributes:
        total: How many specs there are, if that is known.
        began: When the sweep began, by the clock that `progress` is asked with.
    """

    total: int | None
    began: float = 0.0
    submitted: int = 0
    retried: int = 0
    active: int = 0
    _succeeded: int = field(default=0, init=False)
    _ended: Counter[RunState] = field(factory=Counter, init=False)
    _failures: deque[str] = field(
        factory=lambda: deque(maxlen=LATEST_FAILURES), init=False
    )

    def note(self, outcome: Outcome) -> None:
        """Count an outcome."""
        status = outcome.status
        if (
            status is None
            or status.state is not _SUCCEEDED
            or outcome.error is not None
        ):
            self._note_without_success(outcome)
        else:
            # A state as a key is hashed in Python.
            self._succeeded += 1

    def _note_without_success(self, outcome: Outcome) -> None:
        if outcome.state is _SUCCEEDED:
            self._succeeded += 1
        else:
            self._ended[outcome.state] += 1
        name = outcome.run.id if outcome.run else outcome.key
        said = outcome.error or (outcome.status and outcome.status.reason) or ""
        self._failures.appendleft(f"{name}: {outcome.state.value} {said}".rstrip())

    def progress(self, now: float) -> Progress:
        """How it stands."""
        ended = dict(self._ended)
        if self._succeeded:
            ended[_SUCCEEDED] = self._succeeded
        return Progress(
            now - self.began,
            self.total,
            self.submitted,
            self.retried,
            self.active,
            ended,
            tuple(self._failures),
        )
