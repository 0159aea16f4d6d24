"""What an error body says; three generations say it differently."""

import orjson

from aioruns.http.request import Response
from aioruns.session import Explanation, explain_as_text


def explain(response: Response) -> Explanation:
    """Take the short text for users and the gRPC code from an error body."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return explain_as_text(response)
    if not isinstance(body, dict):
        return explain_as_text(response)
    code = body.get("code")
    message = _short(body.get("details"))
    # The artifact route of recent releases answers error_message (wire/kubeflow.md 2.9)
    for key in ("message", "error", "error_message"):
        message = message or _text(body.get(key))
    if not message:
        return explain_as_text(response)
    return Explanation(message, str(code) if isinstance(code, int) else None)


def _short(details: object) -> str:
    """The user-facing text: `error_message` on G1, `message` on G2 and G3."""
    if not isinstance(details, list) or not details or not isinstance(details[0], dict):
        return ""
    detail = details[0]
    return _text(detail.get("error_message")) or _text(detail.get("message"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
