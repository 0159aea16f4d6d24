"""Managed inputs of an application."""

from collections.abc import Mapping
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.formats import Format, FormatOutput
from aioruns.platforms.nextmv.models.managed_inputs import ManagedInput
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class ManagedInputs:
    """Reads and writes managed inputs; reached as `application.managed_inputs`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        # wire/nextmv.md 7.2: they live under `inputs`.
        self._things = Things(client, Paths(app_id, ("inputs",)))

    async def new_managed_input(
        self,
        id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        upload_id: str | None = None,
        run_id: str | None = None,
        format: Format | Mapping[str, Any] | None = None,
    ) -> ManagedInput:
        """Keep an uploaded input, or that of a run.

        Args:
            id: The input's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            upload_id: What was uploaded.
            run_id: The run whose input is kept.
            format: How it is written; JSON if not given.

        Raises:
            InvalidInput: Neither an upload nor a run is named.
            CallError: The platform refused or could not be asked.
        """
        if upload_id is None and run_id is None:
            raise InvalidInput("a managed input needs an upload_id or a run_id")
        input_id = id or safe_id("managed-input")
        body = given(
            id=input_id,
            name=name or input_id,
            description=description,
            upload_id=upload_id,
            run_id=run_id,
        )
        body["format"] = format or Format(format_output=FormatOutput())
        return await self._things.new(body, ManagedInput)

    async def managed_input(self, managed_input_id: str) -> ManagedInput:
        """Read a managed input.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(managed_input_id, ManagedInput)

    async def list_managed_inputs(
        self, no_pagination: bool = False
    ) -> list[ManagedInput]:
        """Read all managed inputs.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(ManagedInput, no_pagination=no_pagination)

    async def update_managed_input(
        self,
        managed_input_id: str,
        name: str | None = None,
        description: str | None = None,
    ) -> ManagedInput:
        """Change name or description, and leave everything else as it is.

        Args:
            managed_input_id: Which one.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
        """
        changes = given(name=name, description=description)
        return await self._things.replace(managed_input_id, changes, ManagedInput)

    async def delete_managed_input(self, managed_input_id: str) -> None:
        """Delete a managed input."""
        await self._things.delete(managed_input_id)
