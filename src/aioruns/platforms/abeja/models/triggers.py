"""Triggers, which start a run for every new file of a channel (wire/abeja.md 8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.abeja.models.text import object_or_text


@frozen
class Trigger:
    """One trigger.

    Attributes:
        trigger_id: The trigger, `tri-...`.
        organization_id: Its organization.
        deployment_id: Its deployment.
        model_version_id: The version that its runs run, `ver-...`.
        model_version: That version's number, such as `0.0.3`.
        models: `{"alias": model_id}` if a model was given.
        input_service_name: What starts it: `datalake`.
        input_service_id: There, the channel.
        output_service_name: Where output goes, or None.
        output_service_id: There, the place.
        retry_count: How often the platform tries each run.
        distribution: Chooses the queue of its runs.
        user_env_vars: The `environment` of its runs.
        created_at: When it was made.
        modified_at: When it changed last.
        raw: The object as it came.
    """

    trigger_id: str
    organization_id: str = ""
    deployment_id: str = ""
    model_version_id: str = ""
    model_version: str | None = None
    models: Any = None
    input_service_name: str | None = None
    input_service_id: str | None = None
    output_service_name: str | None = None
    output_service_id: str | None = None
    retry_count: int | None = None
    distribution: int | None = None
    user_env_vars: Any = field(default=None, converter=object_or_text, repr=False)
    created_at: datetime | None = None
    modified_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class TriggerPage:
    """All triggers of a deployment; there is no further page.

    Attributes:
        entries: The triggers.
        raw: The object as it came.
    """

    entries: Sequence[Trigger]
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Message:
    """What the platform says of something done.

    Attributes:
        message: For people, such as `tri-3333333333333333 deleted`.
        raw: The object as it came.
    """

    message: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)
