"""Events and logs under their documented names (wire/cloudify.md 2.8)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

from aioruns.errors import InvalidInput
from aioruns.http.request import Request, path
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify.models import Event, ListResponse
from aioruns.platforms.cloudify.queries import (
    EventFilters,
    ExecutionEventFilters,
    When,
    identified,
    included,
    pairs,
    time_text,
)


class Events:
    """The operations on events and logs; reached as `Cloudify.events`.

    `Run.logs` follows those of one execution, and misses and repeats none.

    Args:
        client: Sends the requests.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(
        self,
        execution_id: str,
        from_event: int = 0,
        batch_size: int = 100,
        include_logs: bool = False,
    ) -> tuple[Sequence[Event], int]:
        """Read events of an execution by their place; deprecated by the platform.

        Places change as rows arrive late, so a loop over them misses and repeats some
        (wire/cloudify.md 4.2).

        Args:
            execution_id: Which execution.
            from_event: Place of the first.
            batch_size: How many at most.
            include_logs: Logs, too.

        Returns:
            The events, and how many there are now.
        """
        page = await self.list(
            include_logs,
            execution_id=identified(execution_id, "execution id"),
            _offset=from_event,
            _size=batch_size,
            _sort="@timestamp",
        )
        return page.items, page.metadata.pagination.total

    async def list(
        self,
        include_logs: bool = False,
        message: str | None = None,
        from_datetime: When | None = None,
        to_datetime: When | None = None,
        _include: Iterable[str] | None = None,
        sort: str | None = None,
        **filters: Unpack[ExecutionEventFilters],
    ) -> ListResponse[Event]:
        """List events, one page; of 10000 unless `_size` is given.

        Args:
            include_logs: Logs, too.
            message: Pattern of the text; `%` stands for any text, case does not matter.
            from_datetime: Those at this time, by the sender's clock, or later.
            to_datetime: Those before this time.
            _include: Fields to ask for; the manager leaves unknown ones out.
            sort: Field to sort by, with `-` before it for descending.
            **filters: What else, and which part of the list. The manager refuses names
                that it does not know.
        """
        asked = _asked(include_logs, message, from_datetime, to_datetime, sort, filters)
        query = pairs({**asked, "_include": included(_include)})
        return await self._client.send(
            Request("GET", path("events"), ListResponse[Event], query)
        )

    async def create(
        self,
        events: Sequence[Mapping[str, Any]] | None = None,
        logs: Sequence[Mapping[str, Any]] | None = None,
        execution_id: str | None = None,
        agent_name: str | None = None,
        manager_name: str | None = None,
        execution_group_id: str | None = None,
    ) -> None:
        """Write events and logs, as workers do.

        Args:
            events: Objects with `event_type`, `message` (an object with `text`) and
                `context` (an object).
            logs: Objects with `logger`, `level`, `message` and `context`.
            execution_id: The execution that they belong to; or
            execution_group_id: the execution group. With neither it is the execution
                whose token is used.
            agent_name: The agent that wrote them.
            manager_name: The manager that wrote them.

        Raises:
            InvalidInput: Both ids are given, or an item has no context, which would be
                an internal error of the manager.
        """
        if execution_id and execution_group_id:
            raise InvalidInput("give execution_id or execution_group_id, not both")
        for item in [*(events or ()), *(logs or ())]:
            if not isinstance(item.get("context"), Mapping):
                raise InvalidInput("an event or log needs a context, an object")
        body: dict[str, object] = {
            "events": events,
            "logs": logs,
            "agent_name": agent_name,
            "manager_name": manager_name,
        }
        if execution_id:
            body["execution_id"] = execution_id
        if execution_group_id:
            body["execution_group_id"] = execution_group_id
        await self._client.send(Request[None]("POST", path("events"), json=body))

    async def delete(
        self,
        deployment_id: str,
        include_logs: bool = False,
        message: str | None = None,
        from_datetime: When | None = None,
        to_datetime: When | None = None,
        sort: str | None = None,
        **filters: Unpack[EventFilters],
    ) -> ListResponse[int]:
        """Delete events of a deployment; arguments as of `list`.

        Returns:
            A list with one number: how many were deleted.
        """
        asked = _asked(include_logs, message, from_datetime, to_datetime, sort, filters)
        asked["deployment_id"] = identified(deployment_id, "deployment id")
        # A second one would count less.
        request = Request(
            "DELETE",
            path("events"),
            ListResponse[int],
            pairs(asked),
            repeatable=False,
        )
        return await self._client.send(request)


def _asked(
    include_logs: bool,
    message: str | None,
    from_datetime: When | None,
    to_datetime: When | None,
    sort: str | None,
    filters: Mapping[str, Any],
) -> dict[str, object]:
    asked: dict[str, object] = dict(filters)
    if message:
        asked["message.text"] = message
    logs = ["cloudify_log"] if include_logs else []
    asked["type"] = ["cloudify_event", *logs]
    if from_datetime or to_datetime:
        ranges = filters.get("_range") or []
        first = time_text(from_datetime) if from_datetime else ""
        last = time_text(to_datetime) if to_datetime else ""
        asked["_range"] = [
            *([ranges] if isinstance(ranges, str) else ranges),
            f"@timestamp,{first},{last}",
        ]
    if sort:
        asked["_sort"] = sort
    return asked
