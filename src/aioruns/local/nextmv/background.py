"""Work of the façade that outlives the request that began it."""

import asyncio
import logging
from collections.abc import Coroutine

from attrs import define, field

_LOG = logging.getLogger("aioruns.local")


@define
class Background:
    """Tasks that end when the server does."""

    _tasks: set[asyncio.Task[None]] = field(factory=set)

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run `work` beside the requests; a failure of it is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("Background work of the server failed", exc_info=error)

    async def stop(self) -> None:
        """Cancel what is still under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
