"""Ensemble definitions (wire/nextmv.md 3.7)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

DUO = ok(shapes.ensemble())
BARE = {
    "id": "one",
    "application_id": "routing",
    "run_groups": [],
    "rules": [],
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
}
GROUPS = (
    '[RunGroup(id="g1", instance_id="staging", options={"threads": "1"}),'
    ' RunGroup(id="g2", instance_id="trial", repetitions=2)]'
)
RULES = (
    '[EvaluationRule(id="best", statistics_path="$.result.value",'
    " objective=RuleObjective.MINIMIZE, index=0,"
    " tolerance=RuleTolerance(value=0.5, type=RuleToleranceType.RELATIVE))]"
)


def _new(operation: str) -> list[Case]:
    def case(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
        call = f"app.{operation}({arguments})"
        return Case(operation, name, call, answers or (DUO,), **more)

    both = f"run_groups={GROUPS}, rules={RULES}"
    return [
        case("everything", f'id="duo", {both}, name="Duo", description="d ü"'),
        case("without-names", f'id="duo", {both}'),
        case("name-alone", f'id="duo", {both}, name="Duo", description=""'),
        case("no-groups", f'id="d", run_groups=[], rules={RULES}', official_fails=True),
        case("no-rules", f'id="d", run_groups={GROUPS}, rules=[]', official_fails=True),
        case("refused", f'id="duo", {both}', fails(409)),
    ]


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.update_ensemble_definition({arguments})"
    return Case("update_ensemble_definition", name, call, answers or (DUO,), **more)


CASES: list[Case] = [
    *_new("new_ensemble_defintion"),
    Case(
        "new_ensemble_defintion",
        "positional",
        f'app.new_ensemble_defintion("duo", {GROUPS}, {RULES}, "Duo", "d")',
        (DUO,),
    ),
    *_new("new_ensemble_definition"),
    Case(
        "new_ensemble_definition",
        "generated",
        f"app.new_ensemble_definition({GROUPS}, {RULES})",
        (DUO,),
        generated=("ensemble",),
    ),
    *common.reads("ensemble_definition", shapes.ensemble(), BARE),
    Case(
        "ensemble_definition",
        "unknown-words",
        'app.ensemble_definition(ensemble_definition_id="duo")',
        (
            ok(
                shapes.ensemble(
                    rules=[
                        {
                            "id": "r",
                            "statistics_path": "$",
                            "objective": "balance",
                            "tolerance": {"value": 1, "type": "cosmic"},
                            "index": 1,
                        }
                    ]
                )
            ),
        ),
        official_fails=True,
    ),
    *common.lists(
        "list_ensemble_definitions",
        shapes.ensemble,
        BARE,
        wrapped=True,
    ),
    _update("name", 'id="duo", name="N"'),
    _update("both", '"duo", "N", ""'),
    _update("nothing", '"duo"', official_fails=True),
    _update("missing", '"duo", name="N"', fails(404)),
    *common.deletes("delete_ensemble_definition", "ensemble_definition_id"),
]
