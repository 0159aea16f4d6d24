"""The Kubeflow client against the local run server, over real sockets."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from aioruns.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    RunFailed,
    ServerFailure,
    Unauthorized,
    Unreadable,
)
from aioruns.local.faults import Fault
from aioruns.local.server import LocalServer
from aioruns.platforms.kubeflow import (
    ApiPipelineSpec,
    ApiRelationship,
    ApiReportRunMetricsRequest,
    ApiResourceKey,
    ApiResourceReference,
    ApiResourceType,
    ApiRun,
    ApiRunMetric,
    ApiRunStorageState,
    Filter,
    Kubeflow,
    RunResult,
    V2beta1PipelineVersionReference,
    V2beta1Run,
    V2beta1RunStorageState,
    V2beta1RuntimeConfig,
    V2beta1RuntimeState,
    requests,
)
from aioruns.platforms.kubeflow.keys import run_id_of
from aioruns.platforms.kubeflow.workflow import workflow_of
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


async def first_pod(kubeflow: Kubeflow, run: Run) -> str:
    workflow = workflow_of(await kubeflow.send(requests.read_detail(run.id)))
    return workflow.pods[0].id


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
    found = await adapter.read_states([run.ref for run in runs], {})
    assert {status.text for status in found.values()} == {"SUCCEEDED"}

    waiting = await kubeflow.pipeline("wait").submit()
    await waiting.cancel()
    other = await kubeflow.pipeline("fail").submit()
    await other.wait(within=20)
    assert (await waiting.wait(within=20)).state is RunState.CANCELED
    found = await adapter.read_states([waiting.ref, other.ref], {})
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
    node_id = await first_pod(kubeflow, run)
    data = await kubeflow.read_artifact(run.id, node_id, "weights")
    assert data.startswith(b"\x1f\x8b")
    with pytest.raises(NotFound):
        await kubeflow.read_artifact(run.id, node_id, "nothing")


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

    found = await adapter.read_states([run.ref for run in runs], {})

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
@pytest.mark.parametrize("kind", ["429", "503", "drop-before", "drop-after"])
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
async def test_an_unknown_pipeline(server, kubeflow, session, generation):
    """Servers from 2.0 on answer 500, so it is looked for once, and not sent again."""
    server.kubeflow.generation = generation
    expected = NotFound if generation == "G1" else ServerFailure
    began = session.clock.now()
    with pytest.raises(expected, match="nothing") as caught:
        await kubeflow.pipeline("nothing").submit()
    assert session.clock.now() - began < 8
    assert count(server) == 0
    assert server.requests["kubeflow"] < 12
    assert ("check the ids" in str(caught.value)) == (generation != "G1")


@GENERATIONS
async def test_a_server_that_fails_by_itself_is_not_sent_the_run_again(
    server, kubeflow, generation
):
    """It may have started the workflow before it failed (wire/kubeflow.md 8.2)."""
    server.kubeflow.generation = generation
    server.faults.add(Fault("500", "POST /apis/v1beta1/runs$", times=1))
    with pytest.raises(ServerFailure) as caught:
        await kubeflow.pipeline("talk").submit()
    assert caught.value.maybe_acted
    assert count(server) == 0


@GENERATIONS
async def test_the_run_service_under_its_documented_names(server, kubeflow, generation):
    server.kubeflow.generation = generation
    service = kubeflow.run_service
    spec = ApiPipelineSpec(pipeline_id="fail")
    owner = ApiResourceReference(
        key=ApiResourceKey(type=ApiResourceType.EXPERIMENT, id="e-11"),
        relationship=ApiRelationship.OWNER,
    )
    body = ApiRun(name="by hand", pipeline_spec=spec, resource_references=[owner])
    created = await service.create_run(body)
    run_id = created.run.id
    assert created.run.resource_references[0].key.id == "e-11"
    assert created.run.finished_at is None
    run = kubeflow.run(run_id)
    await run.wait(within=20)
    got = await service.get_run(run_id)
    assert got.run.finished_at is not None
    assert got.run.status == "Failed"
    assert got.run.storage_state is None
    listed = await service.list_runs(page_size=5, sort_by="created_at desc")
    assert [row.id for row in listed.runs] == [run_id]
    assert await service.archive_run(run_id) == {}
    archived = (await service.get_run(run_id)).run.storage_state
    assert archived is ApiRunStorageState.ARCHIVED
    assert await service.unarchive_run(id=run_id) == {}
    metric = ApiRunMetric(name="accuracy", node_id="fit", number_value=0.5)
    request = ApiReportRunMetricsRequest(metrics=[metric])
    answer = await service.report_run_metrics(run_id, request)
    assert [result.status for result in answer.results] == ["OK"]
    assert (await service.get_run(run_id)).run.metrics == [metric]
    assert await service.retry_run(run_id) == {}
    await kubeflow.run(run_id).wait(within=20)
    with pytest.raises(BadRequest):
        await service.terminate_run(run_id)
    assert await service.delete_run(run_id) == {}
    with pytest.raises(NotFound):
        await service.get_run(run_id)
    with pytest.raises(NotFound):
        await service.delete_run(run_id)


@pytest.mark.parametrize("generation", ["G2", "G3"])
async def test_the_run_service_of_v2beta1(server, kubeflow, programs, generation):
    server.kubeflow.generation = generation
    service = kubeflow.run_service_v2
    body = V2beta1Run(
        display_name="by hand",
        experiment_id="e-11",
        pipeline_version_reference=V2beta1PipelineVersionReference(pipeline_id="wait"),
        runtime_config=V2beta1RuntimeConfig(parameters={"lr": 0.5, "tags": ["a"]}),
    )
    created = await service.run_service_create_run(body, experiment_id="ignored")
    run_id = created.run_id
    assert created.state is V2beta1RuntimeState.PENDING
    assert created.runtime_config == body.runtime_config
    assert created.finished_at is None
    assert [one.state for one in created.state_history] == ["PENDING"]
    assert await service.archive_run(run_id, experiment_id="e-11") == {}
    archived = (await service.get_run(run_id)).storage_state
    assert archived is V2beta1RunStorageState.ARCHIVED
    assert await service.unarchive_run(run_id) == {}
    page = await service.list_runs(experiment_id="e-11", page_size=1)
    assert [row.run_id for row in page.runs] == [run_id]
    assert page.total_size == 1
    assert page.next_page_token is None
    assert await service.terminate_run(run_id) == {}
    assert (await kubeflow.run(run_id).wait(within=20)).state is RunState.CANCELED
    with pytest.raises(BadRequest):
        await service.terminate_run(run_id)
    assert (await service.get_run(run_id)).state is V2beta1RuntimeState.FAILED
    programs.open.set()
    assert await service.retry_run(run_id) == {}
    assert (await kubeflow.run(run_id).wait(within=20)).state is RunState.SUCCEEDED
    got = await service.get_run(run_id)
    assert got.run_details.task_details[0].state is V2beta1RuntimeState.SUCCEEDED
    with pytest.raises(Conflict):
        await service.retry_run(run_id)
    assert list(await service.get_runs([run_id, "missing"])) == [run_id]
    assert await service.delete_run(run_id) == {}
    with pytest.raises(NotFound):
        await service.get_run(run_id)


async def test_v2beta1_is_not_spoken_by_1x_servers(server, kubeflow):
    server.kubeflow.generation = "G1"
    for _ in range(2):
        with pytest.raises(NotSupported, match="run_service"):
            await kubeflow.run_service_v2.get_run("r")
    # What the server is was asked once, for all of the client.
    await kubeflow.runs.platform.server()
    assert server.requests["kubeflow"] == 4


@GENERATIONS
@pytest.mark.parametrize("name", ["terminate_run", "delete_run"])
async def test_a_refusal_after_a_lost_answer_is_a_success(
    server, kubeflow, generation, name
):
    server.kubeflow.generation = generation
    services = [kubeflow.run_service, kubeflow.run_service_v2]
    for service in services[: 1 if generation == "G1" else 2]:
        run = await kubeflow.pipeline("wait").submit()
        route = f"/runs/{run.id}.terminate$" if name == "terminate_run" else "^DELETE"
        # aiohttp itself repeats a DELETE once, which nobody is told.
        times = 1 if name == "terminate_run" else 2
        server.faults.add(Fault("drop-after", route, times=times))
        assert await getattr(service, name)(run.id) == {}
        if name == "terminate_run":
            await run.wait(within=20)
            with pytest.raises(BadRequest):
                await service.terminate_run(run.id)
    if name == "delete_run":
        assert count(server) == 0


@GENERATIONS
async def test_all_pages_of_a_filtered_listing(server, kubeflow, generation):
    server.kubeflow.generation = generation
    runs = [await kubeflow.pipeline("talk").submit(name=f"50%+{n}") for n in range(5)]
    for run in runs:
        await run.wait(within=20)
    other = await kubeflow.pipeline("fail").submit()
    since = datetime(2020, 1, 1, tzinfo=UTC)
    chosen = Filter().where("name", "IS_SUBSTRING", "50%+")
    chosen = chosen.where("created_at", "GREATER_THAN_EQUALS", since)
    service = kubeflow.run_service
    ids, pages, token = [], 0, None
    async for page in service.list_run_pages(
        page_size=2, sort_by="created_at desc", filter=chosen
    ):
        ids += [run.id for run in page.runs]
        pages += 1
        assert page.total_size == 5
        token = token or page.next_page_token
    assert sorted(ids) == sorted(run.id for run in runs)
    assert pages == 3
    rest = [page async for page in service.list_run_pages(page_token=token)]
    assert [run.id for page in rest for run in page.runs] == ids[2:]
    if generation != "G1":
        v2 = kubeflow.run_service_v2
        chosen = Filter().where("run_id", "IN", ids)
        found = [p async for p in v2.list_run_pages(page_size=3, filter=chosen)]
        assert [run.run_id for p in found for run in p.runs] == ids[::-1]
    assert set(await service.get_runs([*ids, "x", other.id])) == {*ids, other.id}


async def test_a_filter_beside_its_token_is_refused_by_the_server(kubeflow):
    for _ in range(2):
        await kubeflow.pipeline("talk").submit()
    chosen = Filter().where("status", "IN", ["Pending", "Running", "Succeeded"])
    service = kubeflow.run_service
    page = await service.list_runs(page_size=1, filter=chosen)
    with pytest.raises(BadRequest):
        await service.list_runs(
            page_size=1, filter=chosen, page_token=page.next_page_token
        )


async def test_metrics_in_batches(server, kubeflow):
    run = await kubeflow.pipeline("talk").submit()
    metrics = [
        ApiRunMetric(name=f"m{n}", node_id="n", number_value=float(n))
        for n in range(120)
    ]
    metrics[7] = {"name": "9bad", "node_id": "n", "number_value": 1}
    metrics[8] = {"name": "odd", "node_id": "n", "number_value": float("nan")}
    metrics[60] = metrics[3]
    before = server.requests["kubeflow"]
    results = await kubeflow.report_metrics(run.id, metrics)
    assert server.requests["kubeflow"] == before + 3
    assert len(results) == 120
    assert {n: r.status for n, r in enumerate(results) if r.status != "OK"} == {
        7: "INVALID_ARGUMENT",
        8: "INTERNAL_ERROR",
        60: "DUPLICATE_REPORTING",
    }
    stored = (await kubeflow.run_service.get_run(run.id)).run.metrics
    assert len(stored) == 117


@pytest.mark.parametrize("kind", ["drop-after", "drop-before", "503", "truncate"])
async def test_metrics_that_are_sent_again_are_a_success(server, kubeflow, kind):
    run = await kubeflow.pipeline("talk").submit()
    metrics = [
        ApiRunMetric(name=f"m{n}", node_id="n", number_value=n) for n in range(60)
    ]
    metrics[55] = metrics[54]
    server.faults.add(Fault(kind, "reportMetrics$", times=1, after=1))
    results = await kubeflow.report_metrics(run.id, metrics)
    wrong = [n for n, result in enumerate(results) if result.status != "OK"]
    assert wrong == [55]
    again = await kubeflow.report_metrics(run.id, metrics)
    assert {result.status for result in again} == {"DUPLICATE_REPORTING"}
    again = await kubeflow.report_metrics(run.id, metrics, again=True)
    assert [n for n, result in enumerate(again) if result.status != "OK"] == [55]


async def test_metrics_of_a_run_that_is_not_there(kubeflow):
    with pytest.raises(NotFound):
        await kubeflow.report_metrics("missing", [ApiRunMetric(name="a")])
    assert await kubeflow.report_metrics("missing", []) == []


@GENERATIONS
async def test_an_artifact_in_a_file(server, kubeflow, tmp_path, generation):
    server.kubeflow.generation = generation
    run = await kubeflow.pipeline(manifest=TWO_STEPS).submit()
    await run.wait(within=20)
    node_id = await first_pod(kubeflow, run)
    data = await kubeflow.read_artifact(run.id, node_id, "weights")
    file = tmp_path / "weights.tgz"
    file.write_bytes(b"old")
    told = []
    size = await kubeflow.save_artifact(
        run.id, node_id, "weights", file, lambda done, total: told.append((done, total))
    )
    assert file.read_bytes() == data
    assert size == len(data)
    assert told
    if generation != "G1":
        service = kubeflow.run_service_v2
        assert await service.save_artifact(run.id, node_id, "weights", file) == size
        assert (await service.read_artifact(run.id, node_id, "weights")).data
    with pytest.raises(NotFound):
        await kubeflow.save_artifact(run.id, node_id, "nothing", file)
    for kind, error in (("html", Unreadable), ("truncate", OutcomeUnknown)):
        server.faults.add(Fault(kind, ":read$"))
        with pytest.raises(error):
            await kubeflow.save_artifact(run.id, node_id, "weights", file)
        server.faults.clear()
    with pytest.raises(InvalidInput, match="cannot be written"):
        await kubeflow.save_artifact(run.id, node_id, "weights", tmp_path / "no" / "w")
    with pytest.raises(InvalidInput, match="cannot be written"):
        await kubeflow.save_artifact(run.id, node_id, "weights", tmp_path)
    with pytest.raises(InvalidInput, match="names no file"):
        await kubeflow.save_artifact(run.id, node_id, "weights", "")
    with pytest.raises(InvalidInput):
        await kubeflow.save_artifact("", node_id, "weights", file)
    assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "name", ["archive_run", "unarchive_run", "terminate_run", "retry_run", "delete_run"]
)
async def test_a_login_page_is_no_success(server, kubeflow, name):
    server.faults.add(Fault("html", "runs/r"))
    with pytest.raises(Unreadable, match="login page"):
        await getattr(kubeflow.run_service, name)("r")
    with pytest.raises(Unreadable, match="login page"):
        await getattr(kubeflow.run_service_v2, name)("r")


async def test_an_empty_answer_is_no_run(server, kubeflow):
    server.kubeflow.generation = "G1"
    answered = await kubeflow.run_service.archive_run("missing")
    assert answered == {}


@pytest.fixture
def rotated(tmp_path: Path) -> Kubeflow:
    """Before the loop runs, in which looking at files would hold it up."""
    file = tmp_path / "token"
    file.write_text("local-token\n")
    return Kubeflow("http://replaced", token_file=file)


async def test_credentials_are_refreshed_under_a_long_wait(
    server, programs, session, rotated
):
    """The file is rotated while a run is waited for, and the old token refused."""
    auth = rotated.origin.auth
    async with Kubeflow(server.url, token="x", session=session) as kubeflow:
        kubeflow.origin.auth = auth
        run = await kubeflow.pipeline("wait").submit()

        async def rotate():
            await anyio.sleep(0.1)  # the wait is under way
            await anyio.Path(auth.file).write_text("rotated")
            server.kubeflow._service.settings.token = "rotated"
            programs.open.set()

        async with anyio.create_task_group() as group:
            group.start_soon(rotate)
            status = await run.wait(within=20)
        assert status.state is RunState.SUCCEEDED
        assert [line async for line in run.logs()]


@pytest.fixture
def team(server: LocalServer, programs: Programs) -> None:
    """Two users, of whom one may only look."""
    server.kubeflow.multi_user = True
    server.kubeflow.experiment("e-team", namespace="team")
    server.kubeflow.user("alice", {"team": None}, token="alice-token")
    server.kubeflow.user("bob", {"team": ["get", "list"]})


@GENERATIONS
async def test_a_multi_user_server(server, session, programs, team, generation):
    server.kubeflow.generation = generation
    kubeflow = Kubeflow(
        server.url, token="alice-token", namespace="team", session=session
    )
    talk = kubeflow.pipeline("talk")
    runs = [await talk.submit(experiment_id="e-team") for _ in range(3)]
    for run in runs:
        assert (await run.wait(within=20)).state is RunState.SUCCEEDED
    assert (await lines_of(runs[0]))[: len(LINES)] == LINES
    # Handles without an experiment are read in the namespace, by one listing.
    again = [kubeflow.run(run.id) for run in runs]
    before = server.requests["kubeflow"]
    found = await kubeflow.runs.platform.read_states([run.ref for run in again], {})
    assert len(found) == 3
    assert server.requests["kubeflow"] == before + 1
    with pytest.raises(BadRequest, match="Experiment"):
        await talk.submit()
    server.faults.add(Fault("drop-after", "POST /apis/v1beta1/runs$", times=1))
    await talk.submit(experiment_id="e-team")
    assert count(server) == 4


@GENERATIONS
async def test_a_user_who_may_only_look(server, session, team, generation):
    server.kubeflow.generation = generation
    alice = Kubeflow(server.url, token=server.token, user_id="alice", session=session)
    run = await alice.pipeline("wait").submit(experiment_id="e-team")
    bob = Kubeflow(server.url, token=server.token, user_id="bob", session=session)
    assert not (await bob.run(run.id).state()).final
    with pytest.raises(Forbidden, match="bob"):
        await bob.run(run.id).cancel()
    with pytest.raises(Forbidden):
        await bob.pipeline("talk").submit(experiment_id="e-team")
    await alice.run(run.id).cancel()
    assert (await run.wait(within=20)).state is RunState.CANCELED
    nobody = Kubeflow(server.url, token=server.token, session=session)
    with pytest.raises(ServerFailure if generation == "G1" else Unauthorized):
        await nobody.run_service.get_run(run.id)


@GENERATIONS
async def test_a_workflow_without_a_row_is_not_sent_again(server, kubeflow, generation):
    server.kubeflow.generation = generation
    server.kubeflow.defects.add("lost-row")
    with pytest.raises(ServerFailure) as caught:
        await kubeflow.pipeline("talk").submit()
    assert caught.value.maybe_acted
    assert count(server) == 1  # and not four, which would all have run


async def test_an_artifact_that_broke_off(server, kubeflow, tmp_path):
    server.kubeflow.defects.add("cut-artifacts")
    run = await kubeflow.pipeline(manifest=TWO_STEPS).submit()
    await run.wait(within=20)
    node_id = await first_pod(kubeflow, run)
    with pytest.raises(Unreadable):
        await kubeflow.read_artifact(run.id, node_id, "weights")
    with pytest.raises(Unreadable, match="broke off"):
        await kubeflow.save_artifact(run.id, node_id, "weights", tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


async def test_an_empty_run_id_is_refused_before_sending(server, kubeflow):
    for service in (kubeflow.run_service, kubeflow.run_service_v2):
        for name in ("get_run", "archive_run", "delete_run", "retry_run"):
            for run_id in ("", None, 7):
                with pytest.raises(InvalidInput):
                    await getattr(service, name)(run_id)
    with pytest.raises(InvalidInput):
        kubeflow.run("")
    assert server.requests["kubeflow"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"resource_reference_key_type": "EXPERIMENT"},
        {"resource_reference_key_id": "e"},
        {
            "resource_reference_key_type": "UNKNOWN_RESOURCE_TYPE",
            "resource_reference_key_id": "e",
        },
        {"page_size": -1},
        {"page_size": "2"},
        {"filter": {"predicates": []}},
    ],
)
async def test_listings_that_cannot_be_right(server, kubeflow, arguments):
    with pytest.raises(InvalidInput):
        await kubeflow.run_service.list_runs(**arguments)
    assert server.requests["kubeflow"] == 0


@pytest.mark.parametrize(
    "body", [None, "name", ["name"], V2beta1Run(), {"name": {1}}, {"a": float("nan")}]
)
async def test_bodies_that_cannot_be_right(server, kubeflow, body):
    with pytest.raises(InvalidInput):
        await kubeflow.run_service.create_run(body)
    assert server.requests["kubeflow"] == 0
