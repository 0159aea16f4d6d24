"""Ensemble runs: one run that consists of many, and ends as the best of them."""

from collections.abc import Mapping
from contextlib import suppress

from attrs import frozen

from aioruns.local.nextmv.answers import PLATFORM, Refusal, object_of, text_of
from aioruns.local.nextmv.configuration import text_value
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.inputs import given_input, run_files
from aioruns.local.nextmv.outputs import Outputs
from aioruns.local.nextmv.picking import Candidate, pick
from aioruns.local.nextmv.starting import FILE, Prepared, Starter
from aioruns.local.nextmv.submission import NOTHING, detail_of, run_type_of
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.records import Json, RunRecord, State

_MOST_RUNS = 1000
_FILES = ("statistics", "metrics", "assets")


@frozen
class EnsembleRuns:
    """Starts ensemble runs, and concludes them when their runs have ended."""

    desk: Desk
    starter: Starter
    outputs: Outputs
    verdicts: Verdicts

    async def start(self, app: str, fields: Mapping[str, Json]) -> RunRecord:
        """Queue the runs of all run groups, and the run that stands for them.

        That one takes no slot: the engine holds it until the others have ended.

        Raises:
            Refusal: The definition, or something that it names, does not exist.
        """
        run_type = run_type_of(fields)
        key = run_type["definition_id"]
        definition = self.desk.find(f"ensembles/{app}", key) if key else None
        if definition is None:
            raise Refusal(
                400,
                f"Application '{app}' has no ensemble definition '{key}': "
                "`run_type.definition_id` must name one that exists.",
            )
        entry = await given_input(self.desk, app, fields)
        parent_id = NOTHING.run_id()
        children = await self._children(app, fields, definition, parent_id)
        detail = detail_of(NOTHING, fields, entry)
        detail["format"] = children[0][0].detail["format"]
        ids = [prepared.run_id for prepared, _ in children]
        detail |= {"children": ids, "output": FILE}
        await entry.keep(self.desk, app, parent_id)
        parent = await self.desk.engine.submit(
            PLATFORM, parent_id, [], scope=app, detail=detail, hold=True
        )
        for prepared, place in children:
            await self.starter.start(prepared, {"ensemble": place})
        self.desk.background.start(self._concluded(parent, definition["rules"]))
        return parent

    async def _children(
        self,
        app: str,
        fields: Mapping[str, Json],
        definition: Mapping[str, Json],
        parent_id: str,
    ) -> list[tuple[Prepared, dict[str, Json]]]:
        """The runs of the groups, each with its place in the ensemble."""
        groups: list[dict[str, Json]] = definition["run_groups"]
        if sum(group.get("repetitions") or 1 for group in groups) > _MOST_RUNS:
            raise Refusal(400, f"An ensemble may have {_MOST_RUNS} runs at most.")
        run_type = {
            "type": "ensemble-child",
            "definition_id": definition["id"],
            "reference_id": parent_id,
        }
        # Never refused one by one half way.
        queuing = object_of(object_of(fields, "configuration"), "queuing")
        configuration = {
            **object_of(fields, "configuration"),
            "run_type": run_type,
            "queuing": {**queuing, "disabled": False} if queuing else None,
        }
        found = []
        for group in groups:
            own = {k: text_value(v) for k, v in (group.get("options") or {}).items()}
            for repetition in range(group.get("repetitions") or 1):
                name = f"{text_of(fields, 'name')} {group['id']} {repetition}".strip()
                child = {
                    **fields,
                    "name": name,
                    "options": object_of(fields, "options") | own,
                    "configuration": configuration,
                    "batch_experiment_id": None,
                }
                prepared = await self.starter.prepare(
                    app, child, instance_id=group["instance_id"]
                )
                place = {
                    "run_group_id": group["id"],
                    "instance_id": group["instance_id"],
                    "repetition": repetition,
                    "options": prepared.detail["options"],
                }
                found.append((prepared, place))
        return found

    async def _concluded(
        self, parent: RunRecord, rules: list[Mapping[str, Json]]
    ) -> None:
        with suppress(KeyError):  # somebody deletes it at this moment
            await self._conclude(parent, rules)

    async def _conclude(
        self, parent: RunRecord, rules: list[Mapping[str, Json]]
    ) -> None:
        engine = self.desk.engine
        children = []
        for key in parent.detail["children"]:
            try:
                children.append(await engine.ended(PLATFORM, key))
            except KeyError:  # somebody deleted it
                continue
        if parent.state.final:
            return
        candidates = []
        for child in children:
            verdict = await self.verdicts.of(child)
            if verdict.state is State.SUCCEEDED:
                figures = verdict.figures
                # Metrics are the newer word for the same thing.
                both = figures.get("metrics", {}) | figures.get("statistics", {})
                candidates.append(Candidate(child.id, both))
        if candidates:
            best = pick(candidates, rules)
            parent.detail["picked"] = {"best_run_id": best.run_id, "rules": best.steps}
            await self._take_over(parent, best.run_id)
        else:
            parent.detail["ensemble_error"] = "No run of the ensemble succeeded."
        await engine.save(parent)
        await engine.release(PLATFORM, parent.id)

    async def _take_over(self, parent: RunRecord, child_id: str) -> None:
        """Let the output of a run be that of the ensemble."""
        child = self.desk.engine.get(PLATFORM, child_id)
        assert child is not None
        files, group = self.desk.files, run_files(parent.id)
        if child.detail["output"] != FILE:
            data = await self.outputs.data(child)
            await files.put(parent.scope, group, "output", data)
            return
        for name in ("output", *_FILES):
            path = await self.outputs.side_file(child, name)
            if path is not None:
                await files.link(path, parent.scope, group, name)
