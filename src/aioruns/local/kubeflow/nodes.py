"""What a run's nodes wrote: the log text and the artifacts."""

import asyncio
import base64
import gzip
import io
import json
import tarfile
from pathlib import PurePosixPath

from aiohttp import web

from aioruns.local.faults import suffers
from aioruns.local.kubeflow.calls import Call
from aioruns.local.kubeflow.errors import FORBIDDEN, NOT_FOUND, Refusal, dumps
from aioruns.local.kubeflow.installation import PLATFORM, Installation
from aioruns.local.kubeflow.rows import detail
from aioruns.local.records import Json

_PIECE = 2048
"""Bytes up to which an answer has a length; more is sent in pieces."""


async def log(service: Installation, request: web.Request) -> web.StreamResponse:
    """The text so far, always with status 200 (wire/kubeflow.md 6.3).

    `follow` has no effect, and nobody is asked who they are.
    """
    data = await _log_text(
        service, request.match_info["run_id"], request.match_info["node_id"]
    )
    if not data or suffers("drop-after"):
        return web.Response()  # nothing to guess a content type from
    if len(data) <= _PIECE:
        return web.Response(body=data, content_type="text/plain", charset="utf-8")
    response = web.StreamResponse()
    response.content_type, response.charset = "text/plain", "utf-8"
    response.enable_chunked_encoding()
    await response.prepare(request)
    for start in range(0, len(data), _PIECE):
        if suffers("truncate") and start >= len(data) // 2:
            return response  # whoever injects the fault closes the connection
        await response.write(data[start : start + _PIECE])
    await response.write_eof()
    return response


async def _log_text(service: Installation, run_id: str, node_id: str) -> bytes:
    record = service.find(run_id)
    if record is None:
        return _log_error(f"Run {run_id} not found.")
    for node in detail(record)["nodes"]:
        if node["pod"] == node_id:
            break
    else:
        return _log_error(f'pods "{node_id}" not found')
    started = record.tasks[node["task"]].started
    if started is None:
        return _log_error(f'container "main" in pod "{node_id}" has not started')
    lines = await service.engine.lines(
        PLATFORM, run_id, task=node["task"], streams=("stdout", "stderr")
    )
    # A retry deletes the pods of failed steps: the new pod's log starts empty.
    shown = [line for _, line in lines if line.time >= started]
    # wire/kubeflow.md 6.3: a pod's own line breaks, and those of its archived log.
    ending = "\r\n" if suffers("crlf-log") else "\n"
    data = "".join(f"{line.text}{ending}" for line in shown).encode()
    if suffers("cut-log"):
        data = data[: len(data) * 2 // 3] + _log_error("unexpected EOF")
    return data


def _log_error(reason: str) -> bytes:
    message = f"Failed to read logs: {reason}"
    error = {"error_message": message, "error_details": message}
    return json.dumps(error, separators=(",", ":")).encode()


async def read_artifact(call: Call) -> Json:
    """GET /runs/{id}/nodes/{n}/artifacts/{a}:read (wire/kubeflow.md 2.9)."""
    try:
        data = await _artifact(call)
    except Refusal as refusal:
        if call.service.generation == "G3":
            return _plain_error(refusal)
        raise
    answer = {"data": base64.b64encode(data).decode()}
    if call.service.generation != "G3":
        return answer
    # From 2.15 on no gateway is involved, hence no gRPC header.
    body = dumps(call.service.generation, answer)
    if "cut-artifacts" in call.service.defects:
        body = body[: len(body) // 2]
    return web.Response(body=body, content_type="application/json")


async def _artifact(call: Call) -> bytes:
    if "forbidden-artifacts" in call.service.defects:
        raise Refusal(FORBIDDEN, "There is no user identity to authorize.")
    record, name = call.run("readArtifact"), call.ids["artifact"]
    for node in detail(record)["nodes"]:
        path = node["artifacts"].get(name)
        if node["id"] == call.ids["node_id"] and path is not None:
            engine = call.service.engine
            data = await engine.kept(PLATFORM, record.id, node["task"], path)
            if data is not None:
                return await asyncio.to_thread(_archive, path, data)
    raise Refusal(NOT_FOUND, f"Artifact {name} not found.")


def _archive(path: str, data: bytes) -> bytes:
    """A gzip-compressed tar with the one file, as Argo stores artifacts."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(PurePosixPath(path).name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def _plain_error(refusal: Refusal) -> web.Response:
    body = {"error_message": refusal.message, "error_details": refusal.message}
    status = {NOT_FOUND: 404, FORBIDDEN: 403}.get(refusal.code, 500)
    return web.Response(status=status, text=json.dumps(body))
