"""Bodies of answers: JSON, the manager's error object, and pages of HTML."""

from http import HTTPStatus

import orjson
from aiohttp import web

from aioruns.local.records import Json

# wire/cloudify.md 5.2, where a status alone decides
_CODES = {
    400: "bad_parameters_error",
    401: "unauthorized_error",
    403: "forbidden_error",
    409: "conflict_error",
    415: "unsupported_content_type_error",
    500: "internal_server_error",
    503: "maintenance_mode_active",
}


class Refusal(Exception):
    """A request is answered with an error.

    Args:
        status: HTTP status.
        code: The manager's `error_code`; None answers a page of HTML.
        message: For the person who must act.
        bare: Leave out the key `server_traceback`.
    """

    def __init__(
        self, status: int, code: str | None, message: str, *, bare: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.bare = bare

    def response(self) -> web.Response:
        """The answer to send."""
        if self.code is None:
            return html(self.status, self.message)
        body: dict[str, Json] = {"message": self.message, "error_code": self.code}
        if not self.bare:
            # wire/cloudify.md 5.1: text with an internal error and in maintenance
            texts = {500: self.message, 503: "NoneType: None"}
            body["server_traceback"] = texts.get(self.status)
        return as_json(body, status=self.status)


def bad(message: str, *, bare: bool = False) -> Refusal:
    """A 400 about the parameters of a request."""
    return Refusal(400, "bad_parameters_error", message, bare=bare)


def missing(kind: str, name: str) -> Refusal:
    """A 404 that names what does not exist."""
    return Refusal(
        404, "not_found_error", f"Requested `{kind}` with ID `{name}` was not found"
    )


def for_status(status: int, message: str) -> Refusal:
    """The error that the manager, or the proxy before it, gives with a status."""
    return Refusal(status, _CODES.get(status), message)


def as_json(value: Json, *, status: int = 200) -> web.Response:
    """A JSON answer."""
    # no charset: orjson writes UTF-8, and the manager names none
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json"
    )


def html(status: int, message: str) -> web.Response:
    """A page as the manager's web server writes it, without an error object."""
    title = f"{status} {HTTPStatus(status).phrase}"
    text = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return web.Response(
        text=f"<!doctype html>\n<title>{title}</title>\n<p>{text}</p>\n",
        status=status,
        content_type="text/html",
    )


def page(
    items: list[Json], *, total: int, size: int, offset: int, filtered: bool = True
) -> web.Response:
    """One page of a list (wire/cloudify.md 4.1).

    Args:
        items: The rows of this page.
        total: Rows that match the filters.
        size: As asked for, not the number of items.
        offset: As asked for.
        filtered: Whether the metadata has the key `filtered`; events have it not.
    """
    metadata: dict[str, Json] = {
        "pagination": {"total": total, "size": size, "offset": offset}
    }
    if filtered:
        metadata["filtered"] = None
    return as_json({"metadata": metadata, "items": items})
