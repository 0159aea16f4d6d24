"""What clients read of one run: metadata, result, input, output, logs."""

import secrets

from aiohttp import web
from attrs import frozen

from aioruns.local.faults import suffers
from aioruns.local.nextmv.answers import (
    INLINE_LIMIT,
    PLATFORM,
    Refusal,
    answer,
    parsed,
    rfc3339,
)
from aioruns.local.nextmv.assets import asset_download, asset_rows
from aioruns.local.nextmv.desk import Desk, Route
from aioruns.local.nextmv.inputs import run_files, run_input
from aioruns.local.nextmv.outputs import ARCHIVE_TYPE, CONTENT_TYPES, Outputs
from aioruns.local.nextmv.pages import token, untoken
from aioruns.local.nextmv.presigned import download_url
from aioruns.local.nextmv.runs import RUN, found
from aioruns.local.nextmv.starting import MAIN
from aioruns.local.nextmv.verdicts import Verdict, Verdicts
from aioruns.local.nextmv.views import information
from aioruns.local.records import Json, RunRecord, State

_LOG = ("stderr",)
"""Standard output is the run's output; the log is what it wrote beside that."""


def _wants_url(request: web.Request) -> bool:
    return request.query.get("format") == "url"


@frozen
class Reading:
    """The handlers that read one run."""

    desk: Desk
    verdicts: Verdicts
    outputs: Outputs

    def routes(self) -> list[Route]:
        """All below one run."""
        return [
            ("GET", RUN, self.result),
            ("GET", f"{RUN}/metadata", self.metadata),
            ("GET", f"{RUN}/input", self.input),
            ("GET", f"{RUN}/output", self.output),
            ("GET", f"{RUN}/logs", self.logs),
            ("GET", f"{RUN}/logs/live", self.live),
            ("GET", f"{RUN}/assets", self.assets),
            ("GET", f"{RUN}/assets/{{asset}}", self.asset),
            ("GET", f"{RUN}/ensemble", self.ensemble),
        ]

    async def metadata(self, request: web.Request) -> web.Response:
        """RunInformation."""
        record = found(self.desk, request)
        return answer(information(record, await self.verdicts.of(record)))

    async def result(self, request: web.Request) -> web.Response:
        """RunResult: with the output of a success, with the error log of a failure."""
        record = found(self.desk, request)
        verdict = await self.verdicts.of(record)
        body = information(record, verdict)
        if verdict.state is State.SUCCEEDED:
            if await self.outputs.size(record) is not None:
                body["output"] = await self._output(request, record, verdict)
        elif verdict.state is State.FAILED:
            body["error_log"] = await self._error_log(record, verdict.error)
        return answer(body)

    async def input(self, request: web.Request) -> web.StreamResponse:
        """The input as it was given, or where to fetch it."""
        record = found(self.desk, request)
        kind = record.detail["format"]["input"]["type"]
        content_type = CONTENT_TYPES.get(kind, ARCHIVE_TYPE)
        path = await run_input(self.desk, record.scope, record.id)
        if path is None:
            raise Refusal(404, f"Run '{record.id}' has no input.")
        if _wants_url(request):
            group = run_files(record.id)
            url = download_url(self.desk, content_type, record.scope, group, "input")
            return answer({"url": url})
        _check_inline(record.detail["input_size"])
        return web.FileResponse(path, headers={"Content-Type": content_type})

    async def output(self, request: web.Request) -> web.Response:
        """The output, or where to fetch it."""
        record = found(self.desk, request)
        verdict = await self.verdicts.of(record)
        has = verdict.state is State.SUCCEEDED or record.detail.get("result")
        if not has or await self.outputs.size(record) is None:
            raise Refusal(
                404, f"Run '{record.id}' has no output: it is {verdict.state.value}."
            )
        if _wants_url(request):
            return answer({"url": self.outputs.url(record)})
        _check_inline(verdict.output_size)
        kind = record.detail["format"]["output"]["type"]
        data = await self.outputs.data(record)
        return web.Response(
            body=data, content_type=CONTENT_TYPES.get(kind, ARCHIVE_TYPE)
        )

    async def _output(
        self, request: web.Request, record: RunRecord, verdict: Verdict
    ) -> Json:
        kind = record.detail["format"]["output"]["type"]
        # Only JSON fits into the answer; for the rest clients ask for a URL.
        if _wants_url(request) or kind != "json":
            return {"url": self.outputs.url(record)}
        _check_inline(verdict.output_size)
        try:
            return await parsed(await self.outputs.data(record))
        except ValueError:  # a tracked run may have uploaded anything
            return {"url": self.outputs.url(record)}

    async def _error_log(self, record: RunRecord, error: str) -> dict[str, Json]:
        stdout = await self.outputs.printed(record)
        return {
            "error": error,
            "stdout": stdout[:INLINE_LIMIT].decode(errors="replace"),
            "stderr": await self._log(record),
        }

    async def _log(self, record: RunRecord) -> str:
        lines = await self.desk.engine.lines(
            PLATFORM, record.id, task=MAIN, streams=_LOG
        )
        return "".join(f"{line.text}\n" for _, line in lines)

    async def logs(self, request: web.Request) -> web.Response:
        """The whole log as one string."""
        record = found(self.desk, request)
        return answer({"log": await self._log(record)})

    async def live(self, request: web.Request) -> web.Response:
        """One page of the log, and when to come again (wire/nextmv.md 3.3.3)."""
        record = found(self.desk, request)
        # The state first: what was written before a final state is then in the page,
        # or behind its token.
        verdict = await self.verdicts.of(record)
        after = 0
        place = f"{record.id}/logs"
        if since := request.query.get("since"):
            match untoken(since, place):
                case [int(serial), *_]:
                    after = serial
                case _:
                    raise Refusal(400, "`since` is not a token that these logs gave.")
        size = self.desk.settings.page_size
        lines = await self.desk.engine.lines(
            PLATFORM, record.id, task=MAIN, streams=_LOG, after=after, limit=size
        )
        if suffers("empty-page") and not verdict.state.final:
            lines = []
        full = len(lines) == size
        body: dict[str, Json] = {
            "items": [
                {"timestamp": rfc3339(line.time, "microseconds"), "log": line.text}
                for _, line in lines
            ],
            "status_v2": verdict.state.value,
            "next_available_in_seconds": 0 if full else self.desk.live_delay,
        }
        if full or not suffers("no-token"):  # what is there is always to be had
            serial = lines[-1][1].serial if lines else after
            salt = (secrets.token_hex(4),) if suffers("new-token") else ()
            body["next_page_token"] = token(place, serial, *salt)
        return answer(body)

    async def assets(self, request: web.Request) -> web.Response:
        """What the run shows beside its solution."""
        record = found(self.desk, request)
        await self.verdicts.of(record)  # looks for assets
        return answer({"items": asset_rows(record)})

    async def asset(self, request: web.Request) -> web.Response:
        """Where to fetch one asset."""
        record = found(self.desk, request)
        await self.verdicts.of(record)
        return answer(asset_download(self.desk, record, request.match_info["asset"]))

    async def ensemble(self, request: web.Request) -> web.Response:
        """The runs of an ensemble, and which of them is its result."""
        record = found(self.desk, request)
        if "children" not in record.detail:
            raise Refusal(404, f"Run '{record.id}' is no ensemble run.")
        children = [
            self.desk.engine.get(PLATFORM, key) for key in record.detail["children"]
        ]
        rows = [
            {"run_id": child.id, "status_v2": (await self.verdicts.of(child)).state}
            | child.detail["ensemble"]
            for child in children
            if child is not None
        ]
        definition = record.detail["run_type"]["definition_id"]
        told = {"run_id": record.id, "definition_id": definition, "runs": rows}
        return answer(told | record.detail.get("picked", {}))


def _check_inline(size: int) -> None:
    if size > INLINE_LIMIT:
        raise Refusal(
            400,
            f"This has {size} bytes, more than the {INLINE_LIMIT} that fit into an "
            "answer: ask again with `format=url`.",
        )
