"""Finding the run of a submission whose outcome is in doubt (wire/abeja.md 6.2)."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import define, field

from aioruns.http.clock import Clock
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.chain import chain
from aioruns.platforms.abeja.models import MarkedRow, MarkedRows
from aioruns.platforms.abeja.payload import MARKER
from aioruns.platforms.client import Client
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

    def note(self, created: datetime | None) -> None:
        """Take in a time that the server has written before now."""
        if created is None:
            return
        ahead = created - self.clock.utc()
        if self._ahead is None or ahead > self._ahead:
            self._ahead = ahead

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

    async def find(self, submission: Submission) -> RunRef | None:
        """The run that carries the submission's key; the oldest if there are two."""
        found: dict[str, MarkedRow] = {}
        count = 0

        async def read(token: str | None) -> tuple[Sequence[MarkedRow], str | None]:
            nonlocal count
            count += 1
            page = await self.client.send(
                requests.list_runs(
                    self.organization_id,
                    submission.target,
                    MarkedRows,
                    next_page_token=token,
                )
            )
            for row in page.entries:
                self.time.note(row.created_at)
                if _marker(row) == submission.key:
                    found[row.run_id] = row
            enough = self._past(page.entries, submission, count)
            return page.entries, None if enough else page.next_page_token

        async for _ in chain(read):
            pass
        if len(found) > 1:
            logger.warning(
                "%d runs of deployment %s carry the submission key %s: %s; the oldest "
                "is taken, and ABEJA cannot cancel the others",
                len(found),
                submission.target,
                submission.key,
                ", ".join(found),
            )
        return RunRef(submission.target, list(found)[-1]) if found else None

    def _past(
        self, rows: Sequence[MarkedRow], submission: Submission, count: int
    ) -> bool:
        """Whether the listing has gone back beyond the submission."""
        since = submission.since
        horizon = None if since is None else self.time.at(since - MARGIN)
        if horizon is not None:
            return any(row.created_at and row.created_at < horizon for row in rows)
        if count < MOST_PAGES:
            return False
        logger.warning(
            "the newest %d pages of runs were searched for %s, and no more",
            count,
            submission.key,
        )
        return True


def _marker(row: MarkedRow) -> object:
    variables = row.user_env_vars
    return variables.get(MARKER) if isinstance(variables, dict) else None
