"""Maintenance mode: switched in code or by requests (wire/cloudify.md 5.3)."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from aioruns.local.cloudify.answers import Refusal, as_json
from aioruns.local.cloudify.guard import caller_of
from aioruns.local.cloudify.lineup import Lineup
from aioruns.local.cloudify.naming import shown_id
from aioruns.local.cloudify.queries import stamp
from aioruns.local.cloudify.statuses import status_of
from aioruns.local.cloudify.users import SET_MAINTENANCE, Caller
from aioruns.local.records import Json, utcnow

DEACTIVATED, ACTIVATING, ACTIVATED = "deactivated", "activating", "activated"
_MODES = (DEACTIVATED, ACTIVATING, ACTIVATED)
_CODES = {
    ACTIVATING: "entering_maintenance_mode",
    ACTIVATED: "maintenance_mode_active",
}


class Maintenance:
    """Whether the manager is in maintenance, and what it refuses meanwhile.

    Args:
        lineup: What still has to end before a request's activation is complete.
        changed: Called with every new mode.
    """

    def __init__(self, lineup: Lineup, changed: Callable[[str], None]) -> None:
        self._lineup = lineup
        self._changed = changed
        self._mode = DEACTIVATED
        self._asked: tuple[str, datetime] | None = None
        self._since: datetime | None = None

    @property
    def mode(self) -> str:
        """`deactivated`, `activating` or `activated`."""
        # As the manager does: looked at when somebody asks. A mode that was set in
        # code stays.
        if (
            self._mode == ACTIVATING
            and self._asked
            and not any(self._lineup.everyone())
        ):
            self._enter(ACTIVATED)
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        if mode not in _MODES:
            raise ValueError(
                f"There is no maintenance mode {mode!r}; choose one of "
                f"{', '.join(_MODES)}."
            )
        self._asked = None
        self._enter(mode)

    def check(self, request: web.Request, caller: Caller, *, starts: bool) -> None:
        """Refuse what cannot be done in the current mode.

        Args:
            request: What is asked.
            caller: Who asks; some may pass with a header.
            starts: Whether the request starts an execution.
        """
        mode = self.mode
        if mode == DEACTIVATED or (mode == ACTIVATING and not starts):
            return
        if "X-BYPASS-MAINTENANCE" in request.headers and caller.may(SET_MAINTENANCE):
            return
        raise Refusal(
            503,
            _CODES[mode],
            f"The manager is in maintenance mode ({mode}) and refuses this request; "
            "repeat it when maintenance is over",
        )

    async def status(self, _: web.Request) -> web.Response:
        """`GET /maintenance`."""
        return as_json(self._view(self.mode))

    async def activate(self, request: web.Request) -> web.Response:
        """`POST /maintenance/activate`."""
        caller = caller_of(request)
        caller.require(SET_MAINTENANCE, "maintenance")
        if self.mode != DEACTIVATED:
            return web.Response(status=304)
        self._asked = (caller.name, utcnow())
        self._enter(ACTIVATING)
        return as_json(self._view(self._mode))

    async def deactivate(self, request: web.Request) -> web.Response:
        """`POST /maintenance/deactivate`."""
        caller_of(request).require(SET_MAINTENANCE, "maintenance")
        if self.mode == DEACTIVATED:
            return web.Response(status=304)
        self.mode = DEACTIVATED
        return as_json(self._view(DEACTIVATED))

    def _enter(self, mode: str) -> None:
        before, self._mode = self._mode, mode
        self._since = utcnow() if mode == ACTIVATED else None
        if mode != before:
            self._changed(mode)

    def _view(self, mode: str) -> dict[str, Json]:
        name, asked = self._asked or ("", None)
        remaining: list[Json] = []
        if mode == ACTIVATING:
            remaining = [
                {
                    "id": shown_id(record),
                    "status": status_of(record),
                    "deployment_id": record.scope or None,
                    "workflow_id": record.detail["workflow_id"],
                }
                for record in self._lineup.everyone()
            ]
        return {
            "status": mode,
            "activated_at": stamp(self._since) or "",
            "remaining_executions": remaining,
            "requested_by": name,
            "activation_requested_at": stamp(asked) or "",
        }
