"""Which operation a path names; the generations differ in it (wire/kubeflow.md 2)."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from aioruns.local.kubeflow import creating, nodes, runs
from aioruns.local.kubeflow.calls import Call
from aioruns.local.kubeflow.errors import Generation
from aioruns.local.records import Json

Operation = Callable[[Call], Awaitable[Json]]


@frozen
class Route:
    """An operation's place: segments after the version, and the action after `:`."""

    method: str
    segments: tuple[str, ...]
    action: str
    operation: Operation

    def ids(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The path parameters if the segments fit."""
        if len(segments) != len(self.segments):
            return None
        found = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith("{"):
                found[pattern.strip("{}")] = segment
            elif pattern != segment:
                return None
        return found


_RUN = ("runs", "{run_id}")
_COMMON = (
    Route("GET", ("runs",), "", runs.list_),
    Route("GET", _RUN, "", runs.get),
    Route("DELETE", _RUN, "", runs.delete),
    Route("POST", _RUN, "archive", runs.archive),
    Route("POST", _RUN, "unarchive", runs.unarchive),
    Route(
        "GET",
        (*_RUN, "nodes", "{node_id}", "artifacts", "{artifact}"),
        "read",
        nodes.read_artifact,
    ),
)
# wire/kubeflow.md 2.10: slash in v1beta1, colon in v2beta1
ROUTES = {
    "v1beta1": (
        *_COMMON,
        Route("POST", ("runs",), "", creating.create_v1),
        Route("POST", (*_RUN, "terminate"), "", runs.terminate),
        Route("POST", (*_RUN, "retry"), "", runs.retry),
        Route("POST", _RUN, "reportMetrics", runs.report_metrics),
    ),
    "v2beta1": (
        *_COMMON,
        Route("POST", ("runs",), "", creating.create_v2),
        Route("POST", _RUN, "terminate", runs.terminate),
        Route("POST", _RUN, "retry", runs.retry),
    ),
}


def routes_for(
    version: str, rest: list[str], generation: Generation
) -> list[tuple[Route, dict[str, str]]]:
    """The routes whose path fits, whatever their method."""
    last, colon, action = rest[-1].rpartition(":") if rest else ("", "", "")
    plain, cut = tuple(rest), (*rest[:-1], last)
    found = []
    for route in ROUTES[version]:
        if route.action:
            fits = colon and route.action == action
            ids = route.ids(cut) if fits else None
        else:
            # wire/kubeflow.md 2: before G3 a colon always starts an action
            fits = not colon or generation == "G3"
            ids = route.ids(plain) if fits else None
        if ids is not None:
            found.append((route, ids))
    return found
