"""Server generations, and how each of them says that something went wrong."""

import json
from typing import Literal

from aiohttp import web

from aioruns.local.records import Json

Generation = Literal["G1", "G2", "G3"]
"""G1: releases 1.x, G2: 2.0 to 2.5, G3: 2.14 and later (wire/kubeflow.md 0.3)."""

INVALID = 3
NOT_FOUND = 5
FORBIDDEN = 7
PRECONDITION = 9
ABORTED = 10
UNIMPLEMENTED = 12
INTERNAL = 13
UNAUTHENTICATED = 16

# wire/kubeflow.md 7.2; code 1 is 499 on G3
_STATUS = {
    1: 408,
    2: 500,
    3: 400,
    4: 504,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    12: 501,
    13: 500,
    14: 503,
    16: 401,
}
_CODE = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    408: 1,
    409: 10,
    429: 8,
    499: 1,
    501: 12,
    503: 14,
    504: 4,
}
_CHAIN = {
    3: "Invalid input error",
    5: "ResourceNotFoundError",
    7: "PermissionDenied",
    9: "FailedPreconditionError",
    10: "BadRequestError",
    13: "InternalServerError",
    16: "Unauthenticated",
}


class Refusal(Exception):
    """An operation ends with an error answer.

    Args:
        code: The gRPC code number (wire/kubeflow.md 7.2).
        message: The short text for the user.
        gateway: Raised before the service was reached: the body has no `details`.
    """

    def __init__(self, code: int, message: str, *, gateway: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.gateway = gateway


def not_found(run_id: str) -> Refusal:
    """The answer to an unknown run id."""
    return Refusal(NOT_FOUND, f"Run {run_id} not found.")


def dumps(generation: Generation, value: Json) -> bytes:
    """Encode as the generation's gateway does (wire/kubeflow.md 3.1)."""
    if generation == "G3":
        return json.dumps(value, ensure_ascii=False, separators=(", ", ":")).encode()
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":  # these occur inside strings only
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode()


def body(generation: Generation, refusal: Refusal) -> dict[str, Json]:
    """The JSON error body (wire/kubeflow.md 7.1)."""
    code, short = refusal.code, refusal.message
    kind = _CHAIN.get(code)
    chain = short if refusal.gateway or kind is None else f"{kind}: {short}"
    answer: dict[str, Json] = {} if generation == "G3" else {"error": chain}
    answer |= {"code": code, "message": chain}
    if refusal.gateway:
        return answer
    detail: dict[str, Json] = {
        "@type": "type.googleapis.com/google.rpc.Status",
        "code": code,
        "message": short,
    }
    if generation == "G1":
        detail = {
            "@type": "type.googleapis.com/api.Error",
            "error_message": short,
            "error_details": chain,
        }
    return answer | {"details": [detail]}


def render(
    generation: Generation, refusal: Refusal, status: int | None = None
) -> web.Response:
    """The whole error answer; errors carry no gRPC header (wire/kubeflow.md 1.4)."""
    if status is None:
        status = 499 if refusal.code == 1 and generation == "G3" else 0
    return web.Response(
        status=status or _STATUS[refusal.code],
        body=dumps(generation, body(generation, refusal)),
        content_type="application/json",
    )


def from_status(generation: Generation, status: int, message: str) -> web.Response:
    """An error answer that was asked for by its HTTP status."""
    return render(generation, Refusal(_CODE.get(status, INTERNAL), message), status)


def no_route(generation: Generation) -> web.Response:
    """The answer to an unknown path under `/apis/` (wire/kubeflow.md 7.3)."""
    if generation == "G3":
        return render(generation, Refusal(NOT_FOUND, "Not Found", gateway=True))
    return web.Response(status=404, text="Not Found\n")


def no_method(generation: Generation) -> web.Response:
    """The answer to a known path with another method (wire/kubeflow.md 7.3)."""
    if generation == "G3":
        refusal = Refusal(UNIMPLEMENTED, "Method Not Allowed", gateway=True)
        return render(generation, refusal)
    return web.Response(status=405, text="Method Not Allowed\n")
