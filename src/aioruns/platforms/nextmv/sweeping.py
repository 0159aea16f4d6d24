"""Sweeps: inputs, options and instances combined into one batch experiment."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import count, product
from typing import Any

from attrs import define, field

from aioruns.errors import BadRequest, Conflict, InvalidInput, NotFound
from aioruns.native import Member
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import applications
from aioruns.platforms.nextmv.batches import Batches, input_ids_of
from aioruns.platforms.nextmv.describing import describe
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.managed_inputs import ManagedInputs
from aioruns.platforms.nextmv.models.experiments import BatchExperimentRun
from aioruns.platforms.nextmv.models.managed_inputs import InputSet, ManagedInput
from aioruns.platforms.nextmv.sweep_members import SweepMembers
from aioruns.platforms.nextmv.uploads import Uploads
from aioruns.runs import RunSpec
from aioruns.together import each

SweepInput = Mapping[str, Any] | Sequence[Any] | ManagedInput | str
"""A JSON object or array; a managed input, or the id of one."""

SweepInputs = Sequence[SweepInput] | InputSet | str
"""The inputs one by one; or an input set, or the id of one."""

LATEST = "latest"
"""The instance that runs what was pushed last (wire/nextmv.md 3.3.1)."""


@define(eq=False)
class Sweep:
    """A batch experiment that is made when it is followed.

    Made by `Application.sweep`, which says what it does.

    Attributes:
        client: The platform.
        app_id: The application.
        inputs: What its runs are given.
        option_sets: Options by name, as text, by the name of their set.
        instances: Who runs; empty for the application's default.
        repetitions: How often everything is run again.
        id: The experiment's id.
        name: The experiment's name.
        may_exist: Whether there may be this experiment already.
        runs: What its runs are, in the order of `Outcome.index`; empty until it is
            followed.
    """

    client: Client = field(repr=False)
    app_id: str
    inputs: SweepInputs = field(repr=False)
    option_sets: Mapping[str, Mapping[str, str]] = field(repr=False)
    instances: Sequence[str]
    repetitions: int
    id: str
    name: str
    may_exist: bool = field(repr=False)
    runs: Sequence[BatchExperimentRun] = field(default=(), init=False, repr=False)
    _exists: bool = field(default=False, init=False, repr=False)

    async def prepare(self) -> None:
        """Look for the experiment, and if there is none make the inputs it needs.

        Raises:
            InvalidInput: There is an experiment with this id that is another one.
            CallError: The platform refused or could not be asked.
        """
        requested = await self._look() if self.may_exist else None
        self._exists = requested is not None
        input_ids, input_set_id = await self._input_ids()
        instances = self.instances or [await self._default_instance()]
        self.runs = list(self._plan(instances, input_ids, input_set_id))
        if requested is not None and requested != len(self.runs):
            raise self._another(f"{requested} runs instead of {len(self.runs)}")

    async def start(self) -> AsyncIterator[Member]:
        """Create the experiment, so that it exists once.

        Returns:
            Its runs, as they become known.

        Raises:
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        if not self._exists:
            await Batches(self.client, self.app_id).new_batch_experiment(
                self.name,
                id=self.id,
                option_sets=self.option_sets or None,
                runs=self.runs,
            )
            # Whoever follows this sweep once more means the same experiment.
            self.may_exist = True
        return SweepMembers(
            self.client, self.app_id, self.id, self.runs, self.spec
        ).members()

    def spec(self, run: BatchExperimentRun) -> RunSpec:
        """One of the runs, to be submitted once more outside the experiment."""
        payload = describe(
            instance_id=run.instance_id,
            options=self.option_sets.get(run.option_set or ""),
            managed_input_id=run.input_id,
        )
        return self.client.runs.spec(self.app_id, payload)

    async def _look(self) -> int | None:
        """How many runs the experiment has, or None if there is none."""
        batches = Batches(self.client, self.app_id)
        try:
            found = await batches.batch_experiment_metadata(self.id)
        except NotFound:
            return None
        if (found.option_sets or {}) != self.option_sets:
            raise self._another("other option sets")
        return found.number_of_requested_runs

    def _another(self, what: str) -> InvalidInput:
        return InvalidInput(
            f"experiment {self.id} exists already and is another one, with {what}: "
            "give this sweep an id of its own"
        )

    async def _input_ids(self) -> tuple[Sequence[str], str | None]:
        """The inputs, and their input set; those that are new are uploaded."""
        if isinstance(self.inputs, str):
            sets = InputSets(self.client, self.app_id)
            found = await sets.input_set(self.inputs)
            return input_ids_of(found), found.id
        if isinstance(self.inputs, InputSet):
            return input_ids_of(self.inputs), self.inputs.id
        new: dict[str, Any] = {}
        ids: list[str] = []
        for place, one in enumerate(self.inputs, 1):
            if isinstance(one, ManagedInput):
                ids.append(one.id)
            elif isinstance(one, str):
                ids.append(one)
            else:
                # The same in every process, so that no input is made twice.
                ids.append(f"{self.id}-{place}")
                new[ids[-1]] = one
        if not self._exists:
            await each(new.items(), self._keep)
        return ids, None

    async def _keep(self, new: tuple[str, Any]) -> None:
        """Upload an input, and make a managed input of it."""
        input_id, data = new
        upload_id = await Uploads(self.client, self.app_id).upload_content(data)
        managed = ManagedInputs(self.client, self.app_id)
        try:
            await managed.new_managed_input(
                input_id, input_id, f"Input of sweep {self.name}", upload_id
            )
        except (BadRequest, Conflict) as refusal:
            # A sweep with this id was begun before. Which status says that the id is
            # taken is not documented (wire/nextmv.md 8.2).
            try:
                await managed.managed_input(input_id)
            except NotFound:
                raise refusal from None

    async def _default_instance(self) -> str:
        record = await applications.read(self.client, self.app_id)
        return (
            record.default_experiment_instance or record.default_instance_id or LATEST
        )

    def _plan(
        self,
        instances: Sequence[str],
        input_ids: Sequence[str],
        input_set_id: str | None,
    ) -> Iterator[BatchExperimentRun]:
        numbers = count(1)
        for instance_id, option_set, input_id, repetition in product(
            instances,
            self.option_sets or [None],
            input_ids,
            range(self.repetitions + 1),
        ):
            yield BatchExperimentRun(
                input_id,
                option_set,
                instance_id,
                input_set_id=input_set_id,
                repetition=repetition,
                run_number=str(next(numbers)),
            )
