"""Starting runs: every kind of input and configuration (wire/nextmv.md 3.3.1)."""

from pathlib import Path
from typing import Any

from tests.wire.nextmv.case import Case, fails, ok
from tests.wire.nextmv.cases import shapes

STARTED = ok({"run_id": "run-1", "queue": "unheard of"})
UPLOAD = ok(shapes.upload())
PUT = ok("")

INLINE_LIMIT = 5_242_880


def _directory(tmp: Path) -> dict[str, Any]:
    files = {
        "stops.csv": "id,x\ns1,1\n",
        "deep/er/notes.txt": "deep ünïcode\n",
        ".hidden": "seen\n",
        "inputs.tar.gz": "left out\n",
    }
    for name, text in files.items():
        path = tmp / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp / "in" / "empty").mkdir()
    (tmp / "in" / "link").symlink_to("stops.csv")
    return {"here": str(tmp / "in")}


def _large(tmp: Path) -> dict[str, Any]:
    del tmp
    envelope = len('{"text":""}')
    return {
        "exactly": {"text": "x" * (INLINE_LIMIT - envelope)},
        "over": {"text": "x" * (INLINE_LIMIT - envelope + 1)},
        # Counted as it is escaped: six bytes a letter, and twelve beyond the plane.
        "escaped": {"text": "ü" * 400_000 + "𝄞" * 250_000},
    }


def new_run(name: str, arguments: str, *answers: Any, **more: Any) -> Case:
    """A case of new_run."""
    given = answers or (STARTED,)
    return Case("new_run", name, f"app.new_run({arguments})", given, **more)


_ENSEMBLE = '{"run_type": {"type": "ensemble", "definition_id": "duo"}}'

CASES: list[Case] = [
    new_run("nothing", ""),
    new_run("positional", '{"a": 1}, "staging"'),
    new_run(
        "everything",
        'input={"stops": [{"id": "s1"}], "ü": None}, instance_id="staging",'
        ' name="night-042", description="with ünïcode",'
        ' options={"duration": "10s"}, batch_experiment_id="nightly-7"',
    ),
    new_run(
        "options-become-text",
        'options={"a": "1", "b": 1, "c": True, "d": None, "e": 1.5, "f": [1, 2],'
        ' "g": {"h": "i"}, "j": "", "k": "ü"}',
    ),
    new_run("no-options", 'input={"a": 1}, options={}'),
    new_run("options-of-the-input", "input=Input(data={'a': 1}, options={'b': '2'})"),
    new_run("empty-texts", 'input={}, name="", description="", instance_id=""'),
    new_run("nested", 'input={"a": {"b": [1, 2.5, None, True, {"c": []}]}}'),
    new_run("text", 'input="id,x\\ns1,ü\\n"', UPLOAD, PUT, STARTED),
    new_run(
        "text-with-configuration",
        'input="plain", configuration={"execution_class": "6c9500mb870s"}',
        UPLOAD,
        PUT,
        STARTED,
    ),
    new_run("exactly-inline", "input=exactly", setup=_large),
    new_run("too-large", "input=over", UPLOAD, PUT, STARTED, setup=_large),
    new_run(
        "too-large-when-escaped", "input=escaped", UPLOAD, PUT, STARTED, setup=_large
    ),
    new_run("upload", 'upload_id="up-9"'),
    new_run("upload-wins", 'input={"a": 1}, upload_id="up-9"'),
    new_run("empty-upload", 'input={"a": 1}, upload_id=""'),
    new_run("directory", "input_dir_path=here", UPLOAD, PUT, STARTED, setup=_directory),
    new_run(
        "directory-with-format",
        "input_dir_path=here, configuration=RunConfiguration(format=Format("
        'format_input=FormatInput(input_type="csv-archive"),'
        ' format_output=FormatOutput(output_type="multi-file")))',
        UPLOAD,
        PUT,
        STARTED,
        setup=_directory,
    ),
    new_run(
        "missing-directory",
        'input_dir_path="nowhere/at/all"',
        STARTED,
        official_fails=True,
    ),
    new_run(
        "directory-and-dict",
        'input={"a": 1}, input_dir_path=here',
        UPLOAD,
        PUT,
        STARTED,
        setup=_directory,
    ),
    new_run(
        "managed-input-id",
        'managed_input_id="in-1"',
        ok(shapes.managed_input()),
        STARTED,
    ),
    new_run(
        "managed-input-id-of-files",
        'managed_input_id="in-1", options={"a": "b"}',
        ok(shapes.managed_input(format=shapes.format_of("multi-file"))),
        STARTED,
    ),
    new_run(
        "managed-input-id-without-format",
        'managed_input_id="in-1"',
        ok({"id": "in-1"}),
        STARTED,
    ),
    new_run(
        "managed-input",
        'input=ManagedInput(id="in-1", name="Monday")',
    ),
    new_run(
        "managed-input-with-configuration",
        'managed_input_id="in-1", configuration={"queuing": {"priority": 1}}',
        ok(shapes.managed_input()),
        STARTED,
    ),
    new_run(
        "managed-input-and-directory",
        'managed_input_id="in-1", input_dir_path=here',
        ok(shapes.managed_input()),
        setup=_directory,
        official_fails=True,
    ),
    new_run("input-of-json", 'input=Input(data={"a": 1}, input_format="json")'),
    new_run(
        "input-of-text",
        'input=Input(data="plain", input_format="text")',
        UPLOAD,
        PUT,
        STARTED,
    ),
    new_run(
        "list",
        'input=[{"a": 1}]',
    ),
    new_run("configuration-empty", "input={}, configuration={}"),
    new_run(
        "configuration-dict",
        'input={}, configuration={"execution_class": "6c9500mb870s",'
        ' "secrets_collection_id": "keys",'
        ' "queuing": {"priority": 1, "disabled": True},'
        ' "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},'
        ' "format": {"input": {"type": "json"}}}',
    ),
    new_run(
        "configuration-object",
        'input={}, configuration=RunConfiguration(execution_class="6c9500mb870s",'
        ' secrets_collection_id="keys", queuing=RunQueuing(priority=9),'
        " run_type=RunTypeConfiguration(run_type=RunType.STANDARD))",
    ),
    new_run(
        "integration",
        'input={}, configuration=RunConfiguration(integration_id="databricks")',
    ),
    new_run(
        "integration-dict",
        'input={}, configuration={"integration_id": "databricks"}',
    ),
    new_run(
        "integration-of-other-class",
        'configuration={"integration_id": "databricks", "execution_class": "big"}',
        official_fails=True,
    ),
    new_run(
        "priority-too-high",
        "input={}, configuration=RunConfiguration(queuing=RunQueuing(priority=10))",
        official_fails=True,
    ),
    new_run(
        "unknown-key-of-configuration",
        'input={}, configuration={"execution_class": "big", "unheard": 1}',
    ),
    new_run("ensemble", f"input={{}}, configuration={_ENSEMBLE}"),
    new_run(
        "ensemble-with-instance",
        f'input={{}}, instance_id="staging", configuration={_ENSEMBLE}',
    ),
    new_run(
        "default-instance",
        "input={}",
        ok(shapes.application()),
        STARTED,
        app='Application.get(client, id="routing")',
    ),
    new_run(
        "instance-before-default",
        'input={}, instance_id="latest"',
        ok(shapes.application()),
        STARTED,
        app='Application.get(client, id="routing")',
    ),
    new_run(
        "ensemble-without-default-instance",
        f"input={{}}, configuration={_ENSEMBLE}",
        ok(shapes.application()),
        STARTED,
        app='Application.get(client, id="routing")',
    ),
    new_run(
        "external-result",
        'upload_id="up-1", external_result=ExternalRunResult(status="succeeded",'
        ' output_upload_id="up-2", error_upload_id="up-3", execution_duration=12,'
        ' statistics_upload_id="up-4", metrics_upload_id="up-5",'
        ' assets_upload_id="up-6")',
    ),
    new_run(
        "external-result-dict",
        'upload_id="up-1", external_result={"status": "failed",'
        ' "error_message": "no route"}',
    ),
    new_run(
        "external-result-of-unknown-status",
        'upload_id="up-1", external_result=ExternalRunResult(status="lost")',
        official_fails=True,
    ),
    new_run(
        "json-configurations",
        'input={"b": 1, "a": 2}, options={"o": {"b": 1, "a": 2}},'
        ' json_configurations={"sort_keys": True}',
    ),
    new_run(
        "datetime-in-the-input",
        'input={"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),'
        ' "naive": datetime(2026, 1, 2), "day": date(2026, 1, 2)}',
    ),
    new_run("refused", "input={}", fails(403, '{"error":"not yours"}')),
    new_run("not-valid", "input={}", fails(400, {"error": "bad option"})),
    new_run("no-run-id", "input={}", ok({"id": "run-1"}), official_fails=True),
    Case(
        "new_run_with_result",
        "dict",
        'app.new_run_with_result(input={"a": 1}, run_options={"seed": 1},'
        ' name="n", description="d", instance_id="staging",'
        ' batch_experiment_id="nightly-7", polling_options=QUICK)',
        (
            STARTED,
            ok(shapes.information(status_v2="queued")),
            ok(shapes.information(status_v2="running", execution_duration=None)),
            ok(shapes.information()),
            ok(shapes.result()),
        ),
    ),
    Case(
        "new_run_with_result",
        "failed",
        'app.new_run_with_result(input={"a": 1}, polling_options=QUICK)',
        (
            STARTED,
            ok(shapes.information(status_v2="failed", error="exit status 1")),
            ok(
                shapes.information(status_v2="failed", error="exit status 1")
                | {"error_log": {"error": "exit status 1", "stderr": "Traceback"}}
            ),
        ),
    ),
    Case(
        "new_run_with_result",
        "canceled",
        "app.new_run_with_result(polling_options=QUICK)",
        (
            STARTED,
            ok(shapes.information(status_v2="canceled")),
            ok(shapes.information(status_v2="canceled") | {"error_log": None}),
        ),
    ),
    Case(
        "new_run_with_result",
        "files",
        "app.new_run_with_result(input_dir_path=here, output_dir_path='out',"
        " polling_options=QUICK)",
        (
            UPLOAD,
            PUT,
            STARTED,
            ok(shapes.information(format=shapes.format_of("multi-file"))),
            ok(
                shapes.information(format=shapes.format_of("multi-file"))
                | {"output": {"url": "$FILES/out"}}
            ),
            ok(shapes.information(format=shapes.format_of("multi-file"))),
            ok({"url": "$FILES/out/1?sig=x"}),
            ok(shapes.archive({"a.txt": "one\n", "deep/b.txt": "two\n"})),
        ),
        setup=_directory,
        shows="tree(tmp / 'out')",
    ),
    Case(
        "new_run_with_result",
        "managed-input",
        "app.new_run_with_result(managed_input_id='in-1',"
        " configuration={'format': {'input': {'type': 'json'},"
        " 'output': {'type': 'json'}}}, polling_options=QUICK)",
        (
            ok(shapes.managed_input()),
            STARTED,
            ok(shapes.information()),
            ok(shapes.result()),
        ),
    ),
    Case(
        "new_run_with_result",
        "upload-and-external-result",
        "app.new_run_with_result(upload_id='up-1',"
        " external_result={'status': 'succeeded', 'output_upload_id': 'up-2'},"
        " json_configurations={'sort_keys': True}, polling_options=QUICK)",
        (STARTED, ok(shapes.information()), ok(shapes.result())),
    ),
    Case(
        "new_run_with_result",
        "too-many-tries",
        "app.new_run_with_result(polling_options=PollingOptions(initial_delay=0,"
        " delay=0, backoff=0, jitter=0, max_tries=2))",
        (
            STARTED,
            ok(shapes.information(status_v2="queued")),
            ok(shapes.information(status_v2="running")),
        ),
    ),
    Case(
        "new_run_with_result",
        "too-long",
        "app.new_run_with_result(polling_options=PollingOptions(initial_delay=0,"
        " delay=0, backoff=0, jitter=0, max_duration=0))",
        (STARTED, ok(shapes.information(status_v2="running"))),
    ),
]
