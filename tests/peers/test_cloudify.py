"""The official Cloudify client, unchanged, against the local server."""

import sys

import pytest
from tests.peers.running import drive

from aioruns.local import Command

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]

SOLVE = """
import json, sys
given = json.load(sys.stdin)
for n in range(given.get("lines", 1)):
    print("line", n, flush=True)
print("done", file=sys.stderr)
"""
FAIL = "import sys; print('about to fail'); sys.exit(3)"
SLEEP = "import time; print('sleeping', flush=True); time.sleep(60)"


async def compare_with_engine(engine, seen):
    order = seen["listed"]
    assert [record.id for record in engine.runs("cloudify", "peer")] == order[::-1]
    assert len(engine.runs("cloudify", "other")) == 1
    for name, state in (
        ("first", "succeeded"),
        ("failed", "failed"),
        ("canceled", "canceled"),
        ("queued", "succeeded"),
        ("killed", "canceled"),
    ):
        record = engine.get("cloudify", seen[name]["id"])
        assert record.state == state
        if "logs" in seen[name]:
            streams = ("stdout", "stderr")
            lines = await engine.lines("cloudify", record.id, streams=streams)
            assert seen[name]["logs"] == [line.text for _, line in lines]
    assert seen["failed"]["error"] == engine.get("cloudify", seen["failed"]["id"]).error


async def test_official_client_sees_what_the_engine_knows(server):
    facade = server.cloudify
    for name, program in (("solve", SOLVE), ("fail", FAIL), ("sleep", SLEEP)):
        facade.register("peer", name, Command((sys.executable, "-c", program)))
    facade.register(
        "peer", "declared", Command((sys.executable, "-c", SOLVE)), parameters={"n": 1}
    )
    facade.register("other", "solve", Command((sys.executable, "-c", SOLVE)))

    seen = await drive("drive_cloudify.py", server.url, server.token)

    assert seen["deployments"] == ["peer", "other"]
    assert seen["workflows"] == ["declared", "fail", "sleep", "solve"]
    assert seen["version"] == "7.0.5"

    first = seen["first"]
    assert first["at_first"] == "pending"
    assert (first["status"], first["display"]) == ("terminated", "completed")
    assert first["parameters"] == {"lines": 3}
    assert first["error"] == ""
    assert first["times"] == sorted(first["times"])
    assert sorted(first["logs"]) == ["done", "line 0", "line 1", "line 2"]
    assert first["events"] == ["workflow_started", "workflow_succeeded"]
    assert first["total"] == 6
    assert seen["events_only"] == ["cloudify_event"] * 2
    assert seen["matching"] == ["line 1"]
    assert seen["told"] == "told"

    failed = seen["failed"]
    assert failed["status"] == "failed"
    assert failed["logs"] == ["about to fail"]
    assert failed["events"] == ["workflow_started", "workflow_failed"]

    assert seen["busy"] == [
        "CloudifyClientError",
        400,
        "existing_running_execution_error",
    ]
    assert seen["beside"] == ["queued", "pending"]
    assert seen["should_start"] is False
    canceled = seen["canceled"]
    assert (canceled["at_first"], canceled["status"]) == ("cancelling", "cancelled")
    assert canceled["events"] == ["workflow_started", "workflow_cancelled"]
    assert seen["again"] == ["CloudifyClientError", 400, "illegal_action_error"]
    assert seen["queued"]["status"] == "terminated"
    killed = seen["killed"]
    assert (killed["at_first"], killed["status"]) == ("kill_cancelling", "cancelled")
    assert seen["resumed"] == ["pending", True]

    # Lists: newest first, whole and in pages of two.
    order = seen["listed"]
    assert len(order) == seen["total"] == 6
    assert seen["paged"] == order
    assert order[-1] == first["id"]
    assert seen["bulk"] == [
        {"id": first["id"], "status": "terminated"},
        {"id": failed["id"], "status": "failed"},
    ]
    assert seen["failed_only"] == [failed["id"]]
    assert seen["summary"] == {"terminated": 3, "failed": 1, "cancelled": 2}
    assert seen["dumped"] == sorted(order)

    assert seen["refusals"] == {
        "password": ["UserUnauthorizedError", 401, "unauthorized_error"],
        "tenant": ["ForbiddenError", 403, "forbidden_error"],
        "unknown": ["CloudifyClientError", 404, "not_found_error"],
        "workflow": ["CloudifyClientError", 400, "nonexistent_workflow_error"],
        "parameters": [
            "IllegalExecutionParametersError",
            400,
            "illegal_execution_parameters_error",
        ],
    }

    assert (seen["deleted"], seen["left"]) == (2, 1)

    await compare_with_engine(server.engine, seen)
