"""What online experiments do to runs that people start (wire/nextmv.md 3.13)."""

import asyncio
import logging
from collections.abc import Mapping

from attrs import define, field

from aioruns.local.lag import Lag, lagging
from aioruns.local.nextmv.answers import Refusal, text_of
from aioruns.local.nextmv.experiments import STARTED
from aioruns.local.nextmv.launching import queueable
from aioruns.local.nextmv.online import OnlineTests
from aioruns.local.nextmv.shadow import candidates
from aioruns.local.nextmv.starting import Starter
from aioruns.local.nextmv.submission import LATEST, run_type_of
from aioruns.local.nextmv.switchback import unit_at
from aioruns.local.records import Json, RunRecord, utcnow

_LOG = logging.getLogger("aioruns.local")


@define
class Mirror:
    """Sends runs to the instance whose turn it is, and repeats them for candidates.

    Only runs that people start on an instance are concerned: no runs of experiments or
    ensembles, and none that ran elsewhere.
    """

    starter: Starter
    shadows: OnlineTests
    switchbacks: OnlineTests
    _lock: asyncio.Lock = field(factory=asyncio.Lock)

    def assigned(
        self, app: str, fields: Mapping[str, Json], instance_id: str | None
    ) -> tuple[str | None, dict[str, Json]]:
        """The instance that a new run is to go to, and what to note of the run.

        A run for the baseline of a started switchback test goes to the instance of the
        plan's present unit, and becomes a run of the test.

        Args:
            app: The application's id.
            fields: The body of the submission.
            instance_id: The instance that the submission names, or None.
        """
        if text_of(fields, "batch_experiment_id") or fields.get("result") is not None:
            return instance_id, {}
        if run_type_of(fields)["type"] != "standard":
            return instance_id, {}
        application = self.switchbacks.book.desk.find("applications", app) or {}
        wanted = instance_id or application.get("default_instance") or LATEST
        now = utcnow()
        for test in self.switchbacks.book.all(app).values():
            if test["comparison"]["baseline_instance_id"] != wanted:
                continue
            phase = self.switchbacks.phase(test, [], now)
            if phase.state != STARTED or phase.started is None or test.get("deleting"):
                continue
            if unit := unit_at(test, phase.started, now):
                own = {"experiment_id": test["id"], "experiment_type": "switchback"}
                return unit["instance_id"], own
        return instance_id, {}

    async def mirror(self, record: RunRecord) -> None:
        """Repeat a run for every candidate of a started shadow test of its instance."""
        detail, app = record.detail, record.scope
        if detail.get("experiment_id") or detail["run_type"]["type"] != "standard":
            return
        # Together they must not exceed a test's number of runs, nor fall short of it
        # because a lagging list is looked at.
        async with self._lock:
            with lagging(Lag()):
                for test in self.shadows.book.all(app).values():
                    for candidate in candidates(test, detail["instance_id"]):
                        await self._repeat(test, record, candidate)

    async def _repeat(
        self, test: dict[str, Json], record: RunRecord, candidate: str
    ) -> None:
        app = record.scope
        runs = self.shadows.book.runs(app, test["id"])
        state = self.shadows.phase(test, runs, utcnow()).state
        if state != STARTED or test.get("deleting"):
            return
        detail = record.detail
        fields = {
            "input_id": detail["input_id"] or record.id,
            "name": detail["name"],
            "description": detail["description"],
            "options": detail["request_options"],
            "configuration": {"format": detail["format"]},
        }
        try:
            prepared = await self.starter.prepare(app, fields, instance_id=candidate)
            own = {"experiment_id": test["id"], "experiment_type": "shadow"}
            await self.starter.start(queueable(prepared), own)
        except Refusal as refusal:
            # Whoever started the run did not ask for this one.
            _LOG.warning(
                "The shadow test %s misses a run: %s", test["id"], refusal.message
            )
