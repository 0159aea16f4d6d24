"""Which run of a batch experiment is which, and which of them exist yet."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from attrs import define, field

from aioruns.errors import CallError, Context, NotFound, Rejected
from aioruns.native import Member
from aioruns.patience import PATIENCE
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.batch_runs import BatchRow, batch_rows, batch_target
from aioruns.platforms.nextmv.batches import Batches
from aioruns.platforms.nextmv.experiment_reading import DONE
from aioruns.platforms.nextmv.models.experiments import (
    BatchExperimentRun,
    ExperimentStatus,
)
from aioruns.platforms.nextmv.models.statuses import FINAL
from aioruns.rounds import FIRST_INTERVAL, LONGEST_INTERVAL
from aioruns.runs import Run, RunSpec
from aioruns.seam import RunRef

GRACE = 15.0
"""Seconds for which a new experiment may be invisible, or say that it is a draft."""

T = TypeVar("T")

_Kind = tuple[str, str, int]


@define(eq=False)
class SweepMembers:
    """Finds the run of each place in a batch experiment, as runs come into being.

    A row of the list of runs tells input, option set, instance and repetition, and not
    its place (wire/nextmv.md 8.1); runs that are the same in all of that are given
    their places in the order of the list.

    Attributes:
        client: The platform.
        app_id: The application.
        batch_id: The experiment.
        runs: What is at each place.
        spec: Makes a spec of a run, outside the batch.
    """

    client: Client
    app_id: str
    batch_id: str
    runs: Sequence[BatchExperimentRun]
    spec: Callable[[BatchExperimentRun], RunSpec]
    _open: dict[_Kind, list[int]] = field(init=False)
    _seen: set[str] = field(factory=set, init=False)
    _began: float = field(init=False)
    _well: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._began = self._well = self.client.session.clock.now()
        self._open = defaultdict(list)
        for place, run in enumerate(self.runs):
            kind = (run.input_id, run.option_set or "", run.repetition or 0)
            self._open[kind].append(place)

    async def members(self) -> AsyncIterator[Member]:
        """Each member once: with its run, or with the reason why there is none."""
        clock = self.client.session.clock
        over: ExperimentStatus | str | None = None
        why: CallError | None = None
        try:
            while self._open:
                rows = await self._bearing(self._rows)
                if rows is not None:
                    for member in self._matched(rows):
                        yield member
                    if over is not None:
                        break
                    if self._open and all(row.status_v2 in FINAL for row in rows):
                        # Nothing goes on: are there more to come?
                        over = await self._bearing(self._over)
                        if over is not None:
                            continue  # The rows may be older than the end.
                if self._open:
                    longest = max(FIRST_INTERVAL, self._age() / 10)
                    await clock.sleep(min(LONGEST_INTERVAL, longest))
        except CallError as error:
            why = error
        for member in self._rest(why, over):
            yield member

    async def _bearing(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask, and bear with failures that may pass, for a while."""
        try:
            answer = await ask()
        except CallError as error:
            now = self.client.session.clock.now()
            if not self._passing(error) or now - self._well >= PATIENCE:
                raise
            return None
        self._well = self.client.session.clock.now()
        return answer

    def _passing(self, error: CallError) -> bool:
        if isinstance(error, NotFound):
            return self._age() < GRACE
        return not isinstance(error, Rejected) or error.status >= 429

    def _age(self) -> float:
        return self.client.session.clock.now() - self._began

    async def _rows(self) -> Sequence[BatchRow]:
        return await batch_rows(self.client, self.app_id, self.batch_id)

    async def _over(self) -> ExperimentStatus | str | None:
        """The status that says that no more runs will come, or None."""
        batches = Batches(self.client, self.app_id)
        metadata = await batches.batch_experiment_metadata(self.batch_id)
        status = metadata.status
        if status == ExperimentStatus.DRAFT and self._age() < GRACE:
            return None
        ends = status in DONE or status == ExperimentStatus.DELETING
        return status if ends else None

    def _matched(self, rows: Sequence[BatchRow]) -> Iterator[Member]:
        for row in rows:
            if row.id in self._seen:
                continue
            self._seen.add(row.id)
            place = self._place(row)
            if place is not None:
                target = batch_target(self.app_id, self.batch_id)
                key = self._key(place)
                run = Run(self.client.runs, RunRef(target, row.id), key)
                yield Member(place, self.spec(self.runs[place]), key, run)

    def _place(self, row: BatchRow) -> int | None:
        """The first place that fits, of its own instance if there is one."""
        kind = (row.input_id, row.option_set, row.repetition)
        places = self._open.get(kind)
        if not places:
            return None  # It was put into the experiment by somebody else.
        instance = row.application_instance_id
        fitting = (one for one in places if self.runs[one].instance_id == instance)
        place = next(fitting, places[0])
        places.remove(place)
        if not places:
            del self._open[kind]
        return place

    def _rest(
        self, error: CallError | None, over: ExperimentStatus | str | None
    ) -> Iterator[Member]:
        """The members without a run."""
        for place in sorted(
            place for places in self._open.values() for place in places
        ):
            run = self.runs[place]
            why = error or NotFound(
                f"experiment {self.batch_id} is {over} and has no run of input "
                f"{run.input_id} with option set {run.option_set!r}",
                Context(platform=self.client.origin.platform),
                404,
            )
            yield Member(place, self.spec(run), self._key(place), error=why)
        self._open.clear()

    def _key(self, place: int) -> str:
        return f"{self.batch_id}/{place + 1}"
