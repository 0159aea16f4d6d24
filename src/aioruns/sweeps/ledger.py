"""Where it is kept how far each order has come: nowhere, or in a journal."""

from datetime import datetime
from typing import Protocol

import anyio
from attrs import define
from msgspec.structs import replace

from aioruns.journal import Entry, Journal, Stage
from aioruns.runs import Run, RunSpec
from aioruns.seam import RunRef
from aioruns.submitting import retry_key
from aioruns.sweeps.order import Order
from aioruns.sweeps.outcome import Attempt


class Ledger(Protocol):
    """What a sweep tells of its orders."""

    async def serve(self) -> None:
        """Write what is told, until cancelled."""
        ...

    def submitted(self, order: Order) -> None:
        """Its run exists."""
        ...

    def ended(self, order: Order, now: datetime) -> None:
        """Its run has ended, or it could not be submitted."""
        ...

    async def begin_again(self, order: Order, now: datetime) -> None:
        """A further attempt begins, under a key of its own."""
        ...

    async def aclose(self) -> None:
        """Write what is left."""
        ...


@define(eq=False)
class NoLedger:
    """Keeps nothing: a sweep without a journal."""

    async def serve(self) -> None:
        """Nothing to write."""
        await anyio.sleep_forever()

    def submitted(self, order: Order) -> None:
        """Nothing."""

    def ended(self, order: Order, now: datetime) -> None:
        """Nothing."""

    async def begin_again(
        self,
        order: Order,
        now: datetime,  # noqa: ARG002 - for those who write it down
    ) -> None:
        """A new key."""
        order.begin_again(retry_key(order.spec.key, order.attempt + 1))

    async def aclose(self) -> None:
        """Nothing."""


@define(eq=False)
class JournalLedger:
    """Keeps orders in a journal, and takes them up where an earlier process left them.

    Attributes:
        journal: Open, and of this sweep alone.
    """

    journal: Journal

    async def serve(self) -> None:
        """Write what is told, until cancelled."""
        await self.journal.serve()

    def take_up(self, index: int, spec: RunSpec, entry: Entry) -> Order:
        """The order of a spec: new, or as an earlier process left it."""
        order = Order(index, spec, entry.key, entry=entry, attempt=entry.attempt)
        if entry.run_id is not None:
            order.ref = RunRef(spec.target, entry.run_id)
            order.submitted = entry.submitted
        elif not entry.fresh:
            # Whether its request arrived, or why it was refused, is for the platform to
            # say now.
            order.since = entry.since
            order.entry = replace(entry, stage=Stage.SUBMITTING)
        if entry.stage is Stage.ENDED and order.ref is not None:
            order.status, order.finished = entry.status, entry.finished
        return order

    async def recall(self, order: Order) -> None:
        """Read the attempts before an order's, which earlier processes made."""
        if order.entry is not None:
            before = await self.journal.earlier(order.entry)
            order.earlier = tuple(_attempt(order.spec, one) for one in before)

    def put_back(self, order: Order) -> None:
        """Its submission did not begin after all."""
        if order.entry is not None and order.entry.fresh:
            self.journal.put_back(order.entry)

    def submitted(self, order: Order) -> None:
        """Its run exists."""
        if order.entry and order.ref and order.submitted:
            self.journal.submitted(order.entry, order.ref.id, order.submitted)

    def ended(self, order: Order, now: datetime) -> None:
        """Its run has ended, or it could not be submitted."""
        if order.entry and order.entry.stage is not Stage.ENDED:
            at = order.finished or now
            self.journal.ended(order.entry, at, order.status, order.error)

    async def begin_again(self, order: Order, now: datetime) -> None:
        """A further attempt, whose key is on the disk when this returns."""
        if order.entry is None:
            raise AssertionError
        given = order.spec.key
        key = None if given is None else retry_key(given, order.attempt + 1)
        order.entry = await self.journal.again(order.entry, now, key=key)
        order.begin_again(order.entry.key)

    async def aclose(self) -> None:
        """Write what is left, and let others open the journal."""
        await self.journal.aclose()


def _attempt(spec: RunSpec, entry: Entry) -> Attempt:
    run = _run(spec, entry)
    return Attempt(entry.key, run, entry.status, None, entry.submitted, entry.finished)


def _run(spec: RunSpec, entry: Entry) -> Run | None:
    if entry.run_id is None:
        return None
    return Run(spec.runs, RunRef(spec.target, entry.run_id), entry.key)
