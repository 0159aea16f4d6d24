"""Execution schedules: kept as documents, and started when they come due (2.5)."""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from aioruns.local.cloudify.answers import Refusal
from aioruns.local.cloudify.naming import PLATFORM
from aioruns.local.cloudify.recurrences import recurrence_of
from aioruns.local.cloudify.starting import Starter
from aioruns.local.cloudify.statuses import ENDED, status_of
from aioruns.local.cloudify.wishes import Wish
from aioruns.local.cloudify.worker import Worker
from aioruns.local.engine import Engine
from aioruns.local.records import Json, RunRecord, utcnow

_LOG = logging.getLogger("aioruns.local")
_KIND = "schedule"
# The clock of the loop is not that of the wall; look again at times.
_NAP = 60.0
_SLIP = timedelta(seconds=60)

Schedule = dict[str, Json]


def moment_of(schedule: Schedule, name: str) -> datetime | None:
    """One of the times of a schedule."""
    text = schedule[name]
    return None if text is None else datetime.fromisoformat(text)


def occurrences(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """When it comes due after a moment."""
    since = moment_of(schedule, "since")
    assert since is not None
    rule = recurrence_of(schedule["rule"], moment_of(schedule, "until"))
    return rule.after(now, since)


def plan(schedule: Schedule) -> None:
    """Note when it comes due next."""
    due = next(occurrences(schedule, utcnow()), None)
    schedule["next_occurrence"] = None if due is None else due.isoformat()


class Scheduler:
    """All schedules and the clock that starts them."""

    def __init__(self, engine: Engine, starter: Starter, worker: Worker) -> None:
        self._engine = engine
        self._starter = starter
        self._worker = worker
        self._timer: asyncio.TimerHandle | None = None
        self._round: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Take up the schedules that an earlier server left."""
        self._arm()

    async def close(self) -> None:
        """Start nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    def all(self) -> list[Schedule]:
        """Every schedule in order of creation."""
        return list(self._engine.documents(PLATFORM, _KIND).values())

    def get(self, deployment_id: str, schedule_id: str) -> Schedule | None:
        """One schedule, or None."""
        return self._engine.document(PLATFORM, _KIND, _key(deployment_id, schedule_id))

    async def put(self, schedule: Schedule) -> None:
        """Keep a schedule that is new or was changed, and wait for it."""
        key = _key(schedule["deployment_id"], schedule["id"])
        await self._engine.put(PLATFORM, _KIND, key, schedule)
        self._arm()

    async def drop(self, schedule: Schedule) -> None:
        """Forget a schedule."""
        key = _key(schedule["deployment_id"], schedule["id"])
        await self._engine.drop(PLATFORM, _KIND, key)

    def latest(self, schedule: Schedule) -> RunRecord | None:
        """The execution that it started last."""
        return self._worker.record(schedule["latest"]) if schedule["latest"] else None

    # -- the clock --------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        waiting = [
            due
            for schedule in self.all()
            if schedule["enabled"]
            and (due := moment_of(schedule, "next_occurrence")) is not None
        ]
        if not waiting:
            return
        delay = max(0.0, (min(waiting) - utcnow()).total_seconds())
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(delay, _NAP), self._ring)

    def _ring(self) -> None:
        if self._round is None or self._round.done():
            self._round = asyncio.get_running_loop().create_task(self._run_due())

    async def _run_due(self) -> None:
        for known in self.all():
            # Read again: it may have been changed while another one was started.
            schedule = self.get(known["deployment_id"], known["id"])
            due = schedule and moment_of(schedule, "next_occurrence")
            if not schedule or not due or not schedule["enabled"] or due > utcnow():
                continue
            try:
                await self._run(schedule, due)
            except Exception:  # noqa: BLE001 - one schedule must not stop the others
                _LOG.exception("The schedule %s met a defect", schedule["id"])
        self._round = None
        self._arm()

    async def _run(self, schedule: Schedule, due: datetime) -> None:
        plan(schedule)
        before = schedule["latest"]
        runs = self._should_run(schedule, due)
        if runs:
            # Named before it exists, so that nobody sees the one without the other.
            schedule["latest"] = str(uuid4())
        await self.put(schedule)
        if runs and not await self._start(schedule):
            schedule["latest"] = before
            if self.get(schedule["deployment_id"], schedule["id"]) is not None:
                await self.put(schedule)

    def _should_run(self, schedule: Schedule, due: datetime) -> bool:
        if self._worker.resting:
            return False
        latest = self.latest(schedule)
        if latest is not None and status_of(latest) not in ENDED:
            return False
        if (
            schedule["stop_on_fail"]
            and latest is not None
            and status_of(latest) == "failed"
        ):
            schedule["enabled"] = False
            return False
        return utcnow() - due <= timedelta(minutes=schedule["slip"]) + _SLIP

    async def _start(self, schedule: Schedule) -> bool:
        arguments = schedule["execution_arguments"]
        wish = Wish(
            deployment_id=schedule["deployment_id"],
            workflow_id=schedule["workflow_id"],
            parameters=schedule["parameters"] or {},
            creator=schedule["created_by"],
            custom=arguments.get("allow_custom_parameters", False),
            force=arguments.get("force", False),
            dry_run=arguments.get("is_dry_run", False),
            queue=True,
            id=schedule["latest"],
        )
        try:
            await self._starter.start(wish)
        except Refusal as refusal:
            name = schedule["id"]
            _LOG.warning("The schedule %s did not start: %s", name, refusal.message)
            return False
        return True


def upcoming(schedule: Schedule, *, most: int = 1000) -> list[str]:
    """The next occurrences as the schedule object lists them."""
    found = itertools.islice(occurrences(schedule, utcnow()), most)
    return [when.strftime("%Y-%m-%d %H:%M:%S") for when in found]


def _key(deployment_id: str, schedule_id: str) -> str:
    return f"{deployment_id}\0{schedule_id}"
