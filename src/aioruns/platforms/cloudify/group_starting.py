"""Start an execution group so that it exists once (wire/cloudify.md 2.6, 6.2).

Where we may choose ids, the key makes the group's id, and everything can be looked up.
Elsewhere nothing can be written on a group that would find it again; what is new in the
list since the start may be ours, and the caller is told of it.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from aioruns.errors import (
    BadRequest,
    CallError,
    Conflict,
    Forbidden,
    NotFound,
    OutcomeUnknown,
)
from aioruns.http.codec import Json
from aioruns.platforms.cloudify.adapter import ChooseIds
from aioruns.platforms.cloudify.errors import GroupLeftBehind
from aioruns.platforms.cloudify.execution_groups import start_request
from aioruns.platforms.cloudify.models import ExecutionGroup
from aioruns.platforms.named_ids import named_id

if TYPE_CHECKING:
    from aioruns.platforms.cloudify.client import Cloudify

logger = logging.getLogger("aioruns.submitting")

TRIES = 4
"""How often a start in doubt is sent before its error is raised."""

_NAMESPACE = UUID("2f6c1d57-3f0b-4a55-9d1c-6f1f6e4d9f1e").bytes
_NEWEST = 50


def group_id(deployment_group_id: str, key: str) -> str:
    """The id of a group where we may choose it: the same for the same key."""
    return named_id(_NAMESPACE, f"{deployment_group_id}\n{key}")


class GroupStarter:
    """Starts groups; one for a client, which learns what its user may do.

    Args:
        client: Sends the requests.
        choose_ids: As of `Cloudify`.
    """

    def __init__(self, client: "Cloudify", choose_ids: ChooseIds) -> None:
        self._client = client
        self._choice = choose_ids
        self._ids = choose_ids is not False

    async def start(self, body: Json, key: str) -> ExecutionGroup:
        """Start the group of a body, once.

        Args:
            body: As of `execution_groups.start_body`.
            key: Makes the id, where that may be chosen.

        Raises:
            GroupLeftBehind: The manager refused, and left a group behind.
            OutcomeUnknown: Whether it was started cannot be told.
            CallError: The manager refused or could not be asked.
        """
        if self._ids:
            try:
                return await self._start_named(body, key)
            except Forbidden as error:
                # A definite no: nothing was created, and no id will ever be accepted.
                if self._choice != "auto" or "set_execution_group_details" not in str(
                    error
                ):
                    raise
                self._ids = False
        return await self._start_nameless(body)

    # -- where we choose the id ------------------------------------------------------

    async def _start_named(self, body: Json, key: str) -> ExecutionGroup:
        named = group_id(body["deployment_group_id"], key)
        request = start_request({**body, "id": named})
        for attempt in range(1, TRIES + 1):
            try:
                return await self._client.send(request)
            except Conflict as error:
                if error.code != "conflict_error":
                    raise
                if attempt > 1:
                    found = await self._settle(named, error)
                    if found is not None:
                        return found
                return await self._known(named, body, key, error)
            except CallError as error:
                if not error.maybe_acted:
                    await self._tell_what_is_left(named, error)
                    raise
                logger.info("looking for group %s after: %s", named, error)
                found = await self._settle(named, error)
                if found is not None:
                    return found
                if attempt == TRIES:
                    raise
        raise AssertionError

    async def _known(
        self, named: str, body: Json, key: str, conflict: Conflict
    ) -> ExecutionGroup:
        """The group that has our id already, unless it is of another workflow."""
        found = await self._client.execution_groups.get(named)
        if found.workflow_id != body["workflow_id"]:
            raise Conflict(
                f"the submission key {key!r} was used for the execution group {named} "
                f"of workflow {found.workflow_id}: choose another key for "
                f"{body['workflow_id']}",
                conflict.context,
                conflict.status,
                conflict.code,
            ) from conflict
        return found

    async def _tell_what_is_left(self, named: str, error: CallError) -> None:
        if not isinstance(error, BadRequest):
            return
        try:
            await self._client.execution_groups.get(named, ["id"])
        except NotFound:
            return
        raise await self._left_behind((named,), error) from error

    async def _settle(self, named: str, doubt: CallError) -> ExecutionGroup | None:
        """Look for our id, wait, and look again, until the group stays the same.

        The manager writes the group first and its executions one by one.
        """
        failure: CallError | None = None
        before: ExecutionGroup | None = None
        for seconds in (None, *self._client.runs.platform.abilities.settle):
            if seconds is not None:
                await self._client.session.clock.sleep(seconds)
            try:
                found = await self._client.execution_groups.get(named)
            except NotFound:
                failure = None
                continue
            except CallError as error:
                failure = error
                continue
            failure = None
            known = before and before.execution_ids
            if known and found.execution_ids == known:
                return found
            before = found
        if failure is not None and before is None:
            raise OutcomeUnknown(
                f"whether execution group {named} was started is not known: "
                f"{doubt.args[0]}; and it could not be looked for: {failure.args[0]}",
                doubt.context,
            ) from failure
        return before

    # -- where the manager chooses it ------------------------------------------------

    async def _start_nameless(self, body: Json) -> ExecutionGroup:
        before = await self._newest(body)
        for attempt in range(1, TRIES + 1):
            try:
                return await self._client.send(start_request(body))
            except CallError as error:
                if not error.maybe_acted and not isinstance(error, BadRequest):
                    raise
                new = await self._new(body, before, error)
                if new and not error.maybe_acted:
                    raise await self._left_behind(new, error) from error
                if new:
                    raise OutcomeUnknown(
                        f"the execution group {' or '.join(new)} may be the one whose "
                        "start was not answered, or somebody else's: if it is yours, "
                        "follow it with execution_group(...), and do not start it "
                        f"again: {error.args[0]}",
                        error.context,
                    ) from error
                if attempt == TRIES or not error.maybe_acted:
                    raise
        raise AssertionError

    async def _newest(self, body: Json) -> Sequence[str]:
        page = await self._client.execution_groups.list(
            ["id"],
            deployment_group_id=body["deployment_group_id"],
            workflow_id=body["workflow_id"],
            _sort=["-created_at", "id"],
            _size=_NEWEST,
        )
        return [group.id for group in page]

    async def _new(
        self, body: Json, before: Sequence[str], doubt: CallError
    ) -> tuple[str, ...]:
        """Groups that were not there before the start.

        A definite answer needs one look; after a lost one the list may lag behind.
        """
        pauses = self._client.runs.platform.abilities.settle
        for seconds in (None, *(pauses if doubt.maybe_acted else ())):
            if seconds is not None:
                await self._client.session.clock.sleep(seconds)
            try:
                now = await self._newest(body)
            except CallError as error:
                if not doubt.maybe_acted:
                    raise doubt from error
                raise OutcomeUnknown(
                    f"whether the execution group was started is not known: "
                    f"{doubt.args[0]}; and it could not be looked for: {error.args[0]}",
                    doubt.context,
                ) from error
            new = tuple(one for one in now if one not in before)
            if new:
                return new
        return ()

    # -- what a refusal leaves -------------------------------------------------------

    async def _left_behind(
        self, groups: tuple[str, ...], error: CallError
    ) -> GroupLeftBehind:
        counts: list[str] = []
        for one in groups:
            try:
                counted = await self._client.execution_group(one).counts()
            except CallError:
                counted = {}
            counts += [f"{number} {status}" for status, number in counted.items()]
        return GroupLeftBehind(
            f"{error.args[0]}; and the manager left the execution group "
            f"{' or '.join(groups)} behind, with executions: "
            f"{', '.join(counts) or 'none'}; those that are queued may be started "
            "later: cancel the group if you do not want them",
            error.context,
            getattr(error, "status", 400),
            getattr(error, "code", None),
            groups,
        )
