"""Experiments on the runs that people start: begun, stopped, told (wire 3.13)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web
from attrs import define, frozen

from aioruns.local.nextmv.answers import (
    Refusal,
    answer,
    json_object,
    rfc3339,
    text_of,
)
from aioruns.local.nextmv.desk import Desk, Route
from aioruns.local.nextmv.experiments import (
    CANCELED,
    COMPLETED,
    DRAFT,
    STARTED,
    STOPPING,
    Experiments,
    shown,
)
from aioruns.local.nextmv.pages import cut, wants_pages
from aioruns.local.records import Json, RunRecord, utcnow

_INTENTS = {"complete": COMPLETED, "cancel": CANCELED}


def moment_of(fields: Mapping[str, Json], key: str) -> datetime | None:
    """An optional time; the zero time of year 1 stands for none, too."""
    text = text_of(fields, key)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(
            400, f"`{key}` must be a time as `2026-05-04T21:00:00Z`, and is '{text}'."
        ) from None
    if moment.tzinfo is None:
        # Official clients send naive times without an offset (wire/nextmv.md 1.6).
        moment = moment.replace(tzinfo=UTC)
    return moment if moment.year > 1 else None


def existing(desk: Desk, app: str, key: str, instance_id: Json) -> str:
    """The id of an instance that exists, as given under `key`, or a Refusal."""
    if not isinstance(instance_id, str) or not instance_id:
        raise Refusal(400, f"`{key}` must be the id of an instance.")
    if desk.find(f"instances/{app}", instance_id) is None:
        raise Refusal(404, f"Application '{app}' has no instance '{instance_id}'.")
    return instance_id


@frozen
class Phase:
    """Where a test stands at a moment."""

    state: str
    started: datetime | None = None
    ended: datetime | None = None


class Kind(Protocol):
    """What one kind of test is: what it is made of, when it ends, what it tells."""

    def made(self, desk: Desk, app: str, fields: Mapping[str, Json]) -> dict[str, Json]:
        """The fields of its own that a new one has, or a Refusal."""
        ...

    def scheduled(self, test: Mapping[str, Json]) -> datetime | None:
        """When it starts by itself."""
        ...

    def ends(
        self,
        test: Mapping[str, Json],
        started: datetime,
        records: Sequence[RunRecord],
    ) -> datetime | None:
        """When it ends, or ended, by itself; None if that is not known yet."""
        ...

    def told(self, test: Mapping[str, Json], phase: Phase) -> dict[str, Json]:
        """What the whole test tells beyond its metadata."""
        ...


@define
class OnlineTests:
    """The handlers for one kind of test.

    Nothing waits for the times at which a test starts or ends: where it stands is
    worked out from them whenever it matters, so a restart of the server loses nothing.
    """

    book: Experiments
    kind: Kind
    legacy_items: bool
    """Whether a list without pages is an object with `items`."""
    cancel_runs: bool
    """Whether the runs of a test are its own, and end when it is canceled."""

    def routes(self) -> list[Route]:
        """Everything below `experiments/shadow` or `experiments/switchback`."""
        book = self.book
        return [
            ("GET", book.many, self.all),
            ("POST", book.many, self.new),
            ("GET", book.one, self.read),
            ("PATCH", book.one, self.update),
            ("DELETE", book.one, self.delete),
            ("GET", f"{book.one}/metadata", self.metadata),
            ("GET", f"{book.one}/runs", self.runs),
            ("PUT", f"{book.one}/start", self.start),
            ("PUT", f"{book.one}/stop", self.stop),
        ]

    def phase(
        self, test: Mapping[str, Json], records: Sequence[RunRecord], now: datetime
    ) -> Phase:
        """Where a test stands; its runs need not have ended when it has."""
        started = moment_of(test, "started_at")
        scheduled = self.kind.scheduled(test)
        if started is None and scheduled is not None and scheduled <= now:
            started = scheduled
        if test.get("stopped"):
            return Phase(test["stopped"], started, moment_of(test, "stopped_at"))
        if started is None:
            return Phase(DRAFT)
        end = self.kind.ends(test, started, records)
        if end is not None and end <= now:
            return Phase(COMPLETED, started, end)
        return Phase(STARTED, started)

    async def new(self, request: web.Request) -> web.Response:
        """Make a test; it starts at its time, or when it is told to."""
        app = self.book.desk.application(request)
        fields = await json_object(request)
        test = self.book.new(app, fields)
        test |= self.kind.made(self.book.desk, app, fields)
        await self.book.keep(app, test)
        return answer(self._told(app, test, []))

    async def all(self, request: web.Request) -> web.Response:
        """List."""
        app = self.book.desk.application(request)
        rows = self.book.all(app)
        part, following = cut(request, list(rows), self.book.desk.settings.page_size)
        members = self.book.runs_by_experiment(app)
        items = [
            self._told(app, test, members.get(test["id"], []))
            for test in list(rows.values())[part]
        ]
        if wants_pages(request):
            return answer({"items": items, "next_page_token": following})
        return answer({"items": items} if self.legacy_items else items)

    async def read(self, request: web.Request) -> web.Response:
        """The whole test, without its runs."""
        app, test = self.book.found(request)
        return answer(self._told(app, test, self.book.runs(app, test["id"])))

    async def metadata(self, request: web.Request) -> web.Response:
        """Names, times, and where it stands."""
        app, test = self.book.found(request)
        return answer(self._metadata(app, test, self.book.runs(app, test["id"])))

    async def runs(self, request: web.Request) -> web.Response:
        """All its runs, in one answer."""
        app, test = self.book.found(request)
        return answer(await self.book.run_rows(self.book.runs(app, test["id"])))

    async def update(self, request: web.Request) -> web.Response:
        """Change name and description."""
        app, test = await self.book.rename(request)
        return answer(self._told(app, test, self.book.runs(app, test["id"])))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete it with its runs."""
        app, test = self.book.found(request)
        await self.book.remove(app, test)
        return web.Response(status=204)

    async def start(self, request: web.Request) -> web.Response:
        """Start a draft now."""
        app, test = self.book.found(request)
        now = utcnow()
        state = self.phase(test, self.book.runs(app, test["id"]), now).state
        if state != DRAFT:
            raise Refusal(400, f"The {self.book.word} '{test['id']}' is {state}.")
        test |= {"started_at": rfc3339(now), "updated_at": rfc3339(now)}
        await self.book.keep(app, test)
        return answer({})

    async def stop(self, request: web.Request) -> web.Response:
        """End a test that has started, as complete or as canceled."""
        intent = text_of(await json_object(request), "intent")
        app, test = self.book.found(request)
        if intent not in _INTENTS:
            raise Refusal(400, "`intent` must be 'complete' or 'cancel'.")
        now = utcnow()
        phase = self.phase(test, self.book.runs(app, test["id"]), now)
        if phase.state != STARTED:
            raise Refusal(
                400,
                f"The {self.book.word} '{test['id']}' is {phase.state}; only a started "
                "one can be stopped.",
            )
        test |= {
            "stopped": _INTENTS[intent],
            "stopped_at": rfc3339(now),
            "updated_at": rfc3339(now),
        }
        await self.book.keep(app, test)
        if self.cancel_runs and intent == "cancel":
            await self.book.cancel_runs(app, test["id"])
        return answer({})

    def _status(
        self, app: str, test: Mapping[str, Json], records: Sequence[RunRecord]
    ) -> str:
        if going := self.book.going(app, test):
            return going
        phase = self.phase(test, records, utcnow())
        if phase.ended and not all(record.state.final for record in records):
            return STOPPING
        return phase.state

    def _metadata(
        self, app: str, test: Mapping[str, Json], records: Sequence[RunRecord]
    ) -> dict[str, Json]:
        return shown(test) | {"status": self._status(app, test, records)}

    def _told(
        self, app: str, test: Mapping[str, Json], records: Sequence[RunRecord]
    ) -> dict[str, Json]:
        phase = self.phase(test, records, utcnow())
        told = self._metadata(app, test, records) | self.kind.told(test, phase)
        if phase.started:
            told["started_at"] = rfc3339(phase.started)
        if phase.ended and told["status"] != STOPPING:
            told["completed_at"] = rfc3339(phase.ended)
        return told
