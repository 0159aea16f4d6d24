"""Manifests that are sent along with a run: Argo workflows, and pipeline IR."""

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json


@frozen
class Manifest:
    """A pipeline as an object.

    Attributes:
        value: The Argo workflow, or the pipeline IR of the 2.x compiler, alone or as
            an object of `pipeline_spec` and `platform_spec`.
        is_ir: Which of the two it is.
        text: Its JSON text, which alone all generations take (wire/kubeflow.md 2.1);
            made once, as a sweep sends it thousands of times.
    """

    value: Json
    is_ir: bool = False
    text: str = field(init=False, repr=False)

    @text.default
    def _as_json(self) -> str:
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":"))

    @property
    def name(self) -> str:
        """What the manifest calls itself; may be empty."""
        if self.is_ir:
            spec = self.value.get("pipeline_spec", self.value)
            found = spec.get("pipelineInfo", {})
            return str(found.get("name", "")) if isinstance(found, dict) else ""
        metadata = self.value.get("metadata")
        if not isinstance(metadata, dict):
            return ""
        named = metadata.get("name") or metadata.get("generateName") or ""
        return str(named).rstrip("-")


def read_manifest(source: Mapping[str, Any] | str) -> Manifest:
    """Take a manifest as an object, or as JSON or YAML text.

    Raises:
        InvalidInput: It is neither an Argo workflow nor pipeline IR.
    """
    documents = _documents(source)
    first, *more = documents or [None]
    if isinstance(first, dict):
        if first.get("kind") == "Workflow" and not more:
            return Manifest(first)
        if "pipelineInfo" in first and len(more) < 2:
            parts = [{"platform_spec": part} for part in more]
            value = {"pipeline_spec": first, **parts[0]} if parts else first
            return Manifest(value, is_ir=True)
        if "pipeline_spec" in first and not more:
            return Manifest(first, is_ir=True)
    raise InvalidInput(
        "the manifest is neither an Argo object of kind Workflow nor the output of the "
        "Kubeflow Pipelines compiler: give one of them as an object, or as JSON or "
        "YAML text"
    )


def _documents(source: object) -> list[Any]:
    if isinstance(source, Mapping):
        return [_plain(source)]
    if not isinstance(source, str):
        kind = type(source).__name__
        raise InvalidInput(f"a manifest must be an object or a text, not {kind}")
    try:
        return [json.loads(source)]
    except json.JSONDecodeError:
        pass
    import yaml  # noqa: PLC0415 - takes time to import, and most manifests need none

    try:
        found = [
            _plain(part) for part in yaml.safe_load_all(source) if part is not None
        ]
    except yaml.YAMLError as error:
        raise InvalidInput(f"the manifest is neither JSON nor YAML: {error}") from error
    return found


def _plain(value: object) -> Any:
    """The value as JSON knows it; YAML also makes dates."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_as_text))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the manifest has no JSON form: {error}") from error


def _as_text(value: object) -> str:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"{type(value).__name__} has no JSON form")
