"""The deployments and versions that runs can be made of; registered in code."""

from attrs import define, field, frozen

from aioruns.local.abeja.answers import Refused
from aioruns.local.records import Program


@frozen
class Version:
    """One version of a deployment's code."""

    id: str
    number: str
    """What the API calls `model_version`, such as `0.0.3`."""
    program: Program


@define
class _Deployment:
    organization_id: str | None
    versions: dict[str, Version] = field(factory=dict)


@define
class Catalog:
    """Deployments by id."""

    _deployments: dict[str, _Deployment] = field(factory=dict)

    def add(
        self,
        deployment_id: str,
        version_id: str,
        program: Program,
        organization_id: str | None,
    ) -> None:
        """Register a version; one that is there gets the new program."""
        deployment = self._deployments.setdefault(
            deployment_id, _Deployment(organization_id)
        )
        deployment.organization_id = organization_id
        known = deployment.versions.get(version_id)
        number = known.number if known else f"0.0.{len(deployment.versions) + 1}"
        deployment.versions[version_id] = Version(version_id, number, program)

    def knows(self, organization_id: str, deployment_id: str) -> bool:
        """Whether the organization has the deployment."""
        deployment = self._deployments.get(deployment_id)
        return deployment is not None and (
            deployment.organization_id in {None, organization_id}
        )

    def version(
        self, organization_id: str, deployment_id: str, version_id: str
    ) -> Version:
        """The version, or `Refused` with status 404."""
        if not self.knows(organization_id, deployment_id):
            raise Refused(404, f"Deployment {deployment_id} does not exist.")
        try:
            return self._deployments[deployment_id].versions[version_id]
        except KeyError:
            raise Refused(
                404, f"Deployment {deployment_id} has no version {version_id}."
            ) from None
