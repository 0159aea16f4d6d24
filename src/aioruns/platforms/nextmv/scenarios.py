"""Scenario tests of an application, made as batch experiments (wire/nextmv.md 3.5)."""

from collections.abc import Sequence

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.batches import Batches
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.instances import Instances
from aioruns.platforms.nextmv.managed_inputs import ManagedInputs
from aioruns.platforms.nextmv.models.experiments import (
    BatchExperiment,
    BatchExperimentInformation,
    BatchExperimentMetadata,
)
from aioruns.platforms.nextmv.models.managed_inputs import InputSet, ManagedInput
from aioruns.platforms.nextmv.models.scenarios import Scenario, ScenarioInputType
from aioruns.platforms.nextmv.naming import safe_id, safe_name_and_id
from aioruns.platforms.nextmv.polling import DEFAULT_POLLING_OPTIONS, PollingOptions
from aioruns.platforms.nextmv.scenario_plan import (
    checked_repetitions,
    plan,
    scenarios_by_id,
)
from aioruns.platforms.nextmv.uploads import Data, Uploads

_MAXIMUM_RUNS = 20
"""What the official client sends with the input sets that it makes."""


class Scenarios:
    """Starts and reads scenario tests; reached as `application.scenarios`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._batches = Batches(client, app_id)
        self._input_sets = InputSets(client, app_id)
        self._instances = Instances(client, app_id)
        self._managed_inputs = ManagedInputs(client, app_id)
        self._uploads = Uploads(client, app_id)

    async def new_scenario_test(
        self,
        scenarios: Sequence[Scenario] | str,
        id: str | None = None,
        name: str | Sequence[Scenario] | None = None,
        description: str | None = None,
        repetitions: int | None = 0,
        content_type: str | None = None,
    ) -> str:
        """Start a test of scenarios: inputs, each with all combinations of options.

        Inputs that a scenario brings are kept as managed inputs and in an input set of
        their own. These stay if a later step fails.

        Args:
            scenarios: The scenarios. The older order of the first three arguments, id,
                name and scenarios, is understood as well.
            id: The test's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            repetitions: How often everything is run again after its first run.
            content_type: How inputs and outputs are written, for example `multi-file`.

        Returns:
            The test's id.

        Raises:
            InvalidInput: There are no scenarios, or two with one id.
            NotFound: There is no such instance or input set.
            CallError: The platform refused or could not be asked.

        Example:
            ```python
            scenario = Scenario(
                ScenarioInput(ScenarioInputType.INPUT_SET, "weekdays"),
                instance_id="staging",
                configuration=[ScenarioConfiguration("threads", ["1", "4"])],
            )
            test_id = await app.new_scenario_test([scenario], repetitions=2)
            ```
        """
        given, given_id, given_name = _in_order(scenarios, id, name)
        by_id = scenarios_by_id(given)
        more = checked_repetitions(repetitions)
        test_id = given_id or safe_id("scenario")
        sets: dict[str, InputSet] = {}
        for scenario_id, scenario in by_id.items():
            # The instance is read only to know that it is there, before anything is
            # created for it.
            await self._instances.instance(scenario.instance_id)
            sets[scenario_id] = await self._input_set(scenario_id, scenario)
        option_sets, runs = plan(by_id, sets, more)
        return await self._batches.new_batch_experiment(
            given_name or test_id,
            description=description,
            id=test_id,
            option_sets=option_sets,
            runs=runs,
            type="scenario",
            content_type=content_type,
        )

    async def _input_set(self, scenario_id: str, scenario: Scenario) -> InputSet:
        kind = scenario.scenario_input.scenario_input_type
        data = scenario.scenario_input.scenario_input_data
        if isinstance(data, str):
            return await self._input_sets.input_set(data)
        inputs = [
            await self._managed_input(scenario_id, one)
            if kind == ScenarioInputType.NEW
            else ManagedInput(str(one))
            for one in data
        ]
        name, set_id = safe_name_and_id("inpset", scenario_id)
        return await self._input_sets.new_input_set(
            set_id,
            name,
            _made_for(set_id),
            maximum_runs=_MAXIMUM_RUNS,
            inputs=inputs,
        )

    async def _managed_input(self, scenario_id: str, data: Data) -> ManagedInput:
        upload_id = await self._uploads.upload_content(data)
        name, input_id = safe_name_and_id("man-input", scenario_id)
        return await self._managed_inputs.new_managed_input(
            input_id, name, _made_for(input_id), upload_id
        )

    async def new_scenario_test_with_result(
        self,
        scenarios: Sequence[Scenario] | str,
        id: str | None = None,
        name: str | Sequence[Scenario] | None = None,
        description: str | None = None,
        repetitions: int | None = 0,
        content_type: str | PollingOptions | None = None,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
    ) -> BatchExperiment:
        """Start a scenario test, wait until it has ended, and read it.

        Arguments and errors as of `new_scenario_test` and `scenario_test_with_polling`;
        `polling_options` may come sixth, as it once did.
        """
        if isinstance(content_type, PollingOptions):
            polling_options, content_type = content_type, None
        test_id = await self.new_scenario_test(
            scenarios, id, name, description, repetitions, content_type
        )
        return await self.scenario_test_with_polling(test_id, polling_options)

    async def scenario_test(self, scenario_test_id: str) -> BatchExperiment:
        """Read a scenario test and its runs.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._batches.batch_experiment(scenario_test_id)

    async def scenario_test_metadata(
        self, scenario_test_id: str
    ) -> BatchExperimentMetadata:
        """Read how far a scenario test is.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._batches.batch_experiment_metadata(scenario_test_id)

    async def scenario_test_with_polling(
        self,
        scenario_test_id: str,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
    ) -> BatchExperiment:
        """Wait until a scenario test has ended, and read it with its runs.

        Args:
            scenario_test_id: Which one.
            polling_options: When to ask, and when to give up; by default never.

        Raises:
            GaveUp: A limit of the options was reached, or the test is being deleted
                without an end.
            NotFound: There is none with this id, or not any more.
        """
        return await self._batches.batch_experiment_with_polling(
            scenario_test_id, polling_options
        )

    async def list_scenario_tests(
        self, no_pagination: bool = False
    ) -> list[BatchExperimentMetadata]:
        """Read all scenario tests.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._batches.list_of_type("scenario", no_pagination)

    async def update_scenario_test(
        self,
        scenario_test_id: str,
        name: str | None = None,
        description: str | None = None,
    ) -> BatchExperimentInformation:
        """Change name or description.

        Args:
            scenario_test_id: Which one.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
        """
        return await self._batches.update_batch_experiment(
            scenario_test_id, name, description
        )

    async def delete_scenario_test(self, scenario_test_id: str) -> None:
        """Delete a scenario test with its runs."""
        await self._batches.delete_batch_experiment(scenario_test_id)


def _in_order(
    scenarios: Sequence[Scenario] | str,
    id: str | None,
    name: str | Sequence[Scenario] | None,
) -> tuple[Sequence[Scenario], str | None, str | None]:
    """Scenarios, id and name, whichever of the two orders they came in."""
    if isinstance(scenarios, str):
        # wire/nextmv.md 3.5: id, name, scenarios.
        if isinstance(name, str):
            raise InvalidInput(
                f"scenarios must be a list of scenarios, not the text {scenarios!r}"
            )
        return name or (), scenarios, id
    if name is not None and not isinstance(name, str):
        raise InvalidInput("the name of a scenario test must be text, not a list")
    return scenarios, id, name


def _made_for(thing_id: str) -> str:
    return f"Automatically created from scenario test: {thing_id}"
