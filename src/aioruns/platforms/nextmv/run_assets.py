"""What belongs to the output of runs (wire/nextmv.md 3.3.2)."""

import io
from pathlib import Path
from typing import Any

from attrs import evolve

from aioruns.http.request import Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.downloads import JSON, download, download_as
from aioruns.platforms.nextmv.models.assets import RunAsset

_BYTES = "application/octet-stream"


class RunAssets:
    """Lists and downloads assets of runs; reached as `application.assets`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._app_id = app_id

    async def list_assets(self, run_id: str) -> list[RunAsset]:
        """Read what assets a run has, without their contents.

        Raises:
            NotFound: There is no such run.
        """
        page = await self._client.send(requests.list_assets(self._app_id, run_id))
        return [evolve(asset, run_id=run_id) for asset in page.items]

    async def download_asset_content(
        self,
        asset: RunAsset,
        destination: str | Path | io.BytesIO | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Download an asset.

        Args:
            asset: Which asset, as `list_assets` gives it.
            destination: A file to stream it to, which appears when it is whole; or a
                buffer. None returns the content.
            progress: Called with the bytes received so far, and with all of them if
                that is known.

        Returns:
            Without a destination the content: a JSON value, or bytes where the asset is
            no JSON. Otherwise None.

        Raises:
            InvalidInput: The file cannot be written.
            NotFound: There is no such asset.

        Example:
            ```python
            for asset in await app.list_assets("run-1"):
                await app.download_asset_content(asset, f"{asset.name}.json")
            ```
        """
        request = requests.asset_link(self._app_id, asset.run_id, asset.id)
        link = await self._client.send(request)
        is_json = link.type == "json"
        url, kind = link.download_url, JSON if is_json else _BYTES
        if destination is None:
            returns = object if is_json else bytes
            return await download_as(self._client, url, returns, progress, kind)
        if not isinstance(destination, io.BytesIO):
            return await download(self._client, url, Path(destination), progress, kind)
        content = await download_as(self._client, url, bytes, progress, kind)
        destination.write(content)  # noqa: ASYNC240 - a buffer, no file
        return None
