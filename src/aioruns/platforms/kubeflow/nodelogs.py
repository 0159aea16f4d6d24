"""One look at the logs of a run's pods, handed out page by page."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from attrs import define, evolve, field, frozen

from aioruns.http.clock import Clock
from aioruns.platforms.kubeflow.logtext import LogText
from aioruns.platforms.kubeflow.marks import Mark, Marks
from aioruns.platforms.kubeflow.workflow import Node
from aioruns.seam import LogEvent, LogPage, Position, Status
from aioruns.together import each

PAGE = 300
"""Lines of a node on a page at most: with two pages alive, fewer objects than let the
garbage collector look at them all."""

ENOUGH = 150
"""Lines with which a page is handed out."""

AT_ONCE = 8
"""Pods whose texts are held at once, in memory or on disk."""

_ARCHIVING = timedelta(minutes=5)
_ASKED = 5
"""Failed looks at the log of an ended node before it is taken to have none."""


@frozen
class Reading:
    """New lines of a node, and the marks before and after them."""

    node: Node
    lines: Sequence[str]
    before: Mark
    after: Mark
    received: datetime


@define(eq=False)
class _Open:
    """A text that is being handed out; `mark` is where that has come to."""

    node: Node
    mark: Mark
    text: LogText
    received: datetime
    lines: list[str] = field(factory=list)
    given: int = 0


class Place(dict[str, Any]):
    """A position that knows the look which goes on there.

    What a look has at hand lives as long as the place at which it goes on. In another
    process, or when something else was read since, the place is as good as any other
    position: the texts are asked for again.
    """

    __slots__ = ("look", "turn")

    def __init__(self, position: Position, look: "Look", turn: int) -> None:
        super().__init__(position)
        self.look = look
        self.turn = turn

    async def next_page(self) -> LogPage | None:
        """The page that follows; None if it must be asked for anew."""
        return await self.look.page() if self.turn == self.look.turn else None


def unread(
    nodes: Iterable[Node], marks: Marks, *, run_ended: bool
) -> Iterator[tuple[Node, Mark]]:
    """The nodes to ask for their log, each with where to go on.

    A node that waits for its pod has none yet; one that was read to its end is not
    asked again, unless it was retried since.
    """
    for node in nodes:
        mark = marks.of(node)
        if not mark.done and (run_ended or node.phase not in {"", "Pending"}):
            yield node, mark


@define(eq=False)
class Look:
    """What is new in a run's logs since some marks, in the order of the nodes.

    Attributes:
        nodes: The run's nodes with logs, in the order of their start.
        marks: Where to go on.
        status: What the run's detail said just before.
        read: Asks for a node's log, without so many lines.
        clock: Tells when lines were received.
        turn: Counts the pages; only the place after the last one goes on.
    """

    nodes: Sequence[Node]
    marks: Marks
    status: Status
    read: Callable[[Node, int], Awaitable[LogText]]
    clock: Clock
    turn: int = field(default=0, init=False)
    _unasked: deque[tuple[Node, Mark]] = field(init=False)
    _open: deque[_Open] = field(factory=deque, init=False)
    _incomplete: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.marks = self.marks.folded(self.nodes)
        self._unasked = deque(unread(self.nodes, self.marks, run_ended=self._ended))

    @property
    def _ended(self) -> bool:
        return self.status.state.final

    @property
    def _looks(self) -> int:
        """Failed looks at an ended node's log after which it has none.

        Archiving may take a while, but not for ever.
        """
        ended = self.status.ended
        long_ago = ended is not None and self.clock.utc() - ended > _ARCHIVING
        return 2 if long_ago else _ASKED

    async def page(self) -> LogPage:
        """The next page; one that fails ends the look, as no place has its turn."""
        self.turn += 1
        try:
            return await self._page()
        except BaseException:
            self._open.clear()
            raise

    async def _page(self) -> LogPage:
        readings: list[Reading] = []
        count = 0
        while count < ENOUGH and (self._open or self._unasked):
            if not self._open:
                await self._ask()
            reading = await self._next()
            readings.append(reading)
            count += len(reading.lines)
        if self._open or self._unasked:
            page = make_page(readings, self.marks, look=self)
        else:
            page = make_page(readings, self.marks, status=self.status)
            page = evolve(page, incomplete=self._incomplete)
        self.marks = _reached(self.marks, readings, count)
        return page

    async def _ask(self) -> None:
        """Read the texts of the next nodes to their ends."""
        asked = [
            self._unasked.popleft() for _ in range(min(AT_ONCE, len(self._unasked)))
        ]
        texts: dict[str, LogText] = {}

        async def read(item: tuple[Node, Mark]) -> None:
            node, mark = item
            texts[node.id] = await self.read(node, mark.lines)

        await each(asked, read)
        received = self.clock.utc()
        self._open.extend(
            _Open(node, mark, texts[node.id], received) for node, mark in asked
        )

    async def _next(self) -> Reading:
        """The next lines of the first open text, or what its end means."""
        one = self._open[0]
        if one.given == len(one.lines):
            one.lines, one.given = await one.text.next_lines(), 0
        lines = one.lines[one.given : one.given + PAGE]
        one.given += len(lines)
        before = one.mark
        if lines:
            one.mark = evolve(before, lines=before.lines + len(lines))
            return Reading(one.node, lines, before, one.mark, one.received)
        self._open.popleft()
        if one.text.cut:
            self._unasked.appendleft((one.node, before))
            return Reading(one.node, (), before, before, one.received)
        lines, after = finish(
            one.node, before, one.text, run_ended=self._ended, looks=self._looks
        )
        self._incomplete |= after.missed > 0 and not after.done
        return Reading(one.node, lines, before, after, one.received)


def finish(
    node: Node, before: Mark, text: LogText, *, run_ended: bool, looks: int = _ASKED
) -> tuple[list[str], Mark]:
    """What the end of a node's text means.

    The unfinished last line counts once the node has ended.
    """
    ended = node.ended or run_ended
    missed = before.missed + 1 if text.error and ended else 0
    done = ended and (not text.error or missed >= looks)
    # A text that is short of lines that were passed on has no new one.
    lines = [text.rest] if done and text.rest and not text.missing else []
    return lines, Mark(before.lines + len(lines), missed, done)


def make_page(
    readings: Sequence[Reading],
    marks: Marks,
    *,
    look: Look | None = None,
    status: Status | None = None,
) -> LogPage:
    """New lines as one page.

    Args:
        readings: The lines, by nodes.
        marks: Where they begin.
        look: What goes on behind the page; None after the last one.
        status: The run's status. It goes with the last page: what was asked for
            together with it was asked for before it was known.
    """
    turn = 0 if look is None else look.turn
    events: list[LogEvent] = []
    for reading in readings:
        source = reading.node.display_name
        received = repeat(reading.received)
        events.extend(map(LogEvent, received, reading.lines, repeat(source)))

    def after(count: int) -> Position:
        position = _reached(marks, readings, count).position()
        if look is not None and count == len(events):
            return Place(position, look, turn)
        return position

    return LogPage(events, after, more=look is not None, status=status)


def _reached(marks: Marks, readings: Sequence[Reading], count: int) -> Marks:
    """The marks after so many lines; what has no lines is reached before the next."""
    reached: list[tuple[Node, Mark]] = []
    for reading in readings:
        taken = min(count, len(reading.lines))
        count -= taken
        if taken == len(reading.lines):
            reached.append((reading.node, reading.after))
            continue
        if taken:
            lines = reading.before.lines + taken
            reached.append((reading.node, evolve(reading.before, lines=lines)))
        break
    return marks.with_marks(reached)
