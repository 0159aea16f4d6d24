"""Live logs as the documented operation gives them (wire/nextmv.md 3.3.3)."""

from collections.abc import Callable, Sequence

from attrs import evolve

from aioruns.http.codec import Json
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.models.logs import TimestampedRunLog
from aioruns.platforms.nextmv.models.statuses import FINAL
from aioruns.platforms.nextmv.polling import (
    DEFAULT_POLLING_OPTIONS,
    PollingOptions,
    poll,
)
from aioruns.platforms.nextmv.saying import sayer

_SHORTEST_HINT = 0.05
"""Seconds; a platform that asks to be asked at once must not make us spin."""

LogFunction = Callable[[TimestampedRunLog], None]


class RunTailing:
    """Follows logs by polling them; reached as `application.run_tailing`.

    `Run.logs` is an asynchronous iterator of the same, which can be continued.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._app_id = app_id

    async def run_logs_with_polling(
        self,
        run_id: str,
        verbose: bool = False,
        rich_print: bool = False,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
        log_func: LogFunction | None = None,
    ) -> list[TimestampedRunLog]:
        """Follow a run's log until the run has ended.

        The platform says when there may be more; where it does not, the pauses are
        those of the polling options, which begin anew whenever lines came.

        Args:
            run_id: Which run.
            verbose: Whether to write each line to standard error as it comes.
            rich_print: Whether to write them with `rich`.
            polling_options: When to ask, and when to give up; by default never. They
                are not changed.
            log_func: Called with each line as it comes.

        Returns:
            All lines once, sorted by time; those of the same time as they came.

        Raises:
            InvalidInput: `rich_print` without `rich`.
            GaveUp: The polling options say that it took too long; also a TimeoutError.
            NotFound: There is no such run.

        Example:
            ```python
            for line in await app.run_logs_with_polling("run-1"):
                print(line.timestamp, line.log)
            ```
        """
        tail = _Tail(self._client, self._app_id, run_id, polling_options)
        say = await sayer(verbose=verbose, rich_print=rich_print)
        tail.heard = [lambda line: say(f"[{line.timestamp}] {line.log}")]
        if log_func is not None:
            tail.heard.append(log_func)
        options = evolve(polling_options, sleep_duration_func=tail.pause)
        lines = await poll(
            options, self._client.session.clock, tail.ask, what=f"the log of {run_id}"
        )
        return sorted(lines, key=lambda line: line.timestamp)


class _Tail:
    """What has come of one log, and when to ask for more."""

    def __init__(
        self, client: Client, app_id: str, run_id: str, options: PollingOptions
    ) -> None:
        self._client = client
        self._clock = client.session.clock
        self._which = (app_id, run_id)
        self._options = options
        self._lines: list[TimestampedRunLog] = []
        self._since: str | None = None
        self._hint = 0.0
        self._quiet = 0
        self.heard: list[LogFunction] = []

    async def ask(self) -> list[TimestampedRunLog] | None:
        """Read the next page; once the run has ended, all that is left."""
        ended = False
        while True:
            request = requests.live_logs(*self._which, self._since)
            page = await self._client.send(request)
            new = page.items[_repeated(self._lines, page.items) :]
            self._lines += new
            for line in new:
                for hear in self.heard:
                    hear(line)
            self._quiet = 1 if new else self._quiet + 1
            self._hint = page.next_available_in_seconds
            asked_after_end, ended = ended, ended or page.status_v2 in FINAL
            following = page.next_page_token
            known = not following or following == self._since
            self._since = following or self._since
            if not ended:
                return None
            # A final answer may point to a page with the last lines.
            if known or (asked_after_end and not new):
                return self._lines
            if self._hint > 0:
                await self._clock.sleep(min(self._hint, self._options.max_delay))

    def pause(self) -> float:
        """Seconds: what the platform asks for, and otherwise what the options say."""
        if self._hint > 0:
            return max(self._hint, _SHORTEST_HINT)
        return self._options.pause(self._quiet)


def _repeated(
    lines: Sequence[TimestampedRunLog], items: Sequence[TimestampedRunLog]
) -> int:
    """How many of a page's first items are the last lines that came before.

    A page that is asked for again with the same token grows, and pages may overlap.
    Lines are the same if all that the platform says of them is.
    """
    tail = [_identity(line) for line in lines[-len(items) :]] if items else []
    head = [_identity(item) for item in items]
    for count in range(len(tail), 0, -1):
        if tail[-count:] == head[:count]:
            return count
    return 0


def _identity(line: TimestampedRunLog) -> Json:
    # The time in digits that a datetime would cut off is in the object as it came.
    return line.raw or {"timestamp": line.timestamp, "log": line.log}
