"""Versions of an application (wire/nextmv.md 4.6)."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json


@frozen
class VersionExecutableRequirements:
    """What an executable needs to run."""

    executable_type: str = ""
    runtime: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class VersionExecutable:
    """The binary that a version froze."""

    id: str = ""
    user_email: str = ""
    uploaded_at: datetime | None = None
    requirements: VersionExecutableRequirements | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Version:
    """A frozen binary of an application."""

    id: str
    application_id: str = ""
    name: str = ""
    description: str = ""
    executable: VersionExecutable | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)
