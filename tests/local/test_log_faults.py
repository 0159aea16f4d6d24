"""What the local server does wrong about logs when it is asked to, over plain HTTP."""

import asyncio

import aiohttp
import pytest

from aioruns import Abeja, Cloudify, Kubeflow, Nextmv, Session
from aioruns.local import Fault

ORGANIZATION, DEPLOYMENT = "1000000000001", "2000000000002"


async def talk(job):
    for number in range(3):
        await job.log(f"line {number}")
    return {}


@pytest.fixture
async def session():
    async with Session() as opened:
        yield opened


@pytest.fixture
async def http(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as opened:
        yield opened


async def read(http, path, **query):
    async with http.get(path, params=query) as answer:
        return await answer.json()


async def test_a_refusing_server_lets_nobody_connect_for_a_while(server):
    server.faults.add(Fault("refuse", times=1, seconds=0.2))
    async with aiohttp.ClientSession(server.url) as http:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.post("/nothing")
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.post("/nothing")
        await asyncio.sleep(0.25)
        async with http.post("/nothing") as answer:
            assert answer.status == 404


async def test_a_server_that_refuses_can_be_closed(server):
    server.faults.add(Fault("refuse", times=1, seconds=60))
    async with aiohttp.ClientSession(server.url) as http:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.post("/nothing")


@pytest.mark.parametrize("status", [502, 504])
async def test_gateways_answer_for_servers(server, http, status):
    server.faults.add(Fault(str(status), times=1, retry_after=3))
    async with http.get("/nothing") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (status, "3")


async def test_tokens_of_nextmv(server, session, http):
    server.nextmv.register("routing", talk)
    app = Nextmv(server.token, url=server.url, session=session).application("routing")
    run = await app.submit({})
    await run.wait()
    path = f"/v1/applications/routing/runs/{run.id}/logs/live"

    plain = await read(http, path)
    assert len(plain["items"]) == 3
    server.faults.add(Fault("no-token", times=1))
    assert (await read(http, path)).get("next_page_token") is None
    server.faults.add(Fault("new-token", times=1))
    end = plain["next_page_token"]
    other = await read(http, path, since=end)
    assert (other["items"], other["next_page_token"] == end) == ([], False)
    again = await read(http, path, since=other["next_page_token"])
    assert (again["items"], again["next_page_token"]) == ([], end)
    # What an ended run wrote is not kept back.
    server.faults.add(Fault("empty-page", times=1))
    assert len((await read(http, path))["items"]) == 3


async def test_tokens_of_abeja(server, session, http):
    server.abeja.register(DEPLOYMENT, "ver-1", talk)
    abeja = Abeja(
        ORGANIZATION, auth_token=server.token, url=server.url, session=session
    )
    run = await abeja.deployment(DEPLOYMENT).submit("ver-1")
    await run.wait()
    path = (
        f"/organizations/{ORGANIZATION}/deployments/{DEPLOYMENT}/runs/{run.id}"
        "/recentlogs"
    )

    end = (await read(http, path))["next_forward_token"]
    server.faults.add(Fault("new-token", times=1))
    other = await read(http, path, next_forward_token=end)
    assert other["events"] == []
    assert other["next_forward_token"] != end
    server.faults.add(Fault("dead-token", times=1))
    async with http.get(path, params={"next_forward_token": end}) as answer:
        assert answer.status == 400
    assert (await read(http, path, next_forward_token=end))["events"] == []


async def test_texts_of_kubeflow_pods(server, session, http):
    server.kubeflow.register("p", program=talk)
    kubeflow = Kubeflow(server.url, token=server.token, session=session)
    run = await kubeflow.pipeline("p").submit()
    await run.wait()
    (record,) = server.engine.runs("kubeflow")
    pod = record.detail["nodes"][0]["pod"]
    path = f"/apis/v1alpha1/runs/{run.id}/nodes/{pod}/log"

    async def text():
        async with http.get(path) as answer:
            assert answer.status == 200
            return (await answer.read()).decode()

    whole = await text()
    server.faults.add(Fault("crlf-log", times=1))
    assert await text() == whole.replace("\n", "\r\n")
    server.faults.add(Fault("cut-log", times=1))
    cut, _, error = (await text()).partition('{"error_message":')
    assert whole.startswith(cut)
    assert len(cut) < len(whole)
    assert "unexpected EOF" in error
    assert await text() == whole


async def test_rows_of_cloudify_come_up_behind_later_ones(server, session):
    server.cloudify.commit_delay = 0.3

    async def slow(job):
        for number in range(20):
            await job.log(f"line {number}")
            await asyncio.sleep(0.01)

    server.cloudify.register("web", "talk", slow)
    cloudify = Cloudify(server.url, token=server.token, session=session)
    run = await cloudify.deployment("web").submit("talk")
    seen, behind, latest = set(), 0, ""
    async with asyncio.timeout(10):
        while len(seen) < 22:
            page = await cloudify.events.list(
                True, execution_id=run.id, sort="reported_timestamp"
            )
            keys = [(row.reported_timestamp, row.message) for row in page.items]
            fresh = [key for key in keys if key not in seen]
            behind += sum(str(key[0]) < latest for key in fresh)
            latest = max([latest, *(str(key[0]) for key in keys)])
            seen.update(fresh)
            await asyncio.sleep(0.01)
    assert behind > 0
