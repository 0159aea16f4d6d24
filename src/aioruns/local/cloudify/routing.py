"""Which handler answers which route, and what the route asks of a request."""

from collections.abc import Iterable

from aiohttp import web
from attrs import frozen

from aioruns.local.cloudify.events import Events
from aioruns.local.cloudify.executions import Executions
from aioruns.local.cloudify.groupdesk import GroupDesk
from aioruns.local.cloudify.guard import Gate, Handler, Rule, guarded
from aioruns.local.cloudify.maintenance import Maintenance
from aioruns.local.cloudify.overviews import Overviews
from aioruns.local.cloudify.scheduledesk import ScheduleDesk
from aioruns.local.cloudify.tokens import Tokens
from aioruns.local.cloudify.users import WRITE

_ROOT = "/api/v3.1"

_READ = Rule()
_LIST = Rule(tenant="listing")
_FREE = Rule(tenant="free", always=True)
_WRITE = Rule(permission=WRITE)
_START = Rule(permission=WRITE, starts=True)
_CLEAR = Rule(tenant="listing", permission=WRITE)
_REPORT = Rule(tenant="token", permission=WRITE)
_OWN = Rule(tenant="free")


@frozen
class Desks:
    """The handlers of all routes."""

    gate: Gate
    executions: Executions
    groups: GroupDesk
    events: Events
    schedules: ScheduleDesk
    overviews: Overviews
    tokens: Tokens
    maintenance: Maintenance


def routes(desks: Desks) -> Iterable[web.RouteDef]:
    """The routes of version 3.1, and the version."""
    for method, path, handler, rule in _table(desks):
        full = path if path.startswith("/api") else _ROOT + path
        yield web.route(method, full, guarded(handler, desks.gate, rule))


def _table(desks: Desks) -> list[tuple[str, str, Handler, Rule]]:
    executions, groups = desks.executions, desks.groups
    overviews, events = desks.overviews, desks.events
    schedules, tokens = desks.schedules, desks.tokens
    maintenance = desks.maintenance
    return [
        ("GET", "/api/version", overviews.version, _FREE),
        ("GET", "/version", overviews.version, _FREE),
        ("GET", "/executions", executions.listing, _LIST),
        ("POST", "/executions", executions.start, _START),
        ("DELETE", "/executions", executions.delete, _CLEAR),
        ("GET", "/executions/{id}", executions.one, _READ),
        ("PATCH", "/executions/{id}", executions.update, _WRITE),
        ("POST", "/executions/{id}", executions.act, _WRITE),
        ("GET", "/executions/{id}/should-start", executions.should_start, _READ),
        ("GET", "/execution-groups", groups.listing, _LIST),
        ("POST", "/execution-groups", groups.create, _WRITE),
        ("GET", "/execution-groups/{id}", groups.one, _LIST),
        ("PATCH", "/execution-groups/{id}", groups.update, _WRITE),
        ("POST", "/execution-groups/{id}", groups.act, _WRITE),
        ("GET", "/execution-schedules", schedules.listing, _LIST),
        ("GET", "/execution-schedules/{id}", schedules.one, _READ),
        ("PUT", "/execution-schedules/{id}", schedules.create, _WRITE),
        ("PATCH", "/execution-schedules/{id}", schedules.update, _WRITE),
        ("DELETE", "/execution-schedules/{id}", schedules.delete, _WRITE),
        ("GET", "/events", events.listing, _LIST),
        ("POST", "/events", events.create, _REPORT),
        ("DELETE", "/events", events.delete, _WRITE),
        ("GET", "/summary/executions", overviews.summary, _LIST),
        ("GET", "/deployments", overviews.deployments, _LIST),
        ("GET", "/deployments/{id}", overviews.deployment, _READ),
        ("GET", "/deployment-groups", overviews.groups, _LIST),
        ("GET", "/deployment-groups/{id}", overviews.group, _READ),
        ("GET", "/tokens", tokens.listing, _OWN),
        ("POST", "/tokens", tokens.create, _OWN),
        ("GET", "/tokens/{id}", tokens.one, _OWN),
        ("DELETE", "/tokens/{id}", tokens.delete, _OWN),
        ("GET", "/maintenance", maintenance.status, _FREE),
        ("POST", "/maintenance/activate", maintenance.activate, _FREE),
        ("POST", "/maintenance/deactivate", maintenance.deactivate, _FREE),
    ]
