"""Where Nextmv Cloud is and which key opens it."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml
from attrs import field, frozen

from aioruns.errors import InvalidInput, MissingCredentials
from aioruns.http.codec import parse_time

DEFAULT_URL = "https://api.cloud.nextmv.io"


_EXPIRY_MARGIN = timedelta(seconds=30)


@frozen
class Connection:
    """An address and the key for it.

    Attributes:
        url: The address.
        api_key: What is sent as bearer token.
        account: The team of a browser login; None for a plain key.
    """

    url: str
    api_key: str = field(repr=False)
    account: str | None = None


def resolve(
    api_key: str | None = None,
    url: str | None = None,
    profile: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Connection:
    """Find address and key as the official client does (wire/nextmv.md 1.3, 1.4).

    Arguments win over NEXTMV_ENDPOINT and NEXTMV_API_KEY, and these over the profile in
    `~/.nextmv/config.yaml`; NEXTMV_PROFILE wins over `profile`.

    Raises:
        MissingCredentials: No key was found.
        InvalidInput: A named profile or the file is not usable.
    """
    environ = os.environ if environ is None else environ
    file = Path.home() / ".nextmv" / "config.yaml" if file is None else file
    api_key = api_key or environ.get("NEXTMV_API_KEY")
    url = url or environ.get("NEXTMV_ENDPOINT")
    name = _profile_name(environ.get("NEXTMV_PROFILE"), profile)
    values: Mapping[str, Any] = {}
    if not (api_key and url):
        values = _profile(file, name)
    account = None
    if not api_key and values.get("auth_type") == "pkce":
        api_key = _browser_login(file, name or "default", values)
        account = str(values["team_id"]) if values.get("team_id") else None
    key = api_key or values.get("apikey")
    if not isinstance(key, str) or not key.strip():
        raise MissingCredentials(
            "no Nextmv API key: give api_key, set NEXTMV_API_KEY, or write apikey into "
            f"{'the profile ' + name if name else 'the top level'} of {file}"
        )
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        # The HTTP library would refuse it late, or send something else.
        raise MissingCredentials(
            "the Nextmv API key holds a line break or another character that cannot be "
            "sent: check how it was copied"
        )
    endpoint = url or values.get("endpoint")
    if not endpoint and name:
        # Never send the key of one installation to another (wire/nextmv.md 1.3).
        raise InvalidInput(
            f"the Nextmv profile {name!r} of {file} has no endpoint: write it there, "
            "give url, or set NEXTMV_ENDPOINT"
        )
    endpoint = endpoint or DEFAULT_URL
    if not isinstance(endpoint, str):
        raise InvalidInput(f"endpoint in {file} must be text, not {endpoint!r}")
    if "://" not in endpoint:
        endpoint = "https://" + endpoint
    return Connection(endpoint, key, account)


def _browser_login(file: Path, profile: str, values: Mapping[str, Any]) -> str:
    """The token that a login through the browser left (wire/nextmv.md 1.5).

    It is used while it is valid. Getting a new one takes the official tool.
    """
    session = str(values.get("auth_session") or "default")
    tokens_file = file.parent / "auth" / session / "tokens.json"
    try:
        tokens = orjson.loads(tokens_file.read_bytes())
        token = tokens["id_token"]
        expires_at = (
            parse_time(tokens["expires_at"]) if "expires_at" in tokens else None
        )
    except (OSError, ValueError, TypeError, KeyError):
        token = expires_at = None
    if not isinstance(token, str) or not token:
        problem = f"and {tokens_file} holds no login that can be read"
    elif expires_at is not None and expires_at - _EXPIRY_MARGIN < datetime.now(UTC):
        problem = f"and its login in {tokens_file} has expired"
    else:
        return token
    raise MissingCredentials(
        f"the profile {profile} of {file} logs in through a browser (pkce), {problem}: "
        "log in with the official command-line tool, or give api_key"
    )


def _profile_name(from_environment: str | None, argument: str | None) -> str | None:
    for name in (from_environment, argument):
        if name and name.strip():
            return None if name.strip().lower() == "default" else name.strip()
    return None


def _profile(file: Path, name: str | None) -> Mapping[str, Any]:
    """The values of a profile; the default profile is the top level of the file."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        content = None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        # The error's own text quotes the file, which may be the line with the key.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"{file} is not YAML{where}: correct it") from None
    top: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    if name is None:
        return top
    values = top.get(name)
    if not isinstance(values, Mapping):
        raise InvalidInput(
            f"the Nextmv profile {name!r} is not in {file}: check NEXTMV_PROFILE and "
            "the profile argument"
        )
    return values
