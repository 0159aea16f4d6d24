"""Counters under their documented names (wire/cloudify.md 2.9)."""

from typing import Unpack

from aioruns.http.codec import Json
from aioruns.http.request import Request, path
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify.models import ListResponse
from aioruns.platforms.cloudify.queries import ExecutionFilters, pairs


class ExecutionCounts(ExecutionFilters, total=False):
    """The filters of executions that are counted."""

    deployment_id: str


class ExecutionSummary:
    """Counts executions; reached as `Cloudify.summary.executions`.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(
        self,
        _target_field: str,
        _sub_field: str | None = None,
        **filters: Unpack[ExecutionCounts],
    ) -> ListResponse[Json]:
        """Count executions by a field.

        Args:
            _target_field: `status`, `status_display`, `blueprint_id`, `deployment_id`,
                `workflow_id`, `tenant_name` or `visibility`.
            _sub_field: Another of these, to divide each count.
            **filters: Which executions; for example `execution_group_id`.

        Returns:
            Objects such as `{"status": "pending", "executions": 4}`.
        """
        asked = {"_target_field": _target_field, "_sub_field": _sub_field or None}
        query = pairs({**asked, **filters})
        return await self._client.send(
            Request("GET", path("summary", "executions"), ListResponse[Json], query)
        )


class Summaries:
    """Counters; reached as `Cloudify.summary`.

    Args:
        client: Sends the requests.

    Attributes:
        executions: Counts executions.
    """

    def __init__(self, client: Client) -> None:
        self.executions = ExecutionSummary(client)
