"""Sweeps, followed over real sockets against the local run server."""

import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime

import anyio
import pytest

from aioruns import Nextmv, RunState, Session, as_completed, gather, submit_all
from aioruns.errors import InvalidInput, NotFound
from aioruns.local.faults import Fault
from aioruns.platforms.nextmv import InstanceConfiguration, ManagedInput

CREATING = r"^POST .*/experiments/batch$"


class Hurried:
    """A clock on which a second takes twenty milliseconds."""

    pace = 50.0

    def now(self):
        return time.monotonic() * self.pace

    def utc(self):
        return datetime.now(UTC)

    async def sleep(self, seconds):
        await anyio.sleep(seconds / self.pace)

    async def wait(self, event, seconds):
        with anyio.move_on_after(seconds / self.pace):
            await event.wait()

    def limit(self, seconds):
        return anyio.move_on_after(seconds / self.pace)


class Counting(Nextmv):
    """Counts what it sends, by method and end of the path."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.sent = Counter()

    async def send(self, request):
        place = "file" if request.presigned else request.path.rsplit("/", 1)[-1]
        if "/experiments/batch/" in request.path:
            place = f"batch/{place}"
        self.sent[f"{request.method} {place}"] += 1
        return await super().send(request)


async def weigh(job):
    given = json.loads(job.stdin)
    await job.log(f"weighing {given['weight']}")
    if given["weight"] < 0:
        raise ValueError("nothing weighs less than nothing")
    return {"weight": given["weight"] * float(job.env.get("factor", "1"))}


@pytest.fixture
async def nextmv(server):
    async with Session(clock=Hurried()) as session:
        server.nextmv.live_delay = 0.5  # of the hurried seconds
        yield Counting(server.token, url=server.url, session=session)


@pytest.fixture
async def app(nextmv, server):
    server.nextmv.register("scale", weigh)
    app = nextmv.application("scale")
    await app.instance("default")
    nextmv.sent.clear()
    return app


def batches(server):
    return server.nextmv._desk.rows("batch/scale")


async def test_every_input_meets_every_option_set(app, server):
    sweep = app.sweep(
        [{"weight": 1}, {"weight": 2}],
        {"plain": {}, "double": {"factor": 2}},
        repetitions=1,
        name="Scales",
    )
    outcomes = await gather(sweep)
    assert [outcome.index for outcome in outcomes] == list(range(8))
    assert all(outcome.succeeded for outcome in outcomes)
    assert [outcome.result["weight"] for outcome in outcomes] == [
        *(1, 1, 2, 2),
        *(2, 2, 4, 4),
    ]
    assert [(run.option_set, run.repetition) for run in sweep.runs] == [
        (name, repetition)
        for name in ("plain", "double")
        for _ in range(2)
        for repetition in range(2)
    ]
    assert [outcome.key for outcome in outcomes] == [
        f"{sweep.id}/{number}" for number in range(1, 9)
    ]
    (batch,) = batches(server).values()
    assert (batch["id"], batch["name"], batch["type"]) == (sweep.id, "Scales", "batch")


async def test_following_many_runs_costs_one_request_a_round(app, nextmv, server):
    gate = asyncio.Event()

    async def wait(job):
        await gate.wait()
        return {}

    server.nextmv.register("scale", wait)
    sweep = app.sweep([{"n": n} for n in range(60)])
    async with as_completed(sweep, results=False) as outcomes:
        async with asyncio.timeout(10):
            while nextmv.sent["GET batch/runs"] < 5:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
            gate.set()
            seen = [outcome async for outcome in outcomes]
    assert sorted(outcome.index for outcome in seen) == list(range(60))
    assert nextmv.sent["POST batch"] == 1
    assert nextmv.sent["GET batch/runs"] < 60
    assert nextmv.sent["GET metadata"] == nextmv.sent["GET runs"] == 0


async def test_outcomes_stream_while_others_run(app, server):
    gate = asyncio.Event()

    async def wait(job):
        if json.loads(job.stdin)["slow"]:
            await gate.wait()
        return {}

    server.nextmv.register("scale", wait)
    async with (
        asyncio.timeout(10),
        as_completed(app.sweep([{"slow": True}, {"slow": False}])) as outcomes,
    ):
        assert (await anext(outcomes)).index == 1
        gate.set()
        assert (await anext(outcomes)).index == 0


async def test_a_failed_run_says_why_and_can_be_submitted_again(app):
    outcomes = await gather(app.sweep([{"weight": -1}, {"weight": 3}]))
    assert [outcome.state for outcome in outcomes] == [
        RunState.FAILED,
        RunState.SUCCEEDED,
    ]
    assert "less than nothing" in outcomes[0].status.reason
    again = await outcomes[1].spec.submit()
    assert (await again.result())["weight"] == 3


async def test_runs_of_a_sweep_are_runs_like_others(app, nextmv):
    (run,) = await submit_all(app.sweep([{"weight": 5}]))
    assert (await run.wait()).state is RunState.SUCCEEDED
    assert await run.state() is RunState.SUCCEEDED
    assert [event.message async for event in run.logs()] == ["weighing 5"]
    assert (await run.result())["weight"] == 5
    same = nextmv.runs.from_cursor(run.cursor)
    assert (await same.wait()).ref == run.ref
    assert same.key == run.key
    await app.cancel_run(run.id)


async def test_a_run_of_a_sweep_can_be_canceled(app, server):
    async def stay(job):
        await asyncio.Event().wait()

    server.nextmv.register("scale", stay)
    (run,) = await submit_all(app.sweep([{}]))
    await run.cancel()
    assert (await run.wait(within=500)).state is RunState.CANCELED


async def test_ids_and_sets_are_taken_instead_of_data(app, nextmv):
    upload = await app.upload_url()
    await app.upload_data(upload, {"weight": 7})
    managed = await app.new_managed_input("seven", upload_id=upload.upload_id)
    made = await app.new_input_set("sevens", inputs=[ManagedInput("seven")])
    nextmv.sent.clear()
    for inputs in (["seven"], [managed], "sevens", made):
        (outcome,) = await gather(app.sweep(inputs))
        assert outcome.result["weight"] == 7
    assert nextmv.sent["POST inputs"] == nextmv.sent["POST uploadurl"] == 0


async def test_instances_are_combined_too(app):
    ten_times = InstanceConfiguration(options={"factor": "10"})
    await app.new_instance("v1", "heavy", configuration=ten_times)
    sweep = app.sweep([{"weight": 1}], instances=["default", "heavy"])
    outcomes = await gather(sweep)
    assert [outcome.result["weight"] for outcome in outcomes] == [1, 10]
    assert [run.instance_id for run in sweep.runs] == ["default", "heavy"]


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "503", "truncate"])
async def test_a_creation_in_doubt_makes_one_experiment(app, server, kind):
    server.faults.add(Fault(kind, CREATING, times=2))
    outcomes = await gather(app.sweep([{"weight": 1}, {"weight": 2}]))
    assert all(outcome.succeeded for outcome in outcomes)
    assert len(batches(server)) == 1
    assert len(server.engine.runs("nextmv")) == 2


async def test_a_sweep_that_was_left_goes_on_under_its_id(app, nextmv, server):
    def sweep():
        return app.sweep([{"weight": 1}, {"weight": 2}], id="nightly")

    async with as_completed(sweep()) as outcomes:
        first = await anext(outcomes)
    nextmv.sent.clear()
    outcomes = await gather(sweep())
    assert [outcome.result["weight"] for outcome in outcomes] == [1, 2]
    assert outcomes[first.index].run.id == first.run.id
    assert nextmv.sent["POST batch"] == nextmv.sent["POST inputs"] == 0
    assert len(server.engine.runs("nextmv")) == 2


async def test_the_same_sweep_can_be_followed_again(app, server):
    sweep = app.sweep([{"weight": 1}])
    first = await gather(sweep)
    second = await gather(sweep)
    assert first[0].run.id == second[0].run.id
    assert len(batches(server)) == 1


async def test_inputs_that_were_uploaded_before_are_taken(app, server):
    sweep = app.sweep([{"weight": 1}], id="again")
    await sweep.prepare()
    (outcome,) = await gather(app.sweep([{"weight": 1}], id="again"))
    assert outcome.succeeded
    assert len(await app.list_managed_inputs()) == 1


@pytest.mark.parametrize(
    ("inputs", "option_sets"),
    [([{"weight": 1}], None), ([{}, {}], {"a": {"factor": "3"}})],
)
async def test_another_experiment_with_the_id_is_not_followed(app, inputs, option_sets):
    await gather(app.sweep([{"weight": 1}, {"weight": 2}], id="taken"))
    with pytest.raises(InvalidInput, match="another one"):
        await gather(app.sweep(inputs, option_sets, id="taken"))


async def test_an_experiment_that_is_deleted_ends_all_waits(app, server):
    async def stay(job):
        await asyncio.Event().wait()

    server.nextmv.register("scale", stay)
    sweep = app.sweep([{}, {}])
    async with asyncio.timeout(20):
        async with as_completed(sweep) as outcomes:
            while len(batches(server)) == 0:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
            await app.delete_batch_experiment(sweep.id)
            seen = [outcome async for outcome in outcomes]
    assert len(seen) == 2
    for outcome in seen:
        # It is the deletion that cancels them, and one may see that first.
        gone = isinstance(outcome.error, NotFound)
        assert gone or outcome.state is RunState.CANCELED
