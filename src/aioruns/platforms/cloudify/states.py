"""The states of many executions: by their ids, or from pages of all executions.

A page is a thousand executions, and a request by ids about eighty (wire/cloudify.md
6.1). Where hundreds are followed that were started lately, pages are cheaper.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from aioruns.errors import NotFound
from aioruns.http.codec import DecodeError, decode
from aioruns.platforms.cloudify import requests
from aioruns.platforms.cloudify.errors import AmbiguousNameError
from aioruns.platforms.cloudify.models import ExecutionState
from aioruns.platforms.cloudify.rounds import Round
from aioruns.platforms.cloudify.statuses import of_ids, status_of
from aioruns.platforms.cloudify.words import Words
from aioruns.seam import RunRef, Status
from aioruns.together import each

if TYPE_CHECKING:
    from aioruns.platforms.cloudify.client import Cloudify

_FEW = 3
"""Requests by ids that are made without a thought of pages."""

_RESTS = 20
"""Rounds by ids after one in which pages brought less than ids would have."""


@define(eq=False)
class States:
    """Reads the states of executions.

    Attributes:
        client: Sends the requests.
    """

    client: "Cloudify"
    _rests: int = field(default=0, init=False)
    _bodies: dict[int, tuple[bytes, Words]] = field(factory=dict, init=False)
    _last: Round | None = field(default=None, init=False)

    async def read(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read states; see `aioruns.seam.Platform.read_states`."""
        if len(refs) == 1:
            (ref,) = refs
            row: ExecutionState | None
            try:
                row = await self.client.send(requests.get_state(ref.id))
            except NotFound:
                return {}
            except AmbiguousNameError:
                row = await self._oldest(ref.id)
            return {} if row is None else {ref: status_of(ref, row)}
        if len(refs) > _FEW * requests.MOST_IDS:
            if not self._rests:
                return await self._read_pages(refs, known)
            self._rests -= 1
        wanted: dict[str, list[RunRef]] = {}
        for ref in refs:
            wanted.setdefault(ref.id, []).append(ref)
        if len(wanted) == 1:
            (run_id,) = wanted
            row = await self.read_one(run_id)
            rows = {} if row is None else {run_id: row}
        else:
            rows = await self._by_ids(wanted)
        return {
            ref: status_of(ref, row)
            for run_id, row in rows.items()
            for ref in wanted.get(run_id, ())
        }

    async def read_one(self, run_id: str) -> ExecutionState | None:
        """Read one execution; None if there is no such."""
        try:
            return await self.client.send(requests.get_state(run_id))
        except NotFound:
            return None
        except AmbiguousNameError:
            return await self._oldest(run_id)

    async def _oldest(self, run_id: str) -> ExecutionState | None:
        """What stands for several executions of one id; see `of_ids`."""
        page = await self.client.send(requests.list_states([run_id]))
        return of_ids(page.items).get(run_id)

    async def _by_ids(self, run_ids: Iterable[str]) -> dict[str, ExecutionState]:
        found: dict[str, ExecutionState] = {}

        async def read_chunk(ids: Sequence[str]) -> None:
            page = await self.client.send(requests.list_states(ids))
            found.update(of_ids(page.items))

        await each(requests.chunks(run_ids), read_chunk)
        return found

    async def _read_pages(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read pages while they bring more than ids would, and the rest by ids."""
        this = Round.after(self._last, refs, known)
        offset = pages = 0
        while True:
            page = await self._page(offset)
            pages += 1
            offset += page.count
            gained = this.take(page)
            if not this.missing or not page.count or offset >= page.total:
                break
            rest = -(-(page.total - offset) // requests.ROWS)
            chunks = -(-this.missing // requests.MOST_IDS)
            if rest > chunks and gained < requests.MOST_IDS:
                break
        if this.found < pages * requests.MOST_IDS:
            self._rests = _RESTS
        for beyond in [one for one in self._bodies if one >= offset]:
            del self._bodies[beyond]
        unsure = this.unsure()
        rows = await self._by_ids(unsure) if unsure else {}
        self._last = this
        return this.finish(unsure, rows)

    async def _page(self, offset: int) -> Words:
        """A page; the very same if its bytes are those of the round before."""
        body = await self.client.send(requests.list_words_undecoded(offset))
        kept = self._bodies.get(offset)
        if kept is not None and kept[0] == body:
            return kept[1]
        try:
            page = decode(body, Words)
        except DecodeError:
            # Once more by the way that tells what is wrong.
            page = await self.client.send(requests.list_words(offset))
        else:
            self._bodies[offset] = body, page
        return page
