"""Who is running and who waits for whom (wire/cloudify.md 2.3, 3.4)."""

from collections.abc import Iterator
from itertools import chain
from operator import attrgetter

from aioruns.local.cloudify.statuses import ACTIVE, status_of
from aioruns.local.records import RunRecord

_CANDIDATES = 5
_LIMIT = 20

# System workflows block everything, and stand in a row of their own.
_SYSTEM = None
_Row = dict[str, RunRecord]


class Lineup:
    """Active and queued executions by deployment; thousands may wait for one."""

    def __init__(self) -> None:
        self._active: dict[str | None, _Row] = {}
        self._queued: dict[str | None, _Row] = {}

    def place(self, record: RunRecord) -> None:
        """Put a run where it belongs after any change of its status."""
        key = _SYSTEM if is_system(record) else record.scope
        status = status_of(record)
        for rows, belongs in (
            (self._active, status in ACTIVE),
            (self._queued, status == "queued"),
        ):
            row = rows.setdefault(key, {})
            if belongs:
                row[record.id] = record
            else:
                row.pop(record.id, None)
                if not row:
                    del rows[key]

    def ahead(self, deployment_id: str) -> Iterator[RunRecord]:
        """What one more execution of this deployment would have to wait for."""
        keys = [_SYSTEM, deployment_id] if deployment_id else [_SYSTEM]
        rows = (table.get(key, {}) for key in keys for table in self._tables)
        return chain.from_iterable(row.values() for row in rows)

    def startable(self) -> list[RunRecord]:
        """What one pass over the queue starts, now that an execution has ended."""
        if _SYSTEM in self._active:
            return []
        if _SYSTEM in self._queued:
            return [next(iter(self._queued[_SYSTEM].values()))]
        heads = [
            next(iter(row.values()))
            for key, row in self._queued.items()
            if key not in self._active
        ]
        heads.sort(key=attrgetter("serial"))
        room = _LIMIT - sum(map(len, self._active.values()))
        return heads[: max(0, min(_CANDIDATES, room))]

    @property
    def _tables(self) -> tuple[dict[str | None, _Row], dict[str | None, _Row]]:
        return self._active, self._queued


def is_system(record: RunRecord) -> bool:
    """Whether the execution is of a system workflow."""
    return bool(record.detail.get("is_system_workflow"))
