"""What the operations on executions send, checked (wire/cloudify.md 2.2, 2.3)."""

from collections.abc import Iterable, Mapping
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.http.request import Request, path
from aioruns.platforms.cloudify.models import Execution, ListResponse
from aioruns.platforms.cloudify.queries import (
    When,
    flags,
    identified,
    included,
    json_object,
    pairs,
    time_text,
)
from aioruns.platforms.cloudify.statuses import STATES


def execution_path(execution_id: str) -> str:
    """The path of an execution."""
    return path("executions", identified(execution_id, "execution id"))


def list_query(
    deployment_id: str | None,
    include_system_workflows: bool,
    sort: str | None,
    filters: Mapping[str, object],
) -> dict[str, object]:
    """What to ask of a list."""
    statuses = filters.get("status")
    for status in [statuses] if isinstance(statuses, str) else statuses or ():  # type: ignore[attr-defined]  # Texts
        if status not in STATES:
            # wire/cloudify.md 2.2: it would be an internal error.
            raise InvalidInput(
                f"no execution has the status {status!r}: give one of "
                + ", ".join(STATES)
            )
    asked: dict[str, object] = {
        "_include_system_workflows": include_system_workflows,
        "deployment_id": deployment_id or None,
        **filters,
    }
    return asked | ({"_sort": sort} if sort else {})


def list_request(
    asked: Mapping[str, object], fields: Iterable[str] | None
) -> Request[ListResponse[Execution]]:
    """Ask for a page of executions."""
    query = pairs({**asked, "_include": included(fields, "id", "status")})
    return Request("GET", path("executions"), ListResponse[Execution], query)


def start_body(
    deployment_id: str,
    workflow_id: str,
    parameters: Mapping[str, Any] | None,
    given_flags: Mapping[str, bool],
    times: Mapping[str, When | None],
    others: Mapping[str, object],
) -> Json:
    """The body of a start; what is None is left out."""
    if not isinstance(deployment_id, str):
        raise InvalidInput("deployment_id must be text; empty for system workflows")
    flags(**given_flags)
    body = {
        "deployment_id": deployment_id,
        "workflow_id": identified(workflow_id, "workflow_id"),
        "parameters": json_object(parameters, "parameters"),
        **given_flags,
        **{name: when and time_text(when) for name, when in times.items()},
        **others,
    }
    return {name: value for name, value in body.items() if value is not None}
