"""What the modules of this façade call things among each other."""

from aioruns.local.records import Json, RunRecord

PLATFORM = "cloudify"
GROUPS = "cloudify-groups"
"""Execution groups are runs without programs of this platform of the engine, so that
events can be written for them."""

EVENT = "event"
"""Stream of the lines that hold events, as JSON."""
LOG = "log"
"""Stream of the lines that hold logs which a request created, as JSON."""

TENANT = "default_tenant"
ADMIN = "admin"

ENVIRONMENT = "create_deployment_environment"
"""The workflow that must have succeeded before others of its deployment."""

# No text that a person chooses for an id holds it.
_TWIN = "\x1ftwin"


def twin_of(run_id: str) -> str:
    """The engine's id of the next execution with the same id (wire/cloudify.md 6.2)."""
    return run_id + _TWIN


def shown_id(record: RunRecord) -> str:
    """The id of an execution or group as clients know it."""
    return record.id.partition(_TWIN)[0]


def groups_of(record: RunRecord) -> tuple[str, ...]:
    """The execution groups that an execution belongs to."""
    groups: Json = record.detail.get("groups", ())
    return tuple(groups)
