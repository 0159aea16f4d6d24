"""The operations as requests (wire/abeja.md 2 and 8)."""

from aioruns.platforms.abeja.requests.deployments import (
    get_deployment,
    get_deployment_version,
    get_deployment_versions,
    get_deployments,
    get_service,
    get_services,
)
from aioruns.platforms.abeja.requests.logs import (
    get_run_logs,
    get_run_recent_logs,
    get_service_recent_logs,
    oldest_first,
    run_log,
    whole_seconds,
)
from aioruns.platforms.abeja.requests.runs import (
    create_run,
    get_run,
    get_runs,
    list_runs,
    post_run,
    read_run,
)
from aioruns.platforms.abeja.requests.triggers import (
    create_trigger,
    delete_trigger,
    get_trigger,
    get_trigger_runs,
    get_triggers,
)

__all__ = [
    "create_run",
    "create_trigger",
    "delete_trigger",
    "get_deployment",
    "get_deployment_version",
    "get_deployment_versions",
    "get_deployments",
    "get_run",
    "get_run_logs",
    "get_run_recent_logs",
    "get_runs",
    "get_service",
    "get_service_recent_logs",
    "get_services",
    "get_trigger",
    "get_trigger_runs",
    "get_triggers",
    "list_runs",
    "oldest_first",
    "post_run",
    "read_run",
    "run_log",
    "whole_seconds",
]
