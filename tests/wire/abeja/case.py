"""One call of a client, and the answers that the server gives to it, as data.

The text of a call runs in both clients unchanged, so everything here is of the standard
library alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.wire.nextmv.case import Answer, fails, ok

__all__ = [
    "CONNECTIONS",
    "NAMES",
    "Answer",
    "Case",
    "Connection",
    "fails",
    "ok",
    "refused",
]

NAMES: dict[str, Any] = {
    "ORG": "1000000000001",
    "DEP": "2000000000002",
    "VER": "ver-00aa11bb22cc33dd",
    "RUN": "run-00000000000000a1",
    "TRI": "tri-00000000000000b2",
    "SER": "ser-00000000000000c3",
    "DATA": {"$datalake:1": "3000000000003/20240102T030405-0f0f"},
    "NOON": datetime(2024, 1, 2, 12, 0, 0, tzinfo=UTC),
    "NAIVE": datetime(2024, 1, 2, 3, 4, 5),  # noqa: DTZ001 - the official client's way
    "TOKYO": timezone(timedelta(hours=9)),
    "datetime": datetime,
    "timedelta": timedelta,
}
"""What the text of a call may use, beside `api`."""


@dataclass(frozen=True)
class Case:
    """One call, in both clients.

    Attributes:
        operation: The documented name that is called.
        name: Which of the calls of this operation it is.
        arguments: The text between the parentheses; see `NAMES`.
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
        return f"api.{self.operation}({self.arguments})"


@dataclass(frozen=True)
class Connection:
    """Where a client finds credentials.

    Attributes:
        arguments: What it is made with; None leaves it to the environment.
        environment: Environment variables.
    """

    arguments: dict[str, str] | None
    environment: dict[str, str]


_USER = {"user_id": "123", "personal_access_token": "wire-pat"}
_SOURCE = {"datasource_id": "456", "datasource_secret": "wire-secret"}
_TOKEN_VARIABLE = {"PLATFORM_AUTH_TOKEN": "wire-token"}
_USER_VARIABLES = {
    "ABEJA_PLATFORM_USER_ID": "123",
    "ABEJA_PLATFORM_PERSONAL_ACCESS_TOKEN": "wire-pat",
}
_SOURCE_VARIABLES = {
    "ABEJA_PLATFORM_DATASOURCE_ID": "456",
    "ABEJA_PLATFORM_DATASOURCE_SECRET": "wire-secret",
}


def _given(**arguments: str) -> Connection:
    return Connection(arguments, {})


def _found(*variables: dict[str, str]) -> Connection:
    return Connection(None, {k: v for one in variables for k, v in one.items()})


CONNECTIONS: dict[str, Connection] = {  # wire/abeja.md 1.2
    "token": _given(auth_token="wire-token"),
    "user": _given(**_USER),
    "prefixed-user": _given(**_USER | {"user_id": "user-123"}),
    "source": _given(**_SOURCE),
    "prefixed-source": _given(**_SOURCE | {"datasource_id": "datasource-456"}),
    "user-and-source": _given(**_USER, **_SOURCE),
    "everything": _given(auth_token="wire-token", **_USER, **_SOURCE),
    "half-a-user": _given(user_id="123"),
    "nobody": _given(),
    "token-variable": _found(_TOKEN_VARIABLE),
    "user-variables": _found(_USER_VARIABLES),
    "source-variables": _found(_SOURCE_VARIABLES),
    "user-and-source-variables": _found(_USER_VARIABLES, _SOURCE_VARIABLES),
    "all-variables": _found(_SOURCE_VARIABLES, _USER_VARIABLES, _TOKEN_VARIABLE),
    "half-a-user-variable": _found(
        {"ABEJA_PLATFORM_USER_ID": "123"}, _SOURCE_VARIABLES
    ),
    "argument-over-variable": Connection(_SOURCE, _TOKEN_VARIABLE),
    "no-variable": _found(),
}


def refused(status: int, error: str, said: str = "no", **more: Any) -> Answer:
    """An error body as it is documented (wire/abeja.md 5.1)."""
    return fails(status, {"error": error, "error_description": said, **more})
