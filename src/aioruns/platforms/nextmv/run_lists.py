"""Which pages of an application's runs are worth reading (wire/nextmv.md 8.1).

The list has no filter, a page has at most 50 runs, and the order is not documented. So
what the pages held is remembered for the next round, and pages are read as far as they
take fewer requests than single reads.
"""

from collections.abc import Collection, Mapping, Sequence
from math import ceil

from attrs import define, field

from aioruns.paging import pages
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.state_rows import StateRows, failed_since
from aioruns.seam import RunRef, Status

_PAGE_SIZE = 50
_SINGLE_READS = 2
"""So many runs that no page has held yet are read one by one."""

_VENTURE = 20
"""One page is ventured for so many runs of which no page has held any."""

_MOST_PAGES = 2000
"""Pages of which is remembered what they held."""

_FIRST_PAUSE = 1.0
"""Seconds for which a run that no page held is read singly, at first: the list may only
lag behind. Doubled while pages are read in vain."""

_LONGEST_PAUSE = 60.0


@define(eq=False)
class _Round:
    """One reading of many runs, which told all about them.

    Mostly nothing has changed when the next round comes: pages that say the same of the
    same runs are then not looked at row by row.
    """

    refs: Sequence[RunRef]
    wanted: Mapping[str, RunRef]
    pages: list[tuple[StateRows, Mapping[RunRef, Status]]] = field(factory=list)
    failed: list[RunRef] = field(factory=list)

    def of(self, number: int, page: StateRows) -> Mapping[RunRef, Status] | None:
        """What a page of that number means, if it says what it said before."""
        if number < len(self.pages):
            before, said = self.pages[number]
            if before.ids == page.ids and before.texts == page.texts:
                return said
        return None


@define(eq=False)
class RunList:
    """The list of one application's runs.

    Attributes:
        client: The platform.
        app_id: The application.
    """

    client: Client
    app_id: str
    _held: list[Sequence[str]] = field(factory=list, init=False)
    _round: _Round | None = field(default=None, init=False)
    _far_off: dict[str, float] = field(factory=dict, init=False)
    _pause: float = field(default=_FIRST_PAUSE, init=False)

    async def read(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> tuple[dict[RunRef, Status], Sequence[RunRef]]:
        """Read the states of runs from as many pages as pay.

        Args:
            refs: Which runs.
            known: What was known of them; see `StateRows.statuses`.

        Returns:
            Those that the pages held, and which of them have failed meanwhile; the
            others are to be read singly.
        """
        asked = list(refs)
        last = self._round
        if last is not None and last.refs == asked:
            wanted, planned = last.wanted, len(last.pages)
        else:
            last, wanted = None, self._near(asked)
            planned = self._plan(wanted)
        found: dict[RunRef, Status] = {}
        this = _Round(asked, wanted)
        if planned:
            await self._read(this, last, planned, found, known)
            self._note_far_off(wanted, found)
        told = len(found) == len(asked) and not this.failed
        self._round = this if told else None
        return found, this.failed

    async def _read(
        self,
        this: _Round,
        last: _Round | None,
        planned: int,
        found: dict[RunRef, Status],
        known: Mapping[RunRef, Status],
    ) -> None:
        wanted = this.wanted
        credit = 1 + len(wanted) // _VENTURE
        in_vain = 0
        complete = False
        async for (page,) in pages(self._page):
            before = len(found)
            said = last.of(len(this.pages), page) if last else None
            if said is None:
                said = page.statuses(wanted, known)
                this.failed += failed_since(known, said)
            found.update(said)
            this.pages.append((page.without_times, said))
            in_vain = 0 if len(found) > before else in_vain + 1
            missing = len(wanted) - len(found)
            complete = not page.token
            # Beyond the plan, those pages that held runs pay for those that do not.
            read = len(this.pages)
            if not missing or (
                read >= planned and (in_vain >= missing or read >= len(found) + credit)
            ):
                break
        end = None if complete else len(this.pages)
        self._held[:end] = [page.ids for page, _ in this.pages]
        del self._held[_MOST_PAGES:]

    async def _page(self, token: str | None) -> tuple[Sequence[StateRows], str | None]:
        page = await self.client.send(requests.state_rows(self.app_id, token))
        return (page,), page.token

    def _near(self, refs: Collection[RunRef]) -> dict[str, RunRef]:
        """Those that pages may hold, by their ids."""
        wanted = {ref.id: ref for ref in refs}
        if self._far_off:
            now = self.client.session.clock.now()
            self._far_off = {
                run_id: until for run_id, until in self._far_off.items() if until > now
            }
            for run_id in wanted.keys() & self._far_off.keys():
                del wanted[run_id]
        return wanted

    def _plan(self, wanted: dict[str, RunRef]) -> int:
        """How many pages to read, going by what they held the last time.

        Runs that are farther back are taken out: reading them singly costs less.
        """
        left = set(wanted)
        farther: set[str] = set()
        planned, saved, most_saved = 0, 0, 0
        for number, ids in enumerate(self._held, 1):
            held = left.intersection(ids)
            left -= held
            farther |= held
            saved += len(held) - 1
            if saved > most_saved:
                planned, most_saved = number, saved
                farther.clear()
            if not left:
                break
        for run_id in farther:
            del wanted[run_id]
        # Runs that no page has held are new ones, which are on pages of their own.
        if len(left) > _SINGLE_READS:
            planned += ceil(len(left) / _PAGE_SIZE)
        return planned

    def _note_far_off(
        self, wanted: Mapping[str, RunRef], found: Mapping[RunRef, Status]
    ) -> None:
        if len(found) == len(wanted):
            self._pause = _FIRST_PAUSE
            return
        until = self.client.session.clock.now() + self._pause
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
        for run_id, ref in wanted.items():
            if ref not in found:
                self._far_off[run_id] = until
