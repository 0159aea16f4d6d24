"""The Cloudify client over real sockets, against the local run server."""

import asyncio

import pytest

from aioruns.errors import (
    BadRequest,
    Forbidden,
    GaveUp,
    InvalidInput,
    NotFound,
    RunFailed,
    Unauthorized,
)
from aioruns.http.retry import RetryPolicy
from aioruns.local.faults import Fault
from aioruns.platforms.cloudify import Cloudify, Execution, following
from aioruns.platforms.cloudify.adapter import Adapter
from aioruns.seam import Abilities, RunState, Submission
from aioruns.session import Session

POST = "^POST /api/v3.1/executions$"
GET = "^GET /api/v3.1/executions"

LINES = [
    ("workflow_started", "'scale' workflow execution started"),
    ("stderr", "line 0"),
    ("stderr", "line 1"),
    ("stderr", "line 2"),
    ("stdout", '{"delta":2}'),
    ("workflow_succeeded", "'scale' workflow execution succeeded"),
]


async def scale(job):
    for number in range(3):
        await job.log(f"line {number}")
        await asyncio.sleep(0.02)
    return {"delta": 2}


async def endless(job):
    await job.log("begun")
    await asyncio.Event().wait()


async def broken(job):
    raise ValueError("no such disk")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    """The platform's own times are for slow platforms; the rules are the same."""
    monkeypatch.setattr(Adapter, "abilities", Abilities(settle=(0.02, 0.05), drain=0.1))
    monkeypatch.setattr("aioruns.logs.SHORTEST_PAUSE", 0.05)


@pytest.fixture
async def cloudify(server):
    server.cloudify.register("web", "scale", scale)
    server.cloudify.register("web", "endless", endless)
    server.cloudify.register("web", "broken", broken)
    server.cloudify.register("web", "declared", scale, parameters={"delta": 1})
    retry = RetryPolicy(base=0.01)
    async with (
        Session(timeout=5, deadline=20, retry=retry) as session,
        Cloudify(server.url, token="local-token", session=session) as cloudify,
    ):
        yield cloudify


def executions(server):
    return server.engine.runs("cloudify")


async def lines_of(run, **arguments):
    return [(e.source, e.message) async for e in run.logs(**arguments)]


# -- from submission to result --------------------------------------------------------


async def test_submit_follow_and_collect(cloudify):
    run = await cloudify.deployment("web").submit("scale", {"delta": 2})
    assert await lines_of(run) == LINES
    status = await run.wait(within=10)
    assert (status.state, status.text) == (RunState.SUCCEEDED, "terminated")
    assert status.created <= status.started <= status.ended
    result = await run.result()
    assert isinstance(result, Execution)
    assert (result.id, result.deployment_id, result.workflow_id) == (
        run.id,
        "web",
        "scale",
    )
    assert result.parameters == {"delta": 2}


@pytest.mark.parametrize(
    "credentials",
    [{"username": "admin", "password": "local-token"}, {"token": "local-token"}],
)
async def test_both_ways_to_be_admitted(server, credentials):
    server.cloudify.register("web", "scale", scale)
    async with Cloudify(server.url, **credentials) as cloudify:
        run = await cloudify.deployment("web").submit("scale")
        assert await run.state() in RunState


async def test_wrong_credentials(server):
    async with Cloudify(server.url, token="wrong") as cloudify:
        with pytest.raises(Unauthorized) as caught:
            await cloudify.deployment("web").submit("scale")
    assert caught.value.code == "unauthorized_error"
    assert "wrong" not in str(caught.value.context)


async def test_another_tenant(server):
    async with Cloudify(server.url, token="local-token", tenant="b") as cloudify:
        with pytest.raises(Forbidden, match="tenant"):
            await cloudify.deployment("web").submit("scale")


async def test_a_failed_run(cloudify):
    run = await cloudify.deployment("web").submit("broken")
    status = await run.wait(within=10)
    assert (status.state, status.reason) == (RunState.FAILED, "no such disk")
    with pytest.raises(RunFailed, match="no such disk"):
        await run.result()


async def test_cancel_and_cancel_again(cloudify):
    run = await cloudify.deployment("web").submit("endless")
    await run.cancel()
    await run.cancel()
    status = await run.wait(within=10)
    assert status.state is RunState.CANCELED
    await run.cancel()


async def test_refusals_carry_the_managers_code(cloudify, server):
    deployment = cloudify.deployment("web")
    with pytest.raises(BadRequest) as caught:
        await deployment.submit("missing")
    assert caught.value.code == "nonexistent_workflow_error"
    with pytest.raises(NotFound) as unknown:
        await cloudify.deployment("nowhere").submit("scale")
    assert unknown.value.code == "not_found_error"
    with pytest.raises(BadRequest) as strange:
        await deployment.submit("declared", {"other": 1})
    assert strange.value.code == "illegal_execution_parameters_error"
    run = await deployment.submit("endless")
    with pytest.raises(BadRequest) as busy:
        await deployment.submit("scale")
    assert busy.value.code == "existing_running_execution_error"
    queued = await deployment.submit("scale", queue=True)
    assert await queued.state() is RunState.QUEUED
    await run.cancel()
    assert (await queued.wait(within=10)).state is RunState.SUCCEEDED
    assert len(executions(server)) == 2


async def test_dry_runs_and_custom_parameters(cloudify):
    deployment = cloudify.deployment("web")
    run = await deployment.submit("endless", dry_run=True)
    assert (await run.result(within=10)).is_dry_run
    run = await deployment.submit(
        "declared", {"other": 1}, allow_custom_parameters=True, wait_after_fail=5
    )
    assert (await run.result(within=10)).parameters == {"delta": 1, "other": 1}


async def test_many_states_cost_few_requests(cloudify, server):
    deployment = cloudify.deployment("web")
    runs = [await deployment.submit("scale", force=True) for _ in range(100)]
    for run in runs:
        await server.engine.ended("cloudify", run.id)
    before = server.requests["cloudify"]
    statuses = await cloudify.runs.platform.read_states([run.ref for run in runs], {})
    assert {status.state for status in statuses.values()} == {RunState.SUCCEEDED}
    assert set(statuses) == {run.ref for run in runs}
    assert server.requests["cloudify"] - before == 2


async def test_a_run_that_does_not_exist(cloudify, monkeypatch):
    monkeypatch.setattr(Adapter, "abilities", Abilities(grace=0.1, drain=0.1))
    run = cloudify.deployment("web").run("no-such-execution")
    with pytest.raises(NotFound):
        await run.wait(within=10)
    with pytest.raises(NotFound):
        await lines_of(run)
    with pytest.raises(NotFound):
        await run.cancel()


async def test_ids_with_every_character(cloudify, server):
    server.cloudify.register("a b/c?d", "e/f g", scale)
    run = await cloudify.deployment("a b/c?d").submit("e/f g")
    assert (await run.wait(within=10)).state is RunState.SUCCEEDED


# -- submitting once ------------------------------------------------------------------


async def test_the_same_key_is_the_same_execution(cloudify, server):
    deployment = cloudify.deployment("web")
    first = await deployment.submit("scale", key="once")
    second = await deployment.submit("scale", key="once")
    assert first.ref == second.ref
    assert len(executions(server)) == 1
    with pytest.raises(Exception, match="choose another key"):
        await deployment.submit("endless", key="once")


@pytest.mark.parametrize(
    ("choose_ids", "may"),
    # Ids that are asked for and refused are another test.
    [(True, True), (False, True), (False, False), ("auto", True), ("auto", False)],
)
@pytest.mark.parametrize(
    "fault",
    [
        Fault("429", POST, times=1, retry_after=0.01),
        Fault("503", POST, times=1),
        Fault("500", POST, times=1),
        Fault("drop-before", POST, times=1),
        Fault("drop-after", POST, times=1),
        Fault("truncate", POST, times=1),
        Fault("html", POST, times=1),
        Fault("drop-after", POST, times=1, after=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.after}",
)
async def test_a_submission_happens_once(server, cloudify, choose_ids, may, fault):
    server.cloudify.may_choose_ids = may
    server.faults.add(fault)
    async with Cloudify(
        server.url,
        token="local-token",
        choose_ids=choose_ids,
        session=cloudify.session,
    ) as client:
        run = await client.deployment("web").submit("declared", {"delta": 3})
        assert (await run.wait(within=10)).state is RunState.SUCCEEDED
        assert [record.id for record in executions(server)] == [run.id]


async def test_ids_that_are_refused_turn_into_markers(server, cloudify):
    server.cloudify.may_choose_ids = False
    deployment = cloudify.deployment("web")
    run = await deployment.submit("declared", key="k")
    result = await run.result(within=10)
    assert result.parameters == {"delta": 1, "_aioruns_key": "k"}
    before = cloudify.origin.sent
    await deployment.submit("scale", force=True)
    assert cloudify.origin.sent == before + 1
    spec = deployment.spec("declared", key="k")
    found = await cloudify.runs.platform.find(_submission(spec))
    assert found == run.ref
    assert await cloudify.runs.platform.find(_submission(spec, "other")) is None


async def test_ids_only_means_ids_only(server):
    server.cloudify.register("web", "scale", scale)
    server.cloudify.may_choose_ids = False
    async with Cloudify(server.url, token="local-token", choose_ids=True) as cloudify:
        with pytest.raises(Forbidden, match="set_execution_details"):
            await cloudify.deployment("web").submit("scale")
    assert executions(server) == []


async def test_a_marker_is_found_behind_many_newer_runs(server, monkeypatch):
    monkeypatch.setattr("aioruns.platforms.cloudify.requests.MARKS", 10)
    server.cloudify.register("web", "scale", scale)
    async with Cloudify(server.url, token="local-token", choose_ids=False) as cloudify:
        deployment = cloudify.deployment("web")
        wanted = await deployment.submit("scale", key="wanted")
        for _ in range(35):
            await deployment.submit("scale", force=True)
        spec = deployment.spec("scale", key="wanted")
        before = cloudify.origin.sent
        assert await cloudify.runs.platform.find(_submission(spec)) == wanted.ref
        assert cloudify.origin.sent - before == 4


def _submission(spec, key=None):
    return Submission(spec.target, spec.payload, key or spec.key)


async def test_a_new_run_that_is_not_shown_yet(cloudify, server):
    server.faults.add(Fault("stale-list", GET, times=3, seconds=60))
    server.faults.add(Fault("stale-state", GET, times=3, seconds=60))
    run = await cloudify.deployment("web").submit("scale")
    assert (await run.wait(within=10)).state is RunState.SUCCEEDED


async def test_markers_survive_a_list_that_lags(server, cloudify):
    server.cloudify.may_choose_ids = False
    server.faults.add(Fault("drop-after", POST, times=1, after=1))
    server.faults.add(Fault("stale-list", GET, times=2, seconds=60))
    run = await cloudify.deployment("web").submit("scale")
    assert [record.id for record in executions(server)] == [run.id]


# -- logs -----------------------------------------------------------------------------


async def test_a_log_is_continued_after_every_event(cloudify, server):
    run = await cloudify.deployment("web").submit("scale")
    stream = run.logs()
    cursors = [stream.cursor]
    cursors.extend([stream.cursor async for _ in stream])
    assert len(cursors) == len(LINES) + 1
    for taken, cursor in enumerate(cursors):
        rest = await lines_of(run, follow=False, cursor=cursor)
        assert rest == LINES[taken:]


async def test_pages_are_put_together(cloudify, server, monkeypatch):
    monkeypatch.setattr(following, "ROWS", 7)

    async def talk(job):
        for number in range(100):
            await job.log(str(number))

    server.cloudify.register("web", "talk", talk)
    run = await cloudify.deployment("web").submit("talk")
    spoken = [text for source, text in await lines_of(run) if source == "stderr"]
    assert spoken == [str(number) for number in range(100)]


async def test_faults_lose_and_repeat_no_line(cloudify, server):
    server.faults.add(Fault("503", "^GET", rate=0.2))
    server.faults.add(Fault("drop-before", "^GET", rate=0.2))
    run = await cloudify.deployment("web").submit("scale")
    assert await lines_of(run) == LINES


async def test_a_log_that_another_client_follows_on(cloudify, server):
    run = await cloudify.deployment("web").submit("scale")
    stream = run.logs()
    first = await anext(stream)
    async with Cloudify(server.url, token="local-token") as other:
        again = other.runs.from_cursor(run.cursor)
        assert again.ref == run.ref
        rest = await lines_of(again, cursor=stream.cursor)
    assert [(first.source, first.message), *rest] == LINES
    with pytest.raises(InvalidInput):
        cloudify.deployment("web").run("other").logs(cursor=stream.cursor)


async def test_a_wait_gives_up_and_is_continued(cloudify):
    run = await cloudify.deployment("web").submit("endless")
    with pytest.raises(GaveUp) as caught:
        await run.wait(within=0.1)
    again = cloudify.runs.from_cursor(caught.value.context.cursor)
    await again.cancel()
    assert (await again.wait(within=10)).state is RunState.CANCELED
