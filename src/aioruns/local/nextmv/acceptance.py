"""Acceptance tests: a batch experiment, judged by metrics (wire/nextmv.md 3.6)."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from attrs import define

from aioruns.local.nextmv.answers import (
    Refusal,
    answer,
    json_object,
    object_of,
    text_of,
)
from aioruns.local.nextmv.batches import Batches
from aioruns.local.nextmv.desk import Route
from aioruns.local.nextmv.experiments import COMPLETED, FAILED, Experiments, shown
from aioruns.local.nextmv.judging import Side, metrics_of, results
from aioruns.local.nextmv.pages import cut, wants_pages
from aioruns.local.nextmv.submission import target
from aioruns.local.records import Json, RunRecord


@define
class Acceptances:
    """The handlers for acceptance tests.

    A test has the status of its batch, and results as soon as that has ended. They are
    worked out from the runs whenever somebody asks.
    """

    book: Experiments
    batches: Batches

    def routes(self) -> list[Route]:
        """Everything below `experiments/acceptance`."""
        book = self.book
        return [
            ("GET", book.many, self.all),
            ("POST", book.many, self.new),
            ("GET", book.one, self.read),
            ("PATCH", book.one, self.update),
            ("DELETE", book.one, self.delete),
        ]

    async def new(self, request: web.Request) -> web.Response:
        """Judge an existing batch, which must have the id of the test."""
        app = self.book.desk.application(request)
        fields = await json_object(request)
        experiment = text_of(fields, "experiment_id")
        test = self.book.new(app, {**fields, "id": fields.get("id") or experiment})
        if not experiment or experiment != test["id"]:
            raise Refusal(
                400,
                f"`experiment_id` must be the id of the test, '{test['id']}', and is "
                f"'{experiment}': both are one experiment.",
            )
        if self.batches.book.get(app, experiment) is None:
            raise Refusal(
                404,
                f"Application '{app}' has no batch experiment '{experiment}': make it "
                "before its acceptance test.",
            )
        test |= {
            "experiment_id": experiment,
            "control": self._instance(app, fields, "control"),
            "candidate": self._instance(app, fields, "candidate"),
            "metrics": metrics_of(fields),
        }
        await self.book.keep(app, test)
        return answer(await self._told(app, test))

    def _instance(
        self, app: str, fields: Mapping[str, Json], key: str
    ) -> dict[str, Json]:
        given = object_of(fields, key)
        instance_id = text_of(given, "instance_id")
        if not instance_id:
            raise Refusal(400, f"`{key}` must have an `instance_id`.")
        version_id = text_of(given, "version_id")
        if not version_id:
            version_id = target(self.book.desk, app, instance_id).version_id
        return {"instance_id": instance_id, "version_id": version_id}

    async def all(self, request: web.Request) -> web.Response:
        """List."""
        app = self.book.desk.application(request)
        rows = self.book.all(app)
        part, following = cut(request, list(rows), self.book.desk.settings.page_size)
        items = [await self._told(app, test) for test in list(rows.values())[part]]
        if not wants_pages(request):
            return answer(items)
        return answer({"items": items, "next_page_token": following})

    async def read(self, request: web.Request) -> web.Response:
        """AcceptanceTest, with results if they can be known."""
        app, test = self.book.found(request)
        return answer(await self._told(app, test))

    async def update(self, request: web.Request) -> web.Response:
        """Change name and description."""
        app, test = await self.book.rename(request)
        return answer(await self._told(app, test))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete it with its batch and the runs of that."""
        app, test = self.book.found(request)
        batch = self.batches.book.get(app, test["experiment_id"])
        if batch is not None:
            await self.batches.remove(app, batch)
        await self.book.remove(app, test)
        return web.Response(status=204)

    async def _told(self, app: str, test: dict[str, Json]) -> dict[str, Json]:
        told = shown(test, "experiment_id", "control", "candidate", "metrics")
        batch = self.batches.book.get(app, test["experiment_id"])
        if batch is None:
            error = f"Its batch experiment '{test['experiment_id']}' was deleted."
            return told | {"status": FAILED, "results": _not_passed(error)}
        records = self.batches.book.runs(app, batch["id"])
        status = await self.batches.status(app, batch, records)
        told["status"] = status
        if status == FAILED:
            error = "The batch experiment failed: none of its runs succeeded."
            told["results"] = _not_passed(error)
        elif status == COMPLETED:
            told["results"] = results(
                test["metrics"],
                await self._side(test["control"], records),
                await self._side(test["candidate"], records),
            )
            if "error" in told["results"]:
                told["status"] = FAILED
        return told

    async def _side(
        self, instance: dict[str, Json], records: Sequence[RunRecord]
    ) -> Side:
        wanted = instance["instance_id"]
        own = [r for r in records if r.detail["instance_id"] == wanted]
        measured = await self.batches.measured(own)
        return Side(instance, len(own), [numbers for _, numbers in measured])


def _not_passed(error: str) -> dict[str, Json]:
    return {"passed": False, "metric_results": [], "error": error}
