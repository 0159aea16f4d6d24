"""The resources of a Nextmv application over real HTTP, each with its effect."""

import asyncio
import io
import json
import tarfile
import tracemalloc

import aiohttp
import pytest
from tests.local.test_nextmv import APP, Api, echo, push, tarball

from aioruns.local.records import Command
from aioruns.local.server import LocalServer

JSON = {"input": {"type": "json"}, "output": {"type": "json"}}
FILES = {"input": {"type": "multi-file"}, "output": {"type": "multi-file"}}


@pytest.fixture
async def api(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        yield Api(server, session)


async def with_server(data, work):
    """Do something with a server of its own that keeps its data in a file."""
    async with LocalServer(token="local-token", data=str(data)) as server:
        headers = {"Authorization": "Bearer local-token"}
        async with aiohttp.ClientSession(server.url, headers=headers) as session:
            return await work(Api(server, session))


async def upload(api, data):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    told = await api.post(f"{APP}/runs/uploadurl")
    await api.bare("PUT", told["upload_url"], data=io.BytesIO(data))
    return told["upload_id"]


async def unpacked(api, url):
    """The files of a tar.gz behind a URL."""
    data = await api.bare("GET", url)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        return {
            member.name: archive.extractfile(member).read().decode()
            for member in archive.getmembers()
            if member.isfile()
        }


async def output(api, run):
    metadata = (await api.ended(run))["metadata"]
    assert metadata["status_v2"] == "succeeded", metadata["error"]
    return (await api.get(run))["output"]


# -- managed inputs -------------------------------------------------------------------


async def test_managed_input_from_an_upload_is_what_a_run_reads(api):
    api.server.nextmv.register("routing", echo)
    upload_id = await upload(api, {"n": 1})
    body = {"id": "small", "name": "Small", "upload_id": upload_id, "format": JSON}
    managed = await api.post(f"{APP}/inputs", body)
    assert managed["id"] == "small"
    assert managed["format"] == JSON
    assert managed["upload_id"] == upload_id
    assert managed["description"] == ""
    await api.post(f"{APP}/inputs", body, status=409)

    run = await api.run(input_id="small")
    assert (await output(api, run))["solution"] == {"n": 1}
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["tracking"] == {"input_id": "small"}
    assert metadata["input_size"] == len('{"n": 1}')
    assert (await api.get(f"{APP}/runs"))["runs"][0]["input_id"] == "small"

    changed = await api.put(f"{APP}/inputs/small", {**managed, "name": "Tiny"})
    assert changed["name"] == "Tiny"
    assert changed["upload_id"] == upload_id
    assert await api.get(f"{APP}/inputs") == [changed]
    await api.call("DELETE", f"{APP}/inputs/small", status=204)
    await api.get(f"{APP}/inputs/small", status=404)
    assert "small" in await api.post(f"{APP}/runs", {"input_id": "small"}, status=400)
    # The run that had it keeps it.
    assert await api.get(f"{run}/input") == {"n": 1}


async def test_managed_input_from_a_run_outlives_the_run(api):
    api.server.nextmv.register("routing", echo)
    run = await api.run(input={"n": 2})
    await api.ended(run)
    run_id = run.rpartition("/")[2]
    managed = await api.post(f"{APP}/inputs", {"run_id": run_id})
    assert managed["id"].startswith("managed-input-")
    assert managed["run_id"] == run_id
    await api.call("DELETE", run, status=204)
    assert await api.server.engine.blob("nextmv", f"input/{run_id}") is None
    again = await api.run(input_id=managed["id"])
    assert (await output(api, again))["solution"] == {"n": 2}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "upload_id"),
        ({"upload_id": "gone"}, "uploaded"),
        ({"run_id": "gone"}, "gone"),
        ({"run_id": "gone", "format": {"input": {"type": "odd"}}}, "gone"),
    ],
)
async def test_managed_input_refuses_with_the_reason(api, body, word):
    api.server.nextmv.register("routing", echo)
    assert word in await api.post(f"{APP}/inputs", body, status=400)


async def test_the_format_of_a_managed_input_is_that_of_its_runs(api):
    async def shout(job):
        return json.dumps(job.stdin.decode().upper())

    api.server.nextmv.register("routing", shout)
    kind = {"input": {"type": "text"}, "output": {"type": "json"}}
    upload_id = await upload(api, b"hello")
    body = {"id": "words", "upload_id": upload_id, "format": kind}
    await api.post(f"{APP}/inputs", body)
    run = await api.run(input_id="words")
    assert await output(api, run) == "HELLO"
    assert (await api.get(f"{run}/metadata"))["metadata"]["format"] == kind
    assert await api.get(f"{run}/input") == "hello"


# -- input sets -----------------------------------------------------------------------


INPUT_SET_KEYS = {
    *("id", "app_id", "name", "description", "created_at", "updated_at"),
    *("input_ids", "inputs"),
}
SETS = f"{APP}/experiments/inputsets"


async def test_input_set_of_managed_inputs(api):
    api.server.nextmv.register("routing", echo)
    for name in "abc":
        upload_id = await upload(api, {"name": name})
        await api.post(f"{APP}/inputs", {"id": name, "upload_id": upload_id})
    body = {"id": "set", "inputs": [{"id": "a"}, {"id": "b"}], "maximum_runs": 20}
    made = await api.post(SETS, body)
    assert set(made) >= INPUT_SET_KEYS
    assert made["name"] == "set"
    assert made["input_ids"] == ["a", "b"]
    assert made["inputs"] == [await api.get(f"{APP}/inputs/{key}") for key in "ab"]
    assert await api.get(f"{SETS}/set") == made
    await api.post(SETS, body, status=409)
    body = {"id": "none", "inputs": [{"id": "z"}]}
    assert "'z'" in await api.post(SETS, body, status=400)

    # New inputs next to the old ids: the inputs count.
    changed = await api.put(f"{SETS}/set", {**made, "inputs": [{"id": "c"}]})
    assert changed["input_ids"] == ["c"]
    assert await api.get(SETS) == [changed]
    await api.call("DELETE", f"{SETS}/set", status=204)
    await api.get(f"{SETS}/set", status=404)


async def test_input_set_of_runs_can_be_run_again(api):
    api.server.nextmv.register("routing", echo)
    runs = [await api.run(input={"n": n}) for n in range(3)]
    for run in runs:
        await api.ended(run)
    ids = [run.rpartition("/")[2] for run in runs]
    made = await api.post(SETS, {"id": "past", "run_ids": ids[:2]})
    assert made["input_ids"] == ids[:2]
    assert [each["run_id"] for each in made["inputs"]] == ids[:2]
    await api.call("DELETE", runs[1], status=204)
    again = await api.run(input_id=ids[1])
    assert (await output(api, again))["solution"] == {"n": 1}
    assert "gone" in await api.post(SETS, {"run_ids": ["gone"]}, status=400)


async def test_input_set_of_a_window(api):
    api.server.nextmv.register("routing", echo)
    await api.get(APP)
    await api.post(f"{APP}/instances", {"id": "other", "version_id": "v1"})
    ids = []
    for number in range(4):
        instance = "other" if number == 1 else "default"
        path = f"{APP}/runs?instance_id={instance}"
        ids.append((await api.post(path, {"input": {}}))["run_id"])
        await asyncio.sleep(0.003)
    times = {}
    for key in ids:
        run = await api.ended(f"{APP}/runs/{key}")
        times[key] = run["metadata"]["created_at"]
    window = {"instance_id": "default", "start_time": times[ids[0]]}
    made = await api.post(SETS, {**window, "end_time": "2999-01-01T00:00:00"})
    assert made["id"].startswith("input-set-")
    assert made["input_ids"] == [ids[0], ids[2], ids[3]]
    made = await api.post(SETS, {**window, "maximum_runs": 2})
    assert made["input_ids"] == [ids[2], ids[3]]
    body = {"instance_id": "default", "start_time": "2999-01-01T00:00:00Z"}
    assert (await api.post(SETS, body))["input_ids"] == []
    body["end_time"] = "2998-01-01T00:00:00Z"
    assert "before" in await api.post(SETS, body, status=400)
    assert "time" in await api.post(SETS, {**window, "end_time": "x"}, status=400)
    assert "maximum_runs" in await api.post(
        SETS, {**window, "maximum_runs": 0}, status=400
    )
    assert "run_ids" in await api.post(SETS, {}, status=400)


# -- secrets --------------------------------------------------------------------------


SECRETS = [
    {"type": "env", "location": "SOLVER_KEY", "value": "s3cret"},
    {"type": "file", "location": "conf/license.txt", "value": "licensed"},
]


async def test_secrets_are_masked(api):
    api.server.nextmv.register("routing", echo)
    body = {"id": "keys", "name": "Keys", "secrets": SECRETS}
    made = await api.post(f"{APP}/secrets", body)
    summary = {
        *("id", "application_id", "name", "description", "created_at", "updated_at")
    }
    assert set(made) == summary
    read = await api.get(f"{APP}/secrets/keys")
    assert set(read) == {*summary, "secrets"}
    assert [(s["type"], s["location"]) for s in read["secrets"]] == [
        ("env", "SOLVER_KEY"),
        ("file", "conf/license.txt"),
    ]
    assert "s3cret" not in json.dumps(read)
    assert "licensed" not in json.dumps(read)
    assert await api.get(f"{APP}/secrets") == {"items": [made]}
    page = await api.get(f"{APP}/secrets", params={"pagereturn": "true"})
    assert page == {"items": [made], "next_page_token": ""}
    await api.call("DELETE", f"{APP}/secrets/keys", status=204)
    await api.get(f"{APP}/secrets/keys", status=404)


READ_SECRETS = """
import json, os, pathlib
print(json.dumps({"env": os.environ.get("SOLVER_KEY"),
    "file": [str(p) for p in pathlib.Path("conf").glob("*")],
    "text": pathlib.Path("conf/license.txt").read_text()
        if pathlib.Path("conf/license.txt").exists() else None}))
"""


@pytest.mark.parametrize("where", ["version", "instance", "run"])
async def test_secrets_reach_the_program_from_each_configuration(api, where):
    await api.post("/v1/applications", {"id": "routing"})
    await push(api, {"main.py": READ_SECRETS})
    await api.post(f"{APP}/secrets", {"id": "keys", "secrets": SECRETS})
    of = {each: {} for each in ("version", "instance", "run")}
    of[where] = {"secrets_collection_id": "keys"}
    await api.post(f"{APP}/versions", {"id": "v1", "configuration": of["version"]})
    instance = {"id": "i", "version_id": "v1", "configuration": of["instance"]}
    await api.post(f"{APP}/instances", instance)
    body = {"input": {}, "configuration": of["run"]}
    run_id = (await api.post(f"{APP}/runs?instance_id=i", body))["run_id"]
    run = f"{APP}/runs/{run_id}"
    assert await output(api, run) == {
        "env": "s3cret",
        "file": ["conf/license.txt"],
        "text": "licensed",
    }
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["secrets_collection_id"] == "keys"
    # The file was in a directory of that run alone.
    run = await api.run(input={})
    assert await output(api, run) == {"env": None, "file": [], "text": None}


async def test_operations_on_secrets(api):
    async def program(job):
        return {k: v for k, v in job.env.items() if k.isupper()}

    api.server.nextmv.register("routing", program)
    await api.post(f"{APP}/secrets", {"id": "keys", "secrets": SECRETS[:1]})
    path = f"{APP}/secrets/keys"
    changed = await api.call("PATCH", path, json={"name": "New"})
    assert changed["name"] == "New"
    operations = [
        {"op": "update", "type": "env", "location": "SOLVER_KEY", "value": "2"},
        {"op": "create", "type": "env", "location": "OTHER", "value": "3"},
    ]
    await api.call("PATCH", path, json={"operations": operations})
    body = {"input": {}, "configuration": {"secrets_collection_id": "keys"}}
    assert await output(api, await api.run(**body)) == {"SOLVER_KEY": "2", "OTHER": "3"}
    # All operations or none.
    operations = [
        {"op": "delete", "type": "env", "location": "OTHER"},
        {"op": "delete", "type": "env", "location": "NEVER"},
    ]
    await api.call("PATCH", path, json={"operations": operations}, status=400)
    again = {"op": "create", "type": "env", "location": "OTHER", "value": "4"}
    await api.call("PATCH", path, json={"operations": [again]}, status=409)
    await api.call("PATCH", path, json={"operations": operations[:1]})
    assert await output(api, await api.run(**body)) == {"SOLVER_KEY": "2"}


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        None,
        [{"type": "odd", "location": "A", "value": "x"}],
        [{"type": "env", "location": "A=B", "value": "x"}],
        [{"type": "file", "location": "/etc/x", "value": "x"}],
        [{"type": "file", "location": "a/../../x", "value": "x"}],
        [{"type": "env", "location": "A"}],
        [{"type": "env", "location": "A", "value": "x"}] * 2,
    ],
)
async def test_secrets_refuse_what_cannot_be_given_to_a_program(api, secrets):
    api.server.nextmv.register("routing", echo)
    await api.post(f"{APP}/secrets", {"id": "k", "secrets": secrets}, status=400)


async def test_a_run_with_secrets_that_are_not_there_is_refused(api):
    api.server.nextmv.register("routing", echo)
    body = {"input": {}, "configuration": {"secrets_collection_id": "gone"}}
    assert "gone" in await api.post(f"{APP}/runs", body, status=400)


# -- ensembles ------------------------------------------------------------------------


def rule(key, index, *, value=0.0, kind="absolute", objective="maximize"):
    return {
        "id": key,
        "statistics_path": f"$.result.{key}",
        "objective": objective,
        "tolerance": {"value": value, "type": kind},
        "index": index,
    }


async def scored(job):
    result = {key: float(job.env[key]) for key in ("value", "cost") if key in job.env}
    if "fail" in job.env:
        raise RuntimeError("it was asked to fail")
    return {"statistics": {"result": result}, "options": dict(job.env)}


async def define(api, groups, rules):
    api.server.nextmv.register("routing", scored)
    await api.get(APP)
    run_groups = [
        {"id": key, "instance_id": "default", **more} for key, more in groups.items()
    ]
    body = {"id": "best", "name": "B", "run_groups": run_groups, "rules": rules}
    return await api.post(f"{APP}/ensembles", body)


ENSEMBLE = {
    "configuration": {"run_type": {"type": "ensemble", "definition_id": "best"}}
}


async def test_ensemble_definitions(api):
    made = await define(api, {"one": {"repetitions": 2}}, [rule("value", 0)])
    assert set(made) >= {
        *("id", "application_id", "name", "description", "run_groups", "rules"),
        *("created_at", "updated_at"),
    }
    assert made["run_groups"] == [
        {"id": "one", "instance_id": "default", "repetitions": 2}
    ]
    assert made["rules"] == [rule("value", 0)]
    path = f"{APP}/ensembles/best"
    changed = await api.call("PATCH", path, json={"description": "d"})
    assert changed["description"] == "d"
    assert changed["name"] == "B"
    assert await api.get(path) == changed
    assert await api.get(f"{APP}/ensembles") == {"items": [changed]}
    await api.call("DELETE", path, status=204)
    await api.get(path, status=404)
    for wrong in (
        {"run_groups": [], "rules": [rule("value", 0)]},
        {"run_groups": [{"id": "a", "instance_id": "gone"}], "rules": [rule("v", 0)]},
        {"run_groups": made["run_groups"], "rules": []},
        {"run_groups": made["run_groups"], "rules": [rule("v", -1)]},
        {"run_groups": made["run_groups"], "rules": [{**rule("v", 1), "objective": 1}]},
    ):
        await api.post(f"{APP}/ensembles", wrong, status=400)


async def test_ensemble_run_ends_as_the_best_of_its_runs(api):
    groups = {
        "low": {"options": {"value": "1", "cost": "1"}},
        "dear": {"options": {"value": 99, "cost": 8}, "repetitions": 2},
        "good": {"options": {"value": "98", "cost": "2"}},
        "fails": {"options": {"fail": "yes"}},
    }
    rules = [
        rule("cost", 5, objective="minimize"),
        rule("value", 1, value=0.05, kind="relative"),
    ]
    await define(api, groups, rules)
    run = await api.run(input={"n": 1}, name="all", options={"seed": "7"}, **ENSEMBLE)
    information = await api.ended(run)
    metadata = information["metadata"]
    assert metadata["status_v2"] == "succeeded"
    assert metadata["run_type"] == {
        "type": "ensemble",
        "definition_id": "best",
        "reference_id": "",
    }
    assert metadata["statistics"] == {"result": {"value": 98.0, "cost": 2.0}}
    result = await api.get(run)
    assert result["output"]["options"] == {"seed": "7", "value": "98", "cost": "2"}
    assert await api.get(f"{run}/input") == {"n": 1}

    told = await api.get(f"{run}/ensemble")
    assert told["definition_id"] == "best"
    assert [(r["run_group_id"], r["repetition"]) for r in told["runs"]] == [
        ("low", 0),
        ("dear", 0),
        ("dear", 1),
        ("good", 0),
        ("fails", 0),
    ]
    assert [r["status_v2"] for r in told["runs"]] == ["succeeded"] * 4 + ["failed"]
    assert told["best_run_id"] == told["runs"][3]["run_id"]
    assert [step["rule_id"] for step in told["rules"]] == ["value", "cost"]
    assert told["rules"][0]["best_value"] == 99
    assert len(told["rules"][0]["remaining_run_ids"]) == 3

    child = (await api.get(f"{APP}/runs/{told['best_run_id']}"))["metadata"]
    assert child["run_type"] == {
        "type": "ensemble-child",
        "definition_id": "best",
        "reference_id": run.rpartition("/")[2],
    }
    assert len((await api.get(f"{APP}/runs"))["runs"]) == 6
    await api.call("DELETE", run, status=204)
    assert (await api.get(f"{APP}/runs"))["runs"] == []


async def test_ensemble_without_any_success_has_failed(api):
    await define(api, {"bad": {"options": {"fail": "1"}}}, [rule("value", 0)])
    run = await api.run(input={}, **ENSEMBLE)
    metadata = (await api.ended(run))["metadata"]
    assert metadata["status_v2"] == "failed"
    assert "ensemble" in metadata["error"]
    assert "output" not in await api.get(run)


async def test_canceling_an_ensemble_cancels_its_runs(api):
    await define(api, {"one": {"repetitions": 3}}, [rule("value", 0)])

    async def forever(job):
        await job.log("waiting")
        await asyncio.Event().wait()

    api.server.nextmv.register("routing", forever)
    run = await api.run(input={}, **ENSEMBLE)
    async with asyncio.timeout(5):
        while True:
            state = (await api.get(f"{run}/metadata"))["metadata"]["status_v2"]
            if state == "running":
                break
            assert state == "queued"
            await asyncio.sleep(0.01)
    assert "output" not in await api.get(run)
    await api.call("PATCH", f"{run}/cancel")
    assert (await api.ended(run))["metadata"]["status_v2"] == "canceled"
    for child in (await api.get(f"{run}/ensemble"))["runs"]:
        path = f"{APP}/runs/{child['run_id']}"
        assert (await api.ended(path))["metadata"]["status_v2"] == "canceled"


async def test_an_ensemble_needs_its_definition(api):
    api.server.nextmv.register("routing", echo)
    assert "best" in await api.post(f"{APP}/runs", ENSEMBLE, status=400)
    run = await api.run(input={})
    await api.get(f"{run}/ensemble", status=404)


# -- instances, versions, configuration -----------------------------------------------


async def test_configurations_lie_over_each_other(api):
    async def program(job):
        return dict(job.env)

    api.server.nextmv.register("routing", program)
    await api.get(APP)
    configuration = {"options": {"a": "v", "b": "v", "c": "v"}, "execution_class": "v"}
    await api.post(f"{APP}/versions", {"id": "v2", "configuration": configuration})
    configuration = {
        "options": {"b": "i", "c": True},
        "execution_class": "i",
        "queuing": {"priority": 3},
    }
    body = {"id": "i", "version_id": "v2", "configuration": configuration}
    await api.post(f"{APP}/instances", body)
    body = {"input": {}, "options": {"c": "r"}, "configuration": {}}
    run_id = (await api.post(f"{APP}/runs?instance_id=i", body))["run_id"]
    run = f"{APP}/runs/{run_id}"
    assert await output(api, run) == {"a": "v", "b": "i", "c": "r"}
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["options"]["options_summary"] == [
        {"name": "a", "value": "v", "source": "version"},
        {"name": "b", "value": "i", "source": "instance"},
        {"name": "c", "value": "r", "source": "run"},
    ]
    assert metadata["execution_class"] == "i"
    assert metadata["queuing_priority"] == 3
    assert (await api.get(f"{APP}/runs"))["runs"][0]["queuing_priority"] == 3


async def test_an_integration_forces_the_execution_class(api):
    api.server.nextmv.register("routing", echo)
    run = await api.run(input={}, configuration={"integration_id": "dbx"})
    metadata = (await api.ended(run))["metadata"]
    assert metadata["execution_class"] == "integration"
    assert metadata["integration"]["id"] == "dbx"
    assert set(metadata["integration"]) == {"id", "provider", "run_id"}


async def test_a_locked_instance_stays_as_it_is(api):
    api.server.nextmv.register("routing", echo)
    await api.get(APP)
    path = f"{APP}/instances/default"
    locked = await api.put(f"{path}/lock", {"locked": True})
    assert locked["locked"] is True
    assert "locked" in await api.put(path, {**locked, "name": "other"}, status=409)
    await api.call("DELETE", path, status=409)
    # As the official client does to unlock: everything back as it was, then the lock.
    await api.put(path, locked)
    unlocked = await api.put(f"{path}/lock", {"locked": False})
    assert unlocked["locked"] is False
    assert (await api.put(path, {**unlocked, "name": "other"}))["name"] == "other"
    await api.put(f"{path}/lock", {}, status=400)
    await api.put(f"{APP}/instances/gone/lock", {"locked": True}, status=404)


OPTIONS = {
    "strict": True,
    "validation": {"enforce": "all"},
    "format": {"template": ["--{{name}}={{value}}"]},
    "items": [
        {"name": "seed", "option_type": "int", "default": 5, "required": False},
        {"name": "mode", "option_type": "string", "required": True},
    ],
}


async def test_options_that_the_program_declares(api):
    await api.post("/v1/applications", {"id": "routing"})
    source = "import json, sys; print(json.dumps(sys.argv[1:]))"
    requirements = {"executable_type": "python", "options": OPTIONS}
    await push(api, {"main.py": source}, requirements=requirements)
    run = await api.run(input={}, options={"mode": "fast"})
    assert await output(api, run) == ["--seed=5", "--mode=fast"]
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["options"]["options_summary"] == [
        {"name": "seed", "value": "5", "source": "version"},
        {"name": "mode", "value": "fast", "source": "run"},
    ]
    for options, word in (
        ({}, "mode"),
        ({"mode": "x", "odd": "1"}, "odd"),
        ({"mode": "x", "seed": "many"}, "int"),
    ):
        text = await api.post(
            f"{APP}/runs", {"input": {}, "options": options}, status=400
        )
        assert word in text


async def test_urgent_runs_go_first(api):
    proceed = asyncio.Event()

    async def program(job):
        if job.env["name"].startswith("busy"):
            await proceed.wait()
        order.append(job.env["name"])
        return {}

    order = []
    api.server.nextmv.register("routing", program)
    for number in range(4):
        await api.run(input={}, options={"name": f"busy {number}"})
    runs = [
        await api.run(
            input={},
            options={"name": str(priority)},
            configuration={"queuing": {"priority": priority} if priority else None},
        )
        for priority in (9, None, 1)
    ]
    proceed.set()
    for run in runs:
        await api.ended(run)
    assert [name for name in order if "busy" not in name] == ["1", "None", "9"]


async def test_a_run_that_may_not_queue_is_refused_when_all_slots_are_taken(api):
    proceed = asyncio.Event()

    async def program(_job):
        await proceed.wait()
        return {}

    api.server.nextmv.register("routing", program)
    body = {"input": {}, "configuration": {"queuing": {"disabled": True}}}
    runs = [await api.run(**body) for _ in range(4)]
    await api.post(f"{APP}/runs", body, status=429)
    proceed.set()
    for run in runs:
        metadata = (await api.ended(run))["metadata"]
        assert metadata["queuing_disabled"] is True
    for priority in (0, 10, "1", True):
        body = {"input": {}, "configuration": {"queuing": {"priority": priority}}}
        await api.post(f"{APP}/runs", body, status=400)


async def test_a_clone_says_of_what(api):
    api.server.nextmv.register("routing", echo)
    run = await api.run(input={}, tracking={"cloned_run_id": "first"})
    metadata = (await api.ended(run))["metadata"]
    assert metadata["tracking"] == {"cloned_run_id": "first"}


# -- statistics, metrics, assets ------------------------------------------------------


ASSETS = [
    {
        "name": "chart",
        "content": [{"x": 1}],
        "content_type": "json",
        "visual": {"schema": "plotly", "label": "Chart", "type": "custom-tab"},
    },
    {"name": "table", "id": "t", "content": "ä"},
    "odd",
]


async def test_figures_and_assets_of_an_output(api):
    async def program(_job):
        return {
            "solution": {},
            "statistics": {"result": {"value": 5, "custom": {"a": "b"}, "l": [1]}},
            "metrics": {"gap": 0.5},
            "assets": ASSETS,
        }

    api.server.nextmv.register("routing", program)
    run = await api.run(input={})
    metadata = (await api.ended(run))["metadata"]
    assert metadata["metrics"] == {"gap": 0.5}
    assert metadata["statistics"]["result"]["value"] == 5
    row = (await api.get(f"{APP}/runs"))["runs"][0]
    assert row["metrics"] == {
        "status": "succeeded",
        "indicators": [{"name": "gap", "value": 0.5}],
    }
    assert row["statistics"]["indicators"] == [
        {"name": "result.value", "value": 5},
        {"name": "result.custom.a", "value": "b"},
    ]

    chart, table = (await api.get(f"{run}/assets"))["items"]
    assert set(chart) == {
        *("id", "name", "created_at", "size", "content_type", "visual")
    }
    assert chart["visual"]["schema"] == "plotly"
    assert chart["size"] == len('[{"x":1}]')
    assert table["id"] == "t"
    told = await api.get(f"{run}/assets/{chart['id']}")
    assert told["type"] == "json"
    assert json.loads(await api.bare("GET", told["download_url"])) == [{"x": 1}]
    told = await api.get(f"{run}/assets/t")
    assert json.loads(await api.bare("GET", told["download_url"])) == "ä"
    await api.get(f"{run}/assets/gone", status=404)


# -- tracked runs ---------------------------------------------------------------------


async def test_tracked_run(api):
    await api.post("/v1/applications", {"id": "routing"})
    result = {
        "status": "succeeded",
        "execution_duration": 1234,
        "output_upload_id": await upload(api, {"solution": 1}),
        "error_upload_id": await upload(api, b"one\ntwo\\n"),
        "statistics_upload_id": await upload(api, {"statistics": {"s": 1}}),
        "metrics_upload_id": await upload(api, {"m": 2}),
        "assets_upload_id": await upload(api, {"assets": ASSETS[:1]}),
    }
    run = await api.run(upload_id=await upload(api, {"in": 1}), name="t", result=result)
    information = await api.get(f"{run}/metadata")  # it has ended at once
    metadata = information["metadata"]
    assert metadata["status_v2"] == "succeeded"
    assert metadata["run_type"]["type"] == "external"
    assert metadata["execution_duration"] == metadata["duration"] == 1234
    assert metadata["statistics"] == {"s": 1}
    assert metadata["metrics"] == {"m": 2}
    assert metadata["output_size"] == len('{"solution": 1}')
    assert (await api.get(run))["output"] == {"solution": 1}
    assert await api.get(f"{run}/output") == {"solution": 1}
    assert await api.get(f"{run}/input") == {"in": 1}
    assert await api.get(f"{run}/logs") == {"log": "one\ntwo\\n\n"}
    live = await api.get(f"{run}/logs/live")
    assert [item["log"] for item in live["items"]] == ["one", "two\\n"]
    (asset,) = (await api.get(f"{run}/assets"))["items"]
    told = await api.get(f"{run}/assets/{asset['id']}")
    assert json.loads(await api.bare("GET", told["download_url"])) == [{"x": 1}]
    row = (await api.get(f"{APP}/runs"))["runs"][0]
    assert row["run_type"]["type"] == "external"
    assert row["metrics"]["indicators"] == [{"name": "m", "value": 2}]


async def test_tracked_failure(api):
    await api.post("/v1/applications", {"id": "routing"})
    logs = await upload(api, b"boom")
    result = {
        "status": "failed",
        "error_message": "no such luck",
        "error_upload_id": logs,
    }
    run = await api.run(upload_id=await upload(api, {}), result=result)
    body = await api.get(run)
    assert body["metadata"]["status_v2"] == "failed"
    assert body["metadata"]["error"] == "no such luck"
    assert body["error_log"] == {
        "error": "no such luck",
        "stdout": "",
        "stderr": "boom\n",
    }
    await api.get(f"{run}/output", status=404)


async def test_tracked_files(api):
    await api.post("/v1/applications", {"id": "routing"})
    packed = await upload(api, tarball({"a.txt": "A"}))
    for configuration in ({"format": FILES}, {}):
        run = await api.run(
            upload_id=packed,
            configuration=configuration,
            result={"status": "succeeded", "output_upload_id": packed},
        )
        result = await api.get(run)  # a URL, even if it was declared to be JSON
        assert await unpacked(api, result["output"]["url"]) == {"a.txt": "A"}


@pytest.mark.parametrize(
    ("result", "word"),
    [
        ({"status": "running"}, "succeeded or failed"),
        ({"status": "succeeded", "error_message": "x"}, "failed"),
        ({"status": "succeeded", "execution_duration": 1.5}, "milliseconds"),
        ({"status": "succeeded", "output_upload_id": "gone"}, "gone"),
    ],
)
async def test_tracked_run_refuses_with_the_reason(api, result, word):
    await api.post("/v1/applications", {"id": "routing"})
    body = {"input": {}, "result": result}
    assert word in await api.post(f"{APP}/runs", body, status=400)


# -- files ----------------------------------------------------------------------------


MULTI_FILE = """
import json, os, pathlib, sys
files = {str(p.relative_to("inputs")): p.read_text()
         for p in sorted(pathlib.Path("inputs").rglob("*")) if p.is_file()}
out = pathlib.Path("outputs")
(out / "solutions" / "sub").mkdir(parents=True, exist_ok=True)
(out / "solutions" / "sub" / "all.json").write_text(json.dumps(files))
(out / "solutions" / "here.txt").write_text(os.getcwd())
(out / "metrics.json").write_text('{"count": %d}' % len(files))
(out / "assets.json").write_text('{"assets": [{"name": "n", "content": [1]}]}')
pathlib.Path("left-over").touch()
print("not the output", pathlib.Path(__file__).parent == pathlib.Path.cwd(),
      file=sys.stderr)
"""


async def test_multi_file(api):
    await api.post("/v1/applications", {"id": "routing"})
    await push(api, {"main.py": MULTI_FILE, "inputs/own.txt": "own"})
    packed = await upload(api, tarball({"a.txt": "A", "deep/b.txt": "B"}))
    here = set()
    for _ in range(2):
        run = await api.run(upload_id=packed, configuration={"format": FILES})
        result = await output(api, run)
        files = await unpacked(api, result["url"])
        assert json.loads(files["sub/all.json"]) == {
            "a.txt": "A",
            "deep/b.txt": "B",
            "own.txt": "own",
        }
        here.add(files["here.txt"])
        metadata = (await api.get(f"{run}/metadata"))["metadata"]
        assert metadata["format"] == FILES
        assert metadata["metrics"] == {"count": 3}
        assert metadata["output_size"] > 0
        assert (await api.get(f"{run}/assets"))["items"][0]["name"] == "n"
        assert await api.get(f"{run}/logs") == {"log": "not the output True\n"}
        told = await api.get(f"{run}/output", params={"format": "url"})
        assert await unpacked(api, told["url"]) == files
        told = await api.get(f"{run}/input", params={"format": "url"})
        assert await unpacked(api, told["url"]) == {"a.txt": "A", "deep/b.txt": "B"}
    assert len(here) == 2  # a directory of its own each


async def test_multi_file_paths_of_the_manifest(api):
    await api.post("/v1/applications", {"id": "routing"})
    source = (
        "import pathlib as p; o = p.Path('out'); "
        "(o / 'x.txt').write_text(p.Path('in/a.txt').read_text()); "
        "(o / 's.json').write_text('{\"statistics\": {\"v\": 1}}')"
    )
    manifest = (
        "type: python\nfiles: [main.py]\nconfiguration:\n  content:\n"
        "    format: multi-file\n    multi-file:\n      input: {path: in}\n"
        "      output: {solutions: out, statistics: out/s.json}\n"
    )
    await push(api, {"main.py": source, "app.yaml": manifest})
    run = await api.run(upload_id=await upload(api, tarball({"a.txt": "A"})))
    files = await unpacked(api, (await output(api, run))["url"])
    assert files["x.txt"] == "A"
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["format"] == FILES  # as the manifest says
    assert metadata["statistics"] == {"v": 1}


async def test_csv_archive(api):
    await api.post("/v1/applications", {"id": "routing"})
    source = (
        "import pathlib as p; o = p.Path('output'); "
        "(o / 'x.csv').write_text(p.Path('input/a.csv').read_text()); "
        'print(\'{"metrics": {"v": 1}}\')'
    )
    await push(api, {"main.py": source})
    kind = {"input": {"type": "csv-archive"}, "output": {"type": "csv-archive"}}
    packed = await upload(api, tarball({"a.csv": "1,2\n"}))
    run = await api.run(upload_id=packed, configuration={"format": kind})
    files = await unpacked(api, (await output(api, run))["url"])
    assert files == {"x.csv": "1,2\n"}
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["metrics"] == {"v": 1}


async def test_multi_file_of_programs_in_code(api):
    def work(directory):
        text = (directory / "inputs" / "a.txt").read_text()
        (directory / "outputs" / "solutions" / "b.txt").write_text(text.lower())

    async def program(job):
        await asyncio.to_thread(work, job.directory)

    packed = None
    argv = ("sh", "-c", "tr A a < inputs/a.txt > outputs/solutions/b.txt")
    for each in (program, Command(argv)):
        api.server.nextmv.register("routing", each)
        await api.get(APP)
        packed = packed or await upload(api, tarball({"a.txt": "A"}))
        run = await api.run(upload_id=packed, configuration={"format": FILES})
        files = await unpacked(api, (await output(api, run))["url"])
        assert files == {"b.txt": "a"}


@pytest.mark.parametrize(
    "packed",
    [b"{}", tarball({"../outside": ""}), tarball({"a": "b"})[:40]],
    ids=["no archive", "leads out", "cut off"],
)
async def test_an_archive_that_cannot_be_unpacked_fails_the_run(api, packed):
    await api.post("/v1/applications", {"id": "routing"})
    await push(api, {"main.py": ""})
    upload_id = await upload(api, packed)
    run = await api.run(upload_id=upload_id, configuration={"format": FILES})
    metadata = (await api.ended(run))["metadata"]
    assert metadata["status_v2"] == "failed"
    assert "unpacked" in metadata["error"]


async def test_metrics_that_are_no_json_are_told_of(api):
    await api.post("/v1/applications", {"id": "routing"})
    source = "open('outputs/metrics.json', 'w').write('{')"
    await push(api, {"main.py": source})
    run = await api.run(configuration={"format": FILES})
    assert (await api.ended(run))["metadata"]["status_v2"] == "succeeded"
    row = (await api.get(f"{APP}/runs"))["runs"][0]
    assert row["metrics"]["status"] == "failed"
    assert "JSON" in row["metrics"]["error"]


# -- pre-signed URLs ------------------------------------------------------------------


async def test_presigned_urls_refuse_a_key(api):
    api.server.nextmv.register("routing", echo)
    await api.get(APP)
    url = (await api.post(f"{APP}/runs/uploadurl"))["upload_url"]
    key = {"Authorization": f"Bearer {api.server.token}"}
    assert b"Authorization" in await api.bare(
        "PUT", url, data=b"{}", headers=key, status=400
    )
    run = await api.run(input={})
    await api.ended(run)
    for part in ("input", "output"):
        told = await api.get(f"{run}/{part}", params={"format": "url"})
        await api.bare("GET", told["url"], headers=key, status=400)
        await api.bare("GET", told["url"] + "0", status=403)


async def test_a_download_of_what_was_printed_is_made_once(api):
    async def program(_job):
        return b"x" * 6_000_000

    api.server.nextmv.register("routing", program)
    kind = {"input": {"type": "json"}, "output": {"type": "text"}}
    run = await api.run(input={}, configuration={"format": kind})
    url = (await output(api, run))["url"]
    parts = await asyncio.gather(*(api.bare("GET", url) for _ in range(3)))
    assert {len(part) for part in parts} == {6_000_000}
    header = {"Range": "bytes=0-9"}
    assert len(await api.bare("GET", url, headers=header, status=206)) == 10
    await api.call("DELETE", run, status=204)
    await api.bare("GET", url, status=404)


async def test_an_upload_that_breaks_off_leaves_the_earlier_one(api):
    await api.post("/v1/applications", {"id": "routing"})
    told = await api.post(f"{APP}/runs/uploadurl")
    await api.bare("PUT", told["upload_url"], data=b"{}")

    async def broken():
        yield b"{" * 100_000
        raise ConnectionResetError

    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        await api.bare(
            "PUT",
            told["upload_url"],
            data=broken(),
            headers={"Content-Length": "200000"},
        )
    result = {"status": "succeeded", "output_upload_id": told["upload_id"]}
    run = await api.run(input=None, result=result)
    assert (await api.get(run))["output"] == {}


async def test_large_files_are_never_whole_in_memory(api):
    """Of 300 MB up and down, the server and the client hold a few at a time."""
    await api.post("/v1/applications", {"id": "routing"})
    told = await api.post(f"{APP}/runs/uploadurl")
    size, piece = 300, bytes(10**6)

    async def chunks():
        for _ in range(size):
            yield piece

    headers = {"Content-Length": str(size * len(piece))}
    tracemalloc.start()
    try:
        async with aiohttp.ClientSession() as session:
            async with session.put(
                told["upload_url"], data=chunks(), headers=headers
            ) as response:
                assert response.status == 200
            result = {"status": "succeeded", "output_upload_id": told["upload_id"]}
            kind = {"input": {"type": "text"}, "output": {"type": "text"}}
            run = await api.run(
                input=None, result=result, configuration={"format": kind}
            )
            url = (await api.get(run))["output"]["url"]
            received = 0
            async with session.get(url) as response:
                async for chunk in response.content.iter_any():
                    received += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == size * len(piece)
    assert peak < 60 * 10**6


# -- what stays, what goes ------------------------------------------------------------


async def test_everything_outlives_a_restart(tmp_path):
    data = tmp_path / "runs.sqlite"

    async def first(api):
        await api.post("/v1/applications", {"id": "routing"})
        await push(api, {"main.py": MULTI_FILE})
        packed = await upload(api, tarball({"a.txt": "A"}))
        body = {"id": "files", "upload_id": packed, "format": FILES}
        await api.post(f"{APP}/inputs", body)
        await api.post(SETS, {"id": "set", "inputs": [{"id": "files"}]})
        await api.post(f"{APP}/secrets", {"id": "keys", "secrets": SECRETS})
        groups = [{"id": "g", "instance_id": "latest"}]
        body = {"id": "best", "run_groups": groups, "rules": [rule("value", 0)]}
        await api.post(f"{APP}/ensembles", body)
        run = await api.run(input_id="files", configuration={"format": FILES})
        await output(api, run)
        ensemble = await api.run(input_id="files", **ENSEMBLE)
        await output(api, ensemble)
        result = {"status": "failed", "error_message": "x"}
        tracked = await api.run(input={"t": 1}, result=result)
        paths = [
            *(f"{APP}/inputs/files", f"{SETS}/set", f"{APP}/secrets/keys"),
            *(f"{APP}/ensembles/best", f"{run}/metadata", f"{run}/assets"),
            *(f"{ensemble}/metadata", f"{ensemble}/ensemble", f"{tracked}/metadata"),
            *(f"{tracked}/input", tracked, f"{APP}/runs"),
        ]
        return run, {path: await api.get(path) for path in paths}

    async def second(api, run, before):
        assert {path: await api.get(path) for path in before} == before
        told = await api.get(f"{run}/output", params={"format": "url"})
        files = await unpacked(api, told["url"])
        assert json.loads(files["sub/all.json"]) == {"a.txt": "A"}
        assets = (await api.get(f"{run}/assets"))["items"]
        told = await api.get(f"{run}/assets/{assets[0]['id']}")
        assert await api.bare("GET", told["download_url"]) == b"[1]"
        again = await api.run(input_id="files", configuration={"format": FILES})
        await output(api, again)

    run, before = await with_server(data, first)
    await with_server(data, lambda api: second(api, run, before))


async def test_an_ensemble_that_a_restart_interrupts_has_failed(tmp_path):
    data = tmp_path / "runs.sqlite"

    async def first(api):
        await define(api, {"one": {}}, [rule("value", 0)])

        async def forever(_job):
            await asyncio.Event().wait()

        api.server.nextmv.register("routing", forever)
        return await api.run(input={}, **ENSEMBLE)

    async def second(api, run):
        metadata = (await api.get(f"{run}/metadata"))["metadata"]
        assert metadata["status_v2"] == "failed"
        assert "restarted" in metadata["error"]

    run = await with_server(data, first)
    await with_server(data, lambda api: second(api, run))


async def test_deleting_an_application_deletes_its_files(tmp_path):
    data = tmp_path / "runs.sqlite"

    def files():
        return [path for path in tmp_path.rglob("*") if path.parent != tmp_path]

    async def work(api):
        await api.post("/v1/applications", {"id": "routing"})
        await push(api, {"main.py": MULTI_FILE})
        run = await api.run(input=None, configuration={"format": FILES})
        await output(api, run)
        assert await asyncio.to_thread(files)
        await api.call("DELETE", APP, status=204)
        left = await asyncio.to_thread(files)
        assert [path for path in left if path.is_file()] == []

    await with_server(data, work)
