"""Places in a live log, from which it goes on without loss or repetition.

wire/nextmv.md 3.3.3 says what the pages are like.
"""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from attrs import evolve, frozen

from aioruns.http.codec import parse_time
from aioruns.platforms.nextmv.live_pages import LivePage
from aioruns.platforms.nextmv.states import state_of
from aioruns.seam import LogPage, Position, RunRef, Status

_LARGE_PAGE: Final = 100
"""Lines with which a page counts as full, even if its hint says that there is time."""

_EMPTY_PAGES: Final = 2
"""Empty pages in a row whose new tokens are followed at once when a run has ended; some
servers make a new token for the same place each time."""

_MARKED: Final = 2
"""Lines by which a page is found to begin before the last one ended."""


@frozen
class Place:
    """A place in a log.

    A page without a new token is asked for again with the old one, and grows; so a
    place is a token, and how many lines of its page were read.

    Attributes:
        since: The token; None is the beginning.
        skip: How many lines of its page were read.
        read: How many lines come before its page.
        again: Whether the place was lost, and is on the way to be found by counting.
        left: How many lines that were read are still to come on this way.
        empty: How many pages in a row were empty since the run has ended.
        last: Time of the last line before the page, as it came.
        marks: Checksums of the last lines before the page.
    """

    since: str | None = None
    skip: int = 0
    read: int = 0
    again: bool = False
    left: int = 0
    empty: int = 0
    last: str | None = None
    marks: Sequence[int] = ()

    @classmethod
    def at(cls, position: Position | None) -> "Place":
        """The place that a position names."""
        return cls(**position) if position else cls()

    @property
    def position(self) -> Position:
        """Its name, which is short: a cursor holds it."""
        position: Position = {"since": self.since, "read": self.read}
        if self.skip:
            position["skip"] = self.skip
        if self.again:
            position["again"] = True
        if self.left:
            position["left"] = self.left
        if self.empty:
            position["empty"] = self.empty
        if self.last:
            position["last"] = self.last
            position["marks"] = self.marks
        return position

    @property
    def lost(self) -> "Place":
        """The same place, to be found from the beginning by counting."""
        return Place(again=True, left=self.read + self.skip)

    def open(self, ref: RunRef, page: LivePage) -> LogPage:
        """What the page means that was asked for from here."""
        state = state_of(page.text)
        repeated = 0 if self.skip else self._repeated(page)
        start = max(self.skip, repeated) + self.left
        size = len(page.times)
        new = page.events[start:] if start else page.events
        fresh = bool(page.token) and page.token != self.since
        came = bool(new) or (fresh and size > 0)
        before = self.read - repeated
        empty = self.empty + 1 if state.final and fresh and not came else 0

        def after(count: int) -> Position:
            if fresh and count == len(new):
                return Place(
                    page.token,
                    read=before + size,
                    again=self.again and (start > size or self.since is None),
                    left=max(0, start - size),
                    empty=empty,
                    last=page.times[-1] if size else self.last,
                    marks=self._marks(page, repeated),
                ).position
            if count == 0:
                return self.position
            return evolve(
                self, skip=start + count, read=before, left=0, empty=0
            ).position

        if state.final or self.again:
            # What an ended run wrote is there, whatever the hint says.
            more = came or 0 < empty <= _EMPTY_PAGES
        else:
            more = came and (not page.hint > 0 or size >= _LARGE_PAGE)
        return LogPage(
            new,
            after,
            more,
            hint=page.hint if page.hint > 0 else None,
            status=Status(ref, state, page.text),
        )

    def _repeated(self, page: LivePage) -> int:
        """How many of a page's first lines are the last ones that came before it.

        That is certain only where the page goes back in time, line by line the same.
        One line that comes again with the same time is a line that was written twice.
        """
        if not (self.last and page.events):
            return 0
        if page.events[0].timestamp >= parse_time(self.last):
            return 0
        marks = _marks(page, 0)
        for end in range(2, len(marks) + 1):
            count = min(end, len(self.marks))
            if count > 1 and marks[end - count : end] == list(self.marks[-count:]):
                return end
        return 0

    def _marks(self, page: LivePage, repeated: int) -> Sequence[int]:
        new = _marks(page, max(repeated, len(page.times) - _MARKED))
        return new if len(new) == _MARKED else [*self.marks, *new][-_MARKED:]


def _marks(page: LivePage, begin: int) -> Sequence[int]:
    # Of the times that came: a datetime would cut digits off.
    return [
        crc32(f"{time} {event.message}".encode("utf-8", "replace"))
        for time, event in zip(page.times[begin:], page.events[begin:], strict=True)
    ]
