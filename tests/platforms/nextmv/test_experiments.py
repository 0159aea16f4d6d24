"""Experiments as requests and values, with answers written down beforehand."""

import logging

import pytest
from tests.platforms.nextmv.scripted import MISSING, ScriptedNextmv

from aioruns.errors import GaveUp, InvalidInput, NotFound
from aioruns.http.codec import converter
from aioruns.platforms.nextmv import (
    BatchExperimentRun,
    ExperimentStatus,
    InputSet,
    Metric,
    MetricToleranceType,
    PollingOptions,
    Scenario,
    ScenarioConfiguration,
    ScenarioInput,
    ScenarioInputType,
    StopIntent,
    TerminationEvents,
    TestComparison,
    TestComparisonSingle,
    ToleranceType,
)
from aioruns.platforms.nextmv.scenario_plan import option_sets, plan, scenarios_by_id

SET = {"id": "days", "input_ids": ["in-1", "in-2"]}
SECONDS = PollingOptions(initial_delay=0, delay=10, backoff=0, jitter=0)
METRIC = {
    "field": "result.value",
    "metric_type": "direct-comparison",
    "params": {"operator": "lt", "tolerance": {"type": "relative", "value": 0.5}},
    "statistic": "p95",
}


def of_set(set_id="days", **more):
    return Scenario(ScenarioInput(ScenarioInputType.INPUT_SET, set_id), "i", **more)


def app_of(*answers):
    return ScriptedNextmv(*answers).application("routing")


def calls(app):
    return app.client.calls


def body(app, index=-1):
    """The body of a request, as it goes on the wire."""
    return converter.unstructure(app.client.requests[index].json)


# -- batch experiments -----------------------------------------------------------------


async def test_instances_are_expanded_over_the_inputs_of_the_set():
    app = app_of(SET, {"id": "b"})
    await app.new_batch_experiment("N", "days", id="b", instance_ids=["x", "y"])
    assert [(run["instance_id"], run["input_id"]) for run in body(app)["runs"]] == [
        ("x", "in-1"),
        ("x", "in-2"),
        ("y", "in-1"),
        ("y", "in-2"),
    ]


async def test_a_list_in_place_of_the_description_is_the_instances_of_the_older_order():
    app = app_of(SET, {"id": "b"})
    await app.new_batch_experiment("N", "days", ["x"], id="b")
    assert "description" not in body(app)
    assert len(body(app)["runs"]) == 2


@pytest.mark.parametrize(
    "odd",
    [
        {"instance_ids": ["x"]},
        {"instance_ids": ["x"], "input_set_id": "days", "runs": []},
    ],
)
async def test_instances_need_a_set_and_no_runs(odd):
    app = app_of()
    with pytest.raises(InvalidInput, match="instance_ids"):
        await app.new_batch_experiment("N", **odd)
    assert calls(app) == []


async def test_the_result_passes_everything_on():
    app = app_of(
        SET, {"id": "b"}, {"id": "b", "status": "completed"}, {"id": "b"}, {"runs": []}
    )
    experiment = await app.new_batch_experiment_with_result(
        "N",
        "days",
        id="b",
        instance_ids=["x"],
        content_type="multi-file",
        polling_options=SECONDS,
    )
    assert experiment.runs == []
    assert body(app, 1)["content_type"] == "multi-file"


async def test_experiment_ids_that_change_the_request_are_quoted():
    app = app_of({"id": "a/b?c#d"}, {"runs": []})
    await app.batch_experiment("a/b?c#d")
    assert calls(app) == [
        "GET /experiments/batch/a%2Fb%3Fc%23d",
        "GET /experiments/batch/a%2Fb%3Fc%23d/runs",
    ]
    with pytest.raises(InvalidInput):
        await app.delete_batch_experiment("")


def test_a_run_needs_an_instance_or_a_version():
    with pytest.raises(InvalidInput, match="in-1"):
        BatchExperimentRun("in-1", "fast")
    assert BatchExperimentRun("in-1", version_id="v").instance_id is None
    assert BatchExperimentRun("in-1", instance_id="").instance_id == ""


# -- polling ---------------------------------------------------------------------------


async def test_polling_an_experiment_that_is_deleted_for_ever_ends_and_says_so():
    app = app_of(*[{"id": "b", "status": "deleting"}] * 100)
    with pytest.raises(GaveUp, match="deleting"):
        await app.batch_experiment_with_polling("b", SECONDS)
    assert len(calls(app)) == 31


async def test_polling_an_experiment_that_is_gone_says_so():
    app = app_of({"id": "b", "status": "deleting"}, MISSING)
    with pytest.raises(NotFound):
        await app.scenario_test_with_polling("b", SECONDS)


async def test_an_experiment_whose_deletion_ended_otherwise_is_polled_on():
    deleting = [{"id": "b", "status": "deleting"}] * 20
    going = {"id": "b", "status": "started"}
    failed = {"id": "b", "status": "delete-failed"}
    app = app_of(*deleting, going, *deleting, failed, failed, {"runs": []})
    experiment = await app.batch_experiment_with_polling("b", SECONDS)
    assert experiment.status is ExperimentStatus.DELETE_FAILED


async def test_polling_without_a_limit_says_so_now_and_then(caplog):
    going = [{"id": "gate", "status": "started"}] * 100
    done = {"id": "gate", "status": "completed"}
    app = app_of(*going, done, done)
    with caplog.at_level(logging.INFO):
        await app.acceptance_test_with_polling("gate", SECONDS)
    assert "still polling acceptance test gate" in caplog.text


@pytest.mark.parametrize("status", [None, "started", "stopping", "unknown", "dreaming"])
async def test_only_the_documented_statuses_end_a_poll(status):
    app = app_of({"id": "b", "status": status}, {"id": "b", "status": status})
    twice = PollingOptions(initial_delay=0, delay=1, backoff=0, jitter=0, max_tries=2)
    with pytest.raises(GaveUp):
        await app.batch_experiment_with_polling("b", twice)


# -- scenario tests --------------------------------------------------------------------


def test_scenarios_without_an_id_are_named_by_their_place():
    named = scenarios_by_id([of_set(), of_set(scenario_id="mine"), of_set()])
    assert list(named) == ["scenario-1", "mine", "scenario-3"]


@pytest.mark.parametrize(
    "scenarios",
    [
        [],
        [of_set(scenario_id="a"), of_set(scenario_id="a")],
        [of_set(scenario_id="scenario-2"), of_set()],
    ],
)
async def test_no_scenarios_or_two_of_a_name_are_refused(scenarios):
    app = app_of()
    with pytest.raises(InvalidInput, match="scenario"):
        await app.new_scenario_test(scenarios)
    assert calls(app) == []


def test_the_last_option_varies_fastest():
    options = [
        ScenarioConfiguration("x", ["1", "2"]),
        ScenarioConfiguration("y", ["3", "4"]),
    ]
    sets = option_sets("s", of_set(configuration=options))
    assert list(sets.items()) == [
        ("s_0", {"x": "1", "y": "3"}),
        ("s_1", {"x": "1", "y": "4"}),
        ("s_2", {"x": "2", "y": "3"}),
        ("s_3", {"x": "2", "y": "4"}),
    ]
    assert option_sets("s", of_set()) == {"s_0": {}}


def test_runs_are_counted_over_all_scenarios():
    options = [ScenarioConfiguration("x", ["1", "2"])]
    scenarios = {"a": of_set(configuration=options), "b": of_set()}
    found = converter.structure(SET, InputSet)
    _, runs = plan(scenarios, {"a": found, "b": found}, 1)
    assert [
        (run.run_number, run.option_set, run.input_id, run.repetition) for run in runs
    ] == [
        ("1", "a_0", "in-1", 0),
        ("2", "a_0", "in-1", 1),
        ("3", "a_0", "in-2", 0),
        ("4", "a_0", "in-2", 1),
        ("5", "a_1", "in-1", 0),
        ("6", "a_1", "in-1", 1),
        ("7", "a_1", "in-2", 0),
        ("8", "a_1", "in-2", 1),
        ("9", "b_0", "in-1", 0),
        ("10", "b_0", "in-1", 1),
        ("11", "b_0", "in-2", 0),
        ("12", "b_0", "in-2", 1),
    ]


@pytest.mark.parametrize(
    "arguments",
    [("what-if", "W", [of_set()]), ([of_set()], "what-if", "W")],
)
async def test_both_orders_of_a_scenario_test_are_understood(arguments):
    app = app_of({"id": "i"}, SET, {"id": "what-if"})
    await app.new_scenario_test(*arguments)
    assert (body(app)["id"], body(app)["name"]) == ("what-if", "W")
    assert body(app)["type"] == "scenario"


@pytest.mark.parametrize(
    "arguments",
    [("what-if", "W", "x"), ([of_set()], "what-if", [of_set()]), ("what-if",)],
)
async def test_no_other_order_is(arguments):
    with pytest.raises(InvalidInput):
        await app_of().new_scenario_test(*arguments)


@pytest.mark.parametrize("repetitions", [-1, 1.5, "1", True])
async def test_repetitions_are_counted(repetitions):
    with pytest.raises(InvalidInput, match="repetitions"):
        await app_of().new_scenario_test([of_set()], repetitions=repetitions)


async def test_polling_options_may_come_sixth():
    test = {"id": "what-if", "status": "completed"}
    app = app_of({"id": "i"}, SET, test, test, test, {"runs": []})
    await app.new_scenario_test_with_result(
        "what-if", "W", [of_set()], None, 0, SECONDS
    )
    assert "content_type" not in body(app, 2)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (ScenarioInputType.INPUT_SET, ["in-1"]),
        (ScenarioInputType.INPUT, "in-1"),
        (ScenarioInputType.NEW, {"a": 1}),
        ("new", "text"),
        ("other", "x"),
    ],
)
def test_type_and_data_of_a_scenario_go_together(kind, data):
    with pytest.raises(InvalidInput, match="scenario_input"):
        ScenarioInput(kind, data)


@pytest.mark.parametrize("values", [[], [1], "text", ["a", None]])
def test_values_of_a_configuration_are_text(values):
    with pytest.raises(InvalidInput, match="threads"):
        ScenarioConfiguration("threads", values)


# -- acceptance tests ------------------------------------------------------------------


def test_the_older_name_of_a_tolerance_s_type_is_kept():
    assert ToleranceType is MetricToleranceType


@pytest.mark.parametrize("older", [True, False])
async def test_both_orders_of_an_acceptance_test_are_understood(older):
    app = app_of(SET, {"id": "gate"}, {"id": "gate"})
    metric = converter.structure(METRIC, Metric)
    arguments = ("gate", [metric]) if older else ([metric], "gate")
    test = await app.new_acceptance_test("new", "old", *arguments, "Gate", "days")
    assert test.id == "gate"
    assert body(app) == {
        "candidate": {"instance_id": "new"},
        "control": {"instance_id": "old"},
        "metrics": [METRIC],
        "experiment_id": "gate",
        "name": "Gate",
        "id": "gate",
    }


@pytest.mark.parametrize("arguments", [("gate",), ("gate", "g"), ([METRIC], [METRIC])])
async def test_metrics_are_needed(arguments):
    with pytest.raises(InvalidInput, match="metrics"):
        await app_of().new_acceptance_test("new", "old", *arguments)


async def test_all_runs_of_the_candidate_come_before_those_of_the_baseline():
    app = app_of(SET, {"id": "gate"}, {"id": "gate"})
    await app.new_acceptance_test("new", "old", [METRIC], "gate", input_set_id="days")
    runs = body(app, 1)["runs"]
    assert [run["instance_id"] for run in runs] == ["new", "new", "old", "old"]


async def test_an_acceptance_test_without_experiment_or_inputs_says_what_to_do():
    app = app_of(MISSING)
    with pytest.raises(InvalidInput, match="input_set_id"):
        await app.new_acceptance_test("new", "old", [METRIC], "gate")


# -- shadow and switchback tests -------------------------------------------------------


@pytest.mark.parametrize("runs", [0, 301])
def test_a_shadow_test_has_1_to_300_runs(runs):
    with pytest.raises(InvalidInput, match="300"):
        TerminationEvents(runs)


async def test_comparisons_may_be_objects():
    app = app_of({"id": "shade"})
    comparison = TestComparison("a", ["b"])
    await app.new_shadow_test([comparison], TerminationEvents(5), "shade")
    assert body(app)["comparisons"] == [
        {"baseline_instance_id": "a", "candidate_instance_ids": ["b"]}
    ]


@pytest.mark.parametrize(
    ("minutes", "units"), [(0.5, 1), (10081, 1), (60, 0), (60, 1001)]
)
async def test_a_switchback_test_has_bounds(minutes, units):
    app = app_of()
    with pytest.raises(InvalidInput, match="must be from 1 to"):
        await app.new_switchback_test(TestComparisonSingle("a", "b"), minutes, units)
    assert calls(app) == []


@pytest.mark.parametrize("intent", [StopIntent.CANCEL, "cancel"])
async def test_an_intent_may_be_text(intent):
    app = app_of(None, None)
    await app.stop_shadow_test("s", intent)
    await app.stop_switchback_test("s", intent)
    assert [body(app, 0), body(app, 1)] == [{"intent": "cancel"}] * 2


async def test_an_intent_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="complete"):
        await app_of().stop_shadow_test("s", "give up")
