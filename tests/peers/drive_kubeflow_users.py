"""Drive the official client of v2beta1 as several users of one server.

Arguments: base URL, token. Prints what it saw as one object.
"""

import json
import sys

import kfp_server_api as kfp
from kfp_server_api.exceptions import ApiException

URL, TOKEN = sys.argv[1:]


def client(user):
    """Behind an identity proxy: a cookie for it, and the header that it adds."""
    return kfp.RunServiceApi(
        kfp.ApiClient(
            kfp.Configuration(host=URL),
            header_name="kubeflow-userid" if user else None,
            header_value=user,
            cookie=f"authservice_session={TOKEN}",
        )
    )


def body(**fields):
    reference = kfp.V2beta1PipelineVersionReference(pipeline_id="p")
    return kfp.V2beta1Run(
        display_name="n", pipeline_version_reference=reference, **fields
    )


def refusal(call, *args, **named):
    try:
        call(*args, **named)
    except ApiException as error:
        return [error.status, json.loads(error.body)["code"]]
    return None


def main():
    alice, bob = client("alice@example.com"), client("bob@example.com")
    ours = body(experiment_id="e-team")
    run_id = alice.run_service_create_run(ours).run_id
    page = bob.run_service_list_runs(namespace="team")
    seen = {
        "created": run_id,
        "listed": [run.run_id for run in page.runs],
        "seen by bob": bob.run_service_get_run(run_id).run_id,
        "bob deletes": refusal(bob.run_service_delete_run, run_id),
        "bob creates": refusal(bob.run_service_create_run, ours),
        "nobody": refusal(client(None).run_service_get_run, run_id),
        "without a namespace": refusal(bob.run_service_list_runs),
        "without an experiment": refusal(alice.run_service_create_run, body()),
    }
    print(json.dumps(seen))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
