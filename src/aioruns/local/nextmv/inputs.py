"""The input of a new run: inline, uploaded, managed, or that of an earlier run."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from aioruns.local.nextmv.answers import (
    INLINE_LIMIT,
    PLATFORM,
    Refusal,
    compact,
    text_of,
)
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.presigned import uploaded
from aioruns.local.records import Json

MANAGED = "inputs"
"""The group of the files of managed inputs, named by their ids."""

FROM_RUNS = "setinputs"
"""The group of inputs that input sets took over from runs, named by the runs' ids."""


def run_files(run_id: str) -> str:
    """The group of a run's files: `input`, `output` and more."""
    return f"run/{run_id}"


@frozen
class GivenInput:
    """What a run is to read."""

    content: bytes | Path
    size: int
    managed_id: str | None = None
    format: Json = None
    """Of a managed input that has one."""
    empty: bool = False
    """No input was given."""

    async def keep(self, desk: Desk, app: str, run_id: str) -> bytes | Path:
        """Let the run have the input as long as it exists itself, and return that."""
        if isinstance(self.content, bytes):
            # Most inputs are small, and nobody ever asks for them again: a file for
            # each would take longer than all the rest of a submission.
            await desk.engine.put_blob(PLATFORM, _blob(run_id), self.content)
            return self.content
        return await desk.files.link(self.content, app, run_files(run_id), "input")


def _blob(run_id: str) -> str:
    return f"input/{run_id}"


async def run_input(desk: Desk, app: str, run_id: str) -> Path | None:
    """The file of a run's input; None if there is no such run."""
    path = await desk.files.find(app, run_files(run_id), "input")
    if path is not None:
        return path
    data = await desk.engine.blob(PLATFORM, _blob(run_id))
    if data is None:
        return None
    return await desk.files.put(app, run_files(run_id), "input", data)


async def drop_files(desk: Desk, app: str, run_id: str) -> None:
    """Delete the files of a run that is gone."""
    await desk.engine.drop_blob(PLATFORM, _blob(run_id))
    await desk.files.drop(app, run_files(run_id))


async def given_input(desk: Desk, app: str, fields: Mapping[str, Json]) -> GivenInput:
    """What the body of a new run gives as its input.

    Raises:
        Refusal: It gives two, or one that does not exist or is too large.
    """
    given = [k for k in ("input_id", "upload_id", "input") if fields.get(k) is not None]
    if len(given) > 1:
        raise Refusal(400, f"`{given[0]}` and `{given[1]}` exclude each other.")
    if input_id := text_of(fields, "input_id"):
        path, kind = await managed_file(desk, app, input_id)
        return GivenInput(path, await _size(path), input_id, kind)
    if upload_id := text_of(fields, "upload_id"):
        path = await uploaded(desk, app, upload_id, "input")
        return GivenInput(path, await _size(path))
    data = compact(fields.get("input")).encode()
    if len(data) > INLINE_LIMIT:
        raise Refusal(
            413,
            f"The input has {len(data)} bytes; more than {INLINE_LIMIT} must be "
            "uploaded: ask for an upload URL.",
        )
    return GivenInput(data, len(data), empty=fields.get("input") is None)


async def managed_file(desk: Desk, app: str, input_id: str) -> tuple[Path, Json]:
    """The file of a managed input, and its format.

    An input set that was made from runs names their inputs by the ids of the runs.

    Raises:
        Refusal: There is no such input (400).
    """
    for group in (MANAGED, FROM_RUNS):
        known = desk.find(f"{group}/{app}", input_id)
        path = known and await desk.files.find(app, group, input_id)
        if known and path:
            return path, known.get("format")
    record = desk.engine.get(PLATFORM, input_id)
    if record is not None and record.scope == app:
        path = await run_input(desk, app, input_id)
        if path is not None:
            return path, record.detail["format"]
    raise Refusal(
        400,
        f"Application '{app}' has no managed input '{input_id}', and no run of that "
        "id either.",
    )


async def _size(path: Path) -> int:
    return (await asyncio.to_thread(path.stat)).st_size
