"""Scenario tests (wire/nextmv.md 3.5)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import batches, common, shapes

MADE = ok({"id": "what-if"})
INSTANCE = ok(shapes.instance())
SET = ok(shapes.input_set())
UPLOAD = (ok(shapes.upload()), ok(""))
TEST = ok(shapes.batch("what-if", type="scenario", input_set_id="", instance_ids=[]))
EXPERIMENT = ok(shapes.experiment("what-if", type="scenario"))

OF_SET = (
    "Scenario(scenario_input=ScenarioInput("
    "scenario_input_type=ScenarioInputType.INPUT_SET, scenario_input_data='set-1'),"
    " instance_id='staging'{})"
)
OF_INPUTS = (
    "Scenario(scenario_input=ScenarioInput("
    "scenario_input_type=ScenarioInputType.INPUT,"
    " scenario_input_data=['in-1', 'in-2']), instance_id='staging'{})"
)
OF_NEW = (
    "Scenario(scenario_input=ScenarioInput(scenario_input_type=ScenarioInputType.NEW,"
    " scenario_input_data=[{{'a': 1}}, {{'a': 2}}]), instance_id='trial'{})"
)
CONFIGURATION = (
    ", configuration=[ScenarioConfiguration(name='threads', values=['1', '2']),"
    " ScenarioConfiguration(name='duration', values=['5s', '10s'])]"
)
GENERATED = (
    "scenario",
    "inpset-scenario-1",
    "inpset-scenario-2",
    "inpset-scenario-3",
    "inpset-rush-hour",
    "man-input-scenario",
    "man-input-rush",
)


def _new(
    name: str, scenarios: str, *answers: Answer, more: str = "", **rest: Any
) -> Case:
    call = f'app.new_scenario_test(id="what-if", name="W", scenarios={scenarios}{more})'
    return Case("new_scenario_test", name, call, answers, generated=GENERATED, **rest)


CASES: list[Case] = [
    _new("input-set", f"[{OF_SET.format('')}]", INSTANCE, SET, MADE),
    _new(
        "configured-and-repeated",
        f"[{OF_SET.format(CONFIGURATION)}]",
        INSTANCE,
        SET,
        MADE,
        more=', description="d ü", repetitions=1',
    ),
    _new(
        "set-of-inputs",
        f"[{OF_SET.format('')}]",
        INSTANCE,
        ok(shapes.input_set(input_ids=[], inputs=[shapes.managed_input("in-9")])),
        MADE,
    ),
    _new(
        "inputs",
        f"[{OF_INPUTS.format('')}]",
        INSTANCE,
        SET,
        MADE,
        more=', content_type="multi-file"',
    ),
    _new(
        "new-inputs",
        f"[{OF_NEW.format(', scenario_id=' + repr('Rush hour!'))}]",
        INSTANCE,
        *UPLOAD,
        ok(shapes.managed_input("in-1")),
        *UPLOAD,
        ok(shapes.managed_input("in-2", format=shapes.ABSENT)),
        ok(shapes.input_set(input_ids=["in-1", "in-2"])),
        MADE,
    ),
    _new(
        "three-kinds",
        f"[{OF_SET.format(CONFIGURATION)}, {OF_INPUTS.format('')},"
        f" {OF_NEW.format(CONFIGURATION)}]",
        INSTANCE,
        SET,
        INSTANCE,
        SET,
        INSTANCE,
        *UPLOAD,
        ok(shapes.managed_input("in-1")),
        *UPLOAD,
        ok(shapes.managed_input("in-2")),
        SET,
        MADE,
    ),
    _new(
        "named-and-unnamed",
        f"[{OF_SET.format(', scenario_id=' + repr('mine'))}, {OF_SET.format('')}]",
        INSTANCE,
        SET,
        INSTANCE,
        SET,
        MADE,
    ),
    _new("none", "[]", official_fails=True),
    _new(
        "twice",
        f"[{OF_SET.format(', scenario_id=' + repr('scenario-2'))},"
        f" {OF_SET.format('')}]",
        official_fails=True,
    ),
    _new("missing-instance", f"[{OF_SET.format('')}]", fails(404)),
    _new("missing-set", f"[{OF_SET.format('')}]", INSTANCE, fails(404)),
    Case(
        "new_scenario_test",
        "generated",
        f"app.new_scenario_test(scenarios=[{OF_SET.format('')}])",
        (INSTANCE, SET, MADE),
        generated=GENERATED,
    ),
    Case(
        "new_scenario_test",
        "later-order",
        f"app.new_scenario_test([{OF_SET.format('')}], 'what-if', 'W')",
        (INSTANCE, SET, MADE),
    ),
    Case(
        "new_scenario_test",
        "seed-order",
        f"app.new_scenario_test('what-if', 'W', [{OF_SET.format('')}])",
        (INSTANCE, SET, MADE),
        official_fails=True,
    ),
    Case(
        "new_scenario_test_with_result",
        "input-set",
        'app.new_scenario_test_with_result(id="what-if", name="W", description="d",'
        f" scenarios=[{OF_SET.format(CONFIGURATION)}], repetitions=0,"
        " polling_options=QUICK)",
        (
            INSTANCE,
            SET,
            MADE,
            ok(shapes.experiment("what-if", status="started")),
            EXPERIMENT,
            TEST,
            batches.RUNS,
        ),
    ),
    Case(
        "new_scenario_test_with_result",
        "missing-set",
        'app.new_scenario_test_with_result(id="what-if", name="W",'
        f" scenarios=[{OF_SET.format('')}], polling_options=QUICK)",
        (INSTANCE, fails(404)),
    ),
    Case("scenario_test", "rich", 'app.scenario_test("what-if")', (TEST, batches.RUNS)),
    Case(
        "scenario_test",
        "by-name",
        'app.scenario_test(scenario_test_id="what-if")',
        (ok(batches.BARE_BATCH), ok({"runs": []})),
    ),
    Case("scenario_test", "missing", 'app.scenario_test("what-if")', (fails(404),)),
    *common.reads(
        "scenario_test_metadata", shapes.experiment(type="scenario"), batches.BARE
    ),
    Case(
        "scenario_test_with_polling",
        "completed",
        'app.scenario_test_with_polling("what-if", polling_options=QUICK)',
        (ok(shapes.experiment(status="started")), EXPERIMENT, TEST, batches.RUNS),
    ),
    Case(
        "scenario_test_with_polling",
        "failed",
        'app.scenario_test_with_polling(scenario_test_id="what-if",'
        " polling_options=QUICK)",
        (ok(shapes.experiment("what-if", status="failed")), TEST, batches.RUNS),
    ),
    *common.lists("list_scenario_tests", shapes.experiment, batches.BARE),
    Case(
        "update_scenario_test",
        "both",
        'app.update_scenario_test("what-if", name="N", description="")',
        (EXPERIMENT,),
    ),
    Case(
        "update_scenario_test",
        "by-name",
        'app.update_scenario_test(scenario_test_id="what-if", description="d")',
        (ok(batches.BARE),),
    ),
    Case(
        "update_scenario_test",
        "nothing",
        'app.update_scenario_test("w")',
        (EXPERIMENT,),
    ),
    *common.deletes("delete_scenario_test", "scenario_test_id"),
]
