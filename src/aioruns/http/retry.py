"""When to try again, and after how long: a pure policy."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from attrs import define, field, frozen

from aioruns.errors import CallError, NotSent, Rejected, TooManyRequests

_RETRIED_STATUSES = frozenset({408, 425, 500, 502, 503, 504})


@frozen
class RetryPolicy:
    """Full jitter between attempts, with the server's Retry-After as a floor.

    What may be repeated is a property of the request. A request that did not leave, or
    that was refused with 429, may always be sent again; after an unknown outcome or a
    5xx only a repeatable one may.

    Attributes:
        attempts: How often a request is tried at most.
        base: Seconds; the upper bound of the first pause, doubled for each further one.
        longest: Seconds; the upper bound of any pause that we choose ourselves.
        longest_retry_after: Seconds; when the server asks for more, the call fails at
            once with its error instead of waiting.
    """

    attempts: int = 6
    base: float = 0.5
    longest: float = 20.0
    longest_retry_after: float = 120.0

    def pause(
        self,
        error: CallError,
        attempt: int,
        *,
        repeatable: bool,
        random: Callable[[], float],
    ) -> float | None:
        """Seconds to wait before the next attempt, or None to give the error up.

        Args:
            error: How the attempt failed.
            attempt: Its number, from 1.
            repeatable: Whether the request may be sent twice.
            random: Draws from [0, 1).
        """
        if attempt >= self.attempts or not self._may_repeat(
            error, repeatable=repeatable
        ):
            return None
        drawn = random() * min(self.longest, self.base * 2.0 ** (attempt - 1))
        asked = error.retry_after if isinstance(error, Rejected) else None
        if asked is None:
            return drawn
        return None if asked > self.longest_retry_after else asked + drawn

    @staticmethod
    def _may_repeat(error: CallError, *, repeatable: bool) -> bool:
        if isinstance(error, NotSent | TooManyRequests):
            return True
        if isinstance(error, Rejected) and error.status not in _RETRIED_STATUSES:
            return False
        return repeatable


@define
class RetryBudget:
    """Retries that all calls share, so that a broken server is not flooded.

    Every retry takes one token; every success gives some back.

    Attributes:
        size: Tokens at the start, and at most.
        refund: Tokens that a success gives back: a server may fail every third time for
            as long as it likes.
    """

    size: float = 500.0
    refund: float = 0.5
    _left: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.size

    def take(self) -> bool:
        """Take a token for a retry; false when none is left."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def succeeded(self) -> None:
        """Give back what a success earns."""
        if self._left < self.size:
            self._left = min(self.size, self._left + self.refund)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header: seconds, or a date.

    Args:
        value: The header's text, or None.
        now: The wall clock, for dates.

    Returns:
        Seconds, never negative; None when absent or unreadable.
    """
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
