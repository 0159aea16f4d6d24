"""The unchanged official client, abeja-sdk, against the local server."""

import sys
from datetime import UTC, datetime

import pytest
from tests.peers.running import drive

from aioruns.local.records import Command

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
PROGRAM = """
import json, os, sys, time
print("input", sys.stdin.read())
for number in range(4):
    print("step", number, file=sys.stderr)
time.sleep(0.2)
sys.exit(os.environ["NAME"] == "bad")
"""


async def test_the_official_client_sees_what_the_engine_knows(server):
    engine = server.engine
    server.settings.page_size = 2
    server.abeja.register(DEPLOYMENT, VERSION, Command((sys.executable, "-c", PROGRAM)))

    seen = await drive(
        "drive_abeja.py", server.url, server.token, ORG, DEPLOYMENT, VERSION
    )

    records = engine.runs("abeja")
    ids = [record.id for record in records]

    # What was submitted, and how it ended.
    assert [run["run_id"] for run in seen["created"]] == ids
    for created, ended, record in zip(
        seen["created"], seen["ended"], records, strict=True
    ):
        assert created["status"] == "SUBMITTED"
        assert created["distribution"] == 2
        assert created["user_env_vars"] == record.detail["environment"]
        assert created["input_data"] == {"$datalake:1": "3/2024"}
        assert created["models"] == {"alias": "77"}
        assert created["retry_count"] == 0
        assert created["deployment_id"] == DEPLOYMENT
        assert created["model_version_id"] == VERSION
        assert moment(ended["created_at"]) == record.created
        assert moment(ended["modified_at"]) == record.ended
    final = {"succeeded": "SUCCEEDED", "failed": "FAILED"}
    assert [record.state for record in records] == ["succeeded", "failed", "succeeded"]
    assert [run["status"] for run in seen["ended"]] == [
        final[record.state] for record in records
    ]
    order = ["SUBMITTED", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"]
    for walk in seen["walks"]:
        assert walk == sorted(walk, key=order.index)
    assert "RUNNING" in seen["walks"][0]

    # Listings, two runs a page.
    assert seen["newest_first"] == [[ids[2], ids[1]], [ids[0]]]
    assert seen["oldest_first"] == [[ids[0], ids[1]], [ids[2]]]

    # Logs, two lines a page: from the start, and from the end.
    for run_id in ids:
        lines = [line.text for _, line in await engine.lines("abeja", run_id)]
        assert len(lines) == 5
        assert 'input {"$datalake:1": "3/2024"}' in lines
        assert seen["logs"][run_id] == [lines[:2], lines[2:4], lines[4:]]
    lines = [line.text for _, line in await engine.lines("abeja", ids[0])]
    assert seen["window"] == seen["logs"][ids[0]]
    assert seen["before"] == [[]]
    assert seen["recent"] == [lines[4], lines[3]]
    assert seen["older"] == [[lines[2], lines[1]], [lines[0]]]
    assert seen["newer"] == [[lines[1], lines[0]], [lines[3], lines[2]], [lines[4]]]

    # The other credentials, and errors as the client's own exceptions.
    assert seen["basic"] == [ids[0], ids[0]]
    assert seen["refusals"] == {
        "nobody": ["Unauthorized", 401, "unauthorized"],
        "unknown": ["NotFound", 404, "not_found"],
        "version": ["NotFound", 404, "not_found"],
        "token": ["BadRequest", 400, "bad_request"],
        "both": ["BadRequest", 400, "bad_request"],
    }

    # Triggers.
    assert seen["trigger"]["input_service_id"] == "9"
    assert seen["triggers"] == [seen["trigger"]]
    assert seen["trigger_runs"] == {"entries": []}
    assert seen["trigger"]["trigger_id"] in seen["deleted"]["message"]
    assert engine.documents("abeja", "trigger") == {}

    # Nothing ends a run: the client has no operation for it.
    assert seen["operations"] == [
        "create_run",
        "get_run",
        "get_run_logs",
        "get_run_recent_logs",
        "get_runs",
    ]


def moment(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
