"""Submitting to Nextmv: what is sent for each kind of input (wire/nextmv.md 3.3.1)."""

import json
import tarfile
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.platforms.nextmv.recording import RecordingNextmv, members

from aioruns.errors import InvalidInput, OutcomeUnknown, ServerFailure
from aioruns.platforms.nextmv import (
    ContentFormat,
    ExternalRunResult,
    Format,
    FormatInput,
    FormatOutput,
    Input,
    InputFormat,
    ManagedInput,
    RunConfiguration,
    RunQueuing,
    RunType,
    RunTypeConfiguration,
)
from aioruns.platforms.nextmv.jsontext import LARGE, counted

INLINE = ["POST runs"]
UPLOADED = ["POST uploadurl", "PUT (pre-signed)", "POST runs"]


@pytest.fixture
def nextmv():
    return RecordingNextmv()


@pytest.fixture
def app(nextmv):
    return nextmv.application("routing")


@pytest.fixture
def directory(tmp_path):
    place = tmp_path / "files"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "empty").mkdir()
    (place / "stops.csv").write_text("id\n1\n")
    (place / ".hidden").write_text("seen")
    (place / "deep" / "er" / "notes.txt").write_text("ünïcode")
    (place / "deep" / "inputs.tar.gz").write_text("left out")
    return place


def formats(given, output):
    return {"format": {"input": {"type": given}, "output": {"type": output}}}


JSON = formats("json", "json")
FILES = formats("multi-file", "multi-file")


# -- kinds of inputs ---------------------------------------------------------------


async def test_a_run_goes_as_it_is_given_and_gives_its_id(nextmv, app):
    run_id = await app.new_run(
        {"stops": []},
        "staging",
        "night-042",
        "with ünïcode",
        options={"seed": 1},
        batch_experiment_id="nightly",
    )

    assert run_id == "run-1"
    assert nextmv.calls == INLINE
    assert nextmv.requests[0][0].query == (("instance_id", "staging"),)
    # The description is the caller's own: no submission key is added to it.
    assert nextmv.run == {
        "input": {"stops": []},
        "name": "night-042",
        "description": "with ünïcode",
        "options": {"seed": "1"},
        "configuration": JSON,
        "batch_experiment_id": "nightly",
    }


@pytest.mark.parametrize("given", [None, {"a": [1]}, [{"a": 1}], []])
async def test_json_goes_with_the_request(nextmv, app, given):
    await app.new_run(given)
    assert nextmv.calls == INLINE
    assert nextmv.run == {"input": given, "configuration": JSON}


async def test_text_is_uploaded_as_it_is(nextmv, app):
    await app.new_run("id,x\ns1,ü\n")
    assert nextmv.calls == UPLOADED
    assert nextmv.uploads == ["id,x\ns1,ü\n".encode()]
    assert nextmv.run == {"configuration": formats("text", "json"), "upload_id": "up-1"}
    # wire/nextmv.md 1.2: neither key nor content type goes to a pre-signed address.
    assert nextmv.requests[1][0].content_type is None


@pytest.mark.parametrize(
    ("given", "uploaded", "output"),
    [
        (Input({"a": 1}), None, "json"),
        (Input([1, 2], ContentFormat.JSON), None, "json"),
        (Input("text as JSON"), None, "json"),
        (Input("plain", InputFormat.TEXT), b"plain", "json"),
        (Input({"a": []}, InputFormat.CSV_ARCHIVE), b'{"a":[]}', "csv-archive"),
        (Input({"a": "b"}, ContentFormat.MULTI_FILE), b'{"a":"b"}', "multi-file"),
    ],
)
async def test_an_input_goes_in_its_format(nextmv, app, given, uploaded, output):
    await app.new_run(given)
    configuration = formats(str(given.input_format), output)
    if uploaded is None:
        assert nextmv.run == {"input": given.data, "configuration": configuration}
    else:
        assert nextmv.uploads == [uploaded]
        assert nextmv.run == {"configuration": configuration, "upload_id": "up-1"}


async def test_an_object_that_writes_itself_is_json(nextmv, app):
    class Model:
        def to_dict(self):
            return {"a": 1}

    await app.new_run(Model())
    assert nextmv.run["input"] == {"a": 1}
    await app.new_run(Format(FormatInput("text")))
    assert nextmv.run["input"] == {"input": {"type": "text"}}


async def test_a_list_is_not_silently_dropped(nextmv, app):
    await app.new_run([1, 2])
    assert nextmv.run["input"] == [1, 2]


@pytest.mark.parametrize("given", [5, {1}, b"bytes", object()])
async def test_what_cannot_be_sent_is_not_silently_dropped(nextmv, app, given):
    with pytest.raises(InvalidInput, match=f"not {type(given).__name__}"):
        await app.new_run(given)
    assert nextmv.calls == []


@pytest.mark.parametrize(
    "call",
    [
        lambda app, place: app.new_run(input_dir_path=place),
        lambda app, place: app.new_run(input_dir_path=str(place)),
        lambda app, place: app.new_run(place),
    ],
)
async def test_a_directory_is_packed_and_leaves_nothing_behind(
    nextmv, app, directory, call, tmp_path, monkeypatch
):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    await call(app, directory)

    assert nextmv.calls == UPLOADED
    (archive,) = nextmv.uploads
    assert members(archive) == {
        ".hidden": "seen",
        "deep/er/notes.txt": "ünïcode",
        "stops.csv": "id\n1\n",
    }
    assert nextmv.run == {"configuration": FILES, "upload_id": "up-1"}
    assert list((tmp_path / "temporary").iterdir()) == []


async def test_links_are_packed_as_links_and_never_followed(
    nextmv, app, directory, tmp_path
):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (directory / "link").symlink_to("stops.csv")
    (directory / "out").symlink_to(tmp_path / "outside" / "secret")
    (directory / "all").symlink_to(tmp_path / "outside")

    await app.new_run(input_dir_path=directory)

    found = members(nextmv.uploads[0])
    assert found["link"] == "stops.csv"
    assert found["out"] == str(tmp_path / "outside" / "secret")
    assert "all" not in found
    assert "secret" not in found.values()


async def test_an_archive_does_not_tell_who_made_it(nextmv, app, directory):
    await app.new_run(input_dir_path=directory)
    (archive,) = nextmv.uploads
    place = directory.parent / "archive.tar.gz"
    place.write_bytes(archive)
    with tarfile.open(place) as opened:
        assert {(one.uid, one.gid, one.uname, one.gname) for one in opened} == {
            (0, 0, "", "")
        }


@pytest.mark.parametrize(
    ("name", "given", "output"),
    [
        ("in.json", "json", "json"),
        ("in.csv", "text", "json"),
        ("in.tar.gz", "multi-file", "multi-file"),
    ],
)
async def test_a_file_is_streamed_in_the_format_of_its_name(
    nextmv, app, tmp_path, name, given, output
):
    (tmp_path / name).write_bytes(b"content")
    await app.new_run(tmp_path / name)
    assert nextmv.calls == UPLOADED
    assert nextmv.uploads == [b"content"]
    assert nextmv.run == {"configuration": formats(given, output), "upload_id": "up-1"}


async def test_a_path_in_text_is_text(nextmv, app, tmp_path):
    await app.new_run(str(tmp_path))
    assert nextmv.uploads == [str(tmp_path).encode()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"input": Path("/nowhere/at/all")}, "/nowhere/at/all"),
        ({"input_dir_path": "/nowhere/at/all"}, "/nowhere/at/all"),
        ({"input_dir_path": __file__}, "no directory"),
        ({"input": Path("/dev/null")}, "no file"),
    ],
)
async def test_a_path_that_cannot_be_read_sends_nothing(nextmv, app, arguments, said):
    with pytest.raises(InvalidInput, match=said):
        await app.new_run(**arguments)
    assert nextmv.calls == []


async def test_an_upload_is_named_and_the_input_only_tells_the_format(nextmv, app):
    await app.new_run(upload_id="up-9")
    assert nextmv.run == {"upload_id": "up-9", "configuration": JSON}
    await app.new_run("text", upload_id="up-9")
    assert nextmv.run == {"upload_id": "up-9", "configuration": formats("text", "json")}
    assert nextmv.calls == INLINE * 2


@pytest.mark.parametrize(
    ("answer", "configuration"),
    [
        ({"id": "in-1"}, JSON),
        ({"id": "in-1", "format": None}, JSON),
        ({"id": "in-1", "format": FILES["format"]}, FILES),
        (
            {"id": "in-1", "format": {"input": {"type": "text"}}},
            {"format": {"input": {"type": "text"}}},
        ),
    ],
)
async def test_a_managed_input_is_read_for_its_format(
    app, nextmv, answer, configuration
):
    nextmv.answers["in-1"] = answer
    await app.new_run(managed_input_id="in-1")
    assert nextmv.calls == ["GET in-1", "POST runs"]
    assert nextmv.run == {"input_id": "in-1", "configuration": configuration}


async def test_a_managed_input_that_is_here_needs_no_reading(app, nextmv):
    await app.new_run(managed_input_id="in-1", configuration=RunConfiguration())
    assert nextmv.run == {"input_id": "in-1", "configuration": {}}
    await app.new_run(ManagedInput("in-1"))
    assert nextmv.run == {"input_id": "in-1", "configuration": JSON}
    form = Format(FormatInput("multi-file"), FormatOutput("multi-file"))
    await app.new_run(ManagedInput("in-1", format=form))
    assert nextmv.run == {"input_id": "in-1", "configuration": FILES}
    assert nextmv.calls == INLINE * 3


async def test_files_dropped_when_input_and_directory_are_both_given(
    nextmv, app, directory
):
    for arguments in (
        {"input": {"a": 1}, "input_dir_path": directory},
        {"input": {}, "input_dir_path": directory},
        {"input": directory, "input_dir_path": directory},
        {"upload_id": "up-1", "input_dir_path": directory},
        {"upload_id": "up-1", "input": directory},
        {"managed_input_id": "in-1", "input_dir_path": directory},
        {"managed_input_id": "in-1", "input": {"a": 1}},
        {"managed_input_id": "in-1", "upload_id": "up-1"},
        {"managed_input_id": "in-1", "upload_id": "up-1", "input": {"a": 1}},
        {"input": ManagedInput("in-1"), "upload_id": "up-1"},
    ):
        with pytest.raises(InvalidInput, match="only one can be used"):
            await app.new_run(**arguments)
        with pytest.raises(InvalidInput, match="only one can be used"):
            app.spec(**arguments)
    assert nextmv.calls == []


# -- sizes -------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "calls"), [(0, INLINE), (1, UPLOADED)])
async def test_five_mebibytes_exactly_still_go_inline(nextmv, app, more, calls):
    given = {"text": "x" * (LARGE - len('{"text":""}') + more)}
    await app.new_run(given, name="what else is sent does not count")
    assert nextmv.calls == calls


async def test_what_goes_by_url_goes_whole(nextmv, app):
    given = {"text": "x" * LARGE}
    await app.new_run(given, json_configurations={"indent": 1})
    assert json.loads(nextmv.uploads[0]) == given
    assert nextmv.run == {"configuration": JSON, "upload_id": "up-1"}


@pytest.mark.parametrize(
    "text", ["", "plain", "é", "€ü", "😀", '"\\\n\t\u2028', "a😀é" * 9]
)
def test_sizes_are_counted_as_if_escaped(text):
    # wire/nextmv.md 1.6, 1.10
    ours = json.dumps(text, ensure_ascii=False).encode()
    assert counted(ours) == len(json.dumps(text))


# -- options and configuration -----------------------------------------------------


async def test_the_options_of_an_input_count_where_none_are_given(nextmv, app):
    given = Input({"a": 1}, options={"seed": 7})
    await app.new_run(given)
    assert nextmv.run["options"] == {"seed": "7"}
    await app.new_run(given, options={"other": True})
    assert nextmv.run["options"] == {"other": "true"}
    await app.new_run(given, options={})
    assert "options" not in nextmv.run


async def test_options_that_write_themselves(nextmv, app):
    class Options:
        def to_dict_cloud(self):
            return {"seed": "7"}

    await app.new_run({}, options=Options())
    assert nextmv.run["options"] == {"seed": "7"}


async def test_json_configurations_are_used_and_never_changed(nextmv, app):
    configurations = {"sort_keys": True}
    await app.new_run(
        {"b": 1, "a": datetime(2026, 1, 2, tzinfo=UTC), "c": date(2026, 1, 2)},
        options={"o": {"b": 1, "a": 2}},
        json_configurations=configurations,
    )
    assert configurations == {"sort_keys": True}
    text = nextmv.requests[0][1].decode()
    assert '"input":{"a":"2026-01-02T00:00:00+00:00","b":1,"c":"2026-01-02"}' in text
    assert nextmv.run["options"] == {"o": '{"a":2,"b":1}'}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {}),
        (RunConfiguration(), {}),
        (
            RunConfiguration(
                "big",
                Format(FormatInput(InputFormat.JSON)),
                RunTypeConfiguration(RunType.STANDARD, "", ""),
                "keys",
                RunQueuing(9, disabled=False),
            ),
            {
                "execution_class": "big",
                "format": {"input": {"type": "json"}},
                "run_type": {
                    "type": "standard",
                    "definition_id": "",
                    "reference_id": "",
                },
                "secrets_collection_id": "keys",
                "queuing": {"priority": 9, "disabled": False},
            },
        ),
        (
            RunConfiguration(integration_id="spark"),
            {"execution_class": "integration", "integration_id": "spark"},
        ),
        (
            {"integration_id": "spark", "execution_class": None},
            {"execution_class": "integration", "integration_id": "spark"},
        ),
        (
            {
                "format": {
                    "format_input": {"input_type": "text"},
                    "format_output": {"output_type": "json"},
                },
                "run_type": {"run_type": "standard"},
            },
            formats("text", "json") | {"run_type": {"type": "standard"}},
        ),
        ({"format": Format()}, {"format": {"input": {"type": "json"}}}),
        # What a newer platform may know is kept.
        ({"unheard": 1, "format": {"zip": 2}}, {"unheard": 1, "format": {"zip": 2}}),
    ],
)
async def test_a_configuration_is_used_as_it_is(nextmv, app, given, sent):
    await app.new_run("text", configuration=given)
    assert nextmv.run["configuration"] == sent


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"queuing": {"priority": 10}}, "from 1 to 9"),
        ({"queuing": {"disabled": "yes"}}, "disabled"),
        ({"integration_id": "i", "execution_class": "big"}, "execution_class"),
        ({"format": "json"}, "format"),
        ("json", "must be a mapping"),
    ],
)
async def test_a_configuration_that_cannot_be_right(nextmv, app, given, said):
    with pytest.raises(InvalidInput, match=said):
        await app.new_run({}, configuration=given)
    assert nextmv.calls == []


async def test_an_ensemble_takes_no_instance(nextmv, app):
    kind = {"run_type": {"type": "ensemble", "definition_id": "duo"}}
    await app.new_run({}, "staging", configuration=kind)
    assert nextmv.requests[-1][0].query == ()
    await app.new_run({}, "staging", configuration={"run_type": {"type": "ensemble"}})
    assert nextmv.requests[-1][0].query == (("instance_id", "staging"),)


async def test_the_default_instance_counts_where_none_is_given(nextmv, app):
    app.runs.default_instance_id = "main"
    for instance_id, used in ((None, "main"), ("", "main"), ("staging", "staging")):
        await app.new_run({}, instance_id)
        assert nextmv.requests[-1][0].query == (("instance_id", used),)
    assert app.spec({}).payload["instance_id"] == "main"


@pytest.mark.parametrize(
    "result",
    [
        ExternalRunResult("up-2", status="failed", error_message="no route"),
        {
            "output_upload_id": "up-2",
            "status": "failed",
            "error_message": "no route",
        },
    ],
)
async def test_an_external_result_goes_as_result(nextmv, app, result):
    await app.new_run(upload_id="up-1", external_result=result)
    assert nextmv.run["result"] == {
        "output_upload_id": "up-2",
        "status": "failed",
        "error_message": "no route",
    }


# -- failures ----------------------------------------------------------------------


async def test_new_run_is_sent_once_and_an_open_outcome_is_said(nextmv, app):
    for error in (OutcomeUnknown("no answer"), ServerFailure("503", status=503)):
        nextmv.answers["runs"] = error
        nextmv.requests.clear()
        with pytest.raises(type(error)) as caught:
            await app.new_run({})
        assert caught.value.maybe_acted
        assert nextmv.calls == INLINE


@pytest.mark.parametrize("place", ["uploadurl", "put"])
async def test_an_upload_in_doubt_is_no_run_in_doubt(nextmv, app, place):
    nextmv.answers[place] = OutcomeUnknown("no answer")
    with pytest.raises(OutcomeUnknown) as caught:
        await app.new_run("text")
    assert not caught.value.maybe_acted
    assert "POST runs" not in nextmv.calls


# -- specs -------------------------------------------------------------------------


def test_a_spec_of_files_is_a_value_that_names_them(app, directory):
    spec = app.spec(input_dir_path=directory, key="k")
    assert spec == app.spec(input_dir_path=str(directory), key="k")
    assert spec.payload == {
        "body": {"configuration": FILES},
        "instance_id": None,
        "directory": str(directory),
    }
    assert json.loads(json.dumps(spec.payload)) == spec.payload


async def test_submit_takes_every_input_and_adds_its_key(nextmv, app, directory):
    for given in ({"input_dir_path": directory}, {"input": directory / "stops.csv"}):
        run = await app.submit(**given, description="mine", key="k-1")
        assert run.id == "run-1"
        assert nextmv.run["description"] == "mine [k-1]"
        assert nextmv.run["upload_id"]
