"""The handle of a deployment: specs and submissions of its workflows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, encode
from aioruns.platforms.cloudify.requests import MARKER
from aioruns.runs import Run, RunSpec

if TYPE_CHECKING:
    from aioruns.platforms.cloudify.client import Cloudify

_FLAGS = ("force", "dry_run", "queue", "allow_custom_parameters")


class Deployment:
    """A deployment, reached by its id; made by `Cloudify.deployment`.

    Args:
        client: The platform.
        id: The deployment's id.
    """

    def __init__(self, client: "Cloudify", id: str) -> None:
        if not isinstance(id, str) or not id:
            raise InvalidInput("the deployment id must be text that is not empty")
        self.client = client
        self.id = id

    def __repr__(self) -> str:
        return f"Deployment({self.client!r}, {self.id!r})"

    def spec(
        self,
        workflow_id: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        force: bool = False,
        dry_run: bool = False,
        queue: bool = False,
        allow_custom_parameters: bool = False,
        wait_after_fail: int | None = None,
        key: str | None = None,
    ) -> RunSpec:
        """Check what to execute; nothing is sent.

        Args:
            workflow_id: The workflow, for example `install`.
            parameters: A JSON object for the workflow; its defaults fill the rest.
            force: Start even while another execution of the deployment is active.
            dry_run: Only pretend.
            queue: Wait on the manager while another execution is active; without it
                (and without `force`) the submission is refused then.
            allow_custom_parameters: Permit parameters that the workflow does not
                declare.
            wait_after_fail: Seconds that the workflow's other operations may still take
                after one has failed; None leaves it to the manager.
            key: Submission key, by which the execution is found again when an answer
                was lost. Where the manager lets us choose ids (see `choose_ids`), the
                same key makes only one execution in this deployment.

        Returns:
            A value to submit, here or in a batch.

        Raises:
            InvalidInput: A value cannot be right; the text names all that are wrong.
        """
        payload = self._payload(
            workflow_id,
            parameters,
            force,
            dry_run,
            queue,
            allow_custom_parameters,
            wait_after_fail,
        )
        return self.client.runs.spec(self.id, payload, key)

    async def submit(
        self,
        workflow_id: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        force: bool = False,
        dry_run: bool = False,
        queue: bool = False,
        allow_custom_parameters: bool = False,
        wait_after_fail: int | None = None,
        key: str | None = None,
    ) -> Run:
        """Start an execution, once; arguments as of `spec`.

        Returns:
            The run's handle.

        Raises:
            InvalidInput: A value cannot be right; nothing was sent.
            BadRequest: The manager refused; `code` says why, for example
                `existing_running_execution_error` for a busy deployment.
            CallError: Another failure; see `aioruns.errors`.
        """
        payload = self._payload(
            workflow_id,
            parameters,
            force,
            dry_run,
            queue,
            allow_custom_parameters,
            wait_after_fail,
        )
        return await self.client.runs.submit_new(self.id, payload, key)

    def run(self, execution_id: str) -> Run:
        """The handle of an execution that exists already; no request is made."""
        return self.client.runs.run(self.id, execution_id)

    def _payload(
        self,
        workflow_id: object,
        parameters: object,
        force: object,
        dry_run: object,
        queue: object,
        allow_custom_parameters: object,
        wait_after_fail: object,
    ) -> Json:
        wrong: list[str] = []
        if not isinstance(workflow_id, str) or not workflow_id:
            wrong.append("workflow_id must be text that is not empty")
        payload: Json = {"deployment_id": self.id, "workflow_id": workflow_id}
        if parameters is not None:
            payload["parameters"] = _plain(parameters, wrong)
        payload["force"] = force
        payload["dry_run"] = dry_run
        payload["queue"] = queue
        payload["allow_custom_parameters"] = allow_custom_parameters
        if not (
            type(force)
            is type(dry_run)
            is type(queue)
            is type(allow_custom_parameters)
            is bool
        ):
            # wire/cloudify.md 2.3: 1 and null are refused.
            wrong += [
                f"{name} must be True or False, not {payload[name]!r}"
                for name in _FLAGS
                if not isinstance(payload[name], bool)
            ]
        if wait_after_fail is not None:
            if type(wait_after_fail) is not int or wait_after_fail < 0:
                wrong.append(
                    "wait_after_fail must be a whole number of seconds, not "
                    f"{wait_after_fail!r}"
                )
            payload["wait_after_fail"] = wait_after_fail
        if wrong:
            raise InvalidInput("; ".join(wrong))
        return payload


def _plain(parameters: object, wrong: list[str]) -> Json:
    """The parameters as a JSON object of their own; what is wrong is noted."""
    # The exact type first: to ask an abstract class costs as much as to encode.
    if type(parameters) is not dict and not isinstance(parameters, Mapping):
        kind = type(parameters).__name__
        wrong.append(f"parameters must be a JSON object, not {kind}")
        return {}
    if MARKER in parameters:
        wrong.append(
            f"the parameter {MARKER} carries the submission key: use key= for it"
        )
    try:
        plain: Json = orjson.loads(
            encode(parameters if type(parameters) is dict else dict(parameters))
        )
    except TypeError as error:
        wrong.append(f"parameters must be a JSON object: {error}")
        return {}
    return plain
