"""Services, which answer requests all the time (wire/abeja.md 8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.abeja.models.text import object_or_text


@frozen
class Service:
    """One service.

    Attributes:
        service_id: The service, `ser-...`.
        status: `IN_PROGRESS`, `READY`, or a word that is not documented.
        deployment_id: Its deployment.
        model_version_id: The version that it runs, `ver-...`.
        model_version: That version's number, such as `0.0.3`.
        models: `{"alias": model_id}` if a model was given.
        instance_type: The kind of its machines, such as `cpu-0.25`.
        instance_number: How many there are.
        min_instance_number: The fewest, where their number changes by itself.
        max_instance_number: The most, there.
        enable_autoscale: Whether their number changes by itself.
        metrics_url: Where its measurements are shown.
        record_channel_id: The channel that its requests are recorded in.
        service_process_type: How it serves, such as `multi`.
        user_env_vars: Its own environment variables.
        merged_env_vars: Those, and the deployment's.
        created_at: When it was made.
        modified_at: When it changed last.
        raw: The object as it came.
    """

    service_id: str
    status: str
    deployment_id: str = ""
    model_version_id: str = ""
    model_version: str | None = None
    models: Any = None
    instance_type: str | None = None
    instance_number: int | None = None
    min_instance_number: int | None = None
    max_instance_number: int | None = None
    enable_autoscale: Any = None
    metrics_url: str | None = field(default=None, repr=False)
    record_channel_id: str | None = None
    service_process_type: str | None = None
    user_env_vars: Any = field(default=None, converter=object_or_text, repr=False)
    merged_env_vars: Any = field(default=None, converter=object_or_text, repr=False)
    created_at: datetime | None = None
    modified_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ServicePage:
    """All services of a deployment; there is no further page.

    Attributes:
        entries: The services.
        raw: The object as it came.
    """

    entries: Sequence[Service]
    raw: Json = field(factory=dict, repr=False, eq=False)
