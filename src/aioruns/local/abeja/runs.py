"""Create, get and list runs (wire/abeja.md 2.1 to 2.3)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from aioruns.local.abeja import inputs, views
from aioruns.local.abeja.answers import Refused
from aioruns.local.abeja.tokens import Kind, seal, unseal
from aioruns.local.records import Json, RunRecord, Task

if TYPE_CHECKING:
    from aioruns.local.abeja.facade import AbejaFacade

PLATFORM = "abeja"

_PAST_EVERY_SERIAL = 2**63


async def create(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Submit a run of a registered version."""
    body = await inputs.json_object(request)
    record = await submit(
        abeja,
        request.match_info["organization_id"],
        request.match_info["deployment_id"],
        version_id=inputs.text(body, "version_id"),
        detail={
            "environment": inputs.string_map(body, "environment") or {},
            "input_data": inputs.string_map(body, "input_data"),
            "output_template": inputs.string_map(body, "output_template"),
            "models": inputs.optional_object(body, "models") or {},
            "retry_count": inputs.retry_count(body),
            "distribution": inputs.distribution(body),
        },
    )
    return web.json_response(views.created_view(record, json_text=abeja.json_text))


async def submit(
    abeja: AbejaFacade,
    organization_id: str,
    deployment_id: str,
    *,
    version_id: str,
    detail: dict[str, Json],
) -> RunRecord:
    """Queue a run whose request was checked."""
    version = abeja.catalog.version(organization_id, deployment_id, version_id)
    task = Task(
        name="main",
        program=version.program,
        stdin=json.dumps(detail["input_data"]).encode(),
        env=detail["environment"],
    )
    return await abeja.engine.submit(
        PLATFORM,
        f"run-{secrets.token_hex(8)}",
        [task],
        scope=deployment_id,
        detail={
            **detail,
            # wire/abeja.md 2.1: 0 attempts cannot be meant.
            "attempts": max(1, detail["retry_count"]) if abeja.retries else 1,
            "organization_id": organization_id,
            "version_id": version.id,
            "model_version": version.number,
        },
    )


async def get(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer one run."""
    record = find(abeja, request)
    return web.json_response(views.run_view(record, json_text=abeja.json_text))


def find(abeja: AbejaFacade, request: web.Request) -> RunRecord:
    """The run that the path names, or `Refused` with status 404."""
    check_deployment(abeja, request)
    run_id = request.match_info["run_id"]
    record = abeja.engine.get(PLATFORM, run_id)
    if record is None or record.scope != request.match_info["deployment_id"]:
        raise Refused(404, f"Run {run_id} does not exist in this deployment.")
    return record


def check_deployment(abeja: AbejaFacade, request: web.Request) -> None:
    """Raise `Refused` with status 404 if the path's deployment does not exist.

    One that has runs exists although its programs are not registered: a server that
    was started again on its data still answers for them.
    """
    organization_id = request.match_info["organization_id"]
    deployment_id = request.match_info["deployment_id"]
    if not abeja.catalog.knows(organization_id, deployment_id) and not any(
        record.detail["organization_id"] == organization_id
        for record in abeja.engine.runs(PLATFORM, deployment_id)
    ):
        raise Refused(404, f"Deployment {deployment_id} does not exist.")


async def listing(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """List a deployment's runs, newest first unless told otherwise."""
    check_deployment(abeja, request)
    deployment_id = request.match_info["deployment_id"]
    records = abeja.engine.runs(PLATFORM, deployment_id)
    return page(abeja, request, deployment_id, records, views.run_view)


def page(
    abeja: AbejaFacade,
    request: web.Request,
    owner: str,
    records: Sequence[RunRecord],
    view: Callable[..., dict[str, Json]],
) -> web.Response:
    """One page of records, which come in creation order.

    Tokens name the last run that was shown, so that runs created meanwhile repeat
    nothing.
    """
    forward = inputs.scan_forward(request)
    kind: Kind = "newer" if forward else "older"
    token = request.query.get("next_page_token")
    position = 0 if forward else _PAST_EVERY_SERIAL
    if token:
        position = unseal(kind, owner, token)
    elif abeja.empty_page_with_token:
        return web.json_response(
            {"entries": [], "next_page_token": seal(kind, owner, position)}
        )
    if forward:
        rest = [record for record in records if record.serial > position]
    else:
        rest = [record for record in reversed(records) if record.serial < position]
    shown = rest[: abeja.settings.page_size]
    body: dict[str, Json] = {
        "entries": [view(record, json_text=abeja.json_text) for record in shown]
    }
    if len(rest) > len(shown):
        body["next_page_token"] = seal(kind, owner, shown[-1].serial)
    return web.json_response(body)
