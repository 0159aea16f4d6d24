"""Services, deployments and attempts of the ABEJA façade, judged by wire/abeja.md."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from aioruns.local.faults import Fault
from aioruns.local.records import State

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
HOME = f"/organizations/{ORG}/deployments"


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def get(server, http):
    """Read a path below the deployment, or from the root."""

    async def read(path, status=200, **query):
        url = server.url + (path if path.startswith("/") else f"{HOME}/{path}")
        headers = {"Authorization": f"Bearer {server.token}"}
        async with http.get(url, headers=headers, params=query) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    return read


def texts(body):
    return [event["message"] for event in body["events"]]


async def quiet(job):
    """Write nothing."""


# -- services ------------------------------------------------------------------------


async def test_a_service_says_what_it_is_told(server, get):
    server.settings.page_size = 2
    server.abeja.register(DEPLOYMENT, VERSION, quiet)
    service = await server.abeja.serve(DEPLOYMENT, VERSION)
    assert re.fullmatch(r"ser-\w{16}", service)
    path = f"{DEPLOYMENT}/services/{service}/recentlogs"
    empty = await get(path)
    assert empty["events"] == []

    for number in range(3):
        server.abeja.say(service, f"line {number}")

    newest = await get(path)
    assert texts(newest) == ["line 2", "line 1"]
    older = await get(path, next_backward_token=newest["next_backward_token"])
    assert texts(older) == ["line 0"]
    newer = await get(path, next_forward_token=empty["next_forward_token"])
    assert texts(newer) == ["line 1", "line 0"]
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    before = (now - timedelta(minutes=1)).isoformat()
    assert texts(await get(path, end_time=before)) == []
    assert texts(await get(path, start_time=before)) == ["line 2", "line 1"]
    plain = await get(f"{DEPLOYMENT}/services/{service}/logs")
    assert texts(plain) == ["line 0", "line 1"]
    rest = await get(
        f"{DEPLOYMENT}/services/{service}/logs", next_token=plain["next_token"]
    )
    assert (texts(rest), "next_token" in rest) == (["line 2"], False)


async def test_a_service_may_be_a_program(server, get):
    async def greet(job):
        await job.log(f"hello {job.env['NAME']}")

    server.abeja.register(DEPLOYMENT, VERSION, quiet)
    await server.abeja.serve(
        DEPLOYMENT, VERSION, greet, service_id="ser-1", environment={"NAME": "you"}
    )
    await server.engine.ended("abeja-services", "ser-1")
    assert texts(await get(f"{DEPLOYMENT}/services/ser-1/recentlogs")) == ["hello you"]


async def test_services_are_listed_and_are_no_runs(server, get):
    server.abeja.register(DEPLOYMENT, VERSION, quiet)
    await server.abeja.serve(DEPLOYMENT, VERSION, service_id="ser-1")
    (row,) = (await get(f"{DEPLOYMENT}/services"))["entries"]
    assert row == await get(f"{DEPLOYMENT}/services/ser-1")
    assert (row["service_id"], row["status"]) == ("ser-1", "READY")
    assert (row["model_version_id"], row["model_version"]) == (VERSION, "0.0.1")
    assert (await get(f"{DEPLOYMENT}/runs"))["entries"] == []
    await get(f"{DEPLOYMENT}/services/ser-2", status=404)
    await get("3000000000003/services/ser-1", status=404)


async def test_what_is_not_there_cannot_serve_or_speak(server):
    with pytest.raises(KeyError):
        await server.abeja.serve(DEPLOYMENT, VERSION)
    with pytest.raises(KeyError):
        server.abeja.say("ser-0", "hello")


async def test_tokens_of_one_log_are_refused_by_another(server, get):
    server.abeja.register(DEPLOYMENT, VERSION, quiet)
    for service in ("ser-1", "ser-2"):
        await server.abeja.serve(DEPLOYMENT, VERSION, service_id=service)
    tokens = await get(f"{DEPLOYMENT}/services/ser-1/recentlogs")
    await get(
        f"{DEPLOYMENT}/services/ser-2/recentlogs",
        status=400,
        next_forward_token=tokens["next_forward_token"],
    )


# -- deployments ---------------------------------------------------------------------


async def test_deployments_and_versions_are_read(server, get):
    server.abeja.register(DEPLOYMENT, VERSION, quiet)
    server.abeja.register(DEPLOYMENT, "ver-2", quiet)
    server.abeja.register("3", "ver-1", quiet, organization_id="another")
    service = await server.abeja.serve(DEPLOYMENT, VERSION)
    (row,) = (await get(HOME))["entries"]
    assert row == await get(DEPLOYMENT)
    assert row["deployment_id"] == DEPLOYMENT
    assert (row["runs"], row["services"], row["triggers"]) == ([], [service], [])
    assert row["created_at"] <= row["modified_at"]
    first, second = (await get(f"{DEPLOYMENT}/versions"))["entries"]
    assert (first["version_id"], first["version"]) == (VERSION, "0.0.1")
    assert second == await get(f"{DEPLOYMENT}/versions/ver-2")
    await get(f"{DEPLOYMENT}/versions/ver-3", status=404)
    await get("3", status=404)


# -- attempts ------------------------------------------------------------------------


async def create(server, http, **body):
    url = f"{server.url}{HOME}/{DEPLOYMENT}/runs"
    headers = {"Authorization": f"Bearer {server.token}"}
    body = {"version_id": VERSION, **body}
    async with http.post(url, headers=headers, json=body) as answer:
        return (await answer.json())["run_id"]


class Stubborn:
    """Fails as often as told, and waits to be let on before each attempt."""

    def __init__(self, failures):
        self.failures = failures
        self.started = 0
        self.gate = asyncio.Semaphore(0)

    async def __call__(self, job):
        self.started += 1
        await job.log(f"attempt {self.started}")
        await self.gate.acquire()
        if self.started <= self.failures:
            raise RuntimeError("not yet")


async def test_a_failed_run_is_runnable_again_while_attempts_are_left(
    server, get, http
):
    program = Stubborn(failures=2)
    server.abeja.retries = True
    server.abeja.register(DEPLOYMENT, VERSION, program)
    run_id = await create(server, http, retry_count=3)
    walk = []
    for attempt in range(1, 4):
        status = ""
        while (program.started, status) != (attempt, "RUNNING"):
            status = (await get(f"{DEPLOYMENT}/runs/{run_id}"))["status"]
            walk.append(status)
        program.gate.release()
    record = await server.engine.ended("abeja", run_id)
    assert record.state is State.SUCCEEDED
    assert (await get(f"{DEPLOYMENT}/runs/{run_id}"))["status"] == "SUCCEEDED"
    assert not {"FAILED", "SUCCEEDED"} & set(walk)
    assert {"RUNNABLE", "STARTING"} & set(walk[walk.index("RUNNING") :])
    log = await get(f"{DEPLOYMENT}/runs/{run_id}/logs")
    assert texts(log) == ["attempt 1", "attempt 2", "attempt 3"]


@pytest.mark.parametrize(
    ("retries", "count", "started"),
    [(True, 3, 3), (True, 0, 1), (True, 1, 1), (True, None, 5), (False, 3, 1)],
)
async def test_a_run_is_started_as_often_as_its_retry_count_says(
    server, http, get, retries, count, started
):
    program = Stubborn(failures=99)
    for _ in range(10):
        program.gate.release()
    server.abeja.retries = retries
    server.abeja.register(DEPLOYMENT, VERSION, program)
    run_id = await create(server, http, retry_count=count)
    # Whoever waits for the end sees the end of the last attempt.
    await server.engine.ended("abeja", run_id)
    assert program.started == started
    assert (await get(f"{DEPLOYMENT}/runs/{run_id}"))["status"] == "FAILED"


async def test_between_two_attempts_a_run_is_runnable_for_replicas_too(
    server, get, http
):
    program = Stubborn(failures=1)
    server.abeja.retries = True
    server.abeja.register(DEPLOYMENT, VERSION, program)
    run_id = await create(server, http, retry_count=2)
    for _ in range(2):
        program.gate.release()
    await server.engine.ended("abeja", run_id)
    server.faults.add(Fault("stale-state", route="GET", seconds=0.05))
    for _ in range(20):
        run = await get(f"{DEPLOYMENT}/runs/{run_id}")
        assert run["status"] != "FAILED"
        await asyncio.sleep(0.01)
