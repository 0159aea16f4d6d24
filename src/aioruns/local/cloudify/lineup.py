"""Who is running and who waits for whom (wire/cloudify.md 2.3, 3.4)."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from operator import attrgetter

from aioruns.local.cloudify.naming import ENVIRONMENT, groups_of
from aioruns.local.cloudify.statuses import ACTIVE, status_of
from aioruns.local.records import RunRecord

_CANDIDATES = 5
_LIMIT = 20

# System workflows block everything, and stand in a row of their own.
_SYSTEM = None
_Row = dict[str, RunRecord]
_Rows = dict[str | None, _Row]


class Lineup:
    """Active and queued executions by deployment; thousands may wait for one.

    Args:
        concurrency: How many members of a group may be active at the same time.
    """

    def __init__(self, concurrency: Callable[[str], int]) -> None:
        self._concurrency = concurrency
        self._active: _Rows = {}
        # By groups first, so that a pass steps over all members of a group that is
        # full at once.
        self._queued: dict[tuple[str, ...], _Rows] = {}
        self._where: dict[str, tuple[str, ...]] = {}
        self._scheduled: _Row = {}
        self._members: Counter[str] = Counter()
        self._counted: dict[str, tuple[str, ...]] = {}
        self._environments: dict[str, _Row] = {}

    def place(self, record: RunRecord) -> None:
        """Put a run where it belongs after any change of its status or groups."""
        status, key = status_of(record), _key(record)
        _move(self._active, key, record, belongs=status in ACTIVE)
        self._count(record, active=status in ACTIVE)
        groups = self._where.pop(record.id, None)
        if groups is not None:
            _move(self._queued[groups], key, record, belongs=False)
            if not self._queued[groups]:
                del self._queued[groups]
        if status == "queued":
            self._where[record.id] = groups = groups_of(record)
            rows = self._queued.setdefault(groups, {})
            _move(rows, key, record, belongs=True)
        self._scheduled.pop(record.id, None)
        if status == "scheduled":
            self._scheduled[record.id] = record
        if record.detail["workflow_id"] == ENVIRONMENT:
            self._environments.setdefault(record.scope, {})[record.id] = record

    def forget(self, record: RunRecord) -> None:
        """Drop an ended run that was deleted."""
        self._environments.get(record.scope, {}).pop(record.id, None)

    def ahead(self, deployment_id: str) -> Iterator[RunRecord]:
        """What one more execution of this deployment would have to wait for."""
        keys = [_SYSTEM, deployment_id] if deployment_id else [_SYSTEM]
        rows = (table.get(key, {}) for key in keys for table in self._tables())
        return chain.from_iterable(row.values() for row in rows)

    def everyone(self) -> Iterator[RunRecord]:
        """Every execution that has not ended."""
        rows = (row for table in self._tables() for row in table.values())
        return chain.from_iterable(
            row.values() for row in chain(rows, [self._scheduled])
        )

    def active_of(self, group_id: str) -> int:
        """How many members of a group are active."""
        return self._members[group_id]

    def environment(self, deployment_id: str) -> RunRecord | None:
        """The execution that made the deployment last, if there was one."""
        row = self._environments.get(deployment_id, {})
        return max(row.values(), key=attrgetter("serial"), default=None)

    def startable(self) -> list[RunRecord]:
        """What one pass over the queue starts, now that an execution has ended."""
        if _SYSTEM in self._active:
            return []
        system = [rows[_SYSTEM] for rows in self._queued.values() if _SYSTEM in rows]
        if system:
            heads = [next(iter(row.values())) for row in system]
            return [min(heads, key=attrgetter("serial"))]
        room = _LIMIT - sum(map(len, self._active.values()))
        room = max(0, min(_CANDIDATES, room))
        filled = self._members.copy()
        heads = [
            record
            for groups, rows in self._queued.items()
            if self._fits(groups, filled)
            for record in islice(self._heads(rows), room)
        ]
        chosen: dict[str, RunRecord] = {}
        for record in sorted(heads, key=attrgetter("serial")):
            groups = groups_of(record)
            if record.scope in chosen or not self._fits(groups, filled):
                continue
            chosen[record.scope] = record
            filled.update(groups)
        return list(chosen.values())[:room]

    def _heads(self, rows: _Rows) -> Iterator[RunRecord]:
        # In the order in which their deployments came into the queue.
        return (
            next(iter(row.values()))
            for key, row in rows.items()
            if key not in self._active
        )

    def _fits(self, groups: tuple[str, ...], filled: Counter[str]) -> bool:
        return all(filled[group] < self._concurrency(group) for group in groups)

    def _count(self, record: RunRecord, *, active: bool) -> None:
        self._members.subtract(self._counted.pop(record.id, ()))
        if active and (groups := groups_of(record)):
            self._counted[record.id] = groups
            self._members.update(groups)

    def _tables(self) -> Iterator[_Rows]:
        return chain([self._active], list(self._queued.values()))


def is_system(record: RunRecord) -> bool:
    """Whether the execution is of a system workflow."""
    return bool(record.detail.get("is_system_workflow"))


def _key(record: RunRecord) -> str | None:
    return _SYSTEM if is_system(record) else record.scope


def _move(rows: _Rows, key: str | None, record: RunRecord, *, belongs: bool) -> None:
    row = rows.setdefault(key, {})
    if belongs:
        row[record.id] = record
    else:
        row.pop(record.id, None)
        if not row:
            del rows[key]
