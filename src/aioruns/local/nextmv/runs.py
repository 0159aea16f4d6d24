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
from aioruns.local.nextmv.binaries import Binaries
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.pages import cut, wants_pages
from aioruns.local.nextmv.presigned import upload_blob
from aioruns.local.nextmv.submission import detail_of, stdin_of, target
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.nextmv.views import listed, queued
from aioruns.local.records import Json, RunRecord, Task

RUNS = f"{APPLICATION}/runs"
RUN = f"{RUNS}/{{run}}"
MAIN = "main"
"""The one task of every run."""


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
    binaries: Binaries
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
        """Queue a run."""
        app = self.desk.application(request)
        fields = await json_object(request)
        wanted = target(self.desk, app, request.query.get("instance_id"))
        detail = detail_of(wanted, fields)
        stdin = await stdin_of(self.desk, app, fields)
        options: dict[str, str] = detail["options"]
        program = await self.binaries.program(app, wanted.binary["id"], options)
        run_id = wanted.run_id()
        detail["input_size"] = len(stdin)
        detail["input_blob"] = await self._kept(app, run_id, fields, stdin)
        task = Task(MAIN, program, stdin, {} if _takes_arguments(program) else options)
        await self.desk.engine.submit(
            PLATFORM, run_id, [task], scope=app, detail=detail
        )
        return answer({"run_id": run_id})

    async def _kept(
        self, app: str, run_id: str, fields: dict[str, Json], stdin: bytes
    ) -> str:
        """Under which key the input can be read again."""
        if upload_id := text_of(fields, "upload_id"):
            return upload_blob(app, upload_id)
        key = f"input/{run_id}"
        await self.desk.engine.put_blob(PLATFORM, key, stdin)
        return key

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
        await self.desk.engine.cancel(PLATFORM, record.id)
        return answer({})

    async def delete(self, request: web.Request) -> web.Response:
        """Forget a run; a live one is canceled."""
        record = found(self.desk, request)
        await self.desk.engine.remove(PLATFORM, record.id)
        self.verdicts.forget(record.id)
        return web.Response(status=204)


def _takes_arguments(program: object) -> bool:
    return not callable(program)
