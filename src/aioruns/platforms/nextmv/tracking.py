"""Registers runs that were executed elsewhere (wire/nextmv.md 3.3.5)."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.describing import Configuration, describe
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat
from aioruns.platforms.nextmv.models.inputs import Input
from aioruns.platforms.nextmv.models.outputs import Asset, Output, Statistics, plain
from aioruns.platforms.nextmv.models.tracking import ExternalRunResult, TrackedRun
from aioruns.platforms.nextmv.packing import packed
from aioruns.platforms.nextmv.sending import no_run_yet, send
from aioruns.platforms.nextmv.sources import default_configuration
from aioruns.platforms.nextmv.uploads import Uploads, content


async def track(
    client: Client,
    app_id: str,
    tracked: TrackedRun,
    instance_id: str | None,
    configuration: Configuration | None,
) -> str:
    """Upload the parts of a tracked run in the documented order, and submit it.

    Everything is checked, written and packed before anything is sent.
    """
    result = ExternalRunResult(
        status=tracked.status.value,
        error_message=tracked.error or None,
        execution_duration=tracked.duration,
    )
    if configuration is None:
        configuration = _configuration(tracked)
    payload = describe(
        upload_id="(to follow)",
        instance_id=instance_id,
        name=tracked.name,
        description=tracked.description,
        configuration=_configuration(tracked)
        if configuration is None
        else configuration,
        external_result=result,
    )
    body = payload["body"]
    async with AsyncExitStack() as stack:
        parts = {
            name: await stack.enter_async_context(packed(part))
            if isinstance(part, Path)
            else part
            for name, part in _parts(tracked).items()
        }
        uploads = Uploads(client, app_id)
        with no_run_yet():
            ids = {name: await uploads.put(part) for name, part in parts.items()}
    body["upload_id"] = ids.pop("upload_id")
    body["result"] |= ids
    return await send(client, app_id, payload)


def _parts(tracked: TrackedRun) -> dict[str, bytes | Path]:
    """Everything to upload, by the key that takes its upload id, in order."""
    parts: dict[str, bytes | Path] = {}
    given = tracked.input
    if tracked.input_dir_path:
        parts["upload_id"] = Path(tracked.input_dir_path)
    elif given is not None:
        data = given.data if isinstance(given, Input) else given
        parts["upload_id"] = content(data, None)
    else:
        raise InvalidInput(
            "a tracked run needs its input: give input, or input_dir_path"
        )
    # Empty outputs, logs and figures are none, but an empty list of assets is one.
    output = tracked.output
    if tracked.output_dir_path:
        parts["output_upload_id"] = Path(tracked.output_dir_path)
    elif output:
        made = output.to_dict() if isinstance(output, Output) else output
        parts["output_upload_id"] = content(made, None)
    if tracked.logs:
        parts["error_upload_id"] = content(tracked.logs_text(), None)
    if tracked.statistics:
        statistics = _wrapped("statistics", tracked.statistics)
        parts["statistics_upload_id"] = content(statistics, None)
    if tracked.metrics:
        _need("metrics", tracked.metrics, Mapping)
        parts["metrics_upload_id"] = content(dict(tracked.metrics), None)
    if tracked.assets is not None:
        parts["assets_upload_id"] = content(_assets(tracked.assets), None)
    return parts


def _assets(assets: object) -> dict[str, Any]:
    if isinstance(assets, list | tuple):
        for asset in assets:
            _need("an asset", asset, Asset, Mapping)
        return {"assets": [plain(asset) for asset in assets]}
    _need("assets", assets, list, Mapping)
    return _wrapped("assets", assets)


def _wrapped(name: str, value: object) -> dict[str, Any]:
    _need(name, value, Statistics, Mapping)
    made: dict[str, Any] = plain(value)
    is_wrapped = isinstance(value, Mapping) and name in value
    return made if is_wrapped else {name: made}


def _need(name: str, value: object, *kinds: type) -> None:
    if not isinstance(value, kinds):
        named = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidInput(
            f"{name} of a tracked run must be {named}, not {type(value).__name__}"
        )


def _configuration(tracked: TrackedRun) -> dict[str, Any]:
    """What the data is; the official client calls all of it JSON (3.3.5)."""
    given, output = tracked.input, tracked.output
    kind: str = ContentFormat.JSON
    if tracked.input_dir_path:
        kind = ContentFormat.MULTI_FILE
    elif isinstance(given, Input):
        kind = given.input_format
    elif isinstance(given, str):
        kind = InputFormat.TEXT
    output_kind: str = ContentFormat.JSON
    if tracked.output_dir_path:
        output_kind = ContentFormat.MULTI_FILE
    elif isinstance(output, Output):
        output_kind = output.output_format or ContentFormat.JSON
    elif isinstance(output, str):
        output_kind = InputFormat.TEXT
    return default_configuration(kind, output_kind)
