"""Secrets collections of an application."""

from collections.abc import Mapping, Sequence
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.http.codec import structure
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.secrets import (
    Secret,
    SecretsCollection,
    SecretsCollectionSummary,
)
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class Secrets:
    """Reads and writes secrets collections; reached as `application.secrets`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._things = Things(client, Paths(app_id, ("secrets",)))

    async def new_secrets_collection(
        self,
        secrets: Sequence[Secret],
        id: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> SecretsCollectionSummary:
        """Make a collection.

        Args:
            secrets: At least one.
            id: The collection's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.

        Raises:
            InvalidInput: There are no secrets.
            CallError: The platform refused or could not be asked.
        """
        if not secrets:
            raise InvalidInput("a secrets collection needs at least one secret")
        collection_id = id or safe_id("secrets")
        body = given(
            id=collection_id,
            name=name or collection_id,
            description=description,
            secrets=[_body(secret) for secret in secrets],
        )
        return await self._things.new(body, SecretsCollectionSummary)

    async def secrets_collection(self, secrets_collection_id: str) -> SecretsCollection:
        """Read a collection; the values of its secrets are masked.

        Raises:
            NotFound: There is none with this id.
        """
        return await self._things.get(secrets_collection_id, SecretsCollection)

    async def list_secrets_collections(
        self, no_pagination: bool = False
    ) -> list[SecretsCollectionSummary]:
        """Read all collections, without their secrets.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(
            SecretsCollectionSummary, no_pagination=no_pagination
        )

    async def update_secrets_collection(
        self,
        secrets_collection_id: str,
        name: str | None = None,
        description: str | None = None,
        secrets: Sequence[Secret | Mapping[str, Any]] | None = None,
        keep_existing: bool = False,
    ) -> SecretsCollectionSummary:
        """Change what is named; secrets that are not touched keep their values.

        Only what changes is sent: writing back a collection as it was read would store
        its masked values (wire/nextmv.md 3.11).

        Args:
            secrets_collection_id: Which collection.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
            secrets: The secrets to create or to give a new value. Those of the
                collection that are not among them are deleted.
            keep_existing: Whether those are kept instead.

        Raises:
            InvalidInput: Nothing is to be changed, or a secret is named twice.
            CallError: The platform refused or could not be asked.
        """
        changes = given(name=name, description=description)
        if secrets:
            wanted = _by_place(secrets)
            current = await self.secrets_collection(secrets_collection_id)
            there = {(str(one.secret_type), one.location) for one in current.secrets}
            changes["operations"] = _operations(wanted, there, keep=keep_existing)
        if not changes:
            raise InvalidInput(
                f"nothing to change in the collection {secrets_collection_id}: give a "
                "name, a description or secrets"
            )
        return await self._things.patch(
            secrets_collection_id, changes, SecretsCollectionSummary
        )

    async def delete_secrets_collection(self, secrets_collection_id: str) -> None:
        """Delete a collection."""
        await self._things.delete(secrets_collection_id)


_Place = tuple[str, str]


def _body(secret: Secret) -> dict[str, str]:
    kind = str(secret.secret_type)
    return {"type": kind, "location": secret.location, "value": secret.value}


def _by_place(
    secrets: Sequence[Secret | Mapping[str, Any]],
) -> dict[_Place, dict[str, str]]:
    found: dict[_Place, dict[str, str]] = {}
    for one in secrets:
        secret = one if isinstance(one, Secret) else structure(_known(one), Secret)
        body = _body(secret)
        place = (body["type"], body["location"])
        if place in found:
            raise InvalidInput(f"the secret {place[1]!r} ({place[0]}) is named twice")
        found[place] = body
    return found


def _known(secret: Mapping[str, Any]) -> dict[str, Any]:
    """A secret as a mapping, under the JSON name of its type or the Python one."""
    named = dict(secret)
    if "secret_type" in named:
        named["type"] = named.pop("secret_type")
    if not {"type", "location", "value"} <= named.keys():
        raise InvalidInput("a secret needs a type, a location and a value")
    return named


def _operations(
    wanted: Mapping[_Place, dict[str, str]], there: set[_Place], *, keep: bool
) -> list[dict[str, str]]:
    made = [
        {"op": "update" if place in there else "create", **body}
        for place, body in wanted.items()
    ]
    gone = () if keep else sorted(there - wanted.keys())
    made += [{"op": "delete", "type": kind, "location": at} for kind, at in gone]
    return made
