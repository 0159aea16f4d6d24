"""Drive the official Kubeflow Pipelines client; prints what it saw as one object.

Arguments: base URL, token, Python for the workflows.
"""

import base64
import io
import json
import sys
import tarfile
import time
import urllib.request

import kfp_server_api
from kfp_server_api.rest import ApiException

URL, TOKEN, PYTHON = sys.argv[1:]
SECONDS = 30


def workflow(code, parameters=()):
    container = {"image": "python", "command": [PYTHON, "-c"], "args": [code]}
    outputs = {"artifacts": [{"name": "model", "path": "model.txt"}]}
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": "peer-"},
            "spec": {
                "entrypoint": "main",
                "arguments": {"parameters": [{"name": name} for name in parameters]},
                "templates": [
                    {"name": "main", "container": container, "outputs": outputs}
                ],
            },
        }
    )


def client():
    configuration = kfp_server_api.Configuration(
        host=URL,
        api_key={"authorization": TOKEN},
        api_key_prefix={"authorization": "Bearer"},
    )
    return kfp_server_api.RunServiceApi(kfp_server_api.ApiClient(configuration))


def create(api, name, code, **parameters):
    spec = kfp_server_api.ApiPipelineSpec(
        workflow_manifest=workflow(code, parameters),
        parameters=[
            kfp_server_api.ApiParameter(name=key, value=value)
            for key, value in parameters.items()
        ],
    )
    body = kfp_server_api.ApiRun(name=name, pipeline_spec=spec)
    return api.create_run(body).run


def until(api, run_id, *statuses):
    """Poll as the official SDK does, only faster."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        detail = api.get_run(run_id)
        if (detail.run.status or "").lower() in statuses:
            return detail
        time.sleep(0.1)
    raise SystemExit(f"{run_id} is {detail.run.status} and not one of {statuses}")


def finished(api, run_id):
    return until(api, run_id, "succeeded", "failed", "skipped", "error")


def log(run_id, detail):
    argo = json.loads(detail.pipeline_runtime.workflow_manifest)
    pods = [n["id"] for n in argo["status"]["nodes"].values() if n["type"] == "Pod"]
    url = f"{URL}/apis/v1alpha1/runs/{run_id}/nodes/{pods[0]}/log?follow=true"
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        return answer.read().decode().splitlines()


def listed(api, **query):
    """All pages: a token is sent alone, as the wire document recommends."""
    page = api.list_runs(**query)
    rows, pages = list(page.runs or []), 1
    while page.next_page_token:
        page = api.list_runs(
            page_token=page.next_page_token, page_size=query["page_size"]
        )
        rows += page.runs
        pages += 1
    return [run.id for run in rows], pages, page.total_size


def status_of(call, *args):
    try:
        call(*args)
    except ApiException as error:
        return error.status
    return 200


def metrics(api, run_id):
    metric = kfp_server_api.ApiRunMetric(
        name="score", node_id="n", number_value=0.5, format="RAW"
    )
    body = kfp_server_api.ApiReportRunMetricsRequest(metrics=[metric, metric])
    reported = api.report_run_metrics(run_id, body)
    stored = api.get_run(run_id).run.metrics
    return {
        "reported": [result.status for result in reported.results],
        "stored": [[m.name, m.number_value, m.format] for m in stored],
    }


def artifact(api, run_id, detail):
    """The text of the file in the archive that stands for an artifact."""
    argo = json.loads(detail.pipeline_runtime.workflow_manifest)
    (node,) = [n["id"] for n in argo["status"]["nodes"].values() if n["type"] == "Pod"]
    data = base64.b64decode(api.read_artifact(run_id, node, "model").data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.extractfile("model.txt").read().decode()


def stored(api, run_id):
    api.archive_run(run_id)
    archived = api.get_run(run_id).run.storage_state
    api.unarchive_run(run_id)
    return [archived, api.get_run(run_id).run.storage_state]


def main():
    api = client()
    seen = {}
    code = "print('hello {{workflow.parameters.who}}'); print('bye')"
    code += "; open('model.txt', 'w').write('weights')"
    good = create(api, "good", code, who="peer")
    bad = create(api, "bad", "raise SystemExit(4)")
    seen["fresh"] = good.status
    detail = finished(api, good.id)
    seen["good"] = {
        "id": good.id,
        "status": detail.run.status,
        "finished": detail.run.finished_at.year > 1970,
        "log": log(good.id, detail),
        "experiment": detail.run.resource_references[0].key.type,
        "artifact": artifact(api, good.id, detail),
    }
    detail = finished(api, bad.id)
    argo = json.loads(detail.pipeline_runtime.workflow_manifest)
    seen["bad"] = {
        "id": bad.id,
        "status": detail.run.status,
        "message": argo["status"]["message"],
    }

    slow = create(api, "slow", "import time; print('on'); time.sleep(60)")
    until(api, slow.id, "running")
    seen["retry while running"] = status_of(api.retry_run, slow.id)
    api.terminate_run(slow.id)
    seen["terminate again"] = status_of(api.terminate_run, slow.id)
    seen["slow"] = {"id": slow.id, "status": finished(api, slow.id).run.status}

    api.retry_run(bad.id)
    seen["retried"] = finished(api, bad.id).run.status
    seen["metrics"] = metrics(api, good.id)
    seen["storage"] = stored(api, good.id)

    everything = listed(api, page_size=2, sort_by="name desc")
    predicate = {"op": "EQUALS", "key": "status", "string_value": "Failed"}
    failed = json.dumps({"predicates": [predicate]})
    seen["all"] = everything
    seen["failed"] = listed(api, page_size=1, filter=failed)
    by_id = {"op": "IN", "key": "id", "string_values": {"values": [good.id]}}
    one = json.dumps({"predicates": [by_id]})
    seen["one"] = listed(api, page_size=200, filter=one)

    api.delete_run(slow.id)
    seen["deleted"] = [
        status_of(api.get_run, slow.id),
        status_of(api.delete_run, slow.id),
    ]
    print(json.dumps(seen))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
