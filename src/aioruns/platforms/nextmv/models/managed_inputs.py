"""Managed inputs and the sets that they form (wire/nextmv.md 4.5)."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.formats import Format


@frozen
class ManagedInput:
    """An input that the platform keeps for runs and experiments."""

    id: str
    name: str | None = None
    description: str | None = None
    run_id: str | None = None
    upload_id: str | None = None
    format: Format | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class InputSet:
    """Inputs for experiments."""

    id: str
    app_id: str = ""
    name: str = ""
    description: str = ""
    input_ids: list[str] = field(factory=list)
    inputs: list[ManagedInput] = field(factory=list)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)
