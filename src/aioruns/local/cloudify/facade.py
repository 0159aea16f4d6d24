"""The façade: what is registered, who is admitted, and which handler answers."""

from collections.abc import Iterable, Mapping

from aiohttp import web

from aioruns.local.cloudify import starting
from aioruns.local.cloudify.answers import as_json, for_status
from aioruns.local.cloudify.events import Events
from aioruns.local.cloudify.executions import Executions
from aioruns.local.cloudify.guard import Handler, guarded, json_object
from aioruns.local.cloudify.overviews import Overviews
from aioruns.local.cloudify.worker import PLATFORM, Worker
from aioruns.local.cloudify.workflows import Catalog, Deployment, Workflow
from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.records import Json, Program, utcnow

_ROOT = "/api/v3.1"


class CloudifyFacade:
    """A Cloudify Manager over the engine: user `admin`, tenant `default_tenant`.

    The password of `admin` is the server's token, which is an API token as well.

    Args:
        engine: What runs the programs.
        settings: The server's token.
    """

    name = PLATFORM

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.may_choose_ids = True
        """Whether `admin` has the role that may set the id of an execution, its times,
        its creator and its error. False refuses them as for any other role."""
        self._engine = engine
        self._settings = settings
        self._catalog = Catalog()
        self._worker = Worker(engine)
        self._executions = Executions(engine, self._worker)
        self._events = Events(engine, self._worker)
        self._overviews = Overviews(self._worker, self._catalog)

    def register(
        self,
        deployment_id: str,
        workflow_id: str,
        program: Program,
        *,
        blueprint_id: str = "local",
        parameters: Mapping[str, Json] | None = None,
    ) -> None:
        """Make a program a workflow of a deployment, which is created if needed.

        The program gets the parameters of its execution as one JSON object on standard
        input and as environment variables: names in upper case, texts as they are,
        other values as JSON. A deployment runs one execution at a time unless a request
        says `force`.

        Args:
            deployment_id: The deployment; `""` makes a system workflow.
            workflow_id: The name that executions are started by.
            program: What runs.
            blueprint_id: The blueprint of a deployment that is created.
            parameters: Declared parameters with their defaults; others are refused
                unless the request allows custom ones. None accepts all.
        """
        deployment = self._catalog.deployments.setdefault(
            deployment_id, Deployment(deployment_id, blueprint_id, utcnow())
        )
        deployment.workflows[workflow_id] = Workflow(workflow_id, program, parameters)

    def routes(self) -> Iterable[web.RouteDef]:
        """The routes of version 3.1, and the version."""
        executions, events = self._executions, self._events
        overviews, one = self._overviews, f"{_ROOT}/executions/{{id}}"
        return [
            self._get("/api/version", overviews.version, "free"),
            self._get(f"{_ROOT}/version", overviews.version, "free"),
            self._get(f"{_ROOT}/executions", executions.listing, "listing"),
            web.post(f"{_ROOT}/executions", self._guarded(self._start)),
            web.delete(
                f"{_ROOT}/executions", self._guarded(executions.delete, "listing")
            ),
            self._get(one, executions.one),
            web.patch(one, self._guarded(executions.update)),
            web.post(one, self._guarded(executions.act)),
            self._get(f"{one}/should-start", executions.should_start),
            self._get(f"{_ROOT}/events", events.listing, "listing"),
            web.post(f"{_ROOT}/events", self._guarded(events.create)),
            self._get(f"{_ROOT}/summary/executions", overviews.summary, "listing"),
            self._get(f"{_ROOT}/deployments", overviews.deployments, "listing"),
            self._get(f"{_ROOT}/deployments/{{id}}", overviews.deployment),
        ]

    def owns(self, path: str) -> bool:
        """Whether a path that no route matched is the manager's to answer."""
        return path == "/api" or path.startswith("/api/")

    def error(self, status: int, message: str) -> web.Response:
        """An error as the manager, or the web server before it, gives it."""
        return for_status(status, message).response()

    async def _start(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        wish = starting.read(body)
        if not self.may_choose_ids:
            starting.permit(body)
        created = await starting.start(self._engine, self._worker, self._catalog, wish)
        return as_json(created, status=201)

    def _get(
        self, path: str, handler: Handler, tenant: str = "required"
    ) -> web.RouteDef:
        return web.get(path, self._guarded(handler, tenant))

    def _guarded(self, handler: Handler, tenant: str = "required") -> Handler:
        return guarded(handler, self._settings.token, tenant=tenant)
