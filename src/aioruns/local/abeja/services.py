"""Services, which only their logs are served of (wire/abeja.md 8).

A service is a run of the engine's under a platform name of its own, so that no listing
of runs shows it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from aioruns.local.abeja import logs, views
from aioruns.local.abeja.answers import Refused
from aioruns.local.abeja.runs import check_deployment
from aioruns.local.records import Json, Program, RunRecord, State, Task

if TYPE_CHECKING:
    from aioruns.local.abeja.facade import AbejaFacade

PLATFORM = "abeja-services"


async def start(
    abeja: AbejaFacade,
    deployment_id: str,
    version_id: str,
    program: Program | None,
    service_id: str | None,
    environment: Mapping[str, str],
) -> str:
    """Start a service of a registered version, and return its id."""
    version = abeja.catalog.deployments[deployment_id].versions[version_id]
    named = service_id or f"ser-{secrets.token_hex(8)}"
    tasks = [Task(name="main", program=program, env=environment)] if program else []
    await abeja.engine.submit(
        PLATFORM,
        named,
        tasks,
        scope=deployment_id,
        detail={
            "version_id": version.id,
            "model_version": version.number,
            "environment": dict(environment),
        },
    )
    return named


def say(abeja: AbejaFacade, service_id: str, text: str) -> None:
    """Add a line to a service's log."""
    record = abeja.engine.get(PLATFORM, service_id)
    if record is None:
        raise KeyError(service_id)
    abeja.engine.note(record, text, stream="stdout")


async def listing(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """List a deployment's services, all on one page."""
    check_deployment(abeja, request)
    records = abeja.engine.runs(PLATFORM, request.match_info["deployment_id"])
    return web.json_response({"entries": [_view(record) for record in records]})


async def get(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer one service."""
    return web.json_response(_view(_find(abeja, request)))


async def plain(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer a page of a service's lines, oldest first."""
    return await logs.oldest_first(abeja, request, _find(abeja, request))


async def recent(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer a page of a service's lines, newest first."""
    return await logs.newest_first(abeja, request, _find(abeja, request))


def _find(abeja: AbejaFacade, request: web.Request) -> RunRecord:
    check_deployment(abeja, request)
    service_id = request.match_info["service_id"]
    record = abeja.engine.get(PLATFORM, service_id)
    if record is None or record.scope != request.match_info["deployment_id"]:
        raise Refused(404, f"Service {service_id} does not exist in this deployment.")
    return record


def _view(record: RunRecord) -> dict[str, Json]:
    waiting = record.state is State.QUEUED
    return {
        "service_id": record.id,
        "deployment_id": record.scope,
        "models": {},
        "model_version": record.detail["model_version"],
        "model_version_id": record.detail["version_id"],
        "status": "IN_PROGRESS" if waiting else "READY",
        "instance_number": 1,
        "instance_type": "cpu-0.25",
        "metrics_url": "",
        "user_env_vars": record.detail["environment"],
        "created_at": views.timestamp(record.created),
        "modified_at": views.timestamp(record.history[-1][0]),
    }
