"""Sends described runs: uploads what must be uploaded, and submits once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from aioruns.errors import CallError
from aioruns.http.gate import Pace
from aioruns.http.request import Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.jsontext import LARGE, counted, json_text
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat
from aioruns.platforms.nextmv.models.managed_inputs import ManagedInput
from aioruns.platforms.nextmv.packing import packed
from aioruns.platforms.nextmv.sources import (
    default_configuration,
    managed_configuration,
)
from aioruns.platforms.nextmv.things import Paths, Things
from aioruns.platforms.nextmv.uploads import Uploads, content

_ARCHIVES = (".tar.gz", ".tgz")


async def send(client: Client, app_id: str, payload: Mapping[str, Any]) -> str:
    """Submit a run in one attempt, after uploading its input where that is needed.

    Args:
        client: The platform.
        app_id: The application.
        payload: As `describe` makes it.

    Returns:
        The run id.

    Raises:
        InvalidInput: A file or directory cannot be read; nothing was sent.
        CallError: An upload or the submission failed.
    """
    text = await prepared(client, app_id, payload)
    return await submitted(client, app_id, text, payload["instance_id"])


@contextmanager
def no_run_yet() -> Iterator[None]:
    """Errors in here leave no run behind, whatever became of the upload."""
    try:
        yield
    except CallError as error:
        error.maybe_acted = False
        raise


async def submitted(
    client: Client, app_id: str, text: bytes, instance_id: str | None
) -> str:
    """Send a body, in its turn, and return the run id."""
    # The base client knows no pace of submissions; Nextmv's own sets one.
    pace: Pace | None = getattr(client, "submissions", None)
    if pace is not None:
        await pace.wait()
    created = await client.send(requests.new_run(app_id, text, instance_id))
    return created.run_id


async def prepared(
    client: Client,
    app_id: str,
    payload: Mapping[str, Any],
    progress: Progress | None = None,
) -> bytes:
    """The body as JSON text, with everything uploaded that it names."""
    configurations = payload.get("json_configurations")
    uploads = Uploads(client, app_id)
    body = dict(payload["body"])
    if directory := payload.get("directory"):
        async with packed(Path(directory), progress) as archive:
            body["upload_id"] = await uploads.put(archive)
    elif path := payload.get("path"):
        if "configuration" not in body:
            body["configuration"] = default_configuration(await _kind(path))
        body["upload_id"] = await uploads.upload_path(path, progress)
    elif "configuration" not in body:
        body["configuration"] = await _of_managed_input(
            client, app_id, body["input_id"]
        )
    if payload.get("by_upload"):
        data = content(body.pop("input"), configurations)
        body["upload_id"] = await uploads.put(data)
    text = json_text(body, configurations)
    if "input" in body and counted(text) > LARGE:
        data = json_text(body["input"], configurations)
        if counted(data) > LARGE:
            del body["input"]
            body["upload_id"] = await uploads.put(data)
            text = json_text(body, configurations)
    return text


async def _kind(path: str) -> str:
    """What a file or directory holds, as far as its name tells."""
    if path.endswith(_ARCHIVES) or await anyio.Path(path).is_dir():
        return ContentFormat.MULTI_FILE
    return ContentFormat.JSON if path.endswith(".json") else InputFormat.TEXT


async def _of_managed_input(
    client: Client, app_id: str, managed_input_id: str
) -> dict[str, Any]:
    """The configuration that a managed input asks for (wire/nextmv.md 3.3.1)."""
    things = Things(client, Paths(app_id, ("inputs",)))
    return managed_configuration(
        (await things.get(managed_input_id, ManagedInput)).format
    )
