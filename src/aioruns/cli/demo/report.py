"""The demo's table."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from aioruns.cli.demo.problem import Problem
from aioruns.cli.demo.tally import Tally

_COLUMNS = (
    "platform",
    "submitted",
    "succeeded",
    "failed",
    "log lines",
    "best",
    "gap",
    "requests",
    "seconds",
)


def print_report(tallies: Sequence[Tally], problem: Problem) -> None:
    """Print a row for each platform, and every failure that there was."""
    table = Table(*_COLUMNS)
    for column in table.columns[1:]:
        column.justify = "right"
    for tally in tallies:
        table.add_row(*_row(tally, problem))
    console = Console(soft_wrap=False, width=None if Console().is_terminal else 100)
    console.print(table)
    for tally in tallies:
        for outcome in tally.outcomes:
            if not outcome.succeeded:
                reason = outcome.error or (outcome.status and outcome.status.reason)
                console.print(f"{tally.entrant.name} {outcome.key}: {reason}")
        if tally.disordered:
            console.print(
                f"{tally.entrant.name}: {tally.disordered} logs came out of order"
            )


def _row(tally: Tally, problem: Problem) -> tuple[str, ...]:
    best, gap = "none", ""
    if tally.best_length is not None:
        best = str(tally.best_length)
        if problem.optimum is not None:
            gap = f"{tally.best_length / problem.optimum - 1:.2%}"
    return (
        tally.entrant.name,
        str(tally.submitted),
        str(tally.succeeded),
        str(len(tally.outcomes) - tally.succeeded),
        f"{tally.received} / {tally.written}",
        best,
        gap,
        str(tally.entrant.origin.sent),
        f"{tally.seconds:.1f}",
    )
