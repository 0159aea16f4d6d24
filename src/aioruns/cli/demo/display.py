"""The demo while it runs: bars and log lines on a terminal, plain lines elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from aioruns.cli.demo.tally import Tally

_SHOWN_LINES = 12
_PLAIN_EVERY = 2.0
"""Seconds between two plain lines."""


class Display(Protocol):
    """What the demo tells of itself while it runs."""

    def line(self, platform: str, run_id: str, message: str) -> None:
        """A log line came."""
        ...

    def outcome(self, tally: Tally) -> None:
        """A run of this platform ended."""
        ...


class LiveDisplay:
    """A bar for each platform, and below them the latest lines of all runs."""

    def __init__(self, tallies: Sequence[Tally], runs: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description:>9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._bars = {
            tally.entrant.name: self._progress.add_task(
                tally.entrant.name, total=runs, note=""
            )
            for tally in tallies
        }
        self._lines: deque[tuple[str, str, str]] = deque(maxlen=_SHOWN_LINES)

    def __rich__(self) -> Group:
        shown = Text(no_wrap=True, overflow="ellipsis")
        for platform, run_id, message in self._lines:
            shown.append(f"{platform:>9} ", style="bold")
            shown.append(f"{run_id[-12:]:>12} ", style="dim")
            shown.append(message + "\n")
        missing = _SHOWN_LINES - len(self._lines)
        shown.append("\n" * missing)
        return Group(self._progress, Panel(shown, title="logs of all running runs"))

    def line(self, platform: str, run_id: str, message: str) -> None:
        """Show a log line."""
        self._lines.append((platform, run_id, message))

    def outcome(self, tally: Tally) -> None:
        """Move a bar."""
        failed = len(tally.outcomes) - tally.succeeded
        note = f"{tally.received} log lines" + (f", {failed} failed" if failed else "")
        self._progress.update(
            self._bars[tally.entrant.name], completed=len(tally.outcomes), note=note
        )


class PlainDisplay:
    """A line every two seconds: how far each platform is, and the latest log line."""

    def __init__(self, tallies: Sequence[Tally], runs: int) -> None:
        self._tallies = tallies
        self._runs = runs
        self._shown_at = time.monotonic()

    def line(self, platform: str, run_id: str, message: str) -> None:
        """Show a log line, if it is time for one."""
        if time.monotonic() - self._shown_at < _PLAIN_EVERY:
            return
        self._shown_at = time.monotonic()
        done = "  ".join(
            f"{tally.entrant.name} {len(tally.outcomes)}/{self._runs}"
            for tally in self._tallies
        )
        typer.echo(f"{done}  | {platform} {run_id[-12:]}: {message[:60]}")

    def outcome(self, tally: Tally) -> None:
        """Nothing: the next line counts it."""


@contextmanager
def open_display(tallies: Sequence[Tally], runs: int) -> Iterator[Display]:
    """A live display on a terminal, plain lines otherwise."""
    console = Console()
    if console.is_terminal and not console.is_dumb_terminal and sys.stdout.isatty():
        live = LiveDisplay(tallies, runs)
        with Live(live, console=console, refresh_per_second=8):
            yield live
    else:
        yield PlainDisplay(tallies, runs)
