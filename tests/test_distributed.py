"""Sweeps over the worker processes of a cluster, against the local run server."""

import asyncio
import json
import logging
import os
import pickle
import signal
from collections import Counter
from functools import partial

import anyio
import pytest
from distributed import Client, LocalCluster
from tests.fake_platform import FakePlatform

from aioruns import Abeja, Cloudify, Kubeflow, Nextmv, as_completed, gather
from aioruns.distributed import DaskEngine, NoWorkers
from aioruns.distributed.messages import Answer, Terms, Work
from aioruns.distributed.worker import SweepWorker
from aioruns.errors import (
    Forbidden,
    GaveUp,
    InvalidInput,
    MissingCredentials,
)
from aioruns.local.faults import Fault
from aioruns.native import Member
from aioruns.sweeps.order import Policy

APP = "routing"
TOKEN = "local-token"
SUBMITTING = r"^POST .*/runs$"
OPTIONS = {
    "processes": True,
    "threads_per_worker": 1,
    "dashboard_address": "127.0.0.1:0",
    "host": "127.0.0.1",
    "silence_logs": logging.CRITICAL,
}


async def double(job):
    await asyncio.sleep(0.02)
    return {"twice": 2 * json.loads(job.stdin)["number"]}


async def double_slowly(job):
    await asyncio.sleep(0.1)
    return await double(job)


async def fail_once(job, failed=set()):  # noqa: B006 - kept from run to run on purpose
    number = json.loads(job.stdin)["number"]
    if number not in failed:
        failed.add(number)
        raise RuntimeError("the first time it fails")
    return {}


async def forever(job):
    await asyncio.Event().wait()


@pytest.fixture(scope="module")
def dask():
    """A synchronous client of two workers, which find the key where they run."""
    with (
        pytest.MonkeyPatch.context() as patched,
        LocalCluster(n_workers=2, **OPTIONS) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        patched.delenv("NEXTMV_API_KEY", raising=False)
        change_key(client, TOKEN)
        yield client


def change_key(client, key):
    """Give the workers another key, or none."""

    def change():
        os.environ.pop("NEXTMV_API_KEY", None)
        if key is not None:
            os.environ["NEXTMV_API_KEY"] = key

    client.run(change)


@pytest.fixture
def key_of_workers(dask):
    """Gives the workers another key, or none, for one test."""
    yield partial(change_key, dask)
    change_key(dask, TOKEN)


@pytest.fixture
async def nextmv(server):
    server.nextmv.register(APP, double)
    async with Nextmv(TOKEN, url=server.url) as client:
        yield client


def specs_of(nextmv, count):
    app = nextmv.application(APP)
    return [app.spec({"number": n}, name=str(n)) for n in range(count)]


def records(server):
    return list(server.engine.runs("nextmv"))


def submitted(server):
    """How often each spec was submitted."""
    return Counter(int(record.detail["name"]) for record in records(server))


def once(count):
    return dict.fromkeys(range(count), 1)


def actors(dask_scheduler):
    """How many actors each worker has, as the scheduler sees it."""
    return [len(worker.actors) for worker in dask_scheduler.workers.values()]


async def until(true, within=10.0):
    with anyio.fail_after(within):
        while not true():  # noqa: ASYNC110 - a state without an event
            await asyncio.sleep(0.02)


# -- the plain way -------------------------------------------------------------------


async def test_outcomes_come_back_from_all_workers(server, nextmv, dask):
    seen, told = [], []
    engine = DaskEngine(dask)
    async with as_completed(
        specs_of(nextmv, 60), engine=engine, on_submitted=told.append
    ) as outcomes:
        async for outcome in outcomes:
            assert outcome.result == {"twice": 2 * outcome.index}
            assert outcome.succeeded
            if not seen:
                at_work = await asyncio.to_thread(dask.run_on_scheduler, actors)
            seen.append(outcome.index)
    assert at_work == [1, 1]
    assert sorted(seen) == list(range(60))
    assert submitted(server) == once(60)
    assert {run.id for run in told} == {record.id for record in records(server)}
    assert outcomes.progress.submitted == 60
    await until(lambda: not any(dask.run_on_scheduler(actors)))


async def test_failed_runs_are_submitted_again_by_workers(server, nextmv, dask):
    server.nextmv.register(APP, fail_once)
    outcomes = await gather(
        specs_of(nextmv, 6), engine=DaskEngine(dask), retry_failed=1
    )
    assert [outcome.attempts for outcome in outcomes] == [2] * 6
    assert all(outcome.succeeded for outcome in outcomes)
    assert len({attempt.run.id for one in outcomes for attempt in one.earlier}) == 6


async def test_runs_that_take_too_long_are_given_up_and_cancelled(server, nextmv, dask):
    server.nextmv.register(APP, forever)
    outcomes = await gather(
        specs_of(nextmv, 4), engine=DaskEngine(dask), within=0.5, cancel_remote=True
    )
    assert all(isinstance(outcome.error, GaveUp) for outcome in outcomes)
    await until(
        lambda: {record.state.value for record in records(server)} <= {"canceled"}
    )


async def test_leaving_stops_the_workers(server, nextmv, dask):
    server.nextmv.register(APP, forever)
    async with as_completed(
        specs_of(nextmv, 50), engine=DaskEngine(dask), max_active=8, cancel_remote=True
    ) as outcomes:
        await until(lambda: len(records(server)) == 8)
    assert outcomes.not_canceled == []
    await until(
        lambda: all(record.canceling or record.ended for record in records(server))
    )
    before = server.requests["nextmv"]
    await asyncio.sleep(1.0)
    assert server.requests["nextmv"] == before
    assert len(records(server)) == 8
    assert not any(dask.run_on_scheduler(actors))


async def test_a_native_batch_is_followed_by_workers(server, nextmv, dask):
    specs = specs_of(nextmv, 5)
    runs = [await spec.submit() for spec in specs]

    class Batch:
        async def prepare(self):
            pass

        async def start(self):
            return self.members()

        async def members(self):
            for index, (run, spec) in enumerate(zip(runs, specs, strict=True)):
                yield Member(index, spec, f"member-{index}", run)

    outcomes = await gather(Batch(), engine=DaskEngine(dask))
    assert [outcome.result for outcome in outcomes] == [
        {"twice": 2 * n} for n in range(5)
    ]
    assert len(records(server)) == 5


async def plain(job):
    await job.log("hello")
    return {}


async def test_platforms_of_several_kinds_on_the_same_workers(server, nextmv, dask):
    """Their sessions are the workers' own: the caller's are not even open."""
    org, deployment, version = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
    server.abeja.register(deployment, version, plain)
    for number in range(4):
        server.cloudify.register(f"web{number}", "write", plain)
    closed = Nextmv(TOKEN, url=server.url)
    abeja = Abeja(org, auth_token=TOKEN, url=server.url)
    cloudify = Cloudify(server.url, token=TOKEN)
    specs = [
        *specs_of(closed, 4),
        *(abeja.deployment(deployment).spec(version) for _ in range(4)),
        *(cloudify.deployment(f"web{n}").spec("write") for n in range(4)),
    ]
    engine = DaskEngine(dask, credentials="pass")
    outcomes = await gather(specs, engine=engine, results=False)
    assert [outcome.error for outcome in outcomes] == [None] * 12
    assert all(outcome.succeeded for outcome in outcomes)
    assert {outcome.spec.platform for outcome in outcomes} == {
        "nextmv",
        "abeja",
        "cloudify",
    }


# -- credentials ---------------------------------------------------------------------


async def test_a_wrong_key_on_a_worker_stops_the_sweep(
    server, nextmv, dask, key_of_workers
):
    key_of_workers("wrong-key")
    with pytest.raises(Forbidden) as caught:
        await gather(specs_of(nextmv, 200), engine=DaskEngine(dask), max_active=10)
    assert "wrong-key" not in repr(caught.value)
    assert records(server) == []
    assert server.requests["nextmv"] <= 40


async def test_workers_without_a_key_say_so(server, nextmv, dask, key_of_workers):
    key_of_workers(None)
    with pytest.raises(MissingCredentials, match="NEXTMV_API_KEY"):
        await gather(specs_of(nextmv, 5), engine=DaskEngine(dask))
    engine = DaskEngine(dask, credentials="pass")
    outcomes = await gather(specs_of(nextmv, 5), engine=engine)
    assert all(outcome.succeeded for outcome in outcomes)


HERE = "http://127.0.0.1:1"
CLIENTS = [
    Nextmv("hunter2", url=HERE, submissions_per_second=10),
    Kubeflow(HERE, token="hunter2", namespace="team"),
    Kubeflow(HERE, cookie="hunter2"),
    Abeja("1000000000001", auth_token="hunter2", url=HERE),
    Cloudify("127.0.0.1", port=1, token="hunter2", tenant="team", api_version="v3"),
]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda made: type(made).__name__)
async def test_a_connection_is_a_value_without_secrets(client):
    kept = client.connection()
    assert b"hunter2" not in pickle.dumps(kept)
    passed = client.connection(credentials=True, share=0.5)
    assert "hunter2" not in repr(passed)
    made = pickle.loads(pickle.dumps(passed)).make()  # noqa: S301 - ours
    assert type(made) is type(client)
    assert made.origin.base_url == client.origin.base_url
    assert await made.origin.auth.headers() == await client.origin.auth.headers()
    assert made.runs.platform.name == client.runs.platform.name
    if isinstance(client, Nextmv):
        assert made.submissions.per_second == 5


async def test_the_token_file_is_read_where_the_client_is_made(tmp_path):
    file = tmp_path / "token"
    file.write_text("first")
    client = await asyncio.to_thread(Kubeflow, HERE, token_file=file)
    assert (await client.origin.auth.headers())["Authorization"] == "Bearer first"
    file.write_text("second")
    passed = pickle.dumps(client.connection(credentials=True))
    assert b"first" not in passed
    connection = pickle.loads(passed)  # noqa: S301 - ours
    made = await asyncio.to_thread(connection.make)
    assert (await made.origin.auth.headers())["Authorization"] == "Bearer second"


# -- what cannot be ------------------------------------------------------------------


async def test_a_platform_that_cannot_be_described(dask):
    with pytest.raises(InvalidInput, match="fake cannot be used on workers"):
        await gather([FakePlatform().spec()], engine=DaskEngine(dask))


@pytest.mark.parametrize(
    "wrong", [{"credentials": "send"}, {"lease": 0}, {"worker_within": -1}]
)
def test_values_that_cannot_be_right(dask, wrong):
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        DaskEngine(dask, **wrong)


def test_something_else_than_a_client():
    with pytest.raises(InvalidInput, match=r"distributed\.Client"):
        DaskEngine("tcp://127.0.0.1:8786")


# -- lost workers --------------------------------------------------------------------


async def test_a_cluster_without_workers(nextmv):
    async with (
        LocalCluster(n_workers=0, asynchronous=True, **OPTIONS) as cluster,
        Client(cluster, asynchronous=True, set_as_default=False) as client,
    ):
        engine = DaskEngine(client, worker_within=0.5)
        with pytest.raises(NoWorkers, match="there is none"):
            await gather(specs_of(nextmv, 5), engine=engine)


async def test_a_worker_is_killed_in_mid_sweep(server, nextmv, tmp_path, monkeypatch):
    """While some of its runs are active, and others are being submitted."""
    monkeypatch.setenv("NEXTMV_API_KEY", TOKEN)
    server.nextmv.register(APP, double_slowly)
    journal = tmp_path / "sweep.db"
    outcomes = []
    async with (
        LocalCluster(n_workers=2, asynchronous=True, **OPTIONS) as cluster,
        Client(cluster, asynchronous=True, set_as_default=False) as client,
    ):
        pids = await client.run(os.getpid)
        engine = DaskEngine(client, lease=1.0)
        server.faults.add(Fault("delay", SUBMITTING, seconds=0.3))
        async with as_completed(
            specs_of(nextmv, 100), engine=engine, max_active=30, journal=journal
        ) as sweep:
            async for outcome in sweep:
                outcomes.append(outcome)
                if len(outcomes) == 20:
                    os.kill(next(iter(pids.values())), signal.SIGKILL)
    assert submitted(server) == once(100)
    assert sorted(outcome.index for outcome in outcomes) == list(range(100))
    assert all(outcome.succeeded for outcome in outcomes)
    assert all(one.result == {"twice": 2 * one.index} for one in outcomes)

    # Here goes on what was kept here, whoever did it.
    again = await gather(specs_of(nextmv, 100), journal=journal)
    assert submitted(server) == once(100)
    ids = {outcome.index: outcome.run.id for outcome in outcomes}
    assert {outcome.index: outcome.run.id for outcome in again} == ids


async def test_a_worker_stops_when_it_hears_nothing(server, nextmv):
    """The caller may be gone; what it says too late is not heard."""
    server.faults.add(Fault("delay", SUBMITTING, seconds=0.6))
    connection = nextmv.connection(credentials=True)
    worker = SweepWorker(Terms(connection, Policy(4), lease=0.3))
    name = (await worker.open()).value
    first, late = (
        Work(number, APP, spec.payload, None, f"key-{number}")
        for number, spec in enumerate(specs_of(nextmv, 2))
    )
    assert not (await worker.hand_over(name, [first], [])).over
    assert (await worker.hand_over("another", [late], [])) == Answer()
    await asyncio.sleep(0.4)
    assert (await worker.hand_over(name, [late], [])).over
    assert (await worker.reports(name, 5.0)).over
    await asyncio.sleep(0.4)
    assert set(submitted(server)) <= {0}


async def test_a_worker_that_froze_stops_when_it_wakes(server, nextmv, dask):
    """Others have taken over meanwhile what it was submitting."""
    pids = list(dask.run(os.getpid).values())
    server.faults.add(Fault("delay", SUBMITTING, seconds=0.3))
    engine, done = DaskEngine(dask, lease=1.0), 0
    async with as_completed(
        specs_of(nextmv, 60), engine=engine, max_active=30
    ) as outcomes:
        try:
            async for outcome in outcomes:
                assert outcome.succeeded
                done += 1
                if done == 10:
                    os.kill(pids[0], signal.SIGSTOP)
        finally:
            os.kill(pids[0], signal.SIGCONT)
        await asyncio.sleep(0.5)
    assert done == 60
    assert submitted(server) == once(60)


async def test_the_cluster_goes_away_in_mid_sweep(server, nextmv, monkeypatch):
    monkeypatch.setenv("NEXTMV_API_KEY", TOKEN)
    server.nextmv.register(APP, forever)
    async with (
        LocalCluster(n_workers=1, asynchronous=True, **OPTIONS) as cluster,
        Client(cluster, asynchronous=True, set_as_default=False) as client,
    ):
        engine = DaskEngine(client, lease=2.0, worker_within=0.5)
        sweep = asyncio.create_task(gather(specs_of(nextmv, 5), engine=engine))
        await until(lambda: len(records(server)) == 5)
        await cluster.close()
        with pytest.raises(NoWorkers, match="took part"):
            await sweep


async def test_a_sweep_that_was_left_goes_on_with_workers(
    server, nextmv, dask, tmp_path
):
    journal = tmp_path / "sweep.db"
    async with as_completed(
        specs_of(nextmv, 30), max_active=10, journal=journal
    ) as sweep:
        async for outcome in sweep:
            if outcome.index >= 10:
                break
    outcomes = await gather(
        specs_of(nextmv, 30), engine=DaskEngine(dask), journal=journal
    )
    assert submitted(server) == once(30)
    assert [one.result for one in outcomes] == [{"twice": 2 * n} for n in range(30)]
