"""Input sets of an application: what experiments run on."""

from collections.abc import Sequence
from datetime import datetime

from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.managed_inputs import InputSet, ManagedInput
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class InputSets:
    """Reads and writes input sets; reached as `application.input_sets`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._things = Things(client, Paths(app_id, ("experiments", "inputsets")))

    async def new_input_set(
        self,
        id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        end_time: datetime | None = None,
        instance_id: str | None = None,
        maximum_runs: int | None = None,
        run_ids: Sequence[str] | None = None,
        start_time: datetime | None = None,
        inputs: Sequence[ManagedInput] | None = None,
    ) -> InputSet:
        """Make a set: of an instance's runs in a window, of runs, or of managed inputs.

        Args:
            id: The set's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            end_time: End of the window.
            instance_id: Whose runs in the window.
            maximum_runs: Runs of the window at most.
            run_ids: The runs whose inputs are taken.
            start_time: Start of the window.
            inputs: The managed inputs; their ids are enough.
        """
        set_id = id or safe_id("input-set")
        body = given(
            id=set_id,
            name=name or set_id,
            description=description,
            end_time=_text(end_time),
            instance_id=instance_id,
            maximum_runs=maximum_runs,
            run_ids=run_ids,
            start_time=_text(start_time),
            inputs=inputs,
        )
        return await self._things.new(body, InputSet)

    async def input_set(self, input_set_id: str) -> InputSet:
        """Read an input set.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(input_set_id, InputSet)

    async def list_input_sets(self, no_pagination: bool = False) -> list[InputSet]:
        """Read all input sets.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(InputSet, no_pagination=no_pagination)

    async def update_input_set(
        self,
        id: str,
        name: str | None = None,
        description: str | None = None,
        inputs: Sequence[ManagedInput] | None = None,
    ) -> InputSet:
        """Change what is named, and leave everything else as it is.

        Args:
            id: Which set.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
            inputs: The new inputs; None keeps them.
        """
        changes = given(name=name, description=description, inputs=inputs)
        return await self._things.replace(id, changes, InputSet)

    async def delete_input_set(self, input_set_id: str) -> None:
        """Delete an input set."""
        await self._things.delete(input_set_id)


def _text(moment: datetime | None) -> str | None:
    """ISO 8601; a time without a zone goes without one (wire/nextmv.md 3.8)."""
    return None if moment is None else moment.isoformat()
