"""One call of a client, and the answers that the server gives to it, as data.

The text of a call runs in both clients unchanged, so everything here is of the standard
library alone.
"""

from dataclasses import dataclass
from typing import Any

from tests.wire.nextmv.case import Answer, fails, ok

__all__ = ["CONNECTIONS", "Answer", "Case", "fails", "gateway", "html", "ok"]


@dataclass(frozen=True)
class Case:
    """One call, in both clients.

    Attributes:
        operation: The documented name that is called.
        name: Which of the calls of this operation it is.
        arguments: The text between the parentheses; `kfp` is the library, with its
            models.
        answers: What the server gives, in order.
        connect: How the client proves who asks; a name of `CONNECTIONS`.
        official_fails: Whether the official client fails where it should not.
    """

    operation: str
    name: str
    arguments: str = ""
    answers: tuple[Answer, ...] = ()
    connect: str = "token"
    official_fails: bool = False

    @property
    def id(self) -> str:
        """The operation and the name."""
        return f"{self.operation}/{self.name}"

    @property
    def call(self) -> str:
        """The whole expression."""
        return f"service.{self.operation}({self.arguments})"


CONNECTIONS: dict[str, dict[str, str]] = {
    "token": {"token": "wire-key"},
    "nobody": {},
    "cookie": {"cookie": "authservice_session=MTU2; other=1"},
    "user": {"user_id": "me@example.com"},
    "all": {"token": "wire-key", "cookie": "session=1", "user_id": "me@example.com"},
    "below": {"token": "wire-key", "path": "/pipeline"},
}
"""Arguments by which a client is made (wire/kubeflow.md 1.2)."""


def gateway(
    status: int, code: int, message: str = "no", *, oldest: bool = True
) -> Answer:
    """An error body of the gateway, of the oldest or the newest servers (7.1)."""
    kind = "api.Error" if oldest else "google.rpc.Status"
    short = {"error_message": message} if oldest else {"code": code, "message": message}
    body: dict[str, Any] = {"error": message} if oldest else {}
    body |= {"code": code, "message": f"Failed: {message}"}
    body["details"] = [{"@type": f"type.googleapis.com/{kind}", **short}]
    return fails(status, body)


def html() -> Answer:
    """A login page, with status 200."""
    page = "<!DOCTYPE html><html><body>Please sign in</body></html>"
    return Answer(200, page, {"Content-Type": "text/html"})
