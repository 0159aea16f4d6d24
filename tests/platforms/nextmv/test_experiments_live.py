"""Experiments over real sockets, against the local run server."""

import asyncio
import json
import time
from datetime import UTC, datetime

import anyio
import pytest

from aioruns import Nextmv, Session
from aioruns.errors import Conflict, NotFound
from aioruns.local.faults import Fault
from aioruns.platforms.nextmv import (
    BatchExperimentRun,
    Comparison,
    ExperimentStatus,
    InstanceConfiguration,
    ManagedInput,
    Metric,
    MetricParams,
    MetricTolerance,
    MetricToleranceType,
    MetricType,
    PollingOptions,
    Scenario,
    ScenarioConfiguration,
    ScenarioInput,
    ScenarioInputType,
    StatisticType,
    StatusV2,
    StopIntent,
    TerminationEvents,
    TestComparison,
    TestComparisonSingle,
)

QUICK = PollingOptions(initial_delay=0, delay=0.5, backoff=0, jitter=0)


class Hurried:
    """A clock on which a second takes twenty milliseconds."""

    pace = 50.0

    def now(self):
        return time.monotonic() * self.pace

    def utc(self):
        return datetime.now(UTC)

    async def sleep(self, seconds):
        await anyio.sleep(seconds / self.pace)

    async def wait(self, event, seconds):
        with anyio.move_on_after(seconds / self.pace):
            await event.wait()

    def limit(self, seconds):
        return anyio.move_on_after(seconds / self.pace)


async def cost(job):
    """Costs are the input's value times the option `factor`."""
    data = json.loads(job.stdin)
    if data.get("wait"):
        await asyncio.Event().wait()
    value = data["value"] * float(job.env.get("factor", "1"))
    return {
        "metrics": {"value": value},
        "statistics": {"result": {"value": value}},
        "options": dict(job.env),
    }


@pytest.fixture
async def app(server):
    """Two instances, and two managed inputs in an input set."""
    server.nextmv.register("routing", cost)
    async with Session(clock=Hurried()) as session:
        nextmv = Nextmv(server.token, url=server.url, session=session)
        app = nextmv.application("routing")
        for name, factor in (("control", "1"), ("candidate", "2")):
            configuration = InstanceConfiguration(options={"factor": factor})
            await app.new_instance("v1", name, configuration=configuration)
        for number in (1, 2):
            await keep(app, f"in-{number}", {"value": 10 * number})
        inputs = [ManagedInput("in-1"), ManagedInput("in-2")]
        await app.new_input_set("days", inputs=inputs)
        yield app


async def keep(app, input_id, data):
    place = await app.upload_url()
    await app.upload_data(place, data)
    await app.new_managed_input(input_id, upload_id=place.upload_id)


async def outputs(app, experiment):
    results = [await app.run_result(run.id) for run in experiment.runs]
    return sorted(result.output["metrics"]["value"] for result in results)


# -- batch experiments -----------------------------------------------------------------


async def test_a_batch_runs_what_it_is_given(app):
    experiment = await app.new_batch_experiment_with_result(
        "Nightly",
        id="nightly",
        description="every night",
        option_sets={"five": {"factor": "5"}},
        runs=[
            BatchExperimentRun("in-1", "five", instance_id="control"),
            {"input_id": "in-2", "instance_id": "candidate"},
        ],
        polling_options=QUICK,
    )
    assert experiment.status is ExperimentStatus.COMPLETED
    assert (experiment.name, experiment.description) == ("Nightly", "every night")
    assert experiment.option_sets == {"five": {"factor": "5"}}
    assert experiment.number_of_completed_runs == 2
    assert {run.status_v2 for run in experiment.runs} == {StatusV2.succeeded}
    assert await outputs(app, experiment) == [40, 50]


async def test_a_batch_of_instances_runs_all_of_the_set(app):
    experiment = await app.new_batch_experiment_with_result(
        "N", "days", instance_ids=["control", "candidate"], polling_options=QUICK
    )
    assert await outputs(app, experiment) == [10, 20, 20, 40]


async def test_batches_are_listed_renamed_and_deleted(app):
    for number in range(3):
        run = BatchExperimentRun("in-1", instance_id="control")
        await app.new_batch_experiment(id=f"b-{number}", runs=[run])
    listed = await app.list_batch_experiments()
    assert sorted(one.id for one in listed) == ["b-0", "b-1", "b-2"]
    assert await app.list_scenario_tests() == []
    changed = await app.update_batch_experiment("b-1", description="odd")
    assert (changed.name, changed.description) == ("b-1", "odd")
    await app.delete_batch_experiment("b-1")
    with pytest.raises(NotFound):
        await app.batch_experiment_metadata("b-1")


async def test_an_id_that_is_taken_is_a_conflict(app):
    run = BatchExperimentRun("in-1", instance_id="control")
    await app.new_batch_experiment("one", id="b", runs=[run])
    with pytest.raises(Conflict):
        await app.new_batch_experiment("two", id="b", runs=[run])


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "500", "truncate"])
@pytest.mark.parametrize("kinds", ["batch", "acceptance", "shadow", "switchback"])
async def test_a_creation_whose_answer_is_lost_is_not_made_twice(
    app, server, kind, kinds
):
    server.faults.add(Fault(kind, rf"^POST .*/{kinds}$", times=1))
    if kinds == "acceptance":
        made = await app.new_acceptance_test(
            "candidate", "control", [metric()], "x", input_set_id="days"
        )
        assert made.id == "x"
        assert len(await app.list_acceptance_tests()) == 1
        await app.batch_experiment_with_polling("x", QUICK)
        assert len(server.engine.runs("nextmv")) == 4
    elif kinds == "shadow":
        comparison = TestComparison("control", ["candidate"])
        await app.new_shadow_test([comparison], TerminationEvents(5))
        assert len(await app.list_shadow_tests()) == 1
    elif kinds == "switchback":
        single = TestComparisonSingle("control", "candidate")
        await app.new_switchback_test(single, 60, 2)
        assert len(await app.list_switchback_tests()) == 1
    else:
        run = BatchExperimentRun("in-1", instance_id="control")
        await app.new_batch_experiment(runs=[run])
        assert len(await app.list_batch_experiments()) == 1
        assert len(server.engine.runs("nextmv")) == 1


async def test_a_batch_that_is_deleted_while_it_is_polled_ends_the_poll(app):
    await keep(app, "slow", {"wait": True})
    run = BatchExperimentRun("slow", instance_id="control")
    await app.new_batch_experiment(id="b", runs=[run])

    async def delete():
        await asyncio.sleep(0.05)
        await app.delete_batch_experiment("b")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(delete())
        with pytest.raises(NotFound):
            await app.batch_experiment_with_polling("b", QUICK)


# -- scenario tests --------------------------------------------------------------------


async def test_scenarios_of_all_kinds_are_run(app):
    scenarios = [
        Scenario(
            ScenarioInput(ScenarioInputType.INPUT_SET, "days"),
            "control",
            configuration=[ScenarioConfiguration("factor", ["3", "4"])],
        ),
        Scenario(ScenarioInput(ScenarioInputType.INPUT, ["in-1"]), "candidate"),
        Scenario(
            ScenarioInput(ScenarioInputType.NEW, [{"value": 7}, {"value": 8}]),
            "control",
            "fresh",
        ),
    ]
    test = await app.new_scenario_test_with_result(
        scenarios, "what-if", repetitions=1, polling_options=QUICK
    )
    assert (test.type, test.status) == ("scenario", ExperimentStatus.COMPLETED)
    assert test.input_set_id == ""
    once = [*(30, 60), *(40, 80), 20, *(7, 8)]
    assert await outputs(app, test) == sorted(once * 2)
    assert {run.scenario_id for run in test.runs} == {
        "scenario-1",
        "scenario-2",
        "fresh",
    }
    assert [one.id for one in await app.list_scenario_tests()] == ["what-if"]
    made = [one for one in await app.list_input_sets() if one.id != "days"]
    assert len(made) == 2
    for one in made:
        assert one.description.endswith(one.id)


# -- acceptance tests ------------------------------------------------------------------


def metric(operator=Comparison.less_than_or_equal_to):
    return Metric(
        field="result.value",
        metric_type=MetricType.direct_comparison,
        params=MetricParams(
            operator=operator,
            tolerance=MetricTolerance(type=MetricToleranceType.absolute, value=0.0),
        ),
        statistic=StatisticType.mean,
    )


@pytest.mark.parametrize(
    ("operator", "passes"),
    [(Comparison.less_than, False), (Comparison.greater_than, True)],
)
async def test_an_acceptance_test_compares(app, operator, passes):
    test = await app.new_acceptance_test_with_result(
        "candidate",
        "control",
        [metric(operator)],
        "gate",
        "Gate",
        "days",
        polling_options=QUICK,
    )
    assert test.status is ExperimentStatus.COMPLETED
    assert test.results.passed is passes
    (result,) = test.results.metric_results
    assert result.metric == metric(operator)
    both = result.statistics
    assert both.control.distribution_summary_statistics.mean == 15
    assert both.candidate.distribution_summary_statistics.mean == 30
    assert (await app.update_acceptance_test("gate", name="New")).name == "New"
    await app.delete_acceptance_test("gate")
    assert await app.list_acceptance_tests() == []


# -- shadow and switchback tests -------------------------------------------------------


async def test_a_shadow_test_lives(app):
    comparison = TestComparison("control", ["candidate"])
    made = await app.new_shadow_test([comparison], TerminationEvents(5), "shade", "S")
    assert (made.shadow_test_id, made.status) == ("shade", ExperimentStatus.DRAFT)
    await app.start_shadow_test("shade")
    metadata = await app.shadow_test_metadata("shade")
    assert metadata.status is ExperimentStatus.STARTED
    await app.new_run_with_result(
        {"value": 1}, instance_id="control", polling_options=QUICK
    )
    test = await app.shadow_test("shade")
    assert [run.application_instance_id for run in test.runs] == ["candidate"]
    assert (await app.update_shadow_test("shade", "New")).name == "New"
    await app.stop_shadow_test("shade", StopIntent.COMPLETE)
    await app.delete_shadow_test("shade")
    assert await app.list_shadow_tests() == []


async def test_a_switchback_test_lives(app):
    single = TestComparisonSingle("control", "candidate")
    made = await app.new_switchback_test(single, 30.5, 4, "swing")
    assert made.comparison == single
    await app.start_switchback_test("swing")
    metadata = await app.switchback_test_metadata("swing")
    assert metadata.status is ExperimentStatus.STARTED
    test = await app.switchback_test("swing")
    assert [unit.duration_minutes for unit in test.plan.units] == [30.5] * 4
    changed = await app.update_switchback_test("swing", description="D")
    assert changed.description == "D"
    await app.stop_switchback_test("swing", StopIntent.CANCEL)
    await app.delete_switchback_test("swing")
    assert await app.list_switchback_tests() == []
