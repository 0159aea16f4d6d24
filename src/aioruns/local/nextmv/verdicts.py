"""How a run ended, where the engine cannot know: was the output what was promised?"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from attrs import define, evolve, field, frozen

from aioruns.local.nextmv.answers import PLATFORM, parsed
from aioruns.local.nextmv.assets import keep_assets
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.outputs import Outputs
from aioruns.local.records import Json, RunRecord, State

FIGURES = ("statistics", "metrics")

_LARGEST_LOOK = 64 * 2**20
"""Bytes of an uploaded output; figures are not looked for in a larger one."""


@frozen
class Verdict:
    """The state of a run as this platform tells it."""

    state: State
    error: str = ""
    output_size: int = 0
    """Bytes; 0 unless there is an output."""
    figures: dict[str, Json] = field(factory=dict)
    """`metrics` and `statistics` of the output, if it has them."""
    broken: Mapping[str, str] = field(factory=dict)
    """Why metrics or statistics could not be read."""
    started: datetime | None = None


@define
class Verdicts:
    """Looks at the output of a run that succeeded, once, before anybody sees that.

    All who show the state of a run must ask here, or they would say `succeeded` first
    and `failed` later.
    """

    desk: Desk
    outputs: Outputs
    _known: dict[str, Verdict] = field(factory=dict)
    _looking: dict[str, asyncio.Lock] = field(factory=dict)

    async def of(self, record: RunRecord) -> Verdict:
        """The verdict on a run as it stands."""
        if "children" in record.detail:
            return await self._of_ensemble(record)
        if record.state is State.FAILED:
            error = record.error or "The program failed."
            return Verdict(State.FAILED, error, started=record.started)
        if record.state is not State.SUCCEEDED:
            return Verdict(record.state, started=record.started)
        return evolve(await self._looked(record), started=record.started)

    def forget(self, run_id: str) -> None:
        """The run is gone."""
        self._known.pop(run_id, None)

    async def _looked(self, record: RunRecord) -> Verdict:
        if record.id in self._known:
            return self._known[record.id]
        async with self._looking.setdefault(record.id, asyncio.Lock()):
            if record.id not in self._known:
                self._known[record.id] = await self._look(record)
        self._looking.pop(record.id, None)
        return self._known[record.id]

    async def _of_ensemble(self, record: RunRecord) -> Verdict:
        # The engine keeps it queued until the last of its runs has ended.
        engine = self.desk.engine
        children = [engine.get(PLATFORM, key) for key in record.detail["children"]]
        times = [child.started for child in children if child and child.started]
        started = min(times, default=None)
        error = record.detail.get("ensemble_error") or record.error
        match record.state:
            case State.SUCCEEDED if not error:
                return evolve(await self._looked(record), started=started)
            case State.SUCCEEDED | State.FAILED:
                return Verdict(State.FAILED, error, started=started)
            case State.QUEUED if started:
                return Verdict(State.RUNNING, started=started)
        return Verdict(record.state, started=started)

    async def _look(self, record: RunRecord) -> Verdict:
        size = await self.outputs.size(record) or 0
        tracked = record.detail.get("result")
        if tracked and tracked["status"] == "failed":
            verdict = Verdict(State.FAILED, tracked["error_message"], size)
            return await self._figured(record, verdict, None)
        kind = record.detail["format"]["output"]["type"]
        verdict = Verdict(State.SUCCEEDED, "", size)
        value: Json = None
        if kind == "csv-archive" and not tracked:
            value = await self._spoken(await self.outputs.printed(record))
        elif kind == "json" and tracked:
            if size <= _LARGEST_LOOK:
                value = await self._spoken(await self.outputs.data(record))
        elif kind == "json":
            output = await self.outputs.data(record)
            try:
                value = await parsed(output)
            except ValueError as error:
                return Verdict(State.FAILED, _no_output(output, error))
        return await self._figured(record, verdict, value)

    async def _spoken(self, data: bytes) -> Json:
        """What was printed, where nobody promised that it is JSON."""
        try:
            return await parsed(data)
        except ValueError:
            return None

    async def _figured(
        self, record: RunRecord, verdict: Verdict, value: Json
    ) -> Verdict:
        """With metrics and statistics, and the assets taken apart."""
        parts: dict[str, Json] = value if isinstance(value, dict) else {}
        figures = {k: parts[k] for k in FIGURES if isinstance(parts.get(k), dict)}
        broken = {}
        assets = parts.get("assets")
        has_files = record.detail["format"]["output"]["type"] == "multi-file"
        if has_files or record.detail.get("result"):
            for name in (*FIGURES, "assets"):
                try:
                    told = await self.outputs.told(record, name)
                except ValueError as error:
                    broken[name] = f"The {name} are not JSON: {error}."
                    continue
                if name == "assets":
                    assets = told if told is not None else assets
                elif isinstance(told, dict):
                    figures[name] = told
        if isinstance(assets, list) and "assets" not in record.detail:
            await keep_assets(self.desk, record, assets)
        return evolve(verdict, figures=figures, broken=broken)


def _no_output(output: bytes, error: ValueError) -> str:
    told = f"it is not JSON: {error}" if output.strip() else "it is empty"
    return (
        "The program ended well, but its standard output cannot be the output of the "
        f"run, because {told}. Print one JSON value to standard output and everything "
        "else to standard error."
    )
