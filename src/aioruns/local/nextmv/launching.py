"""Queueing the runs of a batch, which may be many."""

import asyncio
from collections.abc import Mapping, Sequence

import anyio
from attrs import define, evolve, field

from aioruns.local.nextmv.experiments import Experiments
from aioruns.local.nextmv.planning import Planned
from aioruns.local.nextmv.removing import remove
from aioruns.local.nextmv.starting import Prepared, Starter
from aioruns.local.records import Json

_PATIENCE = 2.0
"""Seconds that a creation waits until all its runs are queued before it answers."""


def queueable(prepared: Prepared) -> Prepared:
    """The same run, which now may wait for a slot whatever its instance says.

    Experiments have more runs than there are slots.
    """
    queuing = {k: v for k, v in prepared.detail["queuing"].items() if k != "disabled"}
    return evolve(prepared, detail={**prepared.detail, "queuing": queuing})


@define
class _Launch:
    done: asyncio.Event = field(factory=asyncio.Event)
    unwanted: bool = False


@define
class Launcher:
    """Prepares the runs of batches, and queues them beside the requests."""

    book: Experiments
    starter: Starter
    _launches: dict[tuple[str, str], _Launch] = field(factory=dict)

    async def prepare(
        self,
        app: str,
        runs: Sequence[Planned],
        option_sets: Mapping[str, Json],
        content_type: str,
    ) -> list[tuple[Planned, Prepared]]:
        """Look up everything that planned runs name; none of them starts yet.

        Args:
            app: The application's id.
            runs: The runs.
            option_sets: The options that each of them names.
            content_type: The format of all inputs and outputs; empty leaves it to them.

        Raises:
            Refusal: Something is missing.
        """
        found = []
        for run in runs:
            options = option_sets.get(run.option_set)
            fields: dict[str, Json] = {"input_id": run.input_id, "options": options}
            if content_type:
                kind = {"type": content_type}
                fields["configuration"] = {"format": {"input": kind, "output": kind}}
            prepared = await self.starter.prepare(
                app, fields, instance_id=run.instance_id, version_id=run.version_id
            )
            found.append((run, prepared))
        return found

    async def launch(
        self,
        app: str,
        batch: dict[str, Json],
        runs: Sequence[tuple[Planned, Prepared]],
    ) -> None:
        """Store a new batch and queue its runs, or begin to if they are many."""
        launch = self._launches[app, batch["id"]] = _Launch()
        await self.book.keep(app, batch)
        self.book.desk.background.start(self._queue(app, batch, runs))
        with anyio.move_on_after(_PATIENCE):
            await launch.done.wait()

    def cut_short(self, app: str, key: str) -> bool | None:
        """Whether a server ended half way, so that some runs will never be queued.

        None if all were queued; False while they are being queued.
        """
        if (app, key) in self._launches:
            return False
        batch = self.book.get(app, key)
        return None if batch is None or batch["launched"] else True

    async def stop(self, app: str, key: str) -> None:
        """Queue no more runs of a batch."""
        launch = self._launches.get((app, key))
        if launch is not None:
            launch.unwanted = True
            await launch.done.wait()

    async def _queue(
        self,
        app: str,
        batch: Mapping[str, Json],
        runs: Sequence[tuple[Planned, Prepared]],
    ) -> None:
        key = batch["id"]
        launch = self._launches[app, key]
        own = {"experiment_id": key, "experiment_type": batch["type"]}
        try:
            for run, prepared in runs:
                if launch.unwanted:
                    return
                more = {**run.row(), **own}
                record = await self.starter.start(queueable(prepared), more)
                if self.book.desk.find("applications", app) is None:
                    # Whoever deleted the application did not see this run.
                    await remove(self.book.desk, self.book.verdicts, record)
                    return
            # It may have been renamed, or deleted with its application.
            if (now := self.book.get(app, key)) is not None:
                await self.book.keep(app, now | {"launched": True})
        finally:
            del self._launches[app, key]
            launch.done.set()
