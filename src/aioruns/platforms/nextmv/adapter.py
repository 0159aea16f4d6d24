"""Nextmv behind the seam that generic code asks."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from aioruns.errors import NotFound
from aioruns.http.clock import Clock
from aioruns.paging import pages
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.batch_runs import BatchRow, batch_rows, parted
from aioruns.platforms.nextmv.downloads import download_as, output_by_url
from aioruns.platforms.nextmv.models import (
    ContentFormat,
    DownloadURL,
    RunInformation,
    RunRow,
    TimestampedRunLog,
)
from aioruns.platforms.nextmv.sending import send
from aioruns.seam import (
    ALL,
    Abilities,
    LogEvent,
    LogPage,
    Position,
    RunRef,
    RunState,
    Status,
    Submission,
    Window,
)
from aioruns.together import each

# wire/nextmv.md 4.4; `none` is a run that the platform has not looked at yet.
STATES: Mapping[str, RunState] = {
    "none": RunState.QUEUED,
    "queued": RunState.QUEUED,
    "running": RunState.RUNNING,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELED,
}

_CLOCKS_DIFFER = timedelta(minutes=15)


class Adapter:
    """See `aioruns.seam.Platform`."""

    name = "nextmv"
    abilities = Abilities()

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pages_needed = 1

    @property
    def clock(self) -> Clock:
        """The session's clock."""
        return self._client.session.clock

    async def create(self, submission: Submission) -> RunRef:
        """Submit a run, with its key in the description (wire/nextmv.md 8.2)."""
        body = dict(submission.payload["body"])
        said = body.get("description")
        mark = _mark(submission.key)
        body["description"] = f"{said} {mark}" if said else mark
        payload = {**submission.payload, "body": body}
        run_id = await send(self._client, submission.target, payload)
        return RunRef(submission.target, run_id)

    async def find(self, submission: Submission) -> RunRef | None:
        """Search the application's runs for the key, as far back as it can be."""
        mark = _mark(submission.key)
        async for rows in self._rows(submission.target):
            for row in rows:
                if mark in (row.description or ""):
                    return RunRef(submission.target, row.id)
            if _all_older(rows, submission.since):
                return None
        return None

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read many runs at once: those of a batch, or pages of the application's.

        Pages are read while they are cheaper than single reads. No list says why a run
        failed; that is read singly, once.
        """
        wanted = set(refs)
        if not wanted:
            return {}
        target = next(iter(wanted)).target
        app_id, batch_id = parted(target)
        if batch_id is None:
            found = await self._read_pages(target, wanted)
        else:
            try:
                rows = await batch_rows(self._client, app_id, batch_id)
            except NotFound:
                return {}
            found = _statuses(target, rows, wanted)
        single = [
            ref
            for ref in wanted
            if ref not in found or found[ref].state is RunState.FAILED
        ]

        async def read_one(ref: RunRef) -> None:
            try:
                request = requests.run_information(app_id, ref.id)
                found[ref] = _status(ref, await self._client.send(request))
            except NotFound:
                found.pop(ref, None)

        await each(single, read_one)
        return found

    async def _read_pages(
        self, app_id: str, wanted: AbstractSet[RunRef]
    ) -> dict[RunRef, Status]:
        """Read pages of the application's runs, as far as that pays."""
        found: dict[RunRef, Status] = {}
        if len(wanted) <= self._pages_needed + 1:
            return found
        read = 0
        async for rows in self._rows(app_id):
            read += 1
            found |= _statuses(app_id, rows, wanted)
            if len(found) == len(wanted) or read >= len(wanted) - len(found):
                break
        self._pages_needed = read
        return found

    async def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read what came after a `since` token (wire/nextmv.md 3.3.3).

        A page without a new token is asked for again with the old one, and grows; so a
        position is the token, and how many items of its page were read.
        """
        since = position["since"] if position else None
        skip = position["skip"] if position else 0
        app_id, _ = parted(ref.target)
        page = await self._client.send(requests.live_logs(app_id, ref.id, since))
        items = page.items[skip:]
        following = page.next_page_token

        def after(count: int) -> Position:
            if count == len(items) and following and following != since:
                return {"since": following, "skip": 0}
            return {"since": since, "skip": skip + count}

        text = str(page.status_v2)
        hint = page.next_available_in_seconds
        return LogPage(
            events=[_event(item) for item in items],
            after=after,
            more=bool(items) and not hint,
            hint=hint or None,
            status=Status(ref, STATES.get(text, RunState.UNKNOWN), text),
        )

    async def cancel(self, ref: RunRef) -> None:
        """Ask the run to end."""
        app_id, _ = parted(ref.target)
        await self._client.send(requests.cancel_run(app_id, ref.id))

    async def fetch_result(self, ref: RunRef) -> object:
        """The output: JSON, or bytes where it is none (wire/nextmv.md 3.3.4)."""
        app_id, _ = parted(ref.target)
        information = await self._client.send(requests.run_information(app_id, ref.id))
        if not output_by_url(information.metadata):
            result = await self._client.send(requests.run_result(app_id, ref.id))
            return result.output
        link = await self._client.send(
            requests.run_part_url(app_id, ref.id, "output", DownloadURL)
        )
        is_json = information.metadata.output_format == ContentFormat.JSON
        return await download_as(self._client, link.url, object if is_json else bytes)

    def _rows(self, target: str) -> AsyncIterator[Sequence[RunRow]]:
        async def read(token: str | None) -> tuple[Sequence[RunRow], str | None]:
            page = await self._client.send(requests.list_runs(target, token))
            return page.runs or [], page.next_page_token

        return pages(read)


def _mark(key: str) -> str:
    return f"[{key}]"


def _all_older(rows: Sequence[RunRow], since: datetime | None) -> bool:
    """Whether rows, newest first, were all created before a submission can have been.

    The order of the list is not documented, so rows that are not newest first prove
    nothing.
    """
    if since is None or not rows:
        return False
    times = [row.created_at for row in rows]
    first, last = times[0], times[-1]
    return (
        first is not None
        and last is not None
        and last <= first < since - _CLOCKS_DIFFER
    )


def _statuses(
    target: str, rows: Sequence[RunRow | BatchRow], wanted: AbstractSet[RunRef]
) -> dict[RunRef, Status]:
    """What rows say of the wanted runs."""
    found: dict[RunRef, Status] = {}
    for row in rows:
        ref = RunRef(target, row.id)
        if ref in wanted:
            state = STATES.get(row.status_v2, RunState.UNKNOWN)
            found[ref] = Status(ref, state, row.status_v2, created=row.created_at)
    return found


def _status(ref: RunRef, run: RunInformation) -> Status:
    metadata = run.metadata
    state = STATES.get(metadata.status_v2, RunState.UNKNOWN)
    ended = None
    created, took = metadata.created_at, metadata.duration
    if state.final and created is not None and took is not None:
        # Both are cut to milliseconds, so a short run could end before it began.
        ended = max(
            created + timedelta(milliseconds=took), metadata.initiated_at or created
        )
    return Status(
        ref,
        state,
        str(metadata.status_v2),
        metadata.error,
        metadata.created_at,
        metadata.initiated_at,
        ended,
    )


def _event(item: TimestampedRunLog) -> LogEvent:
    return LogEvent(item.timestamp, item.log, "stderr")
