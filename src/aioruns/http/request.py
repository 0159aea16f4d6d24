"""A request is a value: built without a socket, compared in tests, sent later."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Final, Generic, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from attrs import frozen
from msgspec.structs import force_setattr

from aioruns.errors import InvalidInput
from aioruns.values import Value

T = TypeVar("T")

QueryValue = str | int | float | bool
"""What may stand in a query; booleans are sent as `true` and `false`."""


class Unset(Enum):
    """The type of `UNSET`, which tells "not given" from None."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET

_REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})

# Segments that quoting leaves as they are; `.` and `..` are not among them.
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+").fullmatch

# One such segment: an id as platforms make them.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*").fullmatch

# Most queries are the same every time; quoting costs 5 us, and a look here 0.2 us.
_remembered = lru_cache(maxsize=64)(urlencode)

# A token, as most platforms make them: quoting leaves it as it is.
_PLAIN_PAIR = re.compile(r"[A-Za-z0-9_.~-]+=[A-Za-z0-9_.~-]*").fullmatch


def _encoded(pairs: tuple[tuple[str, str], ...]) -> str:
    if len(pairs) == 1 and _PLAIN_PAIR(pair := "=".join(pairs[0])):
        return pair
    return _remembered(pairs)


def path(*segments: str) -> str:
    """Join segments into a path, each of them quoted as one segment.

    An id with `/`, `?` or `#` therefore stays one id; an empty one is refused, since it
    would name the collection instead of the thing.

    Args:
        segments: Decoded path segments, for example `"v1", "applications", app_id`.

    Returns:
        A path such as `/v1/applications/routing`.

    Raises:
        InvalidInput: A segment is empty, `.` or `..`.
    """
    joined = "/" + "/".join(segments)
    if _PLAIN(joined) and joined.count("/") == len(segments):
        return joined  # 1 us instead of 6 for six segments
    for position, segment in enumerate(segments):
        if segment in {"", ".", ".."}:
            before = "/" + "/".join(segments[:position])
            raise InvalidInput(
                f"the id after {before} is {segment!r}, which names nothing: "
                "give the id of the thing that you mean"
            )
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def member(collection: str, item: str) -> str:
    """The path of one thing of a collection, quoted and checked as by `path`.

    Args:
        collection: The path of the collection, as `path` makes it.
        item: The decoded id of the thing.

    Raises:
        InvalidInput: The id is empty, `.` or `..`.
    """
    if _PLAIN_ID(item):
        return f"{collection}/{item}"
    return collection + path(item)


def query(
    pairs: Mapping[str, QueryValue | Iterable[str] | None],
) -> tuple[tuple[str, str], ...]:
    """Make query pairs: None is left out, a list repeats its key.

    Args:
        pairs: Values by name.

    Returns:
        The pairs in their order, as text.
    """
    made: list[tuple[str, str]] = []
    for name, value in pairs.items():
        if value is None:
            continue
        if isinstance(value, bool):
            made.append((name, "true" if value else "false"))
        elif isinstance(value, str | int | float):
            made.append((name, str(value)))
        else:
            made.extend((name, item) for item in value)
    return tuple(made)


Progress = Callable[[int, int | None], None]
"""Called with the bytes transferred so far, and with all of them if that is known."""


@frozen
class FileBody:
    """A body that is streamed from a file, anew for every attempt.

    Attributes:
        file: Where it is.
        size: Its bytes.
        progress: Called as the transfer goes on.
    """

    file: Path
    size: int
    progress: Progress | None = None


@frozen
class FileSink:
    """A file that an answer's body is streamed into, from its start at every attempt.

    Attributes:
        file: Where to write.
        progress: Called as the transfer goes on.
    """

    file: Path
    progress: Progress | None = None


class Receiver(Protocol):
    """What takes an answer's body part by part, so that it need not fit in memory."""

    async def begin(self) -> None:
        """Forget what came: an attempt's body comes from its start."""
        ...

    async def take(self, part: bytes) -> bool:
        """Take the next part; false if no more of the body is wanted."""
        ...


class Request(Value, Generic[T], frozen=True):
    """What to ask of a server.

    Attributes:
        method: HTTP method.
        path: Path below the platform's base address, built by `path()`.
        returns: What the answer is structured into: an attrs class or another type that
            the codec knows; `bytes` and `str` for the raw body; `Response` for status
            and headers as well; None to ignore it.
        query: Pairs, built by `query()`.
        encoded_query: A query that is encoded already, instead of `query`.
        json: The body as a JSON value; `UNSET` for none.
        body: The body as bytes or as a file, instead of `json`.
        content_type: Type of `body`; None sends no such header.
        repeatable: Whether sending it twice does no more than sending it once. Decides
            about retries after an unknown outcome; by default true for GET, HEAD, PUT
            and DELETE.
        sink: What the body of a good answer is streamed to; the answer is empty then.
        presigned: A full address to use instead of base address and path. It carries
            its own permission, so it is sent without the authorization header, and
            neither its path nor its query is ever shown.
    """

    method: str
    path: str = ""
    returns: type[T] | None = None
    query: tuple[tuple[str, str], ...] = ()
    encoded_query: str = ""
    json: object = UNSET
    body: bytes | FileBody | None = None
    content_type: str | None = None
    sink: FileSink | Receiver | None = None
    repeatable: bool | None = None
    presigned: str | None = None
    hidden: ClassVar[frozenset[str]] = frozenset({"body", "presigned"})

    def __post_init__(self) -> None:
        if self.repeatable is None:
            force_setattr(self, "repeatable", self.method in _REPEATABLE_METHODS)

    def url(self, base: str) -> str:
        """The full address below a base address."""
        if self.presigned is not None:
            return self.presigned
        if self.query or self.encoded_query:
            return f"{base}{self.path}?{self.encoded_query or _encoded(self.query)}"
        return base + self.path

    def shown(self, base: str) -> str:
        """The address as errors and logs may show it."""
        if self.presigned is not None:
            parts = urlsplit(self.presigned)
            return f"{parts.scheme}://{parts.hostname}/(pre-signed)"
        return base + self.path


class Response(Value, frozen=True):
    """An answer, read to its end.

    Attributes:
        status: HTTP status.
        headers: Headers, with names looked up in any case.
        body: The whole body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    hidden: ClassVar[frozenset[str]] = frozenset({"body"})
