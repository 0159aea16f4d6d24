"""ABEJA over real sockets, against the local run server."""

import asyncio

import pytest

from aioruns.errors import (
    InvalidInput,
    NotFound,
    NotSupported,
    RunFailed,
    ServerFailure,
    Unauthorized,
)
from aioruns.http.retry import RetryPolicy
from aioruns.local.faults import Fault
from aioruns.platforms.abeja import Abeja
from aioruns.runs import RunState
from aioruns.seam import Abilities, Submission
from aioruns.session import Session

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
CREATE = "^POST .*/runs$"
READS = "^GET .*/runs"


async def write_lines(job):
    """Write as many lines as $LINES says, then fail if $FAIL is set."""
    for number in range(int(job.env.get("LINES", "0"))):
        await job.log(f"line {number}")
        if "PAUSE" in job.env:
            await asyncio.sleep(float(job.env["PAUSE"]))
    if "FAIL" in job.env:
        raise RuntimeError(job.env["FAIL"])


@pytest.fixture
async def abeja(server):
    server.abeja.register(DEPLOYMENT, VERSION, write_lines)
    server.settings.page_size = 3
    session = Session(retry=RetryPolicy(base=0.01))
    async with (
        session,
        Abeja(ORG, auth_token=server.token, url=server.url, session=session) as client,
    ):
        client.runs.platform.abilities = Abilities(
            cancels=False, settle=(0.02, 0.05, 0.1), drain=0.1, grace=2.0
        )
        yield client


@pytest.fixture
def deployment(abeja):
    return abeja.deployment(DEPLOYMENT)


def lines(count):
    return [f"line {number}" for number in range(count)]


async def test_submit_wait_and_result(deployment):
    run = await deployment.submit(
        VERSION,
        input_data={"$datalake:1": "c/f"},
        output_template='{"$datalake:1": "c"}',
        model_id="m",
        environment={"LINES": "1"},
        retry_count=0,
        distribution=3,
    )
    status = await run.wait(within=10)
    assert (status.state, status.text) == (RunState.SUCCEEDED, "SUCCEEDED")
    assert status.created <= status.ended
    result = await run.result()
    assert (result.run_id, result.deployment_id) == (run.id, DEPLOYMENT)
    assert result.input_data == {"$datalake:1": "c/f"}
    assert result.user_env_vars == {"LINES": "1", "AIORUNS_SUBMIT_KEY": run.key}
    assert (result.models, result.retry_count) == ({"alias": "m"}, 0)
    assert result.raw["run_id"] == run.id


async def test_operators_that_come_back_as_text_are_read(server, deployment):
    server.abeja.json_text = True
    run = await deployment.submit(VERSION, input_data={"$datalake:1": "c/f"})
    result = await run.result(within=10)
    assert result.input_data == {"$datalake:1": "c/f"}


async def test_a_failed_run_is_a_state_and_an_error_of_its_result(deployment):
    run = await deployment.submit(VERSION, environment={"FAIL": "on purpose"})
    assert (await run.wait(within=10)).state is RunState.FAILED
    with pytest.raises(RunFailed, match="failed"):
        await run.result()


async def test_many_waits_share_pages(server, deployment):
    specs = [deployment.spec(VERSION) for _ in range(30)]
    runs = await asyncio.gather(*(spec.submit() for spec in specs))
    server.settings.page_size = 20
    before = server.requests["abeja"]
    states = await asyncio.gather(*(run.wait(within=10) for run in runs))
    assert {status.state for status in states} == {RunState.SUCCEEDED}
    assert server.requests["abeja"] - before < 15


@pytest.mark.parametrize("count", [0, 2, 10])
@pytest.mark.parametrize("tokens", ["unchanged", "changed"])
async def test_logs_are_followed_to_the_end(server, deployment, count, tokens):
    server.abeja.forward_tokens = tokens
    run = await deployment.submit(
        VERSION, environment={"LINES": str(count), "PAUSE": "0.02"}
    )
    events = [event async for event in run.logs()]
    assert [event.message for event in events] == lines(count)
    assert all(event.timestamp.tzinfo for event in events)


async def test_a_log_goes_on_from_the_cursor_of_every_event(deployment):
    run = await deployment.submit(VERSION, environment={"LINES": "60"})
    await run.wait(within=10)
    stream = run.logs(follow=False)
    cursors = [stream.cursor]
    seen = []
    async for event in stream:
        seen.append(event.message)
        cursors.append(stream.cursor)
    assert seen == lines(60)
    for consumed, cursor in enumerate(cursors):
        rest = [e.message async for e in run.logs(follow=False, cursor=cursor)]
        assert rest == lines(60)[consumed:]


async def test_a_followed_log_goes_on_in_another_client(server, deployment):
    run = await deployment.submit(VERSION, environment={"LINES": "12", "PAUSE": "0.03"})
    stream = run.logs()
    seen = [(await anext(stream)).message for _ in range(5)]
    run_cursor, log_cursor = run.cursor, stream.cursor
    async with Abeja(ORG, auth_token=server.token, url=server.url) as other:
        again = other.runs.from_cursor(run_cursor)
        assert again.key == run.key
        seen += [e.message async for e in again.logs(cursor=log_cursor)]
    assert seen == lines(12)


async def test_cancel_is_refused_without_a_request(server, deployment):
    run = await deployment.submit(VERSION)
    before = server.requests["abeja"]
    with pytest.raises(NotSupported, match="cannot cancel"):
        await run.cancel()
    assert server.requests["abeja"] == before


async def test_a_run_is_found_by_its_key(abeja, deployment):
    run = await deployment.submit(VERSION, key="mine")
    for _ in range(7):
        await deployment.submit(VERSION)
    find = abeja.runs.platform.find
    assert await find(Submission(DEPLOYMENT, {}, "mine")) == run.ref
    assert await find(Submission(DEPLOYMENT, {}, "yours")) is None


@pytest.mark.parametrize("kind", ["500", "503", "drop-before", "drop-after"])
async def test_a_submission_in_doubt_makes_one_run(server, deployment, kind):
    others = [await deployment.submit(VERSION) for _ in range(4)]
    server.faults.add(Fault(kind, route=CREATE, times=1))
    run = await deployment.submit(VERSION, key="once")
    assert server.faults.counts[kind] == 1
    records = server.engine.runs("abeja", DEPLOYMENT)
    assert len(records) == len(others) + 1
    assert records[-1].id == run.id
    assert (await run.wait(within=10)).state is RunState.SUCCEEDED


@pytest.mark.parametrize("kind", ["truncate", "html"])
async def test_an_unreadable_answer_is_looked_after(server, deployment, kind):
    server.faults.add(Fault(kind, route=CREATE, times=1))
    run = await deployment.submit(VERSION)
    assert [r.id for r in server.engine.runs("abeja")] == [run.id]


async def test_a_rate_limit_delays_a_submission(server, deployment):
    server.faults.add(Fault("429", route=CREATE, times=2, retry_after=0.05))
    run = await deployment.submit(VERSION)
    assert [r.id for r in server.engine.runs("abeja")] == [run.id]


async def test_a_submission_is_found_although_lists_lag(server, deployment):
    server.faults.add(Fault("drop-after", route=CREATE, times=1))
    server.faults.add(Fault("stale-list", route=READS, seconds=60, times=2))
    run = await deployment.submit(VERSION)
    assert server.faults.counts["stale-list"] == 2
    assert [r.id for r in server.engine.runs("abeja")] == [run.id]


async def test_a_submission_that_always_fails_says_so(server, deployment):
    server.faults.add(Fault("500", route=CREATE))
    with pytest.raises(ServerFailure) as caught:
        await deployment.submit(VERSION)
    assert caught.value.maybe_acted
    assert caught.value.code == "internal_server_error"


async def test_runs_that_lists_do_not_show_yet_are_waited_for(server, deployment):
    runs = [await deployment.submit(VERSION) for _ in range(4)]
    server.faults.add(Fault("stale-list", route=READS, seconds=60))
    server.faults.add(Fault("stale-state", route=READS, seconds=60, times=3))
    states = await asyncio.gather(*(run.wait(within=10) for run in runs))
    assert {status.state for status in states} == {RunState.SUCCEEDED}


async def test_reads_survive_a_bad_network(server, deployment):
    for kind in ("503", "drop-before", "truncate"):
        server.faults.add(Fault(kind, route=READS, rate=0.3))
    run = await deployment.submit(VERSION, environment={"LINES": "10"})
    assert [event.message async for event in run.logs()] == lines(10)
    assert (await run.wait(within=20)).state is RunState.SUCCEEDED


async def test_what_does_not_exist_is_named(server, deployment):
    with pytest.raises(NotFound, match="no version ver-x"):
        await deployment.submit("ver-x")
    with pytest.raises(NotFound, match="run run-0 of 2000000000002"):
        await deployment.run("run-0").wait(within=10)
    assert server.engine.runs("abeja") == []


async def test_wrong_credentials_are_told_by_the_server(server):
    async with Abeja(ORG, auth_token="wrong", url=server.url) as abeja:
        with pytest.raises(Unauthorized, match="Authentication failed") as caught:
            await abeja.deployment(DEPLOYMENT).submit(VERSION)
    assert caught.value.code == "unauthorized"
    assert "wrong" not in str(caught.value)


async def test_all_three_credentials_are_let_in(server):
    server.abeja.register(DEPLOYMENT, VERSION, write_lines)
    for credential in (
        {"auth_token": server.token},
        {"user_id": "1", "personal_access_token": server.token},
        {"datasource_id": "1", "datasource_secret": server.token},
    ):
        async with Abeja(ORG, url=server.url, **credential) as abeja:
            await abeja.deployment(DEPLOYMENT).submit(VERSION)


async def test_a_cursor_of_another_run_is_refused(deployment):
    first = await deployment.submit(VERSION)
    second = await deployment.submit(VERSION)
    with pytest.raises(InvalidInput, match="belongs to run"):
        second.logs(cursor=first.logs().cursor)
