"""The Kubeflow client against the local run server, over real sockets."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import anyio
import pytest

from aioruns.errors import (
    InvalidInput,
    NotFound,
    NotSupported,
    RunFailed,
    ServerFailure,
    Unauthorized,
    Unreadable,
)
from aioruns.local.faults import Fault
from aioruns.local.server import LocalServer
from aioruns.platforms.kubeflow import Kubeflow, RunResult
from aioruns.platforms.kubeflow.keys import run_id_of
from aioruns.runs import Run, RunState
from aioruns.seam import RunRef, Submission
from aioruns.session import Session

LINES = ["epoch 1 loss 0.71", "", "epoch 2 loss 0.55", "done"]
GENERATIONS = pytest.mark.parametrize("generation", ["G1", "G2", "G3"])

PYTHON = ["python3", "-c"]
FITTING = """
print('fit', '{{workflow.parameters.n}}')
print('fit done', end='')
with open('model.txt', 'w') as file:
    file.write('weights')
"""
TWO_STEPS = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "two-steps-"},
    "spec": {
        "entrypoint": "both",
        "arguments": {"parameters": [{"name": "n", "value": "1"}]},
        "templates": [
            {
                "name": "both",
                "dag": {
                    "tasks": [
                        {"name": "fit", "template": "fitting"},
                        {
                            "name": "check",
                            "template": "checking",
                            "dependencies": ["fit"],
                        },
                    ]
                },
            },
            {
                "name": "fitting",
                "container": {
                    "image": "python",
                    "command": [
                        *PYTHON,
                        FITTING,
                    ],
                },
                "outputs": {
                    "parameters": [
                        {"name": "model", "valueFrom": {"path": "model.txt"}}
                    ],
                    "artifacts": [{"name": "weights", "path": "model.txt"}],
                },
            },
            {
                "name": "checking",
                "container": {
                    "image": "python",
                    "command": [*PYTHON, "print('checked')"],
                },
            },
        ],
    },
}


class FastClock:
    """Pauses take a hundredth of the time that they seem to take."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> float:
        return time.monotonic() + self.skipped

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        real = min(seconds, 0.02)
        self.skipped += seconds - real
        await anyio.sleep(real)

    async def wait(self, event: anyio.Event, seconds: float) -> None:
        with anyio.move_on_after(min(seconds, 0.02)):
            await event.wait()

    def limit(self, seconds: float) -> anyio.CancelScope:
        return anyio.move_on_after(seconds)


class Programs:
    """What the pipelines of the tests run, and the gates that hold them."""

    def __init__(self) -> None:
        self.open = anyio.Event()

    async def talk(self, job):
        for line in LINES:
            await job.log(line)
        return {"lr": job.env.get("lr", "")}

    async def talk_and_wait(self, job):
        for line in LINES:
            await job.log(line)
        await self.open.wait()
        await job.log("end")

    async def fail(self, job):
        await job.log("about to fail")
        raise ValueError("the data is empty")


@pytest.fixture
def programs(server: LocalServer) -> Programs:
    made = Programs()
    server.kubeflow.register("talk", program=made.talk, version_id="talk-v1")
    server.kubeflow.register("wait", program=made.talk_and_wait)
    server.kubeflow.register("fail", program=made.fail)
    server.kubeflow.experiment("e-11")
    return made


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    async with Session(clock=FastClock()) as made:
        yield made


@pytest.fixture
def kubeflow(server: LocalServer, session: Session, programs: Programs) -> Kubeflow:
    return Kubeflow(server.url, token=server.token, session=session)


def count(server: LocalServer) -> int:
    return len(server.engine.runs("kubeflow"))


async def lines_of(run: Run) -> list[str]:
    return [event.message async for event in run.logs()]


@GENERATIONS
async def test_a_run_from_submission_to_result(server, kubeflow, generation):
    server.kubeflow.generation = generation
    pipeline = kubeflow.pipeline("talk")

    run = await pipeline.submit({"lr": 0.1}, name="train", experiment_id="e-11")
    status = await run.wait(within=20)
    result = await run.result()

    assert status.state is RunState.SUCCEEDED
    assert status.text == "Succeeded"
    assert status.created is not None
    assert status.ended is not None
    assert isinstance(result, RunResult)
    assert [*result.outputs.values()] == [{"result": '{"lr":"0.1"}'}]
    assert result.raw["run"]["name"] == f"train [{run.key}]"
    assert run.target == "e-11"
    # What a program returns is what its pod prints.
    assert await lines_of(run) == [*LINES, '{"lr":"0.1"}']
    assert count(server) == 1


async def test_v2beta1_creates_lists_and_terminates(server, programs, session):
    kubeflow = Kubeflow(
        server.url, token=server.token, session=session, api_version="v2beta1"
    )
    pipeline = kubeflow.pipeline(version_id="talk-v1")
    runs = [await pipeline.submit({"lr": 0.1}) for _ in range(3)]

    statuses = [await run.wait(within=20) for run in runs]

    assert {status.state for status in statuses} == {RunState.SUCCEEDED}
    outputs = (await runs[0].result()).outputs
    assert [*outputs.values()] == [{"result": '{"lr":"0.1"}'}]
    adapter = kubeflow.runs.platform
    found = await adapter.read_states([run.ref for run in runs])
    assert {status.text for status in found.values()} == {"SUCCEEDED"}

    waiting = await kubeflow.pipeline("wait").submit()
    await waiting.cancel()
    other = await kubeflow.pipeline("fail").submit()
    await other.wait(within=20)
    assert (await waiting.wait(within=20)).state is RunState.CANCELED
    found = await adapter.read_states([waiting.ref, other.ref])
    assert [found[ref].state for ref in (waiting.ref, other.ref)] == [
        RunState.CANCELED,
        RunState.FAILED,
    ]


async def test_v2beta1_of_a_1x_server_is_refused(server, programs, session):
    server.kubeflow.generation = "G1"
    kubeflow = Kubeflow(
        server.url, token=server.token, session=session, api_version="v2beta1"
    )
    with pytest.raises(NotSupported, match="api_version"):
        await kubeflow.pipeline("talk").submit()


@GENERATIONS
async def test_an_inline_workflow_of_two_steps(server, kubeflow, generation):
    server.kubeflow.generation = generation
    run = await kubeflow.pipeline(manifest=TWO_STEPS).submit({"n": 3})

    events = [event async for event in run.logs()]

    told = [(event.source, event.message) for event in events]
    assert told == [("fit", "fit 3"), ("fit", "fit done"), ("check", "checked")]
    assert (await run.result()).outputs == {"fit": {"model": "weights"}}
    detail = await kubeflow.run_service.get_run(run.id)
    assert detail.run.name.startswith("two-steps")


async def test_an_artifact(kubeflow):
    run = await kubeflow.pipeline(manifest=TWO_STEPS).submit()
    await run.wait(within=20)
    page = await kubeflow.runs.platform.read_logs(run.ref, None)
    node_ids = list(page.after(len(page.events))["nodes"])
    data = await kubeflow.read_artifact(run.id, node_ids[0], "weights")
    assert data.startswith(b"\x1f\x8b")
    with pytest.raises(NotFound):
        await kubeflow.read_artifact(run.id, node_ids[0], "nothing")


@GENERATIONS
async def test_logs_are_followed_while_the_run_goes_on(
    server, kubeflow, programs, generation
):
    server.kubeflow.generation = generation
    run = await kubeflow.pipeline("wait").submit()
    seen = []
    async for event in run.logs():
        seen.append(event.message)
        if len(seen) == len(LINES):
            programs.open.set()
    assert seen == [*LINES, "end"]


@GENERATIONS
async def test_logs_resume_after_every_event(server, kubeflow, programs, generation):
    server.kubeflow.generation = generation
    run = await kubeflow.pipeline("wait").submit()
    stream = run.logs()
    cursors = [stream.cursor]
    seen = []
    async for event in stream:
        seen.append(event.message)
        cursors.append(stream.cursor)
        if len(seen) == 2:
            # Another process goes on while the pod lives, and sees what is there.
            rest = run.logs(cursor=cursors[1], follow=False)
            assert [event.message async for event in rest] == LINES[1:]
            programs.open.set()
    assert seen == [*LINES, "end"]
    for index, cursor in enumerate(cursors):
        rest = run.logs(cursor=cursor)
        assert [event.message async for event in rest] == seen[index:]
    assert [event async for event in run.logs(cursor=stream.cursor)] == []


async def test_logs_of_several_pods_resume_after_every_event(kubeflow):
    run = await kubeflow.pipeline(manifest=TWO_STEPS).submit()
    await run.wait(within=20)
    adapter = kubeflow.runs.platform
    page = await adapter.read_logs(run.ref, None)
    events = [(event.source, event.message) for event in page.events]
    assert len(events) == 3
    for index in range(4):
        rest = await adapter.read_logs(run.ref, page.after(index))
        assert [(e.source, e.message) for e in rest.events] == events[index:]


async def test_ended_nodes_are_not_asked_again(server, kubeflow):
    run = await kubeflow.pipeline("talk").submit()
    await run.wait(within=20)
    adapter = kubeflow.runs.platform
    page = await adapter.read_logs(run.ref, None)
    before = server.requests["kubeflow"]
    again = await adapter.read_logs(run.ref, page.after(len(page.events)))
    assert not again.events
    assert server.requests["kubeflow"] == before + 1


async def test_a_page_of_html_is_no_log(server, kubeflow):
    run = await kubeflow.pipeline("talk").submit()
    await run.wait(within=20)
    server.faults.add(Fault("html", "/log$"))
    with pytest.raises(Unreadable, match="8888") as caught:
        await lines_of(run)
    assert caught.value.context.cursor


@GENERATIONS
async def test_a_failed_run_tells_why(server, kubeflow, generation):
    server.kubeflow.generation = generation
    run = await kubeflow.pipeline("fail").submit()
    with pytest.raises(RunFailed, match="the data is empty"):
        await run.result(within=20)
    assert await run.state() is RunState.FAILED


@GENERATIONS
async def test_a_cancelled_run_ends_canceled(server, kubeflow, generation):
    server.kubeflow.generation = generation
    run = await kubeflow.pipeline("wait").submit()
    await run.cancel()
    assert (await run.wait(within=20)).state is RunState.CANCELED
    await run.cancel()  # no error: it has ended
    with pytest.raises(NotFound):
        await kubeflow.run("not-a-run").cancel()


async def test_cancelling_is_repeated_after_a_lost_answer(server, kubeflow):
    run = await kubeflow.pipeline("wait").submit()
    server.faults.add(Fault("drop-after", "/terminate$", times=1))
    await run.cancel()
    assert (await run.wait(within=20)).state is RunState.CANCELED


@GENERATIONS
async def test_many_states_in_few_requests(server, kubeflow, programs, generation):
    server.kubeflow.generation = generation
    talk = kubeflow.pipeline("talk")
    runs = [await talk.submit() for _ in range(5)]
    runs.append(await kubeflow.pipeline("fail").submit())
    runs.append(await kubeflow.pipeline("wait").submit())
    runs.append(kubeflow.run("missing+%"))
    for run in runs[:6]:
        await run.wait(within=20)
    adapter = kubeflow.runs.platform
    adapter.reader.chunk = 4
    before = server.requests["kubeflow"]

    found = await adapter.read_states(run.ref for run in runs)

    # Two listings, and one single read for the run that failed.
    assert server.requests["kubeflow"] == before + 3
    assert [found[run.ref].state for run in runs[:7]] == [
        *[RunState.SUCCEEDED] * 5,
        RunState.FAILED,
        RunState.RUNNING,
    ]
    assert "the data is empty" in found[runs[5].ref].reason
    assert runs[7].ref not in found


@GENERATIONS
@pytest.mark.parametrize("kind", ["429", "503", "500", "drop-before", "drop-after"])
async def test_one_run_whatever_happens_to_the_submission(
    server, kubeflow, generation, kind
):
    server.kubeflow.generation = generation
    server.faults.add(Fault(kind, "POST /apis/v1beta1/runs$", times=1))
    run = await kubeflow.pipeline("talk").submit(name="a+b 100% (c)")
    assert (await run.wait(within=20)).state is RunState.SUCCEEDED
    assert count(server) == 1


@GENERATIONS
async def test_a_lost_run_that_listings_show_late(server, kubeflow, generation):
    server.kubeflow.generation = generation
    server.faults.add(Fault("drop-after", "POST /apis/v1beta1/runs$", times=1))
    server.faults.add(Fault("stale-list", "GET .*/runs$", times=1, seconds=60))
    run = await kubeflow.pipeline("talk").submit()
    assert (await run.wait(within=20)).state is RunState.SUCCEEDED
    assert count(server) == 1


async def test_stale_reads_right_after_the_creation(server, kubeflow):
    server.faults.add(Fault("stale-list", "GET", times=2, seconds=60))
    server.faults.add(Fault("stale-state", "GET", times=4, seconds=60))
    pipeline = kubeflow.pipeline("talk")
    runs = [await pipeline.submit() for _ in range(2)]
    assert [(await run.wait(within=20)).state for run in runs] == [
        RunState.SUCCEEDED,
        RunState.SUCCEEDED,
    ]


@GENERATIONS
async def test_a_key_is_found_again(server, kubeflow, generation):
    server.kubeflow.generation = generation
    adapter = kubeflow.runs.platform
    spec = kubeflow.pipeline("talk").spec(
        key="nightly+1%", name="n", experiment_id="e-11"
    )
    run = await spec.submit()
    submission = Submission("e-11", spec.payload, "nightly+1%")
    assert await adapter.find(submission) == run.ref
    other = Submission("e-11", spec.payload, "nightly+2%")
    assert await adapter.find(other) is None


@pytest.mark.parametrize("generation", ["G2", "G3"])
async def test_a_key_that_is_submitted_again_is_the_same_run(
    server, kubeflow, generation
):
    server.kubeflow.generation = generation
    spec = kubeflow.pipeline("talk").spec(key="nightly")
    first, second = await spec.submit(), await spec.submit()
    assert first.ref == second.ref == RunRef("", run_id_of("nightly"))
    assert count(server) == 1


async def test_a_login_page_is_no_answer(server, kubeflow):
    run = await kubeflow.pipeline("talk").submit()
    server.faults.add(Fault("html", "GET /apis/v1beta1/runs"))
    with pytest.raises(Unreadable, match="login page"):
        await run.status()


async def test_the_server_is_asked_once_what_it_is(server, kubeflow):
    adapter = kubeflow.runs.platform
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(adapter.server)
    assert server.requests["kubeflow"] == 1
    assert (await adapter.server()).generation == "G3"


async def test_a_failure_to_learn_what_the_server_is_creates_nothing(server, kubeflow):
    server.faults.add(Fault("drop-before", "healthz"))
    with pytest.raises(Exception, match="healthz") as caught:
        await kubeflow.pipeline("talk").submit()
    assert caught.value.maybe_acted is False
    server.faults.clear()
    run = await kubeflow.pipeline("talk").submit()
    await run.wait(within=20)
    assert count(server) == 1


async def test_another_address_is_named_as_the_mistake(server, session):
    kubeflow = Kubeflow(f"{server.url}/pipeline", token="x", session=session)
    with pytest.raises(NotFound, match="check host"):
        await kubeflow.pipeline("talk").submit()


async def test_a_wrong_token(server, programs, session):
    kubeflow = Kubeflow(server.url, token="wrong-secret", session=session)
    with pytest.raises(Unauthorized) as caught:
        await kubeflow.pipeline("talk").submit()
    assert "wrong-secret" not in repr(caught.value)
    assert "wrong-secret" not in repr(kubeflow.origin)


@GENERATIONS
async def test_an_unknown_pipeline(server, kubeflow, generation):
    server.kubeflow.generation = generation
    expected = NotFound if generation == "G1" else ServerFailure
    with pytest.raises(expected, match="nothing"):
        await kubeflow.pipeline("nothing").submit()
    assert count(server) == 0


async def test_the_run_service_under_its_documented_names(kubeflow):
    service = kubeflow.run_service
    created = await service.create_run(
        {"name": "by hand", "pipeline_spec": {"pipeline_id": "fail"}}
    )
    run_id = created.run.id
    run = kubeflow.run(run_id)
    await run.wait(within=20)
    got = await service.get_run(run_id)
    assert got.run.finished_at is not None
    listed = await service.list_runs(page_size=5, sort_by="created_at desc")
    assert [row.id for row in listed.runs] == [run_id]
    await service.archive_run(run_id)
    assert (await service.get_run(run_id)).run.storage_state == "STORAGESTATE_ARCHIVED"
    await service.unarchive_run(run_id)
    metric = {"name": "accuracy", "node_id": "fit", "number_value": 0.5}
    answer = await service.report_run_metrics(run_id, [metric])
    assert [result.status for result in answer.results] == ["OK"]
    await service.retry_run(run_id)
    await kubeflow.run(run_id).wait(within=20)
    await service.delete_run(run_id)
    with pytest.raises(NotFound):
        await service.get_run(run_id)


async def test_an_empty_run_id_is_refused_before_sending(server, kubeflow):
    with pytest.raises(InvalidInput):
        await kubeflow.run_service.get_run("")
    with pytest.raises(InvalidInput):
        kubeflow.run("")
    assert server.requests["kubeflow"] == 0
