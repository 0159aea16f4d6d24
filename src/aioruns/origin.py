"""An origin: where the requests of one platform go, and how its errors are read."""

from collections.abc import Callable
from urllib.parse import urlsplit

from attrs import define, field, frozen, setters

from aioruns.errors import InvalidInput, Rejected
from aioruns.http.auth import Auth
from aioruns.http.gate import Gate
from aioruns.http.request import Response


@frozen
class Explanation:
    """What a platform's error body says.

    Attributes:
        message: Its text, for people.
        code: The platform's own code, where it has one.
        kind: The platform's own class for that code; None leaves it to the status.
    """

    message: str
    code: str | None = None
    kind: type[Rejected] | None = None


def explain_as_text(response: Response) -> Explanation:
    """Take an error body as the text that it is."""
    return Explanation(response.body.decode("utf-8", "replace").strip())


def _without_slash(url: str) -> str:
    return url.rstrip("/")


# Counting `sent` through what checks an address would cost 0.4 us a request.
@define(eq=False, on_setattr=setters.NO_OP)
class Origin:
    """Where the requests of one platform go, and how.

    Attributes:
        platform: The platform's name, for errors and logs.
        base_url: `http://` or `https://` address, perhaps with a path.
        auth: Makes the authorization headers.
        explain: Reads the platform's error bodies.
        gate: Bounds the requests in flight, and holds the pause after a 429.
        sent: Requests sent so far, every attempt counted.
    """

    platform: str
    base_url: str = field(converter=_without_slash)
    auth: Auth
    explain: Callable[[Response], Explanation] = explain_as_text
    gate: Gate = field(factory=Gate)
    sent: int = field(default=0, init=False)

    @base_url.validator
    def _check_base_url(self, _: object, url: str) -> None:
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise InvalidInput(
                f"the {self.platform} address holds a user name or password: "
                "pass credentials as arguments instead"
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput(
                f"the {self.platform} address {url!r} is not an http:// or https:// URL"
            )
        if parts.query or parts.fragment:
            raise InvalidInput(
                f"the {self.platform} address {url!r} must end at a path"
            )
