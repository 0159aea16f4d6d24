"""The engine that spreads a sweep over the workers of a dask.distributed cluster."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal, cast

import anyio
from attrs import evolve
from distributed import Client

from aioruns.distributed.crew import Crew, Listener
from aioruns.distributed.hands import DaskHands
from aioruns.distributed.messages import Terms
from aioruns.errors import InvalidInput
from aioruns.platforms.connection import Describes
from aioruns.runs import Runs
from aioruns.sweeps.lane import Host, Lane


class DaskEngine:
    """Submits and waits on the workers of a cluster: `as_completed(..., engine=...)`.

    Each worker has one session for each platform. Outcomes come back to the caller, who
    keeps the journal, repeats what failed, and gives up what takes too long.

    What a lost worker had is taken over by the others: runs that exist are followed
    there; where a submission was under way, its key is looked up before it is sent
    again. Workers that join later take part, too.

    Args:
        client: The client of the cluster, asynchronous or not. One that does not belong
            to the running event loop is used for its address only.
        credentials: Where workers find theirs: each in its own `environment`, as the
            platform's client documents it; or `pass`, which sends those of the client
            that made the specs through the cluster, so use it with TLS.
        lease: Seconds after which a worker that hears nothing from the caller stops.
            So long it takes until a submission that was under way on a lost worker is
            taken over.
        worker_within: Seconds that the sweep goes on without any worker.

    Raises:
        InvalidInput: A value cannot be right.

    Example:
        ```python
        async with distributed.Client("tcp://scheduler:8786", asynchronous=True) as c:
            engine = aioruns.distributed.DaskEngine(c)
            async with aioruns.as_completed(
                specs, engine=engine, max_active=5_000, journal="sweep.db"
            ) as outcomes:
                async for outcome in outcomes:
                    print(outcome.index, outcome.state)
        ```
    """

    def __init__(
        self,
        client: Client,
        *,
        credentials: Literal["environment", "pass"] = "environment",
        lease: float = 10.0,
        worker_within: float = 60.0,
    ) -> None:
        if not isinstance(client, Client):
            raise InvalidInput(
                "DaskEngine wants a distributed.Client of the cluster, not "
                f"{type(client).__name__}"
            )
        if credentials not in {"environment", "pass"}:
            raise InvalidInput(
                'credentials must be "environment", where each worker looks for its '
                'own, or "pass", which sends those of the client that made the specs'
            )
        for name, seconds in (("lease", lease), ("worker_within", worker_within)):
            if not seconds > 0:
                raise InvalidInput(f"{name} must be more than 0 seconds, not {seconds}")
        self._client = client
        self._passes = credentials == "pass"
        self._lease = lease
        self._worker_within = worker_within

    def lane(self, host: Host, runs: Runs) -> Lane:
        """A lane whose hands are the workers.

        Raises:
            InvalidInput: The platform's connection cannot be described by value.
            NotSupported: Its credentials cannot be passed.
        """
        platform = runs.platform
        if not isinstance(platform, Describes):
            raise InvalidInput(
                f"{platform.name} cannot be used on workers: its adapter does not "
                "describe its connection by value"
            )
        # What the caller decides is decided once; and its functions stay here.
        policy = evolve(
            host.policy,
            within=None,
            total_within=None,
            retry_failed=0,
            stop_when=None,
            cancel_remote=False,
            on_submitted=None,
        )

        def terms(share: float) -> Terms:
            connection = platform.connection(credentials=self._passes, share=share)
            return Terms(connection, policy, self._lease)

        terms(1.0)  # what cannot be described is better known before the first spec

        def make_crew(listener: Listener) -> Crew:
            connected = partial(_connected, self._client)
            return Crew(connected, terms, listener, self._lease, self._worker_within)

        return Lane(host, runs, DaskHands(host, runs, make_crew))


@asynccontextmanager
async def _connected(given: Client) -> AsyncIterator[Any]:
    """A client that can be awaited here; the given one stays open."""
    if given.asynchronous:
        yield given
        return
    scheduler, make = given.scheduler, cast("Any", Client)
    if scheduler is None:
        raise InvalidInput("the client of the cluster is closed: open it again")
    own = make(
        scheduler.address,
        security=given.security,
        asynchronous=True,
        set_as_default=False,
    )
    try:
        yield await own
    finally:
        with anyio.CancelScope(shield=True):
            await own.close()
