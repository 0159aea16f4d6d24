"""Instances of an application."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from aioruns.errors import InvalidInput
from aioruns.http.request import Request
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.instances import Instance, InstanceConfiguration
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class Instances:
    """Reads and writes instances; reached as `application.instances`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._things = Things(client, Paths(app_id, ("instances",)))

    async def new_instance(
        self,
        version_id: str,
        id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        configuration: InstanceConfiguration | None = None,
        exist_ok: bool = False,
    ) -> Instance:
        """Make an instance of a version.

        Args:
            version_id: The version that its runs use.
            id: The instance's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            configuration: What its runs are given.
            exist_ok: Whether an instance with this id is returned as it is.

        Raises:
            InvalidInput: `exist_ok` without an id, or a configuration that cannot be.
            CallError: The platform refused or could not be asked.
        """
        if exist_ok and not id:
            raise InvalidInput("exist_ok needs the id of the instance")
        settled = None if configuration is None else configuration.for_request()
        if exist_ok and id and await self.instance_exists(id):
            return await self.instance(id)
        instance_id = id or safe_id("instance")
        body = given(
            id=instance_id,
            name=name or instance_id,
            version_id=version_id,
            description=description,
            configuration=settled,
        )
        return await self._things.new(body, Instance)

    async def instance(self, instance_id: str) -> Instance:
        """Read an instance.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(instance_id, Instance)

    async def instance_exists(self, instance_id: str) -> bool:
        """Whether there is an instance with this id."""
        return await self._things.exists(instance_id)

    async def list_instances(self, no_pagination: bool = False) -> list[Instance]:
        """Read all instances.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(Instance, no_pagination=no_pagination)

    async def update_instance(
        self,
        id: str,
        name: str | None = None,
        version_id: str | None = None,
        description: str | None = None,
        configuration: InstanceConfiguration | Mapping[str, Any] | None = None,
        locked: bool | None = None,
    ) -> Instance:
        """Change what is named, and leave everything else as it is.

        Args:
            id: Which instance.
            name: The new name; None keeps it, as for all that follow.
            version_id: The version that its runs use from now on.
            description: The new description.
            configuration: The new configuration; it replaces the old one as a whole.
            locked: Whether the instance may be changed from now on.
        """
        settled: object = configuration
        if isinstance(settled, InstanceConfiguration):
            settled = settled.for_request()
        elif not isinstance(settled, Mapping | None):
            kind = type(settled).__name__
            raise InvalidInput(f"the configuration must be a mapping, not {kind}")
        changes = given(
            name=name,
            version_id=version_id,
            description=description,
            configuration=settled,
        )
        instance = await self._things.replace(id, changes, Instance)
        if locked is None:
            return instance
        address = self._things.paths.one(id, "lock")
        await self._client.send(Request("PUT", address, json={"locked": locked}))
        return evolve(instance, locked=locked)

    async def delete_instance(self, instance_id: str) -> None:
        """Delete an instance."""
        await self._things.delete(instance_id)
