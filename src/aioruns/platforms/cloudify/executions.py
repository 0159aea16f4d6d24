"""Executions under their documented names (wire/cloudify.md 2.1)."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final, Unpack

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.http.request import Request, path
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify import snapshots
from aioruns.platforms.cloudify.acting import act, cancel_action
from aioruns.platforms.cloudify.execution_requests import (
    execution_path,
    list_query,
    list_request,
    start_body,
)
from aioruns.platforms.cloudify.models import (
    Execution,
    ListResponse,
    ScheduledExecution,
)
from aioruns.platforms.cloudify.paging import rows
from aioruns.platforms.cloudify.queries import (
    ExecutionFilters,
    When,
    day_or_time_text,
    identified,
    included,
    order,
    pairs,
)
from aioruns.platforms.cloudify.statuses import state_of

_DUMPED: Final = (
    "deployment_id",
    "workflow_id",
    "parameters",
    "is_dry_run",
    "allow_custom_parameters",
    "status",
    "created_by",
    "created_at",
    "id",
    "started_at",
    "ended_at",
    "error",
    "is_system_workflow",
)


class Executions:
    """The operations on executions; reached as `Cloudify.executions`.

    `Deployment.submit` starts an execution so that it exists once, whatever the network
    does; the operations here are one request each.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(
        self,
        _include: Iterable[str] | None = None,
        *,
        deployment_id: str | None = None,
        include_system_workflows: bool = False,
        sort: str | None = None,
        is_descending: bool = False,
        **filters: Unpack[ExecutionFilters],
    ) -> ListResponse[Execution]:
        """List executions, one page.

        Args:
            _include: Fields to ask for, beside `id` and `status`; None asks for all.
            deployment_id: Those of one deployment.
            include_system_workflows: Those of the manager's own workflows, too.
            sort: Field to sort by; by default the time of creation.
            is_descending: Whether the order is reversed.
            **filters: Other fields and their values, and which part of the list. The
                manager refuses names that it does not know.

        Returns:
            A sequence; `metadata.pagination` tells which part of the list it is.

        Raises:
            InvalidInput: A status is asked for that no execution can have.
            CallError: The manager refused or could not be asked.
        """
        asked = list_query(
            deployment_id,
            include_system_workflows,
            order(sort, is_descending=is_descending),
            filters,
        )
        return await self._client.send(list_request(asked, _include))

    async def iterate(
        self,
        _include: Iterable[str] | None = None,
        *,
        deployment_id: str | None = None,
        include_system_workflows: bool = False,
        sort: str = "created_at",
        is_descending: bool = False,
        **filters: Unpack[ExecutionFilters],
    ) -> AsyncIterator[Execution]:
        """All executions of a list, page by page; arguments as of `list`.

        Each is given once, and none is left out because others were deleted meanwhile.

        Yields:
            The executions.
        """
        fields = None if _include is None else [*_include]
        first = order(sort, is_descending=is_descending)
        asked = list_query(deployment_id, include_system_workflows, first, filters)
        # wire/cloudify.md 2.2: executions created at once have no order of their own.
        asked["_sort"] = [first, "id"]

        async def read(offset: int) -> ListResponse[Execution]:
            request = list_request(asked | {"_offset": offset}, fields)
            return await self._client.send(request)

        async for row in rows(read, lambda row: row.id):
            yield row

    async def get(
        self, execution_id: str, _include: Iterable[str] | None = None
    ) -> Execution:
        """Read an execution.

        Args:
            execution_id: Its id.
            _include: Fields to ask for, beside `id` and `status`; None asks for all.

        Raises:
            NotFound: There is none, or not any more.
            AmbiguousNameError: There are several; list them by `id=`.
        """
        fields = pairs({"_include": included(_include, "id", "status")})
        return await self._client.send(
            Request("GET", execution_path(execution_id), Execution, fields)
        )

    async def create(
        self,
        deployment_id: str,
        workflow_id: str,
        parameters: Mapping[str, Any] | None = None,
        allow_custom_parameters: bool = False,
        force: bool = False,
        dry_run: bool = False,
        queue: bool = False,
        schedule: When | None = None,
        force_status: str | None = None,
        created_by: str | None = None,
        created_at: When | None = None,
        started_at: When | None = None,
        ended_at: When | None = None,
        execution_id: str | None = None,
        wait_after_fail: int = 600,
        is_system_workflow: bool | None = None,
        error: str | None = None,
    ) -> Execution:
        """Start an execution of a workflow; `start` and `create` are the same.

        Args:
            deployment_id: The deployment; empty for a system workflow.
            workflow_id: The workflow.
            parameters: Parameters for the workflow; its defaults fill the rest.
            allow_custom_parameters: Permit parameters that the workflow does not
                declare.
            force: Start even while another execution of the deployment is active.
            dry_run: Only pretend.
            queue: Wait on the manager while another execution is active.
            schedule: When to start instead of now; deprecated, since the answer then
                names nothing: see `execution_schedules`.
            force_status: Create the execution in this status, and start nothing.
            created_by: The creator, for those who may choose it.
            created_at: When it was created, for those who may choose it.
            started_at: When it started, for those who may choose it.
            ended_at: When it ended, for those who may choose it.
            execution_id: Its id, for those who may choose it (role `sys_admin`).
            wait_after_fail: Seconds that other operations may take after one failed.
            is_system_workflow: Whether the workflow is the manager's own.
            error: Its error text, for those who may choose it.

        Returns:
            The execution as it was created, usually `pending` or `queued`; with
            `schedule` a `ScheduledExecution`.

        Raises:
            InvalidInput: A value cannot be right; nothing was sent.
            ExistingRunningExecutionError: Another execution is active.
            IllegalExecutionParametersError: The parameters do not fit the workflow.
            OutcomeUnknown: It may have been started; look before you start it again.
            CallError: Another failure; see `aioruns.platforms.cloudify.errors`.
        """
        body = start_body(
            deployment_id,
            workflow_id,
            parameters,
            {
                "allow_custom_parameters": allow_custom_parameters,
                "force": force,
                "dry_run": dry_run,
                "queue": queue,
            },
            {
                "scheduled_time": schedule,
                "created_at": created_at,
                "started_at": started_at,
                "ended_at": ended_at,
            },
            {
                "wait_after_fail": wait_after_fail,
                "force_status": force_status,
                "created_by": created_by,
                "id": execution_id,
                "is_system_workflow": is_system_workflow,
                "error": error,
            },
        )
        kind = Execution if schedule is None else ScheduledExecution
        return await self._client.send(
            Request("POST", path("executions"), kind, json=body)
        )

    start = create

    async def update(
        self, execution_id: str, status: str, error: str | None = None
    ) -> Execution:
        """Report a status, as a worker does.

        Args:
            execution_id: Which execution.
            status: The new status.
            error: Why it failed; without one the manager forgets an earlier error.

        Raises:
            InvalidExecutionUpdateStatus: The status cannot change to that one.
        """
        body = {"status": status} | ({"error": error} if error else {})
        return await self._client.send(
            Request("PATCH", execution_path(execution_id), Execution, json=body)
        )

    async def cancel(
        self, execution_id: str, force: bool = False, kill: bool = False
    ) -> Execution:
        """Ask an execution to end; it has ended when its status says so.

        Args:
            execution_id: Which execution.
            force: Do not wait for the workflow function to return.
            kill: Kill its processes; wins over `force`, and takes an ended execution
                as well.

        Returns:
            The execution, now `cancelling`; where it has components, perhaps one of
            theirs instead.

        Raises:
            IllegalActionError: It is being cancelled, or has ended.
        """
        action = cancel_action(force=force, kill=kill)
        return await act(self._client, execution_path(execution_id), action)

    async def resume(self, execution_id: str, force: bool = False) -> Execution:
        """Go on with an execution that failed or was cancelled, or lost its worker.

        Another execution of the deployment that is active does not prevent it.

        Args:
            execution_id: Which execution.
            force: Repeat operations that were sent or started, too.

        Raises:
            Conflict: Its status does not permit it.
        """
        action = "force-resume" if force else "resume"
        return await act(self._client, execution_path(execution_id), action)

    async def requeue(self, execution_id: str) -> Execution:
        """Send the action `requeue`, which managers take for a graceful cancel.

        It runs nothing again (wire/cloudify.md 3.2.2).
        """
        return await act(self._client, execution_path(execution_id), "requeue")

    async def delete(
        self,
        to_datetime: date | None = None,
        keep_last: int | None = None,
        **filters: Unpack["_DeleteFilters"],
    ) -> int:
        """Delete executions that have ended, with their events and logs.

        Args:
            to_datetime: Those that were created before; a day or a time, UTC unless it
                has a zone.
            keep_last: How many of the newest to keep. Managers delete one even if this
                is not less than what matches.
            **filters: Which executions; all, system workflows included, without any.

        Returns:
            How many were deleted.

        Raises:
            InvalidInput: Both are given, or `keep_last` is not more than 0, which would
                delete all.
        """
        body: Json = {}
        if to_datetime is not None and keep_last is not None:
            raise InvalidInput("give to_datetime or keep_last, not both")
        if to_datetime is not None:
            body["to_datetime"] = day_or_time_text(to_datetime)
        if keep_last is not None:
            if type(keep_last) is not int or keep_last < 1:
                raise InvalidInput(
                    f"keep_last must be a whole number above 0, not {keep_last!r}: the "
                    "manager would delete all executions"
                )
            body["keep_last"] = keep_last
        request = Request(
            "DELETE",
            path("executions"),
            ListResponse[Json],
            pairs(filters),
            json=body,
            repeatable=False,  # a second one would delete more, and count less
        )
        answer = await self._client.send(request)
        count = answer.items[0].get("count") if answer.items else None
        return count if isinstance(count, int) else 0

    async def should_start(self, execution_id: str) -> bool:
        """Whether a queued execution could start now.

        Managers up to 7.0.5 answer every such question with an internal error, a
        `ServerFailure` (wire/cloudify.md 9).
        """
        where = path("executions", identified(execution_id, "id"), "should-start")
        return await self._client.send(Request("GET", where, bool))

    async def dump(
        self, execution_ids: Collection[str] | None = None
    ) -> AsyncIterator[Json]:
        """The attributes of executions for a snapshot, system workflows included.

        Args:
            execution_ids: Those to give; without any, all.

        Yields:
            Dictionaries, as `restore` takes them.
        """
        asked = {"_get_data": True, "_include_system_workflows": True}
        async for row in snapshots.dump(
            self._client, "executions", _DUMPED, execution_ids, asked
        ):
            yield row

    async def restore(
        self,
        entities: Iterable[Mapping[str, Any]],
        logger: logging.Logger | None = None,
    ) -> None:
        """Create executions from what `dump` gave; nothing is started.

        Those that were in progress become `cancelled`. One that the manager refuses is
        logged, and the others go on.

        Args:
            entities: What `dump` gave.
            logger: Where to log; None is a logger of the library.
        """

        async def create(entity: Json) -> None:
            if _in_progress(entity["status"]):
                entity["status"] = Execution.CANCELLED
                entity["error"] = "Marked as cancelled by snapshot restore"
            entity["force_status"] = entity.pop("status")
            entity["execution_id"] = entity.pop("id")
            entity["dry_run"] = entity.pop("is_dry_run")
            entity["deployment_id"] = entity["deployment_id"] or ""
            await self.create(**entity)

        await snapshots.restore(entities, logger, create)


class _DeleteFilters(ExecutionFilters, total=False):
    deployment_id: str


def _in_progress(status: str) -> bool:
    # Not those that wait: `queued` and `scheduled` are restored as they were.
    return not state_of(status).final and status not in {"queued", "scheduled"}
