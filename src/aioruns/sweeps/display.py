"""Progress drawn on a terminal; the only module of sweeps that needs rich."""

import sys
from collections.abc import Iterator
from contextlib import suppress

from attrs import define, field, frozen
from rich.console import Console, ConsoleOptions, OverflowMethod, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aioruns.runs import RunState
from aioruns.sweeps.showing import done, facts, on_one_line
from aioruns.sweeps.tally import Progress

_WIDEST = 80
"""Columns; a longer bar says no more."""

_SHORT_NAME = 12
"""Columns for the name of a run where there is little room; ends differ the most."""

_STYLES = {
    RunState.SUCCEEDED: "green",
    RunState.FAILED: "red",
    RunState.CANCELED: "yellow",
    RunState.UNKNOWN: "magenta",
}


@define(eq=False)
class LiveDisplay:
    """Draws over what it drew before; the last picture stays.

    Attributes:
        console: Where to draw.
    """

    console: Console = field(factory=lambda: Console(stderr=True))
    every: float = 0.25
    ticks: bool = True
    _live: Live | None = field(default=None, init=False)

    def show(self, progress: Progress, *, over: bool) -> None:
        """Draw it."""
        picture = Picture(progress, over)
        # A sweep goes on although its terminal is gone.
        with suppress(OSError):
            if self._live is None:
                # It draws when it is told to: no thread of its own.
                self._live = Live(
                    console=self.console,
                    auto_refresh=False,
                    # What is printed appears above, unless it goes to a file.
                    redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
                )
                self._live.update(picture)
                self._live.start(refresh=True)
            else:
                self._live.update(picture, refresh=True)

    def close(self) -> None:
        """Show the cursor again, and begin a new line."""
        if self._live is not None:
            with suppress(OSError):
                self._live.stop()


@frozen
class Picture:
    """A bar, what there is to say, and the latest failures.

    Attributes:
        progress: What is drawn.
        over: Whether nothing more will come.
    """

    progress: Progress
    over: bool

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        # The ^C that a terminal echoes behind the last line must not begin another one.
        width = max(options.max_width - 2, 1)
        yield self._bar(width)
        yield from self._facts(width)
        cut: OverflowMethod = "crop" if options.ascii_only else "ellipsis"
        for failure in self.progress.failures:
            said = _shortened(on_one_line(failure), width - 2)
            text = Text(f"  {said}", style="red", no_wrap=True)
            text.truncate(width, overflow=cut)
            yield text

    def _bar(self, width: int) -> RenderableType:
        said = Text(done(self.progress), no_wrap=True)
        total = self.progress.total
        if total is None and self.over:
            return said  # full or not, a bar would say what nobody knows
        bar = ProgressBar(
            # An empty sweep is a full bar.
            total=None if total is None else max(total, 1),
            completed=self.progress.done if total != 0 else 1,
            width=max(min(width, _WIDEST) - len(said) - 1, 1),
            pulse=total is None,
        )
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_row(bar, said)
        return row

    def _facts(self, width: int) -> Iterator[Text]:
        """All that is said, in lines that break between two facts."""
        line = Text(no_wrap=True)
        for said, state in facts(self.progress, over=self.over):
            if line and len(line) + 2 + len(said) > width:
                yield line
                line = Text(no_wrap=True)
            line.append("  " if line else "")
            line.append(said, style="" if state is None else _STYLES.get(state, ""))
        yield line


def _shortened(failure: str, width: int) -> str:
    """A failure whose reason is seen even where the run's name is long."""
    name, colon, reason = failure.partition(": ")
    if len(failure) <= width or len(name) <= _SHORT_NAME:
        return failure
    return f"..{name[2 - _SHORT_NAME :]}{colon}{reason}"
