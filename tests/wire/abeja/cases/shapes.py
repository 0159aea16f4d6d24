"""Objects as they are documented (wire/abeja.md 3, 7 and 8), with invented values."""

from typing import Any

TIMES = {
    "created_at": "2024-01-02T03:10:00.123456Z",
    "modified_at": "2024-01-02T03:10:05Z",
}
RUN: dict[str, Any] = {
    "run_id": "run-00000000000000a1",
    "deployment_id": "2000000000002",
    "status": "SUBMITTED",
    "model_version": "0.1.0",
    "model_version_id": "ver-00aa11bb22cc33dd",
    "models": {"alias": "4000000000004"},
    "input_data": {"$datalake:1": "3000000000003/20240102T030405-0f0f"},
    "output_template": None,
    "retry_count": 5,
    "user_env_vars": {"CLIENT_SUBMIT_ID": "5b0c"},
    **TIMES,
}
CREATED = RUN | {"distribution": 4, "retry_count": 0, "models": {}}
AS_TEXT = RUN | {
    "input_data": '{"$datalake:1": "3000000000003/f"}',
    "output_template": '{"$datalake:1": "3000000000003"}',
    "user_env_vars": '{"A": "1"}',
}
LATER = RUN | {
    "status": "PAUSED",
    "models": {"alias": {"id": "4", "name": "the best"}},
    "priority": {"level": 3},
}
TRIGGERED = {k: v for k, v in RUN.items() if k != "model_version"} | {
    "trigger_id": "tri-00000000000000b2",
    "status": "SUCCEEDED",
}
TRIGGER: dict[str, Any] = {
    "trigger_id": "tri-00000000000000b2",
    "organization_id": "1000000000001",
    "deployment_id": "2000000000002",
    "model_version": "0.1.0",
    "model_version_id": "ver-00aa11bb22cc33dd",
    "models": {"alias": "4000000000004"},
    "input_service_name": "datalake",
    "input_service_id": "3000000000003",
    "output_service_name": None,
    "output_service_id": None,
    "retry_count": 7,
    "distribution": 0,
    "user_env_vars": {"DEBUG": "x"},
}
SERVICE: dict[str, Any] = {
    "service_id": "ser-00000000000000c3",
    "deployment_id": "2000000000002",
    "models": {"alias": "4000000000004"},
    "model_version": "0.0.1",
    "model_version_id": "ver-00aa11bb22cc33dd",
    "status": "READY",
    "instance_number": 1,
    "min_instance_number": 1,
    "max_instance_number": 2,
    "enable_autoscale": True,
    "instance_type": "cpu-0.25",
    "metrics_url": "https://metrics.example.com/1",
    "record_channel_id": "5000000000005",
    "service_process_type": "multi",
    "user_env_vars": {"A": "1"},
    "merged_env_vars": {"A": "1", "B": "2"},
    **TIMES,
}
DEPLOYMENT: dict[str, Any] = {
    "deployment_id": "2000000000002",
    "name": "nightly",
    "creator": {"id": "6", "display_name": None, "role": "admin"},
    "default_environment": {"B": "2"},
    "runs": [],
    "services": [{"service_id": "ser-00000000000000c3"}],
    "triggers": [],
    **TIMES,
}
VERSION: dict[str, Any] = {
    "version_id": "ver-00aa11bb22cc33dd",
    "deployment_id": "2000000000002",
    "version": "0.0.1",
    "handler": "main:handler",
    "image": "abeja-inc/all-cpu:18.10",
    "user_parameters": {},
    "creator": {"id": "6"},
    **TIMES,
}


def events(*texts: str) -> list[dict[str, str]]:
    """Lines of a log, a second apart."""
    return [
        {"message": text, "timestamp": f"2024-01-02T03:10:{second:02}.000001Z"}
        for second, text in enumerate(texts)
    ]


def tokens(forward: str = "f/102", backward: str = "b/100") -> dict[str, str]:
    """The tokens of recent logs."""
    return {"next_backward_token": backward, "next_forward_token": forward}
