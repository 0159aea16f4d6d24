"""The handle of a deployment group: one workflow in all of its deployments."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, encode
from aioruns.native import Member
from aioruns.platforms.cloudify.execution_groups import CONCURRENCY, start_body
from aioruns.platforms.cloudify.group_run import GroupRun
from aioruns.platforms.cloudify.queries import identified
from aioruns.submitting import new_key

if TYPE_CHECKING:
    from aioruns.platforms.cloudify.client import Cloudify


@frozen
class GroupBatch:
    """One workflow in all deployments of a group; a value, nothing has happened yet.

    Goes into `as_completed` and `gather`, where it gives one outcome for each
    execution.

    Attributes:
        client: The platform.
        body: The request's body, checked, without an id.
        key: The submission key; None makes a new one for every submission.
    """

    client: "Cloudify"
    body: Json = field(repr=False)
    key: str | None = None

    async def submit(self) -> GroupRun:
        """Start the group, once; see `DeploymentGroup.submit`."""
        group = await self.client.starter.start(self.body, self.key or new_key())
        return GroupRun(self.client, group.id)

    async def prepare(self) -> None:
        """Nothing: the manager makes the group with its executions."""

    async def start(self) -> AsyncIterator[Member]:
        """Start the group; see `aioruns.native.NativeBatch`."""
        group = await self.submit()
        return group.members()


class DeploymentGroup:
    """A deployment group, reached by its id; made by `Cloudify.deployment_group`.

    Args:
        client: The platform.
        id: The deployment group's id.

    Example:
        ```python
        fleet = cloudify.deployment_group("fleet")
        batch = fleet.batch("install", {"size": "large"}, concurrency=20)
        async with aioruns.as_completed(batch) as outcomes:
            async for outcome in outcomes:
                print(outcome.key, outcome.state)
        ```
    """

    def __init__(self, client: "Cloudify", id: str) -> None:
        self.client = client
        self.id = identified(id, "deployment group id")

    def __repr__(self) -> str:
        return f"DeploymentGroup({self.client!r}, {self.id!r})"

    def batch(
        self,
        workflow_id: str,
        default_parameters: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        force: bool = False,
        concurrency: int = CONCURRENCY,
        key: str | None = None,
    ) -> GroupBatch:
        """Check what to execute in every deployment; nothing is sent.

        Args:
            workflow_id: The workflow; deployments that do not have it are left out.
            default_parameters: Parameters for every execution.
            parameters: Parameters by deployment id; they win over the default ones.
            force: Start even where another execution of the deployment is active;
                otherwise it is queued there.
            concurrency: Executions that run at once; the manager starts the others as
                these end.
            key: Submission key. Where the manager lets us choose ids (see `choose_ids`
                of `Cloudify`), the same key makes only one execution group.

        Raises:
            InvalidInput: A value cannot be right.
        """
        if key is not None and not key:
            raise InvalidInput("the submission key must not be empty")
        body = start_body(
            self.id, workflow_id, force, default_parameters, parameters, concurrency
        )
        # A copy of its own: parameters may be changed by whoever made them.
        return GroupBatch(self.client, orjson.loads(encode(body)), key)

    async def submit(
        self,
        workflow_id: str,
        default_parameters: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        force: bool = False,
        concurrency: int = CONCURRENCY,
        key: str | None = None,
    ) -> GroupRun:
        """Start an execution in every deployment, once; arguments as of `batch`.

        Returns:
            The handle of the execution group.

        Raises:
            InvalidInput: A value cannot be right; nothing was sent.
            GroupLeftBehind: The manager refused, and left a group behind.
            BadRequest: The manager refused, and nothing is left.
            OutcomeUnknown: Whether it was started cannot be told, since this user may
                not choose ids.
            CallError: Another failure; see `aioruns.errors`.
        """
        return await self.batch(
            workflow_id,
            default_parameters,
            parameters,
            force=force,
            concurrency=concurrency,
            key=key,
        ).submit()
