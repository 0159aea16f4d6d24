"""Drives the official Nextmv client against a server: base URL, token, directory."""

import json
import pathlib
import sys
import time

from nextmv import PollingOptions
from nextmv.cloud import Application, Client, list_applications

MAIN = """
import json, sys, time
data = json.load(sys.stdin)
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
for line in range(data["lines"]):
    print("line", line, file=sys.stderr, flush=True)
if data.get("sleep"):
    print("sleeping", file=sys.stderr, flush=True)
    time.sleep(data["sleep"])
if data.get("fail"):
    sys.exit("it was asked to fail")
size = data.get("size", 0)
json.dump({"solution": {"lines": data["lines"], "padding": "x" * size},
           "options": options, "metrics": {"value": 3}}, sys.stdout)
"""

YAML = """
type: python
runtime: ghcr.io/nextmv-io/runtime/python:3.11
files:
  - main.py
"""


def polling():
    return PollingOptions(
        initial_delay=0.05,
        delay=0.02,
        backoff=0.02,
        jitter=0,
        max_delay=0.2,
        max_duration=30,
    )


def until_line(app, run_id):
    deadline = time.monotonic() + 20
    while "sleeping" not in app.run_logs(run_id).log:
        if time.monotonic() > deadline:
            raise TimeoutError("the run never started")
        time.sleep(0.05)


def main(url, token, directory):
    source = pathlib.Path(directory)
    source.joinpath("main.py").write_text(MAIN)
    source.joinpath("app.yaml").write_text(YAML)

    client = Client(api_key=token, url=url)
    seen = {}
    app = Application.new(client, name="Peer", id="peer", description="of a peer")
    seen["application"] = app.id
    seen["exists"] = [
        Application.exists(client, "peer"),
        Application.exists(client, "nobody"),
    ]
    app = Application.get(client, "peer")
    app.push(app_dir=str(source))
    version = app.new_version(id="v1", name="First")
    app.new_instance(version_id=version.id, id="staging", name="Staging")
    seen["instance"] = app.instance("staging").version_id
    seen["versions"] = [v.id for v in app.list_versions()]
    seen["instances"] = [i.id for i in app.list_instances()]
    seen["instance_exists"] = [app.instance_exists("staging"), app.instance_exists("x")]
    seen["applications"] = [a.id for a in list_applications(client)]
    seen["renamed"] = app.update(name="Peer 2").name

    run_id = app.new_run(
        input={"lines": 3},
        options={"solve.duration": "10s"},
        name="first",
        instance_id="staging",
    )
    result = app.run_result_with_polling(run_id, polling_options=polling())
    seen["first"] = {
        "id": run_id,
        "state": result.metadata.status_v2.value,
        "output": result.output,
        "log": app.run_logs(run_id).log,
        "name": result.name,
        "input": app.run_input(run_id),
        "output_size": result.metadata.output_size,
    }

    live_id = app.new_run(input={"lines": 45, "sleep": 1}, instance_id="latest")
    until_line(app, live_id)
    live = app.run_logs_with_polling(live_id, polling_options=polling())
    seen["live"] = {
        "id": live_id,
        "lines": [line.log for line in live],
        "state": app.run_metadata(live_id).metadata.status_v2.value,
    }

    failed_id = app.new_run(input={"lines": 1, "fail": True}, instance_id="latest")
    failed = app.run_result_with_polling(failed_id, polling_options=polling())
    seen["failed"] = {
        "id": failed_id,
        "state": failed.metadata.status_v2.value,
        "error": failed.metadata.error,
        "stderr": failed.error_log.stderr,
    }

    text_id = app.new_run(input='{"lines": 0}', instance_id="latest")
    text = app.run_result_with_polling(text_id, polling_options=polling())
    seen["text"] = {"id": text_id, "output": text.output}

    big = {"lines": 0, "size": 6_000_000, "padding": "y" * 6_000_000}
    big_id = app.new_run(input=big, instance_id="latest")
    result = app.run_result_with_polling(big_id, polling_options=polling())
    seen["big"] = {
        "id": big_id,
        "input_size": result.metadata.input_size,
        "padding": len(result.output["solution"]["padding"]),
        "input": len(app.run_input(big_id)["padding"]),
    }

    slow_id = app.new_run(input={"lines": 0, "sleep": 600}, instance_id="latest")
    until_line(app, slow_id)
    app.cancel_run(slow_id)
    slow = app.run_result_with_polling(slow_id, polling_options=polling())
    seen["canceled"] = {"id": slow_id, "state": slow.metadata.status_v2.value}

    for number in range(20):
        app.new_run(input={"lines": 0}, name=f"of many {number}", instance_id="latest")
    seen["runs"] = [run.id for run in app.list_runs()]
    seen["unpaged"] = [run.id for run in app.list_runs(no_pagination=True)]
    seen["assets"] = len(app.list_assets(run_id))
    app.delete_run(run_id)
    seen["left"] = run_id in [run.id for run in app.list_runs()]
    sys.stdout.write(json.dumps(seen) + "\n")


main(*sys.argv[1:])
