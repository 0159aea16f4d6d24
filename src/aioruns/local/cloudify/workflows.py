"""Deployments and the workflows that were registered for them."""

from collections.abc import Mapping
from datetime import datetime

import orjson
from attrs import Factory, define, frozen

from aioruns.local.cloudify.answers import Refusal, missing
from aioruns.local.records import Json, Program, Task


@frozen
class Workflow:
    """A workflow of a deployment and the program behind it."""

    id: str
    program: Program
    parameters: Mapping[str, Json] | None
    """Declared names with their defaults; None declares whatever is sent."""

    def merge(self, given: Mapping[str, Json], *, custom: bool) -> dict[str, Json]:
        """The declared defaults under the given parameters.

        Args:
            given: Parameters of the request.
            custom: Accept names that are not declared.
        """
        if self.parameters is None:
            return dict(given)
        strange = sorted(given.keys() - self.parameters.keys())
        if strange and not custom:
            raise Refusal(
                400,
                "illegal_execution_parameters_error",
                f"Workflow `{self.id}` does not declare the parameters "
                f"{', '.join(strange)}; declare them or allow custom parameters",
            )
        return {**self.parameters, **given}

    def task(self, parameters: Mapping[str, Json]) -> Task:
        """The program with its parameters in the environment and on standard input."""
        env = {
            name.upper(): _text(value)
            for name, value in parameters.items()
            # what no environment can hold is on standard input all the same
            if name and "=" not in name and "\0" not in name + _text(value)
        }
        return Task("main", self.program, stdin=orjson.dumps(parameters), env=env)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@define
class Deployment:
    """A deployment that exists because a workflow was registered for it."""

    id: str
    blueprint_id: str
    created: datetime
    workflows: dict[str, Workflow] = Factory(dict)


@define
class Catalog:
    """All deployments; the one named `""` holds the system workflows."""

    deployments: dict[str, Deployment] = Factory(dict)

    def deployment(self, deployment_id: str) -> Deployment:
        """The deployment, or the refusal of an unknown one."""
        found = self.deployments.get(deployment_id)
        if found is None:
            raise missing("Deployment", deployment_id)
        return found

    def workflow(self, deployment_id: str, workflow_id: str) -> Workflow:
        """The workflow of a deployment, or the refusal."""
        if deployment_id or deployment_id in self.deployments:
            found = self.deployment(deployment_id).workflows.get(workflow_id)
            if found is not None:
                return found
        raise Refusal(
            400,
            "nonexistent_workflow_error",
            f"Workflow {workflow_id} does not exist in deployment {deployment_id}",
        )
