"""What clients read of one run: metadata, result, input, output, logs."""

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import (
    INLINE_LIMIT,
    PLATFORM,
    Refusal,
    answer,
    parsed,
    rfc3339,
)
from aioruns.local.nextmv.desk import Desk, Route
from aioruns.local.nextmv.pages import token, untoken
from aioruns.local.nextmv.presigned import signed_url
from aioruns.local.nextmv.runs import MAIN, RUN, found
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.nextmv.views import information
from aioruns.local.records import Json, RunRecord, State

_LOG = ("stderr",)
"""Standard output is the run's output; the log is what it wrote beside that."""

_TYPES = {"json": "application/json", "text": "text/plain"}


def _wants_url(request: web.Request) -> bool:
    return request.query.get("format") == "url"


@frozen
class Reading:
    """The handlers that read one run."""

    desk: Desk
    verdicts: Verdicts

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
            body["output"] = await self._output(request, record)
        elif verdict.state is State.FAILED:
            body["error_log"] = await self._error_log(record, verdict.error)
        return answer(body)

    async def input(self, request: web.Request) -> web.Response:
        """The input as it was given, or where to fetch it."""
        record = found(self.desk, request)
        key = record.detail["input_blob"]
        kind = record.detail["format"]["input"]["type"]
        if _wants_url(request):
            return answer({"url": self._url("input", key, kind)})
        data = await self.desk.engine.blob(PLATFORM, key)
        return _inline(data or b"", kind)

    async def output(self, request: web.Request) -> web.Response:
        """The output of a success, or where to fetch it."""
        record = found(self.desk, request)
        verdict = await self.verdicts.of(record)
        if verdict.state is not State.SUCCEEDED:
            raise Refusal(
                404, f"Run '{record.id}' has no output: it is {verdict.state.value}."
            )
        kind = record.detail["format"]["output"]["type"]
        if _wants_url(request):
            return answer({"url": self._url("output", record.id, kind)})
        data = await self.desk.engine.stdout(PLATFORM, record.id)
        return _inline(data or b"", kind)

    async def _output(self, request: web.Request, record: RunRecord) -> Json:
        kind = record.detail["format"]["output"]["type"]
        # Only JSON fits into the answer; for the rest clients ask for a URL.
        if _wants_url(request) or kind != "json":
            return {"url": self._url("output", record.id, kind)}
        data = await self.desk.engine.stdout(PLATFORM, record.id) or b""
        _check_inline(data)
        return await parsed(data)

    def _url(self, what: str, key: str, kind: str) -> str:
        return signed_url(self.desk, "downloads", what, key, _TYPES[kind])

    async def _error_log(self, record: RunRecord, error: str) -> dict[str, Json]:
        stdout = await self.desk.engine.stdout(PLATFORM, record.id) or b""
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
                case [int(serial)]:
                    after = serial
                case _:
                    raise Refusal(400, "`since` is not a token that these logs gave.")
        size = self.desk.settings.page_size
        lines = await self.desk.engine.lines(
            PLATFORM, record.id, task=MAIN, streams=_LOG, after=after, limit=size
        )
        full = len(lines) == size
        return answer(
            {
                "items": [
                    {"timestamp": rfc3339(line.time, "microseconds"), "log": line.text}
                    for _, line in lines
                ],
                "status_v2": verdict.state.value,
                "next_page_token": token(
                    place, lines[-1][1].serial if lines else after
                ),
                "next_available_in_seconds": 0 if full else self.desk.live_delay,
            }
        )

    async def assets(self, request: web.Request) -> web.Response:
        """No run has assets here."""
        found(self.desk, request)
        return answer({"items": []})


def _check_inline(data: bytes) -> None:
    if len(data) > INLINE_LIMIT:
        raise Refusal(
            400,
            f"This has {len(data)} bytes, more than the {INLINE_LIMIT} that fit into "
            "an answer: ask again with `format=url`.",
        )


def _inline(data: bytes, kind: str) -> web.Response:
    _check_inline(data)
    return web.Response(body=data, content_type=_TYPES[kind])
