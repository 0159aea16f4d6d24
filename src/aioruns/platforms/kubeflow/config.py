"""Where the server is, and how to prove who asks (wire/kubeflow.md 1.1 and 1.2)."""

import os
from pathlib import Path

import orjson
from attrs import field, frozen

from aioruns.errors import InvalidInput, MissingCredentials
from aioruns.http.auth import Auth, Headers, TokenFile, bearer
from aioruns.http.codec import Json

ENDPOINT_VARIABLE = "KF_PIPELINES_ENDPOINT"
TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105 - names a path

POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Exists inside a cluster only."""
POD_TOKEN = Path("/var/run/secrets/kubeflow/pipelines/token")
"""Where the kubelet puts a token for the API server, if it was asked for one."""
IN_CLUSTER = "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
"""The API server in the namespace where Kubeflow is installed by default."""


def settings_file() -> Path:
    """The settings file of the official SDK."""
    return Path.home() / ".config" / "kfp" / "context.json"


@frozen
class Config:
    """A resolved connection.

    Attributes:
        host: Base address.
        auth: Makes the headers.
        namespace: The user's namespace, for listings; may be empty.
    """

    host: str
    auth: Auth = field(repr=False)
    namespace: str = ""


def resolve(
    host: str | None,
    token: str | None,
    token_file: str | Path | None,
    cookie: str | None,
    user_id: str | None,
    user_id_header: str,
    namespace: str | None,
) -> Config:
    """Find the address and the credentials.

    A token, token file or cookie that is given ends the search for credentials. No
    credentials are no error: a single-user server wants none.

    Raises:
        MissingCredentials: No address was found, or a named token file is not there.
        InvalidInput: A value cannot be right.
    """
    address = _host(host)
    extra = {}
    if cookie is not None:
        extra["Cookie"] = _secret("cookie", cookie)
    if user_id is not None:
        extra[user_id_header] = _secret("user_id", user_id)
    if token is not None and token_file is not None:
        raise InvalidInput("give either token or token_file, not both")
    if token is not None:
        extra["Authorization"] = bearer(_secret("token", token))
        return Config(address, Headers(extra), namespace or "")
    file = _token_file(token_file, search=cookie is None)
    if file is not None:
        return Config(address, TokenFile(file, extra), namespace or "")
    if cookie is None:
        settings = _read_settings()
        extra = {**_from_settings(settings), **extra}
        namespace = namespace or _entry(settings, "namespace")
    return Config(address, Headers(extra), namespace or "")


def _host(host: str | None) -> str:
    found = host if host is not None else os.environ.get(ENDPOINT_VARIABLE)
    if found:
        return found.strip()
    if host is None and POD_NAMESPACE.is_file():
        return IN_CLUSTER
    raise MissingCredentials(
        "no address of a Kubeflow Pipelines API server was found: pass host, for "
        f'example "http://localhost:8888", or set {ENDPOINT_VARIABLE} (inside a '
        f"cluster, where {POD_NAMESPACE} exists, {IN_CLUSTER} is taken)"
    )


def _token_file(given: str | Path | None, *, search: bool) -> Path | None:
    named = "token_file"
    if given is None and search:
        given = os.environ.get(TOKEN_VARIABLE) or None
        named = TOKEN_VARIABLE
    if given is None:
        return POD_TOKEN if search and POD_TOKEN.is_file() else None
    file = Path(given).expanduser()
    if not file.is_file():
        raise MissingCredentials(
            f"{named} names {file}, where no file is: correct it, or pass token"
        )
    return file


def _read_settings() -> Json:
    file = settings_file()
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MissingCredentials(
            f"the settings file {file} cannot be read ({error.strerror}): check its "
            "permissions, or pass token or cookie"
        ) from error
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MissingCredentials(
            f"the settings file {file} is not JSON: correct or remove it, or pass "
            "token or cookie"
        ) from error
    return value if isinstance(value, dict) else {}


def _from_settings(settings: Json) -> dict[str, str]:
    found = {}
    cookie = _entry(settings, "client_authentication_cookie")
    if cookie:
        found["Cookie"] = _secret("the cookie in the settings file", cookie)
    name = _entry(settings, "client_authentication_header_name")
    value = _entry(settings, "client_authentication_header_value")
    if name and value:
        found[name] = _secret("the header value in the settings file", value)
    return found


def _entry(settings: Json, key: str) -> str:
    value = settings.get(key)
    return value if isinstance(value, str) else ""


def _secret(what: str, value: str) -> str:
    """A value that can stand in a header; it is shown nowhere."""
    text = value.strip()
    if not text:
        raise InvalidInput(f"{what} is empty: leave it out, or give a value")
    if not text.isprintable():
        raise InvalidInput(f"{what} holds a line break or another control character")
    return text
