"""An execution group that exists: its members, counters, and end."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from aioruns.errors import Context, GaveUp, NotFound
from aioruns.http.codec import Json
from aioruns.native import Member
from aioruns.platforms.cloudify import requests
from aioruns.platforms.cloudify.acting import cancel_action, group_action
from aioruns.platforms.cloudify.errors import IllegalActionError
from aioruns.platforms.cloudify.execution_groups import group_path
from aioruns.platforms.cloudify.models import Event, Execution, ExecutionGroup
from aioruns.platforms.cloudify.statuses import state_of
from aioruns.rounds import FIRST_INTERVAL, LONGEST_INTERVAL
from aioruns.together import each

if TYPE_CHECKING:
    from aioruns.platforms.cloudify.client import Cloudify

_MEMBER_FIELDS = ("id", "deployment_id", "workflow_id", "parameters")


class GroupRun:
    """The handle of an execution group; goes into `as_completed` and `gather`, too.

    Args:
        client: The platform.
        id: The group's id.

    Example:
        ```python
        group = await cloudify.deployment_group("fleet").submit("install")
        print(await group.wait(within=3600))  # {"terminated": 98, "failed": 2}
        ```
    """

    def __init__(self, client: "Cloudify", id: str) -> None:
        group_path(id)
        self.client = client
        self.id = id

    def __repr__(self) -> str:
        return f"GroupRun({self.client!r}, {self.id!r})"

    async def read(self) -> ExecutionGroup:
        """The group as it is now, with the ids of its executions."""
        return await self.client.execution_groups.get(self.id)

    async def counts(self) -> Mapping[str, int]:
        """How many of its executions stand where, by their status.

        It costs the manager little, however large the group is.
        """
        page = await self.client.send(requests.count_states(self.id))
        return {row.status: row.executions for row in page}

    async def wait(self, within: float | None = None) -> Mapping[str, int]:
        """Wait until all executions have ended, however they do.

        Args:
            within: Seconds to wait at most.

        Returns:
            How many ended how: `terminated`, `failed`, `cancelled`.

        Raises:
            GaveUp: `within` ran out.
            CallError: The manager could not be asked.
        """
        if within is None:
            return await self._wait()
        with self.client.session.clock.limit(within):
            return await self._wait()
        raise GaveUp(
            f"execution group {self.id} did not end within {within:g} s",
            Context(self.client.origin.platform),
        )

    async def _wait(self) -> Mapping[str, int]:
        clock = self.client.session.clock
        began = clock.now()
        while True:
            counts = await self.counts()
            if all(state_of(status).final for status in counts):
                return counts
            age = clock.now() - began
            await clock.sleep(min(LONGEST_INTERVAL, max(FIRST_INTERVAL, age / 10)))

    async def cancel(self, *, force: bool = False, kill: bool = False) -> None:
        """Ask all executions to end; those that are ending or have ended are no error.

        Args:
            force: Do not wait for the workflow functions to return.
            kill: Kill the processes.

        Raises:
            NotFound: There is no such group.
            CallError: The manager refused or could not be asked.
        """
        action = cancel_action(force=force, kill=kill)
        request = group_action(group_path(self.id), action, repeatable=True)
        try:
            await self.client.send(request)
        except NotFound:
            # wire/cloudify.md 3.4: it says so, too, when only queued executions were
            # left, and has cancelled them.
            await self.client.execution_groups.get(self.id, ["id"])
        except IllegalActionError:
            # One of them is ending already: queued ones are cancelled, and the others
            # go on.
            await self._cancel_each(force=force, kill=kill)

    async def _cancel_each(self, *, force: bool, kill: bool) -> None:
        going = [
            row.id
            async for row in self.client.executions.iterate(
                ["id", "status"],
                include_system_workflows=True,
                execution_group_id=self.id,
            )
            if not state_of(row.status).final
        ]

        async def cancel(execution_id: str) -> None:
            try:
                await self.client.executions.cancel(execution_id, force, kill)
            except (IllegalActionError, NotFound):
                return  # it is ending, has ended, or was deleted

        await each(going, cancel)

    async def resume(self, *, force: bool = False) -> None:
        """Go on with the executions that failed or were cancelled.

        Args:
            force: Repeat operations that were sent or started, too.
        """
        await self.client.execution_groups.resume(self.id, force)

    async def events(self) -> AsyncIterator[Event]:
        """What the manager wrote about the group itself, in the order of arrival.

        That are the changes of its executions' statuses, and which deployments were
        left out since they do not have the workflow.

        Yields:
            The events and logs.
        """
        seen = 0
        while True:
            page = await self.client.events.list(
                include_logs=True,
                sort="reported_timestamp",
                execution_group_id=self.id,
                _size=1000,
                _offset=seen,
            )
            for event in page:
                yield event
            seen += len(page)
            if not page or seen >= page.metadata.pagination.total:
                return

    # -- as a native batch -----------------------------------------------------------

    async def prepare(self) -> None:
        """Nothing: the group exists."""

    async def start(self) -> AsyncIterator[Member]:
        """The executions, to be followed; see `aioruns.native.NativeBatch`."""
        return self.members()

    async def members(self) -> AsyncIterator[Member]:
        """The executions of the group in the order of creation.

        Yields:
            Members with their runs; `key` is the deployment's id.
        """
        index = 0
        async for row in self.client.executions.iterate(
            _MEMBER_FIELDS, include_system_workflows=True, execution_group_id=self.id
        ):
            yield self._member(index, row)
            index += 1

    def _member(self, index: int, row: Execution) -> Member:
        target = row.deployment_id or ""
        parameters = {k: v for k, v in row.parameters.items() if k != requests.MARKER}
        payload: Json = {
            "deployment_id": target,
            "workflow_id": row.workflow_id,
            "parameters": parameters,
        }
        runs = self.client.runs
        return Member(
            index,
            runs.spec(target, payload),
            target or row.id,
            runs.run(target, row.id),
        )
