"""Events and log lines (wire/cloudify.md 3.5)."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import key
from aioruns.platforms.cloudify.models.answers import Answer


@frozen
class Event(Answer):
    """An event or a log line; what `_include` left out has the default.

    Attributes:
        storage_id: Its number among those of its type; key `_storage_id`. Events and
            logs share numbers.
        type: `cloudify_event` or `cloudify_log`.
        timestamp: By the clock of who wrote it.
        reported_timestamp: By the manager's clock when it arrived.
        message: The text.
        event_type: What happened, for events.
        level: How serious, for logs; any text.
        logger: What wrote it, for logs.
        error_causes: Why an operation failed: text that holds a JSON list.
        operation: The operation that it is about.
        source_id: Source of a relationship.
        target_id: Target of a relationship.
        node_instance_id: The node instance that it is about, if that exists.
        node_name: The node of that instance.
        execution_id: The execution that it belongs to; or
        execution_group_id: the execution group.
        workflow_id: The workflow.
        deployment_id: The deployment.
        deployment_display_name: The deployment's name for people.
        blueprint_id: The blueprint.
        manager_name: The manager that wrote it.
        agent_name: The agent that wrote it.
        raw: The object as it came.
    """

    storage_id: int | None = field(default=None, metadata=key("_storage_id"))
    type: str | None = None
    timestamp: datetime | None = None
    reported_timestamp: datetime | None = None
    message: str | None = None
    event_type: str | None = None
    level: str | None = None
    logger: str | None = None
    error_causes: str | None = None
    operation: str | None = None
    source_id: str | None = None
    target_id: str | None = None
    node_instance_id: str | None = None
    node_name: str | None = None
    execution_id: str | None = None
    execution_group_id: str | None = None
    workflow_id: str | None = None
    deployment_id: str | None = None
    deployment_display_name: str | None = None
    blueprint_id: str | None = None
    manager_name: str | None = None
    agent_name: str | None = None


@frozen
class EventItem:
    """The fields of an event or log line that following a log needs."""

    storage_id: int = field(metadata=key("_storage_id"))
    type: str
    timestamp: datetime
    reported_timestamp: datetime
    message: str | None = None
    event_type: str | None = None
    logger: str | None = None
    execution_id: str | None = None
