"""Locking instances (wire/nextmv.md 3.13)."""

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, answer, json_object
from aioruns.local.nextmv.desk import APPLICATION, Route
from aioruns.local.nextmv.things import Things, stamped


@frozen
class Locks:
    """The handler for the lock of an instance."""

    instances: Things

    def routes(self) -> list[Route]:
        """The one route."""
        return [("PUT", f"{APPLICATION}/instances/{{id}}/lock", self.lock)]

    async def lock(self, request: web.Request) -> web.Response:
        """Lock or unlock; what is locked is neither changed nor deleted."""
        app, instance = self.instances.found(request)
        locked = (await json_object(request)).get("locked")
        if not isinstance(locked, bool):
            raise Refusal(400, "`locked` must be true or false.")
        instance = stamped({**instance, "locked": locked})
        things = self.instances
        await things.desk.keep(things.shelf(app), instance["id"], instance)
        return answer(instance)
