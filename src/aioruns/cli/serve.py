"""`aioruns serve`: the local run server until Ctrl-C."""

import shlex
import shutil
from pathlib import Path

import anyio
import typer

from aioruns.cli.running import CommandError
from aioruns.local import Command, LocalServer


async def serve(
    port: int, token: str | None, slots: int, data: Path | None, programs: list[str]
) -> None:
    """Serve until cancelled.

    Raises:
        CommandError: A program cannot be offered, or the data file cannot be used.
        OSError: The port is in use.
    """
    commands = [_parse(text) for text in programs]
    if data is not None and not await anyio.Path(data).parent.is_dir():
        raise CommandError(f"the directory of --data {data} does not exist")
    file = None if data is None else str(data)
    async with LocalServer(port, token=token, slots=slots, data=file) as server:
        for name, command in commands:
            offer(server, name, command)
            typer.echo(f"offered on all four platforms: {name}")
        typer.echo(server.how_to_connect())
        typer.echo("Ctrl-C ends it.")
        await anyio.sleep_forever()


def offer(server: LocalServer, name: str, command: Command) -> None:
    """Register a command under one name on every platform."""
    server.nextmv.register(name, command)
    server.kubeflow.register(name, manifest(name, command))
    server.abeja.register(name, "ver-1", command)
    server.cloudify.register(name, "run", command)


def manifest(name: str, command: Command) -> dict[str, object]:
    """An Argo workflow with one container that runs the command."""
    container = {"image": "local", "command": list(command.argv)}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"{name}-"},
        "spec": {
            "entrypoint": "main",
            "templates": [{"name": "main", "container": container}],
        },
    }


def _parse(text: str) -> tuple[str, Command]:
    name, separator, line = text.partition("=")
    argv = shlex.split(line)
    if not (separator and name and argv):
        raise CommandError(f"--program {text!r} is not of the form NAME=COMMAND")
    found = shutil.which(argv[0])
    if found is None:
        raise CommandError(
            f"the program {argv[0]!r} of --program {name} does not exist: "
            "check its path and that it is executable"
        )
    # Found now, since the program starts in a directory of its own.
    return name, Command((str(Path(found).resolve()), *argv[1:]))
