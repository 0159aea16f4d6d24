"""What a sweep is told to do, and one spec on its way."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from attrs import frozen
from msgspec import Struct

from aioruns.errors import AiorunsError, CallError, InvalidInput
from aioruns.journal import Entry
from aioruns.runs import Run, RunSpec
from aioruns.seam import RunRef, Status
from aioruns.sweeps.outcome import Attempt, Outcome

OnUnknown = Literal["error", "submit again"]


@frozen
class Policy:
    """What a sweep does; the arguments of `as_completed`, which explains them."""

    max_active: int
    results: bool = True
    wait: bool = True
    within: float | None = None
    total_within: float | None = None
    retry_failed: int = 0
    stop_when: Callable[[Outcome], bool] | None = None
    on_unknown: OnUnknown = "error"
    cancel_remote: bool = False
    on_submitted: Callable[[Run], None] | None = None

    def __attrs_post_init__(self) -> None:
        if self.max_active < 1:
            raise InvalidInput(f"max_active must be at least 1, not {self.max_active}")
        if self.retry_failed < 0:
            raise InvalidInput(
                f"retry_failed must be 0 or more, not {self.retry_failed}"
            )
        if self.on_unknown not in {"error", "submit again"}:
            raise InvalidInput(
                f'on_unknown must be "error" or "submit again", not {self.on_unknown!r}'
            )
        for name in ("within", "total_within"):
            seconds = getattr(self, name)
            if seconds is not None and not seconds > 0:
                raise InvalidInput(f"{name} must be more than 0 seconds, not {seconds}")


class Order(Struct, eq=False, gc=False):
    """A spec on its way; what becomes of it is filled in.

    As many live at a time as runs are active, so that the garbage collector spares
    itself the look at them. An error leads back to its order by its traceback: whoever
    hands an order over calls `let_go`.

    Attributes:
        index: Its place in the input.
        spec: What to submit.
        key: The submission key of this attempt.
        since: When the key may have been used first, if an earlier process did; None
            if the key is new.
        entry: Its place in the journal, where there is one.
        ref: Its run, once that exists.
        status: How it ended.
        result: What it produced.
        error: Why it went no further.
        submitted: When the submission was answered.
        finished: When the end was learnt.
        attempt: The number of this attempt, from 1.
        earlier: The attempts before.
        hear: Called with what is heard of the run; None while it is not waited for.
        deadline: When its wait ends, by the platform's clock.
        handle: The run's handle, where somebody was given one.
    """

    index: int
    spec: RunSpec
    key: str
    since: datetime | None = None
    entry: Entry | None = None
    ref: RunRef | None = None
    status: Status | None = None
    result: object = None
    error: AiorunsError | None = None
    submitted: datetime | None = None
    finished: datetime | None = None
    attempt: int = 1
    earlier: tuple[Attempt, ...] = ()
    hear: "Callable[[Order, Status | CallError], None] | None" = None
    deadline: float = float("inf")
    handle: Run | None = None

    @property
    def run(self) -> Run | None:
        """The run's handle; made when it is asked for, since waiting needs none."""
        if self.ref is None or self.handle is not None:
            return self.handle
        return Run(self.spec.runs, self.ref, self.key)

    def __call__(self, heard: Status | CallError) -> None:
        """Hear how the run ended.

        A watcher calls the order itself: a function made for each one would be three
        more objects for the garbage collector to look at.
        """
        if self.hear is not None:
            self.hear(self, heard)

    def outcome(self) -> Outcome:
        """The order as it stands."""
        return Outcome(
            self.key,
            self.run,
            self.status,
            self.error,
            self.submitted,
            self.finished,
            index=self.index,
            spec=self.spec,
            result=self.result,
            earlier=self.earlier,
        )

    def let_go(self) -> None:
        """Forget what leads back here, once it is known elsewhere."""
        self.error = self.hear = None

    def begin_again(self, key: str) -> None:
        """Keep the attempt that failed, and begin another one."""
        attempt = Attempt(
            self.key, self.run, self.status, self.error, self.submitted, self.finished
        )
        self.earlier = (*self.earlier, attempt)
        self.key, self.since = key, None
        self.attempt += 1
        self.ref = self.handle = self.status = self.error = None
        self.submitted = self.finished = None
