"""Secrets collections: written, never read back, and given to programs."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from aiohttp import web
from attrs import Factory, field, frozen

from aioruns.local.nextmv.answers import Refusal, answer, json_object, text_of
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.pages import listing
from aioruns.local.nextmv.things import Things, stamped
from aioruns.local.records import Json

_MASK = "********"
_SUMMARY = ("id", "application_id", "name", "description", "created_at", "updated_at")

Place = tuple[str, str]
"""Type and location: what a secret is known by inside its collection."""


@frozen
class Given:
    """What the secrets of a collection are for a program."""

    env: Mapping[str, str] = field(default=Factory(dict), repr=False)
    files: Mapping[str, str] = field(default=Factory(dict), repr=False)


def given(desk: Desk, app: str, collection_id: str | None) -> Given:
    """The secrets of a collection in clear.

    Raises:
        Refusal: There is no such collection (400).
    """
    if not collection_id:
        return Given()
    collection = desk.find(f"secrets/{app}", collection_id)
    if collection is None:
        raise Refusal(
            400,
            f"Application '{app}' has no secrets collection '{collection_id}': "
            "`secrets_collection_id` must name one that exists.",
        )
    values: dict[str, dict[str, str]] = {"env": {}, "file": {}}
    for secret in collection["secrets"]:
        values[secret["type"]][secret["location"]] = secret["value"]
    return Given(values["env"], values["file"])


def _place(fields: Json) -> Place:
    """Type and location of a secret that was sent, checked."""
    if not isinstance(fields, dict):
        raise Refusal(400, "Every secret must be an object.")
    kind, location = text_of(fields, "type"), text_of(fields, "location")
    if kind == "env":
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", location):
            raise Refusal(400, f"'{location}' is no name of an environment variable.")
    elif kind == "file":
        path = PurePosixPath(location)
        if (
            not path.name
            or path.is_absolute()
            or ".." in path.parts
            or "\0" in location
        ):
            raise Refusal(
                400,
                f"The location '{location}' must be a path inside the working "
                "directory of the program.",
            )
    else:
        raise Refusal(400, f"The type of a secret is `env` or `file`, not '{kind}'.")
    return kind, location


def _secret(fields: dict[str, Json]) -> dict[str, Json]:
    kind, location = _place(fields)
    value = fields.get("value")
    if not isinstance(value, str) or "\0" in value:
        raise Refusal(400, f"The secret at '{location}' needs a text as its `value`.")
    return {"type": kind, "location": location, "value": value}


def _by_place(secrets: Json) -> dict[Place, dict[str, Json]]:
    if not isinstance(secrets, list) or not secrets:
        raise Refusal(400, "`secrets` must be an array that holds at least one secret.")
    found: dict[Place, dict[str, Json]] = {}
    for fields in secrets:
        place = _place(fields)
        if place in found:
            raise Refusal(400, f"The {place[0]} secret '{place[1]}' is given twice.")
        found[place] = _secret(fields)
    return found


def _operated(secrets: dict[Place, dict[str, Json]], operations: Json) -> None:
    """Apply the operations of a PATCH in order (wire/nextmv.md 3.11)."""
    if not isinstance(operations, list):
        raise Refusal(400, "`operations` must be an array.")
    for fields in operations:
        kind, location = place = _place(fields)
        what = f"the {kind} secret '{location}'"
        operation = text_of(fields, "op")
        if operation not in {"create", "update", "delete"}:
            raise Refusal(400, f"`op` is create, update or delete, not '{operation}'.")
        if operation == "create":
            if place in secrets:
                raise Refusal(409, f"There already is {what}: update it.")
        elif place not in secrets:
            raise Refusal(
                400, f"There is not {what}, which `{operation}` is asked for."
            )
        if operation == "delete":
            del secrets[place]
        else:
            secrets[place] = _secret(fields)


def _summary(collection: dict[str, Json]) -> dict[str, Json]:
    return {key: collection[key] for key in _SUMMARY}


def _made(
    _desk: Desk, _app: str, fields: dict[str, Json], _before: dict[str, Json]
) -> dict[str, Json]:
    return {"secrets": list(_by_place(fields.get("secrets")).values())}


@frozen
class Vault:
    """The handlers for secrets collections."""

    desk: Desk
    things: Things

    def routes(self) -> list[Route]:
        """List, create, read, patch, delete."""
        many = f"{APPLICATION}/secrets"
        one = f"{many}/{{id}}"
        return [
            ("GET", many, self.all),
            ("POST", many, self.new),
            ("GET", one, self.read),
            ("PATCH", one, self.patch),
            ("DELETE", one, self.things.delete),
        ]

    async def all(self, request: web.Request) -> web.Response:
        """List the summaries."""
        app = self.desk.application(request)
        rows = self.desk.rows(self.things.shelf(app))
        summaries = {key: _summary(row) for key, row in rows.items()}
        return listing(request, summaries, self.desk.settings.page_size, bare=False)

    async def new(self, request: web.Request) -> web.Response:
        """Create."""
        app = self.desk.application(request)
        made = await self.things.create(app, await json_object(request))
        return answer(_summary(made))

    async def read(self, request: web.Request) -> web.Response:
        """Read; the values are masked."""
        _, collection = self.things.found(request)
        secrets = [secret | {"value": _MASK} for secret in collection["secrets"]]
        return answer(_summary(collection) | {"secrets": secrets})

    async def patch(self, request: web.Request) -> web.Response:
        """Rename, and carry out all operations or none."""
        app, collection = self.things.found(request)
        fields = await json_object(request)
        for key in ("name", "description"):
            if fields.get(key) is not None:
                collection[key] = text_of(fields, key)
        if fields.get("operations") is not None:
            secrets = {(s["type"], s["location"]): s for s in collection["secrets"]}
            _operated(secrets, fields["operations"])
            collection["secrets"] = list(secrets.values())
        collection = stamped(collection)
        await self.desk.keep(self.things.shelf(app), collection["id"], collection)
        return answer(_summary(collection))


def vault(desk: Desk) -> Vault:
    """The handlers for secrets collections."""
    things = Things(desk, "secrets", "secrets collection", "secrets", _made, ())
    return Vault(desk, things)
