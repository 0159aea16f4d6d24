"""What both clients are seen to do, in the same plain form."""

import builtins
import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.wire.cloudify.cases import shapes
from tests.wire.cloudify.operations import PROPERTIES
from tests.wire.recording import Recorder

_DUMPED = {
    name: shapes.execution()[name]
    for name in (
        "deployment_id",
        "workflow_id",
        "parameters",
        "is_dry_run",
        "allow_custom_parameters",
        "status",
        "created_by",
        "created_at",
        "id",
        "started_at",
        "ended_at",
        "error",
        "is_system_workflow",
    )
}

LOGGER = logging.getLogger("tests.wire")

NAMES: dict[str, Any] = {
    "date": date,
    "datetime": datetime,
    "timedelta": timedelta,
    "timezone": timezone,
    "copies": copy.deepcopy,
    "LOGGER": LOGGER,
    "DUMPED": [
        _DUMPED,
        _DUMPED
        | {
            "id": "e-2",
            "status": "failed",
            "error": "why",
            "deployment_id": None,
            "ended_at": shapes.ENDED,
            "parameters": None,
        },
    ],
    "DUMPED_GROUPS": [
        {
            "id": "g-1",
            "created_at": shapes.CREATED,
            "workflow_id": "install",
            "execution_ids": ["e-1"],
            "concurrency": 2,
            "deployment_group_id": "fleet",
            "created_by": "user",
        },
        {
            "id": "g-2",
            "created_at": shapes.CREATED,
            "workflow_id": "install",
            "execution_ids": [],
            "concurrency": 2,
            "deployment_group_id": "fleet",
            "created_by": "user",
        },
    ],
    "DUMPED_SCHEDULES": [
        {
            "id": "nightly",
            "rule": {"rrule": "RRULE:FREQ=DAILY"},
            "deployment_id": "web-1",
            "workflow_id": "heal",
            "created_at": shapes.CREATED,
            "since": "2024-05-01T01:00:00",
            "until": None,
            "stop_on_fail": False,
            "parameters": {"a": 1},
            "execution_arguments": {"force": True},
            "slip": 5,
            "enabled": True,
            "created_by": "user",
        }
    ],
}
"""What the expressions of cases may use beside `client`."""

_PROOFS = ("Authorization", "Authentication-Token", "Execution-Token", "Tenant")


class ManagerRecorder(Recorder):
    """A recorder that writes down the manager's headers as well."""

    def _serve(self, name: str, handler: BaseHTTPRequestHandler) -> None:
        # Before the answer, after which the next request may come.
        self.proofs.append(
            {
                name: handler.headers.get(name)
                for name in _PROOFS
                if name in handler.headers
            }
        )
        super()._serve(name, handler)

    def play(self, answers: Any) -> None:
        """Forget what was asked, and be ready with new answers."""
        self.proofs: list[dict[str, str]] = []
        super().play(answers)

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The requests."""
        return [
            {
                "method": request["method"],
                "path": request["path"],
                "query": request["query"],
                "headers": proofs,
                "content_type": request["content_type"],
                "body": request["body"],
            }
            for request, proofs in zip(self.requests, self.proofs, strict=True)
        ]


@contextmanager
def recording() -> Iterator[ManagerRecorder]:
    """A recorder that is closed at the end."""
    recorder = ManagerRecorder()
    try:
        yield recorder
    finally:
        recorder.close()


def plain(value: Any) -> Any:
    """The JSON form of a value: of a thing its documented properties, and its keys."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    kinds = [kind.__name__ for kind in type(value).__mro__]
    kind = next((name for name in kinds if name in PROPERTIES), kinds[0])
    if kind in PROPERTIES:
        return {
            "properties": {
                name: plain(getattr(value, name)) for name in PROPERTIES[kind]
            },
            "keys": _keys(value),
        }
    if kind == "ListResponse":
        keys = _keys(value.metadata)
        total = (
            value.metadata.pagination.total if "total" in keys["pagination"] else None
        )
        return {
            "items": [plain(item) for item in value],
            "metadata": keys,
            "total": total,
        }
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _keys(value)


def _keys(value: Any) -> Any:
    found = getattr(value, "raw", value)
    return {str(name): _json(item) for name, item in found.items()}


def _json(value: Any) -> Any:
    if hasattr(value, "items"):
        return {str(name): _json(item) for name, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list | tuple) else value


def returned(value: Any) -> dict[str, Any]:
    """The outcome of a call that returned."""
    return {"value": plain(value)}


def raised(error: BaseException) -> dict[str, Any]:
    """The outcome of a call that raised."""
    outcome: dict[str, Any] = {
        "error": type(error).__name__,
        "kinds": [
            kind.__name__
            for kind in type(error).__mro__
            if hasattr(builtins, kind.__name__)
            and kind not in {Exception, BaseException, object}
        ],
    }
    status = getattr(error, "status_code", None) or getattr(error, "status", None)
    if status:
        code = getattr(error, "error_code", None) or getattr(error, "code", None)
        outcome |= {"status": int(status), "code": code}
    return outcome
