"""What a manager's error body says (wire/cloudify.md 5.1, 5.2)."""

import html
import re

import orjson

from aioruns.http.request import Response
from aioruns.origin import Explanation
from aioruns.platforms.cloudify.errors import kind_of

_LONGEST = 4000
"""Bytes of a page of HTML that are looked at."""


def explain(response: Response) -> Explanation:
    """Read message and code; a page of HTML gives its text and no code."""
    try:
        value = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        return Explanation(_text(response.body))
    code = value.get("error_code")
    if not isinstance(code, str) or not code:
        code = None
    kind = kind_of(response.status, code)
    # wire/cloudify.md 5.1: the audit service writes `detail`, and some codes come
    # with an empty message.
    for message in (value.get("message"), value.get("detail"), code):
        if isinstance(message, str) and message.strip():
            return Explanation(message.strip(), code, kind)
    return Explanation(_text(response.body), code, kind)


def _text(body: bytes) -> str:
    text = body[:_LONGEST].decode("utf-8", "replace")
    if text.lstrip().startswith("<"):
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return " ".join(text.split())
