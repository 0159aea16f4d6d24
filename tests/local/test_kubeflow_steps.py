"""Scripts, steps, and what the tasks of a workflow hand on to each other."""

import sys

import aiohttp
import pytest
from tests.local.kubeflow_api import Api, python, workflow

SCRIPT = """
import os
print("seen", "{{inputs.parameters.seen}}", os.environ["LEVEL"])
"""


@pytest.fixture
async def api(server):
    async with aiohttp.ClientSession() as http:
        yield Api(server, http)


def script(name, source, **template):
    made = {"image": "x", "command": [sys.executable], "source": source}
    return {"name": name, "script": made, **template}


def takes(*names):
    return {"inputs": {"parameters": [{"name": name} for name in names]}}


def given(**values):
    parameters = [{"name": name, "value": value} for name, value in values.items()]
    return {"arguments": {"parameters": parameters}}


def produce():
    code = "print('all of it'); open('score', 'w').write('0.93\\n')"
    outputs = {"parameters": [{"name": "score", "valueFrom": {"path": "score"}}]}
    return {**python(code), "name": "produce", "outputs": outputs}


def consume():
    made = script("consume", SCRIPT, **takes("seen", "level"))
    level = {"name": "LEVEL", "value": "{{inputs.parameters.level}}"}
    made["script"]["env"] = [level]
    return made


async def ran(api, manifest):
    api.facade.register("p", manifest)
    run_id = await api.create()
    await api.ended(run_id)
    run, argo = await api.get(run_id)
    nodes = argo["status"].get("nodes", {}).values()
    return run_id, run, {node["displayName"]: node for node in nodes}


async def text(api, run_id, shown, name):
    node = shown[name]
    pod = node["id"]
    if api.facade.generation != "G1" and "boundaryID" in node:
        start, _, number = pod.rpartition("-")
        pod = f"{start}-{node['templateName']}-{number}"
    return await api.log(run_id, pod)


async def test_a_script(api):
    manifest = workflow(
        script("main", "print('hello {{workflow.parameters.who}}')\n"),
        parameters=[{"name": "who", "value": "you"}],
    )
    run_id, run, shown = await ran(api, manifest)
    assert run["status"] == "Succeeded"
    (name,) = shown
    assert await text(api, run_id, shown, name) == "hello you\n"


@pytest.mark.parametrize("generation", ["G1", "G3"])
async def test_a_task_takes_what_an_earlier_one_wrote(api, generation):
    api.facade.generation = generation
    tasks = [
        {"name": "first", "template": "produce"},
        {
            "name": "second",
            "template": "consume",
            "dependencies": ["first"],
            **given(
                seen="{{tasks.first.outputs.parameters.score}}",
                level="<{{ tasks.first.outputs.result }}>",
            ),
        },
    ]
    dag = {"name": "main", "dag": {"tasks": tasks}}
    run_id, run, shown = await ran(api, workflow(dag, produce(), consume()))
    assert run["status"] == "Succeeded"
    log = await text(api, run_id, shown, "second")
    assert log == "seen 0.93 <all of it>\n"
    assert shown["second"]["inputs"]["parameters"] == [
        {"name": "seen", "value": "0.93"},
        {"name": "level", "value": "<all of it>"},
    ]


@pytest.mark.parametrize("generation", ["G1", "G3"])
async def test_groups_of_steps(api, generation):
    api.facade.generation = generation
    arguments = given(
        seen="{{steps.a.outputs.parameters.score}}", level="{{steps.b.outputs.result}}"
    )
    steps = [
        [
            {"name": "a", "template": "produce"},
            {"name": "b", "template": "produce"},
        ],
        [{"name": "c", "template": "consume", **arguments}],
        [{"name": "d", "template": "broken"}],
        [{"name": "e", "template": "produce"}],
    ]
    broken = {**python("raise SystemExit(3)"), "name": "broken"}
    entry = {"name": "main", "steps": steps}
    manifest = workflow(entry, produce(), consume(), broken)
    run_id, run, shown = await ran(api, manifest)
    assert run["status"] == "Failed"
    assert await text(api, run_id, shown, "c") == "seen 0.93 all of it\n"
    (root,) = [node for node in shown.values() if node["type"] == "Steps"]
    groups = [shown[f"[{place}]"] for place in range(4)]
    assert root["children"] == [groups[0]["id"]]
    assert {node["type"] for node in groups} == {"StepGroup"}
    phases = [node["phase"] for node in groups]
    assert phases == ["Succeeded", "Succeeded", "Failed", "Omitted"]
    assert groups[0]["children"] == [shown["a"]["id"], shown["b"]["id"]]
    assert shown["a"]["children"] == shown["b"]["children"] == [groups[1]["id"]]
    assert shown["c"]["name"] == f"{root['name']}[1].c"
    assert shown["d"]["message"] == "Error (exit code 3)"
    assert shown["e"]["phase"] == "Omitted"
    if generation == "G3":
        seen = await api.get2(run_id)
        states = {
            task["display_name"]: task["state"]
            for task in seen["run_details"]["task_details"]
        }
        assert states["d"] == "FAILED"


async def test_an_output_that_was_not_written_fails_the_task(api):
    silent = {**produce(), **python("print('no file')"), "name": "produce"}
    tasks = [
        {"name": "first", "template": "produce"},
        {
            "name": "second",
            "template": "consume",
            "dependencies": ["first"],
            **given(seen="{{tasks.first.outputs.parameters.score}}", level="x"),
        },
    ]
    dag = {"name": "main", "dag": {"tasks": tasks}}
    _, run, shown = await ran(api, workflow(dag, silent, consume()))
    assert run["status"] == "Failed"
    assert "wrote no output 'score'" in shown["second"]["message"]


async def test_a_retried_task_takes_them_again(api):
    code = "import pathlib, sys; raise SystemExit('{{inputs.parameters.n}}' != '7')"
    fails_once = {**python(code), "name": "fails", **takes("n")}
    tasks = [
        {"name": "first", "template": "produce"},
        {
            "name": "second",
            "template": "fails",
            "dependencies": ["first"],
            **given(n="{{tasks.first.outputs.parameters.score}}"),
        },
    ]
    dag = {"name": "main", "dag": {"tasks": tasks}}
    run_id, run, _ = await ran(api, workflow(dag, produce(), fails_once))
    assert run["status"] == "Failed"
    await api.ok("POST", f"/apis/v1beta1/runs/{run_id}/retry")
    await api.ended(run_id)
    _, argo = await api.get(run_id)
    nodes = {node["displayName"]: node for node in argo["status"]["nodes"].values()}
    assert nodes["second"]["inputs"]["parameters"] == [{"name": "n", "value": "0.93"}]


@pytest.mark.parametrize(
    "value",
    [
        "{{tasks.other.outputs.parameters.score}}",
        "{{tasks.first.outputs.parameters.nothing}}",
        "{{tasks.second.outputs.result}}",
        "{{tasks.first.outputs.artifacts.model}}",
        "{{item}}",
    ],
)
async def test_outputs_that_nobody_writes_before(api, value):
    tasks = [
        {"name": "first", "template": "produce"},
        {"name": "other", "template": "produce"},
        {
            "name": "second",
            "template": "consume",
            "dependencies": ["first"],
            **given(seen=value, level="x"),
        },
    ]
    dag = {"name": "main", "dag": {"tasks": tasks}}
    api.facade.register("p", workflow(dag, produce(), consume()))
    body = {"name": "n", "pipeline_spec": {"pipeline_id": "p"}}
    status, error = await api.call("POST", "/apis/v1beta1/runs", json=body)
    assert status == 500
    assert "{{" in error["message"] or "output" in error["message"]
