"""The official Nextmv client's resources, unchanged, against the local server."""

import json

import pytest
from tests.peers.running import drive

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]

JSON = {"input": {"type": "json"}, "output": {"type": "json"}}
FILES = {"input": {"type": "multi-file"}, "output": {"type": "multi-file"}}


async def test_official_client_uses_every_resource(server, tmp_path):
    engine = server.engine

    seen = await drive(
        "drive_nextmv_resources.py", server.url, server.token, str(tmp_path)
    )

    assert seen["managed"] == {
        "format": JSON,
        "solution": {"n": 1},
        "tracking": "one",
        "again": {"n": 1},
        "renamed": "Uno",
        "listed": ["one", "two"],
        "read": True,
        "clone": ["first clone", {"n": 1}],
        "cloned": True,
    }
    assert seen["sets"] == {
        "inputs": ["Uno", "two"],
        "runs": True,
        "window": 2,
        "changed": ["two"],
        "listed": ["inputs", "runs", "window"],
        "read": True,
        "again": {"n": 1},
    }
    values = seen["secrets"].pop("values")
    assert not {"first", "second", "licensed"} & set(values)
    assert seen["secrets"] == {
        "first": ["first", "licensed"],
        "second": ["second", None],  # what was not given again is deleted
        "name": "New",
        "listed": ["keys"],
        "left": 0,
    }

    ensemble = seen["ensembles"]
    record = engine.get("nextmv", ensemble.pop("id"))
    assert len(record.detail["children"]) == 3
    best = record.detail["picked"]["best_run_id"]
    assert json.loads(await engine.stdout("nextmv", best))["solution"] == {"n": 5}
    assert ensemble == {
        "name": "Best",
        "groups": ["low", "high"],
        "listed": ["best"],
        "type": "ensemble",
        "options": {"-value": "9"},
        "runs": 3,
        "types": ["ensemble", *["ensemble-child"] * 3],
    }

    files = seen["files"]
    assert files["state"] == "succeeded", files["error"]
    assert files["format"] == FILES
    assert files["out"] == {"a.txt": "ALPHA", "b.txt": "BETA"}
    assert files["back"] == {"a.txt": "alpha", "b.txt": "beta"}
    assert files["figures"] == [{"run": {"duration": 1}}, {"files": 2}]
    assert files["asset"] == ["map", "geojson"]
    assert files["content"] == {"x": 1}

    tracked = seen["tracked"]
    assert engine.get("nextmv", tracked.pop("id")).detail["name"] == "outside"
    assert tracked == {
        "state": "succeeded",
        "type": "external",
        "duration": 1500,
        "output": {"solution": 2},
        "input": {"in": 1},
        "figures": [{"result": {"value": 3}}, {"gap": 4}],
        "log": "one\ntwo\n",
        "live": ["one", "two"],
        "asset": {"x": 1},
        "failed": ["failed", "boom", "x\n"],
        "files": ["a.txt", "b.txt"],
    }

    assert seen["assets"] == {
        "content": [1, 2],
        "metrics": {"value": 5},
        "indicators": [["value", 5]],
    }
    assert seen["instances"] == {
        "options": {"a": "i", "b": "i"},
        "summary": [["a", "i", "instance"], ["b", "r", "run"]],
        "class": "big",
        "locks": [True, False, 409],
        "name": "Other",
        "new": {"new": True},
        "old": True,
        "version": "Two",
        "versions": ["v1", "v2"],
        "deleted": False,
    }
