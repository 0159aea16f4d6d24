"""Finding the run of a submission whose outcome is in doubt (wire/abeja.md 6.2)."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from attrs import define, field

from aioruns.http.clock import Clock
from aioruns.http.codec import parse_time
from aioruns.patience import patiently
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.chain import chain
from aioruns.platforms.abeja.models import MarkedRow, MarkedRows
from aioruns.platforms.abeja.payload import MARKER
from aioruns.platforms.client import Client
from aioruns.platforms.searching import Search
from aioruns.seam import RunRef, Submission

logger = logging.getLogger("aioruns.platforms.abeja")

MARGIN = timedelta(minutes=5)
"""How much older than the submission rows must be for the search to stop: for clocks
of the server that differ, and rows that are not quite in order."""

MOST_PAGES = 50
"""Pages to search when nothing tells how far back the submission lies."""


@define(eq=False)
class ServerTime:
    """What the server's clock shows at least, from the times that it wrote.

    The local clock only tells how much time passed; by how much it is wrong does not
    matter (wire/abeja.md 6.2).

    Attributes:
        clock: The local clock.
    """

    clock: Clock
    _ahead: timedelta | None = field(default=None, init=False)
    _latest: datetime | None = field(default=None, init=False)

    def note(self, created: datetime | None) -> None:
        """Take in a time that the server has written before now."""
        if created is None or (self._latest is not None and created <= self._latest):
            return  # time has passed since, so it would be further behind
        self._latest = created
        ahead = created - self.clock.utc()
        if self._ahead is None or ahead > self._ahead:
            self._ahead = ahead

    @property
    def known(self) -> bool:
        """Whether any time of the server's was seen."""
        return self._ahead is not None

    def note_text(self, created: str) -> None:
        """The same as `note` for a time as it came; one that is none tells nothing."""
        with suppress(ValueError):
            self.note(parse_time(created))

    def at(self, moment: datetime) -> datetime | None:
        """The server's time at a local time, or earlier; None if nothing is known."""
        return None if self._ahead is None else moment + self._ahead


@define(eq=False)
class Finder:
    """Searches the listing, newest first, for the marker of a submission.

    The search ends at rows that are older than the submission, by the server's clock.
    When it is not known since when the submission is under way, or no time of the
    server's is, it ends after `MOST_PAGES` pages instead.

    Attributes:
        client: Sends the requests.
        organization_id: The organization of all deployments.
        time: The server's clock, as far as it is known.
    """

    client: Client
    organization_id: str
    time: ServerTime

    _searches: dict[str, Search] = field(factory=dict, init=False)

    async def find(self, submission: Submission) -> RunRef | None:
        """The run that carries the submission's key; the oldest if there are two."""
        target = submission.target
        if target not in self._searches:
            self._searches[target] = Search(partial(self._walk, target))
        return await self._searches[target].find(submission)

    async def _walk(
        self, target: str, submissions: Sequence[Submission]
    ) -> Mapping[str, RunRef]:
        """Look for several keys at once."""
        found: dict[str, list[str]] = {one.key: [] for one in submissions}
        sinces = [one.since for one in submissions if one.since is not None]
        since = min(sinces) if len(sinces) == len(submissions) else None
        count = 0

        async def read(token: str | None) -> tuple[Sequence[MarkedRow], str | None]:
            nonlocal count
            count += 1
            request = requests.list_runs(
                self.organization_id, target, MarkedRows, next_page_token=token
            )
            page = await patiently(
                lambda: self.client.send(request), self.client.session.clock
            )
            for row in page.entries:
                self.time.note(row.created_at)
                key = _marker(row)
                ids = found.get(key) if isinstance(key, str) else None
                if ids is not None and row.run_id not in ids:
                    ids.append(row.run_id)
            enough = self._past(page.entries, since, count, len(submissions))
            return page.entries, None if enough else page.next_page_token

        async for _ in chain(read):
            pass
        for key, ids in found.items():
            if len(ids) > 1:
                logger.warning(
                    "%d runs of deployment %s carry the submission key %s: %s; the "
                    "oldest is taken, and ABEJA cannot cancel the others",
                    len(ids),
                    target,
                    key,
                    ", ".join(ids),
                )
        return {key: RunRef(target, ids[-1]) for key, ids in found.items() if ids}

    def _past(
        self,
        rows: Sequence[MarkedRow],
        since: datetime | None,
        count: int,
        wanted: int,
    ) -> bool:
        """Whether the listing has gone back beyond the submissions."""
        horizon = None if since is None else self.time.at(since - MARGIN)
        if horizon is not None:
            return any(row.created_at and row.created_at < horizon for row in rows)
        if count < MOST_PAGES:
            return False
        logger.warning(
            "the newest %d pages of runs were searched for %d submissions, and no more",
            count,
            wanted,
        )
        return True


def _marker(row: MarkedRow) -> object:
    variables = row.user_env_vars
    return variables.get(MARKER) if isinstance(variables, dict) else None
