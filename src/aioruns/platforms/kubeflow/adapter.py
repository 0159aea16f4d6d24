"""Kubeflow Pipelines behind the seam to platforms."""

import threading
from collections.abc import Collection, Mapping

from attrs import define, field

from aioruns.errors import (
    BadRequest,
    CallError,
    Context,
    NotFound,
    NotSupported,
    ServerFailure,
    Unreadable,
)
from aioruns.http.clock import Clock
from aioruns.platforms.client import Client
from aioruns.platforms.connection import Connection
from aioruns.platforms.kubeflow import nodelogs, requests, statuses
from aioruns.platforms.kubeflow.explain import INTERNAL
from aioruns.platforms.kubeflow.filters import Version
from aioruns.platforms.kubeflow.keys import name_with_key, run_id_of
from aioruns.platforms.kubeflow.logtext import LogText
from aioruns.platforms.kubeflow.marks import read_marks
from aioruns.platforms.kubeflow.models import RunResult
from aioruns.platforms.kubeflow.reading import StateReader
from aioruns.platforms.kubeflow.requests import EVERYWHERE
from aioruns.platforms.kubeflow.server import Probe, Server
from aioruns.platforms.kubeflow.spool import FILES
from aioruns.platforms.kubeflow.workflow import Node, workflow_of
from aioruns.platforms.stale import check_ended
from aioruns.seam import (
    ALL,
    Abilities,
    LogPage,
    Position,
    RunRef,
    Status,
    Submission,
    Window,
)


@define(eq=False)
class Adapter:
    """What generic code asks of a Kubeflow Pipelines server.

    Attributes:
        client: Sends the requests.
        version: The REST version for stored pipelines, listings and terminations.
            Single reads go by v1beta1 always: only it carries the workflow manifest.
        namespace: Where to list on a multi-user server, if a run names no experiment.
        reader: Reads states; its `chunk` is the number of ids in one listing.
    """

    client: Client
    version: Version = "v1beta1"
    namespace: str = ""
    reader: StateReader = field(init=False)
    name: str = field(default="kubeflow", init=False)
    abilities: Abilities = field(
        default=Abilities(spans_targets=True, line_times=False), init=False
    )
    _probe: Probe = field(init=False)
    _slots: threading.Semaphore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._slots = threading.Semaphore(FILES)
        self._probe = Probe(self.client.send, self.version)
        self.reader = StateReader(self.client, self.version, self.namespace)

    @property
    def clock(self) -> Clock:
        """The clock of the session."""
        return self.client.session.clock

    async def server(self) -> Server:
        """Which kind of server answers; asked once."""
        return await self._probe.server()

    def connection(self, *, credentials: bool, share: float) -> Connection:
        """How to make a client like this one, elsewhere."""
        return self.client.connection(credentials=credentials, share=share)

    # -- creating ------------------------------------------------------------------

    async def create(self, submission: Submission) -> RunRef:
        """Create one run.

        Where the server lets us choose ids, a run that exists already under the key is
        returned instead: sending an id again would start a second workflow that
        reports into the same run (wire/kubeflow.md 8.2).
        """
        server = self._probe.known or await self._server_before_sending()
        is_v2 = "display_name" in submission.payload
        if is_v2 and not server.takes_ids:
            raise NotSupported(
                "this Kubeflow Pipelines server is of a 1.x release and runs Argo "
                "workflows only, not what the 2.x compiler makes"
            )
        body = dict(submission.payload)
        called = "display_name" if is_v2 else "name"
        body[called] = name_with_key(body[called], submission.key)
        if server.takes_ids:
            run_id = run_id_of(submission.key)
            body["run_id" if is_v2 else "id"] = run_id
            if not submission.fresh and await self._exists(run_id):
                return RunRef(submission.target, run_id)
        elif "pipeline_spec" in body:
            # wire/kubeflow.md 2.1: G1 refuses parameters in two forms
            spec = dict(body["pipeline_spec"])
            spec.pop("runtime_config", None)
            body["pipeline_spec"] = spec
        try:
            if is_v2:
                run_id = (await self.client.send(requests.submit_v2(body))).run_id
            else:
                run_id = (await self.client.send(requests.submit(body))).id
        except ServerFailure as error:
            if error.status == 500 and error.code == INTERNAL:
                raise _conclusive(error) from None
            raise
        return RunRef(submission.target, run_id)

    async def find(self, submission: Submission) -> RunRef | None:
        """Look for the run of a key: by its id, or by its name on 1.x servers."""
        server = await self.server()
        if server.takes_ids:
            ref = RunRef(submission.target, run_id_of(submission.key))
            return ref if ref in await self.reader.read_one(ref, server) else None
        payload = submission.payload
        plain = payload.get("name") or payload.get("display_name")
        name = name_with_key(str(plain), submission.key)
        scope = self.reader.scope(submission.target, server) or EVERYWHERE
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
            await self.client.send(requests.read_state(run_id))
        except NotFound:
            return False
        return True

    # -- reading -------------------------------------------------------------------

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Read states in as few requests as possible; see `StateReader`."""
        server = self._probe.known or await self.server()
        if len(refs) == 1:
            return await self.reader.read_one(next(iter(refs)), server)
        return await self.reader.read(refs, known, server)

    async def read_logs(
        self, ref: RunRef, position: Position | None, window: Window = ALL
    ) -> LogPage:
        """Read what is new in the logs of a run's pods, in the order of their start.

        One single read of the run, and one request for each pod that lives or was not
        read to its end. What is large comes in several pages of these answers.
        """
        if isinstance(position, nodelogs.Place):
            page = await position.next_page()
            if page is not None:
                return page
        marks = read_marks(position)
        server = await self.server()
        detail = await self.client.send(requests.read_detail(ref.id))
        workflow = workflow_of(detail)
        status = statuses.from_detail(ref, detail.run, workflow)

        async def read(node: Node, skip: int) -> LogText:
            pod = workflow.pod_name(node, server.generation)
            return await self._read_log(ref.id, pod, skip)

        look = nodelogs.Look(workflow.pods, marks, status, read, self.clock)
        return await look.page()

    async def _read_log(self, run_id: str, pod: str, skip: int) -> LogText:
        text = LogText(skip, self._slots)
        request = requests.read_log(run_id, pod, text)
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
            answer = await self.client.send(request)
        except NotFound as error:
            wrong = Unreadable(elsewhere, error.context)
            wrong.conclusive = True
            raise wrong from error
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise Unreadable(elsewhere, place)
        return text

    async def cancel(self, ref: RunRef) -> None:
        """Terminate a run; one that is ending or has ended is left alone."""
        server = await self.server()
        try:
            await self.client.send(requests.act(self.version, ref.id, "terminate"))
        except BadRequest:
            # wire/kubeflow.md 2.6: 400 for runs that are ending or have ended
            found = await self.reader.read_one(ref, server)
            if ref not in found or not statuses.ending(found[ref].text):
                raise

    async def fetch_result(self, ref: RunRef) -> RunResult:
        """The output parameters of a run's nodes."""
        detail = await self.client.send(requests.read_detail(ref.id))
        word = detail.run.status
        check_ended(ref.id, word, statuses.state_of(word))
        outputs = workflow_of(detail).outputs()
        return RunResult(detail.run.status, outputs, detail.raw)


def _conclusive(error: ServerFailure) -> ServerFailure:
    """A failure of the server's own, after which a creation must not be sent again.

    The server is done with the request, so that one look tells whether there is a run.
    Most often the request is wrong (wire/kubeflow.md 2.1), and then the server would
    only say so again. But it may have failed after it started the workflow, and then a
    second one would run beside it (8.2).
    """
    said = (
        f"{error.args[0]} (this server answers so to mistakes, too: check the ids of "
        "pipeline, version and experiment, and the manifest)"
    )
    made = ServerFailure(
        said, error.context, error.status, error.code, error.retry_after
    )
    made.conclusive = True
    return made
