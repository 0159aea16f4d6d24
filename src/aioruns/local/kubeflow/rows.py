"""What the service keeps of a run beside what the engine knows: `RunRecord.detail`."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from aioruns.local.records import Json, RunRecord


class Metric(TypedDict):
    """One reported metric."""

    name: str
    node_id: str
    number_value: float
    format: str


class Detail(TypedDict):
    """The keys of `RunRecord.detail`."""

    name: str
    description: str
    namespace: str
    """Of its experiment; empty on single-user servers."""
    service_account: str
    storage: str
    """`AVAILABLE` or `ARCHIVED`."""
    scheduled: int
    """Seconds since 1970 if the creator chose it; 0 otherwise."""
    source: dict[str, str]
    """`manifest` (text), and `pipeline_id`, `version_id`, `name` if it was stored."""
    parameters: list[tuple[str, str]]
    """Name and value as sent through v1beta1, or of runtime_config as text."""
    runtime_config: dict[str, Json]
    references: list[dict[str, Json]]
    recurring_run_id: str
    plugins_input: dict[str, Json]
    workflow: str
    """The name of the workflow object."""
    entrypoint: str
    kind: str
    """Of the entrypoint: `Pod`, `DAG` or `Steps`."""
    nodes: list[dict[str, Json]]
    metrics: list[Metric]
    requests: list[list[str]]
    """Time and kind (`terminate`, `retry`) of what clients asked for, in order."""
    shadow_of: str
    """Set on the second workflow of a duplicate id; clients do not see it."""


def detail(record: RunRecord) -> Detail:
    """The run's detail, with its type."""
    return record.detail  # type: ignore[return-value]  # the engine keeps it as JSON


def metric_value(record: RunRecord, name: str) -> float | None:
    """The first value that was reported under this name."""
    for metric in detail(record)["metrics"]:
        if metric["name"] == name:
            return metric["number_value"]
    return None


def omit_empty(values: Mapping[str, Json]) -> dict[str, Json]:
    """Leave out what protobuf JSON leaves out (wire/kubeflow.md 3.1)."""
    return {key: value for key, value in values.items() if value}


def named(pairs: Sequence[Sequence[str]]) -> list[dict[str, Json]]:
    """Parameters as name/value objects; an empty value is omitted."""
    return [omit_empty({"name": name, "value": value}) for name, value in pairs]
