"""One call of a client, and the answers that the manager gives to it, as data.

The text of a call runs in both clients unchanged, so everything here is of the standard
library alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the recording server gives for one request.

    Attributes:
        status: The HTTP status.
        body: A JSON value, or text.
        headers: Beside Content-Type and Content-Length.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self, _: str) -> bytes:
        """The bytes of the body."""
        if self.status == 204:
            return b""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


@dataclass(frozen=True)
class Case:
    """One call, in both clients.

    Attributes:
        operation: The documented name, for example `executions.list`.
        name: Which of the calls of this operation it is.
        arguments: The text between the parentheses.
        answers: What the server gives, in order.
        connect: Which credentials the client has; a name of `CREDENTIALS`.
        official_fails: Whether the official client fails where it should not.
        ours: Answers for our client, where it asks for other pages than the official
            one.
        spare: Answers that only our client asks for.
    """

    operation: str
    name: str
    arguments: str = ""
    answers: tuple[Answer, ...] = ()
    connect: str = "token"
    official_fails: bool = False
    ours: tuple[Answer, ...] | None = None
    spare: int = 0

    @property
    def id(self) -> str:
        """The operation and the name."""
        return f"{self.operation}/{self.name}"

    @property
    def call(self) -> str:
        """The whole expression."""
        return f"client.{self.operation}({self.arguments})"


CREDENTIALS: dict[str, dict[str, str]] = {
    "token": {"token": "wire-token", "tenant": "wire"},
    "basic": {"username": "user", "password": "pass", "tenant": "wire"},
    "non-ascii": {"username": "user", "password": "p\u00e4ss", "tenant": "wire"},
    "execution-token": {"execution_token": "a1b2", "tenant": "wire"},
    "both": {"username": "user", "password": "p", "token": "t", "tenant": "wire"},
    "no-tenant": {"token": "wire-token"},
}


def ok(body: Any = None, status: int = 200, **headers: str) -> Answer:
    """A good answer."""
    return Answer(status, body, headers)


def fails(status: int, code: str | None = None, **more: Any) -> Answer:
    """The manager's error object (wire/cloudify.md 5.1)."""
    body = {"message": "no", "error_code": code, "server_traceback": None}
    return Answer(status, body | more)


def page(*items: Any, total: int | None = None, offset: int = 0) -> Answer:
    """A page of a list."""
    pagination = {
        "total": offset + len(items) if total is None else total,
        "size": 1000,
        "offset": offset,
    }
    metadata = {"pagination": pagination, "filtered": None}
    return ok({"metadata": metadata, "items": list(items)})
