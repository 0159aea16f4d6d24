"""How a request proves who sends it. Secrets are in no repr."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import anyio
from attrs import define, field, frozen

from aioruns.errors import MissingCredentials


class Auth(Protocol):
    """A way to make the headers of a request."""

    async def headers(self) -> Mapping[str, str]:
        """The headers to add, refreshed if they are about to expire."""
        ...

    async def renew(self) -> bool:
        """After a 401: whether new credentials were obtained, so that a retry helps."""
        ...


@frozen
class Headers:
    """Fixed headers: API keys, bearer tokens, tenants, cookies, in any combination.

    Attributes:
        values: Headers by name.
    """

    values: Mapping[str, str] = field(repr=lambda values: f"<{', '.join(values)}>")

    async def headers(self) -> Mapping[str, str]:
        """The same headers every time."""
        return self.values

    async def renew(self) -> bool:
        """Fixed headers cannot be renewed."""
        return False


def bearer(token: str) -> str:
    """The value of an Authorization header with a bearer token."""
    return f"Bearer {token}"


def basic(user: str, password: str) -> str:
    """The value of an Authorization header with user and password."""
    pair = f"{user}:{password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


@define
class TokenFile:
    """A bearer token in a file that something else rotates, such as the kubelet.

    The file is read again when `max_age` seconds have passed, and after a 401.

    Attributes:
        file: Where the token is.
        extra: Headers to send besides.
        max_age: Seconds for which a read token is used.
    """

    file: Path
    extra: Mapping[str, str] = field(factory=dict, repr=False)
    max_age: float = 60.0
    _token: str = field(default="", init=False, repr=False)
    _read_at: float = field(default=float("-inf"), init=False, repr=False)
    _changed_at: float = field(default=float("-inf"), init=False, repr=False)
    _now: Callable[[], float] = field(default=anyio.current_time, repr=False)

    async def headers(self) -> Mapping[str, str]:
        """The file's token as a bearer header."""
        if self._now() - self._read_at > self.max_age:
            await self._read()
        return {**self.extra, "Authorization": bearer(self._token)}

    async def renew(self) -> bool:
        """Read the file again; true if the token in it is another one.

        Or was another one a short while ago: of the calls that were refused with the
        old token, one is the first to see the new one.
        """
        await self._read()
        return self._now() - self._changed_at <= self.max_age

    async def _read(self) -> None:
        try:
            text = await anyio.Path(self.file).read_text(encoding="utf-8")
        except OSError as error:
            raise MissingCredentials(
                f"the token file {self.file} cannot be read ({error.strerror}): "
                "check the path and its permissions"
            ) from error
        before, self._token = self._token, text.strip()
        self._read_at = self._now()
        if not self._token:
            raise MissingCredentials(f"the token file {self.file} is empty")
        if before and self._token != before:
            self._changed_at = self._read_at
