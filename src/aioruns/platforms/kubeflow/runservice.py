"""The ten operations of the run service, under their documented names."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define

from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import requests
from aioruns.platforms.kubeflow.models import (
    ArtifactData,
    MetricResults,
    RunDetail,
    RunList,
)


@define(eq=False)
class RunService:
    """The run service of REST version v1beta1, which every server speaks.

    Users of the official synchronous client port by adding `await`. Errors are those of
    `aioruns.errors`; nothing here repeats a creation.
    """

    client: Client

    async def create_run(self, body: Mapping[str, Any]) -> RunDetail:
        """Create a run from a body as the server documents it, in one attempt.

        Raises:
            CallError: It was refused; `maybe_acted` says whether it may exist all the
                same. `Pipeline.submit` finds that out by itself.
        """
        return await self.client.send(requests.create_run(body))

    async def get_run(self, run_id: str) -> RunDetail:
        """Read a run with its workflow manifest."""
        return await self.client.send(requests.get_run(run_id))

    async def list_runs(
        self,
        *,
        page_token: str | None = None,
        page_size: int | None = None,
        sort_by: str | None = None,
        resource_reference_key_type: str | None = None,
        resource_reference_key_id: str | None = None,
        filter: str | None = None,
    ) -> RunList:
        """Read one page of runs.

        Args:
            page_token: `next_page_token` of the page before; repeat the scope with it,
                and leave out `sort_by` and `filter`.
            page_size: Rows, 200 at most.
            sort_by: A column, perhaps followed by ` asc` or ` desc`.
            resource_reference_key_type: Kind of the scope, for example `EXPERIMENT`.
            resource_reference_key_id: Id of the scope.
            filter: JSON text of predicates.
        """
        return await self.client.send(
            requests.list_runs(
                page_token=page_token,
                page_size=page_size,
                sort_by=sort_by,
                resource_reference_key_type=resource_reference_key_type,
                resource_reference_key_id=resource_reference_key_id,
                filter_=filter,
            )
        )

    async def archive_run(self, run_id: str) -> None:
        """Put a run away; it goes on if it is running."""
        await self.client.send(requests.act(run_id, "archive"))

    async def unarchive_run(self, run_id: str) -> None:
        """Take an archived run back."""
        await self.client.send(requests.act(run_id, "unarchive"))

    async def delete_run(self, run_id: str) -> None:
        """Delete a run and its workflow, in any state."""
        await self.client.send(requests.delete_run(run_id))

    async def terminate_run(self, run_id: str) -> None:
        """Ask an active run to end.

        Raises:
            BadRequest: It is ending or has ended.
        """
        await self.client.send(requests.terminate_run("v1beta1", run_id))

    async def retry_run(self, run_id: str) -> None:
        """Run the failed steps of a run again, under the same id.

        Raises:
            Conflict: The run has not failed.
        """
        await self.client.send(requests.retry_run(run_id))

    async def report_run_metrics(
        self, run_id: str, metrics: Sequence[Mapping[str, Any]]
    ) -> MetricResults:
        """Report metrics; each has its own outcome, and the first value of one wins."""
        return await self.client.send(requests.report_run_metrics(run_id, metrics))

    async def read_artifact(
        self, run_id: str, node_id: str, artifact_name: str
    ) -> ArtifactData:
        """Read an artifact in base64; `Kubeflow.read_artifact` decodes it."""
        return await self.client.send(
            requests.read_artifact(run_id, node_id, artifact_name)
        )
