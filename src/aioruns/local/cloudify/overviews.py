"""Deployments, the summary of executions, and the version."""

from collections import Counter

from aiohttp import web

from aioruns.local.cloudify.answers import as_json, bad, page
from aioruns.local.cloudify.guard import TENANT, USER
from aioruns.local.cloudify.queries import (
    Columns,
    arrange,
    included,
    known,
    orders,
    stamp,
    window,
)
from aioruns.local.cloudify.selecting import selected
from aioruns.local.cloudify.views import FIELDS
from aioruns.local.cloudify.worker import Worker
from aioruns.local.cloudify.workflows import Catalog, Deployment, Workflow
from aioruns.local.records import Json

_PAGE = 1000
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
    "created_at": lambda d: stamp(d.created),
    "updated_at": lambda d: stamp(d.created),
    "created_by": lambda _: USER,
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


class Overviews:
    """The handlers of what surrounds executions."""

    def __init__(self, worker: Worker, catalog: Catalog) -> None:
        self._worker = worker
        self._catalog = catalog

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
        query = request.query
        fields = known(included(query), _DEPLOYMENT, "Deployment")
        rows = [d for d in self._catalog.deployments.values() if d.id]
        for name in query:
            if name in _DEPLOYMENT:
                read, wanted = _DEPLOYMENT[name], query.getall(name)
                rows = [d for d in rows if read(d) in wanted]
            elif not name.startswith("_"):
                raise bad(f"Cannot filter deployments by `{name}`")
        arrange(rows, orders(query, _DEPLOYMENT), _DEPLOYMENT)
        chosen = window(query, default=_PAGE)
        return page(
            [{name: _DEPLOYMENT[name](d) for name in fields} for d in chosen.cut(rows)],
            total=len(rows),
            size=chosen.size,
            offset=chosen.offset,
        )

    async def deployment(self, request: web.Request) -> web.Response:
        """`GET /deployments/{id}`."""
        fields = known(included(request.query), _DEPLOYMENT, "Deployment")
        found = self._catalog.deployment(request.match_info["id"])
        return as_json({name: _DEPLOYMENT[name](found) for name in fields})

    async def summary(self, request: web.Request) -> web.Response:
        """`GET /summary/executions`."""
        query = request.query
        target, sub = query.get("_target_field"), query.get("_sub_field")
        for name, value in (("_target_field", target), ("_sub_field", sub)):
            if value not in _TARGETS and (value is not None or name == "_target_field"):
                raise bad(f"`{name}` must be one of {', '.join(_TARGETS)}", bare=True)
        assert target is not None
        records = selected(self._worker.records(), query, system=True)
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
        chosen = window(query, default=_PAGE)
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
        "is_available": True,
        "is_cascading": False,
        "parameters": {name: {"default": value} for name, value in declared.items()},
    }
