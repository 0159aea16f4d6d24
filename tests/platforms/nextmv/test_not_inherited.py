"""Weaknesses of the official client that are not inherited, each under its name.

Those about tailing, polling, results, archives and tracked runs stand beside the
modules that they are about.
"""

import json
import tracemalloc

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aioruns import Nextmv, RetryPolicy, Session
from aioruns.http.request import FileBody, Request

RUN = {"id": "r", "metadata": {"status_v2": "succeeded"}}


class Platform:
    """A server that writes down what reaches it, and answers what it is told."""

    def __init__(self):
        self.seen = []
        self.connections = set()
        self.answers = []
        self.received = 0
        self.url = ""

    async def answer(self, request):
        self.connections.add(request.transport.get_extra_info("peername"))
        body = b""
        async for part in request.content.iter_chunked(1 << 20):
            self.received += len(part)
            body = part if len(part) < 1 << 16 else b""
        self.seen.append((request.method, request.rel_url.raw_path, request, body))
        if self.answers:
            status, value = self.answers.pop(0)
            return web.json_response(value, status=status)
        return web.json_response(RUN)

    @property
    def paths(self):
        return [path for _, path, _, _ in self.seen]


@pytest.fixture
async def platform():
    made = Platform()
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{rest:.*}", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


async def test_no_connection_reuse(platform):
    async with Nextmv("key", url=platform.url) as nextmv:
        app = nextmv.application("a")
        for _ in range(5):
            await app.run_information("r")

    assert len(platform.seen) == 5
    assert len(platform.connections) == 1


async def test_retries_by_scheme(platform):
    """A plain http address retries as an https one does."""
    platform.answers = [(429, {}), (503, {})]
    async with (
        Session(retry=RetryPolicy(base=0.001)) as session,
        Nextmv("key", url=platform.url, session=session) as nextmv,
    ):
        run = await nextmv.application("a").run_information("r")

    assert platform.url.startswith("http://")
    assert run.id == "r"
    assert len(platform.seen) == 3


async def test_a_netrc_that_replaces_the_key(platform, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login u password p\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with Nextmv("key", url=platform.url) as nextmv:
        await nextmv.application("a").run_information("r")

    _, _, request, _ = platform.seen[0]
    assert request.headers["Authorization"] == "Bearer key"


@pytest.mark.parametrize("prefix", ["/prefix", "/prefix/", "/prefix/deep"])
async def test_base_urls_that_lose_a_path(platform, prefix):
    async with Nextmv("key", url=platform.url + prefix) as nextmv:
        await nextmv.application("a").run_information("r")

    whole = prefix.rstrip("/")
    assert platform.paths == [f"{whole}/v1/applications/a/runs/r/metadata"]


async def test_ids_that_change_the_request(platform):
    async with Nextmv("key", url=platform.url) as nextmv:
        app = nextmv.application("a/b")
        await app.run_information("r#1?x=2")
        await app.delete_instance("i/j")

    assert platform.paths == [
        "/v1/applications/a%2Fb/runs/r%231%3Fx%3D2/metadata",
        "/v1/applications/a%2Fb/instances/i%2Fj",
    ]


@pytest.mark.parametrize(
    "update",
    [
        lambda app: app.update_instance("i", name="new"),
        lambda app: app.update_version("i", name="new"),
        lambda app: app.update_managed_input("i", name="new"),
        lambda app: app.update_input_set("i", name="new"),
        lambda app: app.update(name="new"),
    ],
)
async def test_read_modify_write_that_loses_fields(platform, update):
    """The merge is on the JSON as it came: unknown keys and nanoseconds survive."""
    current = {
        "id": "i",
        "name": "old",
        "description": None,
        "created_at": "2026-05-04T21:00:00.123456789Z",
        "brand_new": {"deep": [1, None]},
    }
    platform.answers = [(200, current), (200, current)]
    async with Nextmv("key", url=platform.url) as nextmv:
        await update(nextmv.application("a"))

    (_, _, _, _), (method, _, request, body) = platform.seen
    assert (method, request.content_type) == ("PUT", "application/json")
    assert json.loads(body) == {**current, "name": "new"}


async def test_whole_files_in_memory(platform, tmp_path):
    size = 48 << 20
    file = tmp_path / "inputs.tar.gz"
    with file.open("wb") as target:  # a hole: it takes no room on the disk
        target.truncate(size)
    async with Nextmv("key", url=platform.url) as nextmv:
        upload = Request("PUT", body=FileBody(file, size), presigned=platform.url)
        tracemalloc.start()
        try:
            await nextmv.send(upload)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert platform.received == size
    assert peak < 24 << 20
