"""Experiments of the official Nextmv client, unchanged, against the local server."""

import json

import pytest
from tests.peers.running import drive

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]


async def cost(job):
    """Costs are the input's value times the option `factor`."""
    value = json.loads(job.stdin)["value"] * float(job.env.get("factor", "1"))
    return {"metrics": {"value": value}, "statistics": {"result": {"value": value}}}


async def test_official_client_sees_experiments_as_the_engine_knows_them(server):
    server.nextmv.register("routing", cost)

    seen = await drive("drive_nextmv_experiments.py", server.url, server.token)

    check_batches(seen, server.engine)
    check_scenarios(seen, server.engine)
    check_acceptances(seen, server.engine)
    check_online(seen, server.engine)


def check_batches(seen, engine):
    assert len(seen["inputs"]) == 3
    batch = seen["batch"]
    assert (batch["id"], batch["status"]) == ("nightly", "completed")
    assert batch["counts"] == [4, 4, 4]
    assert batch["app"] == "routing"
    assert batch["option_sets"] == {"quick": {"extra": "yes"}}
    assert batch["instance_ids"] == ["candidate", "control"]
    assert [row[1:] for row in batch["rows"]] == [
        ["succeeded", instance, key, "quick", {"factor": factor, "extra": "yes"}, value]
        for instance, factor, key, value in [
            ("candidate", "2", "in-1", 20.0),
            ("candidate", "2", "in-2", 40.0),
            ("control", "1", "in-1", 10.0),
            ("control", "1", "in-2", 20.0),
        ]
    ]
    assert all(known(engine, row[0]).state == row[1] for row in batch["rows"])
    assert {tuple(s["group_values"]) for s in batch["summaries"]} > {
        ("candidate", "v1", "quick"),
        ("control", "v1", "quick"),
    }
    whole = seen["whole"]
    assert (whole["status"], whole["input_set_id"]) == ("completed", "days")
    assert whole["inputs"] == ["in-1", "in-2", "in-3"]
    assert whole["instances"] == ["default"] * 3
    assert seen["updated"] == ["Whole", "all", "completed"]
    drafts = [f"draft-{number:02}" for number in range(25)]
    assert seen["listed"] == seen["unpaged"] == ["nightly", "whole", *drafts]
    assert seen["draft"] == "draft"
    assert seen["left"] == ["nightly", "draft-00"]


def check_scenarios(seen, engine):
    scenario = seen["scenario"]
    assert (scenario["status"], scenario["type"]) == ("completed", "scenario")
    assert scenario["option_sets"] == {
        "scenario-1_0": {"extra": "a", "other": "c"},
        "scenario-1_1": {"extra": "b", "other": "c"},
        "plain_0": {},
        "scenario-3_0": {},
    }
    assert len(scenario["rows"]) == (2 * 3 + 1 + 1) * 2
    for run_id, scenario_id, option_set, repetition, instance, state in scenario[
        "rows"
    ]:
        assert option_set.startswith(scenario_id)
        assert repetition in {0, 1}
        assert instance == ("candidate" if scenario_id == "scenario-1" else "control")
        assert known(engine, run_id).state == state == "succeeded"
        assert known(engine, run_id).detail["experiment_type"] == "scenario"
    numbers = [known(engine, row[0]).detail["run_number"] for row in scenario["rows"]]
    assert numbers == [str(number) for number in range(1, 17)]
    again, status, runs = seen["again"]
    assert (status, runs) == ("completed", 1)
    assert seen["scenario_name"] == "New name"
    assert seen["scenarios"] == ["what-if", again]
    assert seen["scenarios_left"] == ["what-if"]


def check_acceptances(seen, engine):
    acceptance = seen["acceptance"]
    assert acceptance["status"] == "completed"
    assert acceptance["passed"] is False
    assert acceptance["each"] == [True, False]
    assert acceptance["versions"] == ["v1", "v1"]
    assert acceptance["experiment"] == "accepted"
    control = acceptance["control"]
    assert control["number_of_runs_total"] == 3
    assert control["distribution_summary_statistics"]["mean"] == 20
    assert control["distribution_percentiles"]["p50"] == 20
    candidate = acceptance["candidate"]
    assert candidate["distribution_summary_statistics"]["max"] == 60
    assert seen["of_batch"] == ["completed", True]
    assert seen["acceptance_description"] == "checked"
    assert seen["acceptances"] == ["accepted", "nightly"]
    assert "missing" in seen["missing"]
    assert seen["acceptances_left"] == ["nightly"]
    assert not [
        record
        for record in engine.runs("nextmv")
        if record.detail["experiment_id"] == "accepted"
    ]


def check_online(seen, engine):
    shadow = seen["shadow"]
    assert shadow["states"] == ["draft", "started"]
    assert [instance for _, instance in shadow["runs"]] == ["candidate"] * 2
    assert all(
        known(engine, run_id).state == "succeeded" for run_id, _ in shadow["runs"]
    )
    assert shadow["listed"] == shadow["unpaged"] == ["Shade"]
    assert seen["stopped"] == "canceled"
    switchback = seen["switchback"]
    assert switchback["states"] == ["draft", "started"]
    assert sorted(switchback["units"]) == ["candidate"] * 2 + ["control"] * 2
    assert switchback["runs"] == [[switchback["run"], switchback["units"][0]]]
    assert (
        known(engine, switchback["run"]).detail["instance_id"] == switchback["units"][0]
    )
    assert switchback["listed"] == ["over"]
    assert switchback["unpaged"] == ["switch"]
    assert seen["past"] == "completed"


def known(engine, run_id):
    return engine.get("nextmv", run_id)
