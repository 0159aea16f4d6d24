"""Every request to a Kubeflow Pipelines server, as a value."""

from collections.abc import Mapping, Sequence
from typing import Literal

import orjson
from attrs import frozen

from aioruns.http.codec import Json
from aioruns.http.request import Request, path, query
from aioruns.platforms.kubeflow.models import (
    ArtifactData,
    CreatedV2,
    Health,
    MetricResults,
    Rows,
    RowsV2,
    RunDetail,
    RunList,
)

Version = Literal["v1beta1", "v2beta1"]

LARGEST_PAGE = 200
"""Rows that the server returns at most (wire/kubeflow.md 5.1)."""


@frozen
class Scope:
    """Where to list; both empty means everywhere, which single-user servers permit."""

    experiment: str = ""
    namespace: str = ""


EVERYWHERE = Scope()


def health(version: Version) -> Request[Health]:
    """Ask the server about itself; 404 for v2beta1 means G1 (wire/kubeflow.md 1.6)."""
    return Request("GET", path("apis", version, "healthz"), Health)


def create_run(body: Mapping[str, object]) -> Request[RunDetail]:
    """Create a run by v1beta1, which alone takes inline Argo manifests."""
    return Request("POST", path("apis", "v1beta1", "runs"), RunDetail, json=body)


def create_run_v2(body: Mapping[str, object]) -> Request[CreatedV2]:
    """Create a run by v2beta1, which takes typed parameters and inline IR."""
    return Request("POST", path("apis", "v2beta1", "runs"), CreatedV2, json=body)


def get_run(run_id: str) -> Request[RunDetail]:
    """Read one run; only v1beta1 carries the workflow manifest."""
    return Request("GET", path("apis", "v1beta1", "runs", run_id), RunDetail)


def terminate_run(version: Version, run_id: str) -> Request[None]:
    """Ask a run to end.

    A second termination is refused with 400 and harms nothing, so it may be repeated.
    """
    place = ("apis", version, "runs", run_id)
    # wire/kubeflow.md 2.6: the slash and the colon are not interchangeable
    where = (
        path(*place, "terminate")
        if version == "v1beta1"
        else f"{path(*place)}:terminate"
    )
    return Request("POST", where, repeatable=True)


def read_rows(ids: Sequence[str], scope: Scope = EVERYWHERE) -> Request[Rows]:
    """Read the states of up to 200 runs by v1beta1."""
    return Request(
        "GET",
        path("apis", "v1beta1", "runs"),
        Rows,
        query=_listing("v1beta1", scope, filter_text("op", "id", ids)),
    )


def read_rows_v2(ids: Sequence[str], scope: Scope = EVERYWHERE) -> Request[RowsV2]:
    """Read the states of up to 200 runs by v2beta1."""
    return Request(
        "GET",
        path("apis", "v2beta1", "runs"),
        RowsV2,
        query=_listing("v2beta1", scope, filter_text("operation", "run_id", ids)),
    )


def find_name(name: str, scope: Scope = EVERYWHERE) -> Request[Rows]:
    """List the runs of exactly this name, by v1beta1."""
    return Request(
        "GET",
        path("apis", "v1beta1", "runs"),
        Rows,
        query=_listing("v1beta1", scope, filter_text("op", "name", name)),
    )


def list_runs(
    *,
    page_token: str | None = None,
    page_size: int | None = None,
    sort_by: str | None = None,
    resource_reference_key_type: str | None = None,
    resource_reference_key_id: str | None = None,
    filter_: str | None = None,
) -> Request[RunList]:
    """List runs by v1beta1."""
    pairs = {
        "page_token": page_token,
        "page_size": page_size,
        "sort_by": sort_by,
        "resource_reference_key.type": resource_reference_key_type,
        "resource_reference_key.id": resource_reference_key_id,
        "filter": filter_,
    }
    return Request("GET", path("apis", "v1beta1", "runs"), RunList, query=query(pairs))


def act(run_id: str, action: Literal["archive", "unarchive"]) -> Request[None]:
    """Put a run away or take it back; both may be repeated (wire/kubeflow.md 2.4)."""
    where = f"{path('apis', 'v1beta1', 'runs', run_id)}:{action}"
    return Request("POST", where, repeatable=True)


def delete_run(run_id: str) -> Request[None]:
    """Delete a run, in any state."""
    return Request("DELETE", path("apis", "v1beta1", "runs", run_id))


def retry_run(run_id: str) -> Request[None]:
    """Run the failed steps again under the same id; a second call would be refused."""
    return Request("POST", path("apis", "v1beta1", "runs", run_id, "retry"))


def report_run_metrics(
    run_id: str, metrics: Sequence[Mapping[str, object]]
) -> Request[MetricResults]:
    """Report metrics; the first value of a name wins, so that repeating is harmless."""
    where = f"{path('apis', 'v1beta1', 'runs', run_id)}:reportMetrics"
    body = {"metrics": list(metrics)}
    return Request("POST", where, MetricResults, json=body, repeatable=True)


def read_artifact(run_id: str, node_id: str, name: str) -> Request[ArtifactData]:
    """Read an artifact of a node; v1beta1 serves it on every generation."""
    place = ("apis", "v1beta1", "runs", run_id, "nodes", node_id, "artifacts", name)
    return Request("GET", f"{path(*place)}:read", ArtifactData)


def read_log(run_id: str, pod: str) -> Request[object]:
    """Read a pod's log so far; one route for all generations (wire/kubeflow.md 6.1)."""
    return Request("GET", path("apis", "v1alpha1", "runs", run_id, "nodes", pod, "log"))


def filter_text(operator: str, key: str, value: str | Sequence[str]) -> str:
    """The JSON of a filter with one predicate.

    Args:
        operator: Key of the operator: `op` in v1beta1, `operation` in v2beta1.
        key: The column.
        value: Text for EQUALS, several for IN.
    """
    predicate: Json = (
        {operator: "EQUALS", "key": key, "string_value": value}
        if isinstance(value, str)
        else {operator: "IN", "key": key, "string_values": {"values": list(value)}}
    )
    text = orjson.dumps({"predicates": [predicate]}).decode()
    # wire/kubeflow.md 5.2: the server form-decodes a filter a second time
    return text.replace("+", "\\u002b").replace("%", "\\u0025")


def _listing(version: Version, scope: Scope, text: str) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str | int | None] = {"page_size": LARGEST_PAGE}
    if version == "v2beta1":
        pairs["experiment_id"] = scope.experiment or None
        pairs["namespace"] = scope.namespace or None
    elif scope.experiment or scope.namespace:
        # wire/kubeflow.md 2.3: both of the dotted parameters or none
        kind = "EXPERIMENT" if scope.experiment else "NAMESPACE"
        pairs["resource_reference_key.type"] = kind
        pairs["resource_reference_key.id"] = scope.experiment or scope.namespace
    return query({**pairs, "filter": text})
