"""What the server answers, as values; what is not named here stays in `raw`."""

from datetime import UTC, datetime

from attrs import field, frozen

from aioruns.http.codec import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _when(moment: datetime | None) -> datetime | None:
    """Unset times are sent as the epoch, or as year 1 (wire/kubeflow.md 3.1)."""
    return None if moment is None or moment <= _EPOCH else moment


@frozen
class Health:
    """What an API server says about itself (wire/kubeflow.md 1.6).

    Attributes:
        commit_sha: What it was built from.
        tag_name: Its release.
        multi_user: Whether runs belong to namespaces and callers need an identity.
        pipeline_store: Where it keeps pipelines; only recent releases say it.
    """

    commit_sha: str = ""
    tag_name: str = ""
    multi_user: bool = False
    pipeline_store: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Parameter:
    """A parameter of a run; the value is always text."""

    name: str = ""
    value: str = ""


@frozen
class PipelineSpec:
    """What a run runs, as v1beta1 tells it."""

    pipeline_id: str = ""
    pipeline_name: str = ""
    workflow_manifest: str = field(default="", repr=False)
    pipeline_manifest: str = field(default="", repr=False)
    parameters: tuple[Parameter, ...] = ()
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ResourceKey:
    """Kind and id of a thing that a run is linked to."""

    type: str = ""
    id: str = ""


@frozen
class ResourceReference:
    """A link of a run: to its experiment, its pipeline version, its namespace."""

    key: ResourceKey = field(factory=ResourceKey)
    name: str = ""
    relationship: str = ""


@frozen
class RunMetric:
    """A number that a node of a run reported."""

    name: str = ""
    node_id: str = ""
    number_value: float = 0.0
    format: str = ""


@frozen
class KubeflowRun:
    """A run as v1beta1 shows it (wire/kubeflow.md 3.2).

    Attributes:
        id: The run's id.
        name: Its display name, which need not be unique.
        status: The server's own word; empty before a workflow was picked up.
        error: Why the server cannot show the run; not why the run failed.
    """

    id: str
    name: str = ""
    storage_state: str = ""
    description: str = ""
    pipeline_spec: PipelineSpec = field(factory=PipelineSpec)
    resource_references: tuple[ResourceReference, ...] = ()
    service_account: str = ""
    created_at: datetime | None = field(default=None, converter=_when)
    scheduled_at: datetime | None = field(default=None, converter=_when)
    finished_at: datetime | None = field(default=None, converter=_when)
    status: str = ""
    error: str = ""
    metrics: tuple[RunMetric, ...] = ()
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class PipelineRuntime:
    """What became of a run's workflow: JSON text of an Argo object, with status."""

    workflow_manifest: str = field(default="", repr=False)
    pipeline_manifest: str = field(default="", repr=False)


@frozen
class RunDetail:
    """The answer to a single read, and to a creation, of v1beta1.

    `run` has no default: `{}` is a legal answer elsewhere, but here it would be a run
    without an id.
    """

    run: KubeflowRun
    pipeline_runtime: PipelineRuntime = field(factory=PipelineRuntime)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunList:
    """One page of runs of v1beta1; empty keys are left out by the server."""

    runs: tuple[KubeflowRun, ...] = ()
    total_size: int = 0
    next_page_token: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Row:
    """What state polling keeps of a run in a v1beta1 page."""

    id: str
    name: str = ""
    status: str = ""
    error: str = ""
    created_at: datetime | None = field(default=None, converter=_when)
    finished_at: datetime | None = field(default=None, converter=_when)


@frozen
class Rows:
    """A v1beta1 page for state polling."""

    runs: tuple[Row, ...] = ()


@frozen
class Transition:
    """A state of a v2beta1 run, and since when."""

    state: str = ""
    update_time: datetime | None = field(default=None, converter=_when)


@frozen
class RowV2:
    """What state polling keeps of a run in a v2beta1 page."""

    run_id: str
    display_name: str = ""
    state: str = ""
    error: Json = field(factory=dict)
    created_at: datetime | None = field(default=None, converter=_when)
    finished_at: datetime | None = field(default=None, converter=_when)
    state_history: tuple[Transition, ...] = ()


@frozen
class RowsV2:
    """A v2beta1 page for state polling."""

    runs: tuple[RowV2, ...] = ()


@frozen
class CreatedV2:
    """What is needed of the answer to a v2beta1 creation."""

    run_id: str
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ArtifactData:
    """An artifact in base64; absent when it is empty (wire/kubeflow.md 2.9)."""

    data: str = field(default="", repr=False)


@frozen
class MetricResult:
    """What became of one reported metric (wire/kubeflow.md 9)."""

    metric_name: str = ""
    metric_node_id: str = ""
    status: str = ""
    message: str = ""


@frozen
class MetricResults:
    """The answers to the metrics of one report, in their order."""

    results: tuple[MetricResult, ...] = ()
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunResult:
    """What a run produced.

    Attributes:
        status: The server's word for how it ended.
        outputs: Output parameters: node display name -> parameter -> value as text. A
            display name that several nodes share is replaced by their full names.
        raw: The run's detail as it came, with the workflow manifest as text.
    """

    status: str
    outputs: dict[str, dict[str, str]]
    raw: Json = field(factory=dict, repr=False, eq=False)
