"""Following a run's log from any place, each page read about once.

The plain log is read from its beginning; it gives no token at its end. The recent log
gives tokens that stay good there (wire/abeja.md 4.3), and every page of what is new.
The change from one to the other needs no guess by time or text. The last plain page is
read, then the newest recent page, then the last plain page again. If both times it has
had as many lines as were consumed, and no page behind it, then the log had the same end
before and after the recent page was made, and so its forward token stands at this end.
Otherwise there are new lines, and the change waits for a quieter moment: asking for the
last plain page again shows what is new, too.
"""

import logging

from attrs import evolve, frozen

from aioruns.errors import BadRequest
from aioruns.platforms.abeja.chain import TokenGuard
from aioruns.platforms.abeja.pages import PlainPage, RecentPage
from aioruns.platforms.abeja.places import Place, nothing, page_behind
from aioruns.platforms.abeja.plain import PlainReader
from aioruns.platforms.abeja.recent import RecentReader
from aioruns.seam import LogPage

logger = logging.getLogger("aioruns.platforms.abeja")


@frozen
class FollowingReader:
    """Reads what follows a place in the log of one run.

    Attributes:
        plain: Reads pages of its plain log.
        recent: Reads pages of its recent log.
        what: Whose log it is, for errors.
    """

    plain: PlainReader
    recent: RecentReader
    what: str

    async def read(self, place: Place) -> LogPage:
        """What follows a place; a page without events has nothing new."""
        try:
            if place.token is None or place.plain:
                if not place.plain:
                    place = evolve(place, plain=True)
                answer = await self.plain.page(place)
                token = answer.next_token
                # Most pages are such: there are new lines, and more behind them.
                if token and token != place.token and place.skip < len(answer.events):
                    return page_behind(
                        place, answer.events, token, ordered=answer.ordered
                    )
                return await self._on(place, answer)
            return await self.recent.forward(place)
        except BadRequest as error:
            # wire/abeja.md 4.3: tokens may expire.
            if place.token is None or place.brought:
                raise
            logger.info("reading the log of %s by time, since %s", self.what, error)
            place = evolve(place.again(), plain=True)
            return await self._on(place, await self.plain.page(place))

    async def _on(self, place: Place, answer: PlainPage) -> LogPage:
        """Go on in the plain log, and over to the recent log at its end.

        Args:
            place: The place.
            answer: Its page.
        """
        guard = TokenGuard(f"the log of {self.what}")
        newest: RecentPage | None = None
        while True:
            following = answer.next_token or None
            guard.check(place.token, following, empty=not answer.events)
            if place.skip < len(answer.events):
                return page_behind(
                    place, answer.events, following, ordered=answer.ordered
                )
            if following is not None:
                skip = place.skip - len(answer.events)
                place = evolve(place, token=following, skip=skip)
            elif place.skip > len(answer.events):
                # The server shows an older state of the log.
                return nothing(place)
            elif newest is None:
                newest = await self.recent.page(place)
            elif _agree(place, answer, newest):
                token = self.recent.part(newest).token
                return nothing(evolve(place, token=token, skip=0, plain=False))
            else:
                return nothing(place)
            answer = await self.plain.page(place)


def _agree(place: Place, plain: PlainPage, recent: RecentPage) -> bool:
    """Whether the newest lines of both logs are the same, as far as both show them.

    They are, unless the two are served from stores of which one is behind. Then the
    change waits.
    """
    if not recent.events:
        return place.second is None
    count = min(len(plain.events), len(recent.events))
    return list(plain.events[::-1][:count]) == list(recent.events[:count])
