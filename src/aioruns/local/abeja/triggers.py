"""Triggers, which keep the settings of runs to come (wire/abeja.md 8)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from aioruns.local.abeja import inputs, views
from aioruns.local.abeja.answers import Refused
from aioruns.local.abeja.runs import PLATFORM, check_deployment, page, submit
from aioruns.local.records import Json, RunRecord, utcnow

if TYPE_CHECKING:
    from aioruns.local.abeja.facade import AbejaFacade

_KIND = "trigger"


async def create(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Keep a trigger."""
    body = await inputs.json_object(request)
    organization_id = request.match_info["organization_id"]
    deployment_id = request.match_info["deployment_id"]
    service = inputs.text(body, "input_service_name")
    if service != "datalake":
        message = "must be datalake"
        raise Refused(
            400,
            f"The field input_service_name {message}.",
            {"input_service_name": [message]},
        )
    version = abeja.catalog.version(
        organization_id, deployment_id, inputs.text(body, "version_id")
    )
    output = body.get("output_service_name")
    now = views.timestamp(utcnow())
    trigger: dict[str, Json] = {
        "trigger_id": f"tri-{secrets.token_hex(8)}",
        "organization_id": organization_id,
        "deployment_id": deployment_id,
        "model_version": version.number,
        "model_version_id": version.id,
        "models": inputs.optional_object(body, "models") or {},
        "input_service_name": service,
        "input_service_id": inputs.text(body, "input_service_id"),
        "output_service_name": output,
        "output_service_id": inputs.text(body, "output_service_id") if output else None,
        "retry_count": inputs.retry_count(body),
        "distribution": inputs.distribution(body) or 0,
        # wire/abeja.md 8: the official client sends null here, unlike for runs.
        "user_env_vars": inputs.string_map(body, "environment") or {},
        "created_at": now,
        "modified_at": now,
    }
    await abeja.engine.put(PLATFORM, _KIND, trigger["trigger_id"], trigger)
    return web.json_response(trigger)


async def listing(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """List a deployment's triggers, all on one page."""
    check_deployment(abeja, request)
    return web.json_response(
        {"entries": of(abeja, request.match_info["deployment_id"])}
    )


def of(abeja: AbejaFacade, deployment_id: str) -> list[dict[str, Json]]:
    """A deployment's triggers, in the order of their creation."""
    triggers = abeja.engine.documents(PLATFORM, _KIND).values()
    return [one for one in triggers if one["deployment_id"] == deployment_id]


async def get(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer one trigger."""
    return web.json_response(_find(abeja, request))


async def delete(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Forget a trigger; its runs stay."""
    trigger_id = _find(abeja, request)["trigger_id"]
    await abeja.engine.drop(PLATFORM, _KIND, trigger_id)
    return web.json_response({"message": f"{trigger_id} deleted"})


async def runs(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """List the runs that a trigger started."""
    trigger_id = _find(abeja, request)["trigger_id"]
    records = [
        record
        for record in abeja.engine.runs(PLATFORM, request.match_info["deployment_id"])
        if record.detail.get("trigger_id") == trigger_id
    ]
    return page(abeja, request, trigger_id, records, views.triggered_view)


async def fire(abeja: AbejaFacade, trigger_id: str, file_id: str) -> RunRecord:
    """Start the run that a new file in the trigger's channel would start."""
    trigger = abeja.engine.document(PLATFORM, _KIND, trigger_id)
    if trigger is None:
        raise KeyError(trigger_id)
    output = trigger["output_service_name"]
    return await submit(
        abeja,
        trigger["organization_id"],
        trigger["deployment_id"],
        version_id=trigger["model_version_id"],
        detail={
            "trigger_id": trigger_id,
            "environment": trigger["user_env_vars"],
            "input_data": {"$datalake:1": f"{trigger['input_service_id']}/{file_id}"},
            "output_template": (
                {f"${output}:1": trigger["output_service_id"]} if output else None
            ),
            "models": trigger["models"],
            "retry_count": trigger["retry_count"],
            "distribution": trigger["distribution"],
        },
    )


def _find(abeja: AbejaFacade, request: web.Request) -> dict[str, Json]:
    check_deployment(abeja, request)
    trigger_id = request.match_info["trigger_id"]
    trigger: dict[str, Json] | None = abeja.engine.document(PLATFORM, _KIND, trigger_id)
    if (
        trigger is None
        or trigger["deployment_id"] != request.match_info["deployment_id"]
    ):
        raise Refused(404, f"Trigger {trigger_id} does not exist in this deployment.")
    return trigger
