"""Refusals, and the error body of ABEJA Platform."""

from http import HTTPStatus

from aiohttp import web

from aioruns.local.records import Json


class Refused(Exception):
    """A request that is answered with an error status.

    Args:
        status: HTTP status, 400 or above.
        message: What was wrong, for the person who wrote the request.
        detail: Field name to messages, where single fields were wrong.
    """

    def __init__(
        self, status: int, message: str, detail: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


def error_response(
    status: int, message: str, detail: dict[str, list[str]] | None = None
) -> web.Response:
    """An error answer, its code made of the reason phrase (wire/abeja.md 5.1)."""
    try:
        code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    except ValueError:
        code = "error"
    body: dict[str, Json] = {"error": code, "error_description": message}
    if detail:
        body["error_detail"] = detail
    return web.json_response(body, status=status)
