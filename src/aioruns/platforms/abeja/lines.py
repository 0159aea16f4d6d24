"""Log lines as async iterators that can be continued."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Self

from attrs import define, evolve, field

from aioruns.cursors import make_cursor, read_cursor
from aioruns.errors import CallError, InvalidInput
from aioruns.platforms.abeja.places import Place
from aioruns.platforms.abeja.plain import PlainReader
from aioruns.platforms.abeja.recent import AskRecent, RecentReader
from aioruns.platforms.abeja.requests import whole_seconds
from aioruns.platforms.client import Client
from aioruns.seam import LogEvent, LogPage

_KIND = "abeja-lines"


@define(eq=False)
class Lines:
    """The lines of one log that are there now, oldest first.

    An async iterator of `LogEvent`; it ends where the log ends now. One short request a
    page, and none is held while your code runs.

    Example:
        ```python
        lines = abeja.api.iter_run_logs(organization_id, deployment_id, run_id)
        async for event in lines:
            print(event.timestamp, event.message)
        save(lines.cursor)  # later: iter_run_logs(..., cursor=...) gives what is new
        ```
    """

    _read: Callable[[Place], Awaitable[LogPage]] = field(repr=False)
    _log: str
    _place: Place = field(repr=False)
    _page: LogPage | None = field(default=None, init=False, repr=False)
    _index: int = field(default=0, init=False, repr=False)

    @property
    def cursor(self) -> str:
        """Text from which the same method continues after the last event."""
        page = self._page
        position = self._place.position if page is None else page.after(self._index)
        return make_cursor(_KIND, {"log": self._log, "at": position})

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LogEvent:
        while self._page is None or self._index == len(self._page.events):
            page = self._page
            if page is not None and not page.more:
                raise StopAsyncIteration
            await self._next_page()
        self._index += 1
        return self._page.events[self._index - 1]

    async def _next_page(self) -> None:
        page = self._page
        try:
            place = self._place if page is None else Place.of(page.after(self._index))
            self._page, self._index = await self._read(place), 0
        except CallError as error:
            error.with_cursor(self.cursor)
            raise


def plain_lines(
    client: Client,
    log: str,
    *,
    next_token: str | None,
    start_time: datetime | None,
    end_time: datetime | None,
    cursor: str | None,
) -> Lines:
    """The lines of the plain log at a path, from its start, a token or a cursor on."""
    place = _begin(log, next_token, start_time, end_time, cursor)
    return Lines(PlainReader(client, log, log).read, log, place)


def recent_lines(
    client: Client,
    ask: AskRecent,
    *,
    next_forward_token: str | None,
    next_backward_token: str | None,
    start_time: datetime | None,
    end_time: datetime | None,
    cursor: str | None,
) -> Lines:
    """The lines of a recent log: all, those behind one token, or those before one."""
    log = ask(
        next_forward_token=next_forward_token,
        next_backward_token=next_backward_token,
        start_time=start_time,
        end_time=end_time,
    ).path
    token = next_forward_token or next_backward_token
    place = _begin(log, token, start_time, end_time, cursor)
    reader = RecentReader(client, ask, log)
    if not next_backward_token:
        return Lines(reader.read, log, place)
    place = evolve(place, token=None, brought=False)
    return Lines(partial(reader.read_older, next_backward_token), log, place)


def _begin(
    log: str,
    token: str | None,
    start_time: datetime | None,
    end_time: datetime | None,
    cursor: str | None,
) -> Place:
    """Where to begin, from what a caller gives.

    Raises:
        InvalidInput: The cursor is of another log, or is not alone.
    """
    if cursor is not None:
        if token or start_time or end_time:
            raise InvalidInput(
                "a cursor holds its token and times: give the cursor alone"
            )
        return Place.of(read_cursor(cursor, _KIND, log=log)["at"])
    return Place(
        token=token or None,
        start=_seconds(start_time),
        end=_seconds(end_time, up=True),
        brought=bool(token),
    )


def _seconds(time: datetime | None, *, up: bool = False) -> int | None:
    if time is None:
        return None
    return max(0, int(whole_seconds(time, up=up).timestamp()))
