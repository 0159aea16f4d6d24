"""Reading plain logs, from the oldest line on, as far as there are any now."""

from datetime import datetime
from typing import Protocol

from attrs import evolve, frozen

from aioruns.http.request import Request
from aioruns.platforms.abeja.chain import TokenGuard
from aioruns.platforms.abeja.models import RunLogs
from aioruns.platforms.abeja.pages import PlainPage
from aioruns.platforms.abeja.places import Part, Place, nothing, page_of
from aioruns.platforms.client import Client
from aioruns.seam import LogPage


class AskPlain(Protocol):
    """Makes the request for a page of one plain log."""

    def __call__(
        self,
        *,
        next_token: str | None,
        start_time: datetime | None,
        end_time: datetime | None,
    ) -> Request[RunLogs]:
        """The request."""
        ...


@frozen
class PlainReader:
    """Reads the plain log of one run or service.

    Attributes:
        client: Sends the requests.
        ask: Makes them.
        what: Whose log it is, for errors.
    """

    client: Client
    ask: AskPlain
    what: str

    async def read(self, place: Place) -> LogPage:
        """The next lines behind a place; `more` says whether there are further pages.

        At the end of the log there is no token (wire/abeja.md 4.3): the place there is
        told by time, so the last second is read again and left out by count.
        """
        guard = TokenGuard(f"the log of {self.what}")
        while True:
            answer = await self.page(place)
            following = answer.next_token or None
            guard.check(place.token, following, empty=not answer.events)
            if place.skip < len(answer.events):
                part = Part(answer.events, following)
                return page_of(place, (part,), more=following is not None)
            if following is None:
                return nothing(place.again())
            place = evolve(place, token=following, skip=place.skip - len(answer.events))

    async def page(self, place: Place) -> PlainPage:
        """The page of a place's token, as it comes."""
        request = self.ask(
            next_token=place.token,
            start_time=place.start_time,
            end_time=place.end_time,
        )
        return await self.client.send(
            Request(request.method, request.path, PlainPage, request.query)
        )
