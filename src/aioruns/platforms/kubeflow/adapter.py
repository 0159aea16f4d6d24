"""Kubeflow Pipelines behind the seam to platforms."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from attrs import define, evolve, field

from aioruns.errors import (
    BadRequest,
    CallError,
    Context,
    InvalidInput,
    NotFound,
    NotSupported,
    Unreadable,
)
from aioruns.http.clock import Clock
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import nodelogs, requests, statuses
from aioruns.platforms.kubeflow.models import RunDetail, RunResult
from aioruns.platforms.kubeflow.requests import EVERYWHERE, Scope, Version
from aioruns.platforms.kubeflow.server import Probe, Server
from aioruns.platforms.kubeflow.together import together
from aioruns.platforms.kubeflow.workflow import Workflow, read_workflow
from aioruns.seam import (
    Abilities,
    LogPage,
    Position,
    RunRef,
    RunState,
    Status,
    Submission,
)

NAME_LIMIT = 254
"""Characters of a run's name; longer ones fail on older installs, after the workflow
was created (wire/kubeflow.md 8.2)."""

_RUN_IDS = uuid.UUID("7a3b6c4e-52f1-4d0a-9a86-0f5f0f6f8f11")
"""The namespace in which a submission key becomes a run id."""


def run_id_of(key: str) -> str:
    """The run id that a submission key stands for, on servers that let us choose."""
    return str(uuid.uuid5(_RUN_IDS, key))


def name_with_key(name: str, key: str) -> str:
    """A run's name with the key by which it can be found again.

    Raises:
        InvalidInput: They are too long together.
    """
    full = f"{name} [{key}]"
    if len(full) > NAME_LIMIT:
        raise InvalidInput(
            f"the run's name and its submission key {key[:40]!r} have {len(full)} "
            f"characters together, and {NAME_LIMIT} are possible: shorten one of them"
        )
    return full


@define(eq=False)
class Adapter:
    """What generic code asks of a Kubeflow Pipelines server.

    Attributes:
        client: Sends the requests.
        version: The REST version for stored pipelines, listings and terminations.
            Single reads go by v1beta1 always: only it carries the workflow manifest.
        namespace: Where to list on a multi-user server, if a run names no experiment.
        chunk: Ids asked for in one listing; with 100 an address stays below the 8 KB
            that proxies permit (wire/kubeflow.md 8.1).
    """

    client: Client
    version: Version = "v1beta1"
    namespace: str = ""
    chunk: int = 100
    name: str = field(default="kubeflow", init=False)
    abilities: Abilities = field(factory=Abilities, init=False)
    _probe: Probe = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._probe = Probe(self.client.send, self.version)

    @property
    def clock(self) -> Clock:
        """The clock of the session."""
        return self.client.session.clock

    async def server(self) -> Server:
        """Which kind of server answers; asked once."""
        return await self._probe.server()

    # -- creating ------------------------------------------------------------------

    async def create(self, submission: Submission) -> RunRef:
        """Create one run.

        Where the server lets us choose ids, a run that exists already under the key is
        returned instead: sending an id again would start a second workflow that
        reports into the same run (wire/kubeflow.md 8.2).
        """
        server = await self._server_before_sending()
        is_v2 = "display_name" in submission.payload
        if is_v2 and not server.takes_ids:
            raise NotSupported(
                "this Kubeflow Pipelines server is of a 1.x release and runs Argo "
                "workflows only, not what the 2.x compiler makes"
            )
        body = dict(submission.payload)
        called = "display_name" if is_v2 else "name"
        body[called] = name_with_key(str(body[called]), submission.key)
        if server.takes_ids:
            run_id = run_id_of(submission.key)
            body["run_id" if is_v2 else "id"] = run_id
            if await self._exists(run_id):
                return RunRef(submission.target, run_id)
        elif "pipeline_spec" in body:
            # wire/kubeflow.md 2.1: G1 refuses parameters in two forms
            spec = dict(body["pipeline_spec"])
            spec.pop("runtime_config", None)
            body["pipeline_spec"] = spec
        if is_v2:
            created = await self.client.send(requests.create_run_v2(body))
            return RunRef(submission.target, created.run_id)
        detail = await self.client.send(requests.create_run(body))
        return RunRef(submission.target, detail.run.id)

    async def find(self, submission: Submission) -> RunRef | None:
        """Look for the run of a key: by its id, or by its name on 1.x servers."""
        server = await self.server()
        if server.takes_ids:
            ref = RunRef(submission.target, run_id_of(submission.key))
            return ref if ref in await self._read_one(ref, server) else None
        payload = submission.payload
        plain = payload.get("name") or payload.get("display_name")
        name = name_with_key(str(plain), submission.key)
        scope = self._scope(submission.target, server) or EVERYWHERE
        rows = await self.client.send(requests.find_name(name, scope))
        # The database may compare without regard to case (wire/kubeflow.md 5.2).
        ids = [row.id for row in rows.runs if row.name == name]
        return RunRef(submission.target, ids[0]) if ids else None

    async def _server_before_sending(self) -> Server:
        """Learn what the server is; a failure here has created nothing."""
        try:
            return await self.server()
        except CallError as error:
            error.maybe_acted = False
            raise

    async def _exists(self, run_id: str) -> bool:
        try:
            await self.client.send(requests.get_run(run_id))
        except NotFound:
            return False
        except CallError as error:
            error.maybe_acted = False
            raise
        return True

    # -- states --------------------------------------------------------------------

    async def read_states(self, refs: Iterable[RunRef]) -> Mapping[RunRef, Status]:
        """Read states: one listing for each hundred runs, a single read for one run.

        Runs that failed are read singly besides, once each as the watcher does not ask
        for ended runs again: only the manifest tells why, and whether a user ended
        them. So polling stays at one request for a hundred runs.
        """
        wanted = list(dict.fromkeys(refs))
        if not wanted:
            return {}
        server = await self.server()
        scope = self._scope(wanted[0].target, server)
        if len(wanted) == 1 or scope is None:
            calls = [partial(self._read_one, ref, server) for ref in wanted]
        else:
            calls = [
                partial(self._read_chunk, wanted[start : start + self.chunk], scope)
                for start in range(0, len(wanted), self.chunk)
            ]
        return {
            ref: status
            for answer in await together(calls)
            for ref, status in answer.items()
        }

    async def _read_one(self, ref: RunRef, server: Server) -> dict[RunRef, Status]:
        try:
            detail = await self.client.send(requests.get_run(ref.id))
        except NotFound:
            # wire/kubeflow.md 2.2: also while the run's manifest is still empty; a
            # listing shows such a run.
            scope = self._scope(ref.target, server)
            return {} if scope is None else await self._read_rows([ref], scope)
        return {ref: self._status(ref, detail)}

    async def _read_chunk(
        self, refs: Sequence[RunRef], scope: Scope
    ) -> dict[RunRef, Status]:
        found = await self._read_rows(refs, scope)
        failed = [s for s in found.values() if s.state is RunState.FAILED]
        for status in await together([partial(self._explained, s) for s in failed]):
            found[status.ref] = status
        return found

    async def _read_rows(
        self, refs: Sequence[RunRef], scope: Scope
    ) -> dict[RunRef, Status]:
        by_id = {ref.id: ref for ref in refs}
        ids = list(by_id)
        if self.version == "v2beta1":
            answer = await self.client.send(requests.read_rows_v2(ids, scope))
            shown = [(row.run_id, row) for row in answer.runs if row.run_id in by_id]
            return {
                by_id[run_id]: statuses.from_row_v2(by_id[run_id], row)
                for run_id, row in shown
            }
        rows = await self.client.send(requests.read_rows(ids, scope))
        return {
            by_id[row.id]: statuses.from_row(by_id[row.id], row)
            for row in rows.runs
            if row.id in by_id
        }

    async def _explained(self, status: Status) -> Status:
        """The status of a failed run with its reason, or canceled."""
        try:
            detail = await self.client.send(requests.get_run(status.ref.id))
            return self._status(status.ref, detail)
        except CallError as error:
            # The run has failed, which is more than nothing; a manifest that cannot be
            # had must not keep those waiting who wait for other runs.
            return evolve(status, reason=f"its reason could not be read: {error}")

    def _status(self, ref: RunRef, detail: RunDetail) -> Status:
        workflow = Workflow()
        if statuses.state_of(detail.run.status).final:
            workflow = self._workflow(detail)
        return statuses.from_detail(ref, detail.run, workflow)

    def _scope(self, target: str, server: Server) -> Scope | None:
        """Where to list: everywhere, or what a multi-user server insists on.

        None if there is no such thing, so that only single reads are possible
        (wire/kubeflow.md 2.3).
        """
        if not server.multi_user:
            return EVERYWHERE
        if target:
            return Scope(experiment=target)
        return Scope(namespace=self.namespace) if self.namespace else None

    # -- logs, end, result ---------------------------------------------------------

    async def read_logs(self, ref: RunRef, position: Position | None) -> LogPage:
        """Read what is new in the logs of a run's pods, in the order of their start.

        One single read of the run, and one request for each pod that lives or was not
        read to its end.
        """
        server = await self.server()
        detail = await self.client.send(requests.get_run(ref.id))
        workflow = self._workflow(detail)
        status = statuses.from_detail(ref, detail.run, workflow)
        marks = nodelogs.read_marks(position)
        ended = status.state.final
        asked = nodelogs.unread(workflow.pods, marks, run_ended=ended)
        texts = await together(
            [
                partial(
                    self._read_log, ref.id, workflow.pod_name(node, server.generation)
                )
                for node, _ in asked
            ]
        )
        readings = [
            nodelogs.take(node, mark, text, run_ended=ended)
            for (node, mark), text in zip(asked, texts, strict=True)
        ]
        return nodelogs.make_page(readings, marks, self.clock.utc(), status)

    async def _read_log(self, run_id: str, pod: str) -> nodelogs.LogText:
        request = requests.read_log(run_id, pod)
        origin = self.client.origin
        place = Context(self.name, "GET", request.shown(origin.base_url), 1)
        # wire/kubeflow.md 1.1 and 6.3: the web UI does not forward this route, and the
        # API server answers it with 200 always, as text.
        elsewhere = (
            "logs are not served at this address: give the address of the API server "
            "itself (service ml-pipeline, port 8888), not that of the web UI or of a "
            "login page"
        )
        try:
            answer = await self.client.session.send_raw(request, origin)
        except NotFound as error:
            raise Unreadable(elsewhere, error.context) from error
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise Unreadable(elsewhere, place)
        return nodelogs.split_log(answer.body)

    async def cancel(self, ref: RunRef) -> None:
        """Terminate a run; one that is ending or has ended is left alone."""
        server = await self.server()
        try:
            await self.client.send(requests.terminate_run(self.version, ref.id))
        except BadRequest:
            # wire/kubeflow.md 2.6: 400 for runs that are ending or have ended
            found = await self._read_one(ref, server)
            status = found.get(ref)
            ending = status is not None and (
                status.state.final
                or status.text.lower() in {"terminating", "canceling"}
            )
            if not ending:
                raise

    async def fetch_result(self, ref: RunRef) -> RunResult:
        """The output parameters of a run's nodes."""
        detail = await self.client.send(requests.get_run(ref.id))
        outputs = self._workflow(detail).outputs()
        return RunResult(detail.run.status, outputs, detail.raw)

    def _workflow(self, detail: RunDetail) -> Workflow:
        try:
            return read_workflow(detail.pipeline_runtime.workflow_manifest)
        except Unreadable as error:
            address = requests.get_run(detail.run.id).shown(self.client.origin.base_url)
            error.context = Context(self.name, "GET", address, 1)
            raise
