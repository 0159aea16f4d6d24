"""Applications, and pushing to them (wire/nextmv.md 3.1, 6)."""

from pathlib import Path
from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

RICH = ok(shapes.application())
BARE = {"id": "routing"}
ACTIVATION = (ok({"upload_url": "$FILES/push/1?sig=a%2Fb"}), ok(""), ok({"ok": 1}))


def _app(manifest: str, *files: str) -> Any:
    def setup(tmp: Path) -> dict[str, Any]:
        (tmp / "app.yaml").write_text(manifest)
        for name in files:
            path = tmp / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {name}\n")
        return {"here": str(tmp)}

    return setup


PYTHON = """\
type: python
runtime: ghcr.io/nextmv-io/runtime/python:3.11
files:
  - main.py
  - src/**
  - data/
  - "!data/secret.txt"
"""
FULL = """\
type: python
runtime: ghcr.io/nextmv-io/runtime/python:3.11
files: [main.py]
execution:
  entrypoint: main.py
  cwd: ./src
configuration:
  content:
    format: multi-file
    multi-file:
      input:
        path: in
      output:
        solutions: out/solutions
        metrics: out/metrics.json
        assets: out/assets.json
        statistics: out/statistics.json
  options:
    strict: true
    validation:
      enforce: all
    format: ["-{{name}}", "{{value}}"]
    items:
      - name: threads
        option_type: int
        default: 4
        description: How many
        required: true
      - name: verbose
        option_type: bool
        default: false
      - name: level
        type: string
        default: low
        additional_attributes: {values: [low, high]}
        ui: {control_type: select, display_name: Level, hidden_from: [operator]}
      - name: secret_knob
        option_type: float
        default: 0.5
        local_only: true
"""
SMALL = """\
type: python
runtime: ghcr.io/nextmv-io/runtime/python:3.11
files: [main.py]
"""
BINARY = """\
type: binary
runtime: ghcr.io/nextmv-io/runtime/default:latest
files:
  - main
build:
  command: sh build.sh made
  environment: {GREETING: hello}
pre-push: printf pushed >> main
"""


def _build(tmp: Path) -> dict[str, Any]:
    (tmp / "app.yaml").write_text(BINARY)
    (tmp / "build.sh").write_text('printf "$GREETING $1 " > main\n')
    return {"here": str(tmp)}


def _push(name: str, setup: Any, *answers: Answer, **more: Any) -> Case:
    given = answers or ACTIVATION
    return Case("push", name, "app.push(app_dir=here)", given, setup=setup, **more)


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"Application.new(client, {arguments})"
    return Case("Application.new", name, call, answers or (RICH,), **more)


def _get(name: str, *answers: Answer, **more: Any) -> Case:
    call = 'Application.get(client=client, id="routing")'
    return Case("Application.get", name, call, answers, **more)


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    given = answers or (RICH, RICH)
    return Case("update", name, f"app.update({arguments})", given, **more)


CASES: list[Case] = [
    *common.lists(
        "list_applications",
        shapes.application,
        BARE,
        call="list_applications(client, ",
    ),
    _get("rich", RICH),
    _get("bare", ok(BARE)),
    _get("nulls", ok({"id": "routing", "name": None, "type": None})),
    _get("pipeline", ok(shapes.application(type="pipeline", locked=True))),
    _get("missing", fails(404)),
    _get("unknown-type", ok(shapes.application(type="swarm")), official_fails=True),
    Case("Application.get", "odd-id", 'Application.get(client, "r ü")', (RICH,)),
    Case("Application.exists", "yes", 'Application.exists(client, "a")', (RICH,)),
    Case(
        "Application.exists", "no", 'Application.exists(client, id="a")', (fails(404),)
    ),
    Case(
        "Application.exists",
        "forbidden",
        'Application.exists(client=client, id="a")',
        (fails(403),),
    ),
    _new("name-and-id", 'name="Routing", id="routing"'),
    _new("positional", '"Routing", "routing", "Routes", True'),
    _new(
        "everything",
        'name="Routing", id="routing", description="Routes ü", is_workflow=False,'
        ' default_instance_id="staging", default_experiment_instance="trial"',
    ),
    _new("empty-texts", 'name="", id="routing", description=""'),
    _new("generated", 'name="Routing"', generated=("app",)),
    _new("nothing", "", generated=("app",)),
    _new("exists", 'name="R", id="routing", exist_ok=True', RICH, RICH),
    _new("made", 'name="R", id="routing", exist_ok=True', fails(404), RICH),
    _new("exist-ok-without-id", 'name="R", exist_ok=True', official_fails=True),
    _new("conflict", 'name="R", id="routing"', fails(409)),
    _update("name", 'name="New"'),
    _update(
        "everything",
        'name="N", description="", default_instance_id="i",'
        ' default_experiment_instance="e"',
    ),
    _update("positional", '"N", "D"'),
    _update("nothing", "", ok(BARE), ok(BARE)),
    _update("missing", 'name="N"', fails(404)),
    _update("refused", 'name="N"', RICH, fails(400)),
    Case("delete", "no-body", "app.delete()", (Answer(204),)),
    Case("delete", "body", "app.delete()", (ok({"id": "routing"}),)),
    Case("delete", "missing", "app.delete()", (fails(404),)),
    _push(
        "python",
        _app(
            PYTHON,
            "main.py",
            "src/a.py",
            "src/deep/b.py",
            "data/one.csv",
            "data/secret.txt",
            "data/deep/two.csv",
            "left_out.py",
        ),
    ),
    _push("everything", _app(FULL, "main.py")),
    _push("built", _build),
    Case(
        "push",
        "manifest",
        "app.push(Manifest(type='python', files=['main.py'],"
        " runtime='ghcr.io/nextmv-io/runtime/python:3.11'), here)",
        ACTIVATION,
        setup=_app("type: go\nfiles: [none]\n", "main.py"),
    ),
    _push("missing-file", _app(PYTHON, "main.py"), official_fails=True),
    _push(
        "missing-entrypoint",
        _app("type: python\nfiles: [other.py]\n", "other.py"),
        official_fails=True,
    ),
    _push("refused", _app(FULL, "main.py"), fails(404)),
    _push("upload-refused", _app(FULL, "main.py"), ACTIVATION[0], fails(403)),
    _push("activation-refused", _app(FULL, "main.py"), *ACTIVATION[:2], fails(400)),
    Case(
        "push",
        "with-version",
        "app.push(app_dir=here, version_id='v9', version_name='Nine',"
        " version_description='Ninth')",
        (*ACTIVATION, ok(shapes.version("v9"))),
        setup=_app(SMALL, "main.py"),
        official_fails=True,
    ),
    Case(
        "push",
        "no-version",
        "app.push(app_dir=here, no_version=True)",
        ACTIVATION,
        setup=_app(SMALL, "main.py"),
        official_fails=True,
    ),
]
