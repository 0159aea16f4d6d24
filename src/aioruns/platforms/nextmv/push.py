"""Push: build a directory, pack it, upload it, and make it current."""

import os
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread

from aioruns.errors import InvalidInput
from aioruns.http.request import FileBody, Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.bundling import bundle
from aioruns.platforms.nextmv.dependencies import install
from aioruns.platforms.nextmv.downloads import temporary_directory
from aioruns.platforms.nextmv.manifest import Manifest
from aioruns.platforms.nextmv.saying import Say

_BYTES = "application/octet-stream"


async def push(
    client: Client,
    app_id: str,
    directory: Path,
    manifest: Manifest | None,
    *,
    no_cache: bool,
    say: Say,
    progress: Progress | None,
) -> None:
    """Push a directory, as wire/nextmv.md 6.1 says; repeating it does no harm."""
    if manifest is None:
        manifest = await anyio.to_thread.run_sync(Manifest.from_yaml, directory)
    # What is wrong in the manifest is said before anything is built.
    activated = manifest.requirements()
    await _build(manifest, directory, say)
    async with temporary_directory() as place:
        packages = await install(manifest, directory, place, no_cache=no_cache)
        archive = place / "app.tar.gz"
        size = await anyio.to_thread.run_sync(
            bundle, manifest, directory, packages, archive
        )
        say(f"packed {directory} into {size} bytes")
        link = await client.send(requests.binary(app_id))
        body = FileBody(archive, size, progress)
        await client.send(requests.upload(link.upload_url, body, _BYTES))
    await client.send(requests.activate(app_id, activated))
    say(f"pushed to application {app_id}")


async def _build(manifest: Manifest, directory: Path, say: Say) -> None:
    """Run the commands of the manifest that make the files."""
    build = manifest.section("build")
    steps: list[list[str]] = []
    if command := build.get("command"):
        # Split on spaces, without a shell (wire/nextmv.md 6.1).
        steps.append(str(command).split())
    if pre_push := manifest.content.get("pre-push"):
        steps.append(["sh", "-c", str(pre_push)])
    extra = {str(name): str(value) for name, value in _environment(build).items()}
    for step in steps:
        shown = " ".join(step)
        say(f"running {shown}")
        try:
            done = await anyio.run_process(
                step, check=False, cwd=directory, env={**os.environ, **extra}
            )
        except OSError as error:
            raise InvalidInput(
                f"the command {shown!r} of {manifest.where} cannot be started "
                f"({error.strerror})"
            ) from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise InvalidInput(
                f"the command {shown!r} of {manifest.where} ended with status "
                f"{done.returncode}: {said[-1] if said else 'silent'}"
            )


def _environment(build: Mapping[str, object]) -> Mapping[object, object]:
    value = build.get("environment")
    return value if isinstance(value, Mapping) else {}
