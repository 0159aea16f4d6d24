"""Where a Cloudify Manager is, and as whom it is asked."""

import os
import ssl
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from aioruns.errors import InvalidInput, MissingCredentials
from aioruns.http.auth import basic

DEFAULT_HOST = "localhost"
DEFAULT_TENANT = "default_tenant"

_KINDS = "username and password, token, or execution_token"


@frozen
class Connection:
    """An address, and the headers that every request carries."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


def resolve(
    host: str | None = None,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    execution_token: str | None = None,
    tenant: str | None = None,
    protocol: str | None = None,
    port: int | None = None,
    api_version: str = "v3.1",
    environ: Mapping[str, str] | None = None,
) -> Connection:
    """Find address, tenant and credentials; arguments win over the environment.

    The official client reads no environment (wire/cloudify.md 1.4): CLOUDIFY_HOST,
    CLOUDIFY_TENANT, CLOUDIFY_USERNAME, CLOUDIFY_PASSWORD and CLOUDIFY_TOKEN are ours.

    Raises:
        MissingCredentials: None were found, or half of a pair.
        InvalidInput: More than one kind was found, or a value cannot be right.
    """
    environ = os.environ if environ is None else environ
    address = (host or environ.get("CLOUDIFY_HOST") or DEFAULT_HOST).strip()
    proof = _from_arguments(username, password, token, execution_token, environ)
    if proof is None:
        proof = _from_environment(environ)
    if not api_version or "/" in api_version:
        raise InvalidInput(
            f"api_version must be a version such as v3.1, not {api_version!r}"
        )
    named = (tenant or environ.get("CLOUDIFY_TENANT") or DEFAULT_TENANT).strip()
    # wire/cloudify.md 1.2: without a tenant every request is refused.
    headers = {**proof, "Tenant": named}
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise InvalidInput(
                f"the header {name} cannot carry what was given for it: it has a "
                "character that is not printable ASCII"
            )
    return Connection(f"{_server(address, protocol, port)}/api/{api_version}", headers)


def tls_settings(
    cert: str | PathLike[str] | None, *, trust_all: bool
) -> ssl.SSLContext | None:
    """How the manager proves who it is; None as any server on the internet does.

    Raises:
        InvalidInput: The file cannot be read, or holds no certificate.
    """
    if trust_all:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if cert is None:
        return None
    where = Path(cert).expanduser()
    try:
        context = ssl.create_default_context(cafile=where)
    except OSError as error:
        if not where.is_dir():
            said = error.strerror or error
            raise InvalidInput(
                f"the certificates in {where} cannot be used ({said}): give the PEM "
                "file of the manager's certificate authority"
            ) from error
        context = ssl.create_default_context(capath=where)
    # Managers make an authority of their own, often without the extensions that newer
    # Pythons ask for; the official client takes it.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", ssl.VerifyFlags(0))
    return context


def _server(host: str, protocol: str | None, port: int | None) -> str:
    if "://" in host:
        if protocol is not None or port is not None:
            raise InvalidInput(
                "the host is a whole address: leave protocol and port out, or give a "
                "bare host name"
            )
        return host.rstrip("/")
    if protocol not in {None, "http", "https"}:
        raise InvalidInput(f"protocol must be http or https, not {protocol!r}")
    if port is not None and not 0 < port < 2**16:
        raise InvalidInput(f"port must be from 1 to 65535, not {port}")
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"  # an IPv6 address
    # wire/cloudify.md 1.1: plain HTTP unless asked otherwise; but nothing serves it
    # on 443.
    scheme = protocol or ("https" if port == 443 else "http")
    if port is not None and urlsplit(f"//{host}").port is not None:
        raise InvalidInput(f"the host {host!r} has a port already: leave port out")
    return f"{scheme}://{host}" + (f":{port}" if port is not None else "")


def _from_arguments(
    username: str | None,
    password: str | None,
    token: str | None,
    execution_token: str | None,
    environ: Mapping[str, str],
) -> Mapping[str, str] | None:
    """The headers of the one kind that was given; None if none was."""
    pair = bool(username or password)
    if pair + bool(token) + bool(execution_token) > 1:
        # wire/cloudify.md 1.2: the server takes one, and a bad one is not healed by
        # a good one.
        raise InvalidInput(
            f"more than one kind of Cloudify credentials was given: give {_KINDS}"
        )
    if token:
        return {"Authentication-Token": token.strip()}
    if execution_token:
        return {"Execution-Token": execution_token.strip()}
    if not pair:
        return None
    user = username or environ.get("CLOUDIFY_USERNAME")
    secret = password or environ.get("CLOUDIFY_PASSWORD")
    return _pair(user, secret)


def _from_environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    token = environ.get("CLOUDIFY_TOKEN", "").strip()
    user, secret = environ.get("CLOUDIFY_USERNAME"), environ.get("CLOUDIFY_PASSWORD")
    if token and user and secret:
        raise InvalidInput(
            "CLOUDIFY_TOKEN is set, and so are CLOUDIFY_USERNAME and "
            f"CLOUDIFY_PASSWORD: unset one of them, or give {_KINDS}"
        )
    if token:
        return {"Authentication-Token": token}
    if user or secret:
        return _pair(user, secret)
    raise MissingCredentials(
        f"no Cloudify credentials: give {_KINDS}, or set CLOUDIFY_USERNAME and "
        "CLOUDIFY_PASSWORD, or CLOUDIFY_TOKEN"
    )


def _pair(user: str | None, secret: str | None) -> Mapping[str, str]:
    if not user:
        raise MissingCredentials(
            "a Cloudify password without its user: give username or set "
            "CLOUDIFY_USERNAME"
        )
    if not secret:
        raise MissingCredentials(
            "a Cloudify user without its password: give password or set "
            "CLOUDIFY_PASSWORD"
        )
    # wire/cloudify.md 1.2: another user name is ignored, as if nothing had been sent.
    if not (user[0].isascii() and user[0].isalpha()) or ":" in user:
        raise InvalidInput(
            f"the Cloudify user name {user!r} must begin with a letter of ASCII and "
            "have no colon"
        )
    return {"Authorization": basic(user, secret)}
