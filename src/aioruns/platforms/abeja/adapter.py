"""What generic code asks of ABEJA."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from attrs import define, field

from aioruns.errors import NotSupported
from aioruns.http.clock import Clock
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.backward import BackwardReader
from aioruns.platforms.abeja.finding import Finder, ServerTime
from aioruns.platforms.abeja.following import FollowingReader
from aioruns.platforms.abeja.models import AbejaRun
from aioruns.platforms.abeja.models.rows import Accepted
from aioruns.platforms.abeja.payload import MARKER
from aioruns.platforms.abeja.places import Place, begin
from aioruns.platforms.abeja.plain import PlainReader
from aioruns.platforms.abeja.recent import RecentReader
from aioruns.platforms.abeja.states import STATES, StateReader
from aioruns.platforms.client import Client
from aioruns.platforms.connection import Connection
from aioruns.platforms.stale import check_ended
from aioruns.seam import (
    ALL,
    Abilities,
    LogPage,
    Position,
    RunRef,
    RunState,
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
    _reader: Callable[[RunRef], FollowingReader] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._time = ServerTime(self.clock)
        self._states = StateReader(self.client, self.organization_id, self._time)
        self._finder = Finder(self.client, self.organization_id, self._time)
        # A log is read page by page; to look takes a fifth of what making one does.
        self._reader = lru_cache(maxsize=256)(self._following)

    @property
    def clock(self) -> Clock:
        """The session's clock."""
        return self.client.session.clock

    def connection(self, *, credentials: bool, share: float) -> Connection:
        """How to make a client like this one, elsewhere."""
        return self.client.connection(credentials=credentials, share=share)

    async def create(self, submission: Submission) -> RunRef:
        """Create the run, with the key among its environment variables."""
        payload = submission.payload
        # wire/abeja.md 6.2: the only place of a run that is echoed in listings.
        marked = {**payload["environment"], MARKER: submission.key}
        body = {**payload, "environment": marked}
        row = await self.client.send(
            requests.post_run(self.organization_id, submission.target, body, Accepted)
        )
        if not self._time.known and row.created_at is not None:
            self._time.note_text(row.created_at)
        return RunRef(submission.target, row.run_id)

    async def find(self, submission: Submission) -> RunRef | None:
        """Search the newest runs for the key; see `Finder`."""
        return await self._finder.find(submission)

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read runs singly or from listings; see `StateReader`."""
        if len(refs) == 1 and not self._states.spent:
            (ref,) = refs
            return await self._states.read_one(ref, known)
        # Their ids are good in one deployment only, so they are of one.
        for ref in refs:
            return await self._states.read(ref.target, refs, known)
        return {}

    def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> Coroutine[Any, Any, LogPage]:
        """Read what follows; see `aioruns.platforms.abeja.following`."""
        place = begin(window) if position is None else Place.of(position)
        return self._reader(ref).read(place)

    async def read_newest(self, ref: RunRef, count: int, window: Window) -> LogPage:
        """Read the last lines; see `aioruns.platforms.abeja.backward`."""
        return await self._backward(ref, window).newest(count)

    async def read_older(
        self, ref: RunRef, position: Position | None, window: Window
    ) -> LogPage:
        """Read backwards; see `aioruns.platforms.abeja.backward`.

        A position's token may expire (wire/abeja.md 4.3), and then it is refused: lines
        are added at this end of the log, so that its place cannot be counted.
        """
        return await self._backward(ref, window).older(position)

    def _following(self, ref: RunRef) -> FollowingReader:
        at = self.organization_id, ref.target, ref.id
        what = f"run {ref.id}"
        ask_recent = partial(requests.get_run_recent_logs, *at)
        return FollowingReader(
            PlainReader(self.client, requests.run_log(*at), what),
            RecentReader(self.client, ask_recent, what),
            what,
        )

    def _backward(self, ref: RunRef, window: Window) -> BackwardReader:
        following = self._reader(ref)
        return BackwardReader(following.recent, following, begin(window))

    async def cancel(self, ref: RunRef) -> None:
        """Refuse: ABEJA cannot end a run."""
        raise NotSupported(f"ABEJA cannot cancel run {ref.id}")

    async def fetch_result(self, ref: RunRef) -> AbejaRun:
        """The run itself: what it wrote is where `output_template` says."""
        run = await self.client.send(
            requests.get_run(self.organization_id, ref.target, ref.id)
        )
        check_ended(ref.id, run.status, STATES.get(run.status, RunState.UNKNOWN))
        return run
