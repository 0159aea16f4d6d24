"""Words for people who watch, on standard error."""

import sys
from collections.abc import Callable
from functools import partial

import anyio.to_thread

from aioruns.errors import InvalidInput

Say = Callable[[str], None]
"""Takes one line."""


async def sayer(*, verbose: bool, rich_print: bool) -> Say:
    """What to do with a line: write it, write it with `rich`, or nothing.

    Raises:
        InvalidInput: `rich_print` without `rich`.
    """
    if not verbose:
        return _nothing
    if not rich_print:
        return _plainly
    # The import reads many files.
    return await anyio.to_thread.run_sync(_richly)


def _nothing(_: str) -> None:
    pass


def _richly() -> Say:
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, used here only
    except ImportError as error:
        raise InvalidInput(
            "rich_print needs the package rich: install aioruns[cli]"
        ) from error
    return partial(Console(stderr=True).print, markup=False)


def _plainly(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the caller asked for it
