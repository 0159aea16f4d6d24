"""The run service of v2beta1, under the names of the official 2.x client."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import define, field
from msgspec.structs import replace

from aioruns.errors import BadRequest, Context, NotFound, NotSupported, Unreadable
from aioruns.http.codec import Json
from aioruns.http.request import Progress, Request, query
from aioruns.paging import pages
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import requests
from aioruns.platforms.kubeflow.artifacts import save_artifact
from aioruns.platforms.kubeflow.bodies import body_of, checked_filter, checked_size
from aioruns.platforms.kubeflow.filters import Filter, chunks
from aioruns.platforms.kubeflow.models import (
    ApiReadArtifactResponse,
    V2beta1ListRunsResponse,
    V2beta1Run,
)
from aioruns.platforms.kubeflow.server import Server
from aioruns.platforms.kubeflow.statuses import ending

T = TypeVar("T")


@define(eq=False)
class RunServiceV2:
    """The run service of REST version v2beta1, which servers of 2.x releases speak.

    Both versions are views of the same runs. The parameter `experiment_id` of
    everything but `list_runs` is sent and ignored by the server; it is here for those
    who give it. Every operation is there by its full name, too: `create_run` is
    `run_service_create_run`.

    Attributes:
        client: Sends the requests.
    """

    client: Client
    _server: Callable[[], Awaitable[Server]] = field(repr=False)

    async def create_run(
        self,
        run: V2beta1Run | Mapping[str, object],
        *,
        experiment_id: str | None = None,
    ) -> V2beta1Run:
        """Create a run, in one attempt.

        Args:
            run: The run, as a model or as the JSON object that the server documents.
            experiment_id: Deprecated; what counts is the one in `run`.

        Raises:
            InvalidInput: The run has no JSON form.
            CallError: It was refused; `maybe_acted` says whether it may exist all the
                same. `Pipeline.submit` finds that out by itself.
        """
        body = body_of(run, V2beta1Run)
        return await self._run(requests.create_run_v2(body), experiment_id)

    async def get_run(
        self, run_id: str, *, experiment_id: str | None = None
    ) -> V2beta1Run:
        """Read a run with its tasks.

        Raises:
            NotFound: There is no such run.
        """
        return await self._run(requests.get_run_v2(run_id), experiment_id)

    async def list_runs(
        self,
        *,
        namespace: str | None = None,
        experiment_id: str | None = None,
        page_token: str | None = None,
        page_size: int | None = None,
        sort_by: str | None = None,
        filter: Filter | str | None = None,
    ) -> V2beta1ListRunsResponse:
        """Read one page of runs.

        Args:
            namespace: Only runs of it; single-user servers ignore it.
            experiment_id: Only runs of it.
            page_token: `next_page_token` of the page before; repeat the scope with it,
                and leave out `sort_by` and `filter`, as `list_run_pages` does.
            page_size: Rows; 20 by default, 200 at most.
            sort_by: A column, perhaps followed by ` asc` or ` desc`; by default the
                oldest run comes first.
            filter: Conditions, or the JSON text of them, which the server decodes
                twice.

        Raises:
            InvalidInput: A value cannot be right.
            BadRequest: A column is unknown, or the token goes with another filter.
            NotFound: There is no such experiment.
        """
        return await self._send(
            requests.list_runs_v2(
                namespace=namespace,
                experiment_id=experiment_id,
                page_token=page_token,
                page_size=checked_size(page_size),
                sort_by=sort_by,
                filter_=checked_filter(filter, "v2beta1"),
            )
        )

    async def list_run_pages(
        self,
        *,
        namespace: str | None = None,
        experiment_id: str | None = None,
        page_token: str | None = None,
        page_size: int | None = None,
        sort_by: str | None = None,
        filter: Filter | str | None = None,
    ) -> AsyncIterator[V2beta1ListRunsResponse]:
        """Read all pages, one after the other; as `RunService.list_run_pages`.

        Yields:
            The pages.

        Raises:
            Unreadable: The server returned the token that it was asked with.
            CallError: As of `list_runs`.
        """

        async def read(
            token: str | None,
        ) -> tuple[list[V2beta1ListRunsResponse], str | None]:
            page = await self.list_runs(
                namespace=namespace,
                experiment_id=experiment_id,
                page_token=token,
                page_size=page_size,
                sort_by=None if token else sort_by,
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
        namespace: str | None = None,
        experiment_id: str | None = None,
    ) -> dict[str, V2beta1Run]:
        """Read many runs by a listing for each hundred; missing are those not there."""
        found: dict[str, V2beta1Run] = {}
        for ids in chunks(dict.fromkeys(run_ids)):
            page = await self.list_runs(
                namespace=namespace,
                experiment_id=experiment_id,
                page_size=requests.LARGEST_PAGE,
                filter=Filter().where("run_id", "IN", ids),
            )
            found |= {run.run_id: run for run in page.runs if run.run_id}
        return found

    async def archive_run(
        self, run_id: str, *, experiment_id: str | None = None
    ) -> Json:
        """Put a run away; it goes on if it is running."""
        return await self._act(run_id, "archive", experiment_id)

    async def unarchive_run(
        self, run_id: str, *, experiment_id: str | None = None
    ) -> Json:
        """Take an archived run back.

        Raises:
            BadRequest: Its experiment is archived.
        """
        return await self._act(run_id, "unarchive", experiment_id)

    async def delete_run(
        self, run_id: str, *, experiment_id: str | None = None
    ) -> Json:
        """Delete a run and its workflow, in any state.

        Raises:
            NotFound: There is no such run.
        """
        request = requests.delete_run("v2beta1", run_id)
        try:
            return (await self._send(_with(request, experiment_id))).raw
        except NotFound as error:
            if error.context.attempts < 2:
                raise
            # wire/kubeflow.md 7.4: the attempt whose answer was lost has deleted it
            return {}

    async def terminate_run(
        self, run_id: str, *, experiment_id: str | None = None
    ) -> Json:
        """Ask an active run to end.

        Raises:
            BadRequest: It is ending or has ended.
        """
        try:
            return await self._act(run_id, "terminate", experiment_id)
        except BadRequest as error:
            if error.context.attempts < 2:
                raise
            # wire/kubeflow.md 7.4: perhaps the attempt whose answer was lost did it
            if not ending((await self.get_run(run_id)).state or ""):
                raise
            return {}

    async def retry_run(self, run_id: str, *, experiment_id: str | None = None) -> Json:
        """Run the failed steps of a run again, under the same id.

        Raises:
            Conflict: The run has not failed.
        """
        return await self._act(run_id, "retry", experiment_id)

    async def read_artifact(
        self, run_id: str, node_id: str, artifact_name: str
    ) -> ApiReadArtifactResponse:
        """Read an artifact as base64 text; the official 2.x client has no such thing.

        Raises:
            NotFound: There is no such run, node or artifact.
        """
        return await self._send(
            requests.read_artifact("v2beta1", run_id, node_id, artifact_name)
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
        request = requests.read_artifact("v2beta1", run_id, node_id, artifact_name)
        return await save_artifact(self.client, request, Path(file), progress)

    run_service_archive_run = archive_run
    run_service_create_run = create_run
    run_service_delete_run = delete_run
    run_service_get_run = get_run
    run_service_list_runs = list_runs
    run_service_retry_run = retry_run
    run_service_terminate_run = terminate_run
    run_service_unarchive_run = unarchive_run

    async def _act(
        self, run_id: str, action: requests.Action, experiment_id: str | None
    ) -> Json:
        request = requests.act("v2beta1", run_id, action)
        return (await self._send(_with(request, experiment_id))).raw

    async def _run(
        self, request: Request[V2beta1Run], experiment_id: str | None
    ) -> V2beta1Run:
        run = await self._send(_with(request, experiment_id))
        if not run.run_id:
            shown = request.shown(self.client.origin.base_url)
            raise Unreadable(
                "the answer is a run without an id: check that the address is that of "
                "a Kubeflow Pipelines API server",
                Context("kubeflow", request.method, shown, 1),
            )
        return run

    async def _send(self, request: Request[T]) -> T:
        try:
            return await self.client.send(request)
        except NotFound:
            # Only here is it asked, since every other answer shows that the server
            # speaks v2beta1.
            if (await self._server()).generation == "G1":
                raise NotSupported(
                    "this Kubeflow Pipelines server is of a 1.x release and does not "
                    "speak v2beta1: use run_service"
                ) from None
            raise


def _with(request: Request[T], experiment_id: str | None) -> Request[T]:
    return replace(request, query=query({"experiment_id": experiment_id}))
