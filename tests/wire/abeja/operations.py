"""The documented names, by the client of the official library that has them."""

OPERATIONS: dict[str, tuple[str, ...]] = {
    "runs": (
        "create_run",
        "get_run",
        "get_runs",
        "get_run_logs",
        "get_run_recent_logs",
    ),
    "triggers": (
        "create_trigger",
        "get_trigger",
        "get_triggers",
        "delete_trigger",
        "get_trigger_runs",
    ),
    "services": (
        "get_service_recent_logs",
        "get_services",
        "get_service",
    ),
    "deployments": (
        "get_deployments",
        "get_deployment",
        "get_deployment_versions",
        "get_deployment_version",
    ),
}
"""All operations of runs and triggers (wire/abeja.md 2 and 8), the service's recent
logs, and reads of what runs are made of."""

DOCUMENTED: tuple[str, ...] = tuple(
    name for names in OPERATIONS.values() for name in names
)
