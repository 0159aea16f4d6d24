"""Execution groups against the running server, with the manager's defects too."""

import asyncio

import anyio
import pytest

import aioruns
from aioruns.errors import Conflict, GaveUp, InvalidInput, NotFound, OutcomeUnknown
from aioruns.local.faults import Fault
from aioruns.platforms.cloudify import Cloudify, GroupRun
from aioruns.platforms.cloudify.errors import (
    GroupLeftBehind,
    IllegalActionError,
    IllegalExecutionParametersError,
    UnavailableWorkflowError,
)
from aioruns.platforms.cloudify.group_starting import group_id

POST = "^POST /api/v3.1/execution-groups$"
GET = "^GET /api/v3.1/execution"


async def work(job):
    return {"done": True}


async def endless(job):
    await asyncio.Event().wait()


async def broken(job):
    raise ValueError("no such disk")


@pytest.fixture
def fleet(server):
    """Five deployments, of which one has a workflow less."""
    facade = server.cloudify
    names = [f"web-{n}" for n in range(5)]
    for name in names:
        facade.register(name, "work", work)
        facade.register(name, "endless", endless)
        facade.register(name, "declared", work, parameters={"a": 1})
        facade.register(name, "closed", work, available=False)
        facade.register(name, "odd", broken if name == "web-2" else work)
        if name != "web-4":
            facade.register(name, "some", work)
    facade.deployment_group("fleet", names)
    facade.deployment_group("nobody", [])
    return names


@pytest.fixture
def group(cloudify, fleet):
    return cloudify.deployment_group("fleet")


@pytest.fixture
async def nameless(cloudify, server, fleet):
    """The same fleet for a user who may not choose ids."""
    server.cloudify.may_choose_ids = False
    async with Cloudify(
        server.url, token="local-token", session=cloudify.session
    ) as client:
        yield client.deployment_group("fleet")


async def groups_of(client):
    return [one async for one in client.execution_groups.iterate()]


# -- from start to outcomes ------------------------------------------------------------


async def test_a_group_gives_outcomes_as_they_come(group, fleet):
    batch = group.batch("odd", concurrency=3)
    outcomes = {}
    async with aioruns.as_completed(batch, within=20) as completed:
        async for outcome in completed:
            outcomes[outcome.key] = outcome
    assert set(outcomes) == set(fleet)
    states = {key: str(one.state) for key, one in outcomes.items()}
    assert states == dict.fromkeys(fleet, "succeeded") | {"web-2": "failed"}
    assert outcomes["web-2"].status.reason == "no such disk"
    one = outcomes["web-0"]
    assert (one.run.target, one.spec.target) == ("web-0", "web-0")
    assert one.result.workflow_id == "odd"
    assert one.result.id == one.run.id


async def test_gather_keeps_the_order_of_the_group(group, fleet):
    outcomes = await aioruns.gather(group.batch("work"), within=20)
    assert [one.key for one in outcomes] == fleet
    assert [one.index for one in outcomes] == [0, 1, 2, 3, 4]


async def test_parameters_of_deployments_win_over_the_default_ones(group, fleet):
    special = {"web-1": {"a": 7}}
    outcomes = await aioruns.gather(group.batch("declared", {"a": 3}, special))
    found = {one.key: one.result.parameters for one in outcomes}
    assert found == {name: {"a": 3} for name in fleet} | {"web-1": {"a": 7}}
    # What a member's spec submits is the same again.
    assert outcomes[1].spec.payload["parameters"] == {"a": 7}


async def test_a_group_is_followed_by_another_process(group, cloudify, server, fleet):
    started = await group.submit("work")
    async with Cloudify(server.url, token="local-token") as other:
        again = other.execution_group(started.id)
        outcomes = await aioruns.gather(again, within=20)
    assert [one.key for one in outcomes] == fleet


async def test_counters_and_the_end_of_a_group(group, cloudify):
    run = await group.submit("odd")
    before = cloudify.origin.sent
    ended = await run.wait(within=20)
    assert ended == {"terminated": 4, "failed": 1}
    assert await run.counts() == ended
    found = await run.read()
    assert (found.status, len(found.execution_ids)) == ("failed", 5)
    assert cloudify.origin.sent - before < 60
    changes = [e.message async for e in run.events() if e.event_type]
    assert len(changes) >= 5


async def test_a_wait_for_a_group_gives_up(group):
    run = await group.submit("endless")
    with pytest.raises(GaveUp, match="did not end within"):
        await run.wait(within=0.1)
    await run.cancel(kill=True)
    assert set(await run.wait(within=20)) == {"cancelled"}


async def test_deployments_without_the_workflow_are_left_out(group):
    run = await group.submit("some")
    assert sum((await run.wait(within=20)).values()) == 4
    notes = [e.message async for e in run.events() if e.type == "cloudify_log"]
    assert any("web-4" in note for note in notes)


async def test_a_group_of_nobody(cloudify, fleet):
    batch = cloudify.deployment_group("nobody").batch("work")
    assert await aioruns.gather(batch) == []
    run = await cloudify.deployment_group("nobody").submit("work")
    assert await run.wait(within=5) == {}


async def test_batches_are_values(cloudify, fleet):
    group = cloudify.deployment_group("fleet")
    parameters = {"a": [1]}
    batch = group.batch("work", parameters, key="k")
    parameters["a"].append(2)
    assert batch.body["default_parameters"] == {"a": [1]}
    assert batch == group.batch("work", {"a": [1]}, key="k")
    assert batch != group.batch("work", {"a": [1]}, key="other")
    assert "local-token" not in repr(batch)


@pytest.mark.parametrize(
    "wrong",
    [
        {"workflow_id": ""},
        {"force": "true"},
        {"concurrency": -1},
        {"concurrency": True},
        {"default_parameters": [1]},
        {"parameters": {"web-1": 3}},
        {"default_parameters": {"a": object()}},
        {"key": ""},
    ],
)
def test_misuse_is_refused_before_anything_is_sent(wrong):
    group = Cloudify("m", token="t").deployment_group("fleet")
    with pytest.raises(InvalidInput):
        group.batch(**({"workflow_id": "work"} | wrong))


def test_empty_ids_are_refused():
    client = Cloudify("m", token="t")
    with pytest.raises(InvalidInput, match="deployment group id"):
        client.deployment_group("")
    with pytest.raises(InvalidInput, match="execution group id"):
        client.execution_group("")


# -- starting once ---------------------------------------------------------------------


async def test_the_same_key_is_the_same_group(group, cloudify):
    first = await group.submit("work", key="once")
    second = await group.submit("work", key="once")
    assert first.id == second.id == group_id("fleet", "once")
    assert len(await groups_of(cloudify)) == 1
    with pytest.raises(Conflict, match="choose another key"):
        await group.submit("endless", key="once")


FAULTS = [
    Fault("429", POST, times=1, retry_after=0.01),
    Fault("503", POST, times=1),
    Fault("500", POST, times=1),
    Fault("drop-before", POST, times=1),
    Fault("drop-after", POST, times=1),
    Fault("truncate", POST, times=1),
    Fault("html", POST, times=1),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
async def test_a_group_is_started_once(group, cloudify, server, fault):
    server.faults.add(fault)
    run = await group.submit("work")
    assert sum((await run.wait(within=20)).values()) == 5
    assert [one.id for one in await groups_of(cloudify)] == [run.id]
    assert len(server.engine.runs("cloudify")) == 5


@pytest.mark.parametrize("kind", ["429", "503", "500", "drop-before", "html"])
async def test_without_ids_a_start_that_did_nothing_is_sent_again(
    nameless, server, kind
):
    server.faults.add(Fault(kind, POST, times=2, retry_after=0.01))
    await nameless.submit("work", force=True)
    assert len(server.engine.runs("cloudify")) == 5


@pytest.mark.parametrize("kind", ["drop-after", "truncate"])
async def test_without_ids_a_group_that_may_be_ours_is_named(nameless, server, kind):
    """Nothing on it says whose it is, so nothing is taken for ours or sent again."""
    # The first answer refuses the id.
    server.faults.add(Fault(kind, POST, times=1, after=1))
    with pytest.raises(OutcomeUnknown) as caught:
        await nameless.submit("work")
    (left,) = await groups_of(nameless.client)
    assert left.id in str(caught.value)
    assert len(server.engine.runs("cloudify")) == 5


async def test_older_groups_are_not_taken_for_new_ones(nameless, server):
    older = await nameless.submit("work")
    await older.wait(within=20)
    server.faults.add(Fault("drop-before", POST, times=1))
    newer = await nameless.submit("work")
    assert newer.id != older.id


async def test_what_cannot_be_looked_for_is_unknown(group, server):
    server.faults.add(Fault("drop-after", POST, times=1))
    server.faults.add(Fault("html", GET))
    with pytest.raises(OutcomeUnknown, match="could not be looked for"):
        await group.submit("work")


# -- refusals that leave something behind (wire/cloudify.md 2.6) -----------------------


@pytest.mark.parametrize("may", [True, False])
async def test_an_empty_group_is_left_behind(group, nameless, server, may):
    server.cloudify.defects.group_start_leaves_group = True
    server.cloudify.may_choose_ids = may
    with pytest.raises(GroupLeftBehind, match="executions: none") as caught:
        await group.submit("declared", {"odd": 1})
    (left,) = await groups_of(group.client)
    assert caught.value.group_ids == (left.id,)
    assert caught.value.code == "illegal_execution_parameters_error"
    assert isinstance(caught.value.__cause__, IllegalExecutionParametersError)


@pytest.mark.parametrize("may", [True, False])
async def test_a_group_with_queued_executions_is_left_behind(
    group, nameless, server, may
):
    server.cloudify.defects.group_start_leaves_group = True
    server.cloudify.may_choose_ids = may
    with pytest.raises(GroupLeftBehind, match="queued") as caught:
        await group.submit("closed", concurrency=2)
    assert isinstance(caught.value.__cause__, UnavailableWorkflowError)
    run = group.client.execution_group(*caught.value.group_ids)
    assert await run.counts() == {"failed": 2, "queued": 3}
    await run.cancel()
    assert await run.counts() == {"failed": 2, "cancelled": 3}


async def test_a_refusal_that_leaves_nothing_is_told_as_it_is(group, cloudify):
    with pytest.raises(IllegalExecutionParametersError):
        await group.submit("declared", {"odd": 1})
    with pytest.raises(NotFound):
        await cloudify.deployment_group("unknown").submit("work")
    assert await groups_of(cloudify) == []


# -- cancels that are refused half-way (wire/cloudify.md 3.4) --------------------------


async def test_only_queued_executions_are_left(group, cloudify, server):
    """The manager says 404, and has cancelled them all the same."""
    server.cloudify.defects.group_cancel_without_active = True
    run = await group.submit("work", concurrency=0)
    assert await run.counts() == {"queued": 5}
    raw = await group.submit("work", concurrency=0)
    with pytest.raises(NotFound):
        await cloudify.execution_groups.cancel(raw.id)
    await run.cancel()
    assert await run.wait(within=5) == {"cancelled": 5}
    await run.cancel()


async def test_a_group_that_does_not_exist_cannot_be_cancelled(cloudify):
    with pytest.raises(NotFound):
        await cloudify.execution_group("none").cancel()


async def test_one_execution_is_ending_already(group, cloudify, server):
    """The manager refuses, and lets the others go on; ours ends them one by one."""
    server.cloudify.defects.group_cancel_half_applied = True

    async def stubborn(job):
        try:
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0.5)

    server.cloudify.register("web-0", "endless", stubborn)
    run = await group.submit("endless", concurrency=3)
    members = [member.run async for member in run.members()]
    while (await members[0].status()).text != "started":  # noqa: ASYNC110 - the manager tells nobody
        await asyncio.sleep(0.02)
    await members[0].cancel()
    assert (await members[0].status()).text == "cancelling"
    with pytest.raises(IllegalActionError):
        await cloudify.execution_groups.cancel(run.id)
    await run.cancel()
    assert await run.wait(within=20) == {"cancelled": 5}


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "503"])
async def test_a_cancel_reaches_everybody(group, server, kind):
    run = await group.submit("endless")
    server.faults.add(Fault(kind, "^POST /api/v3.1/execution-groups/", times=1))
    await run.cancel()
    assert await run.wait(within=20) == {"cancelled": 5}
    await run.resume()
    assert "cancelled" not in await run.counts()
    await run.cancel(force=True)
    await run.wait(within=20)


async def test_members_are_shown_with_their_runs(group, fleet):
    run = await group.submit("work")
    assert isinstance(run, GroupRun)
    members = [member async for member in run.members()]
    assert [member.key for member in members] == fleet
    found = await run.read()
    assert {member.run.id for member in members} == set(found.execution_ids)
