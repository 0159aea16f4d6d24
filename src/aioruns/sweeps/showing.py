"""Shows how far a sweep has come: to a function, on a terminal, or in plain lines."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from attrs import define, field

from aioruns.http.clock import Clock
from aioruns.runs import RunState
from aioruns.sweeps.tally import Progress

_CALLS_APART = 0.1
_LINES_APART = 5.0

_NO_RICH = (
    "aioruns: progress is drawn on the terminal once rich is there: "
    'pip install "aioruns[cli]"'
)


class Display(Protocol):
    """Where progress is shown.

    Attributes:
        every: Seconds between two looks.
        ticks: Whether it is shown again although only time has passed.
    """

    every: float
    ticks: bool

    def show(self, progress: Progress, *, over: bool) -> None:
        """Show it; `over` says that the sweep has ended, in whatever way."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found."""
        ...


@define(eq=False)
class Showing:
    """Shows progress as long as it is entered, and once more when it is left.

    Attributes:
        wanted: What `as_completed` was given as `progress`.
        ask: Tells how far the sweep has come.
        fail: Takes what showing the end raises, unless the sweep has failed before.
    """

    wanted: bool | Callable[[Progress], None]
    ask: Callable[[], Progress]
    fail: Callable[[BaseException], None]
    _display: Display | None = field(default=None, init=False)
    _shown: tuple[object, ...] = field(init=False, default=())
    _failed: bool = field(default=False, init=False)

    async def __aenter__(self) -> Self:
        self._shown = _counts(self.ask())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        display = self._open()
        if display is None:
            return
        try:
            if not self._failed:
                display.show(self.ask(), over=True)
        except Exception as failed:  # noqa: BLE001 - raised when the block is left
            self.fail(failed)
        finally:
            display.close()

    async def serve(self, clock: Clock) -> None:
        """Show what changes, until cancelled."""
        display = self._open()
        if display is None:
            return
        try:
            if display.ticks:
                display.show(self.ask(), over=False)
            while True:
                await clock.sleep(display.every)
                progress = self.ask()
                counts = _counts(progress)
                if display.ticks or counts != self._shown:
                    self._shown = counts
                    display.show(progress, over=False)
        except Exception:
            # Who could not be told once is not told again.
            self._failed = True
            raise

    def _open(self) -> Display | None:
        # As late as that, so that who draws first is seen by whoever comes next.
        if self._display is None:
            self._display = _display(wanted=self.wanted)
        return self._display


@define(eq=False)
class Told:
    """Tells a function of the caller's.

    Attributes:
        function: What is called, in the event loop.
    """

    function: Callable[[Progress], None]
    every: float = _CALLS_APART
    ticks: bool = False

    def show(
        self,
        progress: Progress,
        *,
        over: bool,  # noqa: ARG002 - for those who draw
    ) -> None:
        """Call it."""
        self.function(progress)

    def close(self) -> None:
        """Nothing."""


@define(eq=False)
class PlainLines:
    """Writes lines to stderr, for files and for terminals that cannot do more."""

    every: float = _LINES_APART
    ticks: bool = False
    _failure: str | None = field(default=None, init=False)

    def show(self, progress: Progress, *, over: bool) -> None:
        """Write a line, with the latest failure if that is a new one."""
        said = ", ".join(text for text, _ in facts(progress, over=over))
        line = f"aioruns: {done(progress)} done, {said}"
        latest = next(iter(progress.failures), None)
        if latest not in {None, self._failure}:
            line += f"; latest failure: {on_one_line(latest or '')}"
            self._failure = latest
        _write(line)

    def close(self) -> None:
        """Nothing."""


def done(progress: Progress) -> str:
    """How many outcomes there are, of how many."""
    if progress.total is None:
        return str(progress.done)
    # Rounded down: all is done when it says 100%, and not before.
    percent = 100 * progress.done // progress.total if progress.total else 100
    return f"{progress.done}/{progress.total} ({percent}%)"


def facts(progress: Progress, *, over: bool) -> list[tuple[str, RunState | None]]:
    """What there is to say, and of which state it is said."""
    ended = {RunState.SUCCEEDED: 0, **progress.ended}
    said: list[tuple[str, RunState | None]] = [
        (f"{ended[state]} {state.value}", state) for state in RunState if state in ended
    ]
    said.append((f"{progress.active} active", None))
    if progress.retried:
        said.append((f"{progress.retried} submitted again", None))
    if progress.rate >= 1:
        said.append((f"{progress.rate:.1f}/s", None))
    elif progress.rate:
        said.append((f"{progress.rate * 60:.1f}/min", None))
    said.append((_time(progress.elapsed), None))
    if progress.eta is not None and not over:
        said.append((f"{_time(progress.eta)} left", None))
    return said


def on_one_line(text: str) -> str:
    """Text of a server without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _time(seconds: float) -> str:
    return str(timedelta(seconds=int(max(seconds, 0))))


def _counts(progress: Progress) -> tuple[object, ...]:
    """What differs once something has happened."""
    return (
        progress.total,
        progress.submitted,
        progress.retried,
        progress.active,
        progress.ended,
    )


def _display(*, wanted: bool | Callable[[Progress], None]) -> Display | None:
    if callable(wanted):
        return Told(wanted)
    if not wanted:
        return None
    if _is_free_terminal():
        try:
            # Not everybody has rich, and importing it takes its time.
            from aioruns.sweeps.display import LiveDisplay  # noqa: PLC0415 - see above
        except ImportError:
            _write(_NO_RICH)
        else:
            return LiveDisplay()
    return PlainLines()


def _is_free_terminal() -> bool:
    """Whether stderr is a terminal that nobody else draws on.

    While rich draws, for another sweep or for the caller, stderr is its proxy; lines
    written to it appear above the drawing.
    """
    return (
        sys.stderr is not None
        and sys.stderr.isatty()
        and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}
        and not hasattr(sys.stderr, "rich_proxied_file")
    )


def _write(line: str) -> None:
    # A sweep goes on although nobody reads its progress any more.
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
