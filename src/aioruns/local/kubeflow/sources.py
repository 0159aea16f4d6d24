"""What a run is made from: a stored version or an inline manifest."""

from attrs import field, frozen

from aioruns.local.kubeflow.errors import INTERNAL, INVALID, NOT_FOUND, Refusal
from aioruns.local.kubeflow.installation import DEFAULT_EXPERIMENT, Installation
from aioruns.local.kubeflow.manifests import ManifestError, Workflow, read
from aioruns.local.kubeflow.templates import UndeclaredParameter, fill
from aioruns.local.records import Json, Program


@frozen
class Wanted:
    """What both versions' bodies say, in one shape."""

    name: str
    description: str
    id: str
    experiment: str
    recurring_run_id: str
    service_account: str
    archived: bool
    scheduled: int
    pipeline_id: str = ""
    version_id: str = ""
    inline: str = ""
    """Text of an Argo workflow."""
    parameters: list[tuple[str, str]] = field(factory=list)
    runtime_config: dict[str, Json] = field(factory=dict)
    references: list[dict[str, Json]] = field(factory=list)
    plugins_input: dict[str, Json] = field(factory=dict)

    @property
    def named(self) -> dict[str, str]:
        """The parameters by name."""
        return dict(self.parameters)


@frozen
class Source:
    """The workflow that a run is made from."""

    manifest: dict[str, Json]
    shown: dict[str, str]
    program: Program | None = None


def find_source(service: Installation, wanted: Wanted) -> Source:
    """The stored version, or else the inline manifest."""
    version = service.versions.get(wanted.version_id)
    if wanted.version_id and wanted.pipeline_id and version:
        if version.pipeline_id != wanted.pipeline_id:
            raise refuse(service, "The version is not one of the pipeline's.")
    elif wanted.pipeline_id and not wanted.version_id:
        default = service.default_versions.get(wanted.pipeline_id, "")
        version = service.versions.get(default)
    if version is None and (wanted.pipeline_id or wanted.version_id):
        kind = "PipelineVersion" if wanted.version_id else "Pipeline"
        id_ = wanted.version_id or wanted.pipeline_id
        raise refuse(service, f"{kind} {id_} not found.", NOT_FOUND)
    if version is None and not wanted.inline:
        raise refuse(service, "No pipeline was given to run.")
    text = version.manifest if version else wanted.inline
    json_only = service.generation == "G1" and version is None
    try:
        manifest = read(text, json_only=json_only)
    except ManifestError as error:
        raise refuse(service, str(error)) from None
    if version is None:
        return Source(manifest, {"manifest": text})
    shown = {
        "manifest": text,
        "pipeline_id": version.pipeline_id,
        "version_id": version.version_id,
        "name": version.name,
        "by": "version" if wanted.version_id else "pipeline",
    }
    return Source(manifest, shown, version.program)


def fill_source(
    service: Installation, wanted: Wanted, source: Source, run_id: str
) -> Workflow:
    """The source with the run's parameters."""
    parameters, free = wanted.named, source.program is not None
    try:
        return fill(source.manifest, parameters, run_id, undeclared=free)
    except ManifestError as error:
        raise refuse(service, str(error)) from None
    except UndeclaredParameter as error:
        # wire/kubeflow.md 2.1: here it is G1 that answers 500
        code = INTERNAL if service.generation == "G1" else INVALID
        raise Refusal(code, str(error)) from None


def find_experiment(service: Installation, id_: str) -> str:
    """The id of the experiment that was asked for, or of the default one."""
    if id_ and id_ not in service.experiments:
        # wire/kubeflow.md 2.1: the other way round than most mistakes
        code = INTERNAL if service.generation == "G1" else NOT_FOUND
        raise Refusal(code, f"Experiment {id_} not found.")
    return id_ or DEFAULT_EXPERIMENT


def refuse(service: Installation, message: str, g1: int = INVALID) -> Refusal:
    """Many input mistakes are 500 from G2 on (wire/kubeflow.md 2.1)."""
    return Refusal(g1 if service.generation == "G1" else INTERNAL, message)
