"""The operations of the platform under their documented names."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from attrs import define, field

from aioruns.errors import InvalidInput, NotFound
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.chain import chain
from aioruns.platforms.abeja.lines import Lines, plain_lines, recent_lines
from aioruns.platforms.abeja.models import (
    AbejaRun,
    Message,
    RecentLogs,
    RunLogs,
    RunPage,
    Trigger,
    TriggerPage,
)
from aioruns.platforms.client import Client


@define(eq=False)
class Api:
    """The Run API and what belongs to it, as the official client names it.

    Names, order and meaning of arguments are those of the official synchronous client,
    so code ports by adding `await`; answers are values whose `raw` is the object as it
    came. A `get_...` of a listing or a log reads one page, an `iter_...` all of them.

    Times are converted to UTC, and rounded outwards to whole seconds; a time without a
    zone counts as UTC. All raise `CallError` when the platform refuses or cannot be
    asked, and `InvalidInput` when a value cannot be right.
    """

    _client: Client = field(repr=False)

    # -- runs ------------------------------------------------------------------------

    async def create_run(
        self,
        organization_id: str,
        deployment_id: str,
        version_id: str,
        input_data: Mapping[str, str] | str | None = None,
        output_template: Mapping[str, str] | str | None = None,
        distribution: int | None = None,
        retry_count: int | None = None,
        environment: Mapping[str, str] | None = None,
        model_id: str | None = None,
        *,
        output_data: Mapping[str, str] | str | None = None,
    ) -> AbejaRun:
        """Submit a run, in one attempt that is never repeated.

        `abeja.deployment(id).submit(...)` is the way to submit once and know it.

        Args:
            organization_id: The organization.
            deployment_id: The deployment.
            version_id: The version of the code to run, `ver-...`.
            input_data: What the handler is given: one operator and its payload, such as
                `{"$datalake:1": "<channel>/<file>"}`, or JSON text of that.
            output_template: Where output goes, in the same form.
            distribution: Chooses the queue by its remainder; by default in turns.
            retry_count: How often the platform tries, 0 to 9; by default 5.
            environment: Environment variables of the code; texts.
            model_id: The model to load.
            output_data: Another name of `output_template`, from the documentation.

        Raises:
            CallError: Its `maybe_acted` says whether the run may exist all the same:
                after `OutcomeUnknown`, `Unreadable` and `ServerFailure`.
        """
        if output_data and output_template and output_data != output_template:
            raise InvalidInput(
                "output_data is another name of output_template: give one of them"
            )
        return await self._client.send(
            requests.create_run(
                organization_id,
                deployment_id,
                version_id,
                input_data,
                output_template=output_template or output_data,
                model_id=model_id,
                environment=environment,
                retry_count=retry_count,
                distribution=distribution,
            )
        )

    async def get_run(
        self, organization_id: str, deployment_id: str, run_id: str
    ) -> AbejaRun:
        """Read a run."""
        return await self._client.send(
            requests.get_run(organization_id, deployment_id, run_id)
        )

    async def get_runs(
        self,
        organization_id: str,
        deployment_id: str,
        next_page_token: str | None = None,
        scan_forward: bool | str | None = None,
    ) -> RunPage:
        """Read a page of runs, newest first; oldest first with `scan_forward`."""
        return await self._client.send(
            requests.get_runs(
                organization_id,
                deployment_id,
                next_page_token=next_page_token,
                scan_forward=scan_forward,
            )
        )

    def iter_runs(
        self,
        organization_id: str,
        deployment_id: str,
        next_page_token: str | None = None,
        scan_forward: bool | str | None = None,
    ) -> AsyncIterator[AbejaRun]:
        """All runs, each once however many are created meanwhile.

        The cursor of an error's context is the `next_page_token` of the page that could
        not be read.
        """
        ask = partial(self.get_runs, organization_id, deployment_id)
        return _runs(partial(ask, scan_forward=scan_forward), next_page_token)

    async def get_run_logs(
        self,
        organization_id: str,
        deployment_id: str,
        run_id: str,
        next_token: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
    ) -> RunLogs:
        """Read a page of a run's log, oldest line first."""
        return await self._client.send(
            requests.get_run_logs(
                organization_id,
                deployment_id,
                run_id,
                next_token=next_token,
                start_time=start_time,
                end_time=end_time,
            )
        )

    def iter_run_logs(
        self,
        organization_id: str,
        deployment_id: str,
        run_id: str,
        next_token: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> Lines:
        """The lines of a run's log that are there now, oldest first.

        Args:
            organization_id: The organization.
            deployment_id: The deployment.
            run_id: The run.
            next_token: Begin with the page of this token.
            start_time: Leave out what is older.
            end_time: Leave out what is newer.
            cursor: Go on where another iterator had this `Lines.cursor`, instead.
        """
        return plain_lines(
            self._client,
            requests.run_log(organization_id, deployment_id, run_id),
            next_token=next_token,
            start_time=start_time,
            end_time=end_time,
            cursor=cursor,
        )

    async def get_run_recent_logs(
        self,
        organization_id: str,
        deployment_id: str,
        run_id: str,
        next_forward_token: str | None = None,
        next_backward_token: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
    ) -> RecentLogs:
        """Read a page of a run's log, newest line first, whichever token is used."""
        return await self._client.send(
            requests.get_run_recent_logs(
                organization_id,
                deployment_id,
                run_id,
                next_forward_token=next_forward_token,
                next_backward_token=next_backward_token,
                start_time=start_time,
                end_time=end_time,
            )
        )

    def iter_run_recent_logs(
        self,
        organization_id: str,
        deployment_id: str,
        run_id: str,
        next_forward_token: str | None = None,
        next_backward_token: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> Lines:
        """The lines of a run's recent log that are there now, oldest first.

        `run.logs()` follows a run to its end; this ends where the log ends now.

        Args:
            organization_id: The organization.
            deployment_id: The deployment.
            run_id: The run.
            next_forward_token: Only lines behind this token.
            next_backward_token: Only lines before this token; they are held in memory,
                since their pages come newest first.
            start_time: Leave out what is older.
            end_time: Leave out what is newer.
            cursor: Go on where another iterator had this `Lines.cursor`, to the end of
                the log, instead.
        """
        return recent_lines(
            self._client,
            partial(
                requests.get_run_recent_logs, organization_id, deployment_id, run_id
            ),
            next_forward_token=next_forward_token,
            next_backward_token=next_backward_token,
            start_time=start_time,
            end_time=end_time,
            cursor=cursor,
        )

    # -- triggers --------------------------------------------------------------------

    async def create_trigger(
        self,
        organization_id: str,
        deployment_id: str,
        version_id: str,
        input_service_name: str,
        input_service_id: str,
        output_service_name: str | None = None,
        output_service_id: str | None = None,
        distribution: int | None = None,
        retry_count: int | None = None,
        environment: Mapping[str, str] | None = None,
        model_id: str | None = None,
    ) -> Trigger:
        """Make a trigger, in one attempt that is never repeated.

        Args:
            organization_id: The organization.
            deployment_id: The deployment.
            version_id: The version that its runs run, `ver-...`.
            input_service_name: What starts runs: `datalake`.
            input_service_id: There, the channel whose new files start them.
            output_service_name: Where output goes; with `output_service_id`.
            output_service_id: There, the place.
            distribution: Chooses the queue by its remainder; by default in turns.
            retry_count: How often the platform tries a run, 0 to 9; by default 5.
            environment: Environment variables of the code; texts.
            model_id: The model to load.

        Raises:
            CallError: Its `maybe_acted` says whether the trigger may exist all the
                same; `get_triggers` shows it.
        """
        return await self._client.send(
            requests.create_trigger(
                organization_id,
                deployment_id,
                version_id,
                input_service_name,
                input_service_id,
                output_service_name=output_service_name,
                output_service_id=output_service_id,
                model_id=model_id,
                environment=environment,
                retry_count=retry_count,
                distribution=distribution,
            )
        )

    async def get_trigger(
        self, organization_id: str, deployment_id: str, trigger_id: str
    ) -> Trigger:
        """Read a trigger."""
        return await self._client.send(
            requests.get_trigger(organization_id, deployment_id, trigger_id)
        )

    async def get_triggers(
        self, organization_id: str, deployment_id: str
    ) -> TriggerPage:
        """Read all triggers of a deployment."""
        return await self._client.send(
            requests.get_triggers(organization_id, deployment_id)
        )

    async def delete_trigger(
        self, organization_id: str, deployment_id: str, trigger_id: str
    ) -> Message:
        """Delete a trigger."""
        try:
            return await self._client.send(
                requests.delete_trigger(organization_id, deployment_id, trigger_id)
            )
        except NotFound as error:
            if error.context.attempts == 1:
                raise
            # An attempt before this one deleted it, and its answer was lost.
            return Message(f"{trigger_id} deleted")

    async def get_trigger_runs(
        self,
        organization_id: str,
        deployment_id: str,
        trigger_id: str,
        next_page_token: str | None = None,
        scan_forward: bool | str | None = None,
    ) -> RunPage:
        """Read a page of the runs that a trigger started, as `get_runs`."""
        return await self._client.send(
            requests.get_trigger_runs(
                organization_id,
                deployment_id,
                trigger_id,
                next_page_token=next_page_token,
                scan_forward=scan_forward,
            )
        )

    def iter_trigger_runs(
        self,
        organization_id: str,
        deployment_id: str,
        trigger_id: str,
        next_page_token: str | None = None,
        scan_forward: bool | str | None = None,
    ) -> AsyncIterator[AbejaRun]:
        """All runs that a trigger started, as `iter_runs`."""
        ask = partial(self.get_trigger_runs, organization_id, deployment_id, trigger_id)
        return _runs(partial(ask, scan_forward=scan_forward), next_page_token)

    # -- services --------------------------------------------------------------------

    async def get_service_recent_logs(
        self,
        organization_id: str,
        deployment_id: str,
        service_id: str,
        next_forward_token: str | None = None,
        next_backward_token: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
    ) -> RecentLogs:
        """Read a page of a service's log, as `get_run_recent_logs`."""
        return await self._client.send(
            requests.get_service_recent_logs(
                organization_id,
                deployment_id,
                service_id,
                next_forward_token=next_forward_token,
                next_backward_token=next_backward_token,
                start_time=start_time,
                end_time=end_time,
            )
        )

    def iter_service_recent_logs(
        self,
        organization_id: str,
        deployment_id: str,
        service_id: str,
        next_forward_token: str | None = None,
        next_backward_token: str | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> Lines:
        """The lines of a service's recent log, as `iter_run_recent_logs`."""
        return recent_lines(
            self._client,
            partial(
                requests.get_service_recent_logs,
                organization_id,
                deployment_id,
                service_id,
            ),
            next_forward_token=next_forward_token,
            next_backward_token=next_backward_token,
            start_time=start_time,
            end_time=end_time,
            cursor=cursor,
        )


async def _runs(
    read: Callable[[str | None], Awaitable[RunPage]], start: str | None
) -> AsyncIterator[AbejaRun]:
    """The runs of all pages, each once.

    wire/abeja.md 4.3: while runs are created, a row may move on to the next page.
    """

    async def page(token: str | None) -> tuple[Sequence[AbejaRun], str | None]:
        answer = await read(token)
        return answer.entries, answer.next_page_token

    seen: set[str] = set()
    async for runs in chain(page, start):
        for run in runs:
            if run.run_id not in seen:
                seen.add(run.run_id)
                yield run
