"""Paths below a deployment (wire/abeja.md 1.1)."""

from aioruns.http.request import path


def below(organization_id: str, deployment_id: str, *segments: str) -> str:
    """The path of a thing of a deployment; no slash at the end."""
    return path(
        "organizations", organization_id, "deployments", deployment_id, *segments
    )
