"""Triggers (wire/abeja.md 8)."""

from collections.abc import Mapping

from aioruns.http.request import Request
from aioruns.platforms.abeja.models import Message, RunPage, Trigger, TriggerPage
from aioruns.platforms.abeja.payload import trigger_body
from aioruns.platforms.abeja.requests.places import below
from aioruns.platforms.abeja.requests.runs import page


def create_trigger(
    organization_id: str,
    deployment_id: str,
    version_id: str,
    input_service_name: str,
    input_service_id: str,
    *,
    output_service_name: str | None = None,
    output_service_id: str | None = None,
    model_id: str | None = None,
    environment: Mapping[str, str] | None = None,
    retry_count: int | None = None,
    distribution: int | None = None,
) -> Request[Trigger]:
    """Make a trigger."""
    body = trigger_body(
        version_id,
        input_service_name,
        input_service_id,
        output_service_name=output_service_name,
        output_service_id=output_service_id,
        model_id=model_id,
        environment=environment,
        retry_count=retry_count,
        distribution=distribution,
    )
    return Request(
        "POST",
        below(organization_id, deployment_id, "triggers"),
        Trigger,
        json=body,
        repeatable=False,  # every repetition would be one more trigger
    )


def get_trigger(
    organization_id: str, deployment_id: str, trigger_id: str
) -> Request[Trigger]:
    """Read a trigger."""
    at = below(organization_id, deployment_id, "triggers", trigger_id)
    return Request("GET", at, Trigger)


def get_triggers(organization_id: str, deployment_id: str) -> Request[TriggerPage]:
    """List all triggers of a deployment."""
    return Request(
        "GET", below(organization_id, deployment_id, "triggers"), TriggerPage
    )


def delete_trigger(
    organization_id: str, deployment_id: str, trigger_id: str
) -> Request[Message]:
    """Delete a trigger."""
    at = below(organization_id, deployment_id, "triggers", trigger_id)
    return Request("DELETE", at, Message)


def get_trigger_runs(
    organization_id: str,
    deployment_id: str,
    trigger_id: str,
    *,
    next_page_token: str | None = None,
    scan_forward: bool | str | None = None,
) -> Request[RunPage]:
    """List the runs that a trigger started, newest first unless `scan_forward`."""
    at = below(organization_id, deployment_id, "triggers", trigger_id, "runs")
    return Request("GET", at, RunPage, page(next_page_token, scan_forward))
