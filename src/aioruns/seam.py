"""The seam to platforms: what generic code may ask, and the values that cross.

Waiting, logs, submission, batches and the journal are written once against `Platform`;
a further platform is one adapter with its six coroutines. `ReadsBack` and
`ReadsTogether` are for platforms whose APIs offer more.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from attrs import frozen

from aioruns.http.clock import Clock
from aioruns.values import Value

Position = dict[str, Any]
"""A place in a run's log: a small JSON object that only its platform understands."""


class RunState(StrEnum):
    """Where a run stands, in the same words for all platforms."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"
    """A text that the platform's documents do not name; not final."""

    @property
    def final(self) -> bool:
        """Whether the run has ended."""
        return (
            self is RunState.SUCCEEDED
            or self is RunState.FAILED
            or self is RunState.CANCELED
        )


class RunRef(Value, frozen=True, gc=False):
    """Which run: its id, and the scope that it belongs to.

    Attributes:
        target: Application, deployment or experiment; may be empty.
        id: The platform's id of the run.
    """

    target: str
    id: str


class Status(Value, frozen=True, gc=False):
    """What a platform said about a run at one moment.

    Attributes:
        ref: Which run.
        state: Its state in common words.
        text: The platform's own word for it.
        reason: Why it failed, as far as the platform says; may be empty.
        created: When the platform accepted it.
        started: When it began to run.
        ended: When it ended.
    """

    ref: RunRef
    state: RunState
    text: str
    reason: str = ""
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None


class LogEvent(Value, frozen=True, gc=False):
    """One line of a run's log.

    Attributes:
        timestamp: When it was written, with zone; where the platform keeps no times
            (Kubeflow), when it was received.
        message: The line, without its line break.
        source: What wrote it, in the platform's terms: a stream, a node, a logger.
    """

    timestamp: datetime
    message: str
    source: str = ""


@frozen
class Window:
    """Which lines of a log are wanted, by the times that they carry.

    Attributes:
        since: Lines of this time or later; None is the beginning.
        until: Lines before this time; None is the end.
    """

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, event: LogEvent) -> bool:
        """Whether an event lies in it."""
        return not (
            (self.since is not None and event.timestamp < self.since)
            or (self.until is not None and event.timestamp >= self.until)
        )


ALL = Window()
"""All lines."""


@frozen
class LogPage:
    """One answer to "what comes after this position".

    Attributes:
        events: New events only, in order; those of `read_older` newest first.
        after: Makes the position after the first n of the events, from 0 to all.
        more: Whether asking again at once makes sense.
        hint: Seconds after which the server wants to be asked again, if it says so.
        status: The run's status, where the log answer carries it.
        incomplete: Whether something that was written could not be had now, and may be
            had a little later, after the end of the run, too. The platform says so only
            so many times.
    """

    events: Sequence[LogEvent]
    after: Callable[[int], Position | None]
    more: bool = False
    hint: float | None = None
    status: Status | None = None
    incomplete: bool = False


class Submission(Value, frozen=True):
    """What is about to be created.

    Attributes:
        target: Where: application, pipeline or deployment.
        payload: The vendor's request body, without the key.
        key: The client-made text by which the run can be found again.
        since: The client's wall clock when the submission began, before which no run
            of it can have been created; None if that is not known.
        fresh: Whether the key was made for this submission, so that no earlier one can
            have left a run under it.
    """

    target: str
    payload: Mapping[str, Any]
    key: str
    since: datetime | None = None
    fresh: bool = False
    hidden: ClassVar[frozenset[str]] = frozenset({"payload"})


@frozen
class Abilities:
    """What a platform can do, as data.

    Attributes:
        cancels: Whether runs can be cancelled.
        finds: Whether a run can be found by its submission key.
        settle: Seconds to wait before each further look for a key whose submission is
            in doubt; the platform's lists may lag behind.
        drain: Seconds for which log lines may still arrive after the final state.
        grace: Seconds for which a new run may be invisible to reads.
        spans_targets: Whether the states of runs of several targets are read in one
            request, since their ids are unique across targets.
        line_times: Whether log lines carry times of their own.
    """

    cancels: bool = True
    finds: bool = True
    settle: Sequence[float] = (0.5, 1.5, 3.0)
    drain: float = 0.0
    grace: float = 15.0
    spans_targets: bool = False
    line_times: bool = True


class Platform(Protocol):
    """What a platform implements; every method may raise `CallError`."""

    @property
    def name(self) -> str:
        """The platform's name, for example `nextmv`."""
        ...

    @property
    def abilities(self) -> Abilities:
        """What it can do."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock of its session."""
        ...

    async def create(self, submission: Submission) -> RunRef:
        """Create one run, in one attempt that is safe against repetition."""
        ...

    async def find(self, submission: Submission) -> RunRef | None:
        """Look for a run that carries the submission's key."""
        ...

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read many runs in as few requests as the API allows.

        They are of one target, unless the platform's abilities say that it spans
        targets. A run that is missing from the answer does not exist, or not yet.

        Args:
            refs: Which runs.
            known: What was read of them before. Where the platform's word for a run has
                not changed, the known value itself may be returned, so that a round
                over many runs makes few objects; and where nothing at all has changed,
                the very mapping that was returned last.
        """
        ...

    async def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read what follows a position; None is the beginning.

        Lines outside of the window may come; it only allows to ask for less.
        """
        ...

    async def cancel(self, ref: RunRef) -> None:
        """Ask the run to end; a run that has ended already is no error."""
        ...

    async def fetch_result(self, ref: RunRef) -> object:
        """What the run produced, in the platform's form."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A platform whose logs can be read from their end, too."""

    async def read_newest(self, ref: RunRef, count: int, window: Window) -> LogPage:
        """Read the last lines that are there now, oldest of them first.

        The page's last position is where `read_logs` goes on; `more` says that there
        was more to come at once.
        """
        ...

    async def read_older(
        self, ref: RunRef, position: Position | None, window: Window
    ) -> LogPage:
        """Read backwards what precedes a position; None is the end of the log.

        Positions of this way back are of no use for the way forward.
        """
        ...


@runtime_checkable
class ReadsTogether(Protocol):
    """A platform that reads the logs of several runs in one request."""

    @property
    def logs_at_once(self) -> int:
        """How many runs one request can be about."""
        ...

    async def read_logs_of(
        self, positions: Mapping[RunRef, Position | None]
    ) -> Mapping[RunRef, LogPage]:
        """Read the logs of several runs, each from its position on, in one request.

        A run that is missing from the answer has nothing new.
        """
        ...
