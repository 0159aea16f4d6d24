"""Acceptance tests of an application (wire/nextmv.md 3.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from aioruns.errors import InvalidInput, NotFound
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.batches import Batches, runs_on
from aioruns.platforms.nextmv.experiment_reading import until_done
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.models.acceptances import AcceptanceTest, Metric
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.polling import DEFAULT_POLLING_OPTIONS, PollingOptions
from aioruns.platforms.nextmv.things import Paths, Things, given

Metrics = Sequence[Metric | Mapping[str, Any]]


class Acceptances:
    """Starts and reads acceptance tests; reached as `application.acceptances`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._things = Things(client, Paths(app_id, ("experiments", "acceptance")))
        self._batches = Batches(client, app_id)
        self._input_sets = InputSets(client, app_id)

    async def new_acceptance_test(
        self,
        candidate_instance_id: str,
        baseline_instance_id: str,
        metrics: Metrics | str,
        id: str | Metrics | None = None,
        name: str | None = None,
        input_set_id: str | None = None,
        description: str | None = None,
    ) -> AcceptanceTest:
        """Compare a candidate instance to the one that runs now.

        The runs are those of a batch experiment with the id of the test: one that
        exists already, or a new one on an input set.

        Args:
            candidate_instance_id: The instance that is to be accepted.
            baseline_instance_id: The instance that runs now.
            metrics: What is compared; objects are sent as they are. The older order, id
                before metrics, is understood as well.
            id: The test's id; made up if not given.
            name: Name for people; the id if not given.
            input_set_id: Inputs for a new batch experiment; without them there must be
                one.
            description: Text for people.

        Raises:
            InvalidInput: There is no batch experiment with this id, and no input set to
                make one; or there are no metrics.
            CallError: The platform refused or could not be asked.
        """
        metrics, given_id = _in_order(metrics, id)
        test_id = given_id or safe_id("acceptance")
        name = name or test_id
        experiment_id = await self._experiment(
            test_id,
            name,
            description,
            (candidate_instance_id, baseline_instance_id),
            input_set_id,
        )
        if experiment_id != test_id:
            raise InvalidInput(
                f"the batch experiment of acceptance test {test_id} has the id "
                f"{experiment_id}, and both must be the same"
            )
        body = given(
            candidate={"instance_id": candidate_instance_id},
            control={"instance_id": baseline_instance_id},
            metrics=metrics,
            experiment_id=experiment_id,
            name=name,
            id=test_id,
            description=description,
        )
        return await self._things.new(body, AcceptanceTest)

    async def _experiment(
        self,
        test_id: str,
        name: str,
        description: str | None,
        instance_ids: Sequence[str],
        input_set_id: str | None,
    ) -> str:
        if input_set_id is not None:
            found = await self._input_sets.input_set(input_set_id)
            return await self._batches.new_batch_experiment(
                name,
                description=description,
                id=test_id,
                runs=runs_on(instance_ids, found),
            )
        try:
            return (await self._batches.batch_experiment(test_id)).id
        except NotFound as error:
            raise InvalidInput(
                f"there is no batch experiment {test_id}: give an input_set_id, so "
                "that one is made"
            ) from error

    async def new_acceptance_test_with_result(
        self,
        candidate_instance_id: str,
        baseline_instance_id: str,
        metrics: Metrics | str,
        id: str | Metrics | None = None,
        name: str | None = None,
        input_set_id: str | None = None,
        description: str | None = None,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
    ) -> AcceptanceTest:
        """Start an acceptance test, wait until it has ended, and read it.

        Arguments and errors as of `new_acceptance_test` and
        `acceptance_test_with_polling`.
        """
        test = await self.new_acceptance_test(
            candidate_instance_id,
            baseline_instance_id,
            metrics,
            id,
            name,
            input_set_id,
            description,
        )
        return await self.acceptance_test_with_polling(test.id, polling_options)

    async def acceptance_test(self, acceptance_test_id: str) -> AcceptanceTest:
        """Read an acceptance test.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(acceptance_test_id, AcceptanceTest)

    async def acceptance_test_with_polling(
        self,
        acceptance_test_id: str,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
    ) -> AcceptanceTest:
        """Wait until an acceptance test has ended, and read it.

        Args:
            acceptance_test_id: Which one.
            polling_options: When to ask, and when to give up; by default never.

        Raises:
            GaveUp: A limit of the options was reached, or the test is being deleted
                without an end.
            NotFound: There is none with this id, or not any more.
        """
        done = await until_done(
            polling_options,
            self._client.session.clock,
            lambda: self.acceptance_test(acceptance_test_id),
            what=f"acceptance test {acceptance_test_id}",
        )
        return await self.acceptance_test(done.id)

    async def list_acceptance_tests(
        self, no_pagination: bool = False
    ) -> list[AcceptanceTest]:
        """Read all acceptance tests.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(AcceptanceTest, no_pagination=no_pagination)

    async def update_acceptance_test(
        self,
        acceptance_test_id: str,
        name: str | None = None,
        description: str | None = None,
    ) -> AcceptanceTest:
        """Change name or description.

        Args:
            acceptance_test_id: Which one.
            name: The new name; None keeps it.
            description: The new description; None keeps it.

        Raises:
            InvalidInput: Neither is given.
        """
        if not name and not description:
            raise InvalidInput("give update_acceptance_test a name or a description")
        changes = given(name=name, description=description)
        return await self._things.patch(acceptance_test_id, changes, AcceptanceTest)

    async def delete_acceptance_test(self, acceptance_test_id: str) -> None:
        """Delete an acceptance test with its batch experiment."""
        await self._things.delete(acceptance_test_id)


def _in_order(
    metrics: Metrics | str, id: str | Metrics | None
) -> tuple[Metrics, str | None]:
    """Metrics and id, whichever of the two came first."""
    if not isinstance(metrics, str) and (id is None or isinstance(id, str)):
        return metrics, id
    if isinstance(metrics, str) and id is not None and not isinstance(id, str):
        # The id came before the metrics once (wire/nextmv.md 3.14).
        return id, metrics
    raise InvalidInput("an acceptance test needs a list of metrics, and an id as text")
