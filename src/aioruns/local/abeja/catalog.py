"""The deployments and versions that runs can be made of; registered in code."""

from collections.abc import Mapping
from datetime import datetime

from attrs import define, evolve, field, frozen

from aioruns.local.abeja.answers import Refused
from aioruns.local.records import Program, utcnow


@frozen
class Version:
    """One version of a deployment's code."""

    id: str
    number: str
    """What the API calls `model_version`, such as `0.0.3`."""
    program: Program
    created: datetime
    modified: datetime


@define
class Deployment:
    """One deployment with the versions of its code."""

    id: str
    organization_id: str | None
    """The only organization that sees it; None for every one."""
    created: datetime = field(factory=utcnow)
    versions: dict[str, Version] = field(factory=dict)


@define
class Catalog:
    """Deployments by id."""

    _deployments: dict[str, Deployment] = field(factory=dict)

    def add(
        self,
        deployment_id: str,
        version_id: str,
        program: Program,
        organization_id: str | None,
    ) -> None:
        """Register a version; one that is there gets the new program."""
        deployment = self._deployments.setdefault(
            deployment_id, Deployment(deployment_id, organization_id)
        )
        deployment.organization_id = organization_id
        now = utcnow()
        known = deployment.versions.get(version_id)
        if known is not None:
            version = evolve(known, program=program, modified=now)
        else:
            number = f"0.0.{len(deployment.versions) + 1}"
            version = Version(version_id, number, program, now, now)
        deployment.versions[version_id] = version

    @property
    def deployments(self) -> Mapping[str, Deployment]:
        """All deployments, in the order of their registration."""
        return self._deployments

    def knows(self, organization_id: str, deployment_id: str) -> bool:
        """Whether the organization has the deployment."""
        deployment = self._deployments.get(deployment_id)
        return deployment is not None and (
            deployment.organization_id in {None, organization_id}
        )

    def deployment(self, organization_id: str, deployment_id: str) -> Deployment:
        """The deployment, or `Refused` with status 404."""
        if not self.knows(organization_id, deployment_id):
            raise Refused(404, f"Deployment {deployment_id} does not exist.")
        return self._deployments[deployment_id]

    def version(
        self, organization_id: str, deployment_id: str, version_id: str
    ) -> Version:
        """The version, or `Refused` with status 404."""
        try:
            return self.deployment(organization_id, deployment_id).versions[version_id]
        except KeyError:
            raise Refused(
                404, f"Deployment {deployment_id} has no version {version_id}."
            ) from None
