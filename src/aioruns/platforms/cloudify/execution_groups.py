"""Execution groups under their documented names (wire/cloudify.md 2.6)."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from typing import Any, Final, Unpack

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.http.request import Request, path
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify import snapshots
from aioruns.platforms.cloudify.acting import cancel_action, group_action
from aioruns.platforms.cloudify.models import ExecutionGroup, ListResponse
from aioruns.platforms.cloudify.paging import rows
from aioruns.platforms.cloudify.queries import (
    ExecutionGroupFilters,
    When,
    flags,
    identified,
    included,
    json_object,
    pairs,
    time_text,
)

CONCURRENCY = 5
"""Executions of a group that run at once, unless the caller says otherwise."""

_DUMPED: Final = (
    "id",
    "created_at",
    "workflow_id",
    "execution_ids",
    "concurrency",
    "deployment_group_id",
    "created_by",
)


class ExecutionGroups:
    """The operations on execution groups; reached as `Cloudify.execution_groups`.

    `Cloudify.deployment_group` is the way to start a group and follow its executions;
    the operations here are one request each.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(
        self,
        _include: Iterable[str] | None = None,
        **filters: Unpack[ExecutionGroupFilters],
    ) -> ListResponse[ExecutionGroup]:
        """List execution groups, one page.

        Args:
            _include: Fields to ask for, beside `id`; None asks for all.
            **filters: Fields and their values, and which part of the list.
                `_get_data=True` fills `execution_ids` and `status`, which are None
                otherwise.
        """
        return await self._client.send(_list({**filters, "_include": _include}))

    async def iterate(
        self,
        _include: Iterable[str] | None = None,
        **filters: Unpack[ExecutionGroupFilters],
    ) -> AsyncIterator[ExecutionGroup]:
        """All execution groups of a list, each once, in the order of creation.

        Yields:
            The groups; arguments as of `list`.
        """
        asked = {**filters, "_include": _include, "_sort": ["created_at", "id"]}

        async def read(offset: int) -> ListResponse[ExecutionGroup]:
            return await self._client.send(_list(asked | {"_offset": offset}))

        async for row in rows(read, lambda row: row.id):
            yield row

    async def get(
        self, execution_group_id: str, _include: Iterable[str] | None = None
    ) -> ExecutionGroup:
        """Read an execution group; the manager reads all of its executions for it.

        Args:
            execution_group_id: Its id.
            _include: Fields to ask for, beside `id`; None asks for all.
        """
        query = pairs({"_include": included(_include, "id")})
        where = group_path(execution_group_id)
        return await self._client.send(Request("GET", where, ExecutionGroup, query))

    async def create(
        self,
        deployment_group_id: str,
        workflow_id: str,
        executions: Collection[str],
        force: bool = False,
        default_parameters: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        concurrency: int = CONCURRENCY,
        created_by: str | None = None,
        created_at: When | None = None,
        id: str | None = None,
    ) -> ExecutionGroup:
        """Make a group of executions that exist; nothing is started.

        Args:
            deployment_group_id: The deployment group.
            workflow_id: The workflow.
            executions: Ids of the executions; at least one.
            force: As of `start`.
            default_parameters: As of `start`.
            parameters: As of `start`.
            concurrency: As of `start`.
            created_by: The creator, for those who may choose it.
            created_at: When it was created, for those who may choose it.
            id: Its id, for those who may choose it (role `sys_admin`).

        Raises:
            InvalidInput: No execution is given, which would start the group instead.
        """
        if isinstance(executions, str) or not executions:
            raise InvalidInput(
                "executions must be ids of at least one execution: without any the "
                "manager starts the group instead"
            )
        body = start_body(
            deployment_group_id,
            workflow_id,
            force,
            default_parameters,
            parameters,
            concurrency,
        )
        body |= {"id": id, "associated_executions": [*executions]}
        if created_by:
            body["created_by"] = created_by
        if created_at:
            body["created_at"] = time_text(created_at)
        return await self._client.send(start_request(body))

    async def start(
        self,
        deployment_group_id: str,
        workflow_id: str,
        force: bool = False,
        default_parameters: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        concurrency: int = CONCURRENCY,
    ) -> ExecutionGroup:
        """Start an execution in every deployment of a deployment group.

        Deployments without the workflow are left out.

        Args:
            deployment_group_id: The deployment group.
            workflow_id: The workflow.
            force: Start even where another execution of the deployment is active.
            default_parameters: Parameters for every execution.
            parameters: Parameters by deployment id; they win over the default ones.
            concurrency: Executions that run at once; 0 starts none.

        Returns:
            The group with the ids of its executions.

        Raises:
            InvalidInput: A value cannot be right; nothing was sent.
            BadRequest: The manager refused, and may have left a group behind all the
                same; `DeploymentGroup.submit` looks for it.
            OutcomeUnknown: It may have been started.
        """
        body = start_body(
            deployment_group_id,
            workflow_id,
            force,
            default_parameters,
            parameters,
            concurrency,
        )
        return await self._client.send(start_request(body))

    async def cancel(
        self, execution_group_id: str, force: bool = False, kill: bool = False
    ) -> ExecutionGroup:
        """Cancel the executions of a group: queued ones at once, the others as asked.

        `GroupRun.cancel` cancels all of them where this one is refused half-way.

        Args:
            execution_group_id: Which group.
            force: Do not wait for the workflow functions to return.
            kill: Kill the processes; wins over `force`.

        Raises:
            NotFound: There is no such group, or only queued executions were left, which
                are cancelled now (wire/cloudify.md 3.4).
            IllegalActionError: An execution is being cancelled already. Queued ones are
                cancelled now, and the others go on.
        """
        action = cancel_action(force=force, kill=kill)
        request = group_action(group_path(execution_group_id), action)
        return await self._client.send(request)

    async def resume(
        self, execution_group_id: str, force: bool = False
    ) -> ExecutionGroup:
        """Go on with the executions of a group that failed or were cancelled.

        Args:
            execution_group_id: Which group.
            force: Repeat operations that were sent or started, too.
        """
        action = "force-resume" if force else "resume"
        request = group_action(group_path(execution_group_id), action)
        return await self._client.send(request)

    async def set_target_group(
        self,
        execution_group_id: str,
        success_group: str | None = None,
        failed_group: str | None = None,
    ) -> ExecutionGroup:
        """Collect the deployments by how their executions end.

        Args:
            execution_group_id: Which group.
            success_group: Deployment group for those whose executions succeed.
            failed_group: Deployment group for those whose executions fail.
        """
        body = {"success_group_id": success_group, "failure_group_id": failed_group}
        return await self._client.send(_change(execution_group_id, body))

    async def set_concurrency(
        self, execution_group_id: str, concurrency: int
    ) -> ExecutionGroup:
        """Change how many executions run at once.

        A higher number takes effect when the next execution ends, unless it was 0.

        Args:
            execution_group_id: Which group.
            concurrency: Executions at once; 0 pauses the group.
        """
        body = {"concurrency": natural(concurrency)}
        return await self._client.send(_change(execution_group_id, body))

    async def dump(
        self, execution_group_ids: Collection[str] | None = None
    ) -> AsyncIterator[Json]:
        """The attributes of execution groups for a snapshot.

        Args:
            execution_group_ids: Those to give; without any, all.

        Yields:
            Dictionaries, as `restore` takes them.
        """
        async for row in snapshots.dump(
            self._client,
            "execution-groups",
            _DUMPED,
            execution_group_ids,
            {"_get_data": True},
        ):
            yield row

    async def restore(
        self,
        entities: Iterable[Mapping[str, Any]],
        logger: logging.Logger | None = None,
    ) -> None:
        """Create execution groups from what `dump` gave; nothing is started.

        One without executions, or that the manager refuses, is logged, and the others
        go on.

        Args:
            entities: What `dump` gave.
            logger: Where to log; None is a logger of the library.
        """

        async def create(entity: Json) -> None:
            entity["executions"] = entity.pop("execution_ids")
            await self.create(**entity)

        await snapshots.restore(entities, logger, create)


def group_path(execution_group_id: str) -> str:
    """The path of a group."""
    named = identified(execution_group_id, "execution group id")
    return path("execution-groups", named)


def start_body(
    deployment_group_id: str,
    workflow_id: str,
    force: bool,
    default_parameters: Mapping[str, Any] | None,
    parameters: Mapping[str, Mapping[str, Any]] | None,
    concurrency: int,
) -> Json:
    """The checked body of a start."""
    flags(force=force)
    by_deployment = json_object(parameters, "parameters")
    for name, one in (by_deployment or {}).items():
        json_object(one, f"parameters of {name}")
    return {
        "force": force,
        "deployment_group_id": identified(deployment_group_id, "deployment_group_id"),
        "workflow_id": identified(workflow_id, "workflow_id"),
        "parameters": by_deployment,
        "default_parameters": json_object(default_parameters, "default_parameters"),
        "concurrency": natural(concurrency),
    }


def start_request(body: Json) -> Request[ExecutionGroup]:
    """Start a group, or make one of executions that exist."""
    return Request("POST", path("execution-groups"), ExecutionGroup, json=body)


def natural(concurrency: object) -> int:
    """Refuse a concurrency that is no whole number (wire/cloudify.md 2.6)."""
    if type(concurrency) is not int or concurrency < 0:
        raise InvalidInput(
            f"concurrency must be a whole number, 0 or more, not {concurrency!r}"
        )
    return concurrency


def _change(execution_group_id: str, body: Json) -> Request[ExecutionGroup]:
    where = group_path(execution_group_id)
    return Request("PATCH", where, ExecutionGroup, json=body, repeatable=True)


def _list(asked: Mapping[str, Any]) -> Request[ListResponse[ExecutionGroup]]:
    query = pairs({**asked, "_include": included(asked["_include"], "id")})
    where = path("execution-groups")
    return Request("GET", where, ListResponse[ExecutionGroup], query)
