"""Drive the official client of v2beta1; prints what it saw as one object.

Arguments: base URL, token. The pipelines are registered by the test.
"""

import json
import sys
import time

import kfp_server_api as kfp
from kfp_server_api.exceptions import ApiException

URL, TOKEN = sys.argv[1:]
SECONDS = 30
CHOSEN = "6a0e6c1e-0002-4c8f-9d11-000000000002"


def client():
    configuration = kfp.Configuration(host=URL)
    configuration.api_key["authorization"] = TOKEN
    configuration.api_key_prefix["authorization"] = "Bearer"
    return kfp.RunServiceApi(kfp.ApiClient(configuration))


def create(api, name, pipeline_id, parameters=None, **fields):
    reference = kfp.V2beta1PipelineVersionReference(pipeline_id=pipeline_id)
    config = kfp.V2beta1RuntimeConfig(parameters=parameters) if parameters else None
    return api.run_service_create_run(
        kfp.V2beta1Run(
            display_name=name,
            pipeline_version_reference=reference,
            runtime_config=config,
            **fields,
        )
    )


def until(api, run_id, *states):
    """Poll as the official SDK does, only faster."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        run = api.run_service_get_run(run_id)
        if (run.state or "").lower() in states:
            return run
        time.sleep(0.1)
    raise SystemExit(f"{run_id} is {run.state} and not one of {states}")


def finished(api, run_id):
    return until(api, run_id, "succeeded", "failed", "skipped", "error")


def listed(api, **query):
    """All pages: a token is sent alone, as the wire document recommends."""
    page = api.run_service_list_runs(**query)
    rows, pages = list(page.runs or []), 1
    while page.next_page_token:
        page = api.run_service_list_runs(
            page_token=page.next_page_token, page_size=query["page_size"]
        )
        rows += page.runs
        pages += 1
    return [run.run_id for run in rows], pages, page.total_size


def predicates(*values):
    return json.dumps({"predicates": list(values)})


def refusal(call, *args, **named):
    try:
        call(*args, **named)
    except ApiException as error:
        return [error.status, json.loads(error.body)["code"]]
    return None


def flow(api, seen, refusals):
    good = create(api, "good", "p", {"who": "peer"}, experiment_id="trainings")
    seen["fresh"] = [good.state, good.storage_state, good.finished_at.year]
    bad = create(api, "bad", "fails", run_id=CHOSEN)
    seen["chosen id"] = bad.run_id
    run = finished(api, good.run_id)
    seen["good"] = {
        "id": good.run_id,
        "state": run.state,
        "finished": run.finished_at.year > 1970,
        "experiment": run.experiment_id,
        "version": [
            run.pipeline_version_reference.pipeline_id,
            run.pipeline_version_reference.pipeline_version_id,
        ],
        "parameters": run.runtime_config.parameters,
        "history": [entry.state for entry in run.state_history],
        "tasks": [task.state for task in run.run_details.task_details],
    }
    seen["bad"] = {"id": bad.run_id, "state": finished(api, bad.run_id).state}

    slow = create(api, "slow", "sleeps")
    until(api, slow.run_id, "running")
    refusals["retry while running"] = refusal(api.run_service_retry_run, slow.run_id)
    api.run_service_terminate_run(slow.run_id)
    refusals["terminate again"] = refusal(api.run_service_terminate_run, slow.run_id)
    run = finished(api, slow.run_id)
    history = [entry.state for entry in run.state_history]
    seen["slow"] = {"id": slow.run_id, "state": run.state, "history": history}

    api.run_service_retry_run(bad.run_id)
    seen["retried"] = finished(api, bad.run_id).state
    api.run_service_archive_run(good.run_id, experiment_id="ignored")
    archived = api.run_service_get_run(good.run_id).storage_state
    api.run_service_unarchive_run(good.run_id)
    seen["storage"] = [archived, api.run_service_get_run(good.run_id).storage_state]
    return good.run_id, slow.run_id


def lists(api, seen, refusals, good):
    seen["all"] = listed(api, page_size=2, sort_by="display_name desc")
    failed = {"operation": "EQUALS", "key": "state", "string_value": "FAILED"}
    seen["failed"] = listed(api, page_size=1, filter=predicates(failed))
    one = {"operation": "IN", "key": "run_id", "string_values": {"values": [good]}}
    seen["one"] = listed(api, page_size=200, filter=predicates(one))
    seen["trainings"] = listed(api, page_size=10, experiment_id="trainings")
    since = {
        "operation": "GREATER_THAN",
        "key": "created_at",
        "timestamp_value": "2024-01-01T00:00:00Z",
    }
    seen["recent"] = listed(
        api, page_size=10, sort_by="display_name desc", filter=predicates(since)
    )
    refusals["bad filter"] = refusal(
        api.run_service_list_runs, filter=predicates({"op": "EQUALS", "key": "state"})
    )
    page = api.run_service_list_runs(page_size=1, filter=predicates(failed))
    refusals["another filter beside a token"] = refusal(
        api.run_service_list_runs,
        page_token=page.next_page_token,
        filter=predicates(one),
    )


def main():
    api = client()
    refusals = {}
    seen = {"refusals": refusals}
    good, slow = flow(api, seen, refusals)
    lists(api, seen, refusals, good)
    refusals["no name"] = refusal(create, api, None, "p", {"who": "x"})
    refusals["unknown pipeline"] = refusal(create, api, "n", "nothing")
    refusals["unknown experiment"] = refusal(
        create, api, "n", "p", {"who": "x"}, experiment_id="nothing"
    )
    refusals["undeclared parameter"] = refusal(create, api, "n", "fails", {"a": 1})
    api.run_service_delete_run(slow)
    refusals["get a deleted one"] = refusal(api.run_service_get_run, slow)
    refusals["delete it again"] = refusal(api.run_service_delete_run, slow)
    print(json.dumps(seen))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
