"""What every request passes before its handler: length, credentials, tenant."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from aioruns.local.cloudify.answers import Refusal, html
from aioruns.local.cloudify.queries import boolean
from aioruns.local.records import Json

TENANT = "default_tenant"
USER = "admin"
# wire/cloudify.md 1.6
_REQUEST_LINE = 4094

Handler = Callable[[web.Request], Awaitable[web.Response]]


def guarded(handler: Handler, token: str, *, tenant: str = "required") -> Handler:
    """Let only admitted requests through, and turn refusals into answers.

    Args:
        handler: What answers an admitted request.
        token: The password of `admin`, and an API token.
        tenant: `required`; `listing`, where `_all_tenants=true` replaces the header;
            or `free`.
    """

    async def answer(request: web.Request) -> web.Response:
        method = ""
        line = f"{request.method} {request.raw_path} HTTP/1.1"
        if len(line) > _REQUEST_LINE:
            return html(
                414, f"Request Line is too large ({len(line)} > {_REQUEST_LINE})"
            )
        try:
            method = _authenticate(request, token)
            _check_tenant(request, tenant)
            response = await handler(request)
        except Refusal as refusal:
            response = refusal.response()
        response.headers["Vary"] = "Cookie"
        if method:  # wire/cloudify.md 1.3
            response.headers["X-Cloudify-Audit-Auth-Method"] = method
            response.headers["X-Cloudify-Audit-Tenant"] = TENANT
            response.headers["X-Cloudify-Audit-Username"] = USER
        return response

    return answer


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


def _authenticate(request: web.Request, token: str) -> str:
    """The name of the way in which the request is authenticated."""
    # wire/cloudify.md 1.2: execution token, then Basic, then API token; a wrong one
    # is not healed by a good one after it
    headers = request.headers
    if "Execution-Token" in headers:
        raise _unauthorized("The execution token is of no active execution")
    login = _basic(headers.get("Authorization", ""))
    if login is not None:
        user, password = login
        if user != USER:
            raise _unauthorized("No authentication info provided")
        if not _same(password, token):
            raise _unauthorized(f"Authentication failed for user {USER}")
        return "http_basic"
    if "Authentication-Token" in headers:
        if not _same(headers["Authentication-Token"], token):
            raise _unauthorized("The authentication token is not valid")
        return "token"
    raise _unauthorized("No authentication info provided")


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    if not colon or not (user[:1].isascii() and user[:1].isalpha()):
        return None
    return user, password


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(
        given.encode(errors="surrogateescape"), wanted.encode(errors="surrogateescape")
    )


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, "unauthorized_error", message)


def _check_tenant(request: web.Request, rule: str) -> None:
    if rule == "free":
        return
    name = request.headers.get("Tenant")
    if name is None:
        if rule == "listing" and boolean(request.query, "_all_tenants"):
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
            f"Permission denied: user {USER} has no role in tenant `{name}`; "
            f"this server has the tenant {TENANT}",
        )
