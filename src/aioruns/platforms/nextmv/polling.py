"""Polling as the official client's users set it (wire/nextmv.md 5)."""

import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import frozen

from aioruns.errors import Context, GaveUp
from aioruns.http.clock import Clock

T = TypeVar("T")

logger = logging.getLogger("aioruns.platforms.nextmv")

_SAID_EVERY = 300.0
"""Seconds between two log lines of a poll that nothing bounds."""


@frozen
class PollingOptions:
    """How to poll; a value, which no poll changes.

    Attributes:
        backoff: Seconds; doubled with every poll and added to `delay`.
        delay: Seconds; the least pause between two polls.
        initial_delay: Seconds before the first poll.
        jitter: Seconds; upper bound of what chance adds to a pause.
        max_delay: Seconds; the longest pause, jitter included.
        max_duration: Seconds from the first poll after which to give up; negative
            never gives up.
        max_tries: Polls after which to give up; negative never gives up.
        verbose: Whether every poll is logged at level INFO instead of DEBUG.
        stop: Called before every poll; when it returns true, the poll gives up.
        sleep_duration_func: Makes the pauses instead of the formula; in seconds.
    """

    backoff: float = 0.9
    delay: float = 0.1
    initial_delay: float = 1.0
    jitter: float = 1.0
    max_delay: float = 20.0
    max_duration: float = -1.0
    max_tries: int = -1
    verbose: bool = False
    stop: Callable[[], bool] | None = None
    sleep_duration_func: Callable[[], float] | None = None

    def pause(self, tries: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after so many polls; the cap holds for the jitter as well."""
        if self.sleep_duration_func is not None:
            return max(0.0, self.sleep_duration_func())
        # A large exponent would overflow long after the cap was reached.
        grown = self.delay + self.backoff * 2.0 ** min(tries, 60)
        return min(self.max_delay, grown + self.jitter * chance())


DEFAULT_POLLING_OPTIONS = PollingOptions()
"""Polls until the end, however long that takes, and says so in the log."""


def default_polling_options() -> PollingOptions:
    """The default options."""
    return DEFAULT_POLLING_OPTIONS


async def poll(
    options: PollingOptions,
    clock: Clock,
    ask: Callable[[], Awaitable[T | None]],
    *,
    what: str,
) -> T:
    """Ask until there is an answer.

    Args:
        options: When to ask, and when to give up.
        clock: Where time comes from.
        ask: Returns None for "not yet".
        what: What is waited for, for messages, for example `run r-1`.

    Returns:
        The first answer that is not None.

    Raises:
        GaveUp: `max_tries` or `max_duration` was reached, or `stop` said so.
    """
    await clock.sleep(options.initial_delay)
    began = said = clock.now()
    tries = 0
    while True:
        if options.stop is not None and options.stop():
            raise _gave_up(f"polling {what} was stopped after {tries} tries")
        answer = await ask()
        tries += 1
        if answer is not None:
            return answer
        now = clock.now()
        level = logging.INFO if options.verbose else logging.DEBUG
        logger.log(level, "%s is not ready after %d tries", what, tries)
        if 0 <= options.max_tries <= tries:
            raise _gave_up(f"{what} was not ready after {tries} tries")
        pause = options.pause(tries)
        if options.max_duration >= 0:
            left = began + options.max_duration - now
            if left <= 0:
                raise _gave_up(
                    f"{what} was not ready within {options.max_duration:g} s"
                )
            pause = min(pause, left)
        elif now - said >= _SAID_EVERY:
            said = now
            logger.info(
                "still polling %s after %.0f s, without a limit: set max_duration to "
                "have one",
                what,
                now - began,
            )
        await clock.sleep(pause)


def _gave_up(message: str) -> GaveUp:
    return GaveUp(message, Context(platform="nextmv"))
