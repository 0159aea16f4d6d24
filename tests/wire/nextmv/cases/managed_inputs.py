"""Managed inputs (wire/nextmv.md 3.10)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

RICH = ok(shapes.managed_input())
BARE = {"id": "one"}


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_managed_input({arguments})"
    return Case("new_managed_input", name, call, answers or (RICH,), **more)


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.update_managed_input({arguments})"
    return Case("update_managed_input", name, call, answers or (RICH, RICH), **more)


CASES: list[Case] = [
    _new("upload", 'id="in-1", name="Monday", upload_id="up-1", description="d ü"'),
    _new("run", 'id="in-1", name="Monday", run_id="run-1"'),
    _new("both", 'id="in-1", name="Monday", upload_id="up-1", run_id="run-1"'),
    _new("positional", '"in-1", "Monday", "d", "up-1"'),
    _new(
        "format",
        'id="in-1", name="M", upload_id="up-1",'
        " format=Format(format_input=FormatInput(input_type='multi-file'))",
    ),
    _new(
        "raw-format",
        'id="in-1", name="M", upload_id="up-1",'
        ' format={"input": {"type": "text"}, "unheard": 1}',
    ),
    _new("empty-texts", 'id="in-1", name="", description="", upload_id=""'),
    _new("generated", 'upload_id="up-1"', generated=("managed-input",)),
    _new("nothing", 'id="in-1", name="M"', official_fails=True),
    _new("refused", 'id="in-1", upload_id="up-1"', fails(400)),
    *common.reads(
        "managed_input",
        shapes.managed_input(format=shapes.format_of("csv-archive")),
        BARE,
    ),
    Case(
        "managed_input",
        "nulls",
        'app.managed_input(managed_input_id="one")',
        (
            ok(
                shapes.managed_input(
                    name=None,
                    description=None,
                    upload_id=None,
                    format=None,
                    created_at=None,
                    updated_at=None,
                )
            ),
        ),
    ),
    Case(
        "managed_input",
        "unknown-format",
        'app.managed_input(managed_input_id="one")',
        (ok(shapes.managed_input(format=shapes.format_of("parquet"))),),
        official_fails=True,
    ),
    *common.lists("list_managed_inputs", shapes.managed_input, BARE),
    _update("name", 'managed_input_id="in-1", name="N"'),
    _update("both", '"in-1", "N", ""'),
    _update("nothing", '"in-1"', ok(BARE), ok(BARE)),
    _update("missing", '"in-1", name="N"', fails(404)),
    *common.deletes("delete_managed_input", "managed_input_id"),
]
