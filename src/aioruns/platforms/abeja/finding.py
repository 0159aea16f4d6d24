"""Finding the run of a submission whose outcome is in doubt (wire/abeja.md 6.2)."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import define, field

from aioruns.http.clock import Clock
from aioruns.paging import pages
from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.models import MarkedRow, MarkedRows
from aioruns.platforms.abeja.payload import MARKER
from aioruns.platforms.client import Client

logger = logging.getLogger("aioruns.platforms.abeja")

MARGIN = 60.0
"""Seconds that rows may be older than the submission before the search stops: for
clocks of the server that differ, and rows that are not quite in order."""

MOST_PAGES = 50
"""Pages to search when nothing tells how far back the submission lies."""


@define(eq=False)
class ServerTime:
    """What the server's clock showed at least, from the times that it wrote.

    The local wall clock takes no part: only the seconds that passed since a time of the
    server's was seen are counted here.

    Attributes:
        clock: Counts those seconds.
    """

    clock: Clock
    _ahead: float | None = field(default=None, init=False)

    def note(self, created: datetime | None) -> None:
        """Take in a time that the server has written before now."""
        if created is None:
            return
        ahead = created.timestamp() - self.clock.now()
        if self._ahead is None or ahead > self._ahead:
            self._ahead = ahead

    def at(self, moment: float) -> datetime | None:
        """The server's time at a moment of the clock, or earlier; None if unknown."""
        if self._ahead is None:
            return None
        return datetime.fromtimestamp(moment + self._ahead, UTC)


@define(eq=False)
class Finder:
    """Searches the listing, newest first, for the marker of a submission.

    The search ends at rows that are older than the submission, by the server's clock.
    When the submission was not begun by this process, or no time of the server's is
    known, it ends after `MOST_PAGES` pages instead.

    Attributes:
        client: Sends the requests.
        organization_id: The organization of all deployments.
        time: The server's clock, as far as it is known.
    """

    client: Client
    organization_id: str
    time: ServerTime

    async def find(
        self, deployment_id: str, key: str, began: float | None
    ) -> str | None:
        """The id of the run that carries the key; the oldest if there are two.

        Args:
            deployment_id: Where to look.
            key: The submission key.
            began: When the submission began, by the client's clock; None if another
                process began it.
        """
        found: dict[str, MarkedRow] = {}
        count = 0

        async def read(token: str | None) -> tuple[Sequence[MarkedRow], str | None]:
            nonlocal count
            count += 1
            page = await self.client.send(
                requests.list_runs(
                    self.organization_id,
                    deployment_id,
                    MarkedRows,
                    next_page_token=token,
                )
            )
            for row in page.entries:
                self.time.note(row.created_at)
                if _marker(row) == key:
                    found[row.run_id] = row
            enough = self._past(page.entries, began, count, key)
            return page.entries, None if enough else page.next_page_token

        async for _ in pages(read):
            pass
        if len(found) > 1:
            logger.warning(
                "%d runs of deployment %s carry the submission key %s: %s; the oldest "
                "is taken, and ABEJA cannot cancel the others",
                len(found),
                deployment_id,
                key,
                ", ".join(found),
            )
        return list(found)[-1] if found else None

    def _past(
        self, rows: Sequence[MarkedRow], began: float | None, count: int, key: str
    ) -> bool:
        """Whether the listing has gone back beyond the submission."""
        horizon = None if began is None else self.time.at(began - MARGIN)
        if horizon is not None:
            return any(row.created_at and row.created_at < horizon for row in rows)
        if count < MOST_PAGES:
            return False
        logger.warning(
            "the newest %d pages of runs were searched for %s, and no more", count, key
        )
        return True


def _marker(row: MarkedRow) -> object:
    variables = row.user_env_vars
    return variables.get(MARKER) if isinstance(variables, dict) else None
