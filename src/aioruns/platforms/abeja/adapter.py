"""What generic code asks of ABEJA."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

from attrs import define, field

from aioruns.errors import NotSupported
from aioruns.http.clock import Clock
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.finding import Finder, ServerTime
from aioruns.platforms.abeja.models import AbejaRun, RunRow
from aioruns.platforms.abeja.payload import MARKER
from aioruns.platforms.abeja.places import Place
from aioruns.platforms.abeja.recent import RecentReader
from aioruns.platforms.abeja.states import StateReader, status
from aioruns.platforms.client import Client
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

NAME: Final = "abeja"

# wire/abeja.md 2: no operation ends a run. 4.4: lines arrive after the final status.
ABILITIES: Final = Abilities(cancels=False, drain=2.0)


@define(eq=False)
class Adapter:
    """The deployments of one organization.

    Attributes:
        client: Sends the requests.
        organization_id: The organization.
    """

    client: Client
    organization_id: str
    name: str = field(default=NAME, init=False)
    abilities: Abilities = field(default=ABILITIES, init=False)
    _time: ServerTime = field(init=False)
    _states: StateReader = field(init=False)
    _finder: Finder = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._time = ServerTime(self.clock)
        self._states = StateReader(self.client, self.organization_id)
        self._finder = Finder(self.client, self.organization_id, self._time)

    @property
    def clock(self) -> Clock:
        """The session's clock."""
        return self.client.session.clock

    async def create(self, submission: Submission) -> RunRef:
        """Create the run, with the key among its environment variables."""
        body = dict(submission.payload)
        # wire/abeja.md 6.2: the only place of a run that is echoed in listings.
        body["environment"] = {**body["environment"], MARKER: submission.key}
        row = await self.client.send(
            requests.post_run(self.organization_id, submission.target, body, RunRow)
        )
        self._time.note(row.created_at)
        return RunRef(submission.target, row.run_id)

    async def find(self, submission: Submission) -> RunRef | None:
        """Search the newest runs for the key; see `Finder`."""
        return await self._finder.find(submission)

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read runs singly or from listings; see `StateReader`."""
        by_target: dict[str, list[str]] = {}
        for ref in refs:
            by_target.setdefault(ref.target, []).append(ref.id)
        statuses: dict[RunRef, Status] = {}
        for target, run_ids in by_target.items():
            rows = await self._states.read(target, run_ids)
            for run_id, row in rows.items():
                self._time.note(row.created_at)
                statuses[RunRef(target, run_id)] = status(target, row)
        return statuses

    async def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read recent logs; see `aioruns.platforms.abeja.recent`."""
        ask = partial(
            requests.get_run_recent_logs, self.organization_id, ref.target, ref.id
        )
        reader = RecentReader(self.client, ask, f"run {ref.id}")
        return await reader.read(Place.of(position))

    async def cancel(self, ref: RunRef) -> None:
        """Refuse: ABEJA cannot end a run."""
        raise NotSupported(f"ABEJA cannot cancel run {ref.id}")

    async def fetch_result(self, ref: RunRef) -> AbejaRun:
        """The run itself: what it wrote is where `output_template` says."""
        return await self.client.send(
            requests.get_run(self.organization_id, ref.target, ref.id)
        )
