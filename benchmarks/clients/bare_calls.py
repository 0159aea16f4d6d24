"""aiohttp and orjson, and httpx, without a library around them: single calls."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import aiohttp
import orjson
from yarl import URL

from benchmarks.child import Meter
from benchmarks.clients.bare import IN_FLIGHT
from benchmarks.clients.places import (
    APP,
    DATA,
    DEPLOYMENT,
    KEY,
    ORGANIZATION,
    PIPELINE,
    STOPS,
    VERSION,
)

WARM = 2
"""How often all are started before it counts: in the first go a client may have to ask
for the server's version, and the others start one after the other, so that not all
connections are there yet."""

Submission = tuple[str, Callable[[int], dict[str, Any]], Callable[[Any], str]]


def submission(platform: str) -> Submission:
    """Where a run is submitted, its body by number, and the id in the answer.

    The bodies are what ours sends, and each has a key of its own, too.
    """
    found: dict[str, Submission] = {
        "nextmv": (
            f"/v1/applications/{APP}/runs",
            lambda number: {
                "input": STOPS,
                "options": {"seed": str(number)},
                "configuration": {
                    "format": {"input": {"type": "json"}, "output": {"type": "json"}}
                },
                "description": f"[aioruns-{number:016x}]",
            },
            lambda answer: answer["run_id"],
        ),
        "kubeflow": (
            "/apis/v1beta1/runs",
            lambda number: {
                "name": f"train [aioruns-{number:016x}]",
                "pipeline_spec": {
                    "pipeline_id": PIPELINE,
                    "parameters": [{"name": "seed", "value": str(number)}],
                    "runtime_config": {"parameters": {"seed": number}},
                },
                "id": str(UUID(int=number)),
            },
            lambda answer: answer["run"]["id"],
        ),
        "abeja": (
            f"/organizations/{ORGANIZATION}/deployments/{DEPLOYMENT}/runs",
            lambda number: {
                "version_id": VERSION,
                "environment": {
                    "SEED": str(number),
                    "AIORUNS_SUBMIT_KEY": f"aioruns-{number:016x}",
                },
                "input_data": DATA,
            },
            lambda answer: answer["run_id"],
        ),
        "cloudify": (
            "/api/v3.1/executions",
            lambda number: {
                "deployment_id": APP,
                "workflow_id": "install",
                "parameters": {"seed": number},
                "force": False,
                "dry_run": False,
                "queue": False,
                "allow_custom_parameters": False,
                "id": str(UUID(int=number)),
            },
            lambda answer: answer["id"],
        ),
    }
    return found[platform]


async def submit(
    meter: Meter,
    url: str,
    platform: str,
    count: int,
    in_flight: int = IN_FLIGHT,
    authority: str = "",
    *,
    keeps_buffers: bool = False,
) -> dict[str, object]:
    """Submit runs by aiohttp, so many at once, and take their ids.

    Args:
        meter: Measures.
        url: The stub server.
        platform: Whose API.
        count: How many.
        in_flight: How many at once.
        authority: A file with the certificates that are trusted, for HTTPS.
        keeps_buffers: Whether glibc is led to keep the buffers that asyncio receives
            into, as ours does.
    """
    if keeps_buffers:
        bytes(2 * 256 * 1024)
    path, body, id_of = submission(platform)
    where = URL(url + path, encoded=True)
    tls = ssl.create_default_context(cafile=authority) if authority else True
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
        },
    ) as http:

        async def work(numbers: Iterator[int]) -> None:
            for number in numbers:
                async with http.post(where, data=orjson.dumps(body(number))) as answer:
                    answer.raise_for_status()
                    id_of(orjson.loads(await answer.read()))

        async def many(in_all: int) -> None:
            numbers = iter(range(in_all))
            await asyncio.gather(*(work(numbers) for _ in range(in_flight)))

        for _ in range(WARM):
            await many(2 * in_flight)
        meter.start()
        await many(count)
        meter.stop()
    return {"requests": count, "count": count}


async def submit_httpx(
    meter: Meter, url: str, platform: str, count: int
) -> dict[str, object]:
    """The same by httpx."""
    import httpx  # noqa: PLC0415 - other cases are not to pay for it

    path, body, id_of = submission(platform)
    limits = httpx.Limits(
        max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT
    )
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(
        base_url=url, limits=limits, headers=headers, trust_env=False
    ) as http:

        async def work(numbers: Iterator[int]) -> None:
            for number in numbers:
                answer = await http.post(path, content=orjson.dumps(body(number)))
                answer.raise_for_status()
                id_of(orjson.loads(answer.content))

        async def many(in_all: int) -> None:
            numbers = iter(range(in_all))
            await asyncio.gather(*(work(numbers) for _ in range(IN_FLIGHT)))

        await many(IN_FLIGHT)
        meter.start()
        await many(count)
        meter.stop()
    return {"requests": count, "count": count}
