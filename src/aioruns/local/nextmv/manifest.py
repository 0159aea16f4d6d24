"""From an uploaded tarball to a program: unpacking it and reading its `app.yaml`."""

import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from attrs import frozen

from aioruns.local.records import Command, Json

if TYPE_CHECKING or sys.version_info >= (3, 12):
    import tarfile
else:  # early releases of 3.11, Debian's among them, unpack without the data filter
    from backports import tarfile

DEFAULT_RUNTIME = "ghcr.io/nextmv-io/runtime/python:3.11"

# wire/nextmv.md 6.2, the mandatory files
_STARTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "python": ((sys.executable,), "main.py"),
    "go": ((), "main"),
    "binary": ((), "main"),
    "java": (("java", "-jar"), "main.jar"),
}

_DEPENDENCIES = Path(".nextmv", "python", "deps")


class BadAppError(Exception):
    """What was pushed cannot be run; the text says why."""


def unpack(tarball: Path, directory: Path) -> None:
    """Unpack a pushed `app.tar.gz`.

    The archive may consist of several gzip members (wire/nextmv.md 6.2).

    Raises:
        BadAppError: It is no such archive, or a member wants out of the directory.
    """
    directory.mkdir(parents=True)
    try:
        with tarfile.open(tarball, mode="r:gz") as archive:
            archive.extractall(directory, filter="data")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BadAppError(f"The tarball cannot be unpacked: {error}.") from error


@frozen
class Start:
    """How an application is started."""

    kind: str
    entrypoint: str
    cwd: str


def read_start(directory: Path, requirements: Mapping[str, Json]) -> Start:
    """What `app.yaml` says, and where it is silent, what the activation said."""
    manifest = _manifest(directory)
    execution = manifest.get("execution")
    if not isinstance(execution, dict):
        execution = {}
    kind = manifest.get("type") or requirements.get("executable_type") or "python"
    if kind not in _STARTS:
        raise BadAppError(f"The application type '{kind}' is not known here.")
    entrypoint = execution.get("entrypoint") or requirements.get("entrypoint")
    cwd = execution.get("cwd") or requirements.get("working_directory")
    return Start(str(kind), str(entrypoint or _STARTS[kind][1]), str(cwd or "."))


def completed(requirements: dict[str, Json], directory: Path) -> dict[str, Json]:
    """The requirements, with what only `app.yaml` says about files and options.

    An official push says both in the activation too (wire/nextmv.md 6.1).
    """
    configuration = _mapping(_manifest(directory).get("configuration"))
    content = _mapping(configuration.get("content"))
    options = _mapping(configuration.get("options"))
    told: dict[str, Json] = {}
    if content:
        files = _mapping(content.get("multi-file"))
        told["io_configuration"] = {
            "format": content.get("format") or "json",
            "multi_file": {
                "input_path": _mapping(files.get("input")).get("path"),
                "output_configuration": {
                    f"{name}_path": path
                    for name, path in _mapping(files.get("output")).items()
                },
            },
        }
    if options:
        told["options"] = options
    return told | requirements


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _manifest(directory: Path) -> dict[str, Json]:
    try:
        manifest = yaml.safe_load((directory / "app.yaml").read_bytes())
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise BadAppError(f"`app.yaml` cannot be read: {error}.") from error
    if not isinstance(manifest, dict):
        raise BadAppError("`app.yaml` must be a mapping.")
    return manifest


def command(directory: Path, start: Start) -> Command:
    """The program of an unpacked application, still without options.

    Raises:
        BadAppError: The entry point or the working directory is missing.
    """
    root = directory.resolve()
    file = (root / start.entrypoint).resolve()
    cwd = (root / start.cwd).resolve()
    if not (file.is_file() and file.is_relative_to(root)):
        raise BadAppError(
            f"The tarball has no file '{start.entrypoint}', which an application of "
            f"type '{start.kind}' is started by."
        )
    if not (cwd.is_dir() and cwd.is_relative_to(root)):
        raise BadAppError(f"The tarball has no directory '{start.cwd}' to run in.")
    env = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    if (root / _DEPENDENCIES).is_dir():
        env["PYTHONPATH"] = str(root / _DEPENDENCIES)
    return Command((*_STARTS[start.kind][0], str(file)), cwd=cwd, env=env)
