"""Uploads: data on its way to a run (wire/nextmv.md 3.2)."""

import stat
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import anyio

from aioruns.errors import InvalidInput
from aioruns.http.request import FileBody, Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.jsontext import LARGE, JsonConfigurations, json_text
from aioruns.platforms.nextmv.models.uploads import UploadURL
from aioruns.platforms.nextmv.packing import packed, stored

Data = Mapping[str, Any] | Sequence[Any] | str
"""A JSON object or array, or text that is sent as it is."""

StrPath = str | PathLike[str]


class Uploads:
    """Puts data where runs can take it from; reached as `application.uploads`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._app_id = app_id

    async def upload_url(self) -> UploadURL:
        """Ask for a place to upload to; it is valid for fifteen minutes."""
        return await self._client.send(requests.upload_url(self._app_id))

    async def upload_data(
        self,
        upload_url: UploadURL | str,
        data: Data | None = None,
        json_configurations: JsonConfigurations | None = None,
        tar_file: StrPath | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Upload data, or a file, to a place that `upload_url` gave.

        Args:
            upload_url: The place, or its address.
            data: A JSON object or array, or text that is sent as it is.
            json_configurations: Arguments of `json.dumps` for the data.
            tar_file: A file to stream instead, for example an archive.
            progress: Called with the bytes sent so far and all bytes of the file.

        Raises:
            InvalidInput: Neither data nor file was given, or both, of which one would
                be lost; or there is no such file.
            CallError: The upload failed.

        Example:
            ```python
            place = await app.upload_url()
            await app.upload_data(place, {"stops": stops})
            run_id = await app.new_run(upload_id=place.upload_id)
            ```
        """
        url = upload_url.upload_url if isinstance(upload_url, UploadURL) else upload_url
        if data is not None and tar_file:
            raise InvalidInput("give upload_data either data or a tar_file, not both")
        body: bytes | FileBody
        if data is not None:
            body = content(data, json_configurations)
        elif tar_file:
            body = await _file_body(Path(tar_file), progress)
        else:
            raise InvalidInput("give upload_data the data, or a tar_file")
        await self._send(url, body)

    async def upload_large_input(
        self,
        input: Data | None,
        upload_url: UploadURL | str,
        json_configurations: JsonConfigurations | None = None,
        tar_file: StrPath | None = None,
    ) -> None:
        """Upload data; the older name of `upload_data`, with its order of arguments."""
        await self.upload_data(upload_url, input, json_configurations, tar_file)

    async def upload_content(
        self, data: Data, json_configurations: JsonConfigurations | None = None
    ) -> str:
        """Upload data to a new place.

        Args:
            data: A JSON object or array, or text that is sent as it is.
            json_configurations: Arguments of `json.dumps` for the data.

        Returns:
            The upload id.

        Raises:
            InvalidInput: The data cannot be written; nothing was sent.
            CallError: The upload failed.
        """
        return await self.put(content(data, json_configurations))

    async def upload_path(self, path: StrPath, progress: Progress | None = None) -> str:
        """Upload a file, or a directory as an archive, to a new place.

        Both are streamed; the archive is a temporary file, which is deleted.

        Args:
            path: The file or directory.
            progress: Called with the bytes sent so far and all bytes.

        Returns:
            The upload id.

        Raises:
            InvalidInput: The path cannot be read; nothing was sent.
            CallError: The upload failed.
        """
        if await anyio.Path(path).is_dir():
            async with packed(Path(path), progress) as archive:
                return await self.put(archive)
        return await self.put(await _file_body(Path(path), progress))

    async def put(self, body: bytes | FileBody) -> str:
        """Upload a body as it is to a new place, and return its upload id."""
        place = await self.upload_url()
        await self._send(place.upload_url, body)
        return place.upload_id

    async def _send(self, url: str, body: bytes | FileBody) -> None:
        if isinstance(body, FileBody) or len(body) <= LARGE:
            await self._client.send(requests.upload(url, body))
            return
        async with stored(body) as file:
            await self._client.send(requests.upload(url, file))


def content(data: object, json_configurations: JsonConfigurations | None) -> bytes:
    """Text in UTF-8, everything else as JSON.

    Raises:
        InvalidInput: The data has no such form.
    """
    if not isinstance(data, str):
        return json_text(data, json_configurations)
    try:
        return data.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"this text cannot be written as UTF-8: {error}") from error


async def _file_body(file: Path, progress: Progress | None) -> FileBody:
    try:
        found = await anyio.Path(file).stat()
    except OSError as error:
        raise InvalidInput(
            f"the file {file} cannot be uploaded ({error.strerror})"
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(f"{file} cannot be uploaded: it is no file")
    return FileBody(file, found.st_size, progress)
