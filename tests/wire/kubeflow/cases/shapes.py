"""Answers of servers, as the wire document shows them (wire/kubeflow.md 10)."""

from typing import Any

RUN_ID = "6a0e6c1e-0001-4c8f-9d11-000000000001"
OTHER_ID = "6a0e6c1e-0002-4c8f-9d11-000000000002"
EPOCH = "1970-01-01T00:00:00Z"
YEAR_ONE = "0001-01-01T00:00:00Z"
CREATED = "2024-05-01T10:00:00Z"
ENDED = "2024-05-01T10:07:31Z"

MANIFEST = '{"kind":"Workflow","metadata":{"name":"train-x7k2p"}}'


def fresh(**changes: Any) -> dict[str, Any]:
    """A run that was just created, of v1beta1."""
    run = {
        "id": RUN_ID,
        "name": "train-7 [job:4d1c]",
        "description": "key=4d1c",
        "pipeline_spec": {
            "workflow_manifest": "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n",
            "parameters": [{"name": "lr", "value": "0.1"}, {"name": "empty"}],
        },
        "resource_references": [
            {
                "key": {"type": "EXPERIMENT", "id": "e-11"},
                "name": "trainings",
                "relationship": "OWNER",
            },
            {
                "key": {"type": "PIPELINE_VERSION", "id": "v-22"},
                "relationship": "CREATOR",
            },
        ],
        "service_account": "trainer",
        "created_at": CREATED,
        "scheduled_at": EPOCH,
        "finished_at": EPOCH,
    }
    return run | changes


def detail(**changes: Any) -> dict[str, Any]:
    """The answer to a creation or a single read of v1beta1."""
    runtime = {"workflow_manifest": MANIFEST}
    return {"run": fresh(**changes), "pipeline_runtime": runtime}


FINISHED: dict[str, Any] = {
    "storage_state": "STORAGESTATE_ARCHIVED",
    "finished_at": ENDED,
    "scheduled_at": CREATED,
    "status": "Succeeded",
    "metrics": [
        {
            "name": "accuracy",
            "node_id": "train-x7k2p-1187722",
            "number_value": 0.93,
            "format": "PERCENTAGE",
        },
        {"name": "loss", "node_id": "train-x7k2p-1187722", "number_value": 0},
    ],
}
"""What is different once a run has ended."""


def fresh_v2(**changes: Any) -> dict[str, Any]:
    """A run that was just created, of v2beta1."""
    run = {
        "experiment_id": "e-11",
        "run_id": OTHER_ID,
        "display_name": "train-8",
        "storage_state": "AVAILABLE",
        "pipeline_version_reference": {
            "pipeline_id": "p-5",
            "pipeline_version_id": "v-22",
        },
        "runtime_config": {
            "parameters": {"lr": 0.1, "tags": ["a", "b"], "none": None},
            "pipeline_root": "gs://bucket/root",
        },
        "service_account": "pipeline-runner",
        "created_at": CREATED,
        "scheduled_at": CREATED,
        "finished_at": EPOCH,
        "state": "PENDING",
        "state_history": [{"update_time": CREATED, "state": "PENDING"}],
    }
    return run | changes


FAILED_V2: dict[str, Any] = {
    "storage_state": "ARCHIVED",
    "finished_at": ENDED,
    "state": "FAILED",
    "run_details": {
        "pipeline_context_id": "7",
        "pipeline_run_context_id": "9007199254740993",
        "task_details": [
            {
                "run_id": OTHER_ID,
                "task_id": "c0ffee00-0000-4000-8000-000000000000",
                "display_name": "fit",
                "create_time": CREATED,
                "start_time": "2024-05-01T10:00:09Z",
                "end_time": YEAR_ONE,
                "executor_detail": {
                    "main_job": "job-1",
                    "pre_caching_check_job": "job-0",
                    "failed_main_jobs": ["job-2"],
                    "failed_pre_caching_check_jobs": ["job-3"],
                },
                "state": "FAILED",
                "execution_id": "12",
                "error": {"code": 2, "message": "exit code 1"},
                "inputs": {"data": {"artifact_ids": ["3", "4"]}},
                "outputs": {"model": {"artifact_ids": ["5"]}},
                "parent_task_id": "c0ffee00-0000-4000-8000-000000000001",
                "state_history": [
                    {"update_time": CREATED, "state": "RUNNING"},
                    {
                        "update_time": ENDED,
                        "state": "FAILED",
                        "error": {"code": 2, "message": "exit code 1"},
                    },
                ],
                "pod_name": "train-8-abcde-99",
                "child_tasks": [
                    {"pod_name": "train-8-abcde-99"},
                    {"task_id": "c0ffee00-0000-4000-8000-000000000002"},
                ],
            }
        ],
    },
    "recurring_run_id": "rr-1",
    "state_history": [
        {"update_time": CREATED, "state": "PENDING"},
        {"update_time": ENDED, "state": "FAILED"},
    ],
    "plugins_input": {"mlflow": {"uri": "http://mlflow", "n": 1}},
    "plugins_output": {
        "mlflow": {
            "entries": {
                "run": {"value": "http://mlflow/1", "render_type": "URL"},
                "n": {"value": 7},
            },
            "state": "PLUGIN_SUCCEEDED",
            "state_message": "done",
        }
    },
}
"""What is different once a run has failed, with all that is documented."""
