"""Deployments and the versions of their code (wire/abeja.md 8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.abeja.models.text import object_or_text


@frozen
class DeploymentInfo:
    """One deployment, as the platform describes it.

    Attributes:
        deployment_id: The deployment.
        name: Its name.
        creator: Who made it.
        default_environment: Environment variables of all that it runs.
        runs: Its runs.
        services: Its services.
        triggers: Its triggers.
        created_at: When it was made.
        modified_at: When it changed last.
        raw: The object as it came.
    """

    deployment_id: str
    name: str = ""
    creator: Any = field(default=None, repr=False)
    default_environment: Any = field(default=None, converter=object_or_text, repr=False)
    runs: Sequence[Any] = field(default=(), repr=False)
    services: Sequence[Any] = field(default=(), repr=False)
    triggers: Sequence[Any] = field(default=(), repr=False)
    created_at: datetime | None = None
    modified_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class DeploymentPage:
    """All deployments of an organization; there is no further page.

    Attributes:
        entries: The deployments.
        raw: The object as it came.
    """

    entries: Sequence[DeploymentInfo]
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Version:
    """One version of a deployment's code.

    Attributes:
        version_id: The version, `ver-...`: what a run is created of.
        deployment_id: Its deployment.
        version: Its number, such as `0.0.1`.
        handler: The function that is called, such as `main:handler`.
        image: The image that it runs in.
        user_parameters: Parameters of its maker's own.
        creator: Who made it.
        created_at: When it was made.
        modified_at: When it changed last.
        raw: The object as it came.
    """

    version_id: str
    deployment_id: str = ""
    version: str = ""
    handler: str | None = None
    image: str | None = None
    user_parameters: Any = field(default=None, converter=object_or_text, repr=False)
    creator: Any = field(default=None, repr=False)
    created_at: datetime | None = None
    modified_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class VersionPage:
    """All versions of a deployment; there is no further page.

    Attributes:
        entries: The versions.
        raw: The object as it came.
    """

    entries: Sequence[Version]
    raw: Json = field(factory=dict, repr=False, eq=False)
