"""What both clients are seen to do, in the same plain form."""

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.wire.recording import Recorder

NAMES: dict[str, Any] = {
    "datetime": datetime,
    "timedelta": timedelta,
    "timezone": timezone,
}
"""What the expressions of cases may use beside `service` and `kfp`."""

_PROOFS = ("Authorization", "Cookie", "kubeflow-userid")


class KubeflowRecorder(Recorder):
    """A recorder that writes down the query as it came, and the proofs of identity."""

    def _serve(self, name: str, handler: BaseHTTPRequestHandler) -> None:
        # Before the answer, after which the next request may come.
        seen = {
            header: handler.headers.get(header)
            for header in _PROOFS
            if header in handler.headers
        }
        self.more.append(
            {"headers": seen, "raw_query": handler.path.partition("?")[2] or None}
        )
        super()._serve(name, handler)

    def play(self, answers: Any) -> None:
        """Forget what was asked, and be ready with new answers."""
        self.more: list[dict[str, Any]] = []
        super().play(answers)

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The requests."""
        seen = []
        for request, more in zip(self.requests, self.more, strict=True):
            kept = {
                key: value
                for key, value in request.items()
                if key not in {"to", "account", "authorization"}
            }
            seen.append(kept | more)
        return seen


def plain(value: Any) -> Any:
    """The JSON form of a value; what is absent in a model is left out."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    names = getattr(type(value), "openapi_types", None)
    if names is None:
        names = [one.name for one in type(value).__attrs_attrs__ if one.name != "raw"]
    return {
        name: plain(getattr(value, name))
        for name in names
        if not _absent(getattr(value, name))
    }


def _absent(value: Any) -> bool:
    """What protobuf JSON leaves out, and what our models hold in its place."""
    return value is None or value in ([], {})


def returned(value: Any) -> dict[str, Any]:
    """The outcome of a call that returned."""
    return {"returns": type(value).__name__, "value": plain(value)}
