"""The documented names (wire/kubeflow.md 2)."""

V1BETA1 = (
    "archive_run",
    "create_run",
    "delete_run",
    "get_run",
    "list_runs",
    "read_artifact",
    "report_run_metrics",
    "retry_run",
    "terminate_run",
    "unarchive_run",
)

V2BETA1 = (
    "run_service_archive_run",
    "run_service_create_run",
    "run_service_delete_run",
    "run_service_get_run",
    "run_service_list_runs",
    "run_service_retry_run",
    "run_service_terminate_run",
    "run_service_unarchive_run",
)

DOCUMENTED = {"v1beta1": V1BETA1, "v2beta1": V2BETA1}
