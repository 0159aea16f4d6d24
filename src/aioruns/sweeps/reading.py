"""Specs, read as they are needed."""

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
)

import anyio
from attrs import define, field

from aioruns.runs import Runs, RunSpec

Numbered = tuple[int, RunSpec]


@define(eq=False)
class SpecReader:
    """Hands each spec to who submits to its platform.

    A platform that has no room for more keeps the others going: specs for it are put
    aside while theirs are looked for, up to a bound.

    Attributes:
        specs: Any iterable or async iterable.
        most_aside: Specs that may be put aside for one platform.
        on_new: Called with a platform when its first spec was read.
        exhausted: Whether no more will be read.
    """

    specs: Iterable[RunSpec] | AsyncIterable[RunSpec]
    most_aside: int
    on_new: Callable[[Runs], None]
    exhausted: bool = field(default=False, init=False)
    _now: Iterator[RunSpec] | None = field(default=None, init=False)
    _later: AsyncIterator[RunSpec] | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)
    _aside: dict[int, deque[Numbered]] = field(factory=dict, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)
    _reading: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    _room: anyio.Event = field(factory=anyio.Event, init=False)

    @property
    def aside(self) -> bool:
        """Whether specs were read that nobody has taken yet."""
        return any(self._aside.values())

    async def begin(self) -> None:
        """Read the first spec, so that its platform becomes known."""
        if isinstance(self.specs, AsyncIterable):
            self._later = aiter(self.specs)
        else:
            self._now = iter(self.specs)
        taken = await self._next()
        if taken is not None:
            self._put_aside(taken)

    def take_now(self, runs: Runs) -> Numbered | None:
        """The next spec of a platform, if that is there without waiting."""
        mine = self._aside[id(runs)]
        if mine:
            self._room.set()
            return mine.popleft()
        while self._now is not None and not self.exhausted:
            spec = next(self._now, None)
            if spec is None or self.exhausted:
                self.exhausted = True
                return None
            taken = self._count, spec
            self._count += 1
            if spec.runs is runs:
                return taken
            if len(self._put_aside(taken)) >= self.most_aside:
                return None  # `take` waits until there is room
        return None

    async def take(self, runs: Runs) -> Numbered | None:
        """The next spec of a platform; None when there is none any more."""
        mine = self._aside[id(runs)]
        while not mine:
            taken = await self._next()
            if taken is None:
                return mine.popleft() if mine else None
            if taken[1].runs is runs:
                return taken
            theirs = self._put_aside(taken)
            while len(theirs) >= self.most_aside:
                if self._room.is_set():
                    self._room = anyio.Event()
                await self._room.wait()
        self._room.set()
        return mine.popleft()

    def stop(self) -> None:
        """Read no more, and forget what was put aside."""
        self.exhausted = True
        self._reading.cancel()
        for aside in self._aside.values():
            aside.clear()
        self._room.set()

    async def aclose(self) -> None:
        """Close the generator that makes the specs, if it is one.

        Its clean-up runs when the sweep ends, not when garbage is collected.
        """
        if isinstance(self._later, AsyncGenerator):
            await self._later.aclose()

    async def _next(self) -> Numbered | None:
        if self.exhausted:
            return None
        spec = None
        if self._now is not None:
            spec = next(self._now, None)
        elif self._later is not None:
            async with self._turn:
                with anyio.CancelScope() as self._reading:
                    spec = None if self.exhausted else await anext(self._later, None)
        if spec is None or self.exhausted:
            self.exhausted = True
            return None
        self._count += 1
        return self._count - 1, spec

    def _put_aside(self, taken: Numbered) -> deque[Numbered]:
        runs = taken[1].runs
        aside = self._aside.get(id(runs))
        if aside is None:
            aside = self._aside[id(runs)] = deque()
            self.on_new(runs)
        aside.append(taken)
        return aside
