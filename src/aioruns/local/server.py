"""The run server: four façades over one engine on one port of this machine."""

import asyncio
import errno
import logging
import secrets
import socket
from collections import Counter
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from aioruns.local.abeja import AbejaFacade
from aioruns.local.cloudify import CloudifyFacade
from aioruns.local.engine import Engine
from aioruns.local.facade import Facade, Settings
from aioruns.local.faults import Faults, inject
from aioruns.local.kubeflow import KubeflowFacade
from aioruns.local.nextmv import NextmvFacade

_LOG = logging.getLogger("aioruns.local")
_HOST = "127.0.0.1"
_LARGEST_BODY = 2**30


class PortInUse(OSError):
    """Another program listens on the port that was asked for."""

    def __str__(self) -> str:
        return str(self.strerror)


class LocalServer:
    """The four platforms on this machine: `async with LocalServer() as server`.

    Args:
        port: Where to listen on the loopback address; 0 takes a free port.
        token: The secret that clients must show; None makes one up.
        slots: How many programs run at the same time.
        data: SQLite file to keep runs in; None forgets them at the end.
        page_size: Rows a page where a client does not say how many.
        seed: Decides which requests are hit by faults with a rate below 1.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        token: str | None = None,
        slots: int = 2,
        data: str | None = None,
        page_size: int = 20,
        seed: int = 0,
    ) -> None:
        self._port = port
        self.token = secrets.token_urlsafe(24) if token is None else token
        self.settings = Settings(token=self.token, page_size=page_size)
        self.engine = Engine(slots=slots, data=data)
        self.engine.hide.add(self.token)
        self.faults = Faults(seed=seed)
        self.requests: Counter[str] = Counter()
        """How many requests each platform was sent, by its name."""
        self.nextmv = NextmvFacade(self.engine, self.settings)
        self.kubeflow = KubeflowFacade(self.engine, self.settings)
        self.abeja = AbejaFacade(self.engine, self.settings)
        self.cloudify = CloudifyFacade(self.engine, self.settings)
        self.facades: list[Facade] = [
            self.nextmv,
            self.kubeflow,
            self.abeja,
            self.cloudify,
        ]
        self._stack = AsyncExitStack()
        self._refusing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`; empty before the server is entered."""
        return self.settings.base_url

    @property
    def port(self) -> int:
        """Where the server listens."""
        return self._port

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.nextmv.close)
            await stack.enter_async_context(self.engine)
            stack.push_async_callback(self.nextmv.stop)
            stack.push_async_callback(self.cloudify.close)
            self.cloudify.open()
            runner = web.AppRunner(
                self._application(),
                access_log=None,
                handle_signals=False,
                shutdown_timeout=0.5,
                # Cloudify's own limit, with its own answer, is below this one.
                max_line_size=65536,
            )
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await self._listen(runner)
            stack.push_async_callback(self._stop_refusing)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def how_to_connect(self) -> str:
        """Tell people how to point each client at this server; shows the token."""
        return _HOW.format(url=self.url, host=_HOST, port=self.port, token=self.token)

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            listening = socket.create_server((_HOST, self._port), backlog=128)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(
                errno.EADDRINUSE,
                f"Port {self._port} of {_HOST} is in use by another program; stop that"
                " program, or choose another port (0 takes a free one).",
            ) from None
        self._port = listening.getsockname()[1]
        self._runner, self._listening = runner, listening
        self._site = web.SockSite(runner, listening)
        await self._site.start()
        self.settings.base_url = f"http://{_HOST}:{self._port}"

    async def _refuse(self, seconds: float) -> None:
        """Let nobody connect for a while; connections that exist stay."""
        under_way = self._refusing is not None and not self._refusing.done()
        if under_way or self._closing.is_set():
            return
        self._refusing = asyncio.create_task(self._listen_again(seconds))
        # Whoever is being let in now would be left with half a connection.
        asyncio.get_running_loop().remove_reader(self._listening)
        await asyncio.sleep(0)
        await self._site.stop()

    async def _listen_again(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
            return
        await self._listen(self._runner)

    async def _stop_refusing(self) -> None:
        self._closing.set()
        if self._refusing is not None:
            await asyncio.wait([self._refusing])

    # -- answering -----------------------------------------------------------------

    def _application(self) -> web.Application:
        application = web.Application(
            client_max_size=_LARGEST_BODY,
            middlewares=[self._count, self._inject, self._guard],
        )
        self._owners: dict[web.AbstractRoute, Facade] = {}
        for facade in self.facades:
            for route in application.add_routes(facade.routes()):
                self._owners[route] = facade
        return application

    def _owner(self, request: web.Request) -> Facade | None:
        facade = self._owners.get(request.match_info.route)
        if facade is not None:
            return facade
        return next((f for f in self.facades if f.owns(request.path)), None)

    def _error(self, request: web.Request, status: int, message: str) -> web.Response:
        facade = self._owner(request)
        if facade is not None:
            return facade.error(status, message)
        return web.Response(status=status, text=message + "\n")

    @web.middleware
    async def _count(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        facade = self._owner(request)
        if facade is not None:
            self.requests[facade.name] += 1
        return await handler(request)

    @web.middleware
    async def _inject(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        chosen = self.faults.decide(request.method, request.path)
        if not chosen:
            return await handler(request)
        if chosen[-1].kind == "refuse":
            await self._refuse(chosen[-1].seconds)
        return await inject(request, handler, chosen, self._error)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if request.match_info.http_exception is None:
                raise
            return self._error(request, answer.status, answer.reason)
        except ConnectionResetError:
            return web.Response()  # the client has left, and nobody receives it
        except Exception:  # noqa: BLE001 - a defect answers 500 and stays in one request
            _LOG.exception("%s %s failed", request.method, request.path)
            return self._error(
                request, 500, "The local run server failed; its log says why."
            )


_HOW = """\
The local run server listens on {url}, on this machine only. Its token is
  {token}

Nextmv: this library and the official client read the environment.
  export NEXTMV_ENDPOINT={url} NEXTMV_API_KEY={token}
  aioruns.Nextmv()
  nextmv.cloud.Client()

Kubeflow Pipelines
  aioruns.Kubeflow(host="{url}", token="{token}")
  kfp_server_api.Configuration(host="{url}",
      api_key={{"authorization": "{token}"}},
      api_key_prefix={{"authorization": "Bearer"}})

ABEJA Platform: this library and the official client read the environment.
  export ABEJA_API_URL={url} PLATFORM_AUTH_TOKEN={token}
  aioruns.Abeja("1234567890123")
  abeja.runs.APIClient()

Cloudify Manager: the same arguments for both.
  aioruns.Cloudify(host="{host}", port={port}, protocol="http",
      token="{token}", tenant="default_tenant")
  cloudify_rest_client.CloudifyClient(host="{host}", port={port}, protocol="http",
      token="{token}", tenant="default_tenant")
"""
