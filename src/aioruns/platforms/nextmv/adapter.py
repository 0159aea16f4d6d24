"""Nextmv behind the seam that generic code asks."""

import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from aioruns.errors import NotFound, Rejected
from aioruns.http.clock import Clock
from aioruns.http.gate import Pace
from aioruns.paging import pages
from aioruns.patience import patiently
from aioruns.platforms.client import Client
from aioruns.platforms.connection import Connection
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.batch_runs import parted
from aioruns.platforms.nextmv.describing import BODY, is_whole
from aioruns.platforms.nextmv.downloads import download_as, output_by_url
from aioruns.platforms.nextmv.jsontext import (
    LARGE,
    SURELY_SMALL,
    counted,
    json_text,
)
from aioruns.platforms.nextmv.live_places import Place
from aioruns.platforms.nextmv.models import (
    ContentFormat,
    DownloadURL,
    RunRow,
)
from aioruns.platforms.nextmv.run_lists import RunList
from aioruns.platforms.nextmv.sending import send
from aioruns.platforms.nextmv.state_rows import failed_since
from aioruns.platforms.nextmv.states import STATES, state_of
from aioruns.platforms.searching import Search
from aioruns.platforms.stale import check_ended
from aioruns.seam import (
    ALL,
    Abilities,
    LogPage,
    Position,
    RunRef,
    Status,
    Submission,
    Window,
)
from aioruns.together import each

__all__ = ["STATES", "Adapter"]

logger = logging.getLogger("aioruns.platforms.nextmv")

_CLOCKS_DIFFER = timedelta(minutes=15)

_TOKEN_UNKNOWN = frozenset({400, 404, 410})


class Adapter:
    """See `aioruns.seam.Platform`."""

    name = "nextmv"
    abilities = Abilities()

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lists: dict[str, RunList] = {}
        self._searches: dict[str, Search] = {}

    @property
    def clock(self) -> Clock:
        """The session's clock."""
        return self._client.session.clock

    def connection(self, *, credentials: bool, share: float) -> Connection:
        """How to make a client like this one, elsewhere."""
        return self._client.connection(credentials=credentials, share=share)

    async def create(self, submission: Submission) -> RunRef:
        """Submit a run, with its key in the description (wire/nextmv.md 8.2)."""
        payload, target = submission.payload, submission.target
        body = payload["body"]
        said, mark = body.get("description"), f"[{submission.key}]"
        marked = {**body, "description": f"{said} {mark}" if said else mark}
        if is_whole(payload):
            # Most runs are; the way of the others takes 2 us longer.
            text = json_text(marked, None, BODY)
            if len(text) <= SURELY_SMALL or counted(text) <= LARGE:
                pace: Pace | None = getattr(self._client, "submissions", None)
                if pace is not None:
                    await pace.wait()
                request = requests.new_run(target, text, payload["instance_id"])
                return RunRef(target, (await self._client.send(request)).run_id)
        run_id = await send(self._client, target, {**payload, "body": marked})
        return RunRef(target, run_id)

    async def find(self, submission: Submission) -> RunRef | None:
        """Search the application's runs for the key, as far back as it can be."""
        app_id = submission.target
        if app_id not in self._searches:
            self._searches[app_id] = Search(partial(self._walk, app_id))
        return await self._searches[app_id].find(submission)

    async def _walk(
        self, app_id: str, submissions: Sequence[Submission]
    ) -> Mapping[str, RunRef]:
        """Look for several keys at once."""
        missing = {_mark(one.key): one.key for one in submissions}
        sinces = [one.since for one in submissions if one.since is not None]
        since = min(sinces) if len(sinces) == len(submissions) else None
        found: dict[str, RunRef] = {}
        async for rows in self._rows(app_id):
            for row in rows:
                said = row.description or ""
                for mark in [mark for mark in missing if mark in said]:
                    found[missing.pop(mark)] = RunRef(app_id, row.id)
            if not missing or _all_older(rows, since):
                break
        return found

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read many runs at once: those of a batch, or pages of the application's.

        No list says why a run failed; that is read singly, once. So are runs that fell
        off the pages, which tells them from those that are gone.
        """
        if len(refs) == 1:  # no page of a list costs less
            (ref,) = refs
            app_id, batch_id = parted(ref.target)
            if batch_id is None:
                try:
                    answer = await self._client.send(requests.run_state(app_id, ref.id))
                except NotFound:
                    return {}
                return {ref: answer.of(ref)}
        if not refs:
            return {}
        target = next(iter(refs)).target
        app_id, batch_id = parted(target)
        found: dict[RunRef, Status]
        failed: Sequence[RunRef]
        if batch_id is None:
            found, failed = await self._list(target).read(refs, known)
        else:
            try:
                page = await self._client.send(requests.batch_rows(app_id, batch_id))
            except NotFound:
                return {}
            found = page.statuses({ref.id: ref for ref in refs}, known)
            failed = failed_since(known, found)
        single = list(failed)
        if len(found) < len(refs):
            single += [ref for ref in refs if ref not in found]
        await each(single, lambda ref: self._read_one(app_id, ref, found))
        return found

    async def _read_one(
        self, app_id: str, ref: RunRef, found: dict[RunRef, Status]
    ) -> None:
        try:
            answer = await self._client.send(requests.run_state(app_id, ref.id))
        except NotFound:
            found.pop(ref, None)
        else:
            found[ref] = answer.of(ref)

    def _list(self, app_id: str) -> RunList:
        made = self._lists.get(app_id)
        if made is None:
            made = self._lists[app_id] = RunList(self._client, app_id)
        return made

    async def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read what came after a `since` token (wire/nextmv.md 3.3.3).

        A token that the platform no longer knows costs a way from the beginning; its
        lifetime is not documented (wire/nextmv.md 2).
        """
        place = Place.at(position)
        app_id, _ = parted(ref.target)

        async def read() -> LogPage:
            request = requests.live_page(app_id, ref.id, place.since)
            return place.open(ref, await self._client.send(request))

        try:
            return await read()
        except Rejected as error:
            unknown = error.status in _TOKEN_UNKNOWN and place.since is not None
            if not unknown or place.again:
                raise
            logger.info("the log of %s is read from its beginning: %s", ref.id, error)
        place = place.lost
        return await read()

    async def cancel(self, ref: RunRef) -> None:
        """Ask the run to end."""
        app_id, _ = parted(ref.target)
        await self._client.send(requests.cancel_run(app_id, ref.id))

    async def fetch_result(self, ref: RunRef) -> object:
        """The output: JSON, or bytes where it is none (wire/nextmv.md 3.3.4)."""
        app_id, _ = parted(ref.target)
        information = await self._client.send(requests.run_information(app_id, ref.id))
        word = information.metadata.status_v2
        check_ended(ref.id, word, state_of(word))
        if not output_by_url(information.metadata):
            result = await self._client.send(requests.run_result(app_id, ref.id))
            word = result.metadata.status_v2
            check_ended(ref.id, word, state_of(word))
            return result.output
        link = await self._client.send(
            requests.run_part_url(app_id, ref.id, "output", DownloadURL)
        )
        is_json = information.metadata.output_format == ContentFormat.JSON
        return await download_as(self._client, link.url, object if is_json else bytes)

    def _rows(self, target: str) -> AsyncIterator[Sequence[RunRow]]:
        async def read(token: str | None) -> tuple[Sequence[RunRow], str | None]:
            request = requests.list_runs(target, token)
            page = await patiently(lambda: self._client.send(request), self.clock)
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
