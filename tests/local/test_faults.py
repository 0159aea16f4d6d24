"""Faults: the same seed gives the same ones, and every kind does what it says."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterable

import aiohttp
import anyio
import pytest
from aiohttp import web

from aioruns.local import Fault, Faults, Job, LocalServer, State, Task

P = "tiny"
BODY = {"text": "x" * 1000}


class TinyFacade:
    """A platform with as little as a fault needs."""

    name = P

    def __init__(self, engine) -> None:
        self._engine = engine
        self.handled: list[str] = []

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/tiny/thing", self.thing),
            web.post("/tiny/thing", self.thing),
            web.get("/tiny/runs", self.runs),
            web.get("/tiny/runs/{id}", self.run),
            web.get("/tiny/nothing", self.nothing),
        ]

    def owns(self, path: str) -> bool:
        return path.startswith("/tiny/")

    def error(self, status: int, message: str) -> web.Response:
        return web.json_response({"tiny_error": message}, status=status)

    async def thing(self, request: web.Request) -> web.Response:
        self.handled.append(request.method)
        return web.json_response(BODY, headers={"X-Tiny": "yes"})

    async def nothing(self, _: web.Request) -> web.Response:
        return web.Response(status=204)

    async def runs(self, _: web.Request) -> web.Response:
        return web.json_response([run.id for run in self._engine.runs(P)])

    async def run(self, request: web.Request) -> web.Response:
        run = self._engine.get(P, request.match_info["id"])
        ended = None if run.ended is None else run.ended.isoformat()
        tasks = {name: task.state for name, task in run.tasks.items()}
        return web.json_response(
            {"state": run.state, "ended": ended, "tasks": tasks, "why": run.error}
        )


@pytest.fixture
async def tiny() -> AsyncIterator[LocalServer]:
    server = LocalServer(token="local-token")
    server.facades.append(TinyFacade(server.engine))
    async with server:
        yield server


@pytest.fixture
async def http(tiny) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(tiny.url) as session:
        yield session


async def test_delay_waits_and_then_answers(tiny, http):
    tiny.faults.add(Fault("delay", route="GET /tiny/thing", seconds=0.1))
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with http.get("/tiny/thing") as answer:
        assert await answer.json() == BODY
    assert loop.time() - before >= 0.1


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (Fault("429"), 429, None),
        (Fault("429", retry_after=2), 429, "2"),
        (Fault("500", retry_after=2), 500, None),
        (Fault("503"), 503, None),
        (Fault("503", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), 503, "Wed, 21"),
    ],
)
async def test_refusals_have_the_body_of_the_platform(
    tiny, http, fault, status, retry_after
):
    tiny.faults.add(fault)
    async with http.get("/tiny/thing") as answer:
        assert answer.status == status
        assert "tiny_error" in await answer.json()
        header = answer.headers.get("Retry-After")
        assert header is None if retry_after is None else retry_after in header
    assert tiny.facades[-1].handled == []


async def test_drop_before_never_reaches_the_handler(tiny, http, caplog):
    tiny.faults.add(Fault("drop-before", route="POST"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.post("/tiny/thing", data=io.BytesIO(b"x" * 3_000_000))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post("/tiny/thing", json={})
    assert tiny.facades[-1].handled == []
    assert caplog.text == ""


async def test_drop_after_lets_the_handler_finish(tiny, http, caplog):
    tiny.faults.add(Fault("drop-after", route="POST"))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post("/tiny/thing", json={})
    assert tiny.facades[-1].handled == ["POST"]
    assert caplog.text == ""


async def test_truncate_promises_the_whole_and_sends_half(tiny, http, caplog):
    tiny.faults.add(Fault("truncate", route="/tiny/thing"))
    async with http.post("/tiny/thing", json={}) as answer:
        assert answer.status == 200
        assert answer.headers["X-Tiny"] == "yes"
        assert answer.content_type == "application/json"
        whole = int(answer.headers["Content-Length"])
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    reader, writer = await asyncio.open_connection("127.0.0.1", tiny.port)
    writer.write(b"GET /tiny/thing HTTP/1.1\r\nHost: tiny\r\n\r\n")
    _, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert len(body) == whole // 2
    assert tiny.facades[-1].handled == ["POST", "GET"]
    assert caplog.text == ""


async def test_truncate_drops_an_answer_that_has_no_body(tiny, http):
    tiny.faults.add(Fault("truncate"))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.get("/tiny/nothing")


async def test_html_is_a_login_page_with_status_200(tiny, http):
    tiny.faults.add(Fault("html"))
    async with http.post("/tiny/thing") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert "Please sign in" in await answer.text()
    assert tiny.facades[-1].handled == []


async def test_stale_state_shows_runs_as_they_were(tiny, http):
    going = asyncio.Event()

    async def fail(job: Job) -> None:
        going.set()
        raise ValueError("why")

    await tiny.engine.submit(P, "1", [Task("main", fail)])
    with anyio.fail_after(5):
        await going.wait()
        await tiny.engine.ended(P, "1")
    tiny.faults.add(Fault("stale-state", route="/runs/", seconds=3600, times=1))
    async with http.get("/tiny/runs/1") as answer:
        assert await answer.json() == {
            "state": "queued",
            "ended": None,
            "tasks": {"main": "queued"},
            "why": "",
        }
    async with http.get("/tiny/runs/1") as answer:
        assert (await answer.json())["state"] == "failed"
    assert tiny.engine.get(P, "1").state is State.FAILED


async def test_stale_list_leaves_out_new_runs(tiny, http):
    await tiny.engine.submit(P, "old", [])
    await asyncio.sleep(0.1)
    await tiny.engine.submit(P, "new", [])
    tiny.faults.add(Fault("stale-list", seconds=0.1))
    async with http.get("/tiny/runs") as answer:
        assert await answer.json() == ["old"]
    async with http.get("/tiny/runs/new") as answer:
        assert answer.status == 200
    tiny.faults.clear()
    async with http.get("/tiny/runs") as answer:
        assert await answer.json() == ["old", "new"]


async def test_lag_is_of_the_request_only(tiny, http):
    """A run that was submitted by a lagging request is not lagging itself."""
    tiny.faults.add(Fault("stale-state", seconds=3600))
    tiny.faults.add(Fault("stale-list", seconds=3600))
    async with http.get("/tiny/runs") as answer:
        assert await answer.json() == []
    await tiny.engine.submit(P, "1", [])
    assert tiny.engine.runs(P)[0].state is State.SUCCEEDED


def sequence(faults: Faults) -> list[list[str]]:
    return [[f.kind for f in faults.decide("GET", f"/{n}")] for n in range(200)]


def some(seed: int) -> Faults:
    faults = Faults(seed=seed)
    faults.add(Fault("delay", rate=0.3))
    faults.add(Fault("503", rate=0.2))
    faults.add(Fault("drop-after", rate=0.5, times=20))
    return faults


def test_same_seed_gives_the_same_faults():
    assert sequence(some(1)) == sequence(some(1))
    assert sequence(some(1)) != sequence(some(2))
    faults = some(1)
    hits = sequence(faults)
    kinds = [kind for hit in hits for kind in hit]
    assert faults.counts == {kind: kinds.count(kind) for kind in set(kinds)}
    assert faults.counts["drop-after"] == 20
    assert 30 < faults.counts["delay"] < 90
    assert all(hit in (["delay"], []) or hit[-1] != "delay" for hit in hits)


def test_times_and_after_count_matching_requests_only():
    faults = Faults()
    faults.add(Fault("500", route=r"^POST /a$", after=1, times=2))
    assert faults.decide("GET", "/a") == []
    hits = [bool(faults.decide("POST", "/a")) for _ in range(5)]
    assert hits == [False, True, True, False, False]
    assert faults.decide("POST", "/a/b") == []


def test_clear_lifts_faults_and_keeps_counts():
    faults = some(3)
    first = sequence(faults)
    counts = dict(faults.counts)
    faults.clear()
    assert faults.decide("GET", "/") == []
    assert dict(faults.counts) == counts
    faults.add(Fault("delay", rate=0.3))
    again = [bool(faults.decide("GET", f"/{n}")) for n in range(200)]
    assert again == ["delay" in hit for hit in first]


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="no fault 'slow'; choose one of delay, 429"):
        Fault("slow")
