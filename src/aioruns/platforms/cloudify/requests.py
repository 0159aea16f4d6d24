"""The requests of a Cloudify Manager, as values. Paths are below `/api/v3.1`."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlencode
from uuid import UUID

from aioruns.http.codec import Json
from aioruns.http.request import Request, member, path, query
from aioruns.platforms.cloudify.models import (
    Execution,
    ExecutionMark,
    ExecutionState,
    ListResponse,
    Started,
    StatusCount,
)
from aioruns.platforms.cloudify.words import Words
from aioruns.platforms.named_ids import named_id
from aioruns.seam import Submission

MARKER = "_aioruns_key"
"""The workflow parameter that carries a submission key."""

MARKS = 100
"""Executions a page when a marker is looked for; parameters make rows heavy."""

_EXECUTIONS = path("executions")
_NAMESPACE = UUID("7a1f6d0e-54c1-4bb6-8a0b-0c8d0b8f6f5e").bytes
_STATE_FIELDS = "id,status,error,created_at,started_at,ended_at"
_STATE_QUERY = urlencode({"_include": _STATE_FIELDS})
_MARK_FIELDS = "id,workflow_id,created_at,parameters"

# wire/cloudify.md 1.6: the request line may have 4094 bytes, and 6.1: about 80 ids.
MOST_IDS = 80
ROWS = 1000
"""Executions a page."""
_LONGEST_IDS = 3400


def execution_id(submission: Submission) -> str:
    """The id of a submission's execution where we may choose it.

    The same key for the same deployment always gives the same id.
    """
    return named_id(_NAMESPACE, f"{submission.target}\n{submission.key}")


def start(body: Json) -> Request[Started]:
    """Start an execution (wire/cloudify.md 2.3)."""
    return Request("POST", _EXECUTIONS, Started, json=body, repeatable=False)


def with_id(submission: Submission, run_id: str) -> Request[Started]:
    """Start a submission's execution under the id that its key makes."""
    return start({**submission.payload, "id": run_id})


def with_marker(submission: Submission) -> Request[Started]:
    """Start a submission's execution with its key among the parameters.

    Undeclared parameters are permitted then, since no workflow declares ours.
    """
    parameters = {**submission.payload.get("parameters", {}), MARKER: submission.key}
    body = {**submission.payload, "parameters": parameters}
    return start({**body, "allow_custom_parameters": True})


def get_execution(run_id: str) -> Request[Execution]:
    """Read an execution with all of its fields."""
    return Request("GET", path("executions", run_id), Execution)


def list_executions(run_id: str) -> Request[ListResponse[Execution]]:
    """Read all executions of one id, the oldest first."""
    asked = query({"id": run_id, "_include_system_workflows": True})
    return Request("GET", _EXECUTIONS, ListResponse[Execution], asked)


def count_states(group_id: str) -> Request[ListResponse[StatusCount]]:
    """Count the executions of a group by their status (wire/cloudify.md 6.1)."""
    asked = query({"_target_field": "status", "execution_group_id": group_id})
    where = path("summary", "executions")
    return Request("GET", where, ListResponse[StatusCount], asked)


def get_state(run_id: str) -> Request[ExecutionState]:
    """Read the state of one execution."""
    where = member(_EXECUTIONS, run_id)
    return Request("GET", where, ExecutionState, (), _STATE_QUERY, repeatable=True)


def get_mark(run_id: str) -> Request[ExecutionMark]:
    """Read what tells whose execution it is."""
    fields = query({"_include": _MARK_FIELDS})
    return Request("GET", path("executions", run_id), ExecutionMark, fields)


def list_states(run_ids: Iterable[str]) -> Request[ListResponse[ExecutionState]]:
    """Read the states of many executions (wire/cloudify.md 6.1).

    Args:
        run_ids: One chunk of `chunks`.
    """
    ids = list(run_ids)
    asked = query(
        {
            "id": ids,
            "_include": _STATE_FIELDS,
            "_include_system_workflows": True,
            # More than ids, since simultaneous starts can make several executions of
            # one (wire/cloudify.md 6.2).
            "_size": ROWS,
        }
    )
    return Request("GET", _EXECUTIONS, ListResponse[ExecutionState], asked)


def list_words(offset: int) -> Request[Words]:
    """List what all executions are at, newest first (wire/cloudify.md 6.1)."""
    return Request("GET", _EXECUTIONS, Words, _words(offset))


def list_words_undecoded(offset: int) -> Request[bytes]:
    """The same, for the bytes of the answer."""
    return Request("GET", _EXECUTIONS, bytes, _words(offset))


def _words(offset: int) -> tuple[tuple[str, str], ...]:
    return query(
        {
            "_sort": ["-created_at", "id"],
            "_size": ROWS,
            "_offset": offset,
            "_include": "id,status",
            "_include_system_workflows": True,
        }
    )


def list_newest(
    deployment_id: str, workflow_id: str, offset: int
) -> Request[ListResponse[ExecutionMark]]:
    """List the executions of a workflow, newest first (wire/cloudify.md 6.2)."""
    asked = query(
        {
            "deployment_id": deployment_id,
            "workflow_id": workflow_id,
            "_sort": ["-created_at", "id"],
            "_size": MARKS,
            "_offset": offset,
            "_include": _MARK_FIELDS,
            "_include_system_workflows": True,
        }
    )
    return Request("GET", _EXECUTIONS, ListResponse[ExecutionMark], asked)


def cancel(run_id: str) -> Request[None]:
    """Ask an execution to end; a second time is refused and does nothing."""
    body = {"action": "cancel"}
    return Request("POST", path("executions", run_id), json=body, repeatable=True)


def chunks(
    run_ids: Iterable[str], most: int = MOST_IDS, name: str = "id"
) -> Iterator[list[str]]:
    """Divide ids so that each part fits into one request line.

    Args:
        run_ids: The ids.
        most: How many a part has at most.
        name: The query's name for an id.
    """
    chunk: list[str] = []
    length = 0
    for run_id in run_ids:
        longer = len(name) + 1 + len(path(run_id))
        if chunk and (len(chunk) == most or length + longer > _LONGEST_IDS):
            yield chunk
            chunk, length = [], 0
        chunk.append(run_id)
        length += longer
    if chunk:
        yield chunk
