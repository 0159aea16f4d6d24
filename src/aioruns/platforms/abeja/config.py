"""Where the platform is and who asks: arguments, then the environment."""

import os
from collections.abc import Mapping

from attrs import field, frozen

from aioruns.errors import InvalidInput, MissingCredentials
from aioruns.http.auth import Headers, basic, bearer

DEFAULT_URL = "https://api.abeja.io"

TOKEN_VARIABLE = "PLATFORM_AUTH_TOKEN"  # noqa: S105 - the name of a variable
USER_VARIABLES = ("ABEJA_PLATFORM_USER_ID", "ABEJA_PLATFORM_PERSONAL_ACCESS_TOKEN")
DATASOURCE_VARIABLES = (
    "ABEJA_PLATFORM_DATASOURCE_ID",
    "ABEJA_PLATFORM_DATASOURCE_SECRET",
)


@frozen
class Credentials:
    """One of three ways to prove who asks; half a pair is kept to be complained about.

    Attributes:
        auth_token: Bearer token.
        user: User id and personal access token.
        datasource: Data source id and secret.
    """

    auth_token: str | None = field(repr=False)
    user: tuple[str | None, str | None] = field(repr=False)
    datasource: tuple[str | None, str | None] = field(repr=False)

    def header(self) -> str | None:
        """The Authorization header of the first complete way; bearer wins.

        See wire/abeja.md 1.2.
        """
        if self.auth_token:
            return bearer(self.auth_token)
        for prefix, (owner, secret) in (
            ("user-", self.user),
            ("datasource-", self.datasource),
        ):
            if owner and secret:
                return basic(prefix + owner.removeprefix(prefix), secret)
        return None


def authorization(
    *,
    auth_token: str | None,
    user_id: str | None,
    personal_access_token: str | None,
    datasource_id: str | None,
    datasource_secret: str | None,
    environment: Mapping[str, str] | None = None,
) -> Headers:
    """Make the authorization of all requests.

    Any argument that is given disables the environment (wire/abeja.md 1.2).

    Args:
        auth_token: Bearer token.
        user_id: User id, with or without `user-`.
        personal_access_token: Goes with `user_id`.
        datasource_id: Data source id, with or without `datasource-`.
        datasource_secret: Goes with `datasource_id`.
        environment: Instead of the process's environment.

    Raises:
        MissingCredentials: None was found, or half a pair.
    """
    arguments = {
        "auth_token": auth_token,
        "user_id": user_id,
        "personal_access_token": personal_access_token,
        "datasource_id": datasource_id,
        "datasource_secret": datasource_secret,
    }
    for name, value in arguments.items():
        if value is not None and not value.strip():
            raise MissingCredentials(
                f"the argument {name} of Abeja is empty: pass its value, or leave it "
                "out to use the environment"
            )
    given = Credentials(
        auth_token,
        (user_id, personal_access_token),
        (datasource_id, datasource_secret),
    )
    if any(value is not None for value in arguments.values()):
        _complete("argument", ("user_id", "personal_access_token"), given.user)
        _complete("argument", ("datasource_id", "datasource_secret"), given.datasource)
        return _headers(given)
    known = os.environ if environment is None else environment
    found = Credentials(
        known.get(TOKEN_VARIABLE),
        (known.get(USER_VARIABLES[0]), known.get(USER_VARIABLES[1])),
        (known.get(DATASOURCE_VARIABLES[0]), known.get(DATASOURCE_VARIABLES[1])),
    )
    if found.header() is None:
        _complete("environment variable", USER_VARIABLES, found.user)
        _complete("environment variable", DATASOURCE_VARIABLES, found.datasource)
    return _headers(found)


def address(url: str | None, environment: Mapping[str, str] | None = None) -> str:
    """The argument, else ABEJA_API_URL as it is now, else the vendor's address."""
    known = os.environ if environment is None else environment
    return url or known.get("ABEJA_API_URL") or DEFAULT_URL


def organization(
    organization_id: str | None, environment: Mapping[str, str] | None = None
) -> str:
    """The argument, else ABEJA_ORGANIZATION_ID.

    Raises:
        MissingCredentials: Neither is there.
        InvalidInput: It is not text.
    """
    if organization_id is not None and not isinstance(organization_id, str):
        raise InvalidInput(  # a number would lose leading zeros
            f"organization_id must be text, not {type(organization_id).__name__}"
        )
    known = os.environ if environment is None else environment
    found = organization_id or known.get("ABEJA_ORGANIZATION_ID")
    if not found:
        raise MissingCredentials(
            "no ABEJA organization was given: pass organization_id, or set "
            "ABEJA_ORGANIZATION_ID"
        )
    return found


def _complete(
    kind: str, names: tuple[str, str], pair: tuple[str | None, str | None]
) -> None:
    """Refuse half a pair; the official client would send no credential at all."""
    for here, there in ((0, 1), (1, 0)):
        if pair[here] and not pair[there]:
            raise MissingCredentials(
                f"the {kind} {names[here]} is given without {names[there]}: ABEJA "
                "needs both"
            )


def _headers(credentials: Credentials) -> Headers:
    header = credentials.header()
    if header is None:
        raise MissingCredentials(
            "no ABEJA credential was found: pass auth_token, or user_id and "
            "personal_access_token, or datasource_id and datasource_secret; or set "
            f"{TOKEN_VARIABLE}, or {' and '.join(USER_VARIABLES)}, or "
            f"{' and '.join(DATASOURCE_VARIABLES)}"
        )
    if not header.isascii() or not header.isprintable():
        # The HTTP library would refuse it with a text that shows the secret.
        raise MissingCredentials(
            "the ABEJA credential holds a line break or another character that cannot "
            "be sent: check how it was copied"
        )
    return Headers({"Authorization": header})
