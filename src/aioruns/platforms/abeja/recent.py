"""Reading the recent logs alone, from any place, without losing or repeating lines.

Services have no plain logs to read from the start (wire/abeja.md 8), and the vendor's
operation of this name is about nothing else. So the way to the beginning is back over
all pages; it keeps only the oldest of them and their forward tokens, and the pages in
between are read once more on the way forward. Runs are followed in one pass: see
`aioruns.platforms.abeja.following`.
"""

import logging
from collections import deque
from datetime import datetime
from typing import Protocol

from attrs import evolve, frozen

from aioruns.errors import BadRequest, Unreadable
from aioruns.http.request import Request
from aioruns.platforms.abeja.models import RecentLogs
from aioruns.platforms.abeja.pages import RecentPage
from aioruns.platforms.abeja.places import Part, Place, nothing, page_of
from aioruns.platforms.client import Client
from aioruns.seam import LogPage

logger = logging.getLogger("aioruns.platforms.abeja")

KEPT_PAGES = 16
"""Pages held in memory on the way back to the beginning of a log."""


class AskRecent(Protocol):
    """Makes the request for a page of one recent log."""

    def __call__(
        self,
        *,
        next_forward_token: str | None,
        next_backward_token: str | None,
        start_time: datetime | None,
        end_time: datetime | None,
    ) -> Request[RecentLogs]:
        """The request."""
        ...


@frozen
class RecentReader:
    """Reads the recent log of one run or service.

    Attributes:
        client: Sends the requests.
        ask: Makes them.
        what: Whose log it is, for errors.
    """

    client: Client
    ask: AskRecent
    what: str

    async def read(self, place: Place) -> LogPage:
        """What follows a place; a page without events has nothing new."""
        if place.token is None:
            return await self._from_start(place)
        try:
            return await self.forward(place)
        except BadRequest as error:
            # wire/abeja.md 4.3: tokens may expire. One that the caller brought says
            # nothing of the time that it stands for.
            if place.brought:
                raise
            logger.info("reading the log of %s by time, since %s", self.what, error)
            return await self._from_start(place.again())

    async def read_older(self, token: str, place: Place) -> LogPage:
        """All lines before a backward token, oldest first, however many pages."""
        parts: deque[Part] = deque()
        newest = await self._back(place, token, parts)
        return page_of(place, parts, more=False) if parts else nothing(newest)

    async def forward(self, place: Place) -> LogPage:
        """The page behind a place's forward token."""
        while True:
            answer = await self.page(place, forward=place.token)
            part = self.part(answer)
            if not part.lines:
                # wire/abeja.md 4.3: the token may change although there is nothing new.
                return nothing(evolve(place, token=part.token))
            if part.token == place.token:
                raise self.endless("new")
            if place.skip < len(part.lines):
                return page_of(place, (part,), more=True)
            place = evolve(place, token=part.token, skip=place.skip - len(part.lines))

    async def _from_start(self, place: Place) -> LogPage:
        """Go back to the beginning, and return the oldest pages."""
        parts: deque[Part] = deque(maxlen=KEPT_PAGES)
        newest = await self._back(place, None, parts)
        if not parts:
            return nothing(newest)
        page = page_of(place, parts, more=True)
        if page.events:
            return page
        # All of it was consumed before; what is behind it is asked for at once, so that
        # a page without events always means that there is nothing new.
        return await self.forward(Place.of(page.after(0)))

    async def _back(self, place: Place, token: str | None, parts: deque[Part]) -> Place:
        """Collect older pages to the first line; say where the way back began."""
        newest: Place | None = None
        while True:
            answer = await self.page(place, backward=token)
            part = self.part(answer)
            newest = newest or evolve(place, token=part.token)
            # wire/abeja.md 4.1: no lines are the end, whatever the tokens say.
            if not part.lines:
                return newest
            parts.appendleft(part)
            if not answer.next_backward_token or answer.next_backward_token == token:
                raise self.endless("older")
            token = answer.next_backward_token

    async def page(
        self, place: Place, forward: str | None = None, backward: str | None = None
    ) -> RecentPage:
        """The page of a token, or the newest, with the filter of a place."""
        request = self.ask(
            next_forward_token=forward,
            next_backward_token=backward,
            start_time=place.start_time,
            end_time=place.end_time,
        )
        return await self.client.send(
            Request(request.method, request.path, RecentPage, request.query)
        )

    def part(self, answer: RecentPage) -> Part:
        """The lines of a page in their order, and the token behind them.

        Raises:
            Unreadable: There is no such token.
        """
        if not answer.next_forward_token:
            raise Unreadable(
                f"a page of the recent log of {self.what} has no next_forward_token"
            )
        # wire/abeja.md 4.2: the newest line is the first, whichever token was used.
        return Part(answer.events[::-1], answer.next_forward_token)

    def endless(self, which: str) -> Unreadable:
        """What to raise where a token does not get on."""
        return Unreadable(
            f"the log of {self.what} gives {which} lines with the old token: reading "
            "on would never end"
        )
