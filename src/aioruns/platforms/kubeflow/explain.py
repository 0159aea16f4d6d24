"""What an error body says; three generations say it differently."""

from aioruns.http.codec import DecodeError, Json, decode
from aioruns.http.request import Response
from aioruns.origin import Explanation, explain_as_text
from aioruns.platforms.kubeflow.models import ApiStatus

INTERNAL = "13"
"""The gRPC code of failures that are not classified (wire/kubeflow.md 7.2)."""


def explain(response: Response) -> Explanation:
    """Take the short text for users and the gRPC code from an error body."""
    try:
        status = decode(response.body, ApiStatus)
    except DecodeError:
        return explain_as_text(response)
    # The artifact route of recent releases answers error_message (wire/kubeflow.md 2.9)
    message = (
        _short(status.details) or status.message or status.error or status.error_message
    )
    if not message:
        return explain_as_text(response)
    return Explanation(message, None if status.code is None else str(status.code))


def _short(details: list[Json]) -> str:
    """The user-facing text: `error_message` on G1, `message` on G2 and G3."""
    for key in ("error_message", "message"):
        text = details[0].get(key) if details else None
        if text and isinstance(text, str):
            return text
    return ""
