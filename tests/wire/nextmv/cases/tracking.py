"""Tracking runs that happened elsewhere (wire/nextmv.md 3.3.5)."""

from pathlib import Path
from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import shapes

STARTED = ok({"run_id": "run-1"})


def _uploads(count: int) -> tuple[Answer, ...]:
    pairs = ((ok(shapes.upload(n)), ok("")) for n in range(1, count + 1))
    return tuple(answer for pair in pairs for answer in pair)


def _directories(tmp: Path) -> dict[str, Any]:
    for name, text in {"in/a.txt": "one\n", "out/deep/b.txt": "two\n"}.items():
        path = tmp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {"into": str(tmp / "in"), "out": str(tmp / "out")}


def _track(name: str, uploads: int, run: str, more: str = "", **settings: Any) -> Case:
    call = f"app.track_run(tracked_run=TrackedRun({run}){more})"
    return Case("track_run", name, call, (*_uploads(uploads), STARTED), **settings)


_OK = "status=TrackedRunStatus.SUCCEEDED"
_FAILED = "status=TrackedRunStatus.FAILED"
_BOTH = 'input={"a": 1}, output={"b": 2}'

CASES: list[Case] = [
    _track("json", 2, f"{_OK}, {_BOTH}"),
    _track("positional", 2, 'TrackedRunStatus.SUCCEEDED, {"a": 1}, {"b": 2}, 12'),
    _track(
        "everything",
        6,
        f'{_OK}, {_BOTH}, duration=1200, logs="one\\ntwo", name="n", description="d",'
        ' statistics={"result": {"value": 1}}, metrics={"value": 1},'
        ' assets=[{"name": "a", "content": {"x": 1}, "content_type": "json"}]',
        ', instance_id="staging", configuration={"execution_class": "big"}',
    ),
    _track("text", 2, f'{_OK}, input="in ü", output="out"'),
    _track("failed", 2, f'{_FAILED}, {_BOTH}, error="no route", duration=0'),
    _track("without-output", 1, f'{_FAILED}, input={{"a": 1}}'),
    _track("empty-output", 1, f'{_OK}, input={{"a": 1}}, output={{}}'),
    _track("empty-logs", 2, f'{_OK}, {_BOTH}, logs=[], error="", metrics={{}}'),
    _track("log-text", 3, f'{_OK}, {_BOTH}, logs="one\\ntwo\\n"'),
    _track("log-of-one-line", 3, f'{_OK}, {_BOTH}, logs=["one"]'),
    _track("log-lines", 3, f'{_OK}, {_BOTH}, logs=["one", "two"]'),
    _track(
        "wrapped-statistics",
        3,
        f'{_OK}, {_BOTH}, statistics={{"statistics": {{"run": {{"duration": 1}}}}}}',
    ),
    _track("wrapped-assets", 3, f'{_OK}, {_BOTH}, assets={{"assets": []}}'),
    _track("assets-dict", 3, f'{_OK}, {_BOTH}, assets={{"a": 1}}'),
    _track("no-assets", 3, f"{_OK}, {_BOTH}, assets=[]"),
    _track(
        "asset-object",
        3,
        f'{_OK}, {_BOTH}, assets=[Asset(name="a", content={{"x": 1}},'
        ' visual=Visual(visual_schema=VisualSchema.PLOTLY, label="l"))]',
    ),
    _track(
        "directories",
        2,
        f"{_OK}, input_dir_path=into, output_dir_path=out",
        ', configuration={"format": {"input": {"type": "multi-file"},'
        ' "output": {"type": "multi-file"}}}',
        setup=_directories,
    ),
    _track(
        "directories-without-configuration",
        2,
        f"{_OK}, input_dir_path=into, output_dir_path=out",
        setup=_directories,
    ),
    _track(
        "directory-and-input",
        2,
        f'{_OK}, input={{"a": 1}}, input_dir_path=into, output={{"b": 2}}',
        setup=_directories,
    ),
    _track("nothing", 1, _OK, official_fails=True),
    _track("error-of-a-success", 0, f'{_OK}, {_BOTH}, error="no"', official_fails=True),
    _track(
        "input-without-json",
        0,
        f"{_OK}, input={{'a': {{1, 2}}}}",
        official_fails=True,
    ),
    Case(
        "track_run",
        "refused",
        f"app.track_run(TrackedRun({_OK}, {_BOTH}))",
        (*_uploads(2), fails(400)),
    ),
    Case(
        "track_run",
        "upload-refused",
        f"app.track_run(TrackedRun({_OK}, {_BOTH}))",
        (ok(shapes.upload()), fails(403)),
    ),
    Case(
        "track_run_with_result",
        "json",
        f'app.track_run_with_result(TrackedRun({_OK}, {_BOTH}, name="n"),'
        ' polling_options=QUICK, instance_id="staging")',
        (
            *_uploads(2),
            STARTED,
            ok(shapes.information(status_v2="running", run_type={"type": "external"})),
            ok(shapes.information(run_type={"type": "external"})),
            ok(shapes.result(run_type={"type": "external"})),
        ),
    ),
    Case(
        "track_run_with_result",
        "failed",
        f"app.track_run_with_result(tracked_run=TrackedRun({_FAILED}, {_BOTH},"
        ' error="no"), polling_options=QUICK)',
        (
            *_uploads(2),
            STARTED,
            ok(shapes.information(status_v2="failed")),
            ok(shapes.information(status_v2="failed") | {"error_log": {"error": "no"}}),
        ),
    ),
]
