"""Input sets (wire/nextmv.md 3.8, 3.13)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

SET = ok(shapes.input_set())
BARE = {
    "id": "one",
    "app_id": "",
    "name": "",
    "description": "",
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
    "input_ids": [],
    "inputs": [],
}


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_input_set({arguments})"
    return Case("new_input_set", name, call, answers or (SET,), **more)


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.update_input_set({arguments})"
    given = answers or (
        ok(shapes.input_set(inputs=[shapes.managed_input()])),
        SET,
    )
    return Case("update_input_set", name, call, given, **more)


CASES: list[Case] = [
    _new(
        "window",
        'id="set-1", name="Set 1", description="d ü", instance_id="staging",'
        " start_time=datetime(2026, 5, 1, tzinfo=timezone.utc),"
        " end_time=datetime(2026, 5, 2, 3, 4, 5, 678900,"
        " tzinfo=timezone(timedelta(hours=2))), maximum_runs=10",
    ),
    _new(
        "naive-window",
        'id="set-1", name="S", instance_id="i", start_time=datetime(2026, 5, 1),'
        " end_time=datetime(2026, 5, 2), maximum_runs=0",
    ),
    _new("runs", 'id="set-1", name="S", run_ids=["run-1", "run-2"]'),
    _new("no-runs", 'id="set-1", name="S", run_ids=[]'),
    _new(
        "inputs",
        'id="set-1", name="S", inputs=[ManagedInput(id="in-1"), ManagedInput(id="in-2",'
        ' name="N", description="", upload_id="up-1",'
        " created_at=datetime(2026, 5, 1, tzinfo=timezone.utc),"
        " format=Format(format_input=FormatInput(input_type='json')))]",
    ),
    _new("positional", '"set-1", "S", "d"'),
    _new("empty-texts", 'id="set-1", name="", description=""'),
    _new("generated", "", generated=("input-set",)),
    _new(
        "rich-answer",
        'id="set-1", name="S"',
        ok(
            shapes.input_set(
                inputs=[shapes.managed_input(), {"id": "in-2", "format": None}]
            )
        ),
    ),
    _new("refused", 'id="set-1", name="S"', fails(400)),
    *common.reads("input_set", shapes.input_set(inputs=[shapes.managed_input()]), BARE),
    Case(
        "input_set",
        "without-lists",
        'app.input_set(input_set_id="one")',
        (ok(shapes.input_set(input_ids=None, inputs=shapes.ABSENT)),),
        official_fails=True,
    ),
    *common.lists("list_input_sets", shapes.input_set, BARE),
    _update("name", 'id="set-1", name="N"'),
    _update(
        "everything",
        'id="set-1", name="N", description="", inputs=[ManagedInput(id="in-7")]',
    ),
    _update("no-inputs", '"set-1", inputs=[]', ok(BARE), ok(BARE)),
    _update("missing", '"set-1", name="N"', fails(404)),
    *common.deletes("delete_input_set", "input_set_id"),
]
