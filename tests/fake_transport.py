"""A transport whose answers are written down beforehand: no socket, no aiohttp."""

import asyncio
from collections.abc import Mapping

from attrs import define, field, frozen
from multidict import CIMultiDict

from aioruns.http.codec import encode
from aioruns.http.request import FileSink, Response


def answer(status=200, json=None, *, body=None, **headers):
    """An answer; `Retry_After="1"` is the header Retry-After."""
    named = CIMultiDict({name.replace("_", "-"): v for name, v in headers.items()})
    if body is None:
        named.setdefault("Content-Type", "application/json")
        body = encode({} if json is None else json)
    return Response(status, named, body)


@frozen
class Sent:
    """What the transport was asked to send."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout: float
    sink: FileSink | None = None


@define(eq=False)
class FakeTransport:
    """Gives one item of its script for each request: an answer, or an error to raise.

    A callable item is called, and awaited if it is a coroutine function. An empty
    script answers 200 with an empty object.
    """

    script: list = field(factory=list)
    sent: list[Sent] = field(factory=list)
    closed: bool = False

    async def send(self, *what):
        self.sent.append(Sent(*what))
        await asyncio.sleep(0)
        item = self.script.pop(0) if self.script else answer()
        if callable(item):
            item = item()
            if asyncio.iscoroutine(item):
                item = await item
        if isinstance(item, BaseException):
            raise item
        return item

    async def aclose(self):
        self.closed = True
