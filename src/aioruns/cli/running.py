"""Run a coroutine for the command line: errors become one line, Ctrl-C ends cleanly."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

import typer

from aioruns.errors import AiorunsError

T = TypeVar("T")

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells know it."""


class CommandError(Exception):
    """A sentence for the person at the terminal."""


def run(work: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run `work` to its end.

    Raises:
        typer.Exit: It failed (1) or was interrupted (130); the reason was printed.
    """
    try:
        return asyncio.run(work())
    except KeyboardInterrupt:
        typer.echo("interrupted: everything that was started has been ended", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (CommandError, AiorunsError, OSError) as error:
        typer.echo(f"aioruns: {error}", err=True)
        raise typer.Exit(1) from None
