"""Input sets: what experiments run on, chosen in one of three ways."""

from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import (
    PLATFORM,
    Refusal,
    answer,
    json_object,
    rfc3339,
    text_of,
)
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route
from aioruns.local.nextmv.inputs import FROM_RUNS, MANAGED, run_input
from aioruns.local.nextmv.pages import listing
from aioruns.local.nextmv.things import Things, stamped
from aioruns.local.records import Json, RunRecord

_KINDS = (MANAGED, FROM_RUNS)


def _moment(fields: dict[str, Json], key: str) -> datetime | None:
    text = text_of(fields, key)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(400, f"`{key}` must be a time like 2026-05-04T21:00Z.") from error
    # Clients send naive times as they are (wire/nextmv.md 3.8).
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _texts(fields: dict[str, Json], key: str) -> list[str]:
    values = fields.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise Refusal(400, f"`{key}` must be an array of strings.")
    return values


def _made(
    _desk: Desk, app: str, fields: dict[str, Json], _before: dict[str, Json]
) -> dict[str, Json]:
    return {"app_id": app, "input_ids": fields["input_ids"]}


@frozen
class InputSets:
    """The handlers for input sets; only the ids of the inputs are stored."""

    desk: Desk
    things: Things

    def routes(self) -> list[Route]:
        """List, create, read, replace, delete."""
        many = f"{APPLICATION}/experiments/inputsets"
        one = f"{many}/{{id}}"
        return [
            ("GET", many, self.all),
            ("POST", many, self.new),
            ("GET", one, self.read),
            ("PUT", one, self.update),
            ("DELETE", one, self.things.delete),
        ]

    async def all(self, request: web.Request) -> web.Response:
        """List."""
        app = self.desk.application(request)
        rows = self.desk.rows(self.things.shelf(app))
        shown = {key: self._shown(app, row) for key, row in rows.items()}
        return listing(request, shown, self.desk.settings.page_size)

    async def new(self, request: web.Request) -> web.Response:
        """Create from managed inputs, from runs, or from the runs of a window."""
        app = self.desk.application(request)
        fields = await json_object(request)
        self.things.check_new(app, fields)
        ids = await self._chosen(app, fields)
        made = await self.things.create(app, {**fields, "input_ids": ids})
        return answer(self._shown(app, made))

    async def read(self, request: web.Request) -> web.Response:
        """Read."""
        app, found = self.things.found(request)
        return answer(self._shown(app, found))

    async def update(self, request: web.Request) -> web.Response:
        """Replace name, description and inputs."""
        app, found = self.things.found(request)
        fields = await json_object(request)
        for key in ("name", "description"):
            if fields.get(key) is not None:
                found[key] = text_of(fields, key)
        # The official client puts new `inputs` next to the old `input_ids`.
        if fields.get("inputs") is not None:
            found["input_ids"] = self._managed(app, fields["inputs"])
        found = stamped(found)
        await self.desk.keep(self.things.shelf(app), found["id"], found)
        return answer(self._shown(app, found))

    def _shown(self, app: str, stored: dict[str, Json]) -> dict[str, Json]:
        # A managed input that was deleted since is in the ids only.
        known = [self._input(app, key) for key in stored["input_ids"]]
        return stored | {"inputs": [found for found in known if found]}

    def _input(self, app: str, key: str) -> dict[str, Json] | None:
        found = (self.desk.find(f"{kind}/{app}", key) for kind in _KINDS)
        return next((each for each in found if each), None)

    async def _chosen(self, app: str, fields: dict[str, Json]) -> list[str]:
        run_ids = _texts(fields, "run_ids")
        if fields.get("inputs"):
            return self._managed(app, fields["inputs"])
        if run_ids:
            records = [self._run(app, key) for key in dict.fromkeys(run_ids)]
        elif text_of(fields, "instance_id"):
            records = self._window(app, fields)
        else:
            raise Refusal(
                400,
                "An input set needs `inputs`, `run_ids`, or an `instance_id` with the "
                "times that its runs were made between.",
            )
        return await self._taken_over(app, records)

    def _managed(self, app: str, inputs: Json) -> list[str]:
        if not isinstance(inputs, list) or not all(isinstance(v, dict) for v in inputs):
            raise Refusal(400, "`inputs` must be an array of objects.")
        ids = [text_of(each, "id") for each in inputs]
        for key in ids:
            if self._input(app, key) is None:
                raise Refusal(400, f"Application '{app}' has no managed input '{key}'.")
        return ids

    def _run(self, app: str, key: str) -> RunRecord:
        record = self.desk.engine.get(PLATFORM, key)
        if record is None or record.scope != app:
            raise Refusal(400, f"Application '{app}' has no run '{key}'.")
        return record

    def _window(self, app: str, fields: dict[str, Json]) -> list[RunRecord]:
        """The runs of an instance between two times: the latest, oldest first."""
        start, end = _moment(fields, "start_time"), _moment(fields, "end_time")
        if start and end and end < start:
            raise Refusal(400, "`end_time` is before `start_time`.")
        most = fields.get("maximum_runs")
        if most is not None and (type(most) is not int or most < 1):
            raise Refusal(400, "`maximum_runs` must be an integer of 1 or more.")
        instance_id = text_of(fields, "instance_id")
        records = [
            record
            for record in self.desk.engine.runs(PLATFORM, app)
            if record.detail["instance_id"] == instance_id
            and (start is None or record.created >= start)
            and (end is None or record.created <= end)
        ]
        return records[-most:] if most else records

    async def _taken_over(self, app: str, records: Sequence[RunRecord]) -> list[str]:
        """The inputs of runs, kept by the ids of the runs; these may be deleted."""
        for record in records:
            if self._input(app, record.id) is not None:
                continue
            path = await run_input(self.desk, app, record.id)
            if path is None:
                raise Refusal(400, f"Run '{record.id}' has no input.")
            await self.desk.files.link(path, app, FROM_RUNS, record.id)
            taken = {
                "id": record.id,
                "name": record.detail["name"],
                "description": "",
                "run_id": record.id,
                "format": record.detail["format"],
                "created_at": rfc3339(record.created),
                "updated_at": rfc3339(record.created),
            }
            await self.desk.keep(f"{FROM_RUNS}/{app}", record.id, taken)
        return [record.id for record in records]


def input_sets(desk: Desk) -> InputSets:
    """The handlers for input sets."""
    return InputSets(
        desk, Things(desk, "inputsets", "input set", "input-set", _made, ())
    )
