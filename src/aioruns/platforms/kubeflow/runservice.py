"""The ten operations of the run service, under their documented names."""

from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from attrs import define

from aioruns.errors import BadRequest, InvalidInput, NotFound
from aioruns.http.codec import Json
from aioruns.http.request import Progress
from aioruns.paging import pages
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import requests
from aioruns.platforms.kubeflow.artifacts import save_artifact
from aioruns.platforms.kubeflow.bodies import body_of, checked_filter, checked_size
from aioruns.platforms.kubeflow.filters import Filter, chunks
from aioruns.platforms.kubeflow.models import (
    ApiListRunsResponse,
    ApiReadArtifactResponse,
    ApiReportRunMetricsRequest,
    ApiReportRunMetricsResponse,
    ApiRun,
    ApiRunDetail,
)
from aioruns.platforms.kubeflow.statuses import ending


@define(eq=False)
class RunService:
    """The run service of REST version v1beta1, which every server speaks.

    Users of the official synchronous client port by adding `await`. Errors are those of
    `aioruns.errors`; nothing here repeats a creation or a retry.

    Attributes:
        client: Sends the requests.

    Example:
        ```python
        service = kubeflow.run_service
        spec = ApiPipelineSpec(pipeline_id="0e5e6a5f-...")
        created = await service.create_run(ApiRun(name="train", pipeline_spec=spec))
        print((await service.get_run(created.run.id)).run.status)
        ```
    """

    client: Client

    async def create_run(self, body: ApiRun | Mapping[str, object]) -> ApiRunDetail:
        """Create a run, in one attempt.

        Args:
            body: The run, as a model or as the JSON object that the server documents.

        Raises:
            InvalidInput: The body has no JSON form.
            CallError: It was refused; `maybe_acted` says whether it may exist all the
                same. `Pipeline.submit` finds that out by itself.
        """
        return await self.client.send(requests.create_run(body_of(body, ApiRun)))

    async def get_run(self, run_id: str) -> ApiRunDetail:
        """Read a run with its workflow manifest.

        Raises:
            NotFound: There is no such run, or its manifest is still empty.
        """
        return await self.client.send(requests.get_run(run_id))

    async def list_runs(
        self,
        *,
        page_token: str | None = None,
        page_size: int | None = None,
        sort_by: str | None = None,
        resource_reference_key_type: str | None = None,
        resource_reference_key_id: str | None = None,
        filter: Filter | str | None = None,
    ) -> ApiListRunsResponse:
        """Read one page of runs.

        Args:
            page_token: `next_page_token` of the page before; repeat the scope with it,
                and leave out `sort_by` and `filter`, as `list_run_pages` does.
            page_size: Rows; 20 by default, 200 at most.
            sort_by: A column, perhaps followed by ` asc` or ` desc`; by default the
                oldest run comes first.
            resource_reference_key_type: Kind of the scope, for example `EXPERIMENT`.
            resource_reference_key_id: Id of the scope.
            filter: Conditions, or the JSON text of them, which the server decodes
                twice.

        Raises:
            InvalidInput: Only a part of the scope is given, or a value cannot be right.
            BadRequest: A column is unknown, or the token goes with another filter.
            NotFound: There is no such experiment; 1.x servers answer an empty page.
        """
        _check_scope(resource_reference_key_type, resource_reference_key_id)
        return await self.client.send(
            requests.list_runs(
                page_token=page_token,
                page_size=checked_size(page_size),
                sort_by=sort_by,
                resource_reference_key_type=resource_reference_key_type,
                resource_reference_key_id=resource_reference_key_id,
                filter_=checked_filter(filter, "v1beta1"),
            )
        )

    async def list_run_pages(
        self,
        *,
        page_token: str | None = None,
        page_size: int | None = None,
        sort_by: str | None = None,
        resource_reference_key_type: str | None = None,
        resource_reference_key_id: str | None = None,
        filter: Filter | str | None = None,
    ) -> AsyncIterator[ApiListRunsResponse]:
        """Read all pages, one after the other; arguments as of `list_runs`.

        Yields:
            The pages. The `next_page_token` of one continues after it, in another
            process too, with the same scope and without filter and order.

        Raises:
            Unreadable: The server returned the token that it was asked with.
            CallError: As of `list_runs`.
        """

        async def read(
            token: str | None,
        ) -> tuple[list[ApiListRunsResponse], str | None]:
            # wire/kubeflow.md 5.4: filter and order come from the token, and a filter
            # beside it is refused even if it is the same; the scope is not in it.
            page = await self.list_runs(
                page_token=token,
                page_size=page_size,
                sort_by=None if token else sort_by,
                resource_reference_key_type=resource_reference_key_type,
                resource_reference_key_id=resource_reference_key_id,
                filter=None if token else filter,
            )
            return [page], page.next_page_token

        async for found in pages(read, page_token):
            for page in found:
                yield page

    async def get_runs(
        self,
        run_ids: Iterable[str],
        *,
        resource_reference_key_type: str | None = None,
        resource_reference_key_id: str | None = None,
    ) -> dict[str, ApiRun]:
        """Read many runs by a listing for each hundred.

        Args:
            run_ids: Their ids.
            resource_reference_key_type: Kind of the scope, for multi-user servers.
            resource_reference_key_id: Id of the scope.

        Returns:
            The runs by id, without their workflow manifests; those that do not exist
            are missing.
        """
        found: dict[str, ApiRun] = {}
        for ids in chunks(dict.fromkeys(run_ids)):
            page = await self.list_runs(
                page_size=requests.LARGEST_PAGE,
                resource_reference_key_type=resource_reference_key_type,
                resource_reference_key_id=resource_reference_key_id,
                filter=Filter().where("id", "IN", ids),
            )
            found |= {run.id: run for run in page.runs if run.id}
        return found

    async def archive_run(self, id: str) -> Json:
        """Put a run away; it goes on if it is running.

        Returns:
            The server's empty object, here and wherever nothing else is documented.
        """
        return (await self.client.send(requests.act("v1beta1", id, "archive"))).raw

    async def unarchive_run(self, id: str) -> Json:
        """Take an archived run back."""
        return (await self.client.send(requests.act("v1beta1", id, "unarchive"))).raw

    async def delete_run(self, id: str) -> Json:
        """Delete a run and its workflow, in any state.

        Raises:
            NotFound: There is no such run.
        """
        try:
            return (await self.client.send(requests.delete_run("v1beta1", id))).raw
        except NotFound as error:
            if not _was_repeated(error):
                raise
            # wire/kubeflow.md 7.4: the attempt whose answer was lost has deleted it
            return {}

    async def terminate_run(self, run_id: str) -> Json:
        """Ask an active run to end.

        Raises:
            BadRequest: It is ending or has ended.
        """
        try:
            request = requests.act("v1beta1", run_id, "terminate")
            return (await self.client.send(request)).raw
        except BadRequest as error:
            if not _was_repeated(error):
                raise
            # wire/kubeflow.md 7.4: perhaps the attempt whose answer was lost did it
            status = (await self.get_run(run_id)).run.status
            if not ending(status or ""):
                raise
            return {}

    async def retry_run(self, run_id: str) -> Json:
        """Run the failed steps of a run again, under the same id.

        Raises:
            Conflict: The run has not failed.
        """
        return (await self.client.send(requests.act("v1beta1", run_id, "retry"))).raw

    async def report_run_metrics(
        self, run_id: str, body: ApiReportRunMetricsRequest | Mapping[str, object]
    ) -> ApiReportRunMetricsResponse:
        """Report metrics; each has its own outcome, and the first value of one wins.

        `Kubeflow.report_metrics` reports many, and knows its own repetitions.

        Args:
            run_id: The run, in any state.
            body: The metrics.
        """
        made = body_of(body, ApiReportRunMetricsRequest, nan_as_text=True)
        return await self.client.send(requests.report_run_metrics(run_id, made))

    async def read_artifact(
        self, run_id: str, node_id: str, artifact_name: str
    ) -> ApiReadArtifactResponse:
        """Read an artifact as base64 text; `Kubeflow.read_artifact` decodes it.

        Raises:
            NotFound: There is no such run, node or artifact.
        """
        return await self.client.send(
            requests.read_artifact("v1beta1", run_id, node_id, artifact_name)
        )

    async def save_artifact(
        self,
        run_id: str,
        node_id: str,
        artifact_name: str,
        file: str | Path,
        progress: Progress | None = None,
    ) -> int:
        """Stream an artifact into a file; see `Kubeflow.save_artifact`."""
        request = requests.read_artifact("v1beta1", run_id, node_id, artifact_name)
        return await save_artifact(self.client, request, Path(file), progress)


def _check_scope(kind: str | None, id_: str | None) -> None:
    # wire/kubeflow.md 2.3: one without the other is refused with an error that says
    # nothing of it
    if bool(kind) != bool(id_) or kind == "UNKNOWN_RESOURCE_TYPE":
        raise InvalidInput(
            "give resource_reference_key_type and resource_reference_key_id both, for "
            "example EXPERIMENT and its id, or neither"
        )


def _was_repeated(error: NotFound | BadRequest) -> bool:
    return error.context.attempts > 1
