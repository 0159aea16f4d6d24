"""Deployments, and their versions and services (wire/abeja.md 8)."""

from aioruns.http.request import Request, path
from aioruns.platforms.abeja.models import (
    DeploymentInfo,
    DeploymentPage,
    Service,
    ServicePage,
    Version,
    VersionPage,
)
from aioruns.platforms.abeja.requests.places import below


def get_deployments(organization_id: str) -> Request[DeploymentPage]:
    """List all deployments of an organization."""
    at = path("organizations", organization_id, "deployments")
    return Request("GET", at, DeploymentPage)


def get_deployment(organization_id: str, deployment_id: str) -> Request[DeploymentInfo]:
    """Read a deployment."""
    return Request("GET", below(organization_id, deployment_id), DeploymentInfo)


def get_deployment_versions(
    organization_id: str, deployment_id: str
) -> Request[VersionPage]:
    """List all versions of a deployment."""
    return Request(
        "GET", below(organization_id, deployment_id, "versions"), VersionPage
    )


def get_deployment_version(
    organization_id: str, deployment_id: str, version_id: str
) -> Request[Version]:
    """Read a version of a deployment."""
    at = below(organization_id, deployment_id, "versions", version_id)
    return Request("GET", at, Version)


def get_services(organization_id: str, deployment_id: str) -> Request[ServicePage]:
    """List all services of a deployment."""
    return Request(
        "GET", below(organization_id, deployment_id, "services"), ServicePage
    )


def get_service(
    organization_id: str, deployment_id: str, service_id: str
) -> Request[Service]:
    """Read a service."""
    at = below(organization_id, deployment_id, "services", service_id)
    return Request("GET", at, Service)
