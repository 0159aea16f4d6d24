"""The states of many runs of one deployment, in few requests."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import define, field
from msgspec.structs import asdict

from aioruns.errors import NotFound, Unreadable
from aioruns.http.codec import DecodeError, structure
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.chain import chain
from aioruns.platforms.abeja.finding import ServerTime
from aioruns.platforms.abeja.listed import ListedRun, StatePage
from aioruns.platforms.abeja.models import RunRow
from aioruns.platforms.abeja.models.rows import take_row
from aioruns.platforms.client import Client
from aioruns.seam import RunRef, RunState, Status
from aioruns.together import each

STATES: Mapping[str, RunState] = {  # wire/abeja.md 3.2
    "SUBMITTED": RunState.QUEUED,
    "PENDING": RunState.QUEUED,
    "RUNNABLE": RunState.QUEUED,
    # The container is being started: nothing of the user's has run yet.
    "STARTING": RunState.QUEUED,
    "RUNNING": RunState.RUNNING,
    "SUCCEEDED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
}

SINGLE_READS = 2
"""So many runs are read one by one; pages would not be fewer."""

_FADE = 0.8
"""How fast an expensive listing is forgotten, so that listing is tried again."""


def status(deployment_id: str, row: RunRow) -> Status:
    """A row in common words."""
    state = STATES.get(row.status, RunState.UNKNOWN)
    # wire/abeja.md 3.1: there is no end time; an ended run changed last when it ended.
    ended = row.modified_at if state.final else None
    ref = RunRef(deployment_id, row.run_id)
    return Status(ref, state, row.status, "", row.created_at, None, ended)


@define(eq=False)
class StateReader:
    """Reads runs one by one or from the listing, whichever takes fewer requests.

    The listing has no filter and no page size (wire/abeja.md 6.1), so what it costs is
    known only afterwards. It is left for single reads once as many pages in a row have
    shown none of the runs as there are runs missing, and never takes more pages than
    there are runs; so a round costs at most about twice the better way. What it cost is
    remembered for the rounds that follow.

    Attributes:
        client: Sends the requests.
        organization_id: The organization of all deployments.
        time: Learns the server's time.
        spent: What the last listing cost, by deployment; it fades.
    """

    client: Client
    organization_id: str
    time: ServerTime
    spent: dict[str, float] = field(factory=dict, init=False)

    async def read(
        self,
        deployment_id: str,
        refs: Collection[RunRef],
        known: Mapping[RunRef, Status],
    ) -> dict[RunRef, Status]:
        """Read runs of one deployment; what does not exist, or not yet, is absent."""
        spent = self.spent.get(deployment_id, 0.0)
        if len(refs) <= SINGLE_READS or spent > len(refs):
            if spent:
                self.spent[deployment_id] = spent * _FADE
            return await self._singly(refs, known)
        wanted = {ref.id: ref for ref in refs}
        found, pages_read = await self._listed(deployment_id, wanted, known)
        missing = []
        if len(found) < len(wanted):
            missing = [ref for ref in wanted.values() if ref not in found]
            found |= await self._singly(missing, known)
        self.spent[deployment_id] = pages_read + len(missing)
        return found

    async def read_one(
        self, ref: RunRef, known: Mapping[RunRef, Status]
    ) -> dict[RunRef, Status]:
        """Read one run, which no page does in fewer requests."""
        request = requests.read_run(self.organization_id, ref.target, ref.id, RunRow)
        try:
            row = await self.client.send(request)
        except NotFound:
            return {}
        was = known.get(ref)
        if was is None or was.text != row.status:
            self.time.note(row.created_at)
            was = status(ref.target, row)
        return {ref: was}

    async def _listed(
        self,
        deployment_id: str,
        wanted: Mapping[str, RunRef],
        known: Mapping[RunRef, Status],
    ) -> tuple[dict[RunRef, Status], int]:
        """What the newest pages show, and how many were read."""
        found: dict[RunRef, Status] = {}
        count = fruitless = 0

        async def read(token: str | None) -> tuple[Sequence[object], str | None]:
            nonlocal count, fruitless
            before = len(found)
            count += 1
            try:
                page = await self.client.send(
                    requests.list_runs(
                        self.organization_id,
                        deployment_id,
                        StatePage,
                        next_page_token=token,
                    )
                )
            except NotFound:
                return (), None
            if page.rows is None:
                self._take_values(page.values, wanted, known, found)
            else:
                self._take(page.rows, wanted, known, found)
            fruitless = fruitless + 1 if len(found) == before else 0
            missing = len(wanted) - len(found)
            enough = fruitless >= missing or count >= len(wanted)
            return page.entries, None if enough else page.next_page_token

        async for _ in chain(read):
            pass
        return found, count

    def _take(
        self,
        rows: Sequence[ListedRun],
        wanted: Mapping[str, RunRef],
        known: Mapping[RunRef, Status],
        found: dict[RunRef, Status],
    ) -> None:
        """Note what rows say of the runs that are wanted.

        A row that moves between two pages is shown twice; the later reading is the
        newer one, and takes the place of the other.
        """
        find, recall = wanted.get, known.get
        for row in rows:
            ref = find(row.run_id)
            if ref is None:
                continue
            was = recall(ref)
            if was is None or was.text != row.status:
                was = self._status(ref, asdict(row))
            found[ref] = was

    def _take_values(
        self,
        rows: Sequence[Any],
        wanted: Mapping[str, RunRef],
        known: Mapping[RunRef, Status],
        found: dict[RunRef, Status],
    ) -> None:
        """The same for rows that are to be looked at."""
        row: Any = None
        try:
            for row in rows:
                ref = wanted.get(row["run_id"])
                if ref is not None:
                    was = known.get(ref)
                    if was is None or was.text != row["status"]:
                        was = self._status(ref, row)
                    found[ref] = was
        except (KeyError, TypeError):
            _read(row)  # raises what says what is wrong with it
            raise

    async def _singly(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> dict[RunRef, Status]:
        found: dict[RunRef, Status] = {}

        async def read(ref: RunRef) -> None:
            found.update(await self.read_one(ref, known))

        await each(refs, read)
        return found

    def _status(self, ref: RunRef, row: object) -> Status:
        read = take_row(row) or _read(row)
        self.time.note(read.created_at)
        return status(ref.target, read)


def _read(row: object) -> RunRow:
    try:
        return structure(row, RunRow)
    except DecodeError as error:
        raise Unreadable(f"a run's state cannot be read: {error}") from error
