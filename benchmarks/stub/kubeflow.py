"""Kubeflow's answers: listings, one run, a pod's log, submissions."""

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from benchmarks.stub import made, shapes

RUNS = 10_000
_PLACE = "00000000-0000-4000-8000-000000000000"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_SECONDS_A_PART = 4
"""Seconds of log in one part of an answer; the server sends about 32 KB at once."""


def _run(status: str, finished: str) -> dict[str, object]:
    return {
        "id": _PLACE,
        "name": "train-7 [0123456789abcdef0123456789abcdef]",
        "description": "nightly training on the data of the last week",
        "pipeline_spec": {
            "pipeline_id": "0e5e6a5f-0000-4000-8000-000000000001",
            "pipeline_name": "train",
            "parameters": [
                {"name": "lr", "value": "0.1"},
                {"name": "epochs", "value": "30"},
                {"name": "data", "value": "s3://bucket/2026/01/part"},
            ],
        },
        "resource_references": [
            {
                "key": {
                    "type": "EXPERIMENT",
                    "id": "5b2c8f10-0000-4000-8000-000000000002",
                },
                "name": "Default",
                "relationship": "OWNER",
            },
            {
                "key": {
                    "type": "PIPELINE_VERSION",
                    "id": "9d1f7a33-0000-4000-8000-000000000003",
                },
                "name": "train-v3",
                "relationship": "CREATOR",
            },
        ],
        "service_account": "pipeline-runner",
        "created_at": "2026-01-01T00:00:00Z",
        "scheduled_at": "1970-01-01T00:00:00Z",
        "finished_at": finished,
        "status": status,
    }


def _detail(status: str, finished: str, nodes: int) -> bytes:
    run = _run(status, finished)
    spec = run["pipeline_spec"]
    assert isinstance(spec, dict)  # noqa: S101 - narrows
    spec["workflow_manifest"] = json.dumps({"spec": {"templates": ["x" * 2000]}})
    pods: dict[str, dict[str, object]] = {
        f"train-x7k2p-{number}": {
            "id": f"train-x7k2p-{number}",
            "name": f"train-x7k2p.step-{number}",
            "displayName": f"step-{number}",
            "type": "Pod",
            "templateName": "fit",
            "phase": status if number == 1 else "Omitted",
            "boundaryID": "train-x7k2p",
            "startedAt": "2026-01-01T00:00:05Z",
            "finishedAt": "2026-01-01T00:07:31Z" if status == "Succeeded" else None,
            "children": [],
        }
        for number in range(1, nodes + 1)
        if number == 1 or status != "Succeeded"
    }
    manifest = {
        "metadata": {
            "name": "train-x7k2p",
            "labels": {"pipeline/runid": _PLACE},
            "annotations": {"workflows.argoproj.io/pod-name-format": "v1"},
        },
        "spec": {"templates": ["y" * 2000]},
        "status": {
            "phase": status,
            "startedAt": "2026-01-01T00:00:05Z",
            "finishedAt": "2026-01-01T00:07:31Z" if status == "Succeeded" else None,
            "nodes": pods,
        },
    }
    return json.dumps(
        {"run": run, "pipeline_runtime": {"workflow_manifest": json.dumps(manifest)}}
    ).encode()


_NEVER = "1970-01-01T00:00:00Z"
_ROW = json.dumps(_run("Running", _NEVER), separators=(",", ":")).encode()
_RUNNING = _detail("Running", _NEVER, 22)
_ENDED = _detail("Succeeded", "2026-01-01T00:07:31Z", 1)
_MADE = _ROW.replace(b'"Running"', b'"Succeeded"').replace(
    b'"finished_at":"1970-01-01T00:00:00Z"', b'"finished_at":"2026-01-01T00:07:31Z"'
)
_rows: dict[str, bytes] = {}
_LINES = b"".join(
    shapes.message(line, 80).encode() + b"\n" for line in range(shapes.LINES)
)


def answer(method: str, path: str, query: str, given: bytes) -> bytes | Iterator[bytes]:
    """The body for a path below `/apis/`; a log comes in parts."""
    if path.endswith("/healthz"):
        return b'{"commit_sha":"0e5e6a5f","tag_name":"2.5.0","multi_user":false}'
    parts = path.split("/")
    if parts[-1] == "log":
        return _log(shapes.pages_of(parts[4]))
    if method == "POST":
        return _created(given)
    if len(parts) == 4:
        return _listed(query)
    ended = parts[4].startswith("log-") or made.knows(parts[4])
    template = _ENDED if ended else _RUNNING
    return template.replace(_PLACE.encode(), parts[4].encode())


def _created(given: bytes) -> bytes:
    """A run; it has the id that the client chose, if it did."""
    found = _ID.search(given)
    if found is None:
        return _RUNNING
    if made.SWEEP_UUID.encode() in given:
        made.add(found[1].decode())
    return _RUNNING.replace(_PLACE.encode(), found[1])


def _listed(query: str) -> bytes:
    asked = shapes.pairs(query)
    if given := asked.get("filter"):
        ids = _UUID.findall(unquote(given[0]))
        return b'{"runs":[%b],"total_size":%d}' % (_joined(ids), len(ids))
    size = min(200, int(asked.get("page_size", ["20"])[0]))
    at = int(asked.get("page_token", ["0"])[0] or 0)
    newest = RUNS - 1 - at
    ids = [shapes.run_id(n) for n in range(newest, max(-1, newest - size), -1)]
    more = b',"next_page_token":"%d"' % (at + size) if at + size < RUNS else b""
    return b'{"runs":[%b],"total_size":%d%b}' % (_joined(ids), RUNS, more)


def _joined(ids: list[str]) -> bytes:
    if made.any_there():
        return b",".join([_MADE.replace(_PLACE.encode(), one.encode()) for one in ids])
    for one in ids:
        if one not in _rows:
            _rows[one] = _ROW.replace(_PLACE.encode(), one.encode())
    return b",".join([_rows[one] for one in ids])


def _log(seconds: int) -> Iterator[bytes]:
    for first in range(0, seconds, _SECONDS_A_PART):
        last = min(first + _SECONDS_A_PART, seconds)
        yield b"".join(shapes.fill(_LINES, number) for number in range(first, last))
