"""What servers should not do, on demand; and nothing of it by itself."""

import json

import aiohttp
import pytest
from tests.local.kubeflow_api import Api, python, workflow

from aioruns.local.kubeflow.defects import DEFECTS

GENERATIONS = ("G1", "G2", "G3")


@pytest.fixture
async def api(server):
    async with aiohttp.ClientSession() as http:
        api = Api(server, http)
        api.facade.register("p", program=quick)
        yield api


async def quick(job):
    await job.log("hello")


BODY = {"name": "n", "pipeline_spec": {"pipeline_id": "p"}}


def hidden(api):
    return len(api.server.engine.runs("kubeflow"))


async def test_none_is_switched_on_and_unknown_ones_are_refused(api):
    assert api.facade.defects == set()
    with pytest.raises(ValueError, match="choose one of"):
        api.facade.defects.add("bad-mood")
    assert all(DEFECTS.values())


async def test_a_refusal_after_the_workflow_has_started(api):
    api.facade.generation = "G1"
    reference = {"key": {"type": "PIPELINE", "id": "p"}, "relationship": "OWNER"}
    body = BODY | {"resource_references": [reference]}
    for started in (0, 1):
        status, error = await api.call("POST", "/apis/v1beta1/runs", json=body)
        assert (status, error["code"]) == (400, 3)
        assert hidden(api) == started
        assert await api.ok("GET", "/apis/v1beta1/runs") == {}
        api.facade.defects.add("late-refusal")


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_workflow_without_a_row(api, generation):
    api.facade.generation = generation
    api.facade.defects.add("lost-row")
    status, error = await api.call("POST", "/apis/v1beta1/runs", json=BODY)
    assert (status, error["code"]) == (500, 13)
    assert hidden(api) == 1
    assert await api.ok("GET", "/apis/v1beta1/runs") == {}
    api.facade.defects.discard("lost-row")
    await api.create()


async def test_a_termination_without_a_workflow(api):
    sleep = python("import time; time.sleep(60)")
    api.facade.register("slow", workflow(sleep))
    run_id = await api.create(pipeline_spec={"pipeline_id": "slow"})
    api.facade.defects.add("gone-workflow")
    path = f"/apis/v1beta1/runs/{run_id}/terminate"
    status, error = await api.call("POST", path)
    assert (status, error["code"]) == (500, 13)
    run, _ = await api.get(run_id)
    assert run["status"] == "Terminating"
    status, _ = await api.call("POST", path)
    assert status == 400
    await api.ok("DELETE", f"/apis/v1beta1/runs/{run_id}")


async def test_artifacts(api):
    outputs = {"artifacts": [{"name": "model", "path": "model"}]}
    manifest = workflow(python("open('model', 'w').write('x' * 99)", outputs=outputs))
    api.facade.register("p", manifest)
    run_id = await api.create()
    await api.ended(run_id)
    _, argo = await api.get(run_id)
    node = argo["metadata"]["name"]
    path = f"/apis/v1beta1/runs/{run_id}/nodes/{node}/artifacts/model:read"
    assert await api.ok("GET", path)
    api.facade.defects.add("cut-artifacts")
    status, raw, _ = await api.raw("GET", path)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw)
    api.facade.defects.add("forbidden-artifacts")
    status, raw, headers = await api.raw("GET", path)
    assert (status, headers["Content-Type"].split(";")[0]) == (403, "text/plain")
    assert set(json.loads(raw)) == {"error_message", "error_details"}


async def test_columns_of_experiments(api):
    query = "/apis/v2beta1/runs?sort_by=experiment_id"
    assert await api.ok("GET", query) == {}
    api.facade.defects.add("experiment-columns")
    status, error = await api.call("GET", query)
    assert (status, error["code"]) == (500, 13)
    assert await api.ok("GET", "/apis/v2beta1/runs?sort_by=name") == {}
