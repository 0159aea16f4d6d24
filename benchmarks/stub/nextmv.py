"""Nextmv's answers: live logs, pages of runs, a run's metadata, submissions."""

import json

from benchmarks.stub import made, shapes

RUNS = 10_000
_PAGE = 50
_LIVE = [
    json.dumps(
        {
            "timestamp": f"{shapes.TIME.decode()}.{line * 10:03d}Z",
            "log": shapes.message(line, 74),
        }
    ).encode()
    for line in range(shapes.LINES)
]


def _row(run_id: str, status: str = "running") -> dict[str, object]:
    return {
        "id": run_id,
        "name": "night-042",
        "description": "[0123456789abcdef0123456789abcdef]",
        "user_email": "dev@example.org",
        "created_at": "2026-01-01T00:00:00.120Z",
        "application_id": "bench",
        "application_instance_id": "staging",
        "application_version_id": "v3",
        "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},
        "execution_class": "6c9500mb870s",
        "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
        "status_v2": status,
        "options": {"solve.duration": "10s", "threads": "4"},
        "queuing_priority": 6,
        "queuing_disabled": False,
    }


def _metadata(run_id: str, status: str) -> bytes:
    options = {"solve.duration": "10s", "threads": "4", "seed": "7"}
    return json.dumps(
        {
            "id": run_id,
            "name": "night-042",
            "description": "[0123456789abcdef0123456789abcdef]",
            "user_email": "dev@example.org",
            "metadata": {
                "application_id": "bench",
                "application_instance_id": "staging",
                "application_version_id": "v3",
                "created_at": "2026-01-01T00:00:00.120Z",
                "initiated_at": "2026-01-01T00:00:02.007Z",
                "duration": 1200,
                "error": "",
                "input_size": 25,
                "output_size": 310,
                "format": {
                    "input": {"type": "json"},
                    "output": {"type": "json"},
                },
                "run_type": {
                    "type": "standard",
                    "definition_id": "",
                    "reference_id": "",
                },
                "execution_class": "6c9500mb870s",
                "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
                "options": {
                    "active_options": options,
                    "options_summary": [
                        {"name": name, "value": value, "source": "run"}
                        for name, value in options.items()
                    ],
                    "request_options": options,
                },
                "status": "running",
                "status_v2": status,
            },
        }
    ).encode()


_PLACE = "00000000-0000-4000-8000-000000000000"
_RUNNING = _metadata(_PLACE, "running")
_ENDED = _metadata(_PLACE, "succeeded")
_MADE = json.dumps(_row(_PLACE, "succeeded"), separators=(",", ":")).encode()
_pages: dict[int, bytes] = {}


def answer(method: str, path: str, query: str, _: bytes) -> bytes:
    """The body for a path below `/v1/applications/bench/` or `.../sweep/`."""
    parts = path.split("/")
    if len(parts) == 5:
        if parts[3] == made.SWEEP:
            return _made(method, query)
        return b'{"run_id":"staging-Qx7dK2pLm"}' if method == "POST" else _listed(query)
    run_id, what = parts[5], parts[-1]
    if what == "live":
        return _live(run_id, query)
    if len(parts) == 6 and made.knows(run_id):
        # The result: what the metadata says, and the output.
        information = _ENDED.replace(_PLACE.encode(), run_id.encode())
        return information[:-1] + b',"output":{"value":7.5,"route":[1,2,3]}}'
    ended = run_id.startswith("log-") or made.knows(run_id)
    template = _ENDED if ended else _RUNNING
    return template.replace(_PLACE.encode(), run_id.encode())


def _made(method: str, query: str) -> bytes:
    """A submission to the application for sweeps, or a page of what was submitted."""
    if method == "POST":
        return b'{"run_id":"%b"}' % made.add().encode()
    token = query.partition("pagetoken=")[2].split("&")[0]
    ids, behind = made.newest(_PAGE, token)
    more = b',"next_page_token":"%b"' % behind.encode() if behind else b""
    rows = b",".join([_MADE.replace(_PLACE.encode(), one.encode()) for one in ids])
    return b'{"runs":[%b]%b}' % (rows, more)


def _live(run_id: str, query: str) -> bytes:
    pages = shapes.pages_of(run_id)
    page = int(query.rpartition("=t")[2]) if query else 0
    last = page >= pages - 1
    items = shapes.rows(_LIVE, page * shapes.LINES, (page + 1) * shapes.LINES)
    # The official client stops at the first page that says that the run has ended.
    end = b'"succeeded"' if last else b'"running","next_page_token":"t%d"' % (page + 1)
    return b'{"items":[%b],"status_v2":%b,"next_available_in_seconds":0}' % (items, end)


def _listed(query: str) -> bytes:
    _, found, token = query.partition("pagetoken=")
    page = int(token.split("&")[0]) if found else 0
    if page not in _pages:
        newest = RUNS - 1 - page * _PAGE
        numbers = range(newest, max(-1, newest - _PAGE), -1)
        body: dict[str, object] = {
            "runs": [_row(shapes.run_id(number)) for number in numbers]
        }
        if (page + 1) * _PAGE < RUNS:
            body["next_page_token"] = str(page + 1)
        _pages[page] = json.dumps(body, separators=(",", ":")).encode()
    return _pages[page]
