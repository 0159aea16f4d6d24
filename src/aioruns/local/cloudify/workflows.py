"""Deployments, their groups, and the workflows that were registered for them."""

from collections.abc import Mapping
from datetime import datetime

import orjson
from attrs import Factory, define, frozen

from aioruns.local.cloudify.answers import Refusal, missing
from aioruns.local.cloudify.parameters import Illegal, Parameter
from aioruns.local.records import Json, Program, Task


@frozen
class Workflow:
    """A workflow of a deployment and the program behind it."""

    id: str
    program: Program
    parameters: Mapping[str, Parameter] | None
    """Declared names; None declares whatever is sent."""
    available: bool = True
    """Whether the deployment's state allows it."""

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
            raise self._illegal(
                f"the parameters {', '.join(strange)} are not declared; declare them "
                "or allow custom parameters"
            )
        merged = {name: p.default for name, p in self.parameters.items()}
        for name, value in given.items():
            parameter = self.parameters.get(name)
            try:
                merged[name] = parameter.accept(name, value) if parameter else value
            except Illegal as problem:
                raise self._illegal(str(problem)) from None
        lacking = [
            name
            for name, parameter in self.parameters.items()
            if parameter.required and name not in given
        ]
        if lacking:
            raise self._illegal(f"the parameters {', '.join(lacking)} must be given")
        return merged

    def task(
        self, parameters: Mapping[str, Json], extra: Mapping[str, str] | None = None
    ) -> Task:
        """The program with its parameters in the environment and on standard input.

        Args:
            parameters: As merged.
            extra: More of the environment, which parameters cannot replace.
        """
        env = {
            name.upper(): _text(value)
            for name, value in parameters.items()
            # what no environment can hold is on standard input all the same
            if name and "=" not in name and "\0" not in name + _text(value)
        }
        stdin = orjson.dumps(parameters)
        return Task("main", self.program, stdin=stdin, env=env | dict(extra or {}))

    def unavailable(self, deployment_id: str) -> Refusal | None:
        """Why the workflow cannot be started now, if it cannot."""
        if self.available:
            return None
        return Refusal(
            400,
            "unavailable_workflow_error",
            f"Workflow {self.id} is not available in the current state of the "
            f"deployment {deployment_id}",
        )

    def _illegal(self, problem: str) -> Refusal:
        return Refusal(
            400,
            "illegal_execution_parameters_error",
            f"Workflow `{self.id}` cannot be started: {problem}",
        )


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
class DeploymentGroup:
    """Deployments that executions are started for together."""

    id: str
    deployment_ids: list[str]
    created: datetime


@define
class Catalog:
    """All deployments; the one named `""` holds the system workflows."""

    deployments: dict[str, Deployment] = Factory(dict)
    groups: dict[str, DeploymentGroup] = Factory(dict)

    def deployment(self, deployment_id: str) -> Deployment:
        """The deployment, or the refusal of an unknown one."""
        found = self.deployments.get(deployment_id)
        if found is None:
            raise missing("Deployment", deployment_id)
        return found

    def group(self, group_id: str) -> DeploymentGroup:
        """The deployment group, or the refusal of an unknown one."""
        found = self.groups.get(group_id)
        if found is None:
            raise missing("DeploymentGroup", group_id)
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
