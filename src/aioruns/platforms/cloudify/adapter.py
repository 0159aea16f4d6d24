"""Cloudify behind the seam that generic code asks."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from aioruns.errors import CallError, Conflict, Forbidden
from aioruns.http.clock import Clock
from aioruns.paging import pages
from aioruns.platforms.cloudify import following_back, following_together, requests
from aioruns.platforms.cloudify.errors import AmbiguousNameError, IllegalActionError
from aioruns.platforms.cloudify.following import Reader
from aioruns.platforms.cloudify.models import ExecutionMark
from aioruns.platforms.cloudify.settling import OVERLAP, Settling
from aioruns.platforms.cloudify.states import States
from aioruns.platforms.cloudify.statuses import CANCELLING, state_of
from aioruns.platforms.connection import Connection
from aioruns.platforms.stale import check_ended
from aioruns.seam import (
    ALL,
    Abilities,
    LogPage,
    Position,
    RunRef,
    Status,
    Submission,
    Window,
)

if TYPE_CHECKING:
    from aioruns.platforms.cloudify.client import Cloudify

ChooseIds = Literal["auto"] | bool

_CLOCKS_DIFFER = timedelta(minutes=15)
_MOST_MARKS = 2000
"""Executions in which a marker is looked for, at most."""


class Adapter:
    """See `aioruns.seam.Platform`, `ReadsBack` and `ReadsTogether`.

    Args:
        client: Sends the requests.
        choose_ids: Whether submission keys become ids (True) or workflow parameters
            (False); `auto` tries ids until the manager refuses them to this user.
    """

    name = "cloudify"
    abilities = Abilities(drain=OVERLAP, spans_targets=True)
    logs_at_once = following_together.AT_ONCE

    def __init__(self, client: "Cloudify", choose_ids: ChooseIds) -> None:
        self._client = client
        self._choice = choose_ids
        self._ids = choose_ids is not False
        self._states = States(client)
        self._reader = Reader(client.send, Settling(client.session.clock))

    @property
    def clock(self) -> Clock:
        """The session's clock."""
        return self._client.session.clock

    def connection(self, *, credentials: bool, share: float) -> Connection:
        """How to make a client like this one, elsewhere."""
        return self._client.connection(credentials=credentials, share=share)

    async def create(self, submission: Submission) -> RunRef:
        """Start an execution so that its key finds it again (wire/cloudify.md 6.2)."""
        if self._ids:
            ref = RunRef(submission.target, requests.execution_id(submission))
            try:
                await self._client.send(requests.with_id(submission, ref.id))
            except Conflict as error:
                if error.code != "conflict_error":
                    raise
                await self._check_owner(ref, submission, error)
                return ref
            except Forbidden as error:
                # A definite no: nothing was created, and no id will ever be accepted.
                if self._choice != "auto" or "set_execution_details" not in str(error):
                    raise
                self._ids = False
            else:
                return ref
        created = await self._client.send(requests.with_marker(submission))
        return RunRef(submission.target, created.id)

    async def _check_owner(
        self, ref: RunRef, submission: Submission, conflict: Conflict
    ) -> None:
        """Refuse a key that belongs to an execution of another workflow."""
        try:
            found = await self._client.send(requests.get_mark(ref.id))
        except CallError:
            return  # the id is our key's, so the execution is ours
        wanted = submission.payload["workflow_id"]
        if found.workflow_id not in {wanted, None}:
            raise Conflict(
                f"the submission key {submission.key!r} was used for the execution "
                f"{ref.id} of workflow {found.workflow_id}: choose another key for "
                f"{wanted}",
                conflict.context,
                conflict.status,
                conflict.code,
            ) from conflict

    async def find(self, submission: Submission) -> RunRef | None:
        """Look for the id that the key makes, and for the key among the parameters.

        With `auto` it is not known what an earlier process could do, so both.
        """
        if self._choice is not False:
            ref = RunRef(submission.target, requests.execution_id(submission))
            if await self._states.read_one(ref.id) is not None:
                return ref
        # While ids are accepted, what this process began has one.
        if self._choice is True or (self._ids and submission.fresh):
            return None
        return await self._find_marker(submission)

    async def _find_marker(self, submission: Submission) -> RunRef | None:
        seen = 0
        async for rows in self._newest(submission):
            for row in rows:
                if (row.parameters or {}).get(requests.MARKER) == submission.key:
                    return RunRef(submission.target, row.id)
            seen += len(rows)
            if seen >= _MOST_MARKS or _too_old(rows, submission):
                break
        return None

    def _newest(self, submission: Submission) -> AsyncIterator[Sequence[ExecutionMark]]:
        workflow_id: str = submission.payload["workflow_id"]

        async def read(token: str | None) -> tuple[Sequence[ExecutionMark], str | None]:
            offset = int(token or 0)
            page = await self._client.send(
                requests.list_newest(submission.target, workflow_id, offset)
            )
            following = offset + len(page.items)
            # wire/cloudify.md 4.1: an empty page before the total is an end, too.
            ended = not page.items or following >= page.metadata.pagination.total
            return page.items, None if ended else str(following)

        return pages(read)

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read states by ids or from pages; ids are unique in the tenant."""
        return await self._states.read(refs, known)

    async def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read events and logs that arrived since a position."""
        return await self._reader.read(ref.id, position, window)

    async def read_newest(self, ref: RunRef, count: int, window: Window) -> LogPage:
        """Read the last events and logs that arrived; see `ReadsBack`."""
        return await following_back.read_newest(self._reader, ref, count, window)

    async def read_older(
        self, ref: RunRef, position: Position | None, window: Window
    ) -> LogPage:
        """Read events and logs that arrived before a position; see `ReadsBack`."""
        return await following_back.read_older(self._reader, ref, position, window)

    async def read_logs_of(
        self, positions: Mapping[RunRef, Position | None]
    ) -> Mapping[RunRef, LogPage]:
        """Read the logs of several executions; see `ReadsTogether`."""
        return await following_together.read_together(self._reader, positions)

    async def cancel(self, ref: RunRef) -> None:
        """Ask the workflow to end; one that is ending or has ended is no error."""
        try:
            await self._client.send(requests.cancel(ref.id))
        except IllegalActionError:
            # wire/cloudify.md 3.2.2
            row = await self._states.read_one(ref.id)
            if row and row.status not in CANCELLING and not state_of(row.status).final:
                raise

    async def fetch_result(self, ref: RunRef) -> object:
        """The `Execution`: the manager keeps no other output of a workflow."""
        try:
            execution = await self._client.send(requests.get_execution(ref.id))
        except AmbiguousNameError:
            page = await self._client.send(requests.list_executions(ref.id))
            if not page:
                raise
            return page[0]
        check_ended(ref.id, execution.status, state_of(execution.status))
        return execution


def _too_old(rows: Sequence[ExecutionMark], submission: Submission) -> bool:
    """Whether rows, newest first, have reached what was there before a submission."""
    oldest = rows[-1].created_at if rows else None
    if oldest is None or submission.since is None:
        return False
    return oldest < submission.since - _CLOCKS_DIFFER
