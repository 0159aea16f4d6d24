"""Who may do what (wire/cloudify.md 2.10)."""

from attrs import field, frozen

from aioruns.local.cloudify.answers import Refusal
from aioruns.local.records import RunRecord

READ = "read"
WRITE = "write"
SET_TIMESTAMP = "set_timestamp"
SET_OWNER = "set_owner"
SET_EXECUTION = "set_execution_details"
SET_GROUP = "set_execution_group_details"
SET_MAINTENANCE = "maintenance_mode_set"
OTHERS_TOKENS = "manage_others_tokens"

SYS_ADMIN = "sys_admin"
_EVERYBODY = frozenset({READ})
_WORKING = frozenset({READ, WRITE})
ROLES = {
    SYS_ADMIN: _WORKING
    | {
        SET_TIMESTAMP,
        SET_OWNER,
        SET_EXECUTION,
        SET_GROUP,
        SET_MAINTENANCE,
        OTHERS_TOKENS,
    },
    "manager": _WORKING,
    "user": _WORKING,
    "operations": _WORKING,
    "viewer": _EVERYBODY,
}


@frozen
class User:
    """Somebody with a password and a role.

    Args:
        password: For Basic authentication.
        role: `sys_admin`, `manager`, `user`, `operations` or `viewer`.
    """

    password: str = field(repr=False)
    role: str = field(default="user")

    @role.validator
    def _known(self, _: object, role: str) -> None:
        if role not in ROLES:
            raise ValueError(
                f"There is no role {role!r}; choose one of {', '.join(ROLES)}."
            )


@frozen
class Caller:
    """Who sends a request, and how that was shown."""

    name: str
    role: str
    method: str
    """`http_basic`, `token` or `execution_token`."""
    denied: frozenset[str] = frozenset()
    """Permissions of the role that are withheld all the same."""
    execution: RunRecord | None = None
    """The execution whose token was sent."""

    def may(self, permission: str) -> bool:
        """Whether an operation is allowed."""
        return permission in ROLES[self.role] - self.denied

    def require(self, permission: str, what: str) -> None:
        """Refuse what is not allowed.

        Args:
            permission: One of the names of this module.
            what: The field or operation that needs it, for the message.
        """
        if not self.may(permission):
            raise Refusal(
                403,
                "forbidden_error",
                f"User `{self.name}` is not permitted to perform the action "
                f"{permission}, which {what} needs; ask for the role {SYS_ADMIN}"
                if permission not in _WORKING
                else f"User `{self.name}` with the role {self.role} is not permitted "
                f"to {permission} here, which {what} needs",
            )
