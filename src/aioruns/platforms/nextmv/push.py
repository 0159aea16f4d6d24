"""Push: build a directory, pack it, upload it, and make it current."""

import io
import os
import tarfile
from pathlib import Path

import anyio
import anyio.to_thread

from aioruns.errors import InvalidInput, NotSupported
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.manifest import Manifest, read_manifest


async def push(client: Client, app_id: str, directory: Path) -> None:
    """Push a directory, as wire/nextmv.md 6.1 says; repeating it does no harm."""
    manifest = await anyio.to_thread.run_sync(read_manifest, directory)
    if manifest.section("python").get("pip-requirements"):
        raise NotSupported(
            f"{directory}/app.yaml asks for pip-requirements, which are not bundled "
            "yet: put the packages into the directory and list them in `files`"
        )
    await _build(manifest)
    archive = await anyio.to_thread.run_sync(_pack, manifest)
    link = await client.send(requests.binary(app_id))
    kind = "application/octet-stream"
    await client.send(requests.upload(link.upload_url, archive, kind))
    await client.send(requests.activate(app_id, manifest.requirements()))


async def _build(manifest: Manifest) -> None:
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
        try:
            done = await anyio.run_process(
                step, check=False, cwd=manifest.directory, env={**os.environ, **extra}
            )
        except OSError as error:
            raise InvalidInput(
                f"the command {' '.join(step)!r} of {manifest.directory}/app.yaml "
                f"cannot be started ({error.strerror})"
            ) from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise InvalidInput(
                f"the command {' '.join(step)!r} of {manifest.directory}/app.yaml "
                f"ended with status {done.returncode}: {said[-1] if said else 'silent'}"
            )


def _environment(build: object) -> dict[str, object]:
    value = build.get("environment") if isinstance(build, dict) else None
    return value if isinstance(value, dict) else {}


def _pack(manifest: Manifest) -> bytes:
    """The archive: the files, and the manifest itself (wire/nextmv.md 6.2)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for file in manifest.files():
            if str(file) != "app.yaml":
                archive.add(manifest.directory / file, str(file), recursive=False)
        archive.add(manifest.directory / "app.yaml", "app.yaml")
    return packed.getvalue()
