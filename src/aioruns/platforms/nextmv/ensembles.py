"""Ensemble definitions of an application."""

from collections.abc import Sequence

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.ensembles import (
    EnsembleDefinition,
    EvaluationRule,
    RunGroup,
)
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class Ensembles:
    """Reads and writes ensemble definitions; reached as `application.ensembles`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._things = Things(client, Paths(app_id, ("ensembles",)))

    async def new_ensemble_definition(
        self,
        run_groups: Sequence[RunGroup],
        rules: Sequence[EvaluationRule],
        id: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> EnsembleDefinition:
        """Define an ensemble.

        Args:
            run_groups: What runs.
            rules: By what the best run is chosen.
            id: The definition's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people; the name if not given.

        Raises:
            InvalidInput: There are no run groups, or no rules.
            CallError: The platform refused or could not be asked.
        """
        if not run_groups:
            raise InvalidInput("an ensemble needs at least one run group")
        if not rules:
            raise InvalidInput("an ensemble needs at least one evaluation rule")
        definition_id = id or safe_id("ensemble")
        name = name or definition_id
        body = {
            "id": definition_id,
            "run_groups": list(run_groups),
            "rules": list(rules),
            "name": name,
            "description": description or name,
        }
        return await self._things.new(body, EnsembleDefinition)

    async def new_ensemble_defintion(
        self,
        id: str,
        run_groups: Sequence[RunGroup],
        rules: Sequence[EvaluationRule],
        name: str | None = None,
        description: str | None = None,
    ) -> EnsembleDefinition:
        """The older name, in the older order; see `new_ensemble_definition`."""
        return await self.new_ensemble_definition(
            run_groups, rules, id, name, description
        )

    async def ensemble_definition(
        self, ensemble_definition_id: str
    ) -> EnsembleDefinition:
        """Read a definition.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(ensemble_definition_id, EnsembleDefinition)

    async def list_ensemble_definitions(
        self, no_pagination: bool = False
    ) -> list[EnsembleDefinition]:
        """Read all definitions.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(EnsembleDefinition, no_pagination=no_pagination)

    async def update_ensemble_definition(
        self, id: str, name: str | None = None, description: str | None = None
    ) -> EnsembleDefinition:
        """Change name or description.

        Args:
            id: Which definition.
            name: The new name; None keeps it.
            description: The new description; None keeps it.

        Raises:
            InvalidInput: Neither is given.
        """
        changes = given(name=name, description=description)
        if not changes:
            raise InvalidInput("give a name or a description to change")
        return await self._things.patch(id, changes, EnsembleDefinition)

    async def delete_ensemble_definition(self, ensemble_definition_id: str) -> None:
        """Delete a definition."""
        await self._things.delete(ensemble_definition_id)
