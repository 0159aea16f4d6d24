"""The command line: `aioruns demo` and `aioruns serve`."""

import sys
from pathlib import Path
from typing import Annotated

try:
    import typer
except ModuleNotFoundError as error:
    if error.name != "typer":
        raise
    sys.exit("the command line is not installed: pip install 'aioruns[cli]'")

from aioruns import __version__

app = typer.Typer(
    help="One asyncio session for Nextmv, Kubeflow Pipelines, ABEJA and Cloudify.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"aioruns {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[  # noqa: FBT002 - typer reads a flag here
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """One asyncio session for Nextmv, Kubeflow Pipelines, ABEJA and Cloudify."""


@app.command("demo")
def demo_command(
    *,
    runs: Annotated[int, typer.Option(min=1, help="Runs on each platform.")] = 60,
    slots: Annotated[int, typer.Option(min=1, help="Programs at a time.")] = 2,
    max_active: Annotated[
        int, typer.Option(min=1, help="Runs submitted and not yet ended, a platform.")
    ] = 12,
    problem: Annotated[
        Path | None, typer.Option(help="A problem file instead of berlin52.")
    ] = None,
    picture: Annotated[Path, typer.Option(help="Where to draw.")] = Path("demo.html"),
) -> None:
    """Run a travelling-salesman sweep on all four platforms, against a local server."""
    from aioruns.cli.demo import demo  # noqa: PLC0415 - loads the HTTP stack
    from aioruns.cli.running import run  # noqa: PLC0415 - the same

    good = run(lambda: demo(runs, slots, max_active, problem, picture))
    raise typer.Exit(0 if good else 1)


@app.command("serve")
def serve_command(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free port.")] = 8700,
    token: Annotated[
        str | None, typer.Option(envvar="AIORUNS_TOKEN", help="Default: a random one.")
    ] = None,
    slots: Annotated[int, typer.Option(min=1, help="Programs at a time.")] = 2,
    data: Annotated[
        Path | None, typer.Option(help="Keep runs in this file; default: in memory.")
    ] = None,
    program: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=COMMAND: offer a command on all platforms under a name."
        ),
    ] = None,
) -> None:
    """Serve the APIs of the four platforms on this machine, and run programs."""
    from aioruns.cli.running import run  # noqa: PLC0415 - loads the HTTP stack
    from aioruns.cli.serve import serve  # noqa: PLC0415 - the same

    run(lambda: serve(port, token, slots, data, program or []))


def main() -> None:
    """Entry point of the `aioruns` command."""
    app()
