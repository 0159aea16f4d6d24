"""Paths below a deployment (wire/abeja.md 1.1)."""

from functools import lru_cache

from aioruns.http.request import path


# A log is read page by page at the same path.
@lru_cache(maxsize=1024)
def below(organization_id: str, deployment_id: str, *segments: str) -> str:
    """The path of a thing of a deployment; no slash at the end."""
    return path(
        "organizations", organization_id, "deployments", deployment_id, *segments
    )
