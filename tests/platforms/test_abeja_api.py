"""ABEJA's operations under their documented names, against the local run server."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aioruns.errors import (
    BadRequest,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    ServerFailure,
    Unreadable,
)
from aioruns.http.retry import RetryPolicy
from aioruns.local.faults import Fault
from aioruns.platforms.abeja import Abeja
from aioruns.session import Session

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
AT = (ORG, DEPLOYMENT)
CREATE = "^POST .*/(runs|triggers)$"
DATA = {"$datalake:1": "3/2024"}


async def write_lines(job):
    """Write as many lines as $LINES says."""
    for number in range(int(job.env.get("LINES", "0"))):
        await job.log(f"line {number}")


@pytest.fixture
async def abeja(server):
    server.abeja.register(DEPLOYMENT, VERSION, write_lines)
    server.settings.page_size = 3
    session = Session(retry=RetryPolicy(base=0.01))
    async with (
        session,
        Abeja(ORG, auth_token=server.token, url=server.url, session=session) as client,
    ):
        yield client


@pytest.fixture
def api(abeja):
    return abeja.api


async def written(server, api, count):
    """A run that has written so many lines and ended."""
    run = await api.create_run(*AT, VERSION, environment={"LINES": str(count)})
    await server.engine.ended("abeja", run.run_id)
    return run.run_id


def lines(count):
    return [f"line {number}" for number in range(count)]


async def texts(iterator):
    return [event.message async for event in iterator]


async def names(iterator):
    return [run.run_id async for run in iterator]


# -- runs ----------------------------------------------------------------------------


async def test_a_run_is_created_read_and_listed(server, api):
    created = await api.create_run(
        *AT, VERSION, DATA, {"$datalake:1": "4"}, 2, 0, {"A": "1"}, "77"
    )
    assert (created.status, created.distribution) == ("SUBMITTED", 2)
    assert created.input_data == DATA
    assert created.user_env_vars == {"A": "1"}
    await server.engine.ended("abeja", created.run_id)
    read = await api.get_run(*AT, created.run_id)
    assert (read.status, read.models) == ("SUCCEEDED", {"alias": "77"})
    assert read.raw["output_template"] == {"$datalake:1": "4"}
    page = await api.get_runs(organization_id=ORG, deployment_id=DEPLOYMENT)
    assert list(page.entries) == [read]


@pytest.mark.parametrize("text", [False, True])
async def test_objects_and_json_text_are_sent_and_read(server, api, text):
    server.abeja.json_text = text
    created = await api.create_run(
        *AT,
        VERSION,
        '{"$datalake:1": "3/2024"}',
        output_data='{"$datalake:1": "4"}',
    )
    assert (created.input_data, created.output_template) == (DATA, {"$datalake:1": "4"})
    (record,) = server.engine.runs("abeja")
    assert record.detail["input_data"] == DATA
    assert record.detail["output_template"] == {"$datalake:1": "4"}


async def test_two_outputs_are_refused(server, api):
    one = {"$datalake:1": "4"}
    await api.create_run(*AT, VERSION, output_template=one, output_data=one)
    with pytest.raises(InvalidInput, match="output_data"):
        await api.create_run(
            *AT, VERSION, output_template=one, output_data={"$datalake:1": "5"}
        )
    assert len(server.engine.runs("abeja")) == 1


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        ("500", ServerFailure, 0),
        ("drop-after", OutcomeUnknown, 1),
        ("truncate", OutcomeUnknown, 1),
        ("html", Unreadable, 0),
    ],
)
async def test_a_creation_in_doubt_is_not_repeated(server, api, kind, error, made):
    server.faults.add(Fault(kind, route=CREATE))
    for create in (
        api.create_run(*AT, VERSION),
        api.create_trigger(*AT, VERSION, "datalake", "9"),
    ):
        with pytest.raises(error) as caught:
            await create
        assert caught.value.maybe_acted
    assert server.faults.counts[kind] == 2
    assert len(server.engine.runs("abeja")) == made
    assert len(server.engine.documents("abeja", "trigger")) == made


async def test_a_creation_that_was_refused_by_a_rate_limit_is_sent_again(server, api):
    server.faults.add(Fault("429", route=CREATE, times=2, retry_after=0.02))
    await api.create_run(*AT, VERSION)
    assert len(server.engine.runs("abeja")) == 1


@pytest.mark.parametrize("empty", [False, True])
async def test_all_runs_are_listed_both_ways(server, api, empty):
    server.abeja.empty_page_with_token = empty
    ids = [(await api.create_run(*AT, VERSION)).run_id for _ in range(8)]
    assert await names(api.iter_runs(*AT)) == ids[::-1]
    assert await names(api.iter_runs(*AT, scan_forward=True)) == ids
    page = await api.get_runs(*AT, scan_forward=True)
    if not empty:
        rest = api.iter_runs(*AT, page.next_page_token, scan_forward=True)
        assert await names(rest) == ids[3:]


async def test_a_listing_goes_on_from_the_page_that_failed(server, api):
    ids = [(await api.create_run(*AT, VERSION)).run_id for _ in range(8)]
    walk = api.iter_runs(*AT)
    seen = [(await anext(walk)).run_id for _ in range(3)]
    server.faults.add(Fault("html", route="^GET .*/runs$"))
    with pytest.raises(Unreadable) as caught:
        await anext(walk)
    server.faults.clear()
    rest = api.iter_runs(*AT, caught.value.context.cursor)
    assert seen + await names(rest) == ids[::-1]


# -- logs ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 2, 3, 10])
@pytest.mark.parametrize("tokens", ["unchanged", "changed"])
@pytest.mark.parametrize("empty", [False, True])
async def test_logs_are_walked_in_order_whatever_the_pages(
    server, api, count, tokens, empty
):
    server.abeja.forward_tokens = tokens
    server.abeja.empty_page_with_token = empty
    run_id = await written(server, api, count)
    for walk in (api.iter_run_logs, api.iter_run_recent_logs):
        assert await texts(walk(*AT, run_id)) == lines(count)


async def test_recent_logs_are_walked_from_the_tokens_of_a_page(server, api):
    run_id = await written(server, api, 10)
    page = await api.get_run_recent_logs(*AT, run_id)
    assert [line.message for line in page.events] == lines(10)[:6:-1]
    back = page.next_backward_token
    older = api.iter_run_recent_logs(*AT, run_id, next_backward_token=back)
    assert await texts(older) == lines(7)
    oldest = await api.get_run_recent_logs(*AT, run_id, next_backward_token=back)
    forth = oldest.next_forward_token
    assert await texts(api.iter_run_recent_logs(*AT, run_id, forth)) == lines(10)[7:]
    # A cursor goes on to the end of the log, wherever the walk began.
    walk = api.iter_run_recent_logs(*AT, run_id, next_backward_token=back)
    assert [(await anext(walk)).message for _ in range(4)] == lines(4)
    again = api.iter_run_recent_logs(*AT, run_id, cursor=walk.cursor)
    assert await texts(again) == lines(10)[4:]


@pytest.mark.parametrize("method", ["iter_run_logs", "iter_run_recent_logs"])
async def test_a_log_goes_on_behind_every_line(server, api, method):
    run_id = await written(server, api, 20)
    walk = getattr(api, method)(*AT, run_id)
    cursors, seen = [walk.cursor], []
    async for event in walk:
        seen.append(event.message)
        cursors.append(walk.cursor)
    assert seen == lines(20)
    for consumed, cursor in enumerate(cursors):
        rest = getattr(api, method)(*AT, run_id, cursor=cursor)
        assert await texts(rest) == lines(20)[consumed:]


async def test_a_walk_gives_what_was_written_since(server, api):
    server.abeja.register(DEPLOYMENT, VERSION, write_lines)
    service = await server.abeja.serve(DEPLOYMENT, VERSION)
    walk = api.iter_service_recent_logs(*AT, service)
    assert await texts(walk) == []
    for round_ in range(3):
        said = [f"{round_} {number}" for number in range(5)]
        for text in said:
            server.abeja.say(service, text)
        walk = api.iter_service_recent_logs(*AT, service, cursor=walk.cursor)
        assert await texts(walk) == said


async def test_times_bound_what_is_walked(server, api):
    run_id = await written(server, api, 10)
    (first, *_) = (await api.get_run_logs(*AT, run_id)).events
    tokyo = timezone(timedelta(hours=9))
    # Rounded outwards, so the line's own second is inside whatever the fraction.
    here = {
        "start_time": first.timestamp.astimezone(tokyo),
        "end_time": (first.timestamp + timedelta(minutes=1)).astimezone(tokyo),
    }
    hour = timedelta(hours=1)
    before = {"end_time": first.timestamp - hour}
    after = {"start_time": (datetime.now(UTC) + hour).replace(tzinfo=None)}
    for walk in (api.iter_run_logs, api.iter_run_recent_logs):
        assert await texts(walk(*AT, run_id, **here)) == lines(10)
        assert await texts(walk(*AT, run_id, **before)) == []
        assert await texts(walk(*AT, run_id, **after)) == []


async def test_a_walk_survives_a_bad_network(server, api):
    run_id = await written(server, api, 30)
    for kind in ("503", "drop-before"):
        server.faults.add(Fault(kind, route="^GET .*logs", rate=0.3))
    assert await texts(api.iter_run_logs(*AT, run_id)) == lines(30)
    assert await texts(api.iter_run_recent_logs(*AT, run_id)) == lines(30)


async def test_wrong_tokens_are_refused_by_the_server(server, api):
    run_id = await written(server, api, 1)
    for walk in (
        api.iter_run_logs(*AT, run_id, "x"),
        api.iter_run_recent_logs(*AT, run_id, "x"),
    ):
        with pytest.raises(BadRequest, match="not given out"):
            await texts(walk)


@pytest.mark.parametrize("time", ["2024-01-02", 5])
def test_times_are_datetimes(api, time):
    with pytest.raises(InvalidInput, match="datetime"):
        api.iter_run_logs(*AT, "run-1", start_time=time)


@pytest.mark.parametrize(
    "time",
    [
        datetime.max.replace(tzinfo=zone)
        for zone in (UTC, timezone(-timedelta(hours=1)))
    ],
)
async def test_times_beyond_the_calendar_are_named(api, time):
    with pytest.raises(InvalidInput, match="calendar"):
        await api.get_run_logs(*AT, "run-1", end_time=time)


# -- triggers, services, deployments ---------------------------------------------------


async def test_a_trigger_is_made_read_listed_fired_and_deleted(server, api):
    made = await api.create_trigger(
        *AT, VERSION, "datalake", "9", "datalake", "8", 1, 2, {"LINES": "1"}, "77"
    )
    assert (made.input_service_name, made.input_service_id) == ("datalake", "9")
    assert (made.output_service_id, made.retry_count) == ("8", 2)
    assert made.user_env_vars == {"LINES": "1"}
    assert await api.get_trigger(*AT, made.trigger_id) == made
    assert list((await api.get_triggers(*AT)).entries) == [made]

    fired = [(await server.abeja.fire(made.trigger_id, str(n))).id for n in range(7)]
    page = await api.get_trigger_runs(*AT, made.trigger_id)
    assert [run.run_id for run in page.entries] == fired[:3:-1]
    assert {run.trigger_id for run in page.entries} == {made.trigger_id}
    assert await names(api.iter_trigger_runs(*AT, made.trigger_id)) == fired[::-1]
    forward = api.iter_trigger_runs(*AT, made.trigger_id, scan_forward=True)
    assert await names(forward) == fired

    deleted = await api.delete_trigger(*AT, made.trigger_id)
    assert made.trigger_id in deleted.message
    with pytest.raises(NotFound):
        await api.delete_trigger(*AT, made.trigger_id)


async def test_a_deletion_whose_answer_was_lost_is_one(server, api):
    made = await api.create_trigger(*AT, VERSION, "datalake", "9")
    # Twice, since aiohttp repeats a DELETE once by itself on a used connection.
    server.faults.add(Fault("drop-after", route="^DELETE", times=2))
    assert made.trigger_id in (await api.delete_trigger(*AT, made.trigger_id)).message
    assert not (await api.get_triggers(*AT)).entries


async def test_services_are_read_and_heard(server, abeja, api):
    server.settings.page_size = 2
    service = await server.abeja.serve(DEPLOYMENT, VERSION)
    for number in range(5):
        server.abeja.say(service, f"line {number}")
    page = await api.get_service_recent_logs(*AT, service)
    assert [line.message for line in page.events] == ["line 4", "line 3"]
    assert await texts(api.iter_service_recent_logs(*AT, service)) == lines(5)
    older = api.iter_service_recent_logs(
        *AT, service, next_backward_token=page.next_backward_token
    )
    assert await texts(older) == lines(3)
    read = await abeja.catalog.get_service(*AT, service)
    assert (read.service_id, read.status) == (service, "READY")
    assert list((await abeja.catalog.get_services(*AT)).entries) == [read]


async def test_deployments_and_versions_are_read(abeja):
    catalog = abeja.catalog
    (row,) = (await catalog.get_deployments(ORG)).entries
    assert row == await catalog.get_deployment(*AT)
    assert row.deployment_id == DEPLOYMENT
    (version,) = (await catalog.get_deployment_versions(*AT)).entries
    assert version == await catalog.get_deployment_version(*AT, VERSION)
    assert (version.version_id, version.version) == (VERSION, "0.0.1")
    run = await abeja.deployment(DEPLOYMENT).submit(version.version_id)
    assert run.id


async def test_attempts_between_which_a_run_is_runnable_are_waited_out(server, abeja):
    started = []

    async def program(job):
        started.append(job)
        if len(started) < 3:
            raise RuntimeError("not yet")

    server.abeja.retries = True
    server.abeja.register(DEPLOYMENT, VERSION, program)
    run = await abeja.deployment(DEPLOYMENT).submit(VERSION, retry_count=3)
    assert (await run.wait(within=10)).text == "SUCCEEDED"
    assert len(started) == 3
