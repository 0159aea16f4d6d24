"""`POST /executions`: from a body to a run (wire/cloudify.md 2.3)."""

from collections.abc import Mapping
from uuid import uuid4

from attrs import frozen

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.guard import USER
from aioruns.local.cloudify.queries import moment, truth
from aioruns.local.cloudify.statuses import STATUSES
from aioruns.local.cloudify.views import answered
from aioruns.local.cloudify.worker import PLATFORM, Worker
from aioruns.local.cloudify.workflows import Catalog, Workflow
from aioruns.local.engine import Engine
from aioruns.local.records import Json

# What a field that only the role `sys_admin` may send asks for.
_PERMISSIONS = {
    "id": "set_execution_details",
    "is_system_workflow": "set_execution_details",
    "error": "set_execution_details",
    "created_by": "set_owner",
    "created_at": "set_timestamp",
    "started_at": "set_timestamp",
    "ended_at": "set_timestamp",
}


@frozen
class Wish:
    """What a body asks for, checked."""

    deployment_id: str
    workflow_id: str
    parameters: dict[str, Json]
    custom: bool
    force: bool
    dry_run: bool
    queue: bool
    status: str | None
    id: str | None
    system: bool
    told: dict[str, Json]
    """What the body claims of an execution that was somewhere else."""


def read(body: Mapping[str, Json]) -> Wish:
    """Check the fields of a body; unknown ones are ignored."""
    parameters = body.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise bad("`parameters` must be an object")
    status = _text(body, "force_status")
    if status is not None and status not in STATUSES:
        raise bad(f"`force_status` must be one of {', '.join(sorted(STATUSES))}")
    if _text(body, "scheduled_time") is not None:
        raise bad(
            "This server starts nothing at a `scheduled_time`; leave it out, and start "
            "the execution when it is due"
        )
    wait = body.get("wait_after_fail", 600)
    if isinstance(wait, bool) or not isinstance(wait, int):
        raise bad("`wait_after_fail` must be a number of seconds")
    told: dict[str, Json] = {}
    for name in ("created_at", "started_at", "ended_at"):
        text = _text(body, name)
        if text is not None:
            told[name] = _moment(name, text)
    for name in ("created_by", "error"):
        text = _text(body, name)
        if text:
            told[name] = text
    deployment_id = _required(body, "deployment_id")
    return Wish(
        deployment_id=deployment_id,
        workflow_id=_required(body, "workflow_id"),
        parameters=parameters or {},
        custom=_flag(body, "allow_custom_parameters"),
        force=_flag(body, "force"),
        dry_run=_flag(body, "dry_run"),
        queue=_flag(body, "queue"),
        status=status,
        id=_text(body, "id") or None,
        system=_system(body) or not deployment_id,
        told=told,
    )


def permit(body: Mapping[str, Json]) -> None:
    """Refuse, as for any role but `sys_admin`, the fields that need a permission."""
    for name, permission in _PERMISSIONS.items():
        if body.get(name):
            raise Refusal(
                403,
                "forbidden_error",
                f"User `{USER}` is not permitted to perform the action {permission}, "
                f"which `{name}` needs",
            )


async def start(
    engine: Engine, worker: Worker, catalog: Catalog, wish: Wish
) -> dict[str, Json]:
    """Start, queue or refuse; the answer is the execution as it was created."""
    workflow = catalog.workflow(wish.deployment_id, wish.workflow_id)
    parameters = workflow.merge(wish.parameters, custom=wish.custom)
    if wish.told.get("created_by", USER) != USER:
        raise bad(f"`created_by` must be an existing user; there is {USER}")
    # From here to the engine's own entry nothing is awaited: of two requests at the
    # same time, one is first.
    if wish.id is not None and worker.record(wish.id) is not None:
        raise Refusal(
            409, "conflict_error", f"Execution with ID `{wish.id}` already exists"
        )
    status = wish.status or _decide(worker, wish)
    record = await engine.submit(
        PLATFORM,
        wish.id or str(uuid4()),
        # a dry run does nothing, and so succeeds
        [] if wish.dry_run else [workflow.task(parameters)],
        scope=wish.deployment_id,
        detail=_detail(wish, workflow, parameters, catalog, status),
        hold=wish.status is not None or status == "queued",
    )
    return answered(record, status)


def _decide(worker: Worker, wish: Wish) -> str:
    if any(worker.lineup.ahead("")):  # system workflows block whatever is asked for
        return "queued"
    if wish.force:
        return "pending"
    ahead = worker.lineup.ahead(wish.deployment_id)
    first = next(ahead, None)
    if first is None:
        return "pending"
    if wish.queue:
        return "queued"
    running = ", ".join(record.id for record in [first, *ahead])
    raise Refusal(
        400,
        "existing_running_execution_error",
        f"The following executions are currently running for deployment "
        f"{wish.deployment_id}: {running}. To execute this workflow anyway, pass "
        "force=true; to start it after them, pass queue=true",
    )


def _detail(
    wish: Wish,
    workflow: Workflow,
    parameters: dict[str, Json],
    catalog: Catalog,
    status: str,
) -> dict[str, Json]:
    detail: dict[str, Json] = {
        "workflow_id": workflow.id,
        "blueprint_id": None,
        "parameters": parameters,
        "allow_custom_parameters": wish.custom,
        "is_dry_run": wish.dry_run,
        "is_system_workflow": wish.system,
        "held": wish.status is not None or status == "queued",
        **wish.told,
    }
    if wish.deployment_id:
        deployment = catalog.deployment(wish.deployment_id)
        detail["blueprint_id"] = deployment.blueprint_id
    if wish.status is not None:
        never = {"error": None, "started_at": None, "ended_at": None}
        detail = never | detail | {"status": wish.status}
    return detail


def _required(body: Mapping[str, Json], name: str) -> str:
    if name not in body:
        raise bad(f"Missing {name} in json request body")
    value = body[name]
    if not isinstance(value, str):
        raise bad(f"`{name}` must be a string")
    return value


def _text(body: Mapping[str, Json], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad(f"`{name}` must be a string or null")
    return value


def _flag(body: Mapping[str, Json], name: str) -> bool:
    value = body.get(name, False)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return truth(value, name)
    raise bad(f"`{name}` must be true or false")


def _system(body: Mapping[str, Json]) -> bool:
    value = body.get("is_system_workflow")
    if value is not None and not isinstance(value, bool):
        raise bad("`is_system_workflow` must be true, false or null")
    return bool(value)


def _moment(name: str, text: str) -> str:
    try:
        return moment(text).isoformat()
    except ValueError:
        raise bad(f"`{name}` must be a date, not `{text}`") from None
