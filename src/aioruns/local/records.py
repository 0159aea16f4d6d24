"""The values that the engine keeps and that the façades translate."""

import enum
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from attrs import Factory, define, field, frozen

Json = Any
"""A value that JSON can hold; façades check the shapes that they accept."""


class State(enum.StrEnum):
    """Where a run, or one task of it, stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELED}


def utcnow() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


@frozen
class Command:
    """A program: an argument list that is started as a subprocess, without a shell.

    The process gets its own process group, a fresh working directory unless `cwd` is
    given, and the server's environment plus `env` plus the task's own variables.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = Factory(dict)


@define
class Job:
    """What an async callable program is given."""

    stdin: bytes
    env: Mapping[str, str] = field(repr=False)  # it may hold secrets
    log: Callable[[str], Awaitable[None]]
    """Write one line to the run's standard error."""
    directory: Path | None = None
    """The run's own working directory, if its task has a place."""


Callback = Callable[[Job], Awaitable[bytes | str | Json]]
"""An async callable program. What it returns is its standard output: bytes and text as

they are, nothing for None, anything else as JSON. An exception is its failure."""


@frozen
class Later:
    """A program that is known only when its task starts.

    For commands that take what earlier tasks of the run wrote.
    """

    make: Callable[["Task"], Awaitable["Task"]]
    """Gives the task as it is to be run; a ValueError is why it fails."""


Program = Command | Later | Callback


class Place(Protocol):
    """A working directory of a task's own. Its methods are called on worker threads."""

    @property
    def directory(self) -> Path:
        """Where it is, or will be."""
        ...

    def enter(self) -> None:
        """Make it; an OSError or ValueError is why the task fails."""
        ...

    def leave(self) -> None:
        """Take out of it what is wanted and remove it; also if `enter` failed."""
        ...


@frozen
class Task:
    """One program of a run; most runs have exactly one task, named `main`."""

    name: str
    program: Program
    stdin: bytes | Path = b""
    """What is read from standard input: bytes, or a file."""
    env: Mapping[str, str] = field(factory=dict, repr=False)  # it may hold secrets
    after: tuple[str, ...] = ()
    """Names of tasks that must have succeeded before this one starts."""
    keep: tuple[str, ...] = ()
    """Files, relative to the working directory, whose bytes are kept as outputs."""
    place: Place | None = None
    """Made when the task starts, and cleared when it has ended."""


@define
class TaskRecord:
    """What became of one task."""

    name: str
    state: State = State.QUEUED
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    """None until the end; minus the signal's number for a process that was killed."""
    error: str = ""


@define(eq=False)
class RunRecord:
    """One run as the engine knows it.

    Façades read it; only the engine changes it, except for `detail`, which belongs to
    the façade (call `Engine.save` after a change).
    """

    platform: str
    id: str
    scope: str
    """The application, deployment or experiment that the run belongs to."""
    detail: dict[str, Json]
    tasks: dict[str, TaskRecord]
    created: datetime
    state: State = State.QUEUED
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    """Why the run failed, for people; empty otherwise."""
    canceling: bool = False
    """A cancel was asked for and the programs have not all ended yet."""
    cancel_asked: datetime | None = None
    history: list[tuple[datetime, State]] = field(factory=list)
    """Every state with the time it was entered, oldest first."""
    serial: int = 0
    """Creation order over all platforms."""


@frozen
class Line:
    """One line that a program wrote, or that a façade noted for it."""

    serial: int
    """Increases over all runs in the order of capture."""
    task: str
    stream: str
    """`stdout`, `stderr`, or a façade's own word for lines that it added."""
    time: datetime
    """UTC, microseconds."""
    text: str
    """Without the line break."""
