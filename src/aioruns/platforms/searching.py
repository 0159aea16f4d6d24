"""Looking for many submissions in one listing: one walk finds them all.

A listing without a filter has to be walked from its newest row as far back as the
submission may lie. In a sweep that is most of the sweep, and hundreds of submissions
may be in doubt at once: walks of their own would be as many requests as all the rest.
"""

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
from attrs import define, field

from aioruns.errors import CallError
from aioruns.seam import RunRef, Submission

Walk = Callable[[Sequence[Submission]], Awaitable[Mapping[str, RunRef]]]
"""Walks a listing; returns what it found of some submissions, by their keys."""


@define(eq=False)
class _Seeker:
    """One who looks for a submission.

    Attributes:
        submission: Which.
        done: Whether a walk has told.
        found: Its run, if there is one.
        error: Why the walk failed, if it did.
    """

    submission: Submission
    done: bool = False
    found: RunRef | None = None
    error: CallError | None = None


@define(eq=False)
class Search:
    """Bundles those who look for submissions in the same listing.

    Who comes while a walk is under way waits for the next one, as this one may be past
    the place already. There is no background task: one of those who wait walks for all.

    Attributes:
        walk: Walks the listing once.
    """

    walk: Walk
    _waiting: list[_Seeker] = field(factory=list, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)

    async def find(self, submission: Submission) -> RunRef | None:
        """The run of a submission, by a walk that begins after this call.

        Raises:
            CallError: The listing could not be read.
        """
        me = _Seeker(submission)
        self._waiting.append(me)
        try:
            async with self._turn:
                if not me.done:
                    await self._walk()
        except BaseException:
            if me in self._waiting:
                self._waiting.remove(me)
            raise
        if me.error is not None:
            # Each one's own, as whoever raises it adds to it.
            raise copy.copy(me.error) from me.error
        return me.found

    async def _walk(self) -> None:
        seekers = self._waiting
        self._waiting = []
        try:
            found = await self.walk([one.submission for one in seekers])
        except CallError as error:
            for one in seekers:
                one.done, one.error = True, error
        except BaseException:
            # Somebody else walks for those who are left.
            self._waiting = seekers + self._waiting
            raise
        else:
            for one in seekers:
                one.done, one.found = True, found.get(one.submission.key)
