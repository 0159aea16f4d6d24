"""The Kubeflow Pipelines façade, driven with nothing but an HTTP client."""

import asyncio
import base64
import gzip
import io
import json
import sys
import tarfile
import uuid
from urllib.parse import quote

import aiohttp
import anyio
import pytest
from tests.local.kubeflow_api import Api, python, workflow

from aioruns.local import Fault, LocalServer
from aioruns.local.records import State

EPOCH = "1970-01-01T00:00:00Z"
GENERATIONS = ("G1", "G2", "G3")
MODERN = ("G2", "G3")


@pytest.fixture
async def api(server):
    async with aiohttp.ClientSession() as http:
        api = Api(server, http)
        api.facade.register("p", program=quick)
        yield api


async def quick(job):
    await job.log(f"hello {job.env.get('who', 'world')}")
    return {"answer": 42}


async def fails(job):
    raise RuntimeError("no luck")


async def endless(job):
    await job.log("started")
    await asyncio.Event().wait()


# -- connection ----------------------------------------------------------------------


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_health_tells_the_generation(api, generation):
    api.facade.generation = generation
    status, body, headers = await api.raw("GET", "/apis/v1beta1/healthz", token="x")
    assert status == 200
    assert json.loads(body)["multi_user"] is False
    kind = "text/plain" if generation == "G1" else "application/json"
    assert headers["Content-Type"].startswith(kind)
    status, body, _ = await api.raw("GET", "/apis/v2beta1/healthz")
    assert status == (404 if generation == "G1" else 200)
    assert (b"pipeline_store" in body) == (generation == "G3")


@pytest.mark.parametrize(
    ("generation", "status", "code"),
    [("G1", 500, 13), ("G2", 401, 16), ("G3", 401, 16)],
)
async def test_a_wrong_token_is_refused(api, generation, status, code):
    api.facade.generation = generation
    got, body = await api.call("GET", "/apis/v1beta1/runs", token="wrong")
    assert (got, body["code"]) == (status, code)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_error_bodies(api, generation):
    api.facade.generation = generation
    status, body, headers = await api.raw("GET", "/apis/v1beta1/runs/nope")
    error = json.loads(body)
    assert (status, error["code"]) == (404, 5)
    assert "Grpc-Metadata-Content-Type" not in headers
    assert ("error" in error) == (generation != "G3")
    (detail,) = error["details"]
    if generation == "G1":
        assert detail["@type"] == "type.googleapis.com/api.Error"
        assert detail["error_message"] == "Run nope not found."
    else:
        assert detail["@type"] == "type.googleapis.com/google.rpc.Status"
        assert (detail["code"], detail["message"]) == (5, "Run nope not found.")


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_routes_that_do_not_exist(api, generation):
    api.facade.generation = generation
    modern = generation == "G3"
    for method, path, status in [
        ("GET", "/apis/v1beta1/nothing", 404),
        ("GET", "/apis/v1beta1/runs/a%2Fb", 404),
        ("PUT", "/apis/v1beta1/runs", 501 if modern else 405),
        ("POST", "/apis/v1beta1/runs/x:terminate", 501 if modern else 404),
        ("POST", "/apis/v1beta1/runs/x:retry", 501 if modern else 404),
    ]:
        got, body, headers = await api.raw(method, path)
        assert got == status, path
        if modern:
            assert json.loads(body)["code"] == (5 if status == 404 else 12)
        else:
            assert headers["Content-Type"].startswith("text/plain")
    if generation != "G1":
        got, _, _ = await api.raw("POST", "/apis/v2beta1/runs/x/terminate")
        assert got == 404
        got, _, _ = await api.raw("POST", "/apis/v2beta1/runs/x:reportMetrics")
        assert got == (501 if modern else 404)
    status, _, _ = await api.raw("GET", "/apis/v1beta1/runs/")
    assert status == 404


async def test_an_id_with_a_colon_is_reached_on_g3_only(api):
    _, _, headers = await api.raw("GET", "/apis/v1beta1/runs/a%3Ab")
    assert headers["Content-Type"] == "application/json"
    api.facade.generation = "G2"
    status, body, _ = await api.raw("GET", "/apis/v1beta1/runs/a%3Ab")
    assert (status, body) == (404, b"Not Found\n")


# -- create and get ------------------------------------------------------------------


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_create_and_get_v1(api, generation):
    api.facade.generation = generation
    api.facade.experiment("e-11", name="trainings")
    body = {
        "name": "train <7>",
        "description": "key=4d1c",
        "pipeline_spec": {"parameters": [{"name": "who", "value": "you"}]},
        "resource_references": [
            {"key": {"type": "EXPERIMENT", "id": "e-11"}, "relationship": "OWNER"},
            {"key": {"type": 4, "id": "p"}, "relationship": "CREATOR"},
        ],
    }
    status, raw, headers = await api.raw("POST", "/apis/v1beta1/runs", json=body)
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert headers["Grpc-Metadata-Content-Type"] == "application/grpc"
    assert (b"\\u003c7\\u003e" in raw) == (generation != "G3")
    created = json.loads(raw)
    run = created["run"]
    assert run["name"] == "train <7>"
    assert run.get("status") == (None if generation == "G1" else "Pending")
    assert "storage_state" not in run
    assert run["service_account"] == "pipeline-runner"
    assert run["finished_at"] == EPOCH
    assert (run["scheduled_at"] == EPOCH) == (generation == "G1")
    assert run["created_at"].endswith("Z")
    assert run["pipeline_spec"]["parameters"] == [{"name": "who", "value": "you"}]
    experiment, version = run["resource_references"]
    assert experiment["key"] == {"type": "EXPERIMENT", "id": "e-11"}
    assert version["key"] == {"type": "PIPELINE_VERSION", "id": "p"}
    named = "trainings" if generation == "G1" else None
    assert experiment.get("name") == named
    assert "workflow_manifest" in created["pipeline_runtime"]

    await api.ended(run["id"])
    run, argo = await api.get(run["id"])
    assert run["status"] == "Succeeded"
    assert run["finished_at"] != EPOCH
    name = argo["metadata"]["name"]
    assert argo["metadata"]["labels"]["pipeline/runid"] == run["id"]
    annotations = argo["metadata"]["annotations"]
    assert annotations["pipelines.kubeflow.org/run_name"] == "train <7>"
    assert argo["status"]["phase"] == "Succeeded"
    (node,) = argo["status"]["nodes"].values()
    assert (node["id"], node["type"], node["phase"]) == (name, "Pod", "Succeeded")
    (result,) = node["outputs"]["parameters"]
    assert (result["name"], result["value"]) == ("result", '{"answer":42}')
    assert await api.log(run["id"], name) == 'hello you\n{"answer":42}\n'


@pytest.mark.parametrize("generation", MODERN)
async def test_create_and_get_v2(api, generation):
    api.facade.generation = generation
    run_id = str(uuid.uuid4())
    body = {
        "run_id": run_id,
        "display_name": "train-8",
        "pipeline_version_reference": {"pipeline_id": "p"},
        "runtime_config": {"parameters": {"who": "them", "n": 7}},
    }
    created = await api.ok("POST", "/apis/v2beta1/runs", json=body)
    assert created["run_id"] == run_id
    assert created["state"] == "PENDING"
    assert created["storage_state"] == "AVAILABLE"
    assert created["scheduled_at"] == created["created_at"]
    assert created["finished_at"] == EPOCH
    assert created["state_history"] == [
        {"update_time": created["created_at"], "state": "PENDING"}
    ]
    assert "run_details" not in created
    reference = {"pipeline_id": "p", "pipeline_version_id": "p"}
    assert created["pipeline_version_reference"] == reference
    assert created["runtime_config"]["parameters"] == {"who": "them", "n": 7}

    await api.ended(run_id)
    run = await api.get2(run_id)
    assert run["state"] == "SUCCEEDED"
    states = [entry["state"] for entry in run["state_history"]]
    assert states == ["PENDING", "RUNNING", "SUCCEEDED"]
    (task,) = run["run_details"]["task_details"]
    assert (task["run_id"], task["state"]) == (run_id, "SUCCEEDED")
    v1, argo = await api.get(run_id)
    assert v1["status"] == "Succeeded"
    assert "hello them" in await api.log(run_id, argo["metadata"]["name"])


async def test_client_ids_are_ignored_on_g1(api):
    api.facade.generation = "G1"
    assert await api.create(id="mine") != "mine"


@pytest.mark.parametrize("generation", MODERN)
async def test_a_duplicate_id_starts_a_second_workflow(api, generation):
    api.facade.generation = generation
    assert await api.create(id="mine") == "mine"
    body = {"id": "mine", "name": "b", "pipeline_spec": {"pipeline_id": "p"}}
    status, error = await api.call("POST", "/apis/v1beta1/runs", json=body)
    assert (status, error["code"]) == (500, 13)
    first, second = api.server.engine.runs("kubeflow")
    await api.ended(second.id)
    assert second.state is State.SUCCEEDED
    assert first.detail["name"] == "a run"
    listed = await api.ok("GET", "/apis/v1beta1/runs")
    assert listed["total_size"] == 1
    status, _ = await api.call("GET", f"/apis/v1beta1/runs/{quote(second.id)}")
    assert status == 404


CREATE_ERRORS = {
    # what is wrong: (body, G1, G2, G3)
    "no name": ({"pipeline_spec": {"pipeline_id": "p"}}, 400, 500, 500),
    "no source": ({"name": "x"}, 400, 500, 500),
    "pipeline": ({"name": "x", "pipeline_spec": {"pipeline_id": "?"}}, 404, 500, 500),
    "unknown key": (
        {"name": "x", "nmae": "y", "pipeline_spec": {"pipeline_id": "p"}},
        200,
        200,
        400,
    ),
    "wrong type": ({"name": 7}, 400, 400, 400),
    "enum": (
        {"name": "x", "resource_references": [{"key": {"type": "EXPERIMNT"}}]},
        400,
        400,
        400,
    ),
    "experiment": (
        {
            "name": "x",
            "pipeline_spec": {"pipeline_id": "p"},
            "resource_references": [
                {"key": {"type": "EXPERIMENT", "id": "?"}, "relationship": "OWNER"}
            ],
        },
        500,
        404,
        404,
    ),
    "not a workflow": (
        {"name": "x", "pipeline_spec": {"workflow_manifest": '{"kind":"Pod"}'}},
        400,
        500,
        500,
    ),
    "not readable": (
        {"name": "x", "pipeline_spec": {"workflow_manifest": "{["}},
        400,
        500,
        500,
    ),
    "a script": (
        {
            "name": "x",
            "pipeline_spec": {
                "workflow_manifest": json.dumps(
                    workflow({"name": "main", "script": {"source": "1"}})
                )
            },
        },
        400,
        500,
        500,
    ),
    "parameter": (
        {
            "name": "x",
            "pipeline_spec": {
                "workflow_manifest": json.dumps(workflow(python("1"))),
                "parameters": [{"name": "undeclared", "value": "1"}],
            },
        },
        500,
        400,
        400,
    ),
    "two sources": (
        {
            "name": "x",
            "pipeline_spec": {
                "workflow_manifest": json.dumps(workflow(python("1"))),
                "pipeline_id": "p",
            },
        },
        400,
        200,
        200,
    ),
    "ir": ({"name": "x", "pipeline_spec": {"pipeline_manifest": "{}"}}, 400, 500, 500),
}


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("wrong", CREATE_ERRORS)
async def test_create_refuses(api, generation, wrong):
    api.facade.generation = generation
    body, *statuses = CREATE_ERRORS[wrong]
    status, answer = await api.call("POST", "/apis/v1beta1/runs", json=body)
    assert status == statuses[GENERATIONS.index(generation)], answer


@pytest.mark.parametrize("generation", MODERN)
async def test_a_recurring_run_makes_a_run_of_one_name_once_on_newer_servers(
    api, generation
):
    api.facade.generation = generation
    reference = {"pipeline_id": "p"}
    body = {"display_name": "monday", "pipeline_version_reference": reference}
    body |= {"plugins_input": {"mlflow": {"n": 1}}, "recurring_run_id": "rr-1"}
    first, second = [
        await api.ok("POST", "/apis/v2beta1/runs", json=body) for _ in range(2)
    ]
    assert (first["run_id"] == second["run_id"]) == (generation == "G3")
    assert first["plugins_input"] == {"mlflow": {"n": 1}}
    other = await api.ok(
        "POST", "/apis/v2beta1/runs", json=body | {"display_name": "tuesday"}
    )
    assert other["run_id"] != first["run_id"]


@pytest.mark.parametrize("generation", MODERN)
async def test_create_v2_refuses(api, generation):
    api.facade.generation = generation
    spec = {"display_name": "x", "pipeline_spec": {"pipelineInfo": {"name": "ir"}}}
    status, error = await api.call("POST", "/apis/v2beta1/runs", json=spec)
    assert (status, error["code"]) == (500, 13)
    both = {**spec, "pipeline_version_reference": {"pipeline_id": "p"}}
    status, error = await api.call("POST", "/apis/v2beta1/runs", json=both)
    assert (status, "details" in error) == (400, False)
    status, _ = await api.call("POST", "/apis/v2beta1/runs", data=b'{"run_id": NaN}')
    assert status == 400
    bad_id = {
        "display_name": "x",
        "run_id": "not a label",
        "pipeline_version_reference": {"pipeline_id": "p"},
    }
    status, _ = await api.call("POST", "/apis/v2beta1/runs", json=bad_id)
    assert status == 500


async def test_an_inline_manifest_must_be_json_on_g1(api):
    text = f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: yaml-}}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: x
      command: [{sys.executable}, -c, "print('from yaml')"]
"""
    spec = {"workflow_manifest": text}
    run_id = await api.create(pipeline_spec=spec)
    await api.ended(run_id)
    run, argo = await api.get(run_id)
    assert run["pipeline_spec"]["workflow_manifest"] == text
    assert argo["metadata"]["name"].startswith("yaml-")
    assert await api.log(run_id, argo["metadata"]["name"]) == "from yaml\n"
    api.facade.generation = "G1"
    body = {"name": "x", "pipeline_spec": spec}
    status, _ = await api.call("POST", "/apis/v1beta1/runs", json=body)
    assert status == 400
    # A registered one may be YAML everywhere.
    api.facade.register("yaml", text, version_id="yaml-2")
    await api.create(pipeline_spec={"pipeline_id": "yaml"})


# -- real programs -------------------------------------------------------------------

PRODUCE = """
import os, sys
print("in {{workflow.name}}")
print(os.environ["LEVEL"], file=sys.stderr)
open("score", "w").write("{{inputs.parameters.n}}" * 2)
os.mkdir("out")
open("{{outputs.artifacts.model.path}}", "w").write("a model")
"""


def diamond():
    produce = {
        **python(PRODUCE),
        "name": "produce",
        "inputs": {"parameters": [{"name": "n"}]},
        "outputs": {
            "parameters": [{"name": "score", "valueFrom": {"path": "score"}}],
            "artifacts": [
                {"name": "model", "path": "out/model.txt"},
                {"name": "elsewhere", "path": "/nowhere/else"},
            ],
        },
    }
    level = {"name": "LEVEL", "value": "level {{workflow.parameters.level}}"}
    produce["container"]["env"] = [level]
    arguments = {"parameters": [{"name": "n", "value": "{{workflow.parameters.n}}"}]}
    tasks = [
        {"name": "first", "template": "produce", "arguments": arguments},
        {"name": "bad", "template": "break", "dependencies": ["first"]},
        {"name": "never", "template": "break", "dependencies": ["bad"]},
    ]
    return workflow(
        {"name": "main", "dag": {"tasks": tasks}},
        produce,
        {**python("print('broken'); raise SystemExit(3)"), "name": "break"},
        parameters=[{"name": "n", "value": 7}, {"name": "level", "value": "low"}],
    )


@pytest.mark.parametrize("generation", ["G1", "G3"])
async def test_a_dag_of_subprocesses(api, generation):
    api.facade.generation = generation
    api.facade.register("dag", diamond())
    run_id = await api.create(
        pipeline_spec={
            "pipeline_id": "dag",
            "parameters": [{"name": "level", "value": "high"}],
        }
    )
    await api.ended(run_id)
    run, argo = await api.get(run_id)
    assert run["status"] == "Failed"
    name, nodes = argo["metadata"]["name"], argo["status"]["nodes"]
    by_task = {node["displayName"]: node for node in nodes.values()}
    assert set(by_task) == {name, "first", "bad", "never"}
    root, first, bad = by_task[name], by_task["first"], by_task["bad"]
    assert (root["type"], root["id"], root["phase"]) == ("DAG", name, "Failed")
    assert root["children"] == [first["id"]]
    assert first["children"] == [bad["id"]]
    assert (first["type"], first["phase"]) == ("Pod", "Succeeded")
    assert first["name"] == f"{name}.first"
    assert (first["boundaryID"], first["templateName"]) == (name, "produce")
    assert first["inputs"]["parameters"] == [{"name": "n", "value": "7"}]
    (score,) = first["outputs"]["parameters"]
    assert (score["name"], score["value"]) == ("score", "77")
    (model,) = first["outputs"]["artifacts"]
    assert model["s3"]["key"].endswith("model.tgz")
    assert (bad["phase"], bad["message"]) == ("Failed", "Error (exit code 3)")
    assert by_task["never"]["phase"] == "Omitted"
    assert by_task["never"]["type"] != "Pod"
    assert bad["id"] in argo["status"]["message"]
    assert argo["metadata"]["annotations"]["mine"] == "kept"
    parameters = argo["spec"]["arguments"]["parameters"]
    assert {"name": "level", "value": "high"} in parameters

    hashed = first["id"].removeprefix(f"{name}-")
    pod = first["id"] if generation == "G1" else f"{name}-produce-{hashed}"
    text = await api.log(run_id, pod)
    assert sorted(text.splitlines()) == [f"in {name}", "level high"]
    if generation == "G3":
        assert '{"error_message":' in await api.log(run_id, first["id"])

    path = f"/apis/v1beta1/runs/{run_id}/nodes/{first['id']}/artifacts"
    data = (await api.ok("GET", f"{path}/model:read"))["data"]
    packed = io.BytesIO(gzip.decompress(base64.b64decode(data)))
    with tarfile.open(fileobj=packed) as archive:
        assert archive.extractfile("model.txt").read() == b"a model"
    status, raw, headers = await api.raw("GET", f"{path}/nothing:read")
    assert status == 404
    plain = headers["Content-Type"].startswith("text/plain")
    assert plain == (generation == "G3")
    assert ("error_message" in json.loads(raw)) == plain


async def test_the_v2_view_of_a_dag_has_tasks(api):
    api.facade.register("dag", diamond())
    run_id = await api.create(pipeline_spec={"pipeline_id": "dag"})
    await api.ended(run_id)
    run = await api.get2(run_id)
    tasks = {t["display_name"]: t for t in run["run_details"]["task_details"]}
    assert tasks["first"]["state"] == "SUCCEEDED"
    assert tasks["bad"]["state"] == "FAILED"
    assert tasks["never"]["state"] == "SKIPPED"
    assert tasks["never"]["start_time"] == "0001-01-01T00:00:00Z"
    assert "pod_name" not in tasks["bad"]
    assert "error" not in run


async def test_a_terminated_dag(api):
    sleep = {**python("import time; print('on'); time.sleep(60)"), "name": "sleep"}
    tasks = [
        {"name": "one", "template": "sleep"},
        {"name": "two", "template": "sleep", "dependencies": ["one"]},
    ]
    api.facade.register(
        "dag", workflow({"name": "main", "dag": {"tasks": tasks}}, sleep)
    )
    run_id = await api.create(pipeline_spec={"pipeline_id": "dag"})
    await api.running(run_id)
    _, argo = await api.get(run_id)
    nodes = {n["displayName"]: n for n in argo["status"]["nodes"].values()}
    assert nodes.pop(argo["metadata"]["name"])["phase"] == "Running"
    assert {name: node["phase"] for name, node in nodes.items()} == {"one": "Running"}
    await api.ok("POST", f"/apis/v2beta1/runs/{run_id}:terminate")
    await api.ended(run_id)
    run, argo = await api.get(run_id)
    assert run["status"] == "Failed"
    nodes = {n["displayName"]: n for n in argo["status"]["nodes"].values()}
    assert nodes["one"]["phase"] == "Failed"
    assert nodes["one"]["message"]
    assert nodes["two"]["phase"] == "Omitted"
    assert argo["status"]["message"] == f"child '{nodes['one']['id']}' failed"


@pytest.mark.parametrize(
    "wrong",
    [
        [{"name": "a", "template": "main"}],
        [{"name": "a", "template": "nowhere"}],
        [{"name": "a", "template": "do", "dependencies": ["b"]}],
        [{"name": "a", "template": "do", "dependencies": ["a"]}],
        [{"name": "a", "template": "do"}, {"name": "a", "template": "do"}],
        [{"name": "a", "template": "do", "when": "1 == 2"}],
        [{"name": "a", "template": "asks"}],
        [{"template": "do"}],
        "tasks",
    ],
)
async def test_dags_that_cannot_run(api, wrong):
    do = {**python("1"), "name": "do"}
    asks = {**python("1"), "name": "asks", "inputs": {"parameters": [{"name": "n"}]}}
    dag = {"name": "main", "dag": {"tasks": wrong}}
    text = json.dumps(workflow(dag, do, asks))
    body = {"name": "x", "pipeline_spec": {"workflow_manifest": text}}
    status, error = await api.call("POST", "/apis/v1beta1/runs", json=body)
    assert (status, error["code"]) == (500, 13)
    assert api.server.engine.runs("kubeflow") == []


async def test_runs_outlive_the_server(tmp_path):
    data = str(tmp_path / "data.db")
    async with aiohttp.ClientSession() as http:
        async with LocalServer(token="t", data=data) as server:
            api = Api(server, http)
            api.facade.register("p", program=fails)
            run_id = await api.create(
                pipeline_spec={
                    "pipeline_id": "p",
                    "parameters": [{"name": "a", "value": "b"}],
                }
            )
            await api.ended(run_id)
            before = await api.get(run_id), await api.get2(run_id)
        async with LocalServer(token="t", data=data) as server:
            api = Api(server, http)
            assert (await api.get(run_id), await api.get2(run_id)) == before
            retry = f"/apis/v2beta1/runs/{run_id}:retry"
            assert (await api.call("POST", retry))[0] == 409
            assert await ids(api) == [run_id]


def test_generations_are_three(server):
    with pytest.raises(ValueError, match="G1, G2, G3"):
        server.kubeflow.generation = "G4"


@pytest.mark.parametrize(("status", "code"), [(429, 8), (500, 13), (503, 14)])
async def test_faults_answer_in_our_words(api, status, code):
    api.server.faults.add(Fault(str(status)))
    got, error = await api.call("GET", "/apis/v2beta1/runs")
    assert (got, error["code"]) == (status, code)


# -- logs ----------------------------------------------------------------------------


async def test_the_log_errors_are_200_and_need_no_token(api):
    for generation in GENERATIONS:
        api.facade.generation = generation
        error = json.loads(await api.log("unknown", "node"))
        assert set(error) == {"error_message", "error_details"}
    run_id = await api.create()
    error = json.loads(await api.log(run_id, "no-such-node"))
    assert set(error) == {"error_message", "error_details"}
    await api.ended(run_id)


async def test_the_log_ignores_follow_and_is_cut_into_pieces(api):
    api.facade.register("endless", program=endless)
    run_id = await api.create(pipeline_spec={"pipeline_id": "endless"})
    await api.running(run_id)
    _, argo = await api.get(run_id)
    node = argo["metadata"]["name"]
    while (text := await api.log(run_id, node, "?follow=true")) != "started\n":
        assert not text
    await api.ok("DELETE", f"/apis/v1beta1/runs/{run_id}")

    async def talks(job):
        for n in range(500):
            await job.log(f"line {n} é")

    api.facade.register("talks", program=talks)
    run_id = await api.create(pipeline_spec={"pipeline_id": "talks"})
    await api.ended(run_id)
    _, argo = await api.get(run_id)
    node = argo["metadata"]["name"]
    url = f"{api.server.url}/apis/v1alpha1/runs/{run_id}/nodes/{node}/log"
    async with api.http.post(url) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert (await answer.text()).splitlines()[-1] == "line 499 é"


# -- archive, delete, terminate, retry -----------------------------------------------


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_archive_and_unarchive(api, generation):
    api.facade.generation = generation
    run_id = await api.create()
    for _ in range(2):
        assert await api.ok("POST", f"/apis/v1beta1/runs/{run_id}:archive") == {}
    run, _ = await api.get(run_id)
    assert run["storage_state"] == "STORAGESTATE_ARCHIVED"
    stored = "STORAGESTATE_ARCHIVED" if generation == "G1" else "ARCHIVED"
    equals = {"op": "EQUALS", "key": "storage_state", "string_value": stored}
    assert len(await ids(api, filter=equals)) == 1
    assert await api.ok("POST", f"/apis/v1beta1/runs/{run_id}:unarchive") == {}
    run, _ = await api.get(run_id)
    assert "storage_state" not in run
    for verb in ("archive", "unarchive"):
        status, _ = await api.call("POST", f"/apis/v1beta1/runs/nope:{verb}")
        assert status == (200 if generation == "G1" else 404)


async def test_a_run_of_an_archived_experiment_stays_archived(api):
    api.facade.experiment("old")
    own = {"key": {"type": "EXPERIMENT", "id": "old"}, "relationship": "OWNER"}
    run_id = await api.create(resource_references=[own])
    api.facade.experiment("old", archived=True)
    status, error = await api.call("POST", f"/apis/v2beta1/runs/{run_id}:unarchive")
    assert (status, error["code"]) == (400, 9)


async def test_delete(api):
    run_id = await api.create()
    assert await api.ok("DELETE", f"/apis/v1beta1/runs/{run_id}") == {}
    status, _ = await api.call("DELETE", f"/apis/v2beta1/runs/{run_id}")
    assert status == 404


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_terminate_and_retry(api, generation):
    api.facade.generation = generation
    stop = asyncio.Event()

    async def slow_to_stop(job):
        try:
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):
                await stop.wait()

    async def one_of_both(job):
        return await (slow_to_stop(job) if not stop.is_set() else quick(job))

    api.facade.register("slow", program=one_of_both)
    run_id = await api.create(pipeline_spec={"pipeline_id": "slow"})
    await api.running(run_id)
    terminate = f"/apis/v1beta1/runs/{run_id}/terminate"
    retry = f"/apis/v1beta1/runs/{run_id}/retry"
    if generation == "G3":
        terminate = f"/apis/v2beta1/runs/{run_id}:terminate"
        retry = f"/apis/v2beta1/runs/{run_id}:retry"
    status, error = await api.call("POST", retry)
    assert (status, error["code"]) == (409, 10)
    assert await api.ok("POST", terminate) == {}
    run, argo = await api.get(run_id)
    assert run["status"] == "Terminating"
    assert argo["spec"]["activeDeadlineSeconds"] == 0
    if generation != "G1":
        assert (await api.get2(run_id))["state"] == "CANCELING"
    status, error = await api.call("POST", terminate)
    assert (status, error["code"]) == (400, 3)
    stop.set()
    await api.ended(run_id)
    run, argo = await api.get(run_id)
    assert run["status"] == argo["status"]["phase"] == "Failed"
    assert argo["spec"]["activeDeadlineSeconds"] == 0
    assert argo["status"]["message"]
    status, _ = await api.call("POST", terminate)
    assert status == 400

    record = api.server.engine.get("kubeflow", run_id)
    assert await api.ok("POST", retry) == {}
    await api.ended(run_id)
    assert record.state is State.SUCCEEDED
    run, argo = await api.get(run_id)
    assert (run["id"], run["status"]) == (run_id, "Succeeded")
    assert "activeDeadlineSeconds" not in argo["spec"]
    if generation != "G1":
        history = (await api.get2(run_id))["state_history"]
        assert [entry["state"] for entry in history] == [
            *("PENDING", "RUNNING", "CANCELING", "FAILED"),
            *("RUNNING", "SUCCEEDED"),
        ]
    status, _ = await api.call("POST", retry)
    assert status == 409


async def test_a_retried_run_is_running_at_once_and_its_log_starts_anew(api):
    gate = asyncio.Event()
    seen = []

    async def fails_first(job):
        seen.append(1)
        await job.log(f"attempt {len(seen)}")
        if len(seen) == 1:
            raise RuntimeError("not yet")
        await gate.wait()

    api.facade.register("twice", program=fails_first)
    run_id = await api.create(pipeline_spec={"pipeline_id": "twice"})
    await api.ended(run_id)
    run, argo = await api.get(run_id)
    assert run["status"] == "Failed"
    assert argo["status"]["message"] == "Error (exit code 1): not yet"
    await api.ok("POST", f"/apis/v1beta1/runs/{run_id}/retry")
    run, _ = await api.get(run_id)
    assert (run["status"], run["finished_at"]) == ("Running", EPOCH)
    gate.set()
    await api.ended(run_id)
    assert await api.log(run_id, argo["metadata"]["name"]) == "attempt 2\n"


# -- metrics -------------------------------------------------------------------------


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_metrics(api, generation):
    api.facade.generation = generation
    run_id = await api.create()
    path = f"/apis/v1beta1/runs/{run_id}:reportMetrics"
    accuracy = {"name": "accuracy", "node_id": "n", "number_value": 0.93}
    sent = [
        {**accuracy, "format": "PERCENTAGE"},
        {**accuracy, "number_value": 0.95},
        {"name": "9bad", "node_id": "n", "number_value": 1},
        {"name": "nan", "node_id": "n", "number_value": "NaN"},
        {"name": "zero", "nodeId": "n"},
        {"name": "lost"},
    ]
    results = (await api.ok("POST", path, json={"metrics": sent}))["results"]
    assert [result["status"] for result in results] == [
        "OK",
        "DUPLICATE_REPORTING",
        "INVALID_ARGUMENT",
        "INTERNAL_ERROR",
        "OK",
        "INVALID_ARGUMENT",
    ]
    assert "message" not in results[0]
    assert ("message" in results[2]) == (generation == "G1")
    run, _ = await api.get(run_id)
    assert run["metrics"] == [
        {**accuracy, "format": "PERCENTAGE"},
        {"name": "zero", "node_id": "n", "number_value": 0.0},
    ]
    assert await api.ok("POST", path, json={"metrics": []}) == {}
    bare = b'{"metrics":[{"name":"x","node_id":"n","number_value":NaN}]}'
    assert (await api.call("POST", path, data=bare))[0] == 400
    wrong = {"metrics": [{**accuracy, "format": "PERMILLE"}]}
    assert (await api.call("POST", path, json=wrong))[0] == 400
    status, _ = await api.call("POST", path.replace(run_id, "nope"), json={})
    assert status == 404


# -- lists ---------------------------------------------------------------------------


def listing(version="v1beta1", **query):
    if "filter" in query:
        predicates = query["filter"]
        predicates = predicates if isinstance(predicates, list) else [predicates]
        query["filter"] = json.dumps({"predicates": predicates})
    sent = "&".join(f"{k}={quote(str(v), safe='')}" for k, v in query.items())
    return f"/apis/{version}/runs?{sent}"


async def ids(api, version="v1beta1", **query):
    answer = await api.ok("GET", listing(version, **query))
    key = "id" if version == "v1beta1" else "run_id"
    return [run[key] for run in answer.get("runs", [])]


async def refused(api, version="v1beta1", **query):
    status, _ = await api.call("GET", listing(version, **query))
    return status


async def test_pages(api):
    api.server.settings.page_size = 3
    assert await api.ok("GET", "/apis/v1beta1/runs") == {}
    created = [await api.create(f"n{n}") for n in range(7)]
    rows = api.server.engine.runs("kubeflow")
    expected = sorted(
        created, key=lambda i: (int(rows[created.index(i)].created.timestamp()), i)
    )
    for version in ("v1beta1", "v2beta1"):
        seen, query, sizes = [], {}, []
        while True:
            page = await api.ok("GET", listing(version, **query))
            assert page["total_size"] == 7
            key = "id" if version == "v1beta1" else "run_id"
            seen += [run[key] for run in page["runs"]]
            sizes.append(len(page["runs"]))
            if "next_page_token" not in page:
                break
            query = {"page_token": page["next_page_token"]}
        assert sizes == [3, 3, 1]
        assert seen == expected
    assert "pipeline_runtime" not in page
    assert len(await ids(api, page_size=500)) == 7
    assert len(await ids(api, page_size=0)) == 3
    assert len(await ids(api, pageSize=2)) == 2
    assert await ids(api, page_size=9, sort_by="CREATED_AT desc") == expected[::-1]
    for wrong in ("-1", "x", ""):
        assert await refused(api, page_size=wrong) == 400
    # The row that a token points at may go.
    page = await api.ok("GET", listing(page_size=2))
    await api.ok("DELETE", f"/apis/v1beta1/runs/{expected[2]}")
    token = page["next_page_token"]
    assert await ids(api, page_size=2, page_token=token) == expected[3:5]


@pytest.mark.parametrize("generation", ["G1", "G3"])
async def test_tokens_hold_sort_and_filter(api, generation):
    api.facade.generation = generation
    created = [await api.create(f"n{n % 2}") for n in range(6)]
    text = {"op": "EQUALS", "key": "name", "string_value": "n1"}
    many = {"op": "IN", "key": "id", "string_values": {"values": created}}
    page = await api.ok("GET", listing(page_size=2, sort_by="name desc", filter=text))
    token = page["next_page_token"]
    rest = await ids(api, page_token=token, page_size=2)
    assert sorted(rest + [r["id"] for r in page["runs"]]) == sorted(created[1::2])
    same = {"page_token": token, "sort_by": "name desc", "filter": text}
    assert await ids(api, **same) == rest
    assert await refused(api, page_token=token, sort_by="name desc") == 400
    assert await refused(api, page_token=token, filter=text) == 400
    assert await refused(api, **{**same, "sort_by": "name"}) == 400
    page = await api.ok("GET", listing(page_size=2, filter=many))
    token = page["next_page_token"]
    assert len(await ids(api, page_token=token)) == 4
    assert await refused(api, page_token=token, filter=many) == 400
    assert await refused(api, page_token="?") == 400
    assert await refused(api, page_token=base64.b64encode(b"no").decode()) == 400
    odd = json.loads(base64.b64decode(token)) | {"SortByFieldName": "secret"}
    odd = base64.b64encode(json.dumps(odd).encode()).decode()
    assert await refused(api, page_token=odd) == (500 if generation == "G1" else 400)


async def test_the_scope(api):
    api.facade.experiment("e-1")
    api.facade.experiment("e-2")

    def own(experiment):
        return [
            {
                "key": {"type": "EXPERIMENT", "id": experiment},
                "relationship": "OWNER",
            }
        ]

    mine = await api.create(resource_references=own("e-1"))
    await api.create(resource_references=own("e-2"))
    await api.create()
    kind, id_ = "resource_reference_key.type", "resource_reference_key.id"
    assert await ids(api, **{kind: "EXPERIMENT", id_: "e-1"}) == [mine]
    assert await ids(api, **{kind: "1", id_: "e-1"}) == [mine]
    assert await ids(api, "v2beta1", experiment_id="e-1") == [mine]
    assert len(await ids(api, "v2beta1", namespace="anything")) == 3
    assert len(await ids(api, **{kind: "PIPELINE", id_: "p"})) == 3
    assert await refused(api, **{kind: "EXPERIMENT"}) == 400
    assert await refused(api, **{id_: "e-1"}) == 400
    assert await refused(api, **{kind: "UNKNOWN_RESOURCE_TYPE", id_: "e"}) == 400
    assert await refused(api, **{kind: "NONSENSE", id_: "e-1"}) == 400
    assert await refused(api, **{kind: "EXPERIMENT", id_: "?"}) == 404
    api.facade.generation = "G1"
    assert await api.ok("GET", listing(**{kind: "EXPERIMENT", id_: "?"})) == {}
    assert await refused(api, **{kind: "PIPELINE", id_: "p"}) == 400
    by_version = await ids(api, **{kind: "PIPELINE_VERSION", id_: "p"})
    assert len(by_version) == 3


async def test_filters(api):
    one = await api.create("one", description="50%+")
    api.facade.register("fails", program=fails)
    two = await api.create("Two", pipeline_spec={"pipeline_id": "fails"})
    for run_id in (one, two):
        await api.ended(run_id)

    def predicate(op, key, version="v1beta1", **value):
        return {"op" if version == "v1beta1" else "operation": op, "key": key, **value}

    for want, *parts in [
        ([one], "EQUALS", "name", {"string_value": "ONE"}),
        ([two], "NOT_EQUALS", "name", {"stringValue": "one"}),
        ([two], "IN", "id", {"string_values": {"values": [two, "gone"]}}),
        ([], "IN", "id", {"string_values": {}}),
        ([two], "EQUALS", "status", {"string_value": "Failed"}),
        ([one], "EQUALS", "state", {"string_value": "SUCCEEDED"}),
        ([one], "IS_SUBSTRING", "name", {"string_value": "n_"}),
        ([one, two], "GREATER_THAN", "created_at", {"timestamp_value": EPOCH}),
        ([], "LESS_THAN", "created_at", {"long_value": "5"}),
        ([one, two], 5, "finished_at", {"int_value": 5}),
    ]:
        op, key, value = parts
        found = await ids(api, filter=predicate(op, key, **value))
        assert sorted(found) == sorted(want), parts
    v2 = predicate("IN", "run_id", "v2beta1", string_values={"values": [one]})
    assert await ids(api, "v2beta1", filter=v2) == [one]
    assert await refused(api, "v2beta1", filter=predicate("EQUALS", "id")) == 400
    assert await refused(api, filter=v2) == 400
    both = [
        predicate("EQUALS", "status", string_value="Failed"),
        predicate("EQUALS", "name", string_value="one"),
    ]
    assert await api.ok("GET", listing(filter=both)) == {}
    for wrong in [
        predicate("EQUALS", "pipeline_id", string_value="p"),
        predicate("EQUALS", "name"),
        predicate("IN", "name", string_value="one"),
        predicate("EQUALS", "name", string_values={"values": ["one"]}),
        predicate("IS_SUBSTRING", "name", int_value=1),
        predicate("UNKNOWN", "name", string_value="one"),
        predicate("LIKE", "name", string_value="one"),
        predicate("EQUALS", "name", string_value="one", int_value=1),
        predicate("EQUALS", "name", value="one"),
    ]:
        assert await refused(api, filter=wrong) == 400, wrong
    assert (await api.call("GET", "/apis/v1beta1/runs?filter=%7Bnope"))[0] == 400
    api.facade.generation = "G1"
    late = predicate("GREATER_THAN", "finished_at", int_value=1)
    assert await refused(api, filter=late) == 400


async def test_a_filter_is_decoded_twice(api):
    run_id = await api.create(description="50%+")
    text = json.dumps({"predicates": [{"op": 1, "key": "description"}]})

    def with_value(value):
        return text.replace("}]", f', "string_value": "{value}"}}]')

    async def found(sent):
        path = f"/apis/v1beta1/runs?filter={quote(sent, safe='')}"
        status, body = await api.call("GET", path)
        return status, [run["id"] for run in body.get("runs", [])]

    assert await found(with_value("50%+")) == (400, [])
    assert await found(with_value("50%25+")) == (200, [])
    assert await found(with_value("50\\u0025\\u002b")) == (200, [run_id])
    assert await found(quote(with_value("50%+"), safe="")) == (200, [run_id])


async def test_sorting(api):
    created = [await api.create(name) for name in ("b", "a", "c")]
    for run_id, value in zip(created, (2, 1, 3), strict=True):
        metric = {"name": "loss", "node_id": "n", "number_value": value}
        path = f"/apis/v1beta1/runs/{run_id}:reportMetrics"
        await api.ok("POST", path, json={"metrics": [metric]})
    b, a, c = created
    assert await ids(api, sort_by="name") == [a, b, c]
    assert await ids(api, sort_by="display_name desc") == [c, b, a]
    assert await ids(api, sort_by="metric:loss desc") == [c, b, a]
    page = await api.ok("GET", listing(sort_by="metric:loss", page_size=1))
    token = page["next_page_token"]
    assert await ids(api, page_token=token) == [b, c]
    for wrong in ("pipeline_id", "name up", "name asc desc"):
        assert await refused(api, sort_by=wrong) == 400
    assert await refused(api, sort_by="experiment_id", page_size=1) == 400
    assert len(await ids(api, sort_by="experiment_id")) == 3
