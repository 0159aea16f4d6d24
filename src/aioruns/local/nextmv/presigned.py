"""Pre-signed URLs: uploads and downloads without an Authorization header."""

import base64
import binascii
import hashlib
import hmac
import json

from aiohttp import web
from attrs import frozen

from aioruns.local.nextmv.answers import PLATFORM, Refusal, answer, body, compact
from aioruns.local.nextmv.desk import APPLICATION, Desk, Route, slug


def upload_blob(app: str, upload_id: str) -> str:
    """Under which key the engine keeps what was uploaded."""
    return f"upload/{app}/{upload_id}"


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
        data = await body(request)
        await self.desk.engine.put_blob(PLATFORM, upload_blob(app, upload_id), data)
        return web.Response()

    async def download(self, request: web.Request) -> web.Response:
        """Send an input or an output."""
        kind, key, content_type = _opened(self.desk, "downloads", request)
        engine = self.desk.engine
        data = await (
            engine.stdout(PLATFORM, key)
            if kind == "output"
            else engine.blob(PLATFORM, key)
        )
        if data is None:
            raise Refusal(404, "The file behind this URL is gone.")
        return web.Response(body=data, content_type=content_type)
