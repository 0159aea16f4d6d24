"""One call of a client, and the answers that the server gives to it, as data.

The text of a call runs in both clients unchanged, so everything here is of the standard
library alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the recording server gives for one request.

    Attributes:
        status: The HTTP status.
        body: A JSON value, or text, or bytes; `$FILES` in JSON and text stands for the
            address of the server that has the files behind pre-signed URLs.
        headers: Beside Content-Type and Content-Length.
    """

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self, files: str) -> bytes:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.replace("$FILES", files).encode()


@dataclass(frozen=True)
class Case:
    """One call, in both clients.

    Attributes:
        operation: The documented name that is called.
        name: Which of the calls of this operation it is.
        call: The expression; `client`, `app`, `FILES`, `QUICK`, the public names of the
            library and what `setup` returns may be used.
        answers: What the server gives, in order.
        app: The expression of `app`, where it is not the bare handle.
        setup: Makes files in an empty directory, and returns names for the expressions.
        shows: An expression whose value after the call is recorded as well.
        generated: Prefixes of ids that the client makes up; their random ends are
            hidden.
        official_fails: Whether the official client fails where it should not.
    """

    operation: str
    name: str
    call: str
    answers: tuple[Answer, ...] = ()
    app: str = ""
    setup: Callable[[Path], dict[str, Any]] | None = None
    shows: str = ""
    generated: tuple[str, ...] = ()
    official_fails: bool = False

    @property
    def id(self) -> str:
        """The operation and the name."""
        return f"{self.operation}/{self.name}"


def ok(body: Any = b"", **headers: str) -> Answer:
    """An answer of status 200."""
    return Answer(200, body, headers)


def fails(status: int, body: Any = "no") -> Answer:
    """An answer with an error status."""
    return Answer(status, body)
