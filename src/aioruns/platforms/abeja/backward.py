"""Reading a run's log from its end: the last lines, and from there back.

Tokens of recent logs stand between pages (wire/abeja.md 4.3). The newest page has one
behind it and one before it; a place inside it is told from the token that the next
older page has behind it, so that page is read, too.
"""

from collections import deque
from collections.abc import Sequence

from attrs import frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.abeja.following import FollowingReader
from aioruns.platforms.abeja.pages import RecentPage
from aioruns.platforms.abeja.places import Part, Place, always, nothing, page_of
from aioruns.platforms.abeja.recent import KEPT_PAGES, RecentReader
from aioruns.platforms.abeja.tally import Tally
from aioruns.seam import LogEvent, LogPage, Position


@frozen
class BackwardReader:
    """Reads one run's log from its end.

    Attributes:
        recent: Reads pages of the recent log.
        following: Reads forward, where that is needed.
        begin: The beginning of the log, with the filter of all requests.
    """

    recent: RecentReader
    following: FollowingReader
    begin: Place

    async def newest(self, count: int) -> LogPage:
        """The last lines, oldest first, or the first of these if they are very many."""
        answer = await self.recent.page(self.begin)
        part = self.recent.part(answer)
        if not part.lines:
            return nothing(self._behind(part.token))
        parts = deque([part], maxlen=KEPT_PAGES)
        kept = len(part.lines)
        more = False
        while (older := await self._older(answer)) is not None:
            if kept >= count:
                break
            answer, part = older, self.recent.part(older)
            if len(parts) == KEPT_PAGES:
                more = True
            parts.appendleft(part)
            kept += len(part.lines)
        page = page_of(self._before(older), parts, more=more)
        drop = max(0, kept - count)
        if drop == 0:
            return page
        return LogPage(page.events[drop:], lambda n: page.after(drop + n), more=more)

    async def older(self, position: Position | None) -> LogPage:
        """What precedes a place on the way back, newest first."""
        if position is None:
            return await self._newest_first()
        match position:
            case {"back": str(token), "take": int(take), "from": dict(since)}:
                return await self._inside_newest(token, take, Place.of(since))
            case {"back": str(token)}:
                skip = position.get("skip", 0)
                if type(skip) is int and skip >= 0:
                    return await self._page_back(token, skip)
        raise InvalidInput("this cursor is damaged: begin without it")

    async def _newest_first(self) -> LogPage:
        """The newest page, and the one before it."""
        newest = await self.recent.page(self.begin)
        if not newest.events:
            return LogPage((), always(None))
        older = await self._older(newest)
        since = self._before(older).position
        inside = len(newest.events)
        before = [] if older is None else older.events
        last = newest if older is None else older

        def after(n: int) -> Position:
            if n < inside:
                return _inside(newest.next_backward_token, inside - n, since)
            if n == inside + len(before):
                return _back(last.next_backward_token)
            return _back(newest.next_backward_token, n - inside)

        return LogPage([*newest.events, *before], after, more=older is not None)

    async def _inside_newest(self, token: str, take: int, place: Place) -> LogPage:
        """Lines behind a place that were not consumed yet, and then on from a token."""
        lines: list[LogEvent] = []
        since = place.position
        while len(lines) < take:
            page = await self.following.read(place)
            if not page.events:
                break
            lines += page.events
            place = Place.of(page.after(len(page.events)))
        lines = lines[:take][::-1]

        def after(n: int) -> Position:
            if n < len(lines):
                return _inside(token, len(lines) - n, since)
            return _back(token)

        return LogPage(lines, after, more=True)

    async def _page_back(self, token: str, skip: int) -> LogPage:
        """The next page before a token, without the lines that were consumed."""
        while True:
            answer = await self.recent.page(self.begin, backward=token)
            count = len(answer.events)
            # wire/abeja.md 4.1: no lines are the end, whatever the tokens say.
            if not count:
                return LogPage((), always(_back(token, skip)))
            following = self._token(answer, token)
            if skip < count:
                break
            token, skip = following, skip - count
        asked, consumed = token, skip

        def after(n: int) -> Position:
            if consumed + n == count:
                return _back(following)
            return _back(asked, consumed + n)

        return LogPage(answer.events[skip:], after, more=True)

    async def _older(self, answer: RecentPage) -> RecentPage | None:
        """The page before another one; None where that was the first."""
        token = self._token(answer, None)
        older = await self.recent.page(self.begin, backward=token)
        if not older.events:
            return None
        self._token(older, token)
        return older

    def _token(self, answer: RecentPage, asked: str | None) -> str:
        if not answer.next_backward_token or answer.next_backward_token == asked:
            raise self.recent.endless("older")
        return answer.next_backward_token

    def _before(self, older: RecentPage | None) -> Place:
        """The place behind an older page; the beginning of the log if there is none."""
        if older is None:
            return self.begin
        part: Part = self.recent.part(older)
        lines: Sequence[LogEvent] = part.lines
        # Where the page is of one second, more of it may have come before.
        second, seen, brought = Tally(lines, None, 0, brought=True).after(len(lines))
        return self._behind(part.token, second, seen, brought=brought)

    def _behind(
        self,
        token: str | None,
        second: int | None = None,
        seen: int = 0,
        *,
        brought: bool = False,
    ) -> Place:
        return Place(token, self.begin.start, self.begin.end, 0, second, seen, brought)


def _back(token: str, skip: int = 0) -> Position:
    return {"back": token, "skip": skip} if skip else {"back": token}


def _inside(token: str, take: int, since: Position) -> Position:
    return {"back": token, "take": take, "from": since}
