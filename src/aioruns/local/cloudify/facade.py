"""The façade: what is registered, what can be switched, and who is admitted."""

from collections.abc import Iterable, Mapping, Sequence

from aiohttp import web

from aioruns.local.cloudify.access import Access
from aioruns.local.cloudify.actions import Actions
from aioruns.local.cloudify.answers import for_status
from aioruns.local.cloudify.arrivals import Arrivals
from aioruns.local.cloudify.defects import Behaviour, Defects
from aioruns.local.cloudify.events import Events
from aioruns.local.cloudify.executions import Executions
from aioruns.local.cloudify.groupdesk import GroupDesk
from aioruns.local.cloudify.groups import Groups
from aioruns.local.cloudify.groupstarting import GroupStarter
from aioruns.local.cloudify.maintenance import DEACTIVATED, Maintenance
from aioruns.local.cloudify.naming import PLATFORM
from aioruns.local.cloudify.overviews import Overviews
from aioruns.local.cloudify.parameters import declared
from aioruns.local.cloudify.routing import Desks, routes
from aioruns.local.cloudify.scheduledesk import ScheduleDesk
from aioruns.local.cloudify.scheduler import Scheduler
from aioruns.local.cloudify.starting import Starter
from aioruns.local.cloudify.tokens import Tokens
from aioruns.local.cloudify.users import User
from aioruns.local.cloudify.worker import Worker
from aioruns.local.cloudify.workflows import (
    Catalog,
    Deployment,
    DeploymentGroup,
    Workflow,
)
from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.records import Json, Program, utcnow


class CloudifyFacade:
    """A Cloudify Manager over the engine: user `admin`, tenant `default_tenant`.

    The password of `admin` is the server's token, which is an API token as well.

    Args:
        engine: What runs the programs.
        settings: The server's token.
    """

    name = PLATFORM

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._behaviour = behaviour = Behaviour()
        self._catalog = catalog = Catalog()
        groups = Groups(engine, catalog, behaviour)
        self._worker = worker = Worker(engine, catalog, groups)
        self._maintenance = Maintenance(worker.lineup, self._in_mode)
        tokens = Tokens(engine)
        self._access = Access(settings.token, tokens, worker, self._maintenance)
        users = self._access.users
        starter = Starter(engine, worker, catalog, users, behaviour)
        actions = Actions(engine, worker, groups)
        group_starter = GroupStarter(groups, starter, worker, catalog, users, behaviour)
        self._scheduler = Scheduler(engine, starter, worker)
        schedules = ScheduleDesk(self._scheduler, starter, catalog, users, behaviour)
        self._desks = Desks(
            gate=self._access,
            executions=Executions(
                engine, worker, starter, actions, schedules, behaviour
            ),
            groups=GroupDesk(groups, group_starter, worker, actions, behaviour),
            events=Events(engine, worker, groups, Arrivals(behaviour)),
            schedules=schedules,
            overviews=Overviews(worker, catalog, behaviour),
            tokens=tokens,
            maintenance=self._maintenance,
        )

    def open(self) -> None:
        """Take up what an earlier server left."""
        self._worker.open()
        self._scheduler.open()

    async def close(self) -> None:
        """Start nothing more."""
        await self._scheduler.close()
        await self._worker.close()

    # -- what there is ----------------------------------------------------------------

    def register(
        self,
        deployment_id: str,
        workflow_id: str,
        program: Program,
        *,
        blueprint_id: str = "local",
        parameters: Mapping[str, Json] | None = None,
        available: bool = True,
    ) -> None:
        """Make a program a workflow of a deployment, which is created if needed.

        The program gets the parameters of its execution as one JSON object on standard
        input and as environment variables: names in upper case, texts as they are,
        other values as JSON. `CLOUDIFY_EXECUTION_ID` and `CLOUDIFY_EXECUTION_TOKEN` are
        the execution's own. A deployment runs one execution at a time unless a request
        says `force`.

        Args:
            deployment_id: The deployment; `""` makes a system workflow.
            workflow_id: The name that executions are started by.
            program: What runs.
            blueprint_id: The blueprint of a deployment that is created.
            parameters: Declared parameters; others are refused unless the request
                allows custom ones. None accepts all. Each is a default, or an object
                of `type` (`string`, `integer`, `float`, `boolean`, `list`, `dict`),
                `default` (without it a value is required) and `constraints` (a list of
                objects such as `{"in_range": [1, 9]}`).
            available: Whether the deployment's state allows the workflow.
        """
        deployment = self._catalog.deployments.setdefault(
            deployment_id, Deployment(deployment_id, blueprint_id, utcnow())
        )
        known = parameters
        if parameters is not None:
            known = {name: declared(value) for name, value in parameters.items()}
        deployment.workflows[workflow_id] = Workflow(
            workflow_id, program, known, available
        )

    def deployment_group(self, group_id: str, deployment_ids: Sequence[str]) -> None:
        """Make a group of deployments, for execution groups and as their target.

        Args:
            group_id: The name that requests use.
            deployment_ids: Registered deployments; none makes an empty group.
        """
        for deployment_id in deployment_ids:
            if deployment_id not in self._catalog.deployments:
                raise ValueError(
                    f"There is no deployment {deployment_id!r}; register a workflow of "
                    "it before the group."
                )
        self._catalog.groups[group_id] = DeploymentGroup(
            group_id, list(deployment_ids), utcnow()
        )

    @property
    def users(self) -> dict[str, User]:
        """Who may log in, by name; add `users["joe"] = User("secret", role="user")`."""
        return self._access.users

    # -- what can be switched -------------------------------------------------------

    @property
    def defects(self) -> Defects:
        """What the real manager does wrong and this server does only if asked to."""
        return self._behaviour.defects

    @defects.setter
    def defects(self, defects: Defects) -> None:
        self._behaviour.defects = defects

    @property
    def may_choose_ids(self) -> bool:
        """Whether `sys_admin` may set ids, times, creators and errors of executions.

        False refuses them as for any other role.
        """
        return self._access.may_choose

    @may_choose_ids.setter
    def may_choose_ids(self, may: bool) -> None:
        self._access.may_choose = may

    @property
    def maintenance(self) -> str:
        """`deactivated`, `activating` or `activated` (wire/cloudify.md 5.3)."""
        return self._maintenance.mode

    @maintenance.setter
    def maintenance(self, mode: str) -> None:
        self._maintenance.mode = mode

    @property
    def event_delay(self) -> float:
        """Longest time in seconds between the stamp of a row and its insertion.

        Above 0 the rows of an execution arrive as from several writers at once, each
        with a delay of its own, and the last before the execution's end is shown. Set
        it before anything runs.
        """
        return self._behaviour.event_delay

    @event_delay.setter
    def event_delay(self, seconds: float) -> None:
        self._behaviour.event_delay = seconds

    @property
    def commit_delay(self) -> float:
        """Longest time in seconds between the insertion of a row and its being shown.

        Above 0 transactions end in any order, so that rows come up behind later ones,
        also after the execution's end. Set it before anything runs.
        """
        return self._behaviour.commit_delay

    @commit_delay.setter
    def commit_delay(self, seconds: float) -> None:
        self._behaviour.commit_delay = seconds

    @property
    def event_seed(self) -> int:
        """Decides the delays of `event_delay` and `commit_delay`."""
        return self._behaviour.event_seed

    @event_seed.setter
    def event_seed(self, seed: int) -> None:
        self._behaviour.event_seed = seed

    def _in_mode(self, mode: str) -> None:
        self._worker.resting = mode != DEACTIVATED
        if not self._worker.resting:
            self._worker.dequeue_soon()

    # -- what is answered -----------------------------------------------------------

    def routes(self) -> Iterable[web.RouteDef]:
        """The routes of version 3.1, and the version."""
        return routes(self._desks)

    def owns(self, path: str) -> bool:
        """Whether a path that no route matched is the manager's to answer."""
        return path == "/api" or path.startswith("/api/")

    def error(self, status: int, message: str) -> web.Response:
        """An error as the manager, or the web server before it, gives it."""
        return for_status(status, message).response()
