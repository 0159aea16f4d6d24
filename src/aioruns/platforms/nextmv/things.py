"""What all named things inside an application share: paths, lists, and updates."""

from collections.abc import Mapping
from typing import TypeVar

from attrs import define, frozen

from aioruns.errors import Context, NotFound, Unreadable
from aioruns.http.codec import DecodeError, Json, structure
from aioruns.http.request import Request, path, query
from aioruns.paging import pages
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.creating import create_once

T = TypeVar("T")


@frozen
class Paths:
    """Addresses of one kind of thing.

    Attributes:
        app_id: The application.
        kind: Path segments below the application, for example `("versions",)`.
    """

    app_id: str
    kind: tuple[str, ...]

    def all(self) -> str:
        """The collection."""
        return path("v1", "applications", self.app_id, *self.kind)

    def one(self, thing_id: str, *rest: str) -> str:
        """One thing, or something below it."""
        return path("v1", "applications", self.app_id, *self.kind, thing_id, *rest)


@define(eq=False)
class Things:
    """Reads and writes one kind of thing.

    Attributes:
        client: Sends the requests.
        paths: Where they are.
    """

    client: Client
    paths: Paths

    async def get(self, thing_id: str, returns: type[T]) -> T:
        """Read one."""
        return await self.client.send(Request("GET", self.paths.one(thing_id), returns))

    async def exists(self, thing_id: str) -> bool:
        """Whether there is one with this id; other errors than 404 are raised."""
        try:
            await self.get(thing_id, Json)
        except NotFound:
            return False
        return True

    async def list(
        self,
        returns: type[T],
        *,
        under: str = "items",
        filters: Mapping[str, str] | None = None,
        no_pagination: bool = False,
    ) -> list[T]:
        """Read all, page by page; a bare array is taken too (wire/nextmv.md 2).

        Args:
            returns: What an item is structured into.
            under: The key of the items.
            filters: Query pairs of every page.
            no_pagination: Whether to ask once, for the older form without pages.
        """
        always = filters or {}

        async def read(token: str | None) -> tuple[list[object], str | None]:
            paging = {} if no_pagination else {"pagereturn": True, "pagetoken": token}
            pairs = query({**always, **paging})
            answer = await self.client.send(
                Request("GET", self.paths.all(), object, pairs)
            )
            if answer is None or isinstance(answer, list):
                return answer or [], None
            page = structure(answer, Json)
            following = None if no_pagination else _token(page)
            return structure(page.get(under) or [], list[object]), following

        try:
            return [
                structure(item, returns) async for page in pages(read) for item in page
            ]
        except DecodeError as error:
            raise Unreadable(
                f"the list of {'/'.join(self.paths.kind) or 'applications'} cannot be "
                f"read: {error}",
                self._where("GET"),
            ) from error

    async def new(self, body: Mapping[str, object], returns: type[T]) -> T:
        """Create one under the id that the body has, so that it exists once."""
        one = self.paths.one(str(body["id"]))
        answer = await create_once(self.client, self.paths.all(), one, body)
        try:
            return structure(answer, returns)
        except DecodeError as error:
            raise Unreadable(
                f"the answer to the creation of {one} cannot be read: {error}",
                self._where("POST"),
            ) from error

    async def replace(
        self, thing_id: str, changes: Mapping[str, object], returns: type[T]
    ) -> T:
        """Change keys of the object as it stands, and put all of it back.

        The merge happens on the raw JSON, so that keys which this version does not know
        survive (wire/nextmv.md 7.3).
        """
        address = self.paths.one(thing_id)
        current = await self.client.send(Request("GET", address, Json))
        request = Request("PUT", address, returns, json={**current, **changes})
        return await self.client.send(request)

    async def patch(
        self, thing_id: str, changes: Mapping[str, object], returns: type[T]
    ) -> T:
        """Change only what is named; repeating it does no more."""
        request = Request(
            "PATCH",
            self.paths.one(thing_id),
            returns,
            json=dict(changes),
            repeatable=True,
        )
        return await self.client.send(request)

    async def delete(self, thing_id: str) -> None:
        """Delete one."""
        await self.client.send(Request("DELETE", self.paths.one(thing_id)))

    def _where(self, method: str) -> Context:
        platform = self.client.origin.platform
        return Context(platform=platform, method=method, url=self.paths.all())


def given(**values: object) -> dict[str, object]:
    """The values that the caller gave: those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def _token(page: Mapping[str, object]) -> str | None:
    token = page.get("next_page_token")
    return None if token is None else structure(token, str)
