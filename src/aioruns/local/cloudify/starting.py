"""From a wish to an execution (wire/cloudify.md 2.3)."""

import asyncio
import secrets
from collections.abc import Mapping
from uuid import uuid4

from attrs import evolve

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.naming import ENVIRONMENT, PLATFORM, twin_of
from aioruns.local.cloudify.statuses import status_of
from aioruns.local.cloudify.users import User
from aioruns.local.cloudify.views import answered
from aioruns.local.cloudify.wishes import Wish
from aioruns.local.cloudify.worker import Worker
from aioruns.local.cloudify.workflows import Catalog, Workflow
from aioruns.local.engine import Engine
from aioruns.local.records import Json, RunRecord

# Seconds between the look for an id and its use; simultaneous requests meet in it.
_GAP = 0.02

_ENVIRONMENT_ERRORS = {
    "pending": "deployment_environment_creation_pending_error",
    "started": "deployment_environment_creation_in_progress_error",
}


class Starter:
    """Starts, queues and refuses executions.

    Args:
        engine: What runs the programs.
        worker: Knows who is ahead.
        catalog: The workflows.
        users: Who can be the creator.
        behaviour: The defects that are on.
    """

    def __init__(
        self,
        engine: Engine,
        worker: Worker,
        catalog: Catalog,
        users: Mapping[str, User],
        behaviour: Behaviour,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._catalog = catalog
        self._users = users
        self._behaviour = behaviour

    async def start(self, wish: Wish) -> dict[str, Json]:
        """Start, queue or refuse; the answer is the execution as it was created."""
        workflow, parameters = await self.check(wish)
        problem = workflow.unavailable(wish.deployment_id)
        if problem is not None and wish.status is None and not wish.force:
            raise await self._refused(wish, problem)
        run_id = await self._free_id(wish.id)
        # From here to the engine's own entry nothing is awaited: of two requests at the
        # same time, one is first.
        status = wish.status or self.decide(wish)
        record = await self.submit(wish, workflow, parameters, status, run_id=run_id)
        return answered(record, status)

    async def check(self, wish: Wish) -> tuple[Workflow, dict[str, Json]]:
        """The workflow of a wish and its merged parameters; raises what refuses it."""
        if wish.deployment_id:
            self._catalog.deployment(wish.deployment_id)
        try:
            workflow = self._catalog.workflow(wish.deployment_id, wish.workflow_id)
        except Refusal as problem:
            raise (
                problem if wish.deployment_id else await self._refused(wish, problem)
            ) from None
        if wish.status is None:
            self._check_environment(wish)
        if wish.creator not in self._users:
            raise bad(
                f"`created_by` must be an existing user; there are "
                f"{', '.join(self._users)}"
            )
        return workflow, workflow.merge(wish.parameters, custom=wish.custom)

    def decide(self, wish: Wish) -> str:
        """Whether it is `pending` or `queued` now; raises that it is neither."""
        if any(self._worker.lineup.ahead("")):
            return "queued"  # system workflows block whatever is asked for
        if wish.force:
            return "pending"
        ahead = self._worker.lineup.ahead(wish.deployment_id)
        first = next(ahead, None)
        if first is None:
            return "pending"
        if wish.queue:
            return "queued"
        running = ", ".join(record.id for record in [first, *ahead])
        raise Refusal(
            400,
            "existing_running_execution_error",
            f"The following executions are currently running for deployment "
            f"{wish.deployment_id}: {running}. To execute this workflow anyway, pass "
            "force=true; to start it after them, pass queue=true",
        )

    async def submit(
        self,
        wish: Wish,
        workflow: Workflow,
        parameters: dict[str, Json],
        status: str,
        *,
        run_id: str = "",
        groups: tuple[str, ...] = (),
    ) -> RunRecord:
        """Create an execution in a status, and start it if that is `pending`."""
        run_id = run_id or str(uuid4())
        detail = self._detail(wish, parameters, status, groups)
        extra = {
            "CLOUDIFY_EXECUTION_ID": run_id,
            "CLOUDIFY_EXECUTION_TOKEN": detail["token"],
        }
        return await self._engine.submit(
            PLATFORM,
            run_id,
            # a dry run does nothing, and so succeeds
            [] if wish.dry_run else [workflow.task(parameters, extra)],
            scope=wish.deployment_id,
            detail=detail,
            hold=detail["held"],
        )

    async def submit_failed(
        self,
        wish: Wish,
        workflow: Workflow,
        problem: str,
        *,
        run_id: str = "",
        groups: tuple[str, ...] = (),
    ) -> RunRecord:
        """Create an execution that could not even be started."""
        error = f"Error preparing execution: {problem}"
        wish = evolve(wish, status="failed", told={"error": error})
        parameters = dict(wish.parameters)
        return await self.submit(
            wish, workflow, parameters, "failed", run_id=run_id, groups=groups
        )

    # -- refusals -------------------------------------------------------------------

    async def _refused(self, wish: Wish, problem: Refusal) -> Refusal:
        if self._behaviour.defects.start_leaves_failed:
            never = Workflow(wish.workflow_id, _never, None)
            await self.submit_failed(wish, never, problem.message)
        return problem

    def _check_environment(self, wish: Wish) -> None:
        made = self._worker.lineup.environment(wish.deployment_id)
        if made is None or wish.workflow_id == ENVIRONMENT:
            return
        status = status_of(made)
        if status != "terminated":
            raise Refusal(
                400,
                _ENVIRONMENT_ERRORS.get(status, "deployment_creation_error"),
                f"The environment of the deployment {wish.deployment_id} is not there: "
                f"its creation is {status}",
            )

    async def _free_id(self, wanted: str | None) -> str:
        if wanted is None:
            return ""
        if self._worker.record(wanted) is not None:
            raise Refusal(
                409, "conflict_error", f"Execution with ID `{wanted}` already exists"
            )
        if self._behaviour.defects.duplicate_ids:
            await asyncio.sleep(_GAP)
            while self._worker.record(wanted) is not None:
                wanted = twin_of(wanted)
        return wanted

    # -- what is kept -----------------------------------------------------------------

    def _detail(
        self,
        wish: Wish,
        parameters: dict[str, Json],
        status: str,
        groups: tuple[str, ...],
    ) -> dict[str, Json]:
        detail: dict[str, Json] = {
            "workflow_id": wish.workflow_id,
            "blueprint_id": None,
            "parameters": parameters,
            "allow_custom_parameters": wish.custom,
            "is_dry_run": wish.dry_run,
            "is_system_workflow": wish.system,
            "held": wish.status is not None or status == "queued",
            "created_by": wish.creator,
            "token": secrets.token_hex(16),
            **wish.told,
        }
        if groups:
            detail["groups"] = list(groups)
        if wish.deployment_id:
            deployment = self._catalog.deployment(wish.deployment_id)
            detail["blueprint_id"] = deployment.blueprint_id
        if wish.status is not None:
            never = {"error": None, "started_at": None, "ended_at": None}
            detail = never | detail | {"status": wish.status}
        return detail


async def _never(_: object) -> None:
    raise RuntimeError("This workflow does not exist.")
