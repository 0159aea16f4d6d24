"""Which generation of server answers; asked once, when it is first needed."""

from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
from attrs import define, field, frozen

from aioruns.errors import NotFound, NotSupported
from aioruns.http.request import Request
from aioruns.platforms.kubeflow import requests
from aioruns.platforms.kubeflow.filters import Version
from aioruns.platforms.kubeflow.models.polling import Health

Generation = Literal["G1", "G2", "G3"]
"""G1: releases 1.x, G2: 2.0 to 2.5, G3: 2.14 and later (wire/kubeflow.md 0.3)."""


@frozen
class Server:
    """What the platform's behaviour depends on.

    Attributes:
        generation: Which releases it belongs to.
        multi_user: Whether listings need an experiment or a namespace.
    """

    generation: Generation
    multi_user: bool = False

    @property
    def takes_ids(self) -> bool:
        """Whether the client may choose a run's id (wire/kubeflow.md 8.2)."""
        return self.generation != "G1"


@define(eq=False)
class Probe:
    """Asks for the server's health and remembers the answer; a failure is not kept.

    The health route of v2beta1 decides: it is missing on G1, and names the pipeline
    store from G3 on (wire/kubeflow.md 1.6). Error bodies would tell as well, but only
    after provoking an error.

    Attributes:
        ask: Sends a health request.
        version: The REST version that the caller wants to speak.
        known: The server, once it was asked and can be used.
    """

    ask: Callable[[Request[Health]], Awaitable[Health]]
    version: Version
    _server: Server | None = field(default=None, init=False)
    known: Server | None = field(default=None, init=False)
    _lock: anyio.Lock = field(factory=anyio.Lock, init=False)

    async def server(self) -> Server:
        """The server; callers at the same time share one request.

        Raises:
            NotFound: No Kubeflow Pipelines API is at the address.
            NotSupported: v2beta1 is wanted of a server that does not speak it.
            CallError: The server could not be asked.
        """
        if self._server is None:
            async with self._lock:
                if self._server is None:
                    self._server = await self._look()
        if self._server.generation == "G1" and self.version == "v2beta1":
            raise NotSupported(
                "this Kubeflow Pipelines server is of a 1.x release and speaks v1beta1 "
                'only: leave api_version at "auto"'
            )
        self.known = self._server
        return self._server

    async def _look(self) -> Server:
        try:
            health = await self.ask(requests.health("v2beta1"))
        except NotFound:
            return await self._look_at_oldest()
        generation: Generation = "G3" if health.pipeline_store else "G2"
        return Server(generation, health.multi_user)

    async def _look_at_oldest(self) -> Server:
        try:
            health = await self.ask(requests.health("v1beta1"))
        except NotFound as error:
            raise NotFound(
                "no Kubeflow Pipelines API is at this address: check host, and the "
                "path that a gateway in front of it may need, such as /pipeline",
                error.context,
                404,
            ) from error
        return Server("G1", health.multi_user)
