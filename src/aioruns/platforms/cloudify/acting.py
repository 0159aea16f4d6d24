"""Actions on executions and execution groups (wire/cloudify.md 3.2.2)."""

from typing import Final

from aioruns.http.request import Request
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify.errors import IllegalActionError
from aioruns.platforms.cloudify.models import Execution, ExecutionGroup
from aioruns.platforms.cloudify.statuses import CANCELLING, state_of

_CANCELS: Final = frozenset({"cancel", "force-cancel", "kill", "requeue"})


async def act(client: Client, where: str, action: str) -> Execution:
    """Send an action to an execution.

    Cancels are sent again after an answer was lost, since a second one does no more. It
    is refused, though, because of the first, and that is no failure. A second resume
    would send operations again.
    """
    cancels = action in _CANCELS
    body = {"action": action}
    request = Request("POST", where, Execution, json=body, repeatable=cancels)
    try:
        return await client.send(request)
    except IllegalActionError as error:
        if not cancels or error.context.attempts == 1:
            raise
        found = await client.send(Request("GET", where, Execution))
        if found.status in CANCELLING or state_of(found.status).final:
            return found
        raise


def group_action(
    where: str, action: str, *, repeatable: bool = False
) -> Request[ExecutionGroup]:
    """An action on a group.

    Args:
        where: The group's path.
        action: What to do.
        repeatable: Whether the caller can tell what refuses a second one (3.4).
    """
    body = {"action": action}
    return Request("POST", where, ExecutionGroup, json=body, repeatable=repeatable)


def cancel_action(*, force: bool, kill: bool) -> str:
    """The name of a cancel; kill wins over force."""
    return "kill" if kill else "force-cancel" if force else "cancel"
