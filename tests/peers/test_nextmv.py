"""The official Nextmv client, unchanged, against the local server."""

import json

import pytest
from tests.peers.running import drive

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]


async def test_official_client_sees_what_the_engine_knows(server, tmp_path):
    engine = server.engine

    seen = await drive("drive_nextmv.py", server.url, server.token, str(tmp_path))

    async def log(run_id):
        lines = await engine.lines("nextmv", run_id, streams=("stderr",))
        return [line.text for _, line in lines]

    async def output(run_id):
        return json.loads(await engine.stdout("nextmv", run_id))

    def state(run_id):
        return engine.get("nextmv", run_id).state

    # Applications and what stands in them.
    assert seen["application"] == "peer"
    assert seen["applications"] == ["peer"]
    assert seen["exists"] == [True, False]
    assert seen["renamed"] == "Peer 2"
    assert seen["versions"] == ["v1"]
    assert seen["instances"] == ["staging"]
    assert seen["instance_exists"] == [True, False]
    assert seen["instance"] == "v1"

    # Runs of the pushed program. The first one was deleted at the end.
    first = seen["first"]
    assert engine.get("nextmv", first["id"]) is None
    assert seen["left"] is False
    assert first["state"] == "succeeded"
    assert first["name"] == "first"
    assert first["input"] == {"lines": 3}
    assert first["log"] == "line 0\nline 1\nline 2\n"
    assert first["output"]["options"] == {"-solve.duration": "10s"}
    assert first["output"]["metrics"] == {"value": 3}

    live = seen["live"]
    assert live["state"] == state(live["id"]) == "succeeded"
    assert live["lines"] == await log(live["id"])
    assert live["lines"] == [*(f"line {n}" for n in range(45)), "sleeping"]

    failed = seen["failed"]
    assert failed["state"] == state(failed["id"]) == "failed"
    assert failed["error"] == engine.get("nextmv", failed["id"]).error
    assert failed["stderr"].splitlines() == await log(failed["id"])

    assert seen["text"]["output"] == await output(seen["text"]["id"])

    big = seen["big"]
    assert big["padding"] == big["input"] == 6_000_000
    assert big["input_size"] > 6_000_000

    assert seen["canceled"]["state"] == state(seen["canceled"]["id"]) == "canceled"

    # Lists: newest first, with pages and without.
    ids = [record.id for record in engine.runs("nextmv", "peer")][::-1]
    assert seen["runs"] == [*ids, first["id"]]
    assert seen["unpaged"] == seen["runs"]
    assert seen["assets"] == 0
