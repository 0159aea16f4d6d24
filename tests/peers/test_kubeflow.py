"""The official Kubeflow Pipelines clients, unchanged, against the local server."""

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
@pytest.mark.parametrize("generation", ["G1", "G2", "G3"])
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
        "artifact": "weights",
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


@pytest.mark.peer
@pytest.mark.timeout(90)
@pytest.mark.parametrize("generation", ["G2", "G3"])
async def test_official_client_of_v2beta1(server, generation):
    """Another release of the same package, so in another environment."""
    server.kubeflow.generation = generation
    server.kubeflow.experiment("trainings")
    server.kubeflow.register("sleeps", workflow("import time; time.sleep(60)"))
    server.kubeflow.register("fails", workflow("raise SystemExit(4)"))
    server.kubeflow.register("p", workflow("print('old')"), version_id="p-1")
    greets = workflow("print('hello {{workflow.parameters.who}}')", "who")
    server.kubeflow.register("p", greets, version_id="p-2", name="second")
    seen = await _running().drive(
        "drive_kubeflow_v2.py",
        server.url,
        server.token,
        environment=".venv-peers-kfp2",
    )
    engine = server.engine
    good, bad, slow = (seen[name]["id"] for name in ("good", "bad", "slow"))

    assert [record.id for record in engine.runs("kubeflow")] == [good, bad]
    assert engine.get("kubeflow", good).state is State.SUCCEEDED
    lines = [line.text for _, line in await engine.lines("kubeflow", good)]
    assert lines == ["hello peer"]

    assert seen["fresh"] == ["PENDING", "AVAILABLE", 1970]
    assert seen["good"] == {
        "id": good,
        "state": "SUCCEEDED",
        "finished": True,
        "experiment": "trainings",
        "version": ["p", "p-2"],
        "parameters": {"who": "peer"},
        "history": ["PENDING", "RUNNING", "SUCCEEDED"],
        "tasks": ["SUCCEEDED"],
    }
    assert seen["bad"]["state"] == seen["slow"]["state"] == "FAILED"
    assert "CANCELING" in seen["slow"]["history"]
    assert seen["chosen id"] == "6a0e6c1e-0002-4c8f-9d11-000000000002" == bad
    assert seen["retried"] == "FAILED"
    assert seen["refusals"] == {
        "retry while running": [409, 10],
        "terminate again": [400, 3],
        "no name": [500, 13],
        "unknown pipeline": [500, 13],
        "unknown experiment": [404, 5],
        "undeclared parameter": [400, 3],
        "get a deleted one": [404, 5],
        "delete it again": [404, 5],
        "bad filter": [400, 3],
        "another filter beside a token": [400, 3],
    }
    assert seen["storage"] == ["ARCHIVED", "AVAILABLE"]
    assert seen["all"] == [[slow, good, bad], 2, 3]
    assert sorted(seen["failed"][0]) == sorted([bad, slow])
    assert seen["failed"][1:] == [2, 2]
    assert seen["one"] == [[good], 1, 1]
    assert seen["trainings"] == [[good], 1, 1]
    assert seen["recent"] == [[slow, good, bad], 1, 3]


@pytest.mark.peer
@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("generation", "nobody"), [("G2", [401, 16]), ("G3", [401, 16])]
)
async def test_official_client_of_v2beta1_as_one_of_several_users(
    server, generation, nobody
):
    facade = server.kubeflow
    facade.generation, facade.multi_user = generation, True
    facade.experiment("e-team", namespace="team")
    facade.register("p", workflow("print('hello')"))
    facade.user("alice@example.com", {"team": None})
    facade.user("bob@example.com", {"team": ["get", "list"]})
    seen = await _running().drive(
        "drive_kubeflow_users.py",
        server.url,
        server.token,
        environment=".venv-peers-kfp2",
    )
    (record,) = server.engine.runs("kubeflow")
    assert seen == {
        "created": record.id,
        "listed": [record.id],
        "seen by bob": record.id,
        "bob deletes": [403, 7],
        "bob creates": [403, 7],
        "nobody": nobody,
        "without a namespace": [400, 3],
        "without an experiment": [400, 3],
    }


def workflow(code, *parameters):
    container = {"image": "python", "command": [sys.executable, "-c"], "args": [code]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "peer-"},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": name} for name in parameters]},
            "templates": [{"name": "main", "container": container}],
        },
    }
