"""Batch experiments, and scenario tests, which are batches of another type."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from attrs import define

from aioruns.local.nextmv.answers import Refusal, answer, json_object, text_of
from aioruns.local.nextmv.desk import Route
from aioruns.local.nextmv.distributions import numbers_of
from aioruns.local.nextmv.experiments import (
    CANCELED,
    COMPLETED,
    DRAFT,
    FAILED,
    STARTED,
    Experiments,
    shown,
)
from aioruns.local.nextmv.launching import Launcher
from aioruns.local.nextmv.pages import cut, wants_pages
from aioruns.local.nextmv.planning import instance_ids_of, option_sets_of, planned
from aioruns.local.nextmv.summaries import grouped_summaries
from aioruns.local.records import Json, RunRecord, State

_TYPES = ("batch", "scenario")


@define
class Batches:
    """The handlers for batch experiments.

    The runs say how far a batch is: it is `started` as long as one of them has not
    ended, then `completed`, or `failed` if none succeeded, or `canceled` if all were.
    Without runs it is a `draft`.
    """

    book: Experiments
    launcher: Launcher

    def routes(self) -> list[Route]:
        """Everything below `experiments/batch`."""
        book = self.book
        return [
            ("GET", book.many, self.all),
            ("POST", book.many, self.new),
            ("GET", book.one, self.read),
            ("PATCH", book.one, self.update),
            ("DELETE", book.one, self.delete),
            ("GET", f"{book.one}/metadata", self.metadata),
            ("GET", f"{book.one}/runs", self.runs),
        ]

    async def new(self, request: web.Request) -> web.Response:
        """Make a batch and queue its runs; all that they name must exist."""
        app = self.book.desk.application(request)
        fields = await json_object(request)
        batch = self.book.new(app, fields)
        kind = text_of(fields, "type") or "batch"
        if kind not in _TYPES:
            raise Refusal(400, f"`type` must be one of {_TYPES}, and is '{kind}'.")
        with self.book.busy(app, batch["id"]):
            runs = planned(self.book.desk, app, fields)
            sets = option_sets_of(fields)
            content_type = text_of(fields, "content_type")
            prepared = await self.launcher.prepare(app, runs, sets, content_type)
            named = dict.fromkeys(r.instance_id for r in runs if r.instance_id)
            batch |= {
                "type": kind,
                "option_sets": sets,
                "input_set_id": text_of(fields, "input_set_id"),
                "instance_ids": list(named) or instance_ids_of(fields),
                "requested": len(runs),
                "launched": False,
            }
        await self.launcher.launch(app, batch, prepared)
        return answer(await self._full(app, batch))

    async def all(self, request: web.Request) -> web.Response:
        """List, of one `type` or of all."""
        app = self.book.desk.application(request)
        kind = request.query.get("type")
        rows = {
            key: batch
            for key, batch in self.book.all(app).items()
            if kind is None or batch["type"] == kind
        }
        part, following = cut(request, list(rows), self.book.desk.settings.page_size)
        members = self.book.runs_by_experiment(app)
        items = [
            await self._metadata(app, batch, members.get(batch["id"], []))
            for batch in list(rows.values())[part]
        ]
        if not wants_pages(request):
            return answer(items)
        return answer({"items": items, "next_page_token": following})

    async def read(self, request: web.Request) -> web.Response:
        """BatchExperiment, without its runs."""
        app, batch = self.book.found(request)
        return answer(await self._full(app, batch))

    async def metadata(self, request: web.Request) -> web.Response:
        """BatchExperimentMetadata: how far it is."""
        app, batch = self.book.found(request)
        records = self.book.runs(app, batch["id"])
        return answer(await self._metadata(app, batch, records))

    async def runs(self, request: web.Request) -> web.Response:
        """All its runs, in one answer."""
        app, batch = self.book.found(request)
        return answer(await self.book.run_rows(self.book.runs(app, batch["id"])))

    async def update(self, request: web.Request) -> web.Response:
        """Change name and description."""
        app, batch = await self.book.rename(request)
        records = self.book.runs(app, batch["id"])
        return answer(await self._metadata(app, batch, records))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete it with its runs."""
        app, batch = self.book.found(request)
        await self.remove(app, batch)
        return web.Response(status=204)

    async def remove(self, app: str, batch: dict[str, Json]) -> None:
        """Delete a batch with its runs, also one whose runs are being queued."""
        await self.launcher.stop(app, batch["id"])
        await self.book.remove(app, batch)

    async def status(
        self, app: str, batch: Mapping[str, Json], records: Sequence[RunRecord]
    ) -> str:
        """ExperimentStatus, from the runs of the batch."""
        if going := self.book.going(app, batch):
            return going
        if (cut_short := self.launcher.cut_short(app, batch["id"])) is not None:
            return FAILED if cut_short else STARTED
        if not records:
            return COMPLETED if batch["requested"] else DRAFT
        if not all(record.state.final for record in records):
            return STARTED
        states = {(await self.book.verdicts.of(record)).state for record in records}
        if State.SUCCEEDED in states:
            return COMPLETED
        return CANCELED if states == {State.CANCELED} else FAILED

    async def _metadata(
        self, app: str, batch: Mapping[str, Json], records: Sequence[RunRecord]
    ) -> dict[str, Json]:
        return {
            **shown(batch, "type", "option_sets"),
            "status": await self.status(app, batch, records),
            "number_of_requested_runs": batch["requested"],
            "number_of_runs": len(records),
            "number_of_completed_runs": sum(r.state.final for r in records),
        }

    async def _full(self, app: str, batch: Mapping[str, Json]) -> dict[str, Json]:
        records = self.book.runs(app, batch["id"])
        return {
            **await self._metadata(app, batch, records),
            # The official model wants both even of a scenario test.
            # wire/nextmv.md 4.5
            "input_set_id": batch["input_set_id"],
            "instance_ids": batch["instance_ids"],
            "grouped_distributional_summaries": grouped_summaries(
                await self.measured(records)
            ),
        }

    async def measured(
        self, records: Sequence[RunRecord]
    ) -> list[tuple[RunRecord, dict[str, float]]]:
        """The runs that succeeded, each with its numbers."""
        found = []
        for record in records:
            verdict = await self.book.verdicts.of(record)
            if verdict.state is State.SUCCEEDED:
                found.append((record, numbers_of(verdict.figures)))
        return found
