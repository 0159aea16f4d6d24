"""Pre-signed URLs: uploads and downloads without an Authorization header."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import (
    PLATFORM,
    UPLOAD_LIMIT,
    Refusal,
    answer,
    compact,
)
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route, slug

UPLOADS = "uploads"
"""The group of files that were put to upload URLs, named by their upload ids."""


async def uploaded(desk: Desk, app: str, upload_id: str, what: str) -> Path:
    """The file that was uploaded under an id.

    Raises:
        Refusal: Nothing was (400).
    """
    path = await desk.files.find(app, UPLOADS, upload_id)
    if path is None:
        raise Refusal(
            400,
            f"Nothing was uploaded under '{upload_id}': ask for an upload URL and put "
            f"the {what} to it first.",
        )
    return path


def download_url(desk: Desk, content_type: str, *file: str, printed: str = "") -> str:
    """Where to fetch a file.

    Args:
        desk: Whose token signs the URL.
        content_type: What the file is sent as.
        file: Application, group and name.
        printed: The run whose standard output the file is made from.
    """
    return signed_url(desk, "downloads", content_type, *file, printed)


def signed_url(desk: Desk, directory: str, *parts: str) -> str:
    """A URL that only this server can have made.

    Nothing is stored for it, and it outlives a restart of the server.
    """
    text = base64.urlsafe_b64encode(compact(parts).encode()).decode().rstrip("=")
    secret = f"{text}.{_signature(desk, directory, text)}"
    return f"{desk.settings.base_url}/{directory}/{secret}"


def _signature(desk: Desk, directory: str, text: str) -> str:
    key = desk.settings.token.encode()
    return hmac.new(key, f"{directory}/{text}".encode(), hashlib.sha256).hexdigest()


def _opened(desk: Desk, directory: str, request: web.Request) -> list[str]:
    """The parts that were signed."""
    if "Authorization" in request.headers:
        raise Refusal(
            400,
            "A pre-signed URL takes no Authorization header: send the request "
            "without it, so that the key reaches nobody who stores files.",
        )
    text, _, signature = request.match_info["secret"].partition(".")
    if not hmac.compare_digest(
        signature.encode(), _signature(desk, directory, text).encode()
    ):
        raise Refusal(403, "The signature of this URL is wrong: ask for a new URL.")
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise Refusal(403, "This URL was not made here: ask for a new one.") from error
    assert isinstance(parts, list)
    return parts


@frozen
class Presigned:
    """The handlers for upload URLs and for what the URLs lead to."""

    desk: Desk

    def routes(self) -> list[Route]:
        """Of the API, with the key."""
        return [("POST", f"{APPLICATION}/runs/uploadurl", self.upload_url)]

    def keyless(self) -> list[Route]:
        """Of the storage, without it."""
        return [
            ("PUT", "/uploads/{secret}", self.upload),
            ("GET", "/downloads/{secret}", self.download),
        ]

    async def upload_url(self, request: web.Request) -> web.Response:
        """Give out an upload id with the URL to put its content to."""
        app = self.desk.application(request)
        upload_id = f"upload-{slug(20)}"
        url = signed_url(self.desk, "uploads", app, upload_id)
        return answer({"upload_id": upload_id, "upload_url": url})

    async def upload(self, request: web.Request) -> web.Response:
        """Keep the body."""
        app, upload_id = _opened(self.desk, "uploads", request)
        if request.content_length is None:
            raise Refusal(411, "An upload needs a Content-Length header.")
        await self.desk.files.take(app, UPLOADS, upload_id, _limited(request))
        return web.Response()

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Send an input, an output or an asset."""
        content_type, app, group, name, printed = _opened(
            self.desk, "downloads", request
        )
        files = self.desk.files
        path = await files.find(app, group, name)
        if path is None and printed:
            data = await self.desk.engine.stdout(PLATFORM, printed)
            # Once in a file, no download has to hold it in memory again.
            path = None if data is None else await files.put(app, group, name, data)
        if path is None:
            raise Refusal(404, "The file behind this URL is gone.")
        return web.FileResponse(path, headers={"Content-Type": content_type})


async def _limited(request: web.Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > UPLOAD_LIMIT:
            raise Refusal(413, f"An upload may have {UPLOAD_LIMIT} bytes at most.")
        yield chunk
