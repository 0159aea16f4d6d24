"""The client of a Kubeflow Pipelines server."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from aioruns.errors import Context, InvalidInput
from aioruns.http.gate import Gate
from aioruns.http.request import Progress
from aioruns.origin import Origin
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import metrics as reporting
from aioruns.platforms.kubeflow import requests
from aioruns.platforms.kubeflow.adapter import Adapter
from aioruns.platforms.kubeflow.artifacts import decoded_artifact
from aioruns.platforms.kubeflow.config import resolve
from aioruns.platforms.kubeflow.explain import explain
from aioruns.platforms.kubeflow.filters import Version
from aioruns.platforms.kubeflow.manifest import read_manifest
from aioruns.platforms.kubeflow.models import (
    ApiRunMetric,
    ReportRunMetricsResponseReportRunMetricResult,
)
from aioruns.platforms.kubeflow.pipeline import Pipeline
from aioruns.platforms.kubeflow.runservice import RunService
from aioruns.platforms.kubeflow.runservice_v2 import RunServiceV2
from aioruns.runs import Run, Runs
from aioruns.session import Session


class Kubeflow(Client):
    """Kubeflow Pipelines at one address: releases 1.x and 2.x.

    Single-user servers want no credentials. What the server can do is asked once, with
    the first call.

    Args:
        host: Base address of the API server, perhaps with a path. Default: the variable
            `KF_PIPELINES_ENDPOINT`; inside a cluster the service `ml-pipeline` in the
            namespace `kubeflow`. The web UI's address serves no logs.
        token: Bearer token.
        token_file: File with a bearer token, read again as it is rotated. Default: the
            file named by `KF_PIPELINES_SA_TOKEN_PATH`, else that of the pod, else the
            cookie or header in `~/.config/kfp/context.json`, else nothing.
        cookie: Session cookies of an identity proxy, sent as they are.
        user_id: Who asks, for multi-user servers that trust a header.
        user_id_header: Name of that header.
        namespace: Where to list runs on a multi-user server, unless a run names its
            experiment; without either, every run is read singly.
        api_version: `v2beta1` creates runs of stored pipelines, lists and terminates by
            that REST version (servers of 2.x releases); `v1beta1` and `auto` use the
            one that all servers speak. Manifests go by the version that takes them.
        session: A session to share.
        max_in_flight: Requests at once at most.

    Attributes:
        runs: All runs of the server; makes handles from cursors.
        run_service: The server's own operations under their documented names.
        run_service_v2: Those of REST version v2beta1, for servers of 2.x releases.

    Raises:
        MissingCredentials: No address was found; the text names the places.
        InvalidInput: A value cannot be right.

    Example:
        ```python
        async with aioruns.Kubeflow("http://localhost:8888") as kubeflow:
            pipeline = kubeflow.pipeline(manifest=Path("train.yaml").read_text())
            run = await pipeline.submit({"lr": 0.1})
            async for event in run.logs():
                print(event.source, event.message)
        ```
    """

    _stand_in: ClassVar[Mapping[str, str]] = {"token": "-"}

    def __init__(
        self,
        host: str | None = None,
        *,
        token: str | None = None,
        token_file: str | Path | None = None,
        cookie: str | None = None,
        user_id: str | None = None,
        user_id_header: str = "kubeflow-userid",
        namespace: str | None = None,
        api_version: Literal["auto", "v1beta1", "v2beta1"] = "auto",
        session: Session | None = None,
        max_in_flight: int = 64,
    ) -> None:
        if api_version not in {"auto", "v1beta1", "v2beta1"}:
            raise InvalidInput(
                f"api_version is {api_version!r}: choose auto, v1beta1 or v2beta1"
            )
        if max_in_flight < 1:
            raise InvalidInput(f"max_in_flight must be at least 1, not {max_in_flight}")
        config = resolve(
            host, token, token_file, cookie, user_id, user_id_header, namespace
        )
        gate = Gate(max_in_flight)
        origin = Origin("kubeflow", config.host, config.auth, explain, gate)
        super().__init__(origin, session)
        self._given = {
            "user_id": user_id,
            "user_id_header": user_id_header,
            "namespace": config.namespace or None,
            "api_version": api_version,
        }
        self._version: Version = "v2beta1" if api_version == "v2beta1" else "v1beta1"
        adapter = Adapter(self, self._version, config.namespace)
        self.runs = Runs(adapter, self.origin.gate.limit)
        self.run_service = RunService(self)
        self.run_service_v2 = RunServiceV2(self, adapter.server)

    def pipeline(
        self,
        pipeline_id: str | None = None,
        *,
        version_id: str | None = None,
        manifest: Mapping[str, Any] | str | None = None,
    ) -> Pipeline:
        """The handle of a pipeline; no request is made. Give exactly one argument.

        Args:
            pipeline_id: A stored pipeline, to be run in its default version.
            version_id: A stored version of a pipeline.
            manifest: An Argo workflow, or what the 2.x compiler made: an object, or
                JSON or YAML text.

        Raises:
            InvalidInput: None or several are given, or the manifest is not one.
        """
        given = [
            name
            for name, value in (
                ("pipeline_id", pipeline_id),
                ("version_id", version_id),
                ("manifest", manifest),
            )
            if value is not None
        ]
        if len(given) != 1:
            said = " and ".join(given) or "none of them"
            raise InvalidInput(
                "give exactly one of pipeline_id, version_id and manifest: "
                f"{said} was given"
            )
        for name, value in (("pipeline_id", pipeline_id), ("version_id", version_id)):
            if value is not None and not value.strip():
                raise InvalidInput(f"{name} is empty: give the id of what to run")
        return Pipeline(
            self.runs,
            self._version,
            pipeline_id or "",
            version_id or "",
            None if manifest is None else read_manifest(manifest),
        )

    def run(self, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made."""
        return self.runs.run("", run_id)

    def _options(self, share: float) -> dict[str, Any]:
        limit = self.origin.gate.limit
        return {**self._given, "host": self.origin.base_url, "max_in_flight": limit}

    async def read_artifact(self, run_id: str, node_id: str, name: str) -> bytes:
        """Read an output artifact of a node, as it is stored.

        Args:
            run_id: The run.
            node_id: Id of the workflow node, as in the run's workflow manifest.
            name: The artifact's name.

        Returns:
            Its bytes; Argo usually stores a gzip-compressed tar archive.

        Raises:
            NotFound: There is no such run, node or artifact.
            CallError: The server could not be asked.
        """
        request = requests.read_artifact("v1beta1", run_id, node_id, name)
        shown = request.shown(self.origin.base_url)
        answer = await self.send(request)
        return decoded_artifact(answer, Context("kubeflow", "GET", shown, 1))

    async def save_artifact(
        self,
        run_id: str,
        node_id: str,
        name: str,
        file: str | Path,
        progress: Progress | None = None,
    ) -> int:
        """Stream an output artifact of a node into a file, however large it is.

        Args:
            run_id: The run.
            node_id: Id of the workflow node, as in the run's workflow manifest.
            name: The artifact's name.
            file: Where to write. What is there is replaced once the whole artifact has
                come; until then it takes three times its size in that directory.
            progress: Called with the bytes of the answer, a third more than the
                artifact, and with all of them if the server says it.

        Returns:
            The size of the artifact in bytes.

        Raises:
            InvalidInput: The directory does not exist or cannot be written to.
            NotFound: There is no such run, node or artifact.
            Unreadable: The answer is no artifact, or broke off.
            CallError: The server could not be asked.
        """
        return await self.run_service.save_artifact(
            run_id, node_id, name, file, progress
        )

    async def report_metrics(
        self,
        run_id: str,
        metrics: Iterable[ApiRunMetric | Mapping[str, object]],
        *,
        again: bool = False,
    ) -> list[ReportRunMetricsResponseReportRunMetricResult]:
        """Report any number of metrics, in batches of 50.

        A metric is told apart by its node and name, and its first value wins. Batches
        are sent again after a lost answer; what the lost attempt stored counts as `OK`.

        Args:
            run_id: The run, in any state.
            metrics: The metrics. Numbers that are none (NaN) are refused one by one.
            again: Whether some of them may have been reported before, by a call that
                failed; then a duplicate counts as `OK`.

        Returns:
            What became of each, in their order.

        Raises:
            NotFound: There is no such run.
            CallError: A batch could not be reported; report all of them again.
        """
        return await reporting.report(self, run_id, metrics, again=again)
