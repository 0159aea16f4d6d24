"""Reading Nextmv runs: states, inputs, outputs, results (wire/nextmv.md 3.3)."""

import json
from datetime import UTC, datetime

import pytest
from tests.platforms.nextmv.scripted import (
    METADATA,
    MISSING,
    ScriptedNextmv,
    archive,
    formats,
    information,
)

from aioruns.errors import InvalidInput, NotFound, ServerFailure, Unreadable
from aioruns.platforms.nextmv import (
    OptionSummary,
    PollingOptions,
    RunTypeConfiguration,
    StatusV2,
)

LARGE = 5 * 1024 * 1024 + 1
FILES = formats("multi-file")
LINK = {"url": "https://files.example.org/1?sig=1"}
QUICK = PollingOptions(initial_delay=0, delay=0, backoff=0, jitter=0)
ERROR_LOG = {"error": "exit 1", "stdout": "", "stderr": "Traceback"}


def scripted(*answers):
    nextmv = ScriptedNextmv(*answers)
    return nextmv, nextmv.application("routing")


# -- information -------------------------------------------------------------------


async def test_information_has_every_documented_field():
    nextmv, app = scripted(
        information(
            initiated_at="2026-05-04T21:00:02.007Z",
            execution_duration=1001,
            options={
                "active_options": {"threads": "4"},
                "options_summary": [{"name": "threads", "value": "4", "source": "run"}],
                "request_options": None,
            },
            integration={"id": "dbx", "provider": "p", "run_id": "7", "details": [1]},
            tracking={"cloned_run_id": "run-0"},
            metrics={"value": 1.5},
            status="succeeded",
            unheard="of",
        )
        | {"console_url": "https://elsewhere.example.org"}
    )
    run = await app.run_information("run-1")
    assert (run.id, run.name, run.description) == ("run-1", "night", "by night")
    assert run.console_url == (
        "https://cloud.nextmv.io/app/routing/run/run-1?view=details"
    )
    metadata = run.metadata
    assert metadata.status_v2 is StatusV2.succeeded
    assert metadata.created_at == datetime(2026, 5, 4, 21, 0, 0, 120_000, UTC)
    assert metadata.duration == 1234.5
    assert metadata.options.options_summary == [OptionSummary("threads", "4", "run")]
    assert metadata.integration.integration_id == "dbx"
    assert metadata.tracking.cloned_run_id == "run-0"
    assert metadata.run_type == RunTypeConfiguration("standard", "", "")
    assert metadata.raw["unheard"] == "of"
    assert nextmv.calls == ["GET /run-1/metadata"]


@pytest.mark.parametrize("absent", [None, "missing"])
async def test_information_does_without_what_may_be_absent(absent):
    body = information()
    body["metadata"] = {"status_v2": "queued"} | (
        {} if absent else dict.fromkeys(METADATA.keys() - {"status_v2"})
    )
    _, app = scripted(body)
    metadata = (await app.run_metadata("run-1")).metadata
    assert metadata.output_format == metadata.content_format == "json"
    assert not metadata.run_is_finalized()


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("none", False),
        ("queued", False),
        ("running", False),
        ("succeeded", True),
        ("failed", True),
        ("canceled", True),
        ("paused", False),
    ],
)
async def test_which_states_are_final(status, final):
    _, app = scripted(information(status_v2=status))
    metadata = (await app.run_information("run-1")).metadata
    assert metadata.status_v2 == status
    assert metadata.run_is_finalized() is final


async def test_ids_that_change_the_request():
    for run_id, quoted in (("a/b", "a%2Fb"), ("a?b=c", "a%3Fb%3Dc"), ("r#1", "r%231")):
        nextmv, app = scripted(information())
        await app.run_information(run_id)
        assert nextmv.calls == [f"GET /{quoted}/metadata"]
    for run_id in ("", ".", ".."):
        nextmv, app = scripted()
        with pytest.raises(InvalidInput):
            await app.delete_run(run_id)
        assert nextmv.calls == []


# -- inputs and outputs ------------------------------------------------------------


async def test_an_input_that_is_text_stays_text():
    nextmv, app = scripted(information(format=formats("text", "json")), "stops: 3")
    # The scripted answer is JSON, so the text is that of a JSON string.
    assert await app.run_input("run-1") == '"stops: 3"'
    assert nextmv.calls == ["GET /run-1/metadata", "GET /run-1/input"]


async def test_files_are_unpacked_where_they_are_wanted(tmp_path):
    packed = archive(**{"a.txt": b"one", "deep/b.txt": b"two"})
    nextmv, app = scripted(information(format=FILES), LINK, packed)
    seen = []
    place = tmp_path / "new" / "place"
    progress = lambda *counts: seen.append(counts)  # noqa: E731 - two words
    assert await app.run_input("run-1", place, progress) is None
    assert (place / "a.txt").read_bytes() == b"one"
    assert (place / "deep" / "b.txt").read_bytes() == b"two"
    assert seen == [(len(packed), len(packed))]
    assert nextmv.calls == [
        "GET /run-1/metadata",
        "GET /run-1/input?format=url",
        "GET (pre-signed)",
    ]


async def test_files_go_to_the_current_directory_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, app = scripted(information(format=FILES), LINK, archive(**{"a.txt": b"one"}))
    await app.run_output("run-1")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


async def test_files_without_a_place_are_refused_before_they_are_asked_for():
    nextmv, app = scripted(information(format=FILES))
    with pytest.raises(InvalidInput, match="output of run run-1 is files"):
        await app.run_output("run-1", output_dir_path=None)
    assert nextmv.calls == ["GET /run-1/metadata"]


async def test_an_output_that_is_text_is_text():
    _, app = scripted(information(format=formats("json", "text")), LINK, b"caf\xc3\xa9")
    assert await app.run_output("run-1") == "café"


# -- results -----------------------------------------------------------------------


async def test_a_result_that_is_small_json():
    nextmv, app = scripted(information(), information() | {"output": {"value": 1}})
    result = await app.run_result("run-1")
    assert result.output == {"value": 1}
    assert result.console_url.endswith("/run-1?view=details")
    assert nextmv.calls == ["GET /run-1/metadata", "GET /run-1"]


@pytest.mark.parametrize(("size", "by_url"), [(LARGE - 1, False), (LARGE, True)])
async def test_json_over_five_mebibytes_is_downloaded(size, by_url):
    small = [information(output_size=size) | {"output": {"value": 1}}]
    large = [
        information(output_size=size) | {"output": LINK},
        information(output_size=size),
        LINK,
        json.dumps({"value": 1}).encode(),
    ]
    nextmv, app = scripted(information(output_size=size), *(large if by_url else small))
    assert (await app.run_result("run-1")).output == {"value": 1}
    assert len(nextmv.calls) == (5 if by_url else 2)


@pytest.mark.parametrize("status", ["failed", "canceled"])
async def test_a_failed_run_whose_error_log_is_lost(status):
    # Its output is asked for, as there may be one, and is missed by nobody.
    state = information(status_v2=status, format=FILES, error="exit 1")
    nextmv, app = scripted(state, state | {"error_log": ERROR_LOG}, state, MISSING)
    result = await app.run_result("run-1")
    assert result.error_log.stderr == "Traceback"
    assert result.metadata.error == "exit 1"
    assert result.output is None
    assert not nextmv.answers


async def test_a_failed_run_of_an_ensemble_keeps_its_error_log():
    state = information(status_v2="failed", run_type={"type": "ensemble"})
    _, app = scripted(state, state | {"error_log": ERROR_LOG}, MISSING)
    assert (await app.run_result("run-1")).error_log.error == "exit 1"


async def test_the_files_of_a_failed_run_are_unpacked_if_it_has_some(tmp_path):
    state = information(status_v2="failed", format=FILES)
    answer = state | {"error_log": ERROR_LOG}
    _, app = scripted(state, answer, state, LINK, archive(**{"a.txt": b"one"}))
    result = await app.run_result("run-1", tmp_path)
    assert result.error_log.error == "exit 1"
    assert (tmp_path / "a.txt").exists()


async def test_a_run_that_succeeded_must_have_its_output():
    state = information(format=FILES)
    _, app = scripted(state, state, state, MISSING)
    with pytest.raises(NotFound):
        await app.run_result("run-1")


async def test_other_errors_than_a_missing_output_are_raised():
    state = information(status_v2="failed", format=FILES)
    _, app = scripted(state, state, state, ServerFailure("500", None, 500))
    with pytest.raises(ServerFailure):
        await app.run_result("run-1")


async def test_the_members_of_an_ensemble_come_with_its_result():
    state = information(run_type={"type": "ensemble", "definition_id": "duo"})
    nextmv, app = scripted(state, state, {"winner": "g1"})
    assert (await app.run_result("run-1")).ensemble == {"winner": "g1"}
    assert nextmv.calls[-1] == "GET /run-1/ensemble"


async def test_an_output_is_not_in_the_repr_of_its_result():
    _, app = scripted(information(), information() | {"output": {"url": "sig=7"}})
    assert "sig=7" not in repr(await app.run_result("run-1"))


# -- polling -----------------------------------------------------------------------


async def test_polling_reads_the_state_until_the_end_and_then_the_result_once():
    states = [information(status_v2=status) for status in ("queued", "running")]
    nextmv, app = scripted(*states, information(), information() | {"output": {}})
    await app.run_result_with_polling("run-1", PollingOptions(jitter=0))
    assert nextmv.calls == [*["GET /run-1/metadata"] * 3, "GET /run-1"]
    assert nextmv.pauses == [1.9, 3.7, 0]


async def test_a_new_run_may_be_invisible_for_a_moment():
    nextmv, app = scripted(
        {"run_id": "run-1"}, MISSING, MISSING, information(), information()
    )
    result = await app.new_run_with_result(
        {"stops": []}, run_options={"seed": 1}, polling_options=PollingOptions(jitter=0)
    )
    assert result.id == "run-1"
    assert json.loads(nextmv.requests[0].body)["options"] == {"seed": "1"}


async def test_a_new_run_that_stays_invisible_is_missing():
    _, app = scripted({"run_id": "run-1"}, *[MISSING] * 20)
    with pytest.raises(NotFound):
        await app.new_run_with_result({}, polling_options=PollingOptions(jitter=0))


async def test_an_older_run_that_is_missing_is_missing_at_once():
    nextmv, app = scripted(MISSING)
    with pytest.raises(NotFound):
        await app.run_result_with_polling("run-1", QUICK)
    assert len(nextmv.calls) == 1


# -- lists and control -------------------------------------------------------------


def row(run_id, status="running"):
    return {
        "id": run_id,
        "status_v2": status,
        "created_at": "2026-05-04T21:00:00Z",
        "run_type": {"type": ""},
        "metrics": {"status": "success", "indicators": [{"name": "v", "value": 1}]},
    }


async def test_runs_are_listed_page_by_page_and_filtered_here():
    nextmv, app = scripted(
        {"runs": [row("r1"), row("r2", "queued")], "next_page_token": "t/1"},
        {"runs": None, "next_page_token": "t2"},
        {"runs": [row("r3", "paused")], "next_page_token": ""},
    )
    runs = await app.list_runs()
    assert [(run.id, run.status_v2) for run in runs] == [
        ("r1", StatusV2.running),
        ("r2", StatusV2.queued),
        ("r3", "paused"),
    ]
    assert runs[0].run_type.run_type is None
    assert runs[0].metrics.indicators[0].value == 1
    assert nextmv.calls == [
        "GET ?pagereturn=true",
        "GET ?pagereturn=true&pagetoken=t/1",
        "GET ?pagereturn=true&pagetoken=t2",
    ]
    _, app = scripted({"runs": [row("r1"), row("r2", "queued")]})
    assert [run.id for run in await app.list_runs(StatusV2.queued)] == ["r2"]


async def test_the_older_form_of_lists():
    nextmv, app = scripted({"runs": [row("r1")], "next_page_token": "not followed"})
    assert len(await app.list_runs(no_pagination=True)) == 1
    assert nextmv.calls == ["GET "]


@pytest.mark.parametrize("page", [[1, 2], {"runs": 7}, {"runs": [{}]}, "text"])
async def test_an_odd_list_is_unreadable(page):
    _, app = scripted(page)
    with pytest.raises(Unreadable, match="list of runs"):
        await app.list_runs()


async def test_control():
    nextmv, app = scripted(None, None, {"log": "a\nb"})
    await app.cancel_run("run-1")
    await app.delete_run("run-1")
    assert (await app.run_logs("run-1")).log == "a\nb"
    assert nextmv.calls == ["PATCH /run-1/cancel", "DELETE /run-1", "GET /run-1/logs"]
    assert nextmv.requests[0].repeatable
