"""Drives experiments with the official Nextmv client: base URL, token."""

import json
import sys
from datetime import UTC, datetime, timedelta

from nextmv import PollingOptions
from nextmv.cloud import (
    Application,
    BatchExperimentRun,
    Client,
    InstanceConfiguration,
    ManagedInput,
    Metric,
    Scenario,
    ScenarioConfiguration,
    ScenarioInput,
    ScenarioInputType,
    StopIntent,
    TerminationEvents,
    TestComparisonSingle,
)


def polling():
    return PollingOptions(
        initial_delay=0.05,
        delay=0.02,
        backoff=0.02,
        jitter=0,
        max_delay=0.2,
        max_duration=30,
    )


def status(experiment):
    return experiment.status.value


def inputs(app):
    """Three managed inputs, each the input of a run, and a set of them."""
    made = []
    for number in (1, 2, 3):
        run = app.new_run(input={"value": 10 * number}, instance_id="control")
        app.run_result_with_polling(run, polling_options=polling())
        made.append(app.new_managed_input(id=f"in-{number}", run_id=run))
    managed = [ManagedInput(id=each.id) for each in made]
    return app.new_input_set(id="days", name="Days", inputs=managed)


def batches(app, seen):
    runs = [
        BatchExperimentRun(input_id=each, instance_id=instance, option_set="quick")
        for instance in ("candidate", "control")
        for each in ("in-1", "in-2")
    ]
    made = app.new_batch_experiment(
        id="nightly",
        name="Nightly",
        description="every night",
        runs=runs,
        option_sets={"quick": {"extra": "yes"}},
    )
    polled = app.batch_experiment_with_polling(made, polling_options=polling())
    metadata = app.batch_experiment_metadata(made)
    seen["batch"] = {
        "id": made,
        "status": status(polled),
        "counts": [
            metadata.number_of_requested_runs,
            metadata.number_of_runs,
            metadata.number_of_completed_runs,
        ],
        "app": metadata.app_id,
        "option_sets": metadata.option_sets,
        "instance_ids": polled.instance_ids,
        "rows": [
            [
                run.id,
                run.status_v2.value,
                run.application_instance_id,
                run.input_id,
                run.option_set,
                run.options,
                run.metrics.indicators[0].value,
            ]
            for run in polled.runs
        ],
        "summaries": polled.grouped_distributional_summaries,
    }
    whole = app.new_batch_experiment_with_result(
        id="whole", input_set_id="days", runs=[], polling_options=polling()
    )
    seen["whole"] = {
        "status": status(whole),
        "input_set_id": whole.input_set_id,
        "inputs": [run.input_id for run in whole.runs],
        "instances": [run.application_instance_id for run in whole.runs],
    }
    updated = app.update_batch_experiment("whole", name="Whole", description="all")
    seen["updated"] = [updated.name, updated.description, status(updated)]
    for number in range(25):
        app.new_batch_experiment(id=f"draft-{number:02}")
    listed = app.list_batch_experiments()
    seen["listed"] = [each.id for each in listed]
    unpaged = app.list_batch_experiments(no_pagination=True)
    seen["unpaged"] = [each.id for each in unpaged]
    seen["draft"] = status(listed[-1])
    app.delete_batch_experiment("whole")
    seen["left"] = [each.id for each in app.list_batch_experiments()][:2]


def scenarios(app, seen):
    made = [
        Scenario(
            scenario_input=ScenarioInput(
                scenario_input_type=ScenarioInputType.INPUT_SET,
                scenario_input_data="days",
            ),
            instance_id="candidate",
            configuration=[
                ScenarioConfiguration(name="extra", values=["a", "b"]),
                ScenarioConfiguration(name="other", values=["c"]),
            ],
        ),
        Scenario(
            scenario_input=ScenarioInput(
                scenario_input_type=ScenarioInputType.INPUT,
                scenario_input_data=["in-3"],
            ),
            instance_id="control",
            scenario_id="plain",
        ),
        Scenario(
            scenario_input=ScenarioInput(
                scenario_input_type=ScenarioInputType.NEW,
                scenario_input_data=[{"value": 7}],
            ),
            instance_id="control",
        ),
    ]
    key = app.new_scenario_test(
        scenarios=made, id="what-if", name="What if", repetitions=1
    )
    app.scenario_test_with_polling(key, polling_options=polling())
    test = app.scenario_test(key)
    seen["scenario"] = {
        "id": key,
        "status": status(app.scenario_test_metadata(key)),
        "type": test.type,
        "option_sets": test.option_sets,
        "rows": [
            [
                run.id,
                run.scenario_id,
                run.option_set,
                run.repetition,
                run.application_instance_id,
                run.status_v2.value,
            ]
            for run in test.runs
        ],
    }
    again = app.new_scenario_test_with_result(
        scenarios=made[1:2], polling_options=polling()
    )
    seen["again"] = [again.id, status(again), len(again.runs)]
    updated = app.update_scenario_test(key, name="New name")
    seen["scenario_name"] = updated.name
    seen["scenarios"] = [each.id for each in app.list_scenario_tests()]
    app.delete_scenario_test(again.id)
    seen["scenarios_left"] = [each.id for each in app.list_scenario_tests()]


def metric(operator, **tolerance):
    return Metric.from_dict(
        {
            "field": "result.value",
            "metric_type": "direct-comparison",
            "params": {
                "operator": operator,
                "tolerance": {"type": "absolute", "value": 0, **tolerance},
            },
            "statistic": "mean",
        }
    )


def acceptances(app, seen):
    test = app.new_acceptance_test_with_result(
        candidate_instance_id="candidate",
        baseline_instance_id="control",
        id="accepted",
        name="Accepted",
        metrics=[metric("ge"), metric("lt", type="relative", value=0.5)],
        input_set_id="days",
        polling_options=polling(),
    )
    first = test.results.metric_results[0]
    seen["acceptance"] = {
        "status": status(test),
        "passed": test.results.passed,
        "each": [each.passed for each in test.results.metric_results],
        "control": first.statistics.control.to_dict(),
        "candidate": first.statistics.candidate.to_dict(),
        "versions": [test.control.version_id, test.candidate.version_id],
        "experiment": test.experiment_id,
    }
    app.new_acceptance_test(
        candidate_instance_id="candidate",
        baseline_instance_id="control",
        id="nightly",
        metrics=[metric("gt")],
    )
    early = app.acceptance_test_with_polling("nightly", polling_options=polling())
    seen["of_batch"] = [status(early), early.results.passed]
    updated = app.update_acceptance_test("accepted", description="checked")
    seen["acceptance_description"] = updated.description
    seen["acceptances"] = [each.id for each in app.list_acceptance_tests()]
    try:
        app.new_acceptance_test(
            candidate_instance_id="candidate",
            baseline_instance_id="control",
            id="missing",
            metrics=[metric("gt")],
        )
    except ValueError as error:
        seen["missing"] = str(error)
    app.delete_acceptance_test("accepted")
    seen["acceptances_left"] = [each.id for each in app.list_acceptance_tests()]


def online(app, seen):
    app.new_shadow_test(
        comparisons={"control": ["candidate"]},
        termination_events=TerminationEvents(maximum_runs=2),
        shadow_test_id="shadow",
    )
    states = [status(app.shadow_test_metadata("shadow"))]
    app.start_shadow_test("shadow")
    states.append(status(app.shadow_test_metadata("shadow")))
    for value in (4, 5, 6):
        run = app.new_run(input={"value": value}, instance_id="control")
        app.run_result_with_polling(run, polling_options=polling())
    test = app.shadow_test("shadow")
    app.update_shadow_test("shadow", name="Shade")
    seen["shadow"] = {
        "states": states,
        "runs": [[run.id, run.application_instance_id] for run in test.runs],
        "listed": [each.name for each in app.list_shadow_tests()],
        "unpaged": [each.name for each in app.list_shadow_tests(no_pagination=True)],
    }
    app.new_shadow_test(
        comparisons={"control": ["candidate"]},
        termination_events=TerminationEvents(maximum_runs=2),
        shadow_test_id="stopped",
    )
    app.start_shadow_test("stopped")
    app.stop_shadow_test("stopped", StopIntent.CANCEL)
    seen["stopped"] = status(app.shadow_test("stopped"))
    app.delete_shadow_test("stopped")

    made = app.new_switchback_test(
        comparison=TestComparisonSingle(
            baseline_instance_id="control", candidate_instance_id="candidate"
        ),
        unit_duration_minutes=5,
        units=4,
        switchback_test_id="switch",
    )
    states = [status(made)]
    app.start_switchback_test("switch")
    run = app.new_run(input={"value": 1}, instance_id="control")
    test = app.switchback_test("switch")
    states.append(status(app.switchback_test_metadata("switch")))
    app.stop_switchback_test("switch", StopIntent.COMPLETE)
    app.update_switchback_test("switch", description="over")
    seen["switchback"] = {
        "states": states,
        "units": [unit.instance_id for unit in test.plan.units],
        "run": run,
        "runs": [[run.id, run.application_instance_id] for run in test.runs],
        "listed": [each.description for each in app.list_switchback_tests()],
        "unpaged": [
            each.name for each in app.list_switchback_tests(no_pagination=True)
        ],
    }
    past = app.new_switchback_test(
        comparison=TestComparisonSingle(
            baseline_instance_id="control", candidate_instance_id="candidate"
        ),
        unit_duration_minutes=1,
        units=1,
        start=datetime.now(UTC) - timedelta(hours=1),
    )
    seen["past"] = status(past)
    app.delete_switchback_test(past.switchback_test_id)


def main(url, token):
    app = Application.get(Client(api_key=token, url=url), "routing")
    for key, factor in (("control", "1"), ("candidate", "2")):
        configuration = InstanceConfiguration(options={"factor": factor})
        app.new_instance(version_id="v1", id=key, configuration=configuration)
    seen = {"inputs": inputs(app).input_ids}
    batches(app, seen)
    scenarios(app, seen)
    acceptances(app, seen)
    online(app, seen)
    sys.stdout.write(json.dumps(seen) + "\n")


main(*sys.argv[1:])
