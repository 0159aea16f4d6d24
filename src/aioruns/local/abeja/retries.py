"""Starting failed programs again, as the platform does between attempts."""

import asyncio
import logging

from aioruns.local.abeja.runs import PLATFORM
from aioruns.local.abeja.views import attempts_left
from aioruns.local.engine import Engine
from aioruns.local.records import RunRecord, State

_LOG = logging.getLogger("aioruns.local")


class Retries:
    """Queue runs again that failed, while they have attempts left.

    Args:
        engine: Whose runs.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._resets: set[asyncio.Task[None]] = set()
        engine.watch(PLATFORM, self._observe)

    def _observe(self, record: RunRecord) -> None:
        if record.state is not State.FAILED or not attempts_left(record):
            return
        # The engine is not done with the failure yet. This task begins before all who
        # wait for the run's end, so they go on waiting.
        reset = self._engine.reset(PLATFORM, record.id)
        task = asyncio.get_running_loop().create_task(reset)
        self._resets.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._resets.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("A failed run could not be queued again", exc_info=error)
