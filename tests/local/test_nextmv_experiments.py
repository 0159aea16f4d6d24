"""Experiments of the Nextmv façade over real HTTP (wire/nextmv.md 3.4-3.6, 3.13)."""

import asyncio
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta

import aiohttp
import anyio
import pytest

from aioruns.local.server import LocalServer

APP = "/v1/applications/routing"
EXP = f"{APP}/experiments"
UNDER_WAY = {"started", "stopping", "deleting"}


class Api:
    """One session with the key, and what every test does."""

    def __init__(self, server, session):
        self.server = server
        self.session = session

    async def call(self, method, path, *, status=200, **kwargs):
        async with self.session.request(method, path, **kwargs) as response:
            body = await response.read()
            assert response.status == status, body
            if response.content_type == "application/json":
                return json.loads(body)
            return body.decode()

    async def get(self, path, **kwargs):
        return await self.call("GET", path, **kwargs)

    async def post(self, path, body, **kwargs):
        return await self.call("POST", path, json=body, **kwargs)

    async def put(self, path, body=None, **kwargs):
        return await self.call("PUT", path, json=body, **kwargs)

    async def patch(self, path, body, **kwargs):
        return await self.call("PATCH", path, json=body, **kwargs)

    async def delete(self, path, **kwargs):
        return await self.call("DELETE", path, **{"status": 204, **kwargs})

    async def run(self, data, instance="control", **body):
        """Submit a run and return its id."""
        path = f"{APP}/runs?instance_id={instance}"
        body = {"input": data, "configuration": {}, **body}
        return (await self.post(path, body))["run_id"]

    async def upload(self, data):
        url = await self.post(f"{APP}/runs/uploadurl", None)
        async with (
            aiohttp.ClientSession() as session,
            session.put(url["upload_url"], data=data) as response,
        ):
            assert response.status == 200
        return url["upload_id"]

    async def input(self, key, data):
        """Make a managed input."""
        body = {
            "id": key,
            "name": key,
            "upload_id": await self.upload(json.dumps(data).encode()),
            "format": {"input": {"type": "json"}, "output": {"type": "json"}},
        }
        await self.post(f"{APP}/inputs", body)

    async def until(self, path, wanted=lambda body: body["status"] not in UNDER_WAY):
        async with asyncio.timeout(15):
            while True:
                body = await self.get(path)
                if wanted(body):
                    return body
                await asyncio.sleep(0.01)

    async def ended(self, batch):
        return await self.until(f"{EXP}/batch/{batch}/metadata")

    async def rows(self, batch, kind="batch"):
        return (await self.get(f"{EXP}/{kind}/{batch}/runs"))["runs"]


async def cost(job):
    """Costs are the input's value times the option `factor`."""
    data = json.loads(job.stdin)
    if data.get("wait"):
        await job.log("waiting")
        await asyncio.Event().wait()
    if data.get("fail"):
        raise ValueError("it was asked to fail")
    value = data["value"] * float(job.env.get("factor", "1"))
    return {
        "options": dict(job.env),
        "metrics": {"value": value, "optimal": True},
        "statistics": {"result": {"value": value, "custom": {"stops": 3}}},
    }


@pytest.fixture
async def api(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        api = Api(server, session)
        await furnish(api)
        yield api


async def furnish(api):
    """Two instances, three managed inputs in one input set."""
    api.server.nextmv.register("routing", cost)
    for key, factor in (("control", "1"), ("candidate", 2)):
        configuration = {"options": {"factor": factor, "threads": 4}}
        body = {"id": key, "version_id": "v1", "configuration": configuration}
        await api.post(f"{APP}/instances", body)
    for number in (1, 2, 3):
        await api.input(f"in-{number}", {"value": 10 * number})
    inputs = [{"id": f"in-{number}"} for number in (1, 2, 3)]
    await api.post(f"{EXP}/inputsets", {"id": "days", "name": "Days", "inputs": inputs})


def both(*inputs, **more):
    """The runs of both instances on some inputs."""
    return [
        {"input_id": each, "instance_id": instance, **more}
        for instance in ("candidate", "control")
        for each in inputs
    ]


# -- batch experiments -----------------------------------------------------------------


async def test_every_run_of_a_batch_is_a_real_run(api):
    runs = [
        {"input_id": "in-1", "instance_id": "candidate", "option_set": "quick"},
        {"input_id": "in-2", "instance_id": "control", "input_set_id": "days"},
        {"input_id": "in-3", "version_id": "v1"},
    ]
    body = {
        "id": "nightly",
        "name": "Nightly",
        "description": "every night",
        "option_sets": {"quick": {"factor": "5"}},
        "runs": runs,
        "type": "batch",
    }
    made = await api.post(f"{EXP}/batch", body)
    assert made["id"] == "nightly"

    metadata = await api.ended("nightly")
    assert metadata.pop("created_at").endswith("Z")
    assert metadata.pop("updated_at").endswith("Z")
    assert metadata == {
        "id": "nightly",
        "name": "Nightly",
        "description": "every night",
        "app_id": "routing",
        "type": "batch",
        "status": "completed",
        "option_sets": {"quick": {"factor": "5"}},
        "number_of_requested_runs": 3,
        "number_of_runs": 3,
        "number_of_completed_runs": 3,
    }
    first, second, third = await api.rows("nightly")
    assert {r["experiment_id"] for r in (first, second, third)} == {"nightly"}
    assert [r["status_v2"] for r in (first, second, third)] == ["succeeded"] * 3
    assert [r["input_id"] for r in (first, second, third)] == ["in-1", "in-2", "in-3"]
    assert first["application_instance_id"] == "candidate"
    assert first["application_version_id"] == "v1"
    assert first["option_set"] == "quick"
    # The option set goes over the options of the instance.
    assert first["options"] == {"factor": "5", "threads": "4"}
    assert first["request_options"] == {"factor": "5"}
    assert {o["name"]: o["source"] for o in first["options_summary"]} == {
        "factor": "run",
        "threads": "instance",
    }
    assert first["metrics"]["indicators"][0] == {"name": "value", "value": 50.0}
    assert second["input_set_id"] == "days"
    assert "option_set" not in second
    assert third["application_instance_id"] == ""
    assert third["options"] == {}

    run = f"{APP}/runs/{first['id']}"
    assert await api.get(f"{run}/input") == {"value": 10}
    output = (await api.get(run))["output"]
    assert output["options"] == {"factor": "5", "threads": "4"}
    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["experiment_id"] == "nightly"
    assert metadata["experiment_type"] == "batch"
    assert metadata["tracking"]["input_id"] == "in-1"
    listed = (await api.get(f"{APP}/runs"))["runs"]
    assert {r["id"] for r in listed} >= {first["id"], second["id"], third["id"]}


async def test_a_batch_counts_its_runs_while_they_go_on(api):
    await api.input("endless", {"wait": True})
    body = {"id": "long", "runs": both("in-1") + both("endless")}
    made = await api.post(f"{EXP}/batch", body)
    assert made["status"] == "started"

    half = await api.until(
        f"{EXP}/batch/long/metadata", lambda m: m["number_of_completed_runs"] == 2
    )
    assert half["status"] == "started"
    assert half["number_of_requested_runs"] == half["number_of_runs"] == 4
    waiting = [r for r in await api.rows("long") if r["input_id"] == "endless"]
    for row in waiting:
        await api.call("PATCH", f"{APP}/runs/{row['id']}/cancel")

    assert (await api.ended("long"))["status"] == "completed"
    states = [r["status_v2"] for r in await api.rows("long")]
    assert sorted(states) == ["canceled", "canceled", "succeeded", "succeeded"]


async def test_an_input_set_is_run_by_every_instance_with_every_option_set(api):
    body = {
        "id": "grid",
        "input_set_id": "days",
        "instance_ids": ["candidate", "control"],
        "option_sets": {"low": {"factor": "3"}, "high": {"factor": "4"}},
    }
    made = await api.post(f"{EXP}/batch", body)
    assert made["input_set_id"] == "days"
    assert made["instance_ids"] == ["candidate", "control"]
    assert made["number_of_requested_runs"] == 12
    rows = await api.rows("grid")
    found = [
        (r["application_instance_id"], r["option_set"], r["input_id"]) for r in rows
    ]
    assert found == [
        (instance, option_set, f"in-{number}")
        for instance in ("candidate", "control")
        for option_set in ("low", "high")
        for number in (1, 2, 3)
    ]
    assert {r["input_set_id"] for r in rows} == {"days"}


async def test_an_input_set_alone_runs_on_the_default_instance(api):
    await api.post(f"{EXP}/batch", {"id": "plain", "input_set_id": "days"})
    rows = await api.rows("plain")
    assert [r["application_instance_id"] for r in rows] == ["default"] * 3
    await api.put(APP, {"default_experiment_instance": "candidate"})
    await api.post(f"{EXP}/batch", {"id": "better", "input_set_id": "days"})
    rows = await api.rows("better")
    assert [r["application_instance_id"] for r in rows] == ["candidate"] * 3


async def test_the_input_of_an_earlier_run_can_be_run_again(api):
    run = await api.run({"value": 7})
    body = {"id": "again", "runs": [{"input_id": run, "instance_id": "candidate"}]}
    await api.post(f"{EXP}/batch", body)
    await api.ended("again")
    (row,) = await api.rows("again")
    assert row["input_id"] == run
    assert await api.get(f"{APP}/runs/{row['id']}/input") == {"value": 7}


async def test_summaries_tell_of_each_instance_and_option_set(api):
    body = {
        "id": "told",
        "runs": [
            *both("in-1", "in-2", "in-3"),
            {"input_id": "in-1", "instance_id": "control", "option_set": "nine"},
        ],
        "option_sets": {"nine": {"factor": "9"}},
    }
    await api.post(f"{EXP}/batch", body)
    await api.ended("told")
    summaries = (await api.get(f"{EXP}/batch/told"))["grouped_distributional_summaries"]
    keys = ["instanceID", "versionID", "optionSet"]
    groups = {tuple(s["group_values"]): s for s in summaries if s["group_keys"] == keys}
    assert set(groups) == {
        ("candidate", "v1", ""),
        ("control", "v1", ""),
        ("control", "v1", "nine"),
    }
    candidate = groups["candidate", "v1", ""]
    assert set(candidate["indicator_keys"]) == {
        "value",
        "result.value",
        "result.custom.stops",
    }
    found = candidate["indicator_distributions"]["result.value"]
    assert (found["min"], found["max"], found["count"]) == (20, 60, 3)
    assert (found["mean"], found["std"]) == (40, 20)
    assert found["percentiles"]["p50"] == 40
    assert found["percentiles"]["p25"] == 30
    assert found["shifted_geometric_mean"]["shift"] == 1
    geometric = (21 * 41 * 61) ** (1 / 3) - 1
    assert found["shifted_geometric_mean"]["value"] == pytest.approx(geometric)
    by_input = [s for s in summaries if "inputID" in s["group_keys"]]
    assert len(by_input) == 7


async def test_a_batch_none_of_whose_runs_succeeds_has_failed(api):
    await api.input("bad", {"fail": True})
    await api.post(f"{EXP}/batch", {"id": "bad", "runs": both("bad")})
    assert (await api.ended("bad"))["status"] == "failed"
    await api.post(f"{EXP}/batch", {"id": "mixed", "runs": both("bad", "in-1")})
    mixed = await api.ended("mixed")
    assert mixed["status"] == "completed"
    assert mixed["number_of_completed_runs"] == 4


async def test_a_batch_all_of_whose_runs_were_canceled_is_canceled(api):
    await api.input("endless", {"wait": True})
    await api.post(f"{EXP}/batch", {"id": "gone", "runs": both("endless")})
    for row in await api.rows("gone"):
        await api.call("PATCH", f"{APP}/runs/{row['id']}/cancel")
    assert (await api.ended("gone"))["status"] == "canceled"


async def test_a_batch_without_runs_is_a_draft_until_runs_are_attached(api):
    made = await api.post(f"{EXP}/batch", {"id": "box", "name": "Box"})
    assert made["status"] == "draft"
    assert made["input_set_id"] == ""
    assert made["instance_ids"] == []
    run = await api.run({"value": 1}, batch_experiment_id="box")
    metadata = await api.until(
        f"{EXP}/batch/box/metadata", lambda m: m["status"] == "completed"
    )
    assert metadata["number_of_requested_runs"] == 0
    assert metadata["number_of_runs"] == metadata["number_of_completed_runs"] == 1
    assert [r["id"] for r in await api.rows("box")] == [run]


async def test_ids_and_names_are_made_up_and_a_taken_id_is_a_conflict(api):
    made = await api.post(f"{EXP}/batch", {})
    assert made["id"].startswith("batch-")
    assert made["name"] == made["id"]
    text = await api.post(f"{EXP}/batch", {"id": made["id"]}, status=409)
    assert made["id"] in text


async def test_two_batches_of_one_id_at_the_same_time_are_one(api):
    async def make():
        body = {"id": "race", "runs": both("in-1", "in-2", "in-3")}
        async with api.session.post(f"{EXP}/batch", json=body) as response:
            return response.status

    statuses = await asyncio.gather(*(make() for _ in range(5)))
    assert sorted(statuses) == [200, 409, 409, 409, 409]
    assert len(await api.rows("race")) == 6
    assert (await api.ended("race"))["number_of_runs"] == 6


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"runs": {}}, 400, "array"),
        ({"runs": [7]}, 400, "Entry 1"),
        ({"runs": [{"instance_id": "control"}]}, 400, "input_id"),
        ({"runs": [{"input_id": "in-1"}]}, 400, "version_id"),
        ({"runs": both("nothing")}, 400, "nothing"),
        ({"runs": [{"input_id": "in-1", "instance_id": "nobody"}]}, 404, "nobody"),
        ({"runs": [{"input_id": "in-1", "version_id": "v9"}]}, 400, "v9"),
        ({"runs": both("in-1", option_set="none")}, 400, "none"),
        ({"runs": both("in-1", repetition="0")}, 400, "repetition"),
        ({"runs": both("in-1", input_set_id="never")}, 404, "never"),
        ({"option_sets": {"a": {"b": 1}}}, 400, "strings"),
        ({"option_sets": {"a": []}}, 400, "'a'"),
        ({"type": "odd"}, 400, "odd"),
        ({"input_set_id": "never"}, 404, "never"),
        ({"input_set_id": "days", "instance_ids": "control"}, 400, "instance_ids"),
    ],
)
async def test_a_batch_that_cannot_run_is_refused_whole(api, body, status, told):
    before = len(api.server.engine.runs("nextmv"))
    text = await api.post(f"{EXP}/batch", {"id": "wrong", **body}, status=status)
    assert told in text
    assert len(api.server.engine.runs("nextmv")) == before
    await api.get(f"{EXP}/batch/wrong", status=404)


async def test_an_input_that_is_not_of_the_input_set_is_refused(api):
    await api.input("stray", {"value": 1})
    runs = both("stray", input_set_id="days")
    text = await api.post(f"{EXP}/batch", {"id": "wrong", "runs": runs}, status=400)
    assert "stray" in text


async def test_batches_are_listed_by_type_with_and_without_pages(api):
    for number in range(25):
        await api.post(f"{EXP}/batch", {"id": f"b{number:02}"})
    await api.post(
        f"{EXP}/batch", {"id": "s", "type": "scenario", "runs": both("in-1")}
    )
    bare = await api.get(f"{EXP}/batch?type=batch")
    assert [b["id"] for b in bare] == [f"b{number:02}" for number in range(25)]
    assert set(bare[0]) >= {"id", "name", "created_at", "updated_at", "status"}
    assert [b["id"] for b in await api.get(f"{EXP}/batch?type=scenario")] == ["s"]
    assert len(await api.get(f"{EXP}/batch")) == 26

    first = await api.get(f"{EXP}/batch?type=batch&pagereturn=true")
    assert len(first["items"]) == api.server.settings.page_size
    token = first["next_page_token"]
    rest = await api.get(f"{EXP}/batch?type=batch&pagereturn=true&pagetoken={token}")
    assert not rest["next_page_token"]
    assert [b["id"] for b in first["items"] + rest["items"]] == [b["id"] for b in bare]


async def test_a_batch_is_renamed_by_a_patch(api):
    made = await api.post(f"{EXP}/batch", {"id": "b", "description": "old"})
    patched = await api.patch(f"{EXP}/batch/b", {"name": "New"})
    assert patched["name"] == "New"
    assert patched["description"] == "old"
    assert patched["created_at"] == made["created_at"]
    assert (await api.patch(f"{EXP}/batch/b", {"description": ""}))["description"] == ""
    assert (await api.patch(f"{EXP}/batch/b", {}))["name"] == "New"
    assert (await api.get(f"{EXP}/batch/b"))["name"] == "New"
    await api.patch(f"{EXP}/batch/none", {}, status=404)


async def test_deleting_a_batch_removes_its_runs_also_live_ones(api):
    await api.input("endless", {"wait": True})
    other = await api.run({"value": 1})
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both("endless", "in-1")})
    await api.delete(f"{EXP}/batch/b")
    for path in ("", "/metadata", "/runs"):
        await api.get(f"{EXP}/batch/b{path}", status=404)
    assert [r.id for r in api.server.engine.runs("nextmv")] == [other]
    await api.delete(f"{EXP}/batch/b", status=404)
    await api.post(f"{EXP}/batch", {"id": "b"})  # the id is free again


async def test_the_content_type_of_a_batch_is_that_of_its_runs(api):
    async def concatenate(job):
        files = sorted([p async for p in anyio.Path(job.directory, "inputs").iterdir()])
        text = "".join([await file.read_text() for file in files])
        outputs = anyio.Path(job.directory, "outputs")
        await (outputs / "solutions" / "all.txt").write_text(text)
        await (outputs / "metrics.json").write_text(json.dumps({"size": len(text)}))

    api.server.nextmv.register("routing", concatenate)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name in ("a.txt", "b.txt"):
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(name.encode()))
    body = {"id": "files", "upload_id": await api.upload(raw.getvalue())}
    await api.post(f"{APP}/inputs", body)
    body = {"id": "b", "runs": both("files"), "content_type": "multi-file"}
    await api.post(f"{EXP}/batch", body)
    assert (await api.ended("b"))["status"] == "completed"
    for row in await api.rows("b"):
        assert row["metrics"]["indicators"] == [{"name": "size", "value": 10}]
    summary = (await api.get(f"{EXP}/batch/b"))["grouped_distributional_summaries"][0]
    assert summary["indicator_distributions"]["size"]["mean"] == 10


async def test_runs_of_a_batch_are_queued_even_if_their_instance_is_not(api):
    body = {"queuing": {"disabled": True, "priority": 2}}
    body = {"id": "hasty", "version_id": "v1", "configuration": body}
    await api.post(f"{APP}/instances", body)
    runs = [{"input_id": "in-1", "instance_id": "hasty"}] * 20
    await api.post(f"{EXP}/batch", {"id": "b", "runs": runs})
    assert (await api.ended("b"))["number_of_completed_runs"] == 20
    assert {row["queuing_priority"] for row in await api.rows("b")} == {2}


async def test_many_runs_are_queued_beside_the_answer(api, monkeypatch):
    monkeypatch.setattr("aioruns.local.nextmv.launching._PATIENCE", 0.0)
    runs = both(*["in-1"] * 200)
    made = await api.post(f"{EXP}/batch", {"id": "b", "runs": runs})
    assert made["status"] == "started"
    assert made["number_of_requested_runs"] == 400
    assert made["number_of_runs"] < 400
    assert (await api.patch(f"{EXP}/batch/b", {"name": "B"}))["status"] == "started"
    metadata = await api.ended("b")
    assert metadata["number_of_completed_runs"] == 400
    assert (metadata["name"], metadata["status"]) == ("B", "completed")


@pytest.mark.parametrize("what", [f"{EXP}/batch/b", APP])
async def test_deleting_while_runs_are_queued_leaves_none(api, monkeypatch, what):
    monkeypatch.setattr("aioruns.local.nextmv.launching._PATIENCE", 0.0)
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both(*["in-1"] * 200)})
    await api.delete(what)
    await asyncio.sleep(0.05)
    assert api.server.engine.runs("nextmv") == []


async def test_a_batch_that_a_server_left_half_queued_has_failed(api):
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both("in-1")})
    await api.ended("b")
    engine = api.server.engine
    document = engine.document("nextmv", "batch/routing", "b")
    await engine.put("nextmv", "batch/routing", "b", document | {"launched": False})
    assert (await api.get(f"{EXP}/batch/b"))["status"] == "failed"
    await engine.put("nextmv", "batch/routing", "b", document | {"deleting": True})
    assert (await api.get(f"{EXP}/batch/b"))["status"] == "delete-failed"
    await api.delete(f"{EXP}/batch/b")
    assert engine.runs("nextmv") == []


async def test_deleting_an_application_removes_its_experiments(api):
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both("in-1")})
    await api.delete(APP)
    await api.get(f"{EXP}/batch", status=404)
    await api.post("/v1/applications", {"id": "routing", "name": "again"})
    assert await api.get(f"{EXP}/batch") == []


async def test_a_scenario_test_is_a_batch_whose_runs_say_more(api):
    runs = [
        {
            "input_id": "in-1",
            "option_set": "scenario-1_0",
            "instance_id": "candidate",
            "input_set_id": "days",
            "scenario_id": "scenario-1",
            "repetition": repetition,
            "run_number": str(repetition + 1),
        }
        for repetition in (0, 1)
    ]
    body = {
        "id": "what-if",
        "name": "What if",
        "type": "scenario",
        "option_sets": {"scenario-1_0": {}},
        "runs": runs,
    }
    made = await api.post(f"{EXP}/batch", body)
    assert made["type"] == "scenario"
    assert made["input_set_id"] == ""
    assert (await api.ended("what-if"))["status"] == "completed"
    rows = await api.rows("what-if")
    assert [(r["repetition"], r["run_number"]) for r in rows] == [(0, "1"), (1, "2")]
    assert {r["scenario_id"] for r in rows} == {"scenario-1"}
    assert {r["option_set"] for r in rows} == {"scenario-1_0"}
    metadata = (await api.get(f"{APP}/runs/{rows[0]['id']}/metadata"))["metadata"]
    assert metadata["experiment_type"] == "scenario"


# -- restart ---------------------------------------------------------------------------


async def test_experiments_outlive_the_server(tmp_path):
    data = str(tmp_path / "runs.db")

    async def serving(work):
        async with LocalServer(token="t", slots=2, data=data) as server:
            server.nextmv.register("routing", cost)
            headers = {"Authorization": "Bearer t"}
            async with aiohttp.ClientSession(server.url, headers=headers) as session:
                await work(Api(server, session))

    async def before(api):
        await furnish(api)
        await api.input("endless", {"wait": True})
        await api.post(f"{EXP}/batch", {"id": "done", "runs": both("in-1", "in-2")})
        await api.ended("done")
        await api.post(f"{EXP}/acceptance", acceptance("done"))
        runs = both("in-1") + both("endless")
        await api.post(f"{EXP}/batch", {"id": "cut", "runs": runs})
        await api.until(
            f"{EXP}/batch/cut/metadata", lambda m: m["number_of_completed_runs"] == 2
        )
        await api.post(f"{EXP}/shadow", shadow("s"))
        await api.put(f"{EXP}/shadow/s/start")

    async def after(api):
        assert (await api.get(f"{EXP}/batch/done"))["status"] == "completed"
        test = await api.get(f"{EXP}/acceptance/done")
        assert test["results"]["metric_results"][0]["statistics"]["control"][
            "distribution_percentiles"
        ]
        cut = await api.get(f"{EXP}/batch/cut/metadata")
        assert cut["status"] == "completed"
        assert cut["number_of_completed_runs"] == 4
        states = [r["status_v2"] for r in await api.rows("cut")]
        assert states == ["succeeded", "succeeded", "failed", "failed"]
        run = await api.run({"value": 1})
        (row,) = await api.rows("s", "shadow")
        assert row["input_id"] == run

    await serving(before)
    await serving(after)


# -- acceptance tests ------------------------------------------------------------------


def metric(operator="le", statistic="mean", field="result.value", **tolerance):
    return {
        "field": field,
        "metric_type": "direct-comparison",
        "params": {
            "operator": operator,
            "tolerance": {"type": "absolute", "value": 0, **tolerance},
        },
        "statistic": statistic,
    }


def acceptance(key, *metrics, **more):
    return {
        "candidate": {"instance_id": "candidate"},
        "control": {"instance_id": "control"},
        "metrics": list(metrics) or [metric()],
        "experiment_id": key,
        "name": key.title(),
        "id": key,
        **more,
    }


@pytest.fixture
async def judged(api):
    """A batch that has ended: the control costs 10, 20, 30, the candidate twice."""
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both("in-1", "in-2", "in-3")})
    await api.ended("b")
    return api


async def test_an_acceptance_test_judges_the_runs_of_its_batch(judged):
    metrics = [metric("le"), metric("gt", "p50"), metric("lt", "max", "value")]
    made = await judged.post(f"{EXP}/acceptance", acceptance("b", *metrics))
    assert made["id"] == made["experiment_id"] == "b"
    assert made["description"] == ""
    assert made["app_id"] == "routing"
    assert made["control"] == {"instance_id": "control", "version_id": "v1"}
    assert made["candidate"] == {"instance_id": "candidate", "version_id": "v1"}
    assert made["metrics"] == metrics

    test = await judged.get(f"{EXP}/acceptance/b")
    assert test["status"] == "completed"
    results = test["results"]
    assert results["passed"] is False
    assert [r["passed"] for r in results["metric_results"]] == [False, True, False]
    assert [r["metric"] for r in results["metric_results"]] == metrics
    control = results["metric_results"][0]["statistics"]["control"]
    assert control["instance_id"] == "control"
    assert control["version_id"] == "v1"
    assert control["number_of_runs_total"] == 3
    summary = control["distribution_summary_statistics"]
    assert summary.pop("shifted_geometric_mean") == pytest.approx(
        (11 * 21 * 31) ** (1 / 3) - 1
    )
    assert summary == {
        "min": 10,
        "max": 30,
        "count": 3,
        "mean": 20,
        "std": 10,
        "shift_parameter": 1,
    }
    percentiles = control["distribution_percentiles"]
    assert set(percentiles) == {
        *("p01", "p05", "p10", "p25", "p50", "p75", "p90", "p95", "p99")
    }
    assert percentiles["p75"] == 25
    assert percentiles["p01"] == pytest.approx(10.2)


@pytest.mark.parametrize(
    ("operator", "tolerance", "passed"),
    [
        # The mean of the candidate is 40, that of the control 20.
        ("gt", {}, True),
        ("ge", {}, True),
        ("lt", {}, False),
        ("le", {}, False),
        ("eq", {}, False),
        ("ne", {}, True),
        ("le", {"value": 20}, True),
        ("lt", {"value": 20}, False),
        ("eq", {"value": 20}, True),
        ("ne", {"value": 20}, False),
        ("le", {"type": "relative", "value": 1}, True),
        ("le", {"type": "relative", "value": 0.99}, False),
        ("eq", {"type": "", "value": 20}, False),
    ],
)
async def test_operators_and_tolerances(judged, operator, tolerance, passed):
    body = acceptance("b", metric(operator, **tolerance))
    test = await judged.post(f"{EXP}/acceptance", body)
    assert test["results"]["passed"] is passed


async def test_an_acceptance_test_waits_for_its_batch(api):
    await api.input("endless", {"wait": True})
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both("in-1", "endless")})
    test = await api.post(f"{EXP}/acceptance", acceptance("b", metric("ge")))
    assert test["status"] == "started"
    assert "results" not in test
    for row in await api.rows("b"):
        await api.call("PATCH", f"{APP}/runs/{row['id']}/cancel")
    await api.ended("b")


async def test_a_metric_that_no_run_has_is_an_error(judged):
    body = acceptance("b", metric("ge"), metric(field="result.profit"))
    test = await judged.post(f"{EXP}/acceptance", body)
    assert test["status"] == "failed"
    assert test["results"]["passed"] is False
    assert "result.profit" in test["results"]["error"]
    assert len(test["results"]["metric_results"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"experiment_id": "other"}, 400, "experiment_id"),
        ({"experiment_id": "none", "id": "none"}, 404, "none"),
        ({"metrics": []}, 400, "metrics"),
        ({"metrics": [metric("about")]}, 400, "operator"),
        ({"metrics": [metric(statistic="p42")]}, 400, "statistic"),
        ({"metrics": [metric(type="loose")]}, 400, "tolerance"),
        ({"metrics": [metric(value="1")]}, 400, "tolerance"),
        ({"metrics": [metric(field="")]}, 400, "field"),
        ({"metrics": [metric() | {"metric_type": "x"}]}, 400, "metric_type"),
        ({"candidate": {"instance_id": "nobody"}}, 404, "nobody"),
        ({"control": {}}, 400, "control"),
    ],
)
async def test_an_acceptance_test_that_makes_no_sense_is_refused(
    api, change, status, told
):
    await api.post(f"{EXP}/batch", {"id": "b", "runs": both("in-1")})
    body = acceptance("b") | change
    assert told in await api.post(f"{EXP}/acceptance", body, status=status)
    assert await api.get(f"{EXP}/acceptance") == []


async def test_acceptance_tests_are_listed_renamed_and_deleted_with_their_batch(judged):
    await judged.post(f"{EXP}/acceptance", acceptance("b"))
    await judged.post(f"{EXP}/acceptance", acceptance("b"), status=409)
    assert [t["id"] for t in await judged.get(f"{EXP}/acceptance")] == ["b"]
    page = await judged.get(f"{EXP}/acceptance?pagereturn=true")
    assert [t["id"] for t in page["items"]] == ["b"]
    assert not page["next_page_token"]
    patched = await judged.patch(f"{EXP}/acceptance/b", {"description": "checked"})
    assert (patched["name"], patched["description"]) == ("B", "checked")
    await judged.delete(f"{EXP}/acceptance/b")
    await judged.get(f"{EXP}/acceptance/b", status=404)
    await judged.get(f"{EXP}/batch/b", status=404)
    assert judged.server.engine.runs("nextmv") == []


# -- shadow tests ----------------------------------------------------------------------


def shadow(key, maximum_runs=300, candidates=("candidate",), **more):
    return {
        "id": key,
        "name": key.title(),
        "comparisons": [
            {
                "baseline_instance_id": "control",
                "candidate_instance_ids": list(candidates),
            }
        ],
        "termination_events": {"maximum_runs": maximum_runs},
        **more,
    }


async def test_a_shadow_test_repeats_the_runs_of_its_baseline(api):
    made = await api.post(f"{EXP}/shadow", shadow("s"))
    assert made["status"] == "draft"
    assert made["comparisons"] == shadow("s")["comparisons"]
    assert made["termination_events"] == {"maximum_runs": 300}
    await api.run({"value": 1})
    assert await api.rows("s", "shadow") == []

    await api.put(f"{EXP}/shadow/s/start")
    assert (await api.get(f"{EXP}/shadow/s/metadata"))["status"] == "started"
    run = await api.run({"value": 8}, options={"extra": "yes"}, name="day")
    await api.run({"value": 9}, instance="candidate")
    (row,) = await api.rows("s", "shadow")
    assert row["application_instance_id"] == "candidate"
    assert row["experiment_id"] == "s"
    assert row["name"] == "day"
    assert row["input_id"] == run
    assert row["options"] == {"factor": "2", "threads": "4", "extra": "yes"}
    assert await api.get(f"{APP}/runs/{row['id']}/input") == {"value": 8}

    await api.put(f"{EXP}/shadow/s/stop", {"intent": "complete"})
    test = await api.until(f"{EXP}/shadow/s")
    assert test["status"] == "completed"
    assert test["started_at"] <= test["completed_at"]
    await api.run({"value": 1})
    assert len(await api.rows("s", "shadow")) == 1
    await api.put(f"{EXP}/shadow/s/start", status=400)
    await api.put(f"{EXP}/shadow/s/stop", {"intent": "complete"}, status=400)


async def test_a_shadow_test_ends_when_it_has_all_its_runs(api):
    body = shadow("s", maximum_runs=3, candidates=["candidate", "default"])
    await api.post(f"{EXP}/shadow", body)
    await api.put(f"{EXP}/shadow/s/start")
    await asyncio.gather(*(api.run({"value": n}) for n in range(5)))
    assert len(await api.rows("s", "shadow")) == 3
    test = await api.until(f"{EXP}/shadow/s")
    assert test["status"] == "completed"


async def test_a_canceled_shadow_test_ends_its_runs_but_not_those_of_the_baseline(api):
    await api.post(f"{EXP}/shadow", shadow("s"))
    await api.put(f"{EXP}/shadow/s/stop", {"intent": "cancel"}, status=400)
    await api.put(f"{EXP}/shadow/s/start")
    run = await api.run({"wait": True})
    await api.put(f"{EXP}/shadow/s/stop", {"intent": "never"}, status=400)
    await api.put(f"{EXP}/shadow/s/stop", {"intent": "cancel"})
    assert (await api.until(f"{EXP}/shadow/s"))["status"] == "canceled"
    (row,) = await api.rows("s", "shadow")
    assert row["status_v2"] == "canceled"
    assert not api.server.engine.get("nextmv", run).state.final


async def test_a_shadow_test_starts_and_ends_at_its_times(api):
    now = datetime.now(UTC)
    times = [(now + timedelta(hours=h)).isoformat() for h in (-2, -1, 1)]
    past, recent, future = ({"time": time} for time in times)
    over = {"maximum_runs": 5, **recent}
    body = shadow("over", start_events=past) | {"termination_events": over}
    assert (await api.post(f"{EXP}/shadow", body))["status"] == "completed"
    on = shadow("on", start_events=past)
    on["termination_events"] |= future
    assert (await api.post(f"{EXP}/shadow", on))["status"] == "started"
    later = shadow("later", start_events=future)
    later["termination_events"]["time"] = "0001-01-01T00:00:00Z"  # no limit
    assert (await api.post(f"{EXP}/shadow", later))["status"] == "draft"
    await api.run({"value": 1})
    counts = [len(await api.rows(key, "shadow")) for key in ("over", "on", "later")]
    assert counts == [0, 1, 0]
    assert [t["id"] for t in await api.get(f"{EXP}/shadow")] == ["over", "on", "later"]


async def test_comparisons_may_be_an_object_as_the_newest_client_sends_them(api):
    body = shadow("s") | {"comparisons": {"control": ["candidate", "default"]}}
    made = await api.post(f"{EXP}/shadow", body)
    assert made["comparisons"] == [
        {
            "baseline_instance_id": "control",
            "candidate_instance_ids": ["candidate", "default"],
        }
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"termination_events": {"maximum_runs": 301}}, 400),
        ({"termination_events": {}}, 400),
        ({"comparisons": []}, 400),
        ({"comparisons": {"control": []}}, 400),
        ({"comparisons": {"control": ["nobody"]}}, 404),
        ({"start_events": {"time": "soon"}}, 400),
    ],
)
async def test_a_shadow_test_that_makes_no_sense_is_refused(api, change, status):
    await api.post(f"{EXP}/shadow", shadow("s") | change, status=status)


async def test_shadow_tests_are_renamed_and_deleted_with_their_runs(api):
    await api.post(f"{EXP}/shadow", shadow("s"))
    await api.post(f"{EXP}/shadow", shadow("s"), status=409)
    assert (await api.patch(f"{EXP}/shadow/s", {"name": "N"}))["name"] == "N"
    await api.put(f"{EXP}/shadow/s/start")
    run = await api.run({"value": 1})
    await api.delete(f"{EXP}/shadow/s")
    await api.get(f"{EXP}/shadow/s", status=404)
    assert [r.id for r in api.server.engine.runs("nextmv")] == [run]


# -- switchback tests ------------------------------------------------------------------


def switchback(key, units=4, minutes=1, **plan):
    return {
        "id": key,
        "name": key.title(),
        "comparison": {
            "baseline_instance_id": "control",
            "candidate_instance_id": "candidate",
        },
        "generate_random_plan": {
            "unit_duration_minutes": minutes,
            "units": units,
            **plan,
        },
    }


async def test_runs_go_to_the_instance_of_the_present_unit(api):
    made = await api.post(f"{EXP}/switchback", switchback("w", units=10))
    assert made["status"] == "draft"
    units = made["plan"]["units"]
    assert [u["index"] for u in units] == list(range(10))
    assert {u["duration_minutes"] for u in units} == {1}
    assert (
        sorted(u["instance_id"] for u in units) == ["candidate"] * 5 + ["control"] * 5
    )
    assert "start" not in made["plan"]
    before = await api.run({"value": 1})

    await api.put(f"{EXP}/switchback/w/start")
    run = await api.run({"value": 2})
    other = await api.run({"value": 3}, instance="default")
    (row,) = await api.rows("w", "switchback")
    assert row["id"] == run
    assert row["application_instance_id"] == units[0]["instance_id"]
    assert row["experiment_id"] == "w"
    engine = api.server.engine
    for untouched in (before, other):
        assert engine.get("nextmv", untouched).detail["experiment_id"] is None

    test = await api.get(f"{EXP}/switchback/w")
    assert test["status"] == "started"
    assert test["plan"]["start"] == test["started_at"]
    await api.put(f"{EXP}/switchback/w/stop", {"intent": "cancel"})
    assert (await api.until(f"{EXP}/switchback/w"))["status"] == "canceled"
    await api.run({"value": 4})
    assert len(await api.rows("w", "switchback")) == 1


async def test_a_plan_starts_at_its_time_and_ends_after_its_last_unit(api):
    ago = datetime.now(UTC) - timedelta(seconds=90)
    start = ago.isoformat()
    made = await api.post(f"{EXP}/switchback", switchback("w", units=2, start=start))
    assert made["status"] == "started"
    await api.run({"value": 1})
    (row,) = await api.rows("w", "switchback")
    assert row["application_instance_id"] == made["plan"]["units"][1]["instance_id"]
    over = await api.post(f"{EXP}/switchback", switchback("v", units=1, start=start))
    assert over["status"] == "completed"
    assert over["completed_at"] > over["started_at"]


async def test_switchback_lists_are_objects_with_and_without_pages(api):
    await api.post(f"{EXP}/switchback", switchback("w"))
    bare = await api.get(f"{EXP}/switchback")
    assert [t["id"] for t in bare["items"]] == ["w"]
    page = await api.get(f"{EXP}/switchback?pagereturn=true")
    assert [t["id"] for t in page["items"]] == ["w"]
    metadata = await api.get(f"{EXP}/switchback/w/metadata")
    assert set(metadata) == {
        *("id", "name", "description", "app_id", "created_at", "updated_at", "status")
    }
    assert (await api.patch(f"{EXP}/switchback/w", {"name": "N"}))["name"] == "N"
    await api.delete(f"{EXP}/switchback/w")
    assert await api.get(f"{EXP}/switchback") == {"items": []}


@pytest.mark.parametrize(
    "change",
    [
        {"generate_random_plan": {"unit_duration_minutes": 0.5, "units": 2}},
        {"generate_random_plan": {"unit_duration_minutes": 1, "units": 0}},
        {"generate_random_plan": {"unit_duration_minutes": 1, "units": 1001}},
        {"comparison": {"baseline_instance_id": "control"}},
    ],
)
async def test_a_switchback_test_that_makes_no_sense_is_refused(api, change):
    await api.post(f"{EXP}/switchback", switchback("w") | change, status=400)
