"""The messages of REST version v1beta1, under their documented names.

They go both ways: what the server answers, and what is sent as a body. Absent and empty
are the same on the wire (wire/kubeflow.md 3.1), so what is absent is None, and an
absent list or map is an empty one.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.kubeflow.models.times import when
from aioruns.platforms.kubeflow.models.writing import INT64

# wire/kubeflow.md 3.2, ApiReadArtifactResponse: the alphabet of URLs is refused
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")


class ApiResourceType(StrEnum):
    """What a run is linked to."""

    UNKNOWN_RESOURCE_TYPE = "UNKNOWN_RESOURCE_TYPE"
    EXPERIMENT = "EXPERIMENT"
    JOB = "JOB"
    PIPELINE = "PIPELINE"
    PIPELINE_VERSION = "PIPELINE_VERSION"
    NAMESPACE = "NAMESPACE"


class ApiRelationship(StrEnum):
    """How a run is linked."""

    UNKNOWN_RELATIONSHIP = "UNKNOWN_RELATIONSHIP"
    OWNER = "OWNER"
    CREATOR = "CREATOR"


class ApiRunStorageState(StrEnum):
    """Whether a run was put away; the server leaves out that it was not."""

    AVAILABLE = "STORAGESTATE_AVAILABLE"
    ARCHIVED = "STORAGESTATE_ARCHIVED"


class RunMetricFormat(StrEnum):
    """How a metric is displayed."""

    UNSPECIFIED = "UNSPECIFIED"
    RAW = "RAW"
    PERCENTAGE = "PERCENTAGE"


class ReportRunMetricsResponseReportRunMetricResultStatus(StrEnum):
    """What became of a reported metric."""

    UNSPECIFIED = "UNSPECIFIED"
    OK = "OK"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DUPLICATE_REPORTING = "DUPLICATE_REPORTING"
    INTERNAL_ERROR = "INTERNAL_ERROR"


@frozen
class ApiParameter:
    """A parameter of an Argo workflow; the value is always text."""

    name: str | None = None
    value: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiValue:
    """A typed parameter of a pipeline of the 2.x compiler on 1.x servers: one of them.

    Servers of 2.x releases take and show plain JSON instead, and would take this for
    an object (wire/kubeflow.md 3.2).
    """

    int_value: int | None = field(default=None, metadata=INT64)
    double_value: float | None = None
    string_value: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


def _values(parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: _value(value) for name, value in parameters.items()}


def _value(value: object) -> object:
    """An `ApiValue` where the JSON is one, else the JSON."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    try:
        match value:
            case {"int_value": bool()} | {"double_value": bool()}:
                return value
            case {"int_value": int() | str() as given}:
                return ApiValue(int_value=int(given), raw=value)
            case {"double_value": float() | int() | str() as given}:
                return ApiValue(double_value=float(given), raw=value)
            case {"string_value": str() as given}:
                return ApiValue(string_value=given, raw=value)
    except (ValueError, OverflowError):
        pass
    return value


@frozen
class PipelineSpecRuntimeConfig:
    """Parameters of a pipeline of the 2.x compiler.

    Attributes:
        parameters: Values by name: `ApiValue` on 1.x servers, plain JSON on 2.x ones.
        pipeline_root: Where outputs go.
    """

    parameters: dict[str, object] = field(factory=dict, converter=_values)
    pipeline_root: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiPipelineSpec:
    """What a run runs.

    Attributes:
        pipeline_id: A stored pipeline, to be run in its default version.
        pipeline_name: Its name, as the server tells it.
        workflow_manifest: Text of an Argo workflow; 1.x servers take JSON only.
        pipeline_manifest: Text of what the 2.x compiler made.
        parameters: For Argo workflows.
        runtime_config: For pipelines of the 2.x compiler.
    """

    pipeline_id: str | None = None
    pipeline_name: str | None = None
    workflow_manifest: str | None = field(default=None, repr=False)
    pipeline_manifest: str | None = field(default=None, repr=False)
    parameters: list[ApiParameter] = field(factory=list)
    runtime_config: PipelineSpecRuntimeConfig | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiResourceKey:
    """Kind and id of a thing that a run is linked to."""

    type: ApiResourceType | str | None = None
    id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiResourceReference:
    """A link of a run: to its experiment, its pipeline version, its namespace."""

    key: ApiResourceKey | None = None
    name: str | None = None
    relationship: ApiRelationship | str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiRunMetric:
    """A number that a node of a run reported (wire/kubeflow.md 9)."""

    name: str | None = None
    node_id: str | None = None
    number_value: float | None = None
    format: RunMetricFormat | str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiRun:
    """A run.

    Attributes:
        id: The run's id; servers of 2.x releases take one from the client.
        name: Display name, required, not unique.
        storage_state: Absent while it is not archived.
        description: Free text.
        pipeline_spec: What to run.
        resource_references: Links to experiment, pipeline version and others.
        service_account: Kubernetes service account of the pods.
        created_at: When it was created.
        scheduled_at: When it was to start; None if that is not set.
        finished_at: When it ended; None while it has not.
        status: The server's own word (wire/kubeflow.md 4.1).
        error: Why the server cannot show the run; not why the run failed.
        metrics: All reported metrics.
    """

    id: str | None = None
    name: str | None = None
    storage_state: ApiRunStorageState | str | None = None
    description: str | None = None
    pipeline_spec: ApiPipelineSpec | None = None
    resource_references: list[ApiResourceReference] = field(factory=list)
    service_account: str | None = None
    created_at: datetime | None = field(default=None, converter=when)
    scheduled_at: datetime | None = field(default=None, converter=when)
    finished_at: datetime | None = field(default=None, converter=when)
    status: str | None = None
    error: str | None = None
    metrics: list[ApiRunMetric] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiPipelineRuntime:
    """What became of a run's workflow: JSON text of an Argo object, with status."""

    pipeline_manifest: str | None = field(default=None, repr=False)
    workflow_manifest: str | None = field(default=None, repr=False)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiRunDetail:
    """The answer to a single read, and to a creation; its run always has an id."""

    run: ApiRun = field()
    pipeline_runtime: ApiPipelineRuntime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    @run.validator
    def _is_one(self, _: object, run: ApiRun) -> None:
        # `{}` is a legal answer elsewhere; here it would be a run that is none.
        if not run.id:
            raise ValueError("it is a run without an id")


@frozen
class ApiListRunsResponse:
    """One page of runs.

    Attributes:
        runs: Without their workflow manifests.
        total_size: Matches of filter and scope, not of the page; absent when 0.
        next_page_token: Absent on the last page.
    """

    runs: list[ApiRun] = field(factory=list)
    total_size: int | None = None
    next_page_token: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    @runs.validator
    def _are_some(self, _: object, runs: list[ApiRun]) -> None:
        if not all(run.id for run in runs):
            raise ValueError("one of the runs has no id")


@frozen
class ApiReportRunMetricsRequest:
    """Metrics to report; the run's id is taken from the path."""

    run_id: str | None = None
    metrics: list[ApiRunMetric] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ReportRunMetricsResponseReportRunMetricResult:
    """What became of one reported metric (wire/kubeflow.md 9)."""

    metric_name: str | None = None
    metric_node_id: str | None = None
    status: ReportRunMetricsResponseReportRunMetricResultStatus | str | None = None
    message: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiReportRunMetricsResponse:
    """What became of the metrics of one report, in their order."""

    results: list[ReportRunMetricsResponseReportRunMetricResult] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ApiReadArtifactResponse:
    """An artifact as base64 text; absent when it is empty (wire/kubeflow.md 2.9)."""

    data: str | None = field(default=None, repr=False)
    raw: Json = field(factory=dict, repr=False, eq=False)

    @data.validator
    def _is_base64(self, _: object, data: str | None) -> None:
        if data and not _BASE64.fullmatch(data):
            raise ValueError("the data is not base64")


@frozen
class ApiStatus:
    """The body of an error answer, of any generation (wire/kubeflow.md 7.1).

    Attributes:
        error: On servers before 2.14, the same as `message`.
        code: The gRPC code.
        message: A long chain of internal messages.
        details: At most one, with the short text for users.
        error_message: The short text, in errors of logs and artifacts.
        error_details: The long one.
    """

    error: str | None = None
    code: int | None = None
    message: str | None = None
    details: list[Json] = field(factory=list)
    error_message: str | None = None
    error_details: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)
