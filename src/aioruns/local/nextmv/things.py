"""Named things inside an application: made, listed, read, changed, deleted alike."""

from collections.abc import Callable

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, answer, json_object, rfc3339, text_of
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route, slug
from aioruns.local.nextmv.pages import listing
from aioruns.local.records import Json, utcnow


def named(fields: dict[str, Json], prefix: str) -> dict[str, Json]:
    """`id`, `name` and `description` of a new thing.

    The id is made up if it is missing, and the name is the id if that is missing.
    """
    key = text_of(fields, "id") or f"{prefix}-{slug()}"
    name = text_of(fields, "name") or key
    return {"id": key, "name": name, "description": text_of(fields, "description")}


def stamped(thing: dict[str, Json]) -> dict[str, Json]:
    """The same with `updated_at` of now, and `created_at` if it has none."""
    now = rfc3339(utcnow())
    return {"created_at": now, **thing, "updated_at": now}


@frozen
class Things:
    """The handlers for one kind of thing, which is stored as it is answered."""

    desk: Desk
    kind: str
    """Its plural, as in paths: `instances`."""
    word: str
    prefix: str
    """Of ids that the server makes up."""
    made: Callable[[Desk, str, dict[str, Json], dict[str, Json]], dict[str, Json]]
    """The fields that only this kind has, from the application id, the fields that
    were sent, and the thing as it was (empty when it is new)."""
    changeable: tuple[str, ...]

    def routes(self) -> list[Route]:
        """List, create, read, replace, delete."""
        many = f"{APPLICATION}/{self.kind}"
        one = f"{many}/{{id}}"
        return [
            ("GET", many, self.all),
            ("POST", many, self.new),
            ("GET", one, self.read),
            ("PUT", one, self.update),
            ("DELETE", one, self.delete),
        ]

    def shelf(self, app: str) -> str:
        """The kind of document under which the things of `app` are stored."""
        return f"{self.kind}/{app}"

    def found(self, request: web.Request) -> tuple[str, dict[str, Json]]:
        """The application id and the thing that the path names, or a Refusal (404)."""
        app = self.desk.application(request)
        key = request.match_info["id"]
        thing = self.desk.find(self.shelf(app), key)
        if thing is None:
            raise Refusal(404, f"Application '{app}' has no {self.word} '{key}'.")
        return app, thing

    async def all(self, request: web.Request) -> web.Response:
        """List."""
        app = self.desk.application(request)
        rows = self.desk.rows(self.shelf(app))
        return listing(request, rows, self.desk.settings.page_size)

    async def new(self, request: web.Request) -> web.Response:
        """Create; an id that exists is a conflict."""
        app = self.desk.application(request)
        return answer(await self.create(app, await json_object(request)))

    async def create(self, app: str, fields: dict[str, Json]) -> dict[str, Json]:
        """Make and store what a request describes."""
        thing = {**named(fields, self.prefix), "application_id": app}
        self.check_new(app, thing)
        thing = stamped({**thing, **self.made(self.desk, app, fields, {})})
        await self.desk.keep(self.shelf(app), thing["id"], thing)
        return thing

    def check_new(self, app: str, fields: dict[str, Json]) -> None:
        """Refuse an id that is taken (409)."""
        key = text_of(fields, "id")
        if key and self.desk.find(self.shelf(app), key) is not None:
            raise Refusal(409, f"Application '{app}' already has {self.word} '{key}'.")

    async def read(self, request: web.Request) -> web.Response:
        """Read."""
        _, thing = self.found(request)
        return answer(thing)

    async def update(self, request: web.Request) -> web.Response:
        """Replace what may change; a field that is absent stays."""
        app, thing = self.found(request)
        fields = await json_object(request)
        merged = thing | {
            key: fields[key] for key in self.changeable if fields.get(key) is not None
        }
        own = self.made(self.desk, app, merged, thing)
        merged = {**merged, **named(merged, self.prefix), **own}
        self._check_unlocked(thing, merged)
        merged = stamped(merged)
        await self.desk.keep(self.shelf(app), thing["id"], merged)
        return answer(merged)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete."""
        app, thing = self.found(request)
        self._check_unlocked(thing, None)
        await self.desk.drop(self.shelf(app), thing["id"])
        return web.Response(status=204)

    def _check_unlocked(
        self, thing: dict[str, Json], after: dict[str, Json] | None
    ) -> None:
        # To unlock, the official client first puts the thing back as it read it.
        if thing.get("locked") and after != thing:
            raise Refusal(
                409, f"The {self.word} '{thing['id']}' is locked: unlock it first."
            )
