"""The messages of REST version v2beta1, under their documented names.

As in v1beta1, what is absent is None, and an absent list or map is an empty one. 64-bit
integers are text on the wire, and ids only here, so they stay text.
"""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aioruns.http.codec import Json, key
from aioruns.platforms.kubeflow.models.times import when


class V2beta1RunStorageState(StrEnum):
    """Whether a run was put away."""

    STORAGE_STATE_UNSPECIFIED = "STORAGE_STATE_UNSPECIFIED"
    AVAILABLE = "AVAILABLE"
    ARCHIVED = "ARCHIVED"


class V2beta1RuntimeState(StrEnum):
    """Where a run or task stands (wire/kubeflow.md 4.2)."""

    RUNTIME_STATE_UNSPECIFIED = "RUNTIME_STATE_UNSPECIFIED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"
    PAUSED = "PAUSED"


class V2beta1PluginState(StrEnum):
    """Where a plugin stands; since release 2.17."""

    PLUGIN_STATE_UNSPECIFIED = "PLUGIN_STATE_UNSPECIFIED"
    PLUGIN_RUNNING = "PLUGIN_RUNNING"
    PLUGIN_SUCCEEDED = "PLUGIN_SUCCEEDED"
    PLUGIN_FAILED = "PLUGIN_FAILED"


class MetadataValueRenderType(StrEnum):
    """How a value is displayed."""

    UNSPECIFIED = "UNSPECIFIED"
    URL = "URL"


@frozen
class ProtobufAny:
    """A message of any type; the fields of that type are in `raw`."""

    type: str | None = field(default=None, metadata=key("@type"))
    type_url: str | None = None
    value: object = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class GoogleRpcStatus:
    """An error inside an answer."""

    code: int | None = None
    message: str | None = None
    details: list[ProtobufAny] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1PipelineVersionReference:
    """A stored pipeline, in its latest version or in the given one."""

    pipeline_id: str | None = None
    pipeline_version_id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1RuntimeConfig:
    """Parameters of a run as JSON values by name, and where outputs go."""

    parameters: dict[str, object] = field(factory=dict)
    pipeline_root: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1RuntimeStatus:
    """A state, and since when."""

    update_time: datetime | None = field(default=None, converter=when)
    state: V2beta1RuntimeState | str | None = None
    error: GoogleRpcStatus | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1ArtifactList:
    """Ids of artifacts."""

    artifact_ids: list[str] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1PipelineTaskExecutorDetail:
    """Names of the jobs that executed a task."""

    main_job: str | None = None
    pre_caching_check_job: str | None = None
    failed_main_jobs: list[str] = field(factory=list)
    failed_pre_caching_check_jobs: list[str] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class PipelineTaskDetailChildTask:
    """A task below another one: its id, or the id of its workflow node."""

    task_id: str | None = None
    pod_name: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1PipelineTaskDetail:
    """A task of a run; servers leave most of it empty (wire/kubeflow.md 3.3)."""

    run_id: str | None = None
    task_id: str | None = None
    display_name: str | None = None
    create_time: datetime | None = field(default=None, converter=when)
    start_time: datetime | None = field(default=None, converter=when)
    end_time: datetime | None = field(default=None, converter=when)
    executor_detail: V2beta1PipelineTaskExecutorDetail | None = None
    state: V2beta1RuntimeState | str | None = None
    execution_id: str | None = None
    error: GoogleRpcStatus | None = None
    inputs: dict[str, V2beta1ArtifactList] = field(factory=dict)
    outputs: dict[str, V2beta1ArtifactList] = field(factory=dict)
    parent_task_id: str | None = None
    state_history: list[V2beta1RuntimeStatus] = field(factory=list)
    pod_name: str | None = None
    child_tasks: list[PipelineTaskDetailChildTask] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1RunDetails:
    """The tasks of a run."""

    pipeline_context_id: str | None = None
    pipeline_run_context_id: str | None = None
    task_details: list[V2beta1PipelineTaskDetail] = field(factory=list)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1MetadataValue:
    """A value that a plugin wrote: any JSON."""

    value: object = None
    render_type: MetadataValueRenderType | str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1PluginOutput:
    """What a plugin wrote about a run; since release 2.17."""

    entries: dict[str, V2beta1MetadataValue] = field(factory=dict)
    state: V2beta1PluginState | str | None = None
    state_message: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1Run:
    """A run.

    Attributes:
        experiment_id: The experiment that it belongs to; else the default one.
        run_id: The run's id; the server takes one from the client.
        display_name: Required, not unique.
        storage_state: Whether it was put away.
        description: Free text.
        pipeline_version_id: Deprecated; the server ignores it.
        pipeline_spec: An inline pipeline of the 2.x compiler. At most one of this and
            `pipeline_version_reference` may be sent.
        pipeline_version_reference: A stored pipeline.
        runtime_config: Parameters and output root.
        service_account: Kubernetes service account of the pods.
        created_at: When it was created.
        scheduled_at: When it was to start.
        finished_at: When it ended; None while it has not.
        state: The server's own word (wire/kubeflow.md 4.2).
        error: Why the server cannot show the run; not why the run failed.
        run_details: Its tasks, once something is known of them.
        recurring_run_id: The recurring run that made it.
        state_history: Transitions, oldest first.
        plugins_input: JSON objects by plugin; since release 2.17.
        plugins_output: What plugins wrote; since release 2.17.
    """

    experiment_id: str | None = None
    run_id: str | None = None
    display_name: str | None = None
    storage_state: V2beta1RunStorageState | str | None = None
    description: str | None = None
    pipeline_version_id: str | None = None
    pipeline_spec: Json | None = field(default=None, repr=False)
    pipeline_version_reference: V2beta1PipelineVersionReference | None = None
    runtime_config: V2beta1RuntimeConfig | None = None
    service_account: str | None = None
    created_at: datetime | None = field(default=None, converter=when)
    scheduled_at: datetime | None = field(default=None, converter=when)
    finished_at: datetime | None = field(default=None, converter=when)
    state: V2beta1RuntimeState | str | None = None
    error: GoogleRpcStatus | None = None
    run_details: V2beta1RunDetails | None = None
    recurring_run_id: str | None = None
    state_history: list[V2beta1RuntimeStatus] = field(factory=list)
    plugins_input: dict[str, object] = field(factory=dict)
    plugins_output: dict[str, V2beta1PluginOutput] = field(factory=dict)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class V2beta1ListRunsResponse:
    """One page of runs; fields as of `ApiListRunsResponse`."""

    runs: list[V2beta1Run] = field(factory=list)
    total_size: int | None = None
    next_page_token: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    @runs.validator
    def _are_some(self, _: object, runs: list[V2beta1Run]) -> None:
        if not all(run.run_id for run in runs):
            raise ValueError("one of the runs has no id")
