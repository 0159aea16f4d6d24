"""Versions of an application."""

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.versions import Version
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class Versions:
    """Reads and writes versions; reached as `application.versions`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._things = Things(client, Paths(app_id, ("versions",)))

    async def new_version(
        self,
        id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        exist_ok: bool = False,
    ) -> Version:
        """Freeze the binary that was pushed last.

        Args:
            id: The version's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            exist_ok: Whether a version with this id is returned as it is.

        Returns:
            The version.

        Raises:
            InvalidInput: `exist_ok` without an id.
            CallError: The platform refused or could not be asked.
        """
        if exist_ok and not id:
            raise InvalidInput("exist_ok needs the id of the version")
        if exist_ok and id and await self.version_exists(id):
            return await self.version(id)
        version_id = id or safe_id("version")
        body = given(id=version_id, name=name or version_id, description=description)
        return await self._things.new(body, Version)

    async def version(self, version_id: str) -> Version:
        """Read a version.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(version_id, Version)

    async def version_exists(self, version_id: str) -> bool:
        """Whether there is a version with this id."""
        return await self._things.exists(version_id)

    async def list_versions(self, no_pagination: bool = False) -> list[Version]:
        """Read all versions.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(Version, no_pagination=no_pagination)

    async def update_version(
        self, version_id: str, name: str | None = None, description: str | None = None
    ) -> Version:
        """Change name or description, and leave everything else as it is.

        Args:
            version_id: Which version.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
        """
        changes = given(name=name, description=description)
        return await self._things.replace(version_id, changes, Version)

    async def delete_version(self, version_id: str) -> None:
        """Delete a version."""
        await self._things.delete(version_id)
