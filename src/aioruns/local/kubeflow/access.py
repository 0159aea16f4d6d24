"""Who asks, and what they may do (wire/kubeflow.md 1.2).

On this machine a header alone proves nothing: as behind an identity proxy, the user-id
header counts beside the server's token only, in the Authorization header or as the
value of a cookie.
"""

import secrets
from collections.abc import Collection, Mapping

from aiohttp import web
from attrs import define, field

from aioruns.local.facade import Settings
from aioruns.local.kubeflow.errors import (
    FORBIDDEN,
    INTERNAL,
    UNAUTHENTICATED,
    Generation,
    Refusal,
)

VERBS = (
    "create",
    "get",
    "list",
    "archive",
    "unarchive",
    "delete",
    "terminate",
    "retry",
    "reportMetrics",
    "readArtifact",
)
_UNCHECKED_ON_G1 = {"reportMetrics", "readArtifact"}


@define
class User:
    """Somebody who may do something in some namespaces."""

    name: str
    namespaces: Mapping[str, Collection[str]]
    """Namespace -> verbs."""
    token: str = field(default="", repr=False)
    """A bearer token of their own; empty for none."""


@define
class Access:
    """The users of an installation, and how they are recognised."""

    settings: Settings
    """Has the server's own token."""
    multi_user: bool = False
    header: str = "kubeflow-userid"
    prefix: str = ""
    """What the header's value must begin with."""
    users: dict[str, User] = field(factory=dict)

    def identify(self, request: web.Request, generation: Generation) -> str:
        """The name of the user who asks; empty in single-user mode.

        Raises:
            Refusal: 401, or 500 on G1, which does not classify the failure.
        """
        bearer = request.headers.get("Authorization", "")
        token = self.settings.token
        ours = _same(bearer, f"Bearer {token}") or any(
            _same(value, token) for value in request.cookies.values()
        )
        if ours and not self.multi_user:
            return ""
        if self.multi_user:
            sent = request.headers.get(self.header, "")
            if ours and sent.startswith(self.prefix) and sent != self.prefix:
                return sent.removeprefix(self.prefix)
            for user in self.users.values():
                if user.token and _same(bearer, f"Bearer {user.token}"):
                    return user.name
        code = INTERNAL if generation == "G1" else UNAUTHENTICATED
        raise Refusal(code, "Request header error: there is no user identity.")

    def check(
        self, user: str, verb: str, namespace: str, generation: Generation
    ) -> None:
        """Refuse with 403 what a user may not do; without users nothing is refused."""
        if not self.multi_user or (generation == "G1" and verb in _UNCHECKED_ON_G1):
            return
        known = self.users.get(user)
        if known is None or verb not in known.namespaces.get(namespace, ()):
            raise Refusal(
                FORBIDDEN,
                f"User {user!r} is not authorized to {verb} runs in namespace "
                f"{namespace!r}.",
            )


def _same(left: str, right: str) -> bool:
    return secrets.compare_digest(left.encode(), right.encode())
