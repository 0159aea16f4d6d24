"""Who sends a request, by execution token, password or API token."""

import base64
import binascii
import hmac

from aiohttp import web

from aioruns.local.cloudify.answers import Refusal
from aioruns.local.cloudify.maintenance import Maintenance
from aioruns.local.cloudify.naming import ADMIN
from aioruns.local.cloudify.statuses import ACTIVE, status_of
from aioruns.local.cloudify.tokens import Tokens
from aioruns.local.cloudify.users import (
    SET_EXECUTION,
    SET_GROUP,
    SET_OWNER,
    SET_TIMESTAMP,
    SYS_ADMIN,
    Caller,
    User,
)
from aioruns.local.cloudify.views import creator
from aioruns.local.cloudify.worker import Worker

_CHOICES = frozenset({SET_EXECUTION, SET_GROUP, SET_OWNER, SET_TIMESTAMP})


class Access:
    """The users of the manager and their credentials.

    Args:
        token: The password of `admin`, and an API token.
        tokens: The other API tokens.
        worker: Knows the executions and their tokens.
        maintenance: What is refused for now.
    """

    def __init__(
        self, token: str, tokens: Tokens, worker: Worker, maintenance: Maintenance
    ) -> None:
        self._token = token
        self._tokens = tokens
        self._worker = worker
        self._maintenance = maintenance
        self.users = {ADMIN: User(token, SYS_ADMIN)}
        self.may_choose = True

    def check(self, request: web.Request, caller: Caller, *, starts: bool) -> None:
        """Refuse what cannot be done in maintenance."""
        self._maintenance.check(request, caller, starts=starts)

    def caller(self, request: web.Request) -> Caller:
        """Who sends a request; raises what refuses a stranger."""
        # wire/cloudify.md 1.2: execution token, then Basic, then API token; a wrong one
        # is not healed by a good one after it
        headers = request.headers
        if "Execution-Token" in headers:
            return self._of_execution(headers["Execution-Token"])
        login = _basic(headers.get("Authorization", ""))
        if login is not None:
            return self._of_login(*login)
        if "Authentication-Token" in headers:
            return self._of_token(headers["Authentication-Token"])
        raise _unauthorized("No authentication info provided")

    def _of_execution(self, token: str) -> Caller:
        record = self._worker.record_of_token(token)
        if record is None or status_of(record) not in ACTIVE:
            raise _unauthorized("The execution token is of no active execution")
        name = creator(record)
        user = self.users.get(name)
        if user is None:
            raise _unauthorized(f"The user {name} of this execution does not exist")
        return Caller(name, user.role, "execution_token", self._denied, record)

    def _of_login(self, name: str, password: str) -> Caller:
        user = self.users.get(name)
        if user is None:
            raise _unauthorized("No authentication info provided")
        if not _same(password, user.password):
            raise _unauthorized(f"Authentication failed for user {name}")
        return Caller(name, user.role, "http_basic", self._denied)

    def _of_token(self, token: str) -> Caller:
        if _same(token, self._token):
            return Caller(ADMIN, self.users[ADMIN].role, "token", self._denied)
        owner = self._tokens.owner(token)
        if owner is not None and owner[0] in self.users:
            return Caller(*owner, "token", self._denied)
        if self._worker.record_of_token(token) is not None:
            return self._of_execution(token)
        raise _unauthorized("The authentication token is not valid")

    @property
    def _denied(self) -> frozenset[str]:
        return frozenset() if self.may_choose else _CHOICES


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    if not colon or not (user[:1].isascii() and user[:1].isalpha()):
        return None
    return user, password


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(
        given.encode(errors="surrogateescape"), wanted.encode(errors="surrogateescape")
    )


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, "unauthorized_error", message)
