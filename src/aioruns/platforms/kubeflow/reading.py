"""Reading where many runs stand in few requests."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from attrs import define, evolve

from aioruns.errors import CallError, NotFound, Unreadable
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import requests, statuses
from aioruns.platforms.kubeflow.filters import IDS_AT_ONCE, Version, chunks
from aioruns.platforms.kubeflow.models.polling import Detail
from aioruns.platforms.kubeflow.requests import EVERYWHERE, Scope
from aioruns.platforms.kubeflow.server import Server
from aioruns.platforms.kubeflow.workflow import Workflow, workflow_of
from aioruns.seam import RunRef, RunState, Status
from aioruns.together import each


@define(eq=False)
class StateReader:
    """Reads states.

    Attributes:
        client: Sends the requests.
        version: The REST version of listings. Single reads go by v1beta1 always: only
            it carries the workflow manifest.
        namespace: Where to list on a multi-user server, if a run names no experiment.
        chunk: Ids asked for in one listing at most.
    """

    client: Client
    version: Version = "v1beta1"
    namespace: str = ""
    chunk: int = IDS_AT_ONCE

    async def read(
        self, refs: Iterable[RunRef], server: Server
    ) -> Mapping[RunRef, Status]:
        """Read states: one listing for each hundred runs, a single read for one run.

        On single-user servers runs of all experiments are in one listing.

        Runs that failed are read singly besides, once each as the watcher does not ask
        for ended runs again: only the manifest tells why, and whether a user ended
        them. So polling stays at one request for a hundred runs.
        """
        by_scope: dict[Scope | None, dict[str, RunRef]] = {}
        for ref in refs:
            scope = self.scope(ref.target, server)
            by_scope.setdefault(scope, {})[ref.id] = ref
        found: dict[RunRef, Status] = {}
        for scope, by_id in by_scope.items():
            found |= await self._read_scope(by_id, scope, server)
        return found

    async def _read_scope(
        self, by_id: Mapping[str, RunRef], scope: Scope | None, server: Server
    ) -> dict[RunRef, Status]:
        found: dict[RunRef, Status] = {}

        async def read_one(ref: RunRef) -> None:
            found.update(await self.read_one(ref, server))

        async def read_chunk(ids: list[str]) -> None:
            refs = [by_id[one] for one in ids]
            found.update(await self._read_rows(refs, scope or EVERYWHERE))

        async def explain(status: Status) -> None:
            found[status.ref] = await self._explained(status)

        if len(by_id) == 1 or scope is None:
            await each(by_id.values(), read_one)
            return found
        await each(chunks(by_id, self.chunk), read_chunk)
        failed = [s for s in found.values() if s.state is RunState.FAILED]
        await each(failed, explain)
        return found

    async def read_one(self, ref: RunRef, server: Server) -> dict[RunRef, Status]:
        """Read one run; empty if it is not there."""
        try:
            detail = await self.client.send(requests.read_detail(ref.id))
        except NotFound:
            # wire/kubeflow.md 2.2: also while the run's manifest is still empty; a
            # listing shows such a run.
            scope = self.scope(ref.target, server)
            return {} if scope is None else await self._read_rows([ref], scope)
        return {ref: self._status(ref, detail)}

    async def _read_rows(
        self, refs: Sequence[RunRef], scope: Scope
    ) -> dict[RunRef, Status]:
        try:
            return await self._list(refs, scope)
        except NotFound:
            if not scope.experiment:
                raise
            # wire/kubeflow.md 2.3: the experiment is gone, and its runs with it
            return {}

    async def _list(self, refs: Sequence[RunRef], scope: Scope) -> dict[RunRef, Status]:
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
            detail = await self.client.send(requests.read_detail(status.ref.id))
            return self._status(status.ref, detail)
        except CallError as error:
            # The run has failed, which is more than nothing; a manifest that cannot be
            # had must not keep those waiting who wait for other runs.
            return evolve(status, reason=f"its reason could not be read: {error}")

    def _status(self, ref: RunRef, detail: Detail) -> Status:
        workflow = Workflow()
        if statuses.state_of(detail.run.status).final:
            # The state stands without the manifest; only details would be missing.
            with suppress(Unreadable):
                workflow = workflow_of(detail)
        return statuses.from_detail(ref, detail.run, workflow)

    def scope(self, target: str, server: Server) -> Scope | None:
        """Where to list: everywhere, or what a multi-user server insists on.

        None if there is no such thing, so that only single reads are possible
        (wire/kubeflow.md 2.3).
        """
        if not server.multi_user:
            return EVERYWHERE
        if target:
            return Scope(experiment=target)
        return Scope(namespace=self.namespace) if self.namespace else None
