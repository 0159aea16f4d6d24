"""Reading plain logs, from the oldest line on, as far as there are any now."""

from collections.abc import Coroutine
from typing import Any

from attrs import evolve, frozen

from aioruns.platforms.abeja import requests
from aioruns.platforms.abeja.chain import TokenGuard
from aioruns.platforms.abeja.pages import PlainPage
from aioruns.platforms.abeja.places import Part, Place, nothing, page_of
from aioruns.platforms.client import Client
from aioruns.seam import LogPage


@frozen
class PlainReader:
    """Reads the plain log of one run.

    Attributes:
        client: Sends the requests.
        at: The log's path.
        what: Whose log it is, for errors.
    """

    client: Client
    at: str
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

    def page(self, place: Place) -> Coroutine[Any, Any, PlainPage]:
        """The page of a place's token, as it comes."""
        since = until = None
        if place.start is not None or place.end is not None:
            since, until = place.start_time, place.end_time
        return self.client.send(
            requests.oldest_first(self.at, PlainPage, place.token, since, until)
        )
