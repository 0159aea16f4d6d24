"""What experiments of all kinds share: ids, lists, names, their runs, their removal."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from aiohttp import web
from attrs import define, field

from aioruns.local.lag import Lag, lagging
from aioruns.local.nextmv.answers import PLATFORM, Refusal, json_object, text_of
from aioruns.local.nextmv.desk import APPLICATION, Desk
from aioruns.local.nextmv.removing import remove
from aioruns.local.nextmv.things import named, stamped
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.nextmv.views import listed
from aioruns.local.records import Json, RunRecord

EXPERIMENTS = f"{APPLICATION}/experiments"

KINDS = ("batch", "acceptance", "shadow", "switchback")
"""As in paths; documents of `KIND/APPLICATION` hold the experiments."""

STARTED = "started"
COMPLETED = "completed"
FAILED = "failed"
DRAFT = "draft"
CANCELED = "canceled"
STOPPING = "stopping"
DELETING = "deleting"
DELETE_FAILED = "delete-failed"
"""ExperimentStatus (wire/nextmv.md 4.4)."""


@define
class Experiments:
    """The experiments of one kind, and the runs that belong to them."""

    desk: Desk
    verdicts: Verdicts
    kind: str
    """As in paths."""
    word: str
    types: tuple[str, ...]
    """The `experiment_type` of runs that belong to such experiments. Runs that were
    attached to an experiment when they were submitted have none; they belong to a
    batch."""
    _busy: set[tuple[str, str]] = field(factory=set)

    @property
    def many(self) -> str:
        """The path of the list."""
        return f"{EXPERIMENTS}/{self.kind}"

    @property
    def one(self) -> str:
        """The path of one."""
        return f"{self.many}/{{id}}"

    def shelf(self, app: str) -> str:
        """The kind of document under which those of `app` are stored."""
        return f"{self.kind}/{app}"

    def get(self, app: str, key: str) -> dict[str, Json] | None:
        """One experiment, or None."""
        return self.desk.find(self.shelf(app), key)

    def all(self, app: str) -> dict[str, Json]:
        """Those of an application by id, oldest first."""
        return self.desk.rows(self.shelf(app))

    def found(self, request: web.Request) -> tuple[str, dict[str, Json]]:
        """The application id and the experiment that the path names.

        Raises:
            Refusal: There is no such application or experiment (404).
        """
        app = self.desk.application(request)
        key = request.match_info["id"]
        document = self.get(app, key)
        if document is None:
            raise Refusal(404, f"Application '{app}' has no {self.word} '{key}'.")
        return app, document

    def new(self, app: str, fields: Mapping[str, Json]) -> dict[str, Json]:
        """The common fields of a new experiment; it is not stored yet.

        Raises:
            Refusal: The id is taken (409).
        """
        thing = {**named(dict(fields), self.kind), "app_id": app}
        if self.get(app, thing["id"]) is not None or self.is_busy(app, thing["id"]):
            raise Refusal(
                409, f"Application '{app}' already has {self.word} '{thing['id']}'."
            )
        return stamped(thing)

    async def keep(self, app: str, document: dict[str, Json]) -> None:
        """Store an experiment."""
        await self.desk.keep(self.shelf(app), document["id"], document)

    async def rename(self, request: web.Request) -> tuple[str, dict[str, Json]]:
        """Change name and description, each if it is given.

        Returns:
            The application id and the experiment as it is now.
        """
        fields = await json_object(request)
        app, document = self.found(request)
        for key in ("name", "description"):
            if fields.get(key) is not None:
                document[key] = text_of(fields, key)
        document = stamped(document)
        await self.keep(app, document)
        return app, document

    # -- under way ----------------------------------------------------------------

    @contextmanager
    def busy(self, app: str, key: str) -> Iterator[None]:
        """While this server makes or deletes the experiment."""
        self._busy.add((app, key))
        try:
            yield
        finally:
            self._busy.discard((app, key))

    def is_busy(self, app: str, key: str) -> bool:
        """Whether this server is making or deleting the experiment."""
        return (app, key) in self._busy

    def going(self, app: str, document: Mapping[str, Json]) -> str | None:
        """`deleting` or `delete-failed`, if anybody asked for the removal."""
        if not document.get("deleting"):
            return None
        # A server that ended half way cannot go on; asking again does.
        return DELETING if self.is_busy(app, document["id"]) else DELETE_FAILED

    # -- runs ---------------------------------------------------------------------

    def runs_by_experiment(self, app: str) -> Mapping[str, list[RunRecord]]:
        """The runs of all experiments of this kind, oldest first."""
        found = defaultdict(list)
        for record in self.desk.engine.runs(PLATFORM, app):
            experiment = record.detail.get("experiment_id")
            kind = record.detail.get("experiment_type") or "batch"
            if experiment and kind in self.types:
                found[experiment].append(record)
        return found

    def runs(self, app: str, key: str) -> list[RunRecord]:
        """The runs of one experiment, oldest first."""
        return self.runs_by_experiment(app).get(key, [])

    async def run_rows(self, records: Sequence[RunRecord]) -> dict[str, Json]:
        """The answer to a request for the runs of an experiment."""
        return {"runs": [listed(r, await self.verdicts.of(r)) for r in records]}

    async def cancel_runs(self, app: str, key: str) -> None:
        """Ask all runs of an experiment to end."""
        for record in self.runs(app, key):
            await self.desk.engine.cancel(PLATFORM, record.id)

    async def remove(self, app: str, document: dict[str, Json]) -> None:
        """Delete an experiment with its runs; live ones are canceled first."""
        key = document["id"]
        if self.is_busy(app, key):
            raise Refusal(
                409, f"The {self.word} '{key}' is being made or deleted at this moment."
            )
        # A run that a lagging list hides must go too.
        with self.busy(app, key), lagging(Lag()):
            await self.keep(app, {**document, "deleting": True})
            # All at once, since each may take a while to end.
            await self.cancel_runs(app, key)
            for record in self.runs(app, key):
                await remove(self.desk, self.verdicts, record)
            await self.desk.drop(self.shelf(app), key)


def shown(document: Mapping[str, Json], *keys: str) -> dict[str, Json]:
    """What every answer about an experiment has, and some keys of its own."""
    common = ("id", "name", "description", "app_id", "created_at", "updated_at")
    return {key: document[key] for key in (*common, *keys) if key in document}
