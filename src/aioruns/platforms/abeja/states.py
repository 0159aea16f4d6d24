"""The states of many runs of one deployment, in few requests."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from attrs import define, field

from aioruns.errors import NotFound
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.chain import chain
from aioruns.platforms.abeja.models import RunRow, RunRows
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
    return Status(
        RunRef(deployment_id, row.run_id),
        state,
        row.status,
        created=row.created_at,
        # wire/abeja.md 3.1: there is no end time; an ended run changed last when it
        # ended.
        ended=row.modified_at if state.final else None,
    )


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
    """

    client: Client
    organization_id: str
    _spent: dict[str, float] = field(factory=dict, init=False)

    async def read(
        self, deployment_id: str, run_ids: Collection[str]
    ) -> dict[str, RunRow]:
        """Rows by run id; a run that does not exist, or not yet, is absent."""
        wanted = set(run_ids)
        spent = self._spent.get(deployment_id, 0.0)
        if len(wanted) <= SINGLE_READS or spent > len(wanted):
            self._spent[deployment_id] = spent * _FADE
            return await self._singly(deployment_id, sorted(wanted))
        found, pages_read = await self._listed(deployment_id, wanted)
        missing = sorted(wanted - found.keys())
        self._spent[deployment_id] = pages_read + len(missing)
        return found | await self._singly(deployment_id, missing)

    async def _listed(
        self, deployment_id: str, wanted: set[str]
    ) -> tuple[dict[str, RunRow], int]:
        """What the newest pages show, and how many were read."""
        found: dict[str, RunRow] = {}
        count = fruitless = 0

        async def read(token: str | None) -> tuple[Sequence[RunRow], str | None]:
            nonlocal count, fruitless
            before = len(found)
            count += 1
            try:
                page = await self.client.send(
                    requests.list_runs(
                        self.organization_id,
                        deployment_id,
                        RunRows,
                        next_page_token=token,
                    )
                )
            except NotFound:
                return (), None
            for row in page.entries:
                if row.run_id in wanted:
                    # A row that moves between two pages is shown twice; the later
                    # reading is the newer one.
                    found[row.run_id] = row
            fruitless = fruitless + 1 if len(found) == before else 0
            missing = len(wanted) - len(found)
            enough = fruitless >= missing or count >= len(wanted)
            return page.entries, None if enough else page.next_page_token

        async for _ in chain(read):
            pass
        return found, count

    async def _singly(
        self, deployment_id: str, run_ids: Sequence[str]
    ) -> dict[str, RunRow]:
        found: dict[str, RunRow] = {}

        async def read(run_id: str) -> None:
            request = requests.read_run(
                self.organization_id, deployment_id, run_id, RunRow
            )
            with suppress(NotFound):
                found[run_id] = await self.client.send(request)

        await each(run_ids, read)
        return found
