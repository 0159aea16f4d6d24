"""aiohttp and orjson without a library around them: what ours is measured by.

Loops as somebody writes them who knows the one API and wants nothing but speed: 64
requests in flight, addresses that are not parsed again, no checks.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from attrs import frozen
from yarl import URL

from benchmarks.child import Meter
from benchmarks.clients.places import APP, DEPLOYMENT, ORGANIZATION, log_run
from benchmarks.stub.shapes import LINES

IN_FLIGHT = 64
_PAGE = 1000


@frozen
class Event:
    """A log line as a typed value."""

    timestamp: datetime
    message: str
    source: str = ""


def session(url: str) -> aiohttp.ClientSession:
    """A pool without a bound of its own and without cookies."""
    return aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Authorization": "Bearer bench-key"},
    )


async def get(http: aiohttp.ClientSession, target: str) -> bytes:
    """The body of an answer."""
    async with http.get(URL(target, encoded=True)) as answer:
        answer.raise_for_status()
        return await answer.read()


# -- logs --------------------------------------------------------------------------

Pages = AsyncIterator[tuple[int, Any]]


async def logs(
    meter: Meter, url: str, platform: str, pages: int, *, typed: bool, include: str = ""
) -> dict[str, object]:
    """Page through the log of one ended run.

    Args:
        meter: Measures.
        url: The stub server.
        platform: Whose API.
        pages: How long the log is, in hundreds of lines.
        typed: Whether events become attrs values with datetimes; otherwise they stay
            the dicts that orjson makes.
        include: The fields that are asked for, where that can be said.
    """
    if platform == "kubeflow":
        read: Callable[[aiohttp.ClientSession, int], Any] = (
            _typed_text if typed else _text
        )
    else:
        make = {
            "nextmv": (_nextmv, _nextmv_events),
            "abeja": (_abeja, _abeja_events),
            "cloudify": (_cloudify, _cloudify_events),
        }
        page_by_page, events = make[platform]

        async def read(http: aiohttp.ClientSession, length: int) -> tuple[int, int]:
            count = requests = 0
            async for rows in page_by_page(http, length, include):
                requests += 1
                if typed:
                    for _ in events(rows):
                        count += 1
                else:
                    for _ in rows:
                        count += 1
            return count, requests

    async with session(url) as http:
        await read(http, 20)
        meter.start()
        count, requests = await read(http, pages)
        meter.stop()
    if count != pages * LINES:
        raise SystemExit(f"{count} events came")
    return {"requests": requests}


async def _nextmv(
    http: aiohttp.ClientSession, pages: int, _: str
) -> AsyncIterator[list[Any]]:
    where = f"/v1/applications/{APP}/runs/{log_run(pages)}/logs/live"
    target = where
    while True:
        page = orjson.loads(await get(http, target))
        yield page["items"]
        token = page.get("next_page_token")
        if not token:
            return
        target = f"{where}?since={token}"


def _nextmv_events(rows: list[Any]) -> Iterator[Event]:
    parse = datetime.fromisoformat
    for row in rows:
        yield Event(parse(row["timestamp"]), row["log"], "stderr")


async def _abeja(
    http: aiohttp.ClientSession, pages: int, _: str
) -> AsyncIterator[list[Any]]:
    below = f"/organizations/{ORGANIZATION}/deployments/{DEPLOYMENT}/runs"
    where = f"{below}/{log_run(pages)}/logs"
    target = where
    while True:
        page = orjson.loads(await get(http, target))
        yield page["events"]
        token = page.get("next_token")
        if not token:
            return
        target = f"{where}?next_token={token}"


def _abeja_events(rows: list[Any]) -> Iterator[Event]:
    parse = datetime.fromisoformat
    for row in rows:
        yield Event(parse(row["timestamp"]), row["message"])


async def _cloudify(
    http: aiohttp.ClientSession, pages: int, include: str
) -> AsyncIterator[list[Any]]:
    where = (
        f"/api/v3.1/events?execution_id={log_run(pages)}&type=cloudify_event"
        f"&type=cloudify_log&_sort=reported_timestamp&_size={_PAGE}"
    )
    if include:
        where += f"&_include={include}"
    offset = 0
    while True:
        page = orjson.loads(await get(http, f"{where}&_offset={offset}"))
        yield page["items"]
        offset += len(page["items"])
        if offset >= page["metadata"]["pagination"]["total"]:
            return


def _cloudify_events(rows: list[Any]) -> Iterator[Event]:
    parse = datetime.fromisoformat
    for row in rows:
        is_event = row["type"] == "cloudify_event"
        source = row["event_type"] if is_event else row["logger"]
        yield Event(parse(row["timestamp"]), row["message"], source)


async def _lines(http: aiohttp.ClientSession, pages: int) -> AsyncIterator[list[str]]:
    """The lines of a pod's log as they arrive."""
    run = log_run(pages)
    await get(http, f"/apis/v1beta1/runs/{run}")
    target = f"/apis/v1alpha1/runs/{run}/nodes/train-x7k2p-1/log"
    async with http.get(URL(target, encoded=True)) as answer:
        rest = b""
        async for part in answer.content.iter_any():
            whole, _, rest = (rest + part).rpartition(b"\n")
            yield whole.decode().split("\n")


async def _text(http: aiohttp.ClientSession, pages: int) -> tuple[int, int]:
    count = 0
    async for lines in _lines(http, pages):
        for _ in lines:
            count += 1
    return count, 2


async def _typed_text(http: aiohttp.ClientSession, pages: int) -> tuple[int, int]:
    count = 0
    async for lines in _lines(http, pages):
        now = datetime.now(UTC)
        for event in [Event(now, line, "step-1") for line in lines]:
            if event:
                count += 1
    return count, 2


def _read(paths: str) -> list[str]:
    kept: list[str] = json.loads(Path(paths).read_text(encoding="ascii"))
    return kept


# -- states ------------------------------------------------------------------------


def _state_of(platform: str) -> Callable[[Any], str]:
    """Where a single read says how the run stands."""
    found: dict[str, Callable[[Any], str]] = {
        "nextmv": lambda run: run["metadata"]["status_v2"],
        "kubeflow": lambda detail: detail["run"]["status"],
        "abeja": lambda run: run["status"],
        "cloudify": lambda execution: execution["status"],
    }
    return found[platform]


async def single_reads(
    meter: Meter, url: str, platform: str, paths: str
) -> dict[str, object]:
    """Ask for the same as ours did, 64 at a time, and take the state out."""
    targets = _read(paths)
    state_of = _state_of(platform)

    async def work(http: aiohttp.ClientSession, rest: Iterator[str]) -> None:
        for target in rest:
            state_of(orjson.loads(await get(http, target)))

    async with session(url) as http:
        await _at_once(http, iter(targets[: 4 * IN_FLIGHT]), work, IN_FLIGHT)
        meter.start()
        await _at_once(http, iter(targets), work, IN_FLIGHT)
        meter.stop()
    return {"requests": len(targets), "count": len(targets)}


_ROWS = {
    "nextmv": ("runs", "id", "status_v2"),
    "kubeflow": ("runs", "id", "status"),
    "abeja": ("entries", "run_id", "status"),
    "cloudify": ("items", "id", "status"),
}


async def rounds(
    meter: Meter, url: str, platform: str, paths: str, in_flight: int, count: int
) -> dict[str, object]:
    """Ask for the same as one round of ours did, and keep nothing but id and status."""
    targets = _read(paths)
    list_name, id_name, state_name = _ROWS[platform]
    states: dict[str, str] = {}
    state_of = _state_of(platform)

    async def work(http: aiohttp.ClientSession, rest: Iterator[str]) -> None:
        for target in rest:
            body = orjson.loads(await get(http, target))
            if list_name not in body:  # a straggler that was read singly
                states[target] = state_of(body)
                continue
            for row in body[list_name]:
                states[row[id_name]] = row[state_name]

    async with session(url) as http:
        for _ in range(2):
            await _at_once(http, iter(targets), work, in_flight)
        meter.start()
        for _ in range(count):
            await _at_once(http, iter(targets), work, in_flight)
        meter.stop()
    meter.figures["cpu"] /= count
    del meter.figures["wall"]
    return {"requests": len(targets), "rows": len(states)}


async def _at_once(
    http: aiohttp.ClientSession,
    targets: Iterator[str],
    work: Callable[[aiohttp.ClientSession, Iterator[str]], Any],
    in_flight: int,
) -> None:
    await asyncio.gather(*(work(http, targets) for _ in range(in_flight)))
