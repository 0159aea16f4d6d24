"""Runs: started, listed, renamed, canceled, deleted, and the account's queue."""

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import (
    PLATFORM,
    Refusal,
    answer,
    json_object,
    text_of,
)
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.ensembles import EnsembleRuns
from aioruns.local.nextmv.mirroring import Mirror
from aioruns.local.nextmv.pages import cut, wants_pages
from aioruns.local.nextmv.removing import remove
from aioruns.local.nextmv.starting import Starter
from aioruns.local.nextmv.submission import run_type_of
from aioruns.local.nextmv.tracking import track
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.nextmv.views import listed, queued
from aioruns.local.records import Json, RunRecord

RUNS = f"{APPLICATION}/runs"
RUN = f"{RUNS}/{{run}}"


def found(desk: Desk, request: web.Request) -> RunRecord:
    """The run that the path names, or a Refusal (404)."""
    app = desk.application(request)
    key = request.match_info["run"]
    record = desk.engine.get(PLATFORM, key)
    if record is None or record.scope != app:
        raise Refusal(404, f"Application '{app}' has no run '{key}'.")
    return record


@frozen
class Runs:
    """The handlers that change runs, and their lists."""

    desk: Desk
    starter: Starter
    ensembles: EnsembleRuns
    mirror: Mirror
    verdicts: Verdicts

    def routes(self) -> list[Route]:
        """Everything that does not read one run."""
        return [
            ("GET", RUNS, self.all),
            ("POST", RUNS, self.new),
            ("PUT", RUN, self.rename),
            ("DELETE", RUN, self.delete),
            ("PATCH", f"{RUN}/cancel", self.cancel),
            ("GET", "/v1/account/queue", self.queue),
        ]

    async def new(self, request: web.Request) -> web.Response:
        """Queue a run, or take note of one that ran elsewhere."""
        app = self.desk.application(request)
        fields = await json_object(request)
        instance_id = request.query.get("instance_id")
        kind = run_type_of(fields)["type"]
        if fields.get("result") is not None:
            record = await track(self.desk, app, fields, instance_id)
        elif kind == "ensemble":
            record = await self.ensembles.start(app, fields)
        elif kind == "standard":
            instance_id, own = self.mirror.assigned(app, fields, instance_id)
            prepared = await self.starter.prepare(app, fields, instance_id=instance_id)
            record = await self.starter.start(prepared, own)
            await self.mirror.mirror(record)
        else:
            raise Refusal(400, f"Nobody can start a run of type '{kind}' like this.")
        return answer({"run_id": record.id})

    async def all(self, request: web.Request) -> web.Response:
        """List, newest first."""
        app = self.desk.application(request)
        records = self.desk.engine.runs(PLATFORM, app)[::-1]
        keys = [record.id for record in records]
        part, following = cut(request, keys, self.desk.settings.page_size)
        body: dict[str, Json] = {
            "runs": [
                listed(record, await self.verdicts.of(record))
                for record in records[part]
            ]
        }
        if wants_pages(request):
            body["next_page_token"] = following
        return answer(body)

    async def queue(self, _request: web.Request) -> web.Response:
        """The queued and active runs of all applications, oldest first."""
        records = self.desk.engine.runs(PLATFORM)
        live = [record for record in records if not record.state.final]
        return answer({"runs": [queued(r, await self.verdicts.of(r)) for r in live]})

    async def rename(self, request: web.Request) -> web.Response:
        """Change name and description (wire/nextmv.md 3.13)."""
        record = found(self.desk, request)
        fields = await json_object(request)
        for key in ("name", "description"):
            if fields.get(key) is not None:
                record.detail[key] = text_of(fields, key)
        await self.desk.engine.save(record)
        return answer(listed(record, await self.verdicts.of(record)))

    async def cancel(self, request: web.Request) -> web.Response:
        """Ask a run to end; no effect at its end."""
        record = found(self.desk, request)
        for key in (record.id, *record.detail.get("children", ())):
            if self.desk.engine.get(PLATFORM, key) is not None:
                await self.desk.engine.cancel(PLATFORM, key)
        return answer({})

    async def delete(self, request: web.Request) -> web.Response:
        """Forget a run, and those of an ensemble with it; live ones are canceled."""
        record = found(self.desk, request)
        await remove(self.desk, self.verdicts, record)
        return web.Response(status=204)
