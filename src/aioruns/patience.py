"""How long failures that pass are endured by those who ask again and again."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define, field

from aioruns.errors import CallError, NotSent, Rejected, Unreadable
from aioruns.http.clock import Clock

T = TypeVar("T")

logger = logging.getLogger("aioruns.patience")

PATIENCE = 120.0
"""Seconds for which reading may fail again and again before those who wait fail."""

PATIENCE_UNKNOWN = 20.0
"""The same for a server that never answered well: its address may be wrong."""

FIRST_PAUSE = 0.3
"""Seconds before asking again, at first."""

LONGEST_PAUSE = 10.0
"""Seconds before asking again, in the end."""


@define
class Patience:
    """How long failures of what is asked again and again are endured.

    A refusal is not: asking again would not change it. Nor is what is conclusive. What
    cannot be read, or no connection, mostly means a wrong address, unless there was a
    good answer before.

    Attributes:
        answered: Whether there was one.
    """

    answered: bool = False
    _since: float | None = field(default=None, init=False)

    def endures(self, error: CallError, now: float) -> bool:
        """Whether to ask again after this error."""
        self._since = now if self._since is None else self._since
        doubtful = isinstance(error, Unreadable | NotSent) and not self.answered
        limit = PATIENCE_UNKNOWN if doubtful else PATIENCE
        refused = isinstance(error, Rejected) and error.status < 429
        if not refused and not error.conclusive and now - self._since < limit:
            return True
        self._since = None
        return False

    def restore(self) -> None:
        """Asking succeeded."""
        self._since, self.answered = None, True


async def patiently(call: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Ask until there is an answer, or patience is at its end.

    Args:
        call: Asks once, with the session's own retries.
        clock: Where time comes from.

    Returns:
        What `call` returns.

    Raises:
        CallError: What `call` raised last.
    """
    patience, pause = Patience(), FIRST_PAUSE
    while True:
        try:
            return await call()
        except CallError as error:
            if not patience.endures(error, clock.now()):
                raise
            logger.info("asking again: %s", error)
        await clock.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
