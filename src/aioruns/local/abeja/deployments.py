"""Deployments and versions as they were registered (wire/abeja.md 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from aioruns.local.abeja import services, triggers, views
from aioruns.local.abeja.catalog import Deployment, Version
from aioruns.local.abeja.runs import PLATFORM
from aioruns.local.records import Json

if TYPE_CHECKING:
    from aioruns.local.abeja.facade import AbejaFacade


async def listing(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """List what the organization has, all on one page."""
    organization_id = request.match_info["organization_id"]
    found = [
        _view(abeja, deployment)
        for deployment in abeja.catalog.deployments.values()
        if abeja.catalog.knows(organization_id, deployment.id)
    ]
    return web.json_response({"entries": found})


async def get(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer one deployment."""
    return web.json_response(_view(abeja, _find(abeja, request)))


async def versions(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """List a deployment's versions, all on one page."""
    deployment = _find(abeja, request)
    found = [_version(deployment, one) for one in deployment.versions.values()]
    return web.json_response({"entries": found})


async def version(abeja: AbejaFacade, request: web.Request) -> web.Response:
    """Answer one version."""
    deployment = _find(abeja, request)
    found = abeja.catalog.version(
        request.match_info["organization_id"],
        deployment.id,
        request.match_info["version_id"],
    )
    return web.json_response(_version(deployment, found))


def _find(abeja: AbejaFacade, request: web.Request) -> Deployment:
    return abeja.catalog.deployment(
        request.match_info["organization_id"], request.match_info["deployment_id"]
    )


def _view(abeja: AbejaFacade, deployment: Deployment) -> dict[str, Json]:
    engine = abeja.engine
    changed = max(one.modified for one in deployment.versions.values())
    return {
        "deployment_id": deployment.id,
        "name": deployment.id,
        "creator": None,
        "default_environment": {},
        "runs": [record.id for record in engine.runs(PLATFORM, deployment.id)],
        "services": [r.id for r in engine.runs(services.PLATFORM, deployment.id)],
        "triggers": [one["trigger_id"] for one in triggers.of(abeja, deployment.id)],
        "created_at": views.timestamp(deployment.created),
        "modified_at": views.timestamp(changed),
    }


def _version(deployment: Deployment, version: Version) -> dict[str, Json]:
    return {
        "deployment_id": deployment.id,
        "version_id": version.id,
        "version": version.number,
        "handler": "main:handler",
        "image": "local",
        "user_parameters": {},
        "created_at": views.timestamp(version.created),
        "modified_at": views.timestamp(version.modified),
    }
