"""Who may call: a bearer token, or one of the two basic forms (wire/abeja.md 1.2)."""

import base64
import binascii
import hmac

from aiohttp import web

from aioruns.local.abeja.answers import Refused

_OWNERS = ("user-", "datasource-")


def check(request: web.Request, token: str) -> None:
    """Let the request pass, or raise `Refused` with status 401."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    credential = credential.strip()
    match scheme.lower():
        case "bearer":
            secret = credential
        case "basic":
            secret = _basic_secret(credential)
        case _:
            raise Refused(
                401,
                "The request carries no credential: send Authorization with a bearer "
                "token, or with basic credentials of a user or a data source.",
            )
    # aiohttp hands bytes that are not UTF-8 through as surrogates.
    sent = secret.encode(errors="surrogateescape")
    if not hmac.compare_digest(sent, token.encode()):
        raise Refused(401, "Authentication failed: the token is not this server's.")


def _basic_secret(credential: str) -> str:
    try:
        text = base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(401, "The basic credential is not base64 text.") from None
    owner, _, secret = text.partition(":")
    # Clients add the prefix themselves; the bare number is not an account's name.
    if not any(owner.startswith(p) and owner != p for p in _OWNERS):
        raise Refused(
            401, "The name of a basic credential must start with user- or datasource-."
        )
    return secret
