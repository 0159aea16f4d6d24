"""Python packages that are pushed with an application (wire/nextmv.md 6.2)."""

import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from aioruns.errors import InvalidInput
from aioruns.platforms.nextmv.manifest import Manifest

_MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
_NEWEST_GLIBC = 34
_OLDEST_GLIBC = 5


async def install(
    manifest: Manifest, directory: Path, place: Path, *, no_cache: bool = False
) -> Path | None:
    """Install the packages that a manifest asks for, with the pip of this Python.

    They are those for the platform's machines, not for this one; packages without a
    wheel for them are refused.

    Args:
        manifest: Says what, for which Python and which kind of machine.
        directory: Where its requirements file is, and what paths in it are relative to.
        place: A directory for the packages and what it takes to install them.
        no_cache: Whether to fetch and build everything anew.

    Returns:
        Where they were installed; None if there are none.

    Raises:
        InvalidInput: The manifest or the requirements are wrong, or pip failed.
    """
    wanted = manifest.section("python").get("pip-requirements")
    if not wanted:
        return None
    made_for = _made_for(manifest)
    listed = await anyio.to_thread.run_sync(_requirements, wanted, directory, manifest)
    file = anyio.Path(place / "requirements.txt")
    await file.write_text(listed, encoding="utf-8")
    packages = place / "packages"
    await _pip(
        [
            "install",
            *("--target", str(packages)),
            *("--requirement", str(file)),
            *made_for,
            "--no-compile",
            "--no-input",
            "--quiet",
            "--disable-pip-version-check",
            *(["--no-cache-dir"] if no_cache else []),
        ],
        directory,
        manifest,
    )
    return packages


def _made_for(manifest: Manifest) -> list[str]:
    """Which wheels fit the platform's machines."""
    python = manifest.section("python")
    arch = str(python.get("arch") or "arm64")
    if arch not in _MACHINES:
        raise InvalidInput(
            f"python.arch of {manifest.where} must be {' or '.join(_MACHINES)}, not "
            f"{arch!r}"
        )
    machine = _MACHINES[arch]
    tags = [
        f"manylinux_2_{minor}_{machine}"
        for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)
    ]
    # The older names of 2.17, 2.12 and 2.5.
    tags += [f"{name}_{machine}" for name in ("manylinux2014", "manylinux2010")]
    tags += [f"manylinux1_{machine}", f"linux_{machine}"]
    return [
        "--only-binary=:all:",
        *("--implementation", "cp"),
        *("--python-version", _version(python, manifest)),
        *(part for tag in tags for part in ("--platform", tag)),
    ]


def _version(python: Mapping[str, Any], manifest: Manifest) -> str:
    given = python.get("version") or "3.11"
    # YAML reads an unquoted 3.10 as the number 3.1, and Python 3.1 is none of ours.
    version = "3.10" if given == 3.1 else str(given)
    found = re.fullmatch(r"3\.(\d+)", version)
    if found is None or int(found[1]) < 10:
        raise InvalidInput(
            f"python.version of {manifest.where} must be major.minor from 3.10 on, not "
            f"{version!r}"
        )
    return version


def _requirements(wanted: object, directory: Path, manifest: Manifest) -> str:
    """The text of a requirements file."""
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return "".join(f"{line}\n" for line in wanted)
    file = directory / str(wanted)
    try:
        text = file.read_text(encoding="utf-8")
        if file.name != "pyproject.toml":
            return text
        project = tomllib.loads(text).get("project", {})
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"the pip-requirements {wanted!r} of {manifest.where} cannot be read: "
            f"{error}"
        ) from error
    return "".join(f"{line}\n" for line in project.get("dependencies", []))


async def _pip(arguments: list[str], directory: Path, manifest: Manifest) -> None:
    done = await anyio.run_process(
        [sys.executable, "-m", "pip", *arguments],
        check=False,
        cwd=directory,
        env=dict(os.environ),
    )
    if done.returncode == 0:
        return
    said = done.stderr.decode("utf-8", "replace")
    if "No module named pip" in said:
        raise InvalidInput(
            f"the packages of {manifest.where} need pip, which this Python has not: "
            f"run {sys.executable} -m ensurepip"
        )
    errors = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    reason = (errors or said.strip().splitlines() or ["it does not say why"])[-1]
    raise InvalidInput(
        f"pip cannot install the packages of {manifest.where} for the platform: "
        f"{reason.removeprefix('ERROR: ')}"
    )
