"""Reading where many runs stand in few requests."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from attrs import define
from msgspec.structs import replace

from aioruns.errors import CallError, Context, NotFound, Unreadable
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import requests, statuses
from aioruns.platforms.kubeflow.filters import IDS_AT_ONCE, Version, chunks
from aioruns.platforms.kubeflow.listing import Listing
from aioruns.platforms.kubeflow.models.polling import State
from aioruns.platforms.kubeflow.requests import EVERYWHERE, Scope
from aioruns.platforms.kubeflow.server import Server
from aioruns.platforms.kubeflow.workflow import Workflow, read_workflow
from aioruns.seam import RunRef, Status
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
        self,
        refs: Collection[RunRef],
        known: Mapping[RunRef, Status],
        server: Server,
    ) -> dict[RunRef, Status]:
        """Read states: one listing for each hundred runs, a single read for one run.

        On single-user servers runs of all experiments are in one listing.

        Runs that failed are read singly besides, once each as what is known of them is
        kept: only the manifest tells why, and whether a user ended them. So polling
        stays at one request for a hundred runs.
        """
        if len(refs) == 1:
            (ref,) = refs
            return await self.read_one(ref, server)
        found: dict[RunRef, Status] = {}
        by_id = {ref.id: ref for ref in refs}
        for scope, part in self._by_scope(by_id, server).items():
            await self._read_scope(part, known, found, scope, server)
        if len(by_id) < len(refs):
            # Handles of one run may name its experiment, or not.
            for ref in refs:
                status = found.get(by_id[ref.id])
                if status is not None and status.ref != ref:
                    found[ref] = replace(status, ref=ref)
        return found

    def _by_scope(
        self, by_id: Mapping[str, RunRef], server: Server
    ) -> Mapping[Scope | None, Mapping[str, RunRef]]:
        """Runs by where to list them."""
        if not server.multi_user:
            return {EVERYWHERE: by_id}
        parts: dict[Scope | None, dict[str, RunRef]] = {}
        for ref in by_id.values():
            scope = self.scope(ref.target, server)
            parts.setdefault(scope, {})[ref.id] = ref
        return parts

    async def _read_scope(
        self,
        by_id: Mapping[str, RunRef],
        known: Mapping[RunRef, Status],
        found: dict[RunRef, Status],
        scope: Scope | None,
        server: Server,
    ) -> None:
        async def read_one(ref: RunRef) -> None:
            found.update(await self.read_one(ref, server))

        async def read_chunk(ids: list[str]) -> None:
            await self._read_rows(ids, scope or EVERYWHERE, listing)

        async def explain(status: Status) -> None:
            found[status.ref] = await self._explained(status)

        if len(by_id) == 1 or scope is None:
            await each(by_id.values(), read_one)
            return
        listing = Listing(self.version, by_id, known, found)
        await each(chunks(by_id, self.chunk), read_chunk)
        await each(listing.failed, explain)

    async def read_one(self, ref: RunRef, server: Server) -> dict[RunRef, Status]:
        """Read one run; empty if it is not there."""
        try:
            state = await self.client.send(requests.read_state(ref.id))
        except NotFound:
            # wire/kubeflow.md 2.2: also while the run's manifest is still empty; a
            # listing shows such a run.
            found: dict[RunRef, Status] = {}
            scope = self.scope(ref.target, server)
            if scope is not None:
                listing = Listing(self.version, {ref.id: ref}, {}, found)
                await self._read_rows([ref.id], scope, listing)
            return found
        return {ref: _status(ref, state)}

    async def _read_rows(
        self, ids: Sequence[str], scope: Scope, listing: Listing
    ) -> None:
        request = requests.read_rows(self.version, ids, scope)
        try:
            answer = await self.client.send(request)
        except NotFound:
            if not scope.experiment:
                raise
            # wire/kubeflow.md 2.3: the experiment is gone, and its runs with it
            return
        try:
            listing.take(answer)
        except ValueError as error:
            url = request.shown(self.client.origin.base_url)
            raise Unreadable(
                f"the listing of runs cannot be read: {error}; check that the address "
                "is that of Kubeflow Pipelines",
                Context("kubeflow", "GET", url, 1),
            ) from error

    async def _explained(self, status: Status) -> Status:
        """The status of a failed run with its reason, or canceled."""
        try:
            state = await self.client.send(requests.read_state(status.ref.id))
            return _status(status.ref, state)
        except CallError as error:
            # The run has failed, which is more than nothing; a manifest that cannot be
            # had must not keep those waiting who wait for other runs.
            return replace(status, reason=f"its reason could not be read: {error}")

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


def _status(ref: RunRef, state: State) -> Status:
    if not statuses.state_of(state.status).final:
        return statuses.from_row(ref, state)
    workflow = Workflow()
    # The state stands without the manifest; only details would be missing.
    with suppress(Unreadable):
        workflow = read_workflow(state.manifest, ref.id)
    return statuses.from_detail(ref, state, workflow)
