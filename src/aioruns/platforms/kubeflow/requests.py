"""Every request to a Kubeflow Pipelines server, as a value."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote_plus, urlencode

from attrs import frozen

from aioruns.errors import InvalidInput
from aioruns.http.request import (
    QueryValue,
    Receiver,
    Request,
    Response,
    member,
    path,
    query,
)
from aioruns.platforms.kubeflow.filters import Filter, Version, plain
from aioruns.platforms.kubeflow.models import (
    ApiListRunsResponse,
    ApiReadArtifactResponse,
    ApiReportRunMetricsResponse,
    ApiRunDetail,
    V2beta1ListRunsResponse,
    V2beta1Run,
)
from aioruns.platforms.kubeflow.models.listed import ListedPage, ListedPageV2
from aioruns.platforms.kubeflow.models.polling import (
    Created,
    CreatedV2,
    Detail,
    Empty,
    Health,
    Rows,
    State,
)

Action = Literal["archive", "unarchive", "terminate", "retry"]
"""What a POST without a body does to a run."""

LARGEST_PAGE = 200
"""Rows that the server returns at most (wire/kubeflow.md 5.1)."""


@frozen
class Scope:
    """Where to list; both empty means everywhere, which single-user servers permit."""

    experiment: str = ""
    namespace: str = ""


EVERYWHERE = Scope()

_KEYS: dict[Version, str] = {"v1beta1": "id", "v2beta1": "run_id"}
"""By which column runs are chosen."""


def _around_ids(version: Version) -> tuple[str, str]:
    """What stands before and after the ids in an encoded filter."""
    text = Filter().where(_KEYS[version], "IN", ["@"]).text(version)
    before, _, after = urlencode({"filter": text}).partition(quote_plus("@"))
    return before, after


_AROUND_IDS: dict[Version, tuple[str, str]] = {
    version: _around_ids(version) for version in _KEYS
}


def runs_path(version: Version, *segments: object) -> str:
    """A path below the runs of a REST version.

    Raises:
        InvalidInput: An id is empty, or not text.
    """
    texts = [segment for segment in segments if isinstance(segment, str)]
    if len(texts) < len(segments):
        raise InvalidInput(
            f"ids and names in a path must be text, and these are {segments!r}"
        )
    return path("apis", version, "runs", *texts)


_RUNS = runs_path("v1beta1")


def health(version: Version) -> Request[Health]:
    """Ask the server about itself; 404 for v2beta1 means G1 (wire/kubeflow.md 1.6)."""
    return Request("GET", path("apis", version, "healthz"), Health)


# -- v1beta1 -----------------------------------------------------------------------


def create_run(body: object) -> Request[ApiRunDetail]:
    """Create a run, and read it with all that is documented of it."""
    return Request("POST", runs_path("v1beta1"), ApiRunDetail, json=body)


def get_run(run_id: str) -> Request[ApiRunDetail]:
    """Read one run, with all that is documented of it."""
    return Request("GET", runs_path("v1beta1", run_id), ApiRunDetail)


def list_runs(
    *,
    page_token: str | None = None,
    page_size: int | None = None,
    sort_by: str | None = None,
    resource_reference_key_type: str | None = None,
    resource_reference_key_id: str | None = None,
    filter_: str | None = None,
) -> Request[ApiListRunsResponse]:
    """List runs by v1beta1."""
    pairs = {
        "page_token": page_token,
        "page_size": page_size,
        "sort_by": sort_by,
        "resource_reference_key.type": resource_reference_key_type,
        "resource_reference_key.id": resource_reference_key_id,
        "filter": filter_,
    }
    where = runs_path("v1beta1")
    return Request("GET", where, ApiListRunsResponse, query=query(pairs))


def report_run_metrics(
    run_id: str, body: object
) -> Request[ApiReportRunMetricsResponse]:
    """Report metrics; the first value of a name wins, so that repeating is harmless."""
    where = f"{runs_path('v1beta1', run_id)}:reportMetrics"
    returns = ApiReportRunMetricsResponse
    return Request("POST", where, returns, json=body, repeatable=True)


# -- v2beta1 -----------------------------------------------------------------------


def create_run_v2(body: object) -> Request[V2beta1Run]:
    """Create a run, and read it with all that is documented of it."""
    return Request("POST", runs_path("v2beta1"), V2beta1Run, json=body)


def get_run_v2(run_id: str) -> Request[V2beta1Run]:
    """Read one run, with all that is documented of it."""
    return Request("GET", runs_path("v2beta1", run_id), V2beta1Run)


def list_runs_v2(
    *,
    namespace: str | None = None,
    experiment_id: str | None = None,
    page_token: str | None = None,
    page_size: int | None = None,
    sort_by: str | None = None,
    filter_: str | None = None,
) -> Request[V2beta1ListRunsResponse]:
    """List runs by v2beta1."""
    pairs = {
        "namespace": namespace,
        "experiment_id": experiment_id,
        "page_token": page_token,
        "page_size": page_size,
        "sort_by": sort_by,
        "filter": filter_,
    }
    where = runs_path("v2beta1")
    return Request("GET", where, V2beta1ListRunsResponse, query=query(pairs))


# -- both --------------------------------------------------------------------------


def act(version: Version, run_id: str, action: Action) -> Request[Empty]:
    """Do something to a run that is already as wanted, or refused, the second time.

    Only a retry must not be sent again: the run may have failed once more since.
    """
    # wire/kubeflow.md 2.6: the slash and the colon are not interchangeable
    slash = version == "v1beta1" and action in {"terminate", "retry"}
    where = (
        runs_path(version, run_id, action)
        if slash
        else f"{runs_path(version, run_id)}:{action}"
    )
    return Request("POST", where, Empty, repeatable=action != "retry")


def delete_run(version: Version, run_id: str) -> Request[Empty]:
    """Delete a run, in any state."""
    return Request("DELETE", runs_path(version, run_id), Empty)


def read_artifact(
    version: Version, run_id: str, node_id: str, name: str
) -> Request[ApiReadArtifactResponse]:
    """Read an artifact of a node; v1beta1 serves it on every generation."""
    where = runs_path(version, run_id, "nodes", node_id, "artifacts", name)
    return Request("GET", f"{where}:read", ApiReadArtifactResponse)


def read_log(run_id: str, pod: str, into: Receiver) -> Request[Response]:
    """Read a pod's log so far; one route for all generations (wire/kubeflow.md 6.1)."""
    where = path("apis", "v1alpha1", "runs", run_id, "nodes", pod, "log")
    return Request("GET", where, Response, sink=into)


# -- what submission and state polling need ----------------------------------------


def submit(body: object) -> Request[Created]:
    """Create a run by v1beta1, which alone takes inline Argo manifests."""
    return Request("POST", _RUNS, Created, json=body, repeatable=False)


def submit_v2(body: object) -> Request[CreatedV2]:
    """Create a run by v2beta1, which takes typed parameters and inline IR."""
    return Request("POST", runs_path("v2beta1"), CreatedV2, json=body)


def read_detail(run_id: str) -> Request[Detail]:
    """Read one run; only v1beta1 carries the workflow manifest."""
    return Request("GET", runs_path("v1beta1", run_id), Detail)


def read_state(run_id: str) -> Request[State]:
    """The same, for where it stands alone."""
    return Request("GET", member(_RUNS, run_id), State, repeatable=True)


def read_rows(
    version: Version, ids: Sequence[str], scope: Scope = EVERYWHERE
) -> Request[ListedPage]:
    """Read the states of up to 200 runs.

    Watching ten thousand runs asks a hundred times a round, and quoting long filters
    letter by letter would take most of the time.
    """
    if plain(ids):
        before, after = _AROUND_IDS[version]
        chosen = before + quote_plus('","').join(ids) + after
    else:
        text = Filter().where(_KEYS[version], "IN", list(ids)).text(version)
        chosen = urlencode({"filter": text})
    encoded = f"{urlencode(query(_scope(version, scope)))}&{chosen}"
    returns = ListedPage if version == "v1beta1" else ListedPageV2
    return Request("GET", runs_path(version), returns, encoded_query=encoded)


def find_name(name: str, scope: Scope = EVERYWHERE) -> Request[Rows]:
    """List the runs of exactly this name, by v1beta1."""
    chosen = Filter().where("name", "EQUALS", name)
    pairs = {**_scope("v1beta1", scope), "filter": chosen.text("v1beta1")}
    return Request("GET", runs_path("v1beta1"), Rows, query=query(pairs))


def _scope(version: Version, scope: Scope) -> dict[str, QueryValue | None]:
    pairs: dict[str, QueryValue | None] = {"page_size": LARGEST_PAGE}
    if version == "v2beta1":
        pairs["experiment_id"] = scope.experiment or None
        pairs["namespace"] = scope.namespace or None
    elif scope.experiment or scope.namespace:
        # wire/kubeflow.md 2.3: both of the dotted parameters or none
        kind = "EXPERIMENT" if scope.experiment else "NAMESPACE"
        pairs["resource_reference_key.type"] = kind
        pairs["resource_reference_key.id"] = scope.experiment or scope.namespace
    return pairs
