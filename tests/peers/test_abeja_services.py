"""The official clients of ABEJA's triggers and services against the local server."""

import asyncio
import re

import pytest
from tests.peers.running import drive

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
LINES = [f"line {number}" for number in range(5)]


async def greet(job):
    """Write one line."""
    await job.log(f"hello {job.env['NAME']}")


async def fire_when_made(server):
    """Fire the first trigger three times, once there is one."""
    made = {}
    for _ in range(1000):
        made = server.engine.documents("abeja", "trigger")
        if made:
            break
        await asyncio.sleep(0.02)
    first = next(iter(made))
    return [(await server.abeja.fire(first, f"file-{n}")).id for n in range(3)]


async def test_the_official_clients_see_triggers_and_services(server):
    server.settings.page_size = 2
    server.abeja.register(DEPLOYMENT, VERSION, greet)
    service = await server.abeja.serve(DEPLOYMENT, VERSION)
    for line in LINES:
        server.abeja.say(service, line)

    async with asyncio.TaskGroup() as tasks:
        firing = tasks.create_task(fire_when_made(server))
        driving = tasks.create_task(
            drive(
                "drive_abeja_services.py",
                server.url,
                server.token,
                ORG,
                DEPLOYMENT,
                VERSION,
                service,
            )
        )
    fired, seen = firing.result(), driving.result()

    # Triggers and their runs, two a page.
    trigger_id = seen["made"]["trigger_id"]
    assert re.fullmatch(r"tri-\w{16}", trigger_id)
    assert seen["made"]["user_env_vars"] == {"NAME": "good"}
    assert seen["made"]["models"] == {"alias": "77"}
    assert (seen["made"]["retry_count"], seen["made"]["distribution"]) == (2, 1)
    assert seen["read"] == seen["made"]
    assert [one["trigger_id"] for one in seen["listed"]] == [trigger_id, seen["other"]]
    assert seen["newest_first"] == [[fired[2], fired[1]], [fired[0]]]
    assert seen["oldest_first"] == [[fired[0], fired[1]], [fired[2]]]
    assert seen["started"]["trigger_id"] == trigger_id
    assert seen["started"]["input_data"] == {"$datalake:1": "9/file-2"}
    assert seen["as_a_run"]["output_template"] == {"$datalake:1": "8"}
    assert trigger_id in seen["deleted"]["message"]
    assert seen["left"] == [seen["other"]]

    # The service's log, two lines a page, and newest first on each.
    assert seen["newest"] == ["line 4", "line 3"]
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stamp)
        for stamp in seen["stamps"]
    )
    assert seen["older"] == [["line 2", "line 1"], ["line 0"]]
    assert seen["newer"] == [["line 1", "line 0"], ["line 3", "line 2"], ["line 4"]]
    assert seen["still_quiet"] == []
    assert seen["in_window"] == seen["newest"]
    assert seen["before_window"] == []

    # What runs are made of.
    assert seen["services"] == [seen["service"]]
    assert seen["service"]["service_id"] == service
    assert seen["deployments"] == [seen["deployment"]]
    assert seen["deployment"]["services"] == [service]
    assert seen["versions"] == [seen["version"]]
    assert seen["version"]["version_id"] == VERSION

    assert seen["refusals"] == {
        "trigger": ["NotFound", 404, "not_found"],
        "again": ["NotFound", 404, "not_found"],
        "runs": ["NotFound", 404, "not_found"],
        "mail": ["BadRequest", 400, "bad_request"],
        "service": ["NotFound", 404, "not_found"],
        "token": ["BadRequest", 400, "bad_request"],
    }
