"""Execution schedules under their documented names (wire/cloudify.md 2.5)."""

import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Unpack

from aioruns.errors import NotFound
from aioruns.http.codec import Json
from aioruns.http.request import UNSET, Request, path
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify import snapshots
from aioruns.platforms.cloudify.models import ExecutionSchedule, ListResponse
from aioruns.platforms.cloudify.queries import (
    ScheduleFilters,
    When,
    flags,
    identified,
    included,
    json_object,
    order,
    pairs,
    time_text,
)

_DUMPED: Final = (
    "id",
    "rule",
    "deployment_id",
    "workflow_id",
    "created_at",
    "since",
    "until",
    "stop_on_fail",
    "parameters",
    "execution_arguments",
    "slip",
    "enabled",
    "created_by",
)


class ExecutionSchedules:
    """The operations on schedules; reached as `Cloudify.execution_schedules`.

    A schedule's id is unique within its deployment.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(
        self,
        schedule_id: str,
        deployment_id: str,
        workflow_id: str,
        execution_arguments: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        since: When | None = None,
        until: When | None = None,
        recurrence: str | None = None,
        count: int | None = None,
        weekdays: Sequence[str] | None = None,
        rrule: str | None = None,
        slip: int = 0,
        stop_on_fail: bool = False,
        created_by: str | None = None,
        created_at: When | None = None,
        enabled: bool = True,
    ) -> ExecutionSchedule:
        """Schedule executions of a workflow.

        Args:
            schedule_id: Its id.
            deployment_id: The deployment.
            workflow_id: The workflow.
            execution_arguments: `allow_custom_parameters`, `force`, `dry_run`, `queue`
                and `wait_after_fail`, as of `Executions.create`.
            parameters: Parameters for the workflow.
            since: The earliest time; must be given. Without a zone it is UTC.
            until: The latest time.
            recurrence: How often, for example `2 weeks`; needed unless there is an
                `rrule` or `count` is 1.
            count: How many executions at most; None has no limit.
            weekdays: On which days, for example `["su", "mo"]`; by default any.
            rrule: A rule of iCalendar instead of `recurrence`, `count` and `weekdays`.
            slip: Minutes by which a start may be late.
            stop_on_fail: Whether a failed execution is the last one.
            created_by: The creator, for those who may choose it.
            created_at: When it was created, for those who may choose it.
            enabled: Whether it starts executions.

        Raises:
            InvalidInput: A value cannot be right; nothing was sent.
            Conflict: The deployment has a schedule with this id.
            OutcomeUnknown: It may have been created; a repetition is a `Conflict` then.
        """
        flags(stop_on_fail=stop_on_fail, enabled=enabled)
        body: dict[str, object] = {
            "workflow_id": identified(workflow_id, "workflow_id"),
            "execution_arguments": json_object(
                execution_arguments, "execution_arguments"
            ),
            "parameters": json_object(parameters, "parameters"),
            "since": identified(since and time_text(since), "time `since`"),
            "until": until and time_text(until),
            "recurrence": recurrence,
            "count": count,
            "weekdays": weekdays,
            "rrule": rrule,
            "slip": slip,
            "stop_on_fail": stop_on_fail,
            "enabled": enabled,
        }
        if created_by:
            body["created_by"] = created_by
        if created_at:
            body["created_at"] = time_text(created_at)
        # wire/cloudify.md 2.5: although it is a PUT, a repetition is a conflict.
        request = _request(
            "PUT", schedule_id, deployment_id, json=body, repeatable=False
        )
        return await self._client.send(request)

    async def update(
        self,
        schedule_id: str,
        deployment_id: str,
        since: When | None = None,
        until: When | None = None,
        recurrence: str | None = None,
        count: int | None = None,
        weekdays: Sequence[str] | None = None,
        rrule: str | None = None,
        slip: int | None = None,
        stop_on_fail: bool | None = None,
        enabled: bool | None = None,
        workflow_id: str | None = None,
    ) -> ExecutionSchedule:
        """Change a schedule; what is None stays as it is. Arguments as of `create`."""
        body: dict[str, object] = {
            "since": since and time_text(since),
            "until": until and time_text(until),
            "recurrence": recurrence,
            "count": count,
            "weekdays": weekdays,
            "rrule": rrule,
            "slip": slip,
            "enabled": enabled,
            "stop_on_fail": stop_on_fail,
            "workflow_id": workflow_id,
        }
        request = _request(
            "PATCH", schedule_id, deployment_id, json=body, repeatable=True
        )
        return await self._client.send(request)

    async def delete(self, schedule_id: str, deployment_id: str) -> None:
        """Delete a schedule.

        Args:
            schedule_id: Its id.
            deployment_id: Its deployment.

        Raises:
            NotFound: There is none.
        """
        where, query = _where(schedule_id, deployment_id)
        try:
            await self._client.send(Request[None]("DELETE", where, query=query))
        except NotFound as error:
            # A repetition finds nothing when the attempt before it acted after all.
            if error.context.attempts == 1:
                raise

    async def list(
        self,
        _include: Iterable[str] | None = None,
        sort: str | None = None,
        is_descending: bool = False,
        **filters: Unpack[ScheduleFilters],
    ) -> ListResponse[ExecutionSchedule]:
        """List schedules, one page.

        Args:
            _include: Fields to ask for, beside `id`; None asks for all.
            sort: Field to sort by.
            is_descending: Whether the order is reversed.
            **filters: Fields and their values, and which part of the list.
        """
        asked: dict[str, object] = dict(filters)
        if sort:
            asked["_sort"] = order(sort, is_descending=is_descending)
        query = pairs({**asked, "_include": included(_include, "id")})
        where = path("execution-schedules")
        return await self._client.send(
            Request("GET", where, ListResponse[ExecutionSchedule], query)
        )

    async def get(
        self,
        schedule_id: str,
        deployment_id: str,
        _include: Iterable[str] | None = None,
    ) -> ExecutionSchedule:
        """Read a schedule.

        Args:
            schedule_id: Its id.
            deployment_id: Its deployment.
            _include: Fields to ask for, beside `id`; None asks for all.
        """
        return await self._client.send(
            _request("GET", schedule_id, deployment_id, fields=included(_include, "id"))
        )

    async def dump(
        self, execution_schedule_ids: Collection[str] | None = None
    ) -> AsyncIterator[Json]:
        """The attributes of schedules for a snapshot.

        Args:
            execution_schedule_ids: Those to give; without any, all.

        Yields:
            Dictionaries, as `restore` takes them.
        """
        async for row in snapshots.dump(
            self._client, "execution-schedules", _DUMPED, execution_schedule_ids, {}
        ):
            yield row

    async def restore(
        self,
        entities: Iterable[Mapping[str, Any]],
        logger: logging.Logger | None = None,
    ) -> None:
        """Create schedules from what `dump` gave.

        One that the manager refuses is logged, and the others go on.

        Args:
            entities: What `dump` gave.
            logger: Where to log; None is a logger of the library.
        """

        async def create(entity: Json) -> None:
            entity["schedule_id"] = entity.pop("id")
            entity["rrule"] = (entity.pop("rule", None) or {}).get("rrule")
            await self.create(**entity)

        await snapshots.restore(entities, logger, create)


def _where(
    schedule_id: str, deployment_id: str, fields: str | None = None
) -> tuple[str, tuple[tuple[str, str], ...]]:
    where = path("execution-schedules", identified(schedule_id, "schedule id"))
    # wire/cloudify.md 2.5: an id alone names nothing.
    deployment = identified(deployment_id, "deployment id")
    return where, pairs({"deployment_id": deployment, "_include": fields})


def _request(
    method: str,
    schedule_id: str,
    deployment_id: str,
    *,
    fields: str | None = None,
    json: object = UNSET,
    repeatable: bool = True,
) -> Request[ExecutionSchedule]:
    where, query = _where(schedule_id, deployment_id, fields)
    return Request(
        method, where, ExecutionSchedule, query, json=json, repeatable=repeatable
    )
