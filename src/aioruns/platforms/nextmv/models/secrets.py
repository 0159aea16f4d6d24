"""Collections of secrets (wire/nextmv.md 4.6)."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aioruns.http.codec import Json, key


class SecretType(StrEnum):
    """Where a run finds a secret."""

    ENV = "env"
    FILE = "file"


@frozen
class Secret:
    """One secret; its value is in no repr.

    Attributes:
        secret_type: Environment variable or file.
        location: The variable's name, or the file's path.
        value: The secret itself; the platform never gives it back in clear.
    """

    secret_type: SecretType | str = field(metadata=key("type"))
    location: str = ""
    value: str = field(default="", repr=False)


@frozen
class SecretsCollectionSummary:
    """A collection without its secrets."""

    collection_id: str = field(metadata=key("id"))
    application_id: str = ""
    name: str = ""
    description: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class SecretsCollection:
    """A collection with its secrets, whose values come masked."""

    collection_id: str = field(metadata=key("id"))
    application_id: str = ""
    name: str = ""
    description: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    secrets: list[Secret] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)
