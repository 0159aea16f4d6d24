"""Seeing runs as they were a while ago: what a cache or a replica would have shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from attrs import evolve, frozen

from aioruns.local.records import RunRecord, State, TaskRecord


@frozen
class Lag:
    """How far behind the request that is being answered sees the engine, in seconds."""

    states: float = 0.0
    listing: float = 0.0


_current: ContextVar[Lag | None] = ContextVar("aioruns_local_lag", default=None)


def current() -> Lag | None:
    """The lag of the request that is being answered; None everywhere else."""
    return _current.get()


@contextmanager
def lagging(lag: Lag) -> Iterator[None]:
    """Answer one request with this lag."""
    token = _current.set(lag)
    try:
        yield
    finally:
        _current.reset(token)


def as_it_was(record: RunRecord, when: datetime) -> RunRecord:
    """The run as it stood at `when`, or when it was created if that is later.

    The `detail` is shared with the true record, since it is the façade's own.
    """
    if record.ended is not None and record.ended <= when:
        return record
    when = max(when, record.history[0][0])
    history = [entry for entry in record.history if entry[0] <= when]
    state = history[-1][1]
    return evolve(
        record,
        tasks={name: _task_as_it_was(t, when) for name, t in record.tasks.items()},
        state=state,
        started=_if_before(record.started, when),
        ended=_if_before(record.ended, when) if state.final else None,
        error=record.error if state.final else "",
        canceling=record.canceling and not _asked_after(record, when),
        history=history,
    )


def _asked_after(record: RunRecord, when: datetime) -> bool:
    return record.cancel_asked is not None and record.cancel_asked > when


def _if_before(moment: datetime | None, when: datetime) -> datetime | None:
    return moment if moment is not None and moment <= when else None


def _task_as_it_was(task: TaskRecord, when: datetime) -> TaskRecord:
    if task.ended is not None and task.ended <= when:
        return task
    if task.started is not None and task.started <= when:
        return TaskRecord(task.name, State.RUNNING, started=task.started)
    return TaskRecord(task.name)
