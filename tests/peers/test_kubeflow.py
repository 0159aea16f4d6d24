"""The official Kubeflow Pipelines client, unchanged, against the local server."""

import importlib.util
import sys
from pathlib import Path

import pytest

from aioruns.local.records import State


def _running():
    # Test modules are imported by path, so their neighbours are too.
    path = Path(__file__).with_name("running.py")
    spec = importlib.util.spec_from_file_location("peers_running", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.peer
@pytest.mark.timeout(90)
@pytest.mark.parametrize("generation", ["G1", "G3"])
async def test_official_client(server, generation):
    server.kubeflow.generation = generation
    seen = await _running().drive(
        "drive_kubeflow.py", server.url, server.token, sys.executable
    )
    engine = server.engine
    good, bad, slow = (seen[name]["id"] for name in ("good", "bad", "slow"))

    # The slow one was deleted.
    assert [record.id for record in engine.runs("kubeflow")] == [good, bad]
    assert engine.get("kubeflow", good).state is State.SUCCEEDED
    assert engine.get("kubeflow", bad).state is State.FAILED
    lines = [line.text for _, line in await engine.lines("kubeflow", good)]
    assert lines == ["hello peer", "bye"]

    assert seen["fresh"] == (None if generation == "G1" else "Pending")
    assert seen["good"] == {
        "id": good,
        "status": "Succeeded",
        "finished": True,
        "log": lines,
        "experiment": "EXPERIMENT",
    }
    assert seen["bad"]["status"] == seen["slow"]["status"] == "Failed"
    assert seen["bad"]["message"] == "Error (exit code 4)"
    assert seen["retried"] == "Failed"
    assert seen["retry while running"] == 409
    assert seen["terminate again"] == 400
    assert seen["metrics"] == {
        "reported": ["OK", "DUPLICATE_REPORTING"],
        "stored": [["score", 0.5, "RAW"]],
    }
    assert seen["storage"] == ["STORAGESTATE_ARCHIVED", None]
    ids, pages, total = seen["all"]
    assert (ids, pages, total) == ([slow, good, bad], 2, 3)
    ids, pages, total = seen["failed"]
    assert (sorted(ids), pages, total) == (sorted([bad, slow]), 2, 2)
    assert seen["one"] == [[good], 1, 1]
    assert seen["deleted"] == [404, 404]
