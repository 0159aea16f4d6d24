"""What one Kubeflow Pipelines installation holds: pipelines and experiments."""

import json
import uuid
from collections.abc import Mapping

from attrs import Factory, define, frozen

from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.kubeflow.access import Access
from aioruns.local.kubeflow.defects import Defects
from aioruns.local.kubeflow.errors import Generation
from aioruns.local.kubeflow.manifests import STDOUT
from aioruns.local.records import Json, Program, RunRecord

PLATFORM = "kubeflow"

DEFAULT_EXPERIMENT = str(uuid.uuid5(uuid.NAMESPACE_URL, "kubeflow/experiments/Default"))
"""The id of the experiment that runs without one belong to; stable over restarts."""


@frozen
class Version:
    """A registered version of a pipeline."""

    pipeline_id: str
    version_id: str
    name: str
    manifest: str
    program: Program | None = None
    """Runs instead of the manifest's container, if given."""


@define
class Experiment:
    """A group of runs."""

    id: str
    name: str
    archived: bool = False
    namespace: str = ""


@define
class Installation:
    """What all handlers share."""

    engine: Engine
    settings: Settings
    access: Access
    generation: Generation = "G3"
    defects: Defects = Factory(Defects)
    versions: dict[str, Version] = Factory(dict)
    default_versions: dict[str, str] = Factory(dict)
    """Pipeline id -> id of the version that was registered last."""
    experiments: dict[str, Experiment] = Factory(
        lambda: {DEFAULT_EXPERIMENT: Experiment(DEFAULT_EXPERIMENT, "Default")}
    )

    def register(
        self,
        pipeline_id: str,
        manifest: Mapping[str, Json] | str | None,
        program: Program | None,
        version_id: str,
        name: str,
    ) -> None:
        """Add a pipeline version and make it the pipeline's default."""
        if manifest is None:
            if program is None:
                raise ValueError(
                    f"Pipeline {pipeline_id!r} has neither a manifest nor a program: "
                    "give one of them to register()."
                )
            manifest = one_container(pipeline_id)
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        self.versions[version_id] = Version(
            pipeline_id, version_id, name, text, program
        )
        self.default_versions[pipeline_id] = version_id

    def find(self, run_id: str) -> RunRecord | None:
        """The run that a client may see under this id."""
        record = self.engine.get(PLATFORM, run_id)
        return None if record is None or record.detail.get("shadow_of") else record

    def namespace(self, experiment: str) -> str:
        """The namespace of an experiment; empty on single-user servers."""
        found = self.experiments.get(experiment)
        return found.namespace if found and self.access.multi_user else ""

    def runs(self, experiment: str | None = None) -> list[RunRecord]:
        """The runs that clients may see."""
        return [
            record
            for record in self.engine.runs(PLATFORM, experiment)
            if not record.detail.get("shadow_of")
        ]


def one_container(pipeline_id: str) -> dict[str, Json]:
    """The manifest that stands for a program that is registered without one."""
    safe = "".join(c if c.isalnum() else "-" for c in pipeline_id.lower()).strip("-")
    result = {"name": "result", "valueFrom": {"path": STDOUT}}
    outputs = {"parameters": [result]}
    container = {"image": "registered", "command": ["registered-program"]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"{safe or 'pipeline'}-"},
        "spec": {
            "entrypoint": "main",
            "templates": [{"name": "main", "container": container, "outputs": outputs}],
        },
    }
