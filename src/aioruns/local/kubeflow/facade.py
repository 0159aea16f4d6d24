"""The façade: routes of three server generations, authentication, answers."""

from collections.abc import Collection, Iterable, Mapping
from typing import get_args
from urllib.parse import unquote

from aiohttp import web

from aioruns.local.engine import Engine
from aioruns.local.facade import Settings
from aioruns.local.kubeflow import nodes
from aioruns.local.kubeflow.access import VERBS, Access, User
from aioruns.local.kubeflow.calls import Call
from aioruns.local.kubeflow.defects import Defects
from aioruns.local.kubeflow.errors import (
    Generation,
    Refusal,
    dumps,
    from_status,
    no_method,
    no_route,
    render,
)
from aioruns.local.kubeflow.installation import PLATFORM, Experiment, Installation
from aioruns.local.kubeflow.routing import ROUTES, Route, routes_for
from aioruns.local.records import Json, Program


class KubeflowFacade:
    """The run service of Kubeflow Pipelines.

    Args:
        engine: Runs the workflows.
        settings: Token and default page size.
    """

    name = PLATFORM

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._service = Installation(engine, settings, Access(settings))

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

    @property
    def multi_user(self) -> bool:
        """Whether runs belong to namespaces, and users must be known; false at first.

        Then a user is told by the header `kubeflow-userid`, which counts beside the
        server's token only, or by a bearer token of their own.
        """
        return self._service.access.multi_user

    @multi_user.setter
    def multi_user(self, value: bool) -> None:
        self._service.access.multi_user = value

    @property
    def defects(self) -> Defects:
        """What this server does wrong, as some releases do: a set of names."""
        return self._service.defects

    def user(
        self,
        name: str,
        namespaces: Mapping[str, Collection[str] | None],
        *,
        token: str = "",
    ) -> None:
        """Add a user of a multi-user server, or replace one.

        Args:
            name: As the user-id header has it.
            namespaces: What they may do where: verbs by namespace; None for all.
            token: A bearer token of their own.

        Raises:
            ValueError: A verb is none.
        """
        rights = {
            namespace: VERBS if verbs is None else tuple(verbs)
            for namespace, verbs in namespaces.items()
        }
        unknown = {verb for verbs in rights.values() for verb in verbs} - set(VERBS)
        if unknown:
            raise ValueError(
                f"There is no verb {min(unknown)!r}; choose of {', '.join(VERBS)}."
            )
        if token:
            self._service.engine.hide.add(token)
        self._service.access.users[name] = User(name, rights, token)

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
        self,
        experiment_id: str,
        *,
        name: str | None = None,
        archived: bool = False,
        namespace: str = "",
    ) -> None:
        """Add an experiment, or replace one; runs may only name those that exist."""
        self._service.experiments[experiment_id] = Experiment(
            experiment_id, name or experiment_id, archived, namespace
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
        known = version in ROUTES and (version, self.generation) != ("v2beta1", "G1")
        if not known:
            return no_route(self.generation)
        if rest == ["healthz"] and request.method == "GET":
            return self._health(version)
        candidates = routes_for(version, rest, self.generation)
        for route, ids in candidates:
            if route.method == request.method:
                call = Call(self._service, request, version, ids)
                return await self._answer(route, call)
        return no_method(self.generation) if candidates else no_route(self.generation)

    async def _answer(self, route: Route, call: Call) -> web.StreamResponse:
        try:
            user = self._service.access.identify(call.request, self.generation)
            call.user = user
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

    def _health(self, version: str) -> web.Response:
        """wire/kubeflow.md 1.6."""
        body: dict[str, Json] = {
            "commit_sha": "unknown",
            "tag_name": "unknown",
            "multi_user": self.multi_user,
        }
        if self.generation == "G3" and version == "v2beta1":
            body["pipeline_store"] = "database"
        data = dumps(self.generation, body)
        if self.generation == "G1":
            return web.Response(body=data, content_type="text/plain", charset="utf-8")
        return web.Response(body=data, content_type="application/json")
