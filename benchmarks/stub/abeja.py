"""ABEJA's answers: both kinds of logs, pages of runs, one run, submissions."""

import json
import math
from collections.abc import Sequence

from benchmarks.stub import made, shapes

RUNS = 10_000
_PAGE = 100
_LINES = [
    json.dumps(
        {
            "message": shapes.message(line, 84),
            "timestamp": f"{shapes.TIME.decode()}.{line * 10000:06d}Z",
        }
    ).encode()
    for line in range(shapes.LINES)
]


def _row(run_id: str, status: str) -> bytes:
    return json.dumps(
        {
            "run_id": run_id,
            "deployment_id": "2000000000002",
            "status": status,
            "model_version": "0.1.0",
            "model_version_id": "ver-00aa11bb22cc33dd",
            "models": {},
            "input_data": {"$datalake:1": "3000000000003/20240102T030405-0f0f"},
            "output_template": None,
            "retry_count": 0,
            "distribution": 4,
            "user_env_vars": {"AIORUNS_KEY": "0123456789abcdef0123456789abcdef"},
            "created_at": "2026-01-01T00:00:00.123456Z",
            "modified_at": "2026-01-01T00:05:00.123456Z",
        },
        separators=(",", ":"),
    ).encode()


_PLACE = "00000000-0000-4000-8000-000000000000"
_MADE = _row(_PLACE, "SUCCEEDED")
_SUBMITTED = _row(_PLACE, "SUBMITTED")
_pages: dict[int, bytes] = {}


def answer(method: str, path: str, query: str, _: bytes) -> bytes:
    """The body for a path below an organization's deployment."""
    parts = path.split("/")
    if len(parts) == 6:
        if parts[4] == made.SWEEP_NUMBER:
            return _made(method, shapes.pairs(query))
        if method == "POST":
            return _row("run-00000000000000a1", "SUBMITTED")
        return _listed(shapes.pairs(query))
    run_id, what = parts[6], parts[-1]
    if what == "logs":
        return _plain(run_id, shapes.pairs(query))
    if what == "recentlogs":
        return _recent(run_id, shapes.pairs(query))
    ended = run_id.startswith("log-") or made.knows(run_id)
    return _row(run_id, "SUCCEEDED" if ended else "RUNNING")


def _made(method: str, asked: dict[str, list[str]]) -> bytes:
    """A submission to the deployment for sweeps, or a page of what was submitted."""
    if method == "POST":
        return _SUBMITTED.replace(_PLACE.encode(), made.add().encode())
    ids, behind = made.newest(_PAGE, asked.get("next_page_token", [""])[0])
    more = b',"next_page_token":"%b"' % behind.encode() if behind else b""
    rows = b",".join([_MADE.replace(_PLACE.encode(), one.encode()) for one in ids])
    return b'{"entries":[%b]%b}' % (rows, more)


def _window(run_id: str, asked: dict[str, list[str]]) -> tuple[int, int]:
    """Numbers of the first line and behind the last one; both bounds count."""
    begin, end = 0, shapes.pages_of(run_id) * shapes.LINES
    if text := asked.get("start_time"):
        since = shapes.seconds_since_begin(text[0])
        begin = max(begin, math.ceil(since * shapes.LINES))
    if text := asked.get("end_time"):
        until = shapes.seconds_since_begin(text[0])
        end = min(end, math.floor(until * shapes.LINES) + 1)
    return begin, max(begin, end)


def _plain(run_id: str, asked: dict[str, list[str]]) -> bytes:
    begin, end = _window(run_id, asked)
    token = asked.get("next_token", [""])[0]
    at = int(token) if token else begin
    behind = min(at + _PAGE, end)
    more = b',"next_token":"%d"' % behind if behind < end else b""
    return b'{"events":[%b]%b}' % (shapes.rows(_LINES, at, behind), more)


def _recent(run_id: str, asked: dict[str, list[str]]) -> bytes:
    begin, end = _window(run_id, asked)
    if token := asked.get("next_forward_token", [""])[0]:
        at = int(token[2:])
        behind = min(at + _PAGE, end)
    else:
        token = asked.get("next_backward_token", [""])[0]
        behind = int(token[2:]) if token else end
        at = max(begin, behind - _PAGE)
    return (
        b'{"events":[%b],"next_backward_token":"b/%d","next_forward_token":"f/%d"}'
        % (_newest_first(at, behind), at, behind)
    )


_REVERSED: Sequence[bytes] = _LINES[::-1]


def _newest_first(begin: int, end: int) -> bytes:
    parts = []
    at = end
    while at > begin:
        number, line = divmod(at - 1, shapes.LINES)
        count = min(line + 1, at - begin)
        first = shapes.LINES - 1 - line
        block = b",".join(_REVERSED[first : first + count])
        parts.append(shapes.fill(block, number))
        at -= count
    return b",".join(parts)


def _listed(asked: dict[str, list[str]]) -> bytes:
    page = int(asked.get("next_page_token", ["0"])[0])
    if page not in _pages:
        newest = RUNS - 1 - page * _PAGE
        numbers = range(newest, max(-1, newest - _PAGE), -1)
        entries = b",".join(_row(shapes.run_id(n), "RUNNING") for n in numbers)
        more = (
            b""
            if (page + 1) * _PAGE >= RUNS
            else (b',"next_page_token":"%d"' % (page + 1))
        )
        _pages[page] = b'{"entries":[%b]%b}' % (entries, more)
    return _pages[page]
