"""What every request passes before its handler: length, tenant, maintenance, role."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import orjson
from aiohttp import web
from attrs import frozen

from aioruns.local.cloudify.answers import Refusal, html
from aioruns.local.cloudify.naming import TENANT
from aioruns.local.cloudify.queries import boolean
from aioruns.local.cloudify.users import READ, Caller
from aioruns.local.records import Json

# wire/cloudify.md 1.6
_REQUEST_LINE = 4094
_CALLER = web.RequestKey("cloudify.caller", Caller)

Handler = Callable[[web.Request], Awaitable[web.Response]]


@frozen
class Rule:
    """What a route asks of a request."""

    tenant: str = "required"
    """`required`; `listing`, where `_all_tenants=true` replaces the header; `token`,
    where an execution token does; or `free`."""
    permission: str = READ
    starts: bool = False
    """Whether it starts executions."""
    always: bool = False
    """Whether it answers in maintenance too."""


class Gate(Protocol):
    """Who is admitted."""

    def caller(self, request: web.Request) -> Caller:
        """Who sends a request; raises what refuses a stranger."""
        ...

    def check(self, request: web.Request, caller: Caller, *, starts: bool) -> None:
        """Refuse what cannot be done in maintenance."""
        ...


def guarded(handler: Handler, gate: Gate, rule: Rule) -> Handler:
    """Let only admitted requests through, and turn refusals into answers."""

    async def answer(request: web.Request) -> web.Response:
        caller: Caller | None = None
        line = f"{request.method} {request.raw_path} HTTP/1.1"
        if len(line) > _REQUEST_LINE:
            return html(
                414, f"Request Line is too large ({len(line)} > {_REQUEST_LINE})"
            )
        try:
            caller = request[_CALLER] = gate.caller(request)
            _check_tenant(request, caller, rule.tenant)
            if not rule.always:
                gate.check(request, caller, starts=rule.starts)
            caller.require(rule.permission, f"{request.method} {request.path}")
            response = await handler(request)
        except Refusal as refusal:
            response = refusal.response()
        response.headers["Vary"] = "Cookie"
        if caller is not None:  # wire/cloudify.md 1.3
            response.headers["X-Cloudify-Audit-Auth-Method"] = caller.method
            response.headers["X-Cloudify-Audit-Tenant"] = TENANT
            response.headers["X-Cloudify-Audit-Username"] = caller.name
        return response

    return answer


def caller_of(request: web.Request) -> Caller:
    """Who sent a request that was admitted."""
    return request[_CALLER]


async def json_object(request: web.Request) -> dict[str, Json]:
    """The body of a request that must be a JSON object."""
    # wire/cloudify.md 1.3: a charset is refused too
    if request.headers.get("Content-Type") != "application/json":
        raise Refusal(
            415,
            "unsupported_content_type_error",
            "Content type must be application/json",
        )
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise Refusal(
            400,
            None,
            "The browser (or proxy) sent a request that this server could not "
            "understand: the body is not JSON.",
        ) from None
    if not isinstance(body, dict):
        raise Refusal(
            400, "bad_parameters_error", "The request body must be a JSON object"
        )
    return body


def _check_tenant(request: web.Request, caller: Caller, rule: str) -> None:
    if rule == "free":
        return
    name = request.headers.get("Tenant")
    if name is None:
        if rule == "listing" and boolean(request.query, "_all_tenants"):
            return
        if rule == "token" and caller.execution is not None:
            return
        raise Refusal(
            403,
            "forbidden_error",
            "Authorization failed: tenant not provided; send the header Tenant",
        )
    if name != TENANT:
        raise Refusal(
            403,
            "forbidden_error",
            f"Permission denied: user {caller.name} has no role in tenant `{name}`; "
            f"this server has the tenant {TENANT}",
        )
