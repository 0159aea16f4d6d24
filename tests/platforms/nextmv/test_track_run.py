"""Runs from elsewhere on Nextmv (wire/nextmv.md 3.3.5, 4.3)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.platforms.nextmv.recording import RecordingNextmv, members

from aioruns.errors import InvalidInput, OutcomeUnknown
from aioruns.http.codec import encode
from aioruns.platforms.nextmv import (
    Asset,
    ExternalRunResult,
    Input,
    Output,
    Statistics,
    TrackedRun,
    TrackedRunStatus,
    Visual,
    VisualSchema,
    run_duration,
)
from aioruns.platforms.nextmv.models.outputs import RunStatistics

SUCCEEDED = TrackedRunStatus.SUCCEEDED
FAILED = TrackedRunStatus.FAILED
PUT = ["POST uploadurl", "PUT (pre-signed)"]


@pytest.fixture
def nextmv():
    return RecordingNextmv()


@pytest.fixture
def app(nextmv):
    return nextmv.application("routing")


def formats(given, output):
    return {"format": {"input": {"type": given}, "output": {"type": output}}}


async def test_everything_is_uploaded_in_order_and_named(nextmv, app):
    tracked = TrackedRun(
        FAILED,
        {"a": 1},
        {"b": 2},
        1250,
        "no route",
        ["one", "two"],
        "name",
        "description",
        statistics={"value": 1},
        metrics={"m": 2},
        assets=[{"name": "x"}],
    )

    assert await app.track_run(tracked, "staging") == "run-1"

    assert nextmv.calls == [*(6 * PUT), "POST runs"]
    assert nextmv.uploads == [
        b'{"a":1}',
        b'{"b":2}',
        b"one\ntwo",
        b'{"statistics":{"value":1}}',
        b'{"m":2}',
        b'{"assets":[{"name":"x"}]}',
    ]
    assert nextmv.requests[-1][0].query == (("instance_id", "staging"),)
    assert nextmv.run == {
        "upload_id": "up-1",
        "name": "name",
        "description": "description",
        "configuration": formats("json", "json"),
        "result": {
            "status": "failed",
            "error_message": "no route",
            "execution_duration": 1250,
            "output_upload_id": "up-2",
            "error_upload_id": "up-3",
            "statistics_upload_id": "up-4",
            "metrics_upload_id": "up-5",
            "assets_upload_id": "up-6",
        },
    }


async def test_a_literal_backslash_n_in_tracked_logs(nextmv, app):
    tracked = TrackedRun(SUCCEEDED, {}, logs=["one", "two", ""])
    assert tracked.logs_text() == "one\ntwo\n"
    await app.track_run(tracked)
    assert nextmv.uploads[1] == b"one\ntwo\n"
    assert b"\\n" not in nextmv.uploads[1]


async def test_what_is_empty_is_not_uploaded_except_assets(nextmv, app):
    tracked = TrackedRun(
        SUCCEEDED, {}, {}, 0, "", [], statistics={}, metrics={}, assets=[]
    )
    await app.track_run(tracked)
    assert nextmv.uploads == [b"{}", b'{"assets":[]}']
    assert nextmv.run["result"] == {
        "status": "succeeded",
        "execution_duration": 0,
        "assets_upload_id": "up-2",
    }


@pytest.mark.parametrize(
    ("given", "output", "uploads", "configuration"),
    [
        ({"a": 1}, {"b": 2}, [b'{"a":1}', b'{"b":2}'], formats("json", "json")),
        ([1], [2], [b"[1]", b"[2]"], formats("json", "json")),
        ("ü", "out", ["ü".encode(), b"out"], formats("text", "text")),
        ({}, None, [b"{}"], formats("json", "json")),
        (Input("in", "text"), {"b": 2}, [b"in", b'{"b":2}'], formats("text", "json")),
        (
            {},
            Output({"o": 1}, solution={"s": 1}, metrics={"m": 1}),
            [
                b"{}",
                b'{"options":{"o":1},"solution":{"s":1},"assets":[],"metrics":{"m":1}}',
            ],
            formats("json", "json"),
        ),
        (
            {},
            Output(output_format="csv-archive", csv_configurations={"c": 1}),
            [
                b"{}",
                (
                    b'{"options":{},"solution":{},"assets":[],"metrics":{},'
                    b'"csv_configurations":{"c":1}}'
                ),
            ],
            formats("json", "csv-archive"),
        ),
    ],
)
async def test_the_configuration_follows_from_the_data(
    nextmv, app, given, output, uploads, configuration
):
    await app.track_run(TrackedRun(SUCCEEDED, given, output))
    assert nextmv.uploads == uploads
    assert nextmv.run["configuration"] == configuration


async def test_a_configuration_that_is_given_is_used(nextmv, app):
    await app.track_run(TrackedRun(SUCCEEDED, "in"), configuration={"queuing": {}})
    assert nextmv.run["configuration"] == {"queuing": {}}


async def test_directories_are_tracked_as_archives(nextmv, app, tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    tracked = TrackedRun(
        SUCCEEDED,
        input_dir_path=str(tmp_path / "in"),
        output_dir_path=tmp_path / "out",
    )
    await app.track_run(tracked)
    assert [members(archive) for archive in nextmv.uploads] == [
        {"file": "in"},
        {"file": "out"},
    ]
    assert nextmv.run["configuration"] == formats("multi-file", "multi-file")


async def test_statistics_and_assets_are_wrapped_once(nextmv, app):
    asset = Asset("chart", content=[1], visual=Visual(VisualSchema.PLOTLY, "Chart"))
    tracked = TrackedRun(
        SUCCEEDED,
        {},
        statistics=Statistics(RunStatistics(2.5)),
        assets=[asset, {"name": "raw"}],
    )
    await app.track_run(tracked)
    assert [json.loads(one) for one in nextmv.uploads[1:]] == [
        {"statistics": {"run": {"duration": 2.5}, "schema": "v1"}},
        {
            "assets": [
                {
                    "name": "chart",
                    "content": [1],
                    "content_type": "json",
                    "visual": {
                        "schema": "plotly",
                        "label": "Chart",
                        "type": "custom-tab",
                    },
                },
                {"name": "raw"},
            ]
        },
    ]
    nextmv.requests.clear()
    wrapped = TrackedRun(
        SUCCEEDED, {}, statistics={"statistics": {"a": 1}}, assets={"assets": []}
    )
    await app.track_run(wrapped)
    assert nextmv.uploads[1:] == [b'{"statistics":{"a":1}}', b'{"assets":[]}']


@pytest.mark.parametrize(
    ("tracked", "configuration", "said"),
    [
        (TrackedRun(SUCCEEDED, output={"b": 2}), None, "needs its input"),
        (TrackedRun(SUCCEEDED), None, "needs its input"),
        (
            TrackedRun(SUCCEEDED, {}, input_dir_path=""),
            {"queuing": {"priority": 0}},
            "9",
        ),
        (TrackedRun(SUCCEEDED, {}, metrics=[1]), None, "metrics"),
        (TrackedRun(SUCCEEDED, {}, statistics=[1]), None, "statistics"),
        (TrackedRun(SUCCEEDED, {}, statistics={"a": {1}}), None, "JSON"),
        (TrackedRun(SUCCEEDED, {}, assets="x"), None, "assets"),
        (TrackedRun(SUCCEEDED, {}, assets=["x"]), None, "an asset"),
        (TrackedRun(SUCCEEDED, {}, name=5), None, "name"),
        (TrackedRun(SUCCEEDED, {}, output_dir_path="/not/there"), None, "/not/there"),
        (TrackedRun(SUCCEEDED, input_dir_path="/not/there"), None, "/not/there"),
    ],
)
async def test_nothing_is_uploaded_before_all_of_it_was_checked(
    nextmv, app, tracked, configuration, said
):
    with pytest.raises(InvalidInput, match=said):
        await app.track_run(tracked, configuration=configuration)
    assert nextmv.calls == []


async def test_odd_logs_are_a_type_error_and_nothing_is_uploaded(nextmv, app):
    tracked = TrackedRun(SUCCEEDED, {}, logs={"a": 1})
    with pytest.raises(TypeError, match="logs"):
        tracked.logs_text()
    with pytest.raises(TypeError, match="logs"):
        await app.track_run(tracked)
    assert nextmv.calls == []


async def test_an_upload_in_doubt_is_no_run_in_doubt(nextmv, app):
    nextmv.answers["put"] = OutcomeUnknown("no answer")
    with pytest.raises(OutcomeUnknown) as caught:
        await app.track_run(TrackedRun(SUCCEEDED, {}))
    assert not caught.value.maybe_acted
    nextmv.answers = {"runs": OutcomeUnknown("no answer")}
    with pytest.raises(OutcomeUnknown) as caught:
        await app.track_run(TrackedRun(SUCCEEDED, {}))
    assert caught.value.maybe_acted


# -- models ------------------------------------------------------------------------


def test_files_dropped_when_input_and_directory_are_both_given():
    for arguments in (
        {"input": {}, "input_dir_path": "in"},
        {"output": {}, "output_dir_path": "out"},
    ):
        with pytest.raises(InvalidInput, match="only one can be sent"):
            TrackedRun(SUCCEEDED, **arguments)


def test_the_older_order_of_a_tracked_run():
    older = TrackedRun({"a": 1}, "out", FAILED, 12, "error", ["log"])
    assert older == TrackedRun(FAILED, {"a": 1}, "out", 12, "error", ["log"])
    assert TrackedRun("failed", {"a": 1}).status is FAILED


@pytest.mark.parametrize(
    "arguments",
    [
        {"status": "lost"},
        {"status": None},
        {"status": SUCCEEDED, "error": "but"},
        {"status": SUCCEEDED, "input": {"a": {1}}},
        {"status": SUCCEEDED, "output": {"a": object()}},
        {"status": SUCCEEDED, "output": Output(solution={1})},
        {"status": SUCCEEDED, "input": {"a": float("nan")}},
    ],
)
def test_a_tracked_run_that_cannot_be_right(arguments):
    with pytest.raises(InvalidInput):
        TrackedRun(**arguments)


def test_a_tracked_run_shows_no_data():
    shown = repr(TrackedRun(FAILED, {"secret": 1}, {"secret": 2}, logs=["secret"]))
    assert "secret" not in shown


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExternalRunResult(status="lost"),
        lambda: Asset("a", content_type="html"),
        lambda: Output(metrics=[1]),
        lambda: Output(statistics=5),
        lambda: Output(assets={"a": 1}),
        lambda: Output(assets=["a"]),
        lambda: Input({}, "zip"),
        lambda: Input({}, "text"),
        lambda: Input("text", "csv-archive"),
        lambda: Input([], "multi-file"),
        lambda: Input({1, 2}),
    ],
)
def test_values_that_cannot_be_right(make):
    with pytest.raises(InvalidInput):
        make()


def test_an_external_result_as_json():
    result = ExternalRunResult("o", "e", "succeeded", "", 5, "s", "m", "a")
    assert json.loads(encode(result)) == {
        "output_upload_id": "o",
        "error_upload_id": "e",
        "status": "succeeded",
        "error_message": "",
        "execution_duration": 5,
        "statistics_upload_id": "s",
        "metrics_upload_id": "m",
        "assets_upload_id": "a",
    }
    assert encode(ExternalRunResult()) == b"{}"


# -- durations ---------------------------------------------------------------------

NOON = datetime(2023, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "milliseconds"),
    [
        (NOON, NOON + timedelta(seconds=1), 1000),
        (datetime(2023, 1, 1), datetime(2023, 1, 1), 0),  # noqa: DTZ001 - as documented
        (NOON, NOON + timedelta(milliseconds=0.5), 0),
        (NOON, NOON + timedelta(milliseconds=1.5), 2),
        (1672574400.0, 1672574401.0, 1000),
        (0.0, 1.0005, 1000),
        (0.0, 0.0, 0),
    ],
)
def test_the_duration_of_a_run(start, end, milliseconds):
    duration = run_duration(start, end)
    assert duration == milliseconds
    assert type(duration) is int


@pytest.mark.parametrize(("start", "end"), [(1.0, 0.5), (NOON, NOON - timedelta(1))])
def test_a_run_cannot_end_before_it_starts(start, end):
    with pytest.raises(ValueError, match="before it starts"):
        run_duration(start, end)


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 1), (0.0, 1), (NOON, 1.0), (1.0, NOON), ("0", "1"), (None, None)],
)
def test_only_two_datetimes_or_two_floats_have_a_duration(start, end):
    with pytest.raises(TypeError, match="both be datetimes or both floats"):
        run_duration(start, end)
