"""What a run gave, wherever it is: printed, packed into a file, or uploaded."""

import asyncio
from pathlib import Path

from attrs import frozen

from aioruns.local.nextmv.answers import PLATFORM, parsed
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.inputs import run_files
from aioruns.local.nextmv.presigned import download_url
from aioruns.local.nextmv.starting import FILE
from aioruns.local.records import Json, RunRecord

CONTENT_TYPES = {"json": "application/json", "text": "text/plain"}
ARCHIVE_TYPE = "application/gzip"


@frozen
class Outputs:
    """Reads outputs, and the files beside them."""

    desk: Desk

    async def side_file(self, record: RunRecord, name: str) -> Path | None:
        """A file of the run: `input`, `output`, `metrics`, ..., or None."""
        return await self.desk.files.find(record.scope, run_files(record.id), name)

    async def size(self, record: RunRecord) -> int | None:
        """Bytes of the output; None if there is none."""
        if record.detail["output"] == FILE:
            path = await self.side_file(record, "output")
            if path is None:
                return None
            return (await asyncio.to_thread(path.stat)).st_size
        data = await self.desk.engine.stdout(PLATFORM, record.id)
        return None if data is None else len(data)

    async def data(self, record: RunRecord) -> bytes:
        """The output itself."""
        if record.detail["output"] == FILE:
            path = await self.side_file(record, "output")
            return await asyncio.to_thread(path.read_bytes) if path else b""
        return await self.printed(record)

    async def printed(self, record: RunRecord) -> bytes:
        """What the program wrote to standard output."""
        return await self.desk.engine.stdout(PLATFORM, record.id) or b""

    def url(self, record: RunRecord) -> str:
        """Where to fetch the output."""
        kind = record.detail["format"]["output"]["type"]
        content_type = CONTENT_TYPES.get(kind, ARCHIVE_TYPE)
        return download_url(
            self.desk,
            content_type,
            record.scope,
            run_files(record.id),
            "output",
            printed="" if record.detail["output"] == FILE else record.id,
        )

    async def told(self, record: RunRecord, name: str) -> Json:
        """The JSON of a side file, without a wrapping `{name: ...}`; None without one.

        Raises:
            ValueError: It is not JSON.
        """
        path = await self.side_file(record, name)
        if path is None:
            return None
        value = await parsed(await asyncio.to_thread(path.read_bytes))
        if isinstance(value, dict) and set(value) == {name}:
            return value[name]
        return value
