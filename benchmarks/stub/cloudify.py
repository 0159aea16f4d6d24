"""Cloudify's answers: events, pages of executions, one execution, submissions."""

import json
import math
import re

from benchmarks.stub import made, shapes

RUNS = 10_000
_ARRIVES = 3
"""Milliseconds between the times of a line and of its arrival."""

_EVENT: dict[str, object] = {
    "_storage_id": 0,
    "type": "cloudify_log",
    "timestamp": "",
    "reported_timestamp": "",
    "message": "",
    "level": "info",
    "logger": "ctx.web_server_a1b2c3",
    "operation": "cloudify.interfaces.lifecycle.create",
    "execution_id": "",
    "execution_group_id": None,
    "workflow_id": "install",
    "deployment_id": "bench",
    "deployment_display_name": "Bench",
    "blueprint_id": "bench",
    "error_causes": None,
    "source_id": None,
    "target_id": None,
    "node_instance_id": "web_server_a1b2c3",
    "node_name": "web_server",
    "manager_name": "manager-1",
    "agent_name": None,
}
_EXECUTION: dict[str, object] = {
    "created_at": "2026-01-01T00:00:00.123Z",
    "visibility": "tenant",
    "id": "",
    "ended_at": None,
    "error": None,
    "is_system_workflow": False,
    "parameters_p": None,
    "parameters": {"delta": 2},
    "status": "started",
    "workflow_id": "install",
    "started_at": "2026-01-01T00:00:01.456Z",
    "scheduled_for": None,
    "is_dry_run": False,
    "resume": False,
    "total_operations": 0,
    "finished_operations": 0,
    "allow_custom_parameters": True,
    "blueprint_id": "bench",
    "deployment_display_name": "Bench",
    "deployment_id": "bench",
    "status_display": "started",
    "tenant_name": "default_tenant",
    "created_by": "user",
    "resource_availability": "tenant",
    "private_resource": False,
}
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_PLACE = "00000000-0000-4000-8000-000000000000"
_STARTED = json.dumps(_EXECUTION | {"id": _PLACE}).encode()
_made_rows: dict[str, bytes] = {}
_events: dict[tuple[str, str], list[bytes]] = {}
_executions: dict[str, list[bytes]] = {}
_PAGE = (
    b'{"metadata":{"pagination":{"total":%d,"size":%d,"offset":%d},"filtered":null},'
    b'"items":[%b]}'
)


def answer(method: str, path: str, query: str, given: bytes) -> bytes:
    """The body for a path below `/api/v3.1/`."""
    parts = path.split("/")
    asked = shapes.pairs(query)
    if parts[3] == "events":
        return _event_page(asked)
    include = asked.get("_include", [""])[0]
    if method == "POST":
        return _created(given)
    if len(parts) > 4:
        return _execution(parts[4], include)
    return _execution_page(asked, include)


def _created(given: bytes) -> bytes:
    """An execution; it has the id that the client chose, if it did."""
    found = _ID.search(given)
    if found is None:
        return _STARTED
    if made.SWEEP_JSON in given:
        made.add(found[1].decode())
    return _STARTED.replace(_PLACE.encode(), found[1])


def _made_row(include: str) -> bytes:
    """An ended execution with the fields that are asked for."""
    if include not in _made_rows:
        ended = {"id": _PLACE, "status": "terminated", "status_display": "completed"}
        ended["ended_at"] = "2026-01-01T00:00:02.456Z"
        _made_rows[include] = json.dumps(_only(_EXECUTION | ended, include)).encode()
    return _made_rows[include]


def _made_page(asked: dict[str, list[str]], include: str) -> bytes:
    size = int(asked.get("_size", ["1000"])[0])
    offset = int(asked.get("_offset", ["0"])[0])
    ids = asked.get("id")
    total = made.count() if ids is None else len(ids)
    if ids is None:
        shown, _ = made.newest(size, str(total - offset))
    else:
        shown = ids[offset : offset + size]
    row = _made_row(include)
    rows = b",".join([row.replace(_PLACE.encode(), one.encode()) for one in shown])
    return _PAGE % (total, size, offset, rows)


def _execution(run_id: str, include: str) -> bytes:
    if made.knows(run_id):
        return _made_row(include).replace(_PLACE.encode(), run_id.encode())
    status = "terminated" if run_id.startswith("log-") else "started"
    return json.dumps(
        _only(_EXECUTION | {"id": run_id, "status": status}, include)
    ).encode()


def _only(row: dict[str, object], include: str) -> dict[str, object]:
    names = include.split(",") if include else row
    return {name: row[name] for name in names if name in row}


def _execution_page(asked: dict[str, list[str]], include: str) -> bytes:
    if made.any_there():
        return _made_page(asked, include)
    rows = _executions.get(include)
    if rows is None:
        rows = _executions[include] = [
            json.dumps(
                _only(_EXECUTION | {"id": shapes.run_id(number)}, include)
            ).encode()
            for number in range(RUNS)
        ]
    size = int(asked.get("_size", ["1000"])[0])
    offset = int(asked.get("_offset", ["0"])[0])
    if ids := asked.get("id"):
        numbers = [shapes.number_of(text) for text in ids if not text.startswith("log")]
    elif asked.get("_sort", [""])[0].startswith("-"):
        numbers = list(range(RUNS - 1, -1, -1))
    else:
        numbers = list(range(RUNS))
    shown = numbers[offset : offset + size]
    body = b",".join([rows[number] for number in shown])
    return _PAGE % (len(numbers), size, offset, body)


def _event_templates(run_id: str, include: str) -> list[bytes]:
    if (run_id, include) not in _events:
        time = shapes.TIME.decode()
        _events[run_id, include] = [
            json.dumps(
                _only(
                    _EVENT
                    | {
                        "_storage_id": 1,
                        "timestamp": f"{time}.{line * 10:03d}Z",
                        "reported_timestamp": f"{time}.{line * 10 + _ARRIVES:03d}Z",
                        "message": shapes.message(line, 74),
                        "execution_id": run_id,
                    },
                    include,
                )
            )
            # A number must not begin with a zero.
            .replace('"_storage_id": 1', f'"_storage_id": 1@@@@@@{line:02d}')
            .encode()
            for line in range(shapes.LINES)
        ]
    return _events[run_id, include]


def _event_page(asked: dict[str, list[str]]) -> bytes:
    run_id = asked["execution_id"][0]
    templates = _event_templates(run_id, asked.get("_include", [""])[0])
    begin, end = 0, shapes.pages_of(run_id) * shapes.LINES
    for text in asked.get("_range", ()):
        name, since, until = text.split(",")
        late = _ARRIVES / 1000 if name == "reported_timestamp" else 0.0
        if since:
            begin = max(begin, _first_from(since, late))
        if until:
            end = min(end, _first_from(until, late))
    total = max(0, end - begin)
    size = int(asked.get("_size", ["10000"])[0])
    offset = int(asked.get("_offset", ["0"])[0])
    count = max(0, min(size, total - offset))
    if asked.get("_sort", [""])[0].startswith("-"):
        last = end - offset
        items = b",".join(
            shapes.rows(templates, number, number + 1)
            for number in range(last - 1, last - 1 - count, -1)
        )
    else:
        first = begin + offset
        items = shapes.rows(templates, first, first + count)
    return _PAGE % (total, size, offset, items)


def _first_from(text: str, late: float) -> int:
    """Number of the first line that is not before a time."""
    hundredths = (shapes.seconds_since_begin(text) - late) * shapes.LINES
    return max(0, math.ceil(round(hundredths, 3)))
