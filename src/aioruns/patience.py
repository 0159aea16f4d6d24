"""How long failures that pass are endured by those who ask again and again."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define, field

from aioruns.errors import CallError, Rejected, Unreadable
from aioruns.http.clock import Clock

T = TypeVar("T")

logger = logging.getLogger("aioruns.patience")

PATIENCE = 120.0
"""Seconds for which reading may fail again and again before those who wait fail."""

PATIENCE_UNREADABLE = 20.0
"""The same for answers that cannot be read, where none could be read before."""

FIRST_PAUSE = 0.3
"""Seconds before asking again, at first."""

LONGEST_PAUSE = 10.0
"""Seconds before asking again, in the end."""


@define
class Patience:
    """How long failures of what is asked again and again are endured.

    A refusal is not: asking again would not change it. Nor is what is conclusive. What
    cannot be read mostly means a wrong address, unless it was answered well before.
    """

    _since: float | None = field(default=None, init=False)
    _answered: bool = field(default=False, init=False)

    def endures(self, error: CallError, now: float) -> bool:
        """Whether to ask again after this error."""
        self._since = now if self._since is None else self._since
        doubtful = isinstance(error, Unreadable) and not self._answered
        limit = PATIENCE_UNREADABLE if doubtful else PATIENCE
        refused = isinstance(error, Rejected) and error.status < 429
        if not refused and not error.conclusive and now - self._since < limit:
            return True
        self._since = None
        return False

    def restore(self) -> None:
        """Asking succeeded."""
        self._since, self._answered = None, True


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
