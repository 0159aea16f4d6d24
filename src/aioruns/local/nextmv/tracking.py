"""Runs that ran elsewhere, and are only kept here (wire/nextmv.md 3.3.5)."""

import asyncio
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import anyio

from aioruns.local.nextmv.answers import PLATFORM, Refusal, object_of, text_of
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.inputs import given_input, run_files
from aioruns.local.nextmv.presigned import uploaded
from aioruns.local.nextmv.starting import FILE
from aioruns.local.nextmv.submission import LATEST, NOTHING, detail_of, target
from aioruns.local.records import Json, RunRecord

_UPLOADS = {
    "output_upload_id": "output",
    # It carries the log, in spite of its name (wire/nextmv.md 7.2).
    "error_upload_id": "log",
    "statistics_upload_id": "statistics",
    "metrics_upload_id": "metrics",
    "assets_upload_id": "assets",
}
_LINES_AT_ONCE = 1000


async def track(
    desk: Desk, app: str, fields: Mapping[str, Json], instance_id: str | None
) -> RunRecord:
    """Keep a run that is over.

    Args:
        desk: Where to keep it.
        app: The application's id.
        fields: The body of the submission; `result` says how it ended.
        instance_id: What ran, if the client says so.

    Raises:
        Refusal: The result is incomplete, or names uploads that do not exist.
    """
    result = _result(object_of(fields, "result"))
    known = instance_id and instance_id != LATEST
    wanted = target(desk, app, instance_id) if known else NOTHING
    entry = await given_input(desk, app, fields)
    sources = {
        name: await uploaded(desk, app, upload_id, name)
        for key, name in _UPLOADS.items()
        if (upload_id := text_of(object_of(fields, "result"), key))
    }
    detail = detail_of(wanted, fields, entry)
    detail |= {"result": result, "output": FILE}
    detail["run_type"] = {**detail["run_type"], "type": "external"}
    run_id = wanted.run_id()
    await entry.keep(desk, app, run_id)
    for name, path in sources.items():
        await desk.files.link(path, app, run_files(run_id), name)
    record = await desk.engine.submit(
        PLATFORM, run_id, [], scope=app, detail=detail, hold=True
    )
    if "log" in sources:
        await _note_log(desk, record, sources["log"])
    await desk.engine.release(PLATFORM, run_id)
    return record


async def _note_log(desk: Desk, record: RunRecord, log: Path) -> None:
    async with await anyio.open_file(
        log, encoding="utf-8", errors="replace", newline="\n"
    ) as file:
        lines = islice(file.wrapped, _LINES_AT_ONCE)
        while some := await asyncio.to_thread(list, lines):
            for line in some:
                desk.engine.note(record, line.rstrip("\r\n"), stream="stderr")
            lines = islice(file.wrapped, _LINES_AT_ONCE)


def _result(sent: dict[str, Json]) -> dict[str, Json]:
    status = text_of(sent, "status")
    if status not in {"succeeded", "failed"}:
        raise Refusal(
            400, "`result.status` of an external run must be succeeded or failed."
        )
    error = text_of(sent, "error_message")
    if error and status == "succeeded":
        raise Refusal(400, "An external run with an `error_message` has failed.")
    took = sent.get("execution_duration")
    if took is not None and (type(took) is not int or took < 0):
        raise Refusal(400, "`result.execution_duration` must be whole milliseconds.")
    if status == "failed":
        error = error or "The external run failed."
    return {"status": status, "error_message": error, "execution_duration": took}
