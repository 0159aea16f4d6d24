"""Batch experiments of an application (wire/nextmv.md 3.4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from aioruns.errors import InvalidInput
from aioruns.http.request import Request
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.experiment_reading import runs_of, until_done
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.models.experiments import (
    BatchExperiment,
    BatchExperimentInformation,
    BatchExperimentMetadata,
    BatchExperimentRun,
)
from aioruns.platforms.nextmv.models.managed_inputs import InputSet
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.polling import DEFAULT_POLLING_OPTIONS, PollingOptions
from aioruns.platforms.nextmv.things import Paths, Things, given

OptionSets = Mapping[str, Mapping[str, str]]
"""Options by name, by the name of their set."""

BatchRuns = Sequence[BatchExperimentRun | Mapping[str, Any]]


class Batches:
    """Starts and reads batch experiments; reached as `application.batches`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._things = Things(client, Paths(app_id, ("experiments", "batch")))
        self._input_sets = InputSets(client, app_id)

    async def new_batch_experiment(
        self,
        name: str | None = None,
        input_set_id: str | None = None,
        description: str | Sequence[str] | None = None,
        id: str | None = None,
        option_sets: OptionSets | None = None,
        runs: BatchRuns | None = None,
        type: str | None = "batch",
        content_type: str | None = None,
        instance_ids: Sequence[str] | None = None,
    ) -> str:
        """Start many runs as one experiment, so that it exists once.

        Args:
            name: Name for people; the id if not given.
            input_set_id: The inputs.
            description: Text for people. A list in its place is taken for
                `instance_ids`, which once came third.
            id: The experiment's id; made up if not given.
            option_sets: Options by name, by the name of their set.
            runs: The runs one by one; objects are sent as they are.
            type: `batch`, or `scenario` for a scenario test.
            content_type: How inputs and outputs are written, for example `multi-file`.
            instance_ids: Makes the runs: each of these instances with each input of the
                input set, which is read for that.

        Returns:
            The experiment's id.

        Raises:
            InvalidInput: `instance_ids` without an input set, or with `runs`.
            Conflict: There is an experiment with this id.
            CallError: The platform refused, or whether it acted stayed unknown.

        Example:
            ```python
            batch_id = await app.new_batch_experiment(
                "nightly",
                option_sets={"fast": {"duration": "5s"}},
                runs=[BatchExperimentRun("monday", "fast", instance_id="staging")],
            )
            ```
        """
        if description is not None and not isinstance(description, str):
            instance_ids, description = description, None
        if instance_ids is not None:
            if runs is not None or not input_set_id:
                raise InvalidInput(
                    "instance_ids are combined with the inputs of an input set: give "
                    "them an input_set_id, and no runs"
                )
            found = await self._input_sets.input_set(input_set_id)
            runs = runs_on(instance_ids, found)
        batch_id = id or safe_id("batch")
        body = given(
            id=batch_id,
            name=name or batch_id,
            input_set_id=input_set_id,
            description=description,
            option_sets=option_sets,
            runs=runs,
            type=type,
            content_type=content_type,
        )
        made = await self._things.new(body, BatchExperimentInformation)
        return made.id

    async def batch_experiment(self, batch_id: str) -> BatchExperiment:
        """Read a batch experiment and its runs.

        Raises:
            NotFound: There is none with this id.
        """
        experiment = await self._things.get(batch_id, BatchExperiment)
        return evolve(experiment, runs=await runs_of(self._things, batch_id))

    async def batch_experiment_metadata(self, batch_id: str) -> BatchExperimentMetadata:
        """Read how far a batch experiment is.

        Raises:
            NotFound: There is none with this id.
        """
        address = self._things.paths.one(batch_id, "metadata")
        return await self._client.send(Request("GET", address, BatchExperimentMetadata))

    async def batch_experiment_with_polling(
        self,
        batch_id: str,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
    ) -> BatchExperiment:
        """Wait until a batch experiment has ended, and read it with its runs.

        Args:
            batch_id: Which one.
            polling_options: When to ask, and when to give up; by default never.

        Raises:
            GaveUp: A limit of the options was reached, or the experiment is being
                deleted without an end.
            NotFound: There is none with this id, or not any more.
        """
        done = await until_done(
            polling_options,
            self._client.session.clock,
            lambda: self.batch_experiment_metadata(batch_id),
            what=f"experiment {batch_id}",
        )
        return await self.batch_experiment(done.id)

    async def new_batch_experiment_with_result(
        self,
        name: str | None = None,
        input_set_id: str | None = None,
        description: str | Sequence[str] | None = None,
        id: str | None = None,
        option_sets: OptionSets | None = None,
        runs: BatchRuns | None = None,
        type: str | None = "batch",
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
        content_type: str | None = None,
        instance_ids: Sequence[str] | None = None,
    ) -> BatchExperiment:
        """Start a batch experiment, wait until it has ended, and read it.

        Arguments and errors as of `new_batch_experiment` and
        `batch_experiment_with_polling`.
        """
        batch_id = await self.new_batch_experiment(
            name,
            input_set_id,
            description,
            id,
            option_sets,
            runs,
            type,
            content_type,
            instance_ids,
        )
        return await self.batch_experiment_with_polling(batch_id, polling_options)

    async def list_batch_experiments(
        self, no_pagination: bool = False
    ) -> list[BatchExperimentMetadata]:
        """Read all batch experiments that are no scenario tests.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self.list_of_type("batch", no_pagination)

    async def list_of_type(
        self, type: str, no_pagination: bool = False
    ) -> list[BatchExperimentMetadata]:
        """Read all experiments of one type: `batch` or `scenario`."""
        return await self._things.list(
            BatchExperimentMetadata,
            filters={"type": type},
            no_pagination=no_pagination,
        )

    async def update_batch_experiment(
        self,
        batch_experiment_id: str,
        name: str | None = None,
        description: str | None = None,
    ) -> BatchExperimentInformation:
        """Change name or description.

        Args:
            batch_experiment_id: Which one.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
        """
        changes = given(name=name, description=description)
        return await self._things.patch(
            batch_experiment_id, changes, BatchExperimentInformation
        )

    async def delete_batch_experiment(self, batch_id: str) -> None:
        """Delete a batch experiment with its runs."""
        await self._things.delete(batch_id)


def runs_on(
    instance_ids: Sequence[str], input_set: InputSet
) -> list[BatchExperimentRun]:
    """Each instance with each input of a set; all of one instance come together."""
    return [
        BatchExperimentRun(input_id, instance_id=instance_id, input_set_id=input_set.id)
        for instance_id in instance_ids
        for input_id in input_ids_of(input_set)
    ]


def input_ids_of(input_set: InputSet) -> list[str]:
    """The inputs of a set, which has their ids or the inputs themselves."""
    return input_set.input_ids or [one.id for one in input_set.inputs]
