"""Documented operations in one flow each, against the running server."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from aioruns.errors import Conflict, NotFound
from aioruns.local.cloudify.defects import Defects
from aioruns.platforms.cloudify import Execution, errors
from aioruns.seam import RunState


async def work(job):
    await job.log("begun")
    return {"done": True}


async def endless(job):
    await asyncio.Event().wait()


@pytest.fixture
def executions(cloudify, server):
    for name in ("web", "other"):
        server.cloudify.register(name, "work", work)
        server.cloudify.register(name, "endless", endless)
    return cloudify.executions


async def ended(cloudify, execution):
    return await cloudify.deployment("web").run(execution.id).wait(within=10)


async def test_executions_from_start_to_deletion(cloudify, executions):
    first = await executions.start("web", "work", {"a": 1})
    assert (first.status, first.deployment_id) == (Execution.PENDING, "web")
    assert (await ended(cloudify, first)).state is RunState.SUCCEEDED
    found = await executions.get(first.id)
    assert (found.parameters, found.ended) == ({"a": 1}, True)
    assert found.created_at <= found.started_at <= found.ended_at
    assert found["status_display"] == found.status_display == "completed"
    some = await executions.get(first.id, ["status"])
    assert (some.status, some.created_at, some.raw.keys()) == (
        "terminated",
        None,
        {"id", "status"},
    )
    own = await executions.create("web", "work", execution_id="mine", dry_run=True)
    assert (own.id, own.is_dry_run) == ("mine", True)
    await ended(cloudify, own)
    with pytest.raises(Conflict):
        await executions.create("web", "work", execution_id="mine")
    listed = await executions.list(sort="created_at", is_descending=True, _size=1)
    assert ([one.id for one in listed], listed.metadata.pagination.total) == (
        ["mine"],
        2,
    )
    found = [one.id async for one in executions.iterate(["status"], _size=2)]
    assert found == [first.id, "mine"]
    assert [one["id"] async for one in executions.dump(["mine"])] == ["mine"]
    assert await executions.delete(keep_last=1) == 1
    with pytest.raises(NotFound):
        await executions.get(first.id)
    assert await executions.delete(to_datetime=datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert await executions.delete(deployment_id="web") == 1


async def test_executions_that_are_stopped_and_resumed(cloudify, executions):
    running = await executions.start("web", "endless")
    with pytest.raises(errors.ExistingRunningExecutionError):
        await executions.start("web", "work")
    queued = await executions.start("web", "work", queue=True)
    assert queued.status == Execution.QUEUED
    assert await executions.should_start(queued.id) is False
    cancelling = await executions.cancel(running.id)
    assert cancelling.status == Execution.CANCELLING
    assert (await ended(cloudify, running)).state is RunState.CANCELED
    with pytest.raises(errors.IllegalActionError):
        await executions.cancel(running.id)
    assert (await ended(cloudify, queued)).state is RunState.SUCCEEDED
    resumed = await executions.resume(running.id)
    assert (resumed.status, resumed.resume) == (Execution.PENDING, True)
    killing = await executions.cancel(running.id, kill=True)
    assert killing.status == Execution.KILL_CANCELLING
    await ended(cloudify, running)
    with pytest.raises(Conflict):
        await executions.resume(queued.id)


async def test_what_a_worker_reports(executions):
    made = await executions.create("web", "work", force_status="started")
    assert (await executions.update(made.id, "failed", "why")).error == "why"
    with pytest.raises(errors.InvalidExecutionUpdateStatus):
        await executions.update(made.id, "started")


async def test_a_manager_with_all_its_defects(cloudify, executions, server):
    """What works must work there too: submit, wait, cancel, logs."""
    server.cloudify.defects = Defects.all()
    run = await cloudify.deployment("web").submit("work")
    lines = [event.message async for event in run.logs()]
    assert "begun" in lines
    assert (await run.wait(within=10)).state is RunState.SUCCEEDED
    run = await cloudify.deployment("other").submit("endless")
    await run.cancel()
    await run.cancel()
    assert (await run.wait(within=10)).state is RunState.CANCELED
    with pytest.raises(errors.BadParametersError):
        await executions.delete(status="failed")


async def test_simultaneous_starts_of_one_id_are_followed(cloudify, server, executions):
    server.cloudify.defects.duplicate_ids = True
    both = [
        executions.create("web", "work", execution_id="same", force=True)
        for _ in range(4)
    ]
    await asyncio.gather(*both, return_exceptions=True)
    run = cloudify.deployment("web").run("same")
    assert (await run.wait(within=10)).state is RunState.SUCCEEDED
    assert (await run.result()).id == "same"


async def test_events_are_written_read_and_deleted(cloudify, executions):
    run = await cloudify.deployment("web").submit("work")
    await run.wait(within=10)
    events = cloudify.events
    told = {"message": {"text": "50% told"}, "context": {}, "level": "debug"}
    await events.create(logs=[told | {"logger": "me"}], execution_id=run.id)
    found = await events.list(
        True, "%TOLD", execution_id=run.id, sort="-reported_timestamp"
    )
    assert [(one.message, one.level, one.logger) for one in found] == [
        ("50% told", "debug", "me")
    ]
    only = await events.list(execution_id=run.id)
    assert {one.type for one in only} == {"cloudify_event"}
    assert only[0].event_type == "workflow_started"
    some, total = await events.get(run.id, 1, 2, include_logs=True)
    assert len(some) == 2
    assert total > 3
    late = datetime.now(UTC) + timedelta(hours=1)
    assert len(await events.list(execution_id=run.id, from_datetime=late)) == 0
    gone = await events.delete("web", include_logs=True)
    assert gone.one() == total
    assert len(await events.list(True, deployment_id="web")) == 0


async def test_schedules(cloudify, executions):
    schedules = cloudify.execution_schedules
    soon = datetime.now(UTC) + timedelta(days=2)
    made = await schedules.create(
        "nightly", "web", "work", {"force": True}, {"a": 1}, soon, count=1
    )
    assert (made.id, made.deployment_id, made.enabled) == ("nightly", "web", True)
    assert abs(made.next_occurrence - soon) < timedelta(seconds=1)
    with pytest.raises(Conflict):
        await schedules.create("nightly", "web", "work", since=soon, count=1)
    await schedules.create("nightly", "other", "work", since=soon, count=1)
    listed = await schedules.list(sort="deployment_id")
    assert [one.deployment_id for one in listed] == ["other", "web"]
    changed = await schedules.update("nightly", "web", enabled=False)
    assert changed.enabled is False
    assert (await schedules.get("nightly", "web")).enabled is False
    dumped = [one async for one in schedules.dump()]
    assert [one["deployment_id"] for one in dumped] == ["web", "other"]
    await schedules.delete("nightly", "web")
    with pytest.raises(NotFound):
        await schedules.get("nightly", "web")


async def test_counters(cloudify, executions):
    for name in ("web", "other"):
        run = await cloudify.deployment(name).submit("work")
        await run.wait(within=10)
    counts = await cloudify.summary.executions.get("status", "deployment_id")
    assert counts.one()["executions"] == 2
    counts = await cloudify.summary.executions.get("status", deployment_id="web")
    assert counts.one() == {"status": "terminated", "executions": 1}


async def test_many_deployments_share_one_watcher(cloudify, server):
    names = [f"many-{n}" for n in range(60)]
    for name in names:
        server.cloudify.register(name, "work", work)
    runs = [await cloudify.deployment(name).submit("work") for name in names]
    for run in runs:
        await server.engine.ended("cloudify", run.id)
    before = cloudify.origin.sent
    await asyncio.gather(*(run.wait(within=10) for run in runs))
    assert cloudify.origin.sent - before == 1


async def test_rows_of_several_writers_are_read_once_each(cloudify, server, executions):
    """wire/cloudify.md 4.2: they are inserted behind what was read already."""

    async def talk(job):
        for number in range(40):
            await job.log(f"line {number}")
            await asyncio.sleep(0.005)

    server.cloudify.event_delay = 0.08
    server.cloudify.register("web", "talk", talk)
    run = await cloudify.deployment("web").submit("talk")
    lines = [e.message async for e in run.logs() if e.source == "stderr"]
    assert sorted(lines) == sorted(f"line {number}" for number in range(40))
