"""Drives the official Nextmv client's resources: base URL, token, directory."""

import json
import pathlib
import sys
from datetime import UTC, datetime, timedelta

import requests
from nextmv import PollingOptions, RunConfiguration, TrackedRun, TrackedRunStatus
from nextmv.cloud import (
    Application,
    Client,
    EvaluationRule,
    InstanceConfiguration,
    ManagedInput,
    RunGroup,
    Secret,
)

MAIN = """
import json, os, pathlib, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
inputs = pathlib.Path("inputs")
if inputs.is_dir():
    out = pathlib.Path("outputs")
    (out / "solutions").mkdir(parents=True, exist_ok=True)
    for path in inputs.iterdir():
        (out / "solutions" / path.name).write_text(path.read_text().upper())
    (out / "metrics.json").write_text('{"files": 2}')
    (out / "statistics.json").write_text('{"statistics": {"run": {"duration": 1}}}')
    (out / "assets.json").write_text(json.dumps({"assets": [
        {"name": "map", "content": {"x": 1}, "content_type": "json",
         "visual": {"schema": "geojson", "label": "Map", "type": "custom-tab"}}]}))
    sys.exit()
license = pathlib.Path("license.txt")
print("thinking", file=sys.stderr)
json.dump({
    "solution": json.load(sys.stdin),
    "options": options,
    "env": os.environ.get("SOLVER_KEY"),
    "license": license.read_text() if license.exists() else None,
    "statistics": {"result": {"value": float(options.get("-value", 0))}},
    "metrics": {"value": float(options.get("-value", 0))},
    "assets": [{"name": "raw", "content": [1, 2], "content_type": "json"}],
}, sys.stdout)
"""

YAML = """
type: python
runtime: ghcr.io/nextmv-io/runtime/python:3.11
files:
  - main.py
"""

FILES = {"format": {"input": {"type": "multi-file"}, "output": {"type": "multi-file"}}}


def polling():
    return PollingOptions(
        initial_delay=0.02,
        delay=0.02,
        backoff=0.02,
        jitter=0,
        max_delay=0.2,
        max_duration=30,
    )


def done(app, run_id, **kwargs):
    return app.run_result_with_polling(run_id, polling_options=polling(), **kwargs)


def managed_inputs(app):
    url = app.upload_url()
    app.upload_data(data={"n": 1}, upload_url=url)
    made = app.new_managed_input(id="one", name="One", upload_id=url.upload_id)
    run_id = app.new_run(managed_input_id="one", name="first")
    result = done(app, run_id)
    app.new_managed_input(id="two", run_id=run_id)
    again = done(app, app.new_run(input=ManagedInput(id="two")))
    renamed = app.update_managed_input("one", name="Uno")
    app.new_managed_input(id="three", upload_id=url.upload_id)
    app.delete_managed_input("three")
    clone = done(app, app.clone_run(run_id))
    return run_id, {
        "format": made.format.to_dict(),
        "solution": result.output["solution"],
        "tracking": result.metadata.tracking.input_id,
        "again": again.output["solution"],
        "renamed": renamed.name,
        "listed": [each.id for each in app.list_managed_inputs()],
        "read": app.managed_input("two").run_id == run_id,
        "clone": [clone.name, clone.output["solution"]],
        "cloned": clone.metadata.tracking.cloned_run_id == run_id,
    }


def input_sets(app, run_id):
    of_inputs = app.new_input_set(
        id="inputs", inputs=[ManagedInput(id="one"), ManagedInput(id="two")]
    )
    of_runs = app.new_input_set(id="runs", run_ids=[run_id])
    now = datetime.now(UTC)
    window = app.new_input_set(
        id="window",
        instance_id="staging",
        start_time=now - timedelta(hours=1),
        end_time=now + timedelta(hours=1),
        maximum_runs=2,
    )
    changed = app.update_input_set("inputs", inputs=[ManagedInput(id="two")])
    app.new_input_set(id="gone", run_ids=[run_id])
    app.delete_input_set("gone")
    return {
        "inputs": [each.name for each in of_inputs.inputs],
        "runs": of_runs.input_ids == [run_id],
        "window": len(window.input_ids),
        "changed": changed.input_ids,
        "listed": [each.id for each in app.list_input_sets()],
        "read": app.input_set("runs").inputs[0].run_id == run_id,
        "again": done(app, app.new_run(managed_input_id="two")).output["solution"],
    }


def secrets(app):
    env = Secret(type="env", location="SOLVER_KEY", value="first")
    file = Secret(type="file", location="license.txt", value="licensed")
    app.new_secrets_collection([env, file], id="keys", name="Keys")
    configuration = RunConfiguration(secrets_collection_id="keys")
    first = done(app, app.new_run(input={}, configuration=configuration)).output
    changed = Secret(type="env", location="SOLVER_KEY", value="second")
    app.update_secrets_collection("keys", name="New", secrets=[changed])
    second = done(app, app.new_run(input={}, configuration=configuration)).output
    read = app.secrets_collection("keys")
    listed = [each.collection_id for each in app.list_secrets_collections()]
    app.delete_secrets_collection("keys")
    return {
        "first": [first["env"], first["license"]],
        "second": [second["env"], second["license"]],
        "name": read.name,
        "values": [each.value for each in read.secrets],
        "listed": listed,
        "left": len(app.list_secrets_collections()),
    }


def ensembles(app):
    groups = [
        RunGroup(id="low", instance_id="staging", options={"value": "1"}),
        RunGroup(
            id="high", instance_id="staging", options={"value": "9"}, repetitions=2
        ),
    ]
    rule = {
        "id": "value",
        "statistics_path": "$.result.value",
        "objective": "maximize",
        "tolerance": {"value": 0, "type": "absolute"},
        "index": 0,
    }
    rules = [EvaluationRule.from_dict(rule)]
    app.new_ensemble_definition(groups, rules, id="best")
    renamed = app.update_ensemble_definition("best", name="Best")
    configuration = {"run_type": {"type": "ensemble", "definition_id": "best"}}
    run_id = app.new_run(input={"n": 5}, configuration=configuration)
    result = done(app, run_id)
    return {
        "id": run_id,
        "name": renamed.name,
        "groups": [g.id for g in app.ensemble_definition("best").run_groups],
        "listed": [each.id for each in app.list_ensemble_definitions()],
        "type": result.metadata.run_type.run_type.value,
        "options": result.output["options"],
        "runs": len(result.ensemble["runs"]),
        "types": sorted(run.run_type.run_type.value for run in app.list_runs()[:4]),
    }


def instances_and_versions(app, source):
    configured = app.new_instance(
        version_id="v1",
        id="tuned",
        configuration=InstanceConfiguration(
            options={"a": "i", "b": "i"}, execution_class="big"
        ),
    )
    run_id = app.new_run(
        input={}, instance_id="tuned", options={"b": "r"}, configuration={}
    )
    result = done(app, run_id)
    locked = app.update_instance("tuned", locked=True)
    try:
        app.update_instance("tuned", name="Other")
        refused = 0
    except requests.HTTPError as error:
        refused = error.response.status_code
    unlocked = app.update_instance("tuned", locked=False)
    other = app.update_instance("tuned", name="Other")
    source.joinpath("main.py").write_text("print('{\"new\": true}')")
    app.push(app_dir=str(source))
    app.new_version(id="v2")
    app.update_instance("tuned", version_id="v2")
    new = done(app, app.new_run(input={}, instance_id="tuned")).output
    old = done(app, app.new_run(input={}, instance_id="staging")).output
    app.delete_instance("tuned")
    return {
        "options": configured.configuration.options,
        "summary": [
            [option.name, option.value, option.source]
            for option in result.metadata.options.options_summary
        ],
        "class": result.metadata.execution_class,
        "locks": [locked.locked, unlocked.locked, refused],
        "name": other.name,
        "new": new,
        "old": "solution" in old,
        "version": app.update_version("v2", name="Two").name,
        "versions": [each.id for each in app.list_versions()],
        "deleted": app.instance_exists("tuned"),
    }


def tracked(app, directory):
    run_id = app.track_run(
        TrackedRun(
            status=TrackedRunStatus.SUCCEEDED,
            input={"in": 1},
            output={"solution": 2},
            duration=1500,
            logs="one\ntwo",
            name="outside",
            statistics={"result": {"value": 3}},
            metrics={"gap": 4},
            assets=[{"name": "a", "content": {"x": 1}}],
        )
    )
    result = done(app, run_id)
    (asset,) = app.list_assets(run_id)
    failed_id = app.track_run(
        TrackedRun(
            status=TrackedRunStatus.FAILED,
            input={},
            output={},
            error="boom",
            logs=["x"],
        )
    )
    failed = done(app, failed_id)
    files_id = app.track_run(
        TrackedRun(
            status=TrackedRunStatus.SUCCEEDED,
            input_dir_path=str(directory / "in"),
            output_dir_path=str(directory / "in"),
        ),
        configuration=FILES,
    )
    done(app, files_id, output_dir_path=str(directory / "tracked"))
    return {
        "id": run_id,
        "state": result.metadata.status_v2.value,
        "type": result.metadata.run_type.run_type.value,
        "duration": result.metadata.execution_duration,
        "output": result.output,
        "input": app.run_input(run_id),
        "figures": [result.metadata.statistics, result.metadata.metrics],
        "log": app.run_logs(run_id).log,
        "live": [
            line.log
            for line in app.run_logs_with_polling(run_id, polling_options=polling())
        ],
        "asset": app.download_asset_content(asset),
        "failed": [
            failed.metadata.status_v2.value,
            failed.metadata.error,
            failed.error_log.stderr,
        ],
        "files": sorted(path.name for path in (directory / "tracked").iterdir()),
    }


def files(app, directory):
    (directory / "in").mkdir()
    (directory / "in" / "a.txt").write_text("alpha")
    (directory / "in" / "b.txt").write_text("beta")
    run_id = app.new_run(input_dir_path=str(directory / "in"))
    result = done(app, run_id, output_dir_path=str(directory / "out"))
    app.run_input(run_id, output_dir_path=str(directory / "back"))
    (asset,) = app.list_assets(run_id)
    app.download_asset_content(asset, directory / "asset.json")
    return {
        "id": run_id,
        "state": result.metadata.status_v2.value,
        "error": result.metadata.error,
        "format": result.metadata.format.to_dict(),
        "out": {path.name: path.read_text() for path in (directory / "out").iterdir()},
        "back": {
            path.name: path.read_text() for path in (directory / "back").iterdir()
        },
        "figures": [result.metadata.statistics, result.metadata.metrics],
        "asset": [asset.name, asset.visual.visual_schema.value],
        "content": json.loads((directory / "asset.json").read_text()),
    }


def assets(app):
    run_id = app.new_run(input={}, options={"value": "5"})
    result = done(app, run_id)
    (asset,) = app.list_assets(run_id)
    row = next(run for run in app.list_runs() if run.id == run_id)
    return {
        "content": app.download_asset_content(asset),
        "metrics": result.metadata.metrics,
        "indicators": [[each.name, each.value] for each in row.metrics.indicators],
    }


def main(url, token, place):
    directory = pathlib.Path(place)
    source = directory / "source"
    source.mkdir()
    source.joinpath("main.py").write_text(MAIN)
    source.joinpath("app.yaml").write_text(YAML)
    client = Client(api_key=token, url=url)
    Application.new(client, id="peer")
    app = Application.get(client, "peer")
    app.push(app_dir=str(source))
    app.new_version(id="v1")
    app.new_instance(version_id="v1", id="staging")
    app = app.update(default_instance_id="staging")

    seen = {}
    run_id, seen["managed"] = managed_inputs(app)
    seen["sets"] = input_sets(app, run_id)
    seen["secrets"] = secrets(app)
    seen["ensembles"] = ensembles(app)
    seen["files"] = files(app, directory)
    seen["tracked"] = tracked(app, directory)
    seen["assets"] = assets(app)
    seen["instances"] = instances_and_versions(app, source)
    sys.stdout.write(json.dumps(seen) + "\n")


main(*sys.argv[1:])
