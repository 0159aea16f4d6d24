"""Acceptance tests (wire/nextmv.md 3.6, 3.13)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import batches, common, shapes

TEST = ok(shapes.acceptance())
BARE = {
    "id": "one",
    "name": "",
    "description": "",
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
}
METRIC = (
    'Metric(field="result.value", metric_type=MetricType.direct_comparison,'
    " params=MetricParams(operator=Comparison.less_than, tolerance=MetricTolerance("
    "type=MetricToleranceType.absolute, value=0.5)),"
    " statistic=StatisticType.shifted_geometric_mean)"
)
RAW_METRIC = repr(shapes.METRIC)
MADE = ok({"id": "gate"})
SET = ok(shapes.input_set())


def _new(name: str, more: str, *answers: Answer, **rest: Any) -> Case:
    call = (
        'app.new_acceptance_test(candidate_instance_id="trial",'
        f' baseline_instance_id="staging"{more})'
    )
    return Case("new_acceptance_test", name, call, answers, **rest)


def _polled(name: str, *answers: Answer, **rest: Any) -> Case:
    call = 'app.acceptance_test_with_polling("gate", polling_options=QUICK)'
    return Case("acceptance_test_with_polling", name, call, answers, **rest)


def _status(status: object) -> Answer:
    return ok(shapes.acceptance(status=status))


CASES: list[Case] = [
    _new(
        "input-set",
        f', id="gate", name="Gate", metrics=[{METRIC}], input_set_id="set-1",'
        ' description="d ü"',
        SET,
        MADE,
        TEST,
    ),
    _new(
        "raw-metrics",
        f', id="gate", name="Gate", metrics=[{RAW_METRIC}, {METRIC}],'
        ' input_set_id="set-1"',
        SET,
        MADE,
        ok(BARE),
    ),
    _new(
        "set-of-inputs",
        f', id="gate", name="Gate", metrics=[{METRIC}], input_set_id="set-1"',
        ok(shapes.input_set(input_ids=[], inputs=[{"id": "in-8"}, {"id": "in-9"}])),
        MADE,
        TEST,
    ),
    _new(
        "existing-batch",
        f', id="gate", name="Gate", metrics=[{METRIC}]',
        ok(shapes.batch("gate")),
        batches.RUNS,
        TEST,
    ),
    _new(
        "generated-and-answered-with-another-id",
        f', metrics=[{METRIC}], input_set_id="set-1"',
        SET,
        MADE,
        generated=("acceptance",),
        official_fails=True,
    ),
    Case(
        "new_acceptance_test",
        "later-order",
        f'app.new_acceptance_test("trial", "staging", [{METRIC}], "gate", "G", "s")',
        (SET, MADE, TEST),
    ),
    _new(
        "missing-batch",
        f', id="gate", name="Gate", metrics=[{METRIC}]',
        fails(404),
        official_fails=True,
    ),
    _new(
        "forbidden-batch",
        f', id="gate", name="Gate", metrics=[{METRIC}]',
        fails(403),
    ),
    _new(
        "missing-set",
        f', id="gate", name="Gate", metrics=[{METRIC}], input_set_id="none"',
        fails(404),
    ),
    Case(
        "new_acceptance_test_with_result",
        "input-set",
        'app.new_acceptance_test_with_result(candidate_instance_id="trial",'
        f' baseline_instance_id="staging", id="gate", metrics=[{METRIC}], name="G",'
        ' input_set_id="set-1", description="d", polling_options=QUICK)',
        (SET, MADE, _status("started"), _status("started"), TEST, TEST),
    ),
    Case(
        "new_acceptance_test_with_result",
        "existing-batch",
        'app.new_acceptance_test_with_result(candidate_instance_id="trial",'
        f' baseline_instance_id="staging", id="gate", metrics=[{METRIC}], name="G",'
        " polling_options=QUICK)",
        (
            ok(shapes.batch("gate")),
            batches.RUNS,
            _status("started"),
            _status("failed"),
            _status("failed"),
        ),
    ),
    *common.reads("acceptance_test", shapes.acceptance(), BARE),
    Case(
        "acceptance_test",
        "nulls",
        'app.acceptance_test(acceptance_test_id="one")',
        (
            ok(
                BARE
                | {
                    "status": None,
                    "control": None,
                    "candidate": None,
                    "metrics": None,
                    "results": {"passed": False, "error": "no runs"},
                }
            ),
        ),
    ),
    Case(
        "acceptance_test",
        "undefined-tolerance",
        'app.acceptance_test("one")',
        (
            ok(
                shapes.acceptance(
                    metrics=[
                        shapes.METRIC
                        | {
                            "params": {
                                "operator": "ge",
                                "tolerance": {"type": "", "value": 0},
                            }
                        }
                    ],
                    results=None,
                )
            ),
        ),
    ),
    Case(
        "acceptance_test",
        "unknown-words",
        'app.acceptance_test("one")',
        (
            ok(
                shapes.acceptance(
                    metrics=[shapes.METRIC | {"statistic": "p33"}], status="dreaming"
                )
            ),
        ),
        official_fails=True,
    ),
    _polled("completed", _status("started"), _status("completed"), TEST),
    _polled("failed", _status("failed"), _status("failed")),
    _polled(
        "statuses-that-go-on",
        _status(None),
        _status(shapes.ABSENT),
        _status("deleting"),
        _status("canceled"),
        _status("canceled"),
    ),
    _polled("missing", fails(404)),
    *common.lists("list_acceptance_tests", shapes.acceptance, BARE),
    *common.deletes("delete_acceptance_test", "acceptance_test_id"),
    Case(
        "update_acceptance_test",
        "both",
        'app.update_acceptance_test("gate", name="N", description="d")',
        (TEST,),
    ),
    Case(
        "update_acceptance_test",
        "by-name",
        'app.update_acceptance_test(acceptance_test_id="gate", name="N")',
        (TEST,),
    ),
    Case(
        "update_acceptance_test",
        "nothing",
        'app.update_acceptance_test("gate")',
        official_fails=True,
    ),
    Case(
        "update_acceptance_test",
        "empty-texts",
        'app.update_acceptance_test("gate", name="", description="")',
        official_fails=True,
    ),
]
