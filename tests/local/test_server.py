"""The server around the façades: binding, unknown paths, defects and counting."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterable

import aiohttp
import pytest
from aiohttp import web

from aioruns.local import Command, Job, LocalServer, PortInUse, State, Task

P = "tiny"


class TinyFacade:
    name = P

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/tiny/defect", self.defect),
            web.get("/tiny/moved", self.moved),
            web.put("/tiny/size", self.size),
        ]

    def owns(self, path: str) -> bool:
        return path.startswith("/tiny/")

    def error(self, status: int, message: str) -> web.Response:
        return web.json_response({"tiny_error": message}, status=status)

    async def defect(self, _: web.Request) -> web.Response:
        raise RuntimeError("a defect")

    async def moved(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    async def size(self, request: web.Request) -> web.Response:
        return web.json_response(len(await request.read()))


@pytest.fixture
async def tiny() -> AsyncIterator[LocalServer]:
    server = LocalServer(token="local-token")
    server.facades.append(TinyFacade())
    async with server:
        yield server


@pytest.fixture
async def http(tiny) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(tiny.url) as session:
        yield session


async def test_port_in_use_is_named(tiny):
    with pytest.raises(PortInUse, match=f"^Port {tiny.port} of 127.0.0.1 is in use"):
        await LocalServer(port=tiny.port).__aenter__()


async def test_loopback_only(tiny):
    assert tiny.url == f"http://127.0.0.1:{tiny.port}"
    assert tiny.settings.base_url == tiny.url
    with pytest.raises(OSError, match=r"127\.0\.0\.2"):
        await asyncio.open_connection("127.0.0.2", tiny.port)


async def test_unknown_path_is_answered_by_its_owner(tiny, http):
    async with http.get("/tiny/unknown") as answer:
        assert answer.status == 404
        assert await answer.json() == {"tiny_error": "Not Found"}
    async with http.delete("/tiny/defect") as answer:
        assert answer.status == 405
        assert await answer.json() == {"tiny_error": "Method Not Allowed"}
    async with http.get("/of-nobody") as answer:
        assert answer.status == 404
        assert answer.content_type == "text/plain"


async def test_defect_answers_500_and_is_logged(tiny, http, caplog):
    async with http.get("/tiny/defect") as answer:
        assert answer.status == 500
        assert "its log says why" in (await answer.json())["tiny_error"]
    assert "GET /tiny/defect failed" in caplog.text
    assert "RuntimeError: a defect" in caplog.text


async def test_answers_that_handlers_raise_pass_through(tiny, http):
    async with http.get("/tiny/moved", allow_redirects=False) as answer:
        assert answer.status == 302


async def test_requests_are_counted_by_platform(tiny, http):
    for path in ("/tiny/moved", "/tiny/unknown", "/of-nobody", "/apis/unknown"):
        async with http.get(path, allow_redirects=False):
            pass
    assert tiny.requests == {P: 2, "kubeflow": 1}


async def test_large_bodies_are_taken(tiny, http):
    async with http.put("/tiny/size", data=io.BytesIO(b"x" * 5_000_000)) as answer:
        assert await answer.json() == 5_000_000


async def test_every_platform_is_served(server):
    for facade in (server.nextmv, server.kubeflow, server.abeja, server.cloudify):
        assert facade in server.facades
    paths = ("/v1/x", "/apis/x", "/organizations/1/x", "/api/v3.1/x")
    async with aiohttp.ClientSession(server.url) as http:
        for path in paths:
            async with http.get(path) as answer:
                assert 400 <= answer.status < 500, path
    assert sorted(server.requests.values()) == [1, 1, 1, 1]


async def test_token_is_made_up_and_shown_only_when_asked(tiny, caplog):
    one, other = LocalServer(), LocalServer()
    assert len(one.token) >= 32
    assert one.token != other.token
    assert "local-token" not in repr(tiny) + repr(tiny.settings) + repr(tiny.engine)
    told = tiny.how_to_connect()
    assert f"NEXTMV_ENDPOINT={tiny.url} NEXTMV_API_KEY=local-token" in told
    assert f"ABEJA_API_URL={tiny.url} PLATFORM_AUTH_TOKEN=local-token" in told
    assert f"port={tiny.port}" in told
    assert "local-token" not in caplog.text


async def test_token_is_in_no_program(tiny, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "local-token")
    await tiny.engine.submit(P, "1", [Task("main", Command(("env",)))])
    assert (await tiny.engine.ended(P, "1")).state is State.SUCCEEDED
    output = await tiny.engine.stdout(P, "1")
    assert b"PATH=" in output
    assert b"local-token" not in output


async def test_leaving_ends_programs_and_handlers_in_bounded_time():
    started = asyncio.Event()

    async def forever(job: Job) -> None:
        started.set()
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    async with LocalServer() as server, aiohttp.ClientSession(server.url) as http:
        await server.engine.submit(P, "1", [Task("main", forever)])
        await started.wait()
        async with http.get("/of-nobody"):
            pass
        before = loop.time()
    assert loop.time() - before < 3
    with pytest.raises(aiohttp.ClientConnectorError):
        async with aiohttp.ClientSession() as http:
            await http.get(server.url)
