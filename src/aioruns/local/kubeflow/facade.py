"""The façade: routes of three server generations, authentication, answers."""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import get_args
from urllib.parse import unquote

from aiohttp import web
from attrs import frozen

from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.kubeflow import creating, nodes, runs
from aioruns.local.kubeflow.calls import Call
from aioruns.local.kubeflow.errors import (
    INTERNAL,
    UNAUTHENTICATED,
    Generation,
    Refusal,
    dumps,
    from_status,
    no_method,
    no_route,
    render,
)
from aioruns.local.kubeflow.installation import PLATFORM, Experiment, Installation
from aioruns.local.records import Json, Program

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
_ROUTES = {
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


class KubeflowFacade:
    """The run service of Kubeflow Pipelines.

    Args:
        engine: Runs the workflows.
        settings: Token and default page size.
    """

    name = PLATFORM

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._service = Installation(engine, settings)

    @property
    def generation(self) -> Generation:
        """The server generation that is spoken: `G1`, `G2`, or `G3` (the default)."""
        return self._service.generation

    @generation.setter
    def generation(self, value: Generation) -> None:
        if value not in get_args(Generation):
            raise ValueError(
                f"There is no server generation {value!r}; choose one of "
                f"{', '.join(get_args(Generation))}."
            )
        self._service.generation = value

    def register(
        self,
        pipeline_id: str,
        manifest: Mapping[str, Json] | str | None = None,
        *,
        program: Program | None = None,
        version_id: str | None = None,
        name: str | None = None,
    ) -> None:
        """Offer a pipeline, to be run by its id or by its version's id.

        Args:
            pipeline_id: The pipeline's id.
            manifest: An Argo Workflow as an object, or as JSON or YAML text.
            program: Runs in place of the containers' commands; with it the manifest
                may be left out. Its environment is the run's parameters.
            version_id: The version's id; the pipeline's id by default, as a server
                names a first version. The version registered last is the default.
            name: The version's name; its id by default.

        Raises:
            ValueError: Neither a manifest nor a program is given.
        """
        version_id = version_id or pipeline_id
        self._service.register(
            pipeline_id, manifest, program, version_id, name or version_id
        )

    def experiment(
        self, experiment_id: str, *, name: str | None = None, archived: bool = False
    ) -> None:
        """Add an experiment, or replace one; runs may only name those that exist."""
        self._service.experiments[experiment_id] = Experiment(
            experiment_id, name or experiment_id, archived
        )

    def routes(self) -> Iterable[web.RouteDef]:
        """Two routes: generations differ in how they match, so matching is ours."""
        log = "/apis/v1alpha1/runs/{run_id}/nodes/{node_id}/log"
        yield web.route("*", log, self._log)
        yield web.route("*", "/apis/{tail:.*}", self._dispatch)

    def owns(self, path: str) -> bool:
        """Whether the path is under `/apis/`."""
        return path.startswith("/apis/")

    def error(self, status: int, message: str) -> web.Response:
        """An error body of the current generation."""
        return from_status(self.generation, status, message)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        return await nodes.log(self._service, request)

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        # Decoded first: an id with a slash never matches (wire/kubeflow.md 2).
        path = unquote(request.rel_url.raw_path).removeprefix("/apis/")
        version, *rest = path.split("/")
        known = version in _ROUTES and (version, self.generation) != ("v2beta1", "G1")
        if not known:
            return no_route(self.generation)
        if rest == ["healthz"] and request.method == "GET":
            return self._health(version)
        candidates = self._candidates(version, rest)
        for route, ids in candidates:
            if route.method == request.method:
                call = Call(self._service, request, version, ids)
                return await self._answer(route, call)
        return no_method(self.generation) if candidates else no_route(self.generation)

    def _candidates(
        self, version: str, rest: list[str]
    ) -> list[tuple[Route, dict[str, str]]]:
        """The routes whose path fits, whatever their method."""
        last, colon, action = rest[-1].rpartition(":") if rest else ("", "", "")
        plain, cut = tuple(rest), (*rest[:-1], last)
        found = []
        for route in _ROUTES[version]:
            if route.action:
                fits = colon and route.action == action
                ids = route.ids(cut) if fits else None
            else:
                # wire/kubeflow.md 2: before G3 a colon always starts an action
                fits = not colon or self.generation == "G3"
                ids = route.ids(plain) if fits else None
            if ids is not None:
                found.append((route, ids))
        return found

    async def _answer(self, route: Route, call: Call) -> web.StreamResponse:
        try:
            self._authenticate(call.request)
            answer = await route.operation(call)
        except Refusal as refusal:
            return render(self.generation, refusal)
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.Response(
            body=dumps(self.generation, answer),
            content_type="application/json",
            headers={"Grpc-Metadata-Content-Type": "application/grpc"},
        )

    def _authenticate(self, request: web.Request) -> None:
        wanted = f"Bearer {self._service.settings.token}"
        sent = request.headers.get("Authorization", "")
        if not secrets.compare_digest(sent.encode(), wanted.encode()):
            # wire/kubeflow.md 1.2: G1 does not classify the failure
            code = INTERNAL if self.generation == "G1" else UNAUTHENTICATED
            raise Refusal(code, "Request header error: there is no user identity.")

    def _health(self, version: str) -> web.Response:
        """wire/kubeflow.md 1.6."""
        body: dict[str, Json] = {
            "commit_sha": "unknown",
            "tag_name": "unknown",
            "multi_user": False,
        }
        if self.generation == "G3" and version == "v2beta1":
            body["pipeline_store"] = "database"
        data = dumps(self.generation, body)
        if self.generation == "G1":
            return web.Response(body=data, content_type="text/plain", charset="utf-8")
        return web.Response(body=data, content_type="application/json")
