"""The ABEJA façade: registration, modes, authentication and routes."""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Literal

from aiohttp import web

from aioruns.local.abeja import (
    access,
    deployments,
    logs,
    runs,
    services,
    triggers,
)
from aioruns.local.abeja.answers import Refused, error_response
from aioruns.local.abeja.catalog import Catalog
from aioruns.local.abeja.retries import Retries
from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.records import Program, RunRecord

_Handler = Callable[["AbejaFacade", web.Request], Awaitable[web.Response]]

# wire/abeja.md 1.1: the documentation writes the listing with a trailing slash.
_ALL = "/organizations/{organization_id}/deployments"
_ONE = f"{_ALL}/{{deployment_id}}"
_RUNS = f"{_ONE}/runs"
_TRIGGERS = f"{_ONE}/triggers"
_SERVICES = f"{_ONE}/services"
_VERSIONS = f"{_ONE}/versions"
_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("POST", f"{_RUNS}{{slash:/?}}", runs.create),
    ("GET", f"{_RUNS}{{slash:/?}}", runs.listing),
    ("GET", f"{_RUNS}/{{run_id}}{{slash:/?}}", runs.get),
    ("GET", f"{_RUNS}/{{run_id}}/logs{{slash:/?}}", logs.logs),
    ("GET", f"{_RUNS}/{{run_id}}/recentlogs{{slash:/?}}", logs.recent),
    ("POST", f"{_TRIGGERS}{{slash:/?}}", triggers.create),
    ("GET", f"{_TRIGGERS}{{slash:/?}}", triggers.listing),
    ("GET", f"{_TRIGGERS}/{{trigger_id}}{{slash:/?}}", triggers.get),
    ("DELETE", f"{_TRIGGERS}/{{trigger_id}}{{slash:/?}}", triggers.delete),
    ("GET", f"{_TRIGGERS}/{{trigger_id}}/runs{{slash:/?}}", triggers.runs),
    ("GET", f"{_SERVICES}{{slash:/?}}", services.listing),
    ("GET", f"{_SERVICES}/{{service_id}}{{slash:/?}}", services.get),
    ("GET", f"{_SERVICES}/{{service_id}}/logs{{slash:/?}}", services.plain),
    ("GET", f"{_SERVICES}/{{service_id}}/recentlogs{{slash:/?}}", services.recent),
    ("GET", f"{_ALL}{{slash:/?}}", deployments.listing),
    ("GET", f"{_ONE}{{slash:/?}}", deployments.get),
    ("GET", f"{_VERSIONS}{{slash:/?}}", deployments.versions),
    ("GET", f"{_VERSIONS}/{{version_id}}{{slash:/?}}", deployments.version),
)


class AbejaFacade:
    """The Run API of ABEJA Platform over the engine.

    The API has no operation to cancel a run, and its page sizes cannot be asked for.
    Where the contract leaves a choice to the server, an attribute chooses; each may be
    changed at any time:

    Attributes:
        forward_tokens: Whether an empty page of recent logs gives the tokens back
            `"unchanged"` (the default) or `"changed"`.
        empty_page_with_token: Answer the first request of every listing and log with
            an empty page and a token.
        json_text: Answer `input_data` and `output_template` as text that holds JSON.
        retries: Start the program of a run that failed again, until it succeeds or was
            started `retry_count` times; the run is `RUNNABLE` in between. Counts for
            runs that are created from now on; off by default.
    """

    name = runs.PLATFORM

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.catalog = Catalog()
        self.forward_tokens: Literal["unchanged", "changed"] = "unchanged"
        self.empty_page_with_token = False
        self.json_text = False
        self.retries = False
        self._retries = Retries(engine)
        self._salts = itertools.count(1)

    def register(
        self,
        deployment_id: str,
        version_id: str,
        program: Program,
        *,
        organization_id: str | None = None,
    ) -> None:
        """Let runs be made of a version of a deployment.

        The program gets the run's `environment` as environment variables and its
        `input_data` as JSON on standard input (`null` when there is none).

        Args:
            deployment_id: The deployment, thirteen digits at the vendor's.
            version_id: The version of its code, `ver-...`.
            program: What a run executes.
            organization_id: The only organization that sees the deployment; by
                default every one does.
        """
        self.catalog.add(deployment_id, version_id, program, organization_id)

    async def fire(self, trigger_id: str, file_id: str) -> RunRecord:
        """Start the run that a new file would start; nothing fires a trigger by itself.

        Raises:
            KeyError: There is no such trigger.
        """
        return await triggers.fire(self, trigger_id, file_id)

    async def serve(
        self,
        deployment_id: str,
        version_id: str,
        program: Program | None = None,
        *,
        service_id: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Start a service of a registered version: its log can be read, and no more.

        Args:
            deployment_id: The deployment.
            version_id: The version of its code.
            program: Writes the log; it takes one of the server's slots until it ends.
                Without one the service says what `say` is told.
            service_id: Its id; by default a new one, `ser-...`.
            environment: Environment variables of the program.

        Returns:
            The service's id.

        Raises:
            KeyError: The version is not registered, or the id is taken.
        """
        return await services.start(
            self, deployment_id, version_id, program, service_id, environment or {}
        )

    def say(self, service_id: str, text: str) -> None:
        """Add a line to a service's log.

        Raises:
            KeyError: There is no such service.
        """
        services.say(self, service_id, text)

    def next_salt(self) -> int:
        """A number that was not given out before."""
        return next(self._salts)

    def routes(self) -> Iterable[web.RouteDef]:
        """The platform's routes."""
        return [
            web.route(method, path, self._guarded(handler))
            for method, path, handler in _ROUTES
        ]

    def owns(self, path: str) -> bool:
        """Whether a path that no route matched is this platform's to answer."""
        return path.startswith("/organizations/")

    def error(self, status: int, message: str) -> web.Response:
        """An error answer in this platform's form."""
        return error_response(status, message)

    def _guarded(
        self, handler: _Handler
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                access.check(request, self.settings.token)
                return await handler(self, request)
            except Refused as refused:
                return error_response(refused.status, str(refused), refused.detail)

        return handle
