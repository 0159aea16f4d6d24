"""Page tokens: opaque to clients, bound to what they continue."""

import base64
import binascii
import hashlib
import hmac
from typing import Literal

from aioruns.local.abeja.answers import Refused

Kind = Literal["newer", "older", "log", "forward", "backward"]

_DIGEST = 5


def seal(kind: Kind, owner: str, position: int, salt: int = 0) -> str:
    """A token that continues `owner` (a run, a deployment, a trigger) at `position`.

    Tokens with another `salt` read the same and look different. The alphabet is that
    of plain base64 behind a slash, so that a client which does not encode its query
    string is found out.
    """
    text = f"{kind} {position} {salt} {owner}".encode()
    return f"{kind[0]}/{base64.b64encode(_digest(text) + text).decode()}"


def unseal(kind: Kind, owner: str, token: str) -> int:
    """The position in a token; `Refused` with 400 unless `seal` made it for these."""
    try:
        raw = base64.b64decode(token.partition("/")[2], validate=True)
        its_kind, position, _, its_owner = raw[_DIGEST:].decode().split(" ", 3)
        genuine = hmac.compare_digest(raw[:_DIGEST], _digest(raw[_DIGEST:]))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        genuine = False
    if not genuine or (its_kind, its_owner) != (kind, owner):
        # wire/abeja.md 9: an unknown token is answered with 400.
        raise Refused(
            400, f"The token {token[:80]!r} was not given out for this request."
        )
    return int(position)


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_DIGEST).digest()
