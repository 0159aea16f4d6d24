"""The handle of a pipeline: stored on the server, or sent along as a manifest."""

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.platforms.kubeflow.filters import Version
from aioruns.platforms.kubeflow.keys import NAME_LIMIT, name_with_key
from aioruns.platforms.kubeflow.manifest import Manifest
from aioruns.platforms.kubeflow.parameters import as_texts, checked
from aioruns.runs import Run, Runs, RunSpec
from aioruns.submitting import KEY_LENGTH, new_key

_OTHER_TEXTS = ("description", "experiment_id", "service_account", "key")
_NONE = (None,) * len(_OTHER_TEXTS)

_SURELY_SHORT = NAME_LIMIT - KEY_LENGTH - len(" []")
"""Characters of a name that has room for any key of ours."""


@define(eq=False)
class Pipeline:
    """A pipeline to run; made by `Kubeflow.pipeline`.

    Attributes:
        pipeline_id: A stored pipeline, to be run in its default version.
        version_id: A stored version of a pipeline.
        manifest: A pipeline that is sent along with every run.

    Example:
        ```python
        pipeline = kubeflow.pipeline("0e5e6a5f-...")
        run = await pipeline.submit({"lr": 0.1, "epochs": 3}, name="train")
        result = await run.result()
        print(result.outputs["train"]["accuracy"])
        ```
    """

    _runs: Runs = field(repr=False)
    _version: Version = field(repr=False)
    pipeline_id: str = ""
    version_id: str = ""
    manifest: Manifest | None = field(default=None, repr=False)

    def spec(
        self,
        parameters: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        experiment_id: str | None = None,
        service_account: str | None = None,
        key: str | None = None,
    ) -> RunSpec:
        """Check and describe a run, without sending anything.

        Args:
            parameters: Values by name. Argo workflows know text only: text is taken as
                it is, everything else as its JSON text (`0.1`, `true`, `["a","b"]`).
                Pipelines of the 2.x compiler are given the values themselves.
            name: Display name; the submission key is appended to it in brackets. By
                default the pipeline's id, or the name in the manifest.
            description: Free text.
            experiment_id: The experiment that the run belongs to; by default the
                server's own. Multi-user servers want one.
            service_account: Kubernetes service account of the pods; by default the
                server's setting.
            key: Submission key; by default every submission makes its own. On 2.x
                servers the key decides the run's id, so that submitting a key again
                returns the run that exists already.

        Returns:
            A value that `submit()` or a batch can submit any number of times.

        Raises:
            InvalidInput: Something cannot be right; nothing was sent.
        """
        payload = self._described(
            parameters, name, description, experiment_id, service_account, key
        )
        return self._runs.spec(experiment_id or "", payload, key)

    async def submit(
        self,
        parameters: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        experiment_id: str | None = None,
        service_account: str | None = None,
        key: str | None = None,
    ) -> Run:
        """Create a run, once; arguments as of `spec`.

        Returns:
            The run's handle.

        Raises:
            InvalidInput: Something cannot be right; nothing was sent.
            CallError: The server refused, or whether it acted stayed unknown.
        """
        payload = self._described(
            parameters, name, description, experiment_id, service_account, key
        )
        return await self._runs.submit_new(experiment_id or "", payload, key)

    def run(self, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made."""
        return self._runs.run("", run_id)

    def _described(
        self,
        parameters: Mapping[str, Any] | None,
        name: str | None,
        description: str | None,
        experiment_id: str | None,
        service_account: str | None,
        key: str | None,
    ) -> Json:
        if name is not None:
            _check_text("name", name)
        others = description, experiment_id, service_account, key
        if others != _NONE:
            _check_others(others)
        values = {} if parameters is None else checked(parameters)
        called = name or self._name()
        if key or len(called) > _SURELY_SHORT:
            name_with_key(called, key or new_key())  # says if that is too long
        is_ir = self.manifest is not None and self.manifest.is_ir
        if is_ir or (self._version == "v2beta1" and self.manifest is None):
            payload = self._payload_v2(called, values)
        else:
            payload = self._payload(called, values)
        if description:
            payload["description"] = description
        if service_account:
            payload["service_account"] = service_account
        if experiment_id and "display_name" in payload:
            payload["experiment_id"] = experiment_id
        elif experiment_id:
            reference = _reference("EXPERIMENT", experiment_id, "OWNER")
            payload.setdefault("resource_references", []).insert(0, reference)
        return payload

    def _name(self) -> str:
        found = self.pipeline_id or self.version_id
        if self.manifest is not None:
            found = self.manifest.name
        return (found or "run")[: NAME_LIMIT // 2]

    def _payload(self, name: str, values: Mapping[str, Any]) -> Json:
        spec: Json = {}
        payload: Json = {"name": name, "pipeline_spec": spec}
        if self.manifest is not None:
            spec["workflow_manifest"] = self.manifest.text
        elif self.pipeline_id:
            spec["pipeline_id"] = self.pipeline_id
        else:
            reference = _reference("PIPELINE_VERSION", self.version_id, "CREATOR")
            payload["resource_references"] = [reference]
        if values:
            texts = as_texts(values)
            spec["parameters"] = texts
            if self.manifest is None:
                # A stored pipeline may be of the 2.x compiler, which heeds only these;
                # 2.x servers take both forms, and for 1.x ones this one is removed.
                spec["runtime_config"] = {"parameters": values}
        return payload

    def _payload_v2(self, name: str, values: Mapping[str, Any]) -> Json:
        payload: Json = {"display_name": name}
        if self.manifest is not None:
            payload["pipeline_spec"] = self.manifest.value
        else:
            reference = {
                "pipeline_id": self.pipeline_id,
                "pipeline_version_id": self.version_id,
            }
            payload["pipeline_version_reference"] = {
                key: value for key, value in reference.items() if value
            }
        if values:
            payload["runtime_config"] = {"parameters": values}
        return payload


def _reference(kind: str, thing: str, relationship: str) -> Json:
    return {"key": {"type": kind, "id": thing}, "relationship": relationship}


def _check_others(values: tuple[object, ...]) -> None:
    for what, value in zip(_OTHER_TEXTS, values, strict=True):
        if value is not None:
            _check_text(what, value)


def _check_text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidInput(f"{what} must be text, not {type(value).__name__}")
    if not value.strip():
        raise InvalidInput(f"{what} is empty: leave it out, or give a text")
