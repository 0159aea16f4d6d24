"""Which task starts next: by priority, then first come, first served."""

import heapq
import itertools
from collections.abc import Mapping, Sequence

import anyio
from attrs import define, field

from aioruns.local.execution import Execution
from aioruns.local.records import RunRecord, State, Task


@define(eq=False)
class Live:
    """A run that has not ended: its programs beside its record."""

    record: RunRecord
    tasks: Mapping[str, Task]
    held: bool = False
    priority: int = 0
    """Runs with a lower one start first."""
    offered: set[str] = field(factory=set)
    """Tasks that were given to the queue."""
    scopes: dict[str, anyio.CancelScope] = field(factory=dict)
    """The running tasks; cancelling one ends its program."""
    executions: dict[str, Execution] = field(factory=dict)
    done: anyio.Event = field(factory=anyio.Event)

    def ready(self) -> list[str]:
        """Tasks that may start now and were not offered yet."""
        states = self.record.tasks
        return [
            name
            for name, task in self.tasks.items()
            if name not in self.offered
            and states[name].state is State.QUEUED
            and all(states[other].state is State.SUCCEEDED for other in task.after)
        ]

    def doomed(self) -> dict[str, str]:
        """Queued tasks that can never start, each with the task that it lacks."""
        found: dict[str, str] = {}
        changed = True
        while changed:
            changed = False
            for name, task in self.tasks.items():
                if name in found or self.record.tasks[name].state is not State.QUEUED:
                    continue
                for other in task.after:
                    state = self.record.tasks[other].state
                    lost = state in {State.FAILED, State.CANCELED}
                    if lost or other in found:
                        found[name] = other
                        changed = True
                        break
        return found

    def verdict(self) -> State | None:
        """How the run ended, or None while something may still happen."""
        states = {task.state for task in self.record.tasks.values()}
        if not all(state.final for state in states):
            return None
        if State.FAILED in states:
            return State.FAILED
        return State.CANCELED if State.CANCELED in states else State.SUCCEEDED


class Queue:
    """Ready tasks, those of the most urgent run that was queued first at the front."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Live, str]] = []
        self._orders: dict[int, int] = {}
        self._arrivals = itertools.count()
        self._entries = itertools.count()

    def admit(self, live: Live) -> None:
        """Give a run its place; its ready tasks are offered from now on."""
        self._orders[id(live)] = next(self._arrivals)
        self.offer(live)

    def offer(self, live: Live) -> None:
        """Take in the tasks of an admitted run that have become ready."""
        order = self._orders[id(live)]
        for name in live.ready():
            live.offered.add(name)
            entry = (live.priority, order, next(self._entries), live, name)
            heapq.heappush(self._heap, entry)

    def leave(self, live: Live) -> None:
        """Forget a run that has ended."""
        self._orders.pop(id(live), None)

    def waiting(self) -> int:
        """How many tasks wait for a slot."""
        return sum(
            live.record.tasks[name].state is State.QUEUED
            for *_, live, name in self._heap
        )

    def take(self) -> tuple[Live, Task] | None:
        """The next task to start; those that were canceled meanwhile are skipped."""
        while self._heap:
            *_, live, name = heapq.heappop(self._heap)
            if live.record.tasks[name].state is State.QUEUED:
                return live, live.tasks[name]
        return None


def checked(tasks: Sequence[Task]) -> dict[str, Task]:
    """The tasks by name; raises ValueError for what could never run."""
    named = {task.name: task for task in tasks}
    if len(named) < len(tasks):
        raise ValueError("Two tasks of one run have the same name; name each once.")
    settled: set[str] = set()
    waiting = dict(named)
    while waiting:
        free = [n for n, task in waiting.items() if settled.issuperset(task.after)]
        if not free:
            names = ", ".join(waiting)
            raise ValueError(
                f"The tasks {names} wait for each other or for a task that is not in"
                " the run; every `after` must name an earlier task."
            )
        settled.update(free)
        for name in free:
            del waiting[name]
    return named
