"""aioruns: single calls, many of them at once."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, cast

import aioruns
from aioruns.platforms.client import Client
from benchmarks.child import Meter
from benchmarks.clients.bare_calls import WARM
from benchmarks.clients.ours import IN_FLIGHT, connect
from benchmarks.clients.places import (
    APP,
    DATA,
    DEPLOYMENT,
    ORGANIZATION,
    PIPELINE,
    STOPS,
    VERSION,
)
from benchmarks.stub.shapes import run_id

if TYPE_CHECKING:  # a user imports the platform that is used
    from aioruns.platforms.abeja import Abeja
    from aioruns.platforms.cloudify import Cloudify
    from aioruns.platforms.kubeflow import Kubeflow
    from aioruns.platforms.nextmv import Nextmv

Call = Callable[[int], Awaitable[object]]


def open_session(authority: str = "") -> aioruns.Session:
    """A session; `authority` is a file with the certificates that are trusted."""
    return aioruns.Session(
        tls=ssl.create_default_context(cafile=authority) if authority else None
    )


def submitter(client: Client, platform: str) -> Call:
    """What submits one run, as a user of the platform writes it."""
    if platform == "nextmv":
        app = cast("Nextmv", client).application(APP)
        return lambda number: app.submit(STOPS, options={"seed": str(number)})
    if platform == "kubeflow":
        pipeline = cast("Kubeflow", client).pipeline(PIPELINE)
        return lambda number: pipeline.submit({"seed": number}, name="train")
    if platform == "abeja":
        deployment = cast("Abeja", client).deployment(DEPLOYMENT)
        return lambda number: deployment.submit(
            VERSION, input_data=DATA, environment={"SEED": str(number)}
        )
    place = cast("Cloudify", client).deployment(APP)
    return lambda number: place.submit("install", {"seed": number})


def record_reader(client: Client, platform: str) -> Call:
    """What reads one run as the platform's whole record, by its own operation."""
    if platform == "nextmv":
        app = cast("Nextmv", client).application(APP)
        return lambda number: app.run_metadata(run_id(number))
    if platform == "kubeflow":
        service = cast("Kubeflow", client).run_service
        return lambda number: service.get_run(run_id(number))
    if platform == "abeja":
        api = cast("Abeja", client).api
        return lambda number: api.get_run(ORGANIZATION, DEPLOYMENT, run_id(number))
    executions = cast("Cloudify", client).executions
    return lambda number: executions.get(run_id(number))


async def submit(
    meter: Meter,
    url: str,
    platform: str,
    count: int,
    in_flight: int = IN_FLIGHT,
    authority: str = "",
) -> dict[str, object]:
    """Submit runs, so many at once."""
    async with open_session(authority) as session:
        client = connect(platform, url, session, in_flight)
        call = submitter(client, platform)
        for _ in range(WARM):
            await at_once(in_flight, iter(range(2 * in_flight)), call)
        meter.start()
        sent = client.origin.sent
        await at_once(in_flight, iter(range(count)), call)
        meter.stop()
    return {"requests": client.origin.sent - sent, "count": count}


async def records(
    meter: Meter, url: str, platform: str, count: int
) -> dict[str, object]:
    """Read whole records of runs one by one, 64 at once."""
    async with open_session() as session:
        client = connect(platform, url, session)
        call = record_reader(client, platform)
        await at_once(IN_FLIGHT, iter(range(4 * IN_FLIGHT)), call)
        meter.start()
        sent = client.origin.sent
        await at_once(IN_FLIGHT, iter(range(count)), call)
        meter.stop()
    return {"requests": client.origin.sent - sent, "count": count}


async def statuses(
    meter: Meter, url: str, platform: str, count: int
) -> dict[str, object]:
    """Read states by `Run.status()`, 64 at once, each of them a request of its own.

    Looks at the same time on one client share their requests. So there are as many
    clients on one session as there are looks at a time, which have nothing to share.
    """
    target = {"kubeflow": "", "abeja": DEPLOYMENT}.get(platform, APP)
    async with open_session() as session:
        clients = [connect(platform, url, session) for _ in range(IN_FLIGHT)]

        async def work(client: Client, numbers: Iterator[int]) -> None:
            for number in numbers:
                status = await client.runs.run(target, run_id(number)).status()
                if status.state is not aioruns.RunState.RUNNING:
                    raise SystemExit(f"a run is {status.state}")

        async def read(many: int) -> None:
            numbers = iter(range(many))
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(work(client, numbers))

        await read(4 * IN_FLIGHT)
        meter.start()
        sent = sum(client.origin.sent for client in clients)
        await read(count)
        meter.stop()
        sent = sum(client.origin.sent for client in clients) - sent
    if sent != count:
        raise SystemExit(f"{sent} requests for {count} states")
    return {"requests": sent, "count": count}


async def at_once(in_flight: int, numbers: Iterator[int], call: Call) -> None:
    """Make a call for each number, so many at once."""

    async def work() -> None:
        for number in numbers:
            await call(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
