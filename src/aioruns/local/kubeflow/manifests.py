"""Argo Workflow manifests: reading them, and the tasks and nodes they become."""

from collections.abc import Mapping
from functools import lru_cache

import orjson
import yaml
from attrs import Factory, frozen

from aioruns.local.kubeflow.errors import Generation
from aioruns.local.records import Json

STDOUT = "/dev/stdout"
"""As the path of an output parameter: its value is all that the task printed."""


class ManifestError(ValueError):
    """The manifest cannot be read or asks for something that is not run here."""


@frozen
class Step:
    """One container or script that a workflow runs; a task of the engine."""

    task: str
    template: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = Factory(dict)
    source: str = ""
    """The text of a script, which its command reads from standard input."""
    after: tuple[str, ...] = ()
    group: int = 0
    """Of a template of steps: the place of the group that it belongs to."""
    inputs: Mapping[str, str] = Factory(dict)
    outputs: Mapping[str, str] = Factory(dict)
    """Output parameter -> relative path of the file that holds its value."""
    artifacts: Mapping[str, str] = Factory(dict)
    """Artifact -> relative path of its file."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that may wait for what earlier tasks write."""
        return (*self.argv, *self.env.values(), self.source, *self.inputs.values())


@frozen
class Workflow:
    """A manifest whose parameters and name are filled in."""

    name: str
    entrypoint: str
    kind: str
    """Of its entrypoint: `Pod`, `DAG` or `Steps`."""
    steps: tuple[Step, ...]

    def nodes(self, generation: Generation) -> list[dict[str, Json]]:
        """The steps as rows of the run, with their node ids and pod names.

        Before Argo 3.4 the node id is the pod name (wire/kubeflow.md 6.4).
        """
        rows = []
        for step in self.steps:
            name, hashed = self.name, ""
            if self.kind != "Pod":
                place = f"[{step.group}]" if self.kind == "Steps" else ""
                name = f"{self.name}{place}.{step.task}"
                hashed = hash_of(name)
            node_id = pod = f"{self.name}{hashed}"
            if hashed and generation != "G1":
                pod = f"{self.name}-{step.template}{hashed}"
            rows.append(
                {
                    "task": step.task,
                    "template": step.template,
                    "id": node_id,
                    "name": name,
                    "display_name": step.task if hashed else self.name,
                    "pod": pod,
                    "after": list(step.after),
                    "group": step.group,
                    "inputs": dict(step.inputs),
                    "outputs": dict(step.outputs),
                    "artifacts": dict(step.artifacts),
                }
            )
        return rows


def hash_of(name: str) -> str:
    """A number that stays the same for the node, as Argo's (FNV-1a, 32 bits)."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"-{value}"


def read(text: str, *, json_only: bool = False) -> dict[str, Json]:
    """Parse a manifest.

    Args:
        text: JSON, or YAML.
        json_only: Refuse YAML, as G1 does with inline manifests.

    Returns:
        The manifest; shared, and not to be written into.

    Raises:
        ManifestError: The text is not an Argo Workflow.
    """
    manifest = _parsed(text, json_only=json_only)
    if not isinstance(manifest, dict) or manifest.get("kind") != "Workflow":
        raise ManifestError("The manifest is not an Argo object of kind Workflow.")
    if not isinstance(manifest.get("spec"), dict):
        raise ManifestError("The workflow has no spec.")
    return manifest


@lru_cache(maxsize=256)
def _parsed(text: str, *, json_only: bool) -> Json:
    # The same few texts are read at every poll, and YAML is slow. Nobody writes into
    # what this returns.
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if json_only:
            raise ManifestError(f"The manifest is not JSON: {error}") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ManifestError(f"The manifest cannot be parsed: {error}") from None
