"""What the platform keeps of an application (wire/nextmv.md 4.1)."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aioruns.http.codec import Json, key


class ApplicationType(StrEnum):
    """What kind of application it is."""

    CUSTOM = "custom"
    SUBSCRIPTION = "subscription"
    PIPELINE = "pipeline"


@frozen
class ApplicationRecord:
    """What the platform keeps of an application.

    Attributes:
        id: The id.
        name: Name for people.
        description: Text for people.
        type: One's own, subscribed to, or a workflow (`pipeline`).
        default_instance_id: The instance that runs when none is named.
        default_experiment_instance: The instance of experiments.
        subscription_id: The subscription to the marketplace, if it comes from there.
        locked: Whether it cannot be changed.
        created_at: When it was created.
        updated_at: When it was changed last.
    """

    id: str
    name: str | None = None
    description: str | None = None
    type: ApplicationType | str | None = None
    default_instance_id: str | None = field(
        default=None, metadata=key("default_instance")
    )
    default_experiment_instance: str | None = None
    subscription_id: str | None = None
    locked: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)
