"""Deployments, the summary of executions, and the version."""

from collections import Counter

from aiohttp import web

from aioruns.local.cloudify.answers import as_json, bad, page
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.naming import ADMIN, TENANT
from aioruns.local.cloudify.queries import Columns, included, known, window
from aioruns.local.cloudify.selecting import selected
from aioruns.local.cloudify.tables import PAGE, fields_of, listed
from aioruns.local.cloudify.views import FIELDS
from aioruns.local.cloudify.worker import Worker
from aioruns.local.cloudify.workflows import (
    Catalog,
    Deployment,
    DeploymentGroup,
    Workflow,
)
from aioruns.local.records import Json

# wire/cloudify.md 2.9
_TARGETS = (
    "status",
    "status_display",
    "blueprint_id",
    "deployment_id",
    "workflow_id",
    "tenant_name",
    "visibility",
)

_DEPLOYMENT: Columns[Deployment] = {
    "id": lambda d: d.id,
    "display_name": lambda d: d.id,
    "blueprint_id": lambda d: d.blueprint_id,
    "description": lambda _: None,
    "created_at": lambda d: d.created,
    "updated_at": lambda d: d.created,
    "created_by": lambda _: ADMIN,
    "tenant_name": lambda _: TENANT,
    "visibility": lambda _: "tenant",
    "resource_availability": lambda _: "tenant",
    "private_resource": lambda _: False,
    "inputs": lambda _: {},
    "outputs": lambda _: {},
    "capabilities": lambda _: {},
    "labels": lambda _: [],
    "workflows": lambda d: [_workflow(each) for each in d.workflows.values()],
}

_GROUP: Columns[DeploymentGroup] = {
    "id": lambda g: g.id,
    "description": lambda _: None,
    "default_blueprint_id": lambda _: None,
    "default_inputs": lambda _: None,
    "deployment_ids": lambda g: list(g.deployment_ids),
    "labels": lambda _: [],
    "creation_counter": lambda _: 0,
    "created_at": lambda g: g.created,
    "created_by": lambda _: ADMIN,
    "tenant_name": lambda _: TENANT,
    "visibility": lambda _: "tenant",
    "resource_availability": lambda _: "tenant",
    "private_resource": lambda _: False,
}


class Overviews:
    """The handlers of what surrounds executions."""

    def __init__(self, worker: Worker, catalog: Catalog, behaviour: Behaviour) -> None:
        self._worker = worker
        self._catalog = catalog
        self._behaviour = behaviour

    async def version(self, _: web.Request) -> web.Response:
        """`GET /api/version`."""
        return as_json(
            {
                "edition": "community",
                "version": "7.0.5",
                "build": None,
                "date": None,
                "commit": None,
                "branch": None,
                "distribution": None,
                "distro_release": None,
            }
        )

    async def deployments(self, request: web.Request) -> web.Response:
        """`GET /deployments`."""
        rows = [d for d in self._catalog.deployments.values() if d.id]
        return listed(rows, request.query, _DEPLOYMENT, "Deployment")

    async def deployment(self, request: web.Request) -> web.Response:
        """`GET /deployments/{id}`."""
        fields = known(included(request.query), _DEPLOYMENT, "Deployment")
        found = self._catalog.deployment(request.match_info["id"])
        return as_json(fields_of(found, _DEPLOYMENT, fields))

    async def groups(self, request: web.Request) -> web.Response:
        """`GET /deployment-groups`."""
        rows = list(self._catalog.groups.values())
        return listed(rows, request.query, _GROUP, "DeploymentGroup")

    async def group(self, request: web.Request) -> web.Response:
        """`GET /deployment-groups/{id}`."""
        found = self._catalog.group(request.match_info["id"])
        return as_json(fields_of(found, _GROUP))

    async def summary(self, request: web.Request) -> web.Response:
        """`GET /summary/executions`."""
        query = request.query
        target, sub = query.get("_target_field"), query.get("_sub_field")
        for name, value in (("_target_field", target), ("_sub_field", sub)):
            if value not in _TARGETS and (value is not None or name == "_target_field"):
                raise bad(f"`{name}` must be one of {', '.join(_TARGETS)}", bare=True)
        assert target is not None
        records = selected(
            self._worker.records(), query, self._behaviour.defects, system=True
        )
        counts: dict[Json, Counter[Json]] = {}
        for record in records:
            inner = FIELDS[sub](record) if sub else None
            counts.setdefault(FIELDS[target](record), Counter())[inner] += 1
        items: list[Json] = []
        for value, counter in counts.items():
            entry: dict[str, Json] = {target: value, "executions": counter.total()}
            if sub:
                entry[f"by {sub}"] = [
                    {sub: inner, "executions": count}
                    for inner, count in counter.items()
                ]
            items.append(entry)
        chosen = window(query, default=PAGE)
        return page(
            chosen.cut(items),
            total=len(items),
            size=chosen.size,
            offset=chosen.offset,
        )


def _workflow(workflow: Workflow) -> dict[str, Json]:
    declared = workflow.parameters or {}
    return {
        "name": workflow.id,
        "plugin": "local",
        "is_available": workflow.available,
        "is_cascading": False,
        "parameters": {name: each.view() for name, each in declared.items()},
    }
