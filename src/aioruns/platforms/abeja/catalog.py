"""What runs are made of: deployments, and their versions and services."""

from attrs import define, field

from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.models import (
    DeploymentInfo,
    DeploymentPage,
    Service,
    ServicePage,
    Version,
    VersionPage,
)
from aioruns.platforms.client import Client


@define(eq=False)
class Catalog:
    """Reads of deployments, versions and services, as the official client names them.

    All raise `CallError` when the platform refuses or cannot be asked, and
    `InvalidInput` for an empty id.
    """

    _client: Client = field(repr=False)

    async def get_services(
        self, organization_id: str, deployment_id: str
    ) -> ServicePage:
        """Read all services of a deployment."""
        return await self._client.send(
            requests.get_services(organization_id, deployment_id)
        )

    async def get_service(
        self, organization_id: str, deployment_id: str, service_id: str
    ) -> Service:
        """Read a service."""
        return await self._client.send(
            requests.get_service(organization_id, deployment_id, service_id)
        )

    async def get_deployments(self, organization_id: str) -> DeploymentPage:
        """Read all deployments of an organization."""
        return await self._client.send(requests.get_deployments(organization_id))

    async def get_deployment(
        self, organization_id: str, deployment_id: str
    ) -> DeploymentInfo:
        """Read a deployment."""
        return await self._client.send(
            requests.get_deployment(organization_id, deployment_id)
        )

    async def get_deployment_versions(
        self, organization_id: str, deployment_id: str
    ) -> VersionPage:
        """Read all versions of a deployment's code."""
        return await self._client.send(
            requests.get_deployment_versions(organization_id, deployment_id)
        )

    async def get_deployment_version(
        self, organization_id: str, deployment_id: str, version_id: str
    ) -> Version:
        """Read a version of a deployment's code."""
        return await self._client.send(
            requests.get_deployment_version(organization_id, deployment_id, version_id)
        )
