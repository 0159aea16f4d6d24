"""Ensemble definitions: which runs belong together, and which of them is the best."""

import re

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import (
    Refusal,
    answer,
    json_object,
    object_of,
    text_of,
)
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.pages import listing
from aioruns.local.nextmv.things import Things, stamped
from aioruns.local.records import Json


def _rows(fields: dict[str, Json], key: str) -> list[dict[str, Json]]:
    rows = fields.get(key)
    if not isinstance(rows, list) or not rows:
        raise Refusal(400, f"`{key}` must be an array that is not empty.")
    ids = [text_of(row, "id") for row in rows if isinstance(row, dict)]
    if len(ids) < len(rows) or not all(ids) or len(set(ids)) < len(ids):
        raise Refusal(400, f"All of `{key}` need an `id` each, no two the same.")
    return rows


def _group(desk: Desk, app: str, fields: dict[str, Json]) -> dict[str, Json]:
    instance = text_of(fields, "instance_id")
    if not instance:
        raise Refusal(400, f"The run group '{fields['id']}' has no `instance_id`.")
    if instance != "latest" and desk.find(f"instances/{app}", instance) is None:
        raise Refusal(400, f"Application '{app}' has no instance '{instance}'.")
    repetitions = fields.get("repetitions")
    if repetitions is not None and (type(repetitions) is not int or repetitions < 0):
        raise Refusal(400, "`repetitions` must be an integer of 0 or more.")
    group = {"id": fields["id"], "instance_id": instance}
    if fields.get("options") is not None:
        group["options"] = object_of(fields, "options")
    if repetitions is not None:
        group["repetitions"] = repetitions
    return group


def _rule(fields: dict[str, Json]) -> dict[str, Json]:
    name = fields["id"]
    path = text_of(fields, "statistics_path")
    if not re.fullmatch(r"\$(\.[^.]+)+", path):
        raise Refusal(
            400, f"The path of rule '{name}' must read like `$.result.value`."
        )
    objective = text_of(fields, "objective")
    if objective not in {"maximize", "minimize"}:
        raise Refusal(400, f"The objective of rule '{name}' is maximize or minimize.")
    tolerance = object_of(fields, "tolerance")
    value, kind = tolerance.get("value"), text_of(tolerance, "type")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Refusal(
            400, f"The tolerance of rule '{name}' needs a number of 0 or more."
        )
    if kind not in {"absolute", "relative"}:
        raise Refusal(400, f"The tolerance of rule '{name}' is absolute or relative.")
    index = fields.get("index")
    if type(index) is not int or index < 0:
        raise Refusal(400, f"The `index` of rule '{name}' is an integer of 0 or more.")
    return {
        "id": name,
        "statistics_path": path,
        "objective": objective,
        "tolerance": {"value": value, "type": kind},
        "index": index,
    }


def _made(
    desk: Desk, app: str, fields: dict[str, Json], _before: dict[str, Json]
) -> dict[str, Json]:
    rules = [_rule(row) for row in _rows(fields, "rules")]
    if len({rule["index"] for rule in rules}) < len(rules):
        raise Refusal(400, "Every rule needs an `index` of its own.")
    return {
        "run_groups": [_group(desk, app, row) for row in _rows(fields, "run_groups")],
        "rules": rules,
    }


@frozen
class Definitions:
    """The handlers for ensemble definitions."""

    desk: Desk
    things: Things

    def routes(self) -> list[Route]:
        """List, create, read, patch, delete."""
        many = f"{APPLICATION}/ensembles"
        one = f"{many}/{{id}}"
        return [
            ("GET", many, self.all),
            ("POST", many, self.things.new),
            ("GET", one, self.things.read),
            ("PATCH", one, self.patch),
            ("DELETE", one, self.things.delete),
        ]

    async def all(self, request: web.Request) -> web.Response:
        """List."""
        rows = self.desk.rows(self.things.shelf(self.desk.application(request)))
        return listing(request, rows, self.desk.settings.page_size, bare=False)

    async def patch(self, request: web.Request) -> web.Response:
        """Change name and description."""
        app, definition = self.things.found(request)
        fields = await json_object(request)
        for key in ("name", "description"):
            if fields.get(key) is not None:
                definition[key] = text_of(fields, key)
        definition = stamped(definition)
        await self.desk.keep(self.things.shelf(app), definition["id"], definition)
        return answer(definition)


def definitions(desk: Desk) -> Definitions:
    """The handlers for ensemble definitions."""
    things = Things(desk, "ensembles", "ensemble definition", "ensemble", _made, ())
    return Definitions(desk, things)
