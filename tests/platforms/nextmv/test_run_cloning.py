"""Nextmv runs made from others, and beside each other (wire/nextmv.md 3.13)."""

import json

import anyio
import anyio.to_thread
import pytest
from tests.platforms.nextmv.recording import members
from tests.platforms.nextmv.scripted import (
    ScriptedNextmv,
    archive,
    formats,
    information,
)

from aioruns.errors import InvalidInput, NotFound
from aioruns.platforms.nextmv import (
    Application,
    ComparisonValues,
    PollingOptions,
    RunConfiguration,
    RunQueuing,
)

MADE = {"run_id": "run-2"}
LINK = {"url": "https://files.example.org/1?sig=1"}
OPTIONS = {"options_summary": [{"name": "threads", "value": "4", "source": "run"}]}
RICH = information(
    execution_class="small",
    secrets_collection_id="keys",
    queuing_priority=6,
    queuing_disabled=False,
    options=OPTIONS,
)


async def cloned(run, *answers, **changes):
    """The body of the clone's submission, and the client."""
    nextmv = ScriptedNextmv(run, *answers, MADE)
    app = nextmv.application("routing")
    assert await app.clone_run(cloned_run_id="run-1", **changes) == "run-2"
    assert not nextmv.answers
    return json.loads(nextmv.requests[-1].body), nextmv


async def test_a_clone_has_everything_of_its_run():
    body, nextmv = await cloned(RICH, RICH, {"stops": [1]})
    assert body == {
        "input": {"stops": [1]},
        "name": "night clone",
        "description": "Clone of by night",
        "options": {"threads": "4"},
        "configuration": {
            "execution_class": "small",
            "format": formats("json"),
            "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},
            "secrets_collection_id": "keys",
            "queuing": {"priority": 6, "disabled": False},
        },
        "tracking": {"cloned_run_id": "run-1"},
    }
    assert nextmv.calls == [
        "GET /run-1/metadata",
        "GET /run-1/metadata",
        "GET /run-1/input",
        "POST ?instance_id=staging",
    ]


async def test_what_is_given_is_changed_and_the_rest_stays():
    body, nextmv = await cloned(
        RICH,
        input={"stops": []},
        instance_id="trial",
        name="n" * 200,
        description="d" * 300,
        options={"threads": 8},
        configuration=RunConfiguration("big", queuing=RunQueuing(priority=1)),
    )
    assert body["input"] == {"stops": []}
    assert (body["name"], body["description"]) == ("n" * 128, "d" * 256)
    assert body["options"] == {"threads": "8"}
    assert body["configuration"]["execution_class"] == "big"
    assert body["configuration"]["queuing"] == {"priority": 1, "disabled": False}
    assert body["configuration"]["secrets_collection_id"] == "keys"
    assert nextmv.calls == ["GET /run-1/metadata", "POST ?instance_id=trial"]


@pytest.mark.parametrize(
    ("given", "format_"),
    [
        ({"input": "text"}, formats("text", "json")),
        ({"upload_id": "up-1"}, formats("json")),
        (
            {"input": "text", "configuration": {"format": formats("csv-archive")}},
            formats("csv-archive"),
        ),
    ],
)
async def test_another_input_brings_its_format(given, format_):
    uploads = [{"upload_id": "up-1", "upload_url": "https://f.example.org/u"}, None]
    run = information(format=formats("json", "multi-file"))
    answers = uploads if "input" in given else []
    body, _ = await cloned(run, *answers, **given)
    assert body["configuration"]["format"] == format_
    assert body["upload_id"] == "up-1"


async def test_the_format_of_the_run_stays_with_its_input():
    run = information(format=formats("json", "multi-file"))
    body, _ = await cloned(run, run, {"stops": []})
    assert body["configuration"]["format"] == formats("json", "multi-file")


async def test_a_managed_input_is_given_on_and_not_read():
    run = information(tracking={"input_id": "in-1"})
    body, nextmv = await cloned(run)
    assert body["input_id"] == "in-1"
    assert "input" not in body
    assert len(nextmv.calls) == 2
    run = information(format=formats("multi-file"), tracking={"input_id": "in-1"})
    body, _ = await cloned(run, managed_input_id="in-2")
    assert body["input_id"] == "in-2"
    assert body["configuration"]["format"] == formats("multi-file")


async def test_files_go_by_way_of_a_directory():
    run = information(format=formats("multi-file"))
    packed = archive(**{"a.txt": b"one", "deep/b.txt": b"two"})
    place = {"upload_id": "up-1", "upload_url": "https://f.example.org/u"}

    class Kept(ScriptedNextmv):
        async def send(self, request):
            if request.method == "PUT":
                content = await anyio.Path(request.body.file).read_bytes()
                self.packed = await anyio.to_thread.run_sync(members, content)
            return await super().send(request)

    nextmv = Kept(run, run, LINK, packed, place, None, MADE)
    await nextmv.application("routing").clone_run("run-1")
    assert nextmv.packed == {"a.txt": "one", "deep/b.txt": "two"}
    body = json.loads(nextmv.requests[-1].body)
    assert body["upload_id"] == "up-1"
    assert body["configuration"]["format"] == formats("multi-file")


async def test_a_run_without_names_and_instance():
    run = information(application_instance_id="") | {"name": "", "description": ""}
    body, nextmv = await cloned(run, run, {})
    assert (body["name"], body["description"]) == ("run-1 clone", "Clone of run-1")
    assert nextmv.calls[-1] == "POST "

    nextmv = ScriptedNextmv(run, run, {}, MADE)
    app = Application(nextmv, "routing", default_instance_id="usual")
    await app.clone_run("run-1")
    assert nextmv.calls[-1] == "POST ?instance_id=usual"


async def test_a_run_of_an_integration():
    run = information(
        execution_class="integration",
        integration={"id": "dbx", "provider": "p", "run_id": "7"},
    )
    body, _ = await cloned(run, run, {})
    assert body["configuration"]["integration_id"] == "dbx"
    nextmv = ScriptedNextmv(run)
    with pytest.raises(InvalidInput, match="execution class"):
        await nextmv.application("routing").clone_run(
            "run-1", configuration={"execution_class": "big"}
        )


async def test_long_names_are_cut():
    run = information() | {"name": "n" * 200, "description": "d" * 300}
    body, _ = await cloned(run, run, {})
    assert body["name"] == "n" * 122 + " clone"
    assert body["description"] == "Clone of " + "d" * 247


async def test_two_new_inputs_are_refused():
    nextmv = ScriptedNextmv(RICH)
    with pytest.raises(InvalidInput, match="only one can be used"):
        await nextmv.application("routing").clone_run(
            "run-1", input={"a": 1}, managed_input_id="in-1"
        )


async def test_a_clone_with_its_result():
    nextmv = ScriptedNextmv(
        RICH, MADE, information("run-2"), information("run-2") | {"output": {"v": 1}}
    )
    result = await nextmv.application("routing").clone_run_with_result(
        "run-1",
        input={},
        run_options={"threads": "8"},
        polling_options=PollingOptions(jitter=0),
    )
    assert result.output == {"v": 1}
    assert json.loads(nextmv.requests[1].body)["options"] == {"threads": "8"}


# -- comparisons -------------------------------------------------------------------


async def compared(*runs):
    nextmv = ScriptedNextmv(*runs)
    ids = [run["id"] for run in runs]
    return await nextmv.application("routing").compare_runs(ids)


async def test_runs_beside_each_other():
    found = await compared(
        information(
            metrics={"value": 1.1234561, "stops": 3, "path": [1]},
            options={"active_options": {"threads": "4"}},
            statistics={"a": {"b": 1}},
        ),
        information(
            "run-2",
            metrics={"metrics": {"value": 1.1234562, "stops": 4, "path": [2]}},
            options={"active_options": {"threads": "4"}},
            duration=9,
            integration={"id": "dbx", "provider": "p", "run_id": "7"},
            tracking={"cloned_run_id": "run-1"},
        ),
    )
    assert found.run_ids == ["run-1", "run-2"]
    assert found.information["id"] == ComparisonValues(
        True, {"run-1": "run-1", "run-2": "run-2"}
    )
    assert "console_url" not in found.information
    assert not found.information["name"].has_differences
    assert found.metadata["duration"].has_differences
    assert found.metadata["status"].values["run-1"] == "succeeded"
    assert found.metadata["content_format"].values["run-1"] == "json"
    assert found.metadata["run_type"].values["run-1"] == "standard"
    assert found.metadata["created_at"].values["run-1"] == "2026-05-04T21:00:00.120000Z"
    assert found.metadata["cloned_run_id"].values == {"run-2": "run-1"}
    assert found.metadata["provider"].values == {"run-2": "p"}
    assert not found.metrics["value"].has_differences  # in five digits
    assert found.metrics["stops"].has_differences
    assert found.metrics["path"].has_differences
    assert found.options["threads"] == ComparisonValues(
        False, {"run-1": "4", "run-2": "4"}
    )
    assert found.to_flat_dict()["metrics"]["stops"] == {"run-1": 3, "run-2": 4}


async def test_runs_without_metrics_and_options():
    found = await compared(information(), information("run-2"))
    assert found.metrics is None
    assert found.options is None
    assert set(found.to_flat_dict()) == {"run_ids", "information", "metadata"}


async def test_a_run_is_compared_once():
    nextmv = ScriptedNextmv()
    with pytest.raises(InvalidInput, match="once"):
        await nextmv.application("routing").compare_runs(iter(["run-1", "run-1"]))
    assert nextmv.calls == []


async def test_a_run_that_is_missing_is_named_by_its_error():
    nextmv = ScriptedNextmv(information(), NotFound("404", None, 404))
    with pytest.raises(NotFound):
        await nextmv.application("routing").compare_runs(["run-1", "run-2"])
