"""What each verb sends, on every platform: as few requests as can be, and these."""

import json
import re
from uuid import UUID

import aiohttp
import pytest
from yarl import URL

from aioruns import Abeja, Cloudify, Kubeflow, Nextmv, RunState
from aioruns.errors import BadRequest, NotSupported, OutcomeUnknown, Unreadable

HOST = "https://api.example.org"
JSON = {"Content-Type": "application/json"}
WHEN = "2026-05-04T21:00:00.120Z"


def sent(web):
    """Method, address without host, headers and decoded body of every request."""
    return [
        (method, url.removeprefix(HOST), headers, data and json.loads(data))
        for method, url, headers, data in web.sent
    ]


# -- Nextmv ------------------------------------------------------------------------

BEARER = {"Authorization": "Bearer key"}
APP = "/v1/applications/app"
SIGNED = "https://files.example.org/in/abc"
PLAIN = {"format": {"input": {"type": "json"}, "output": {"type": "json"}}}


@pytest.fixture
def app(session):
    return Nextmv("key", url=HOST, session=session).application("app")


def metadata(status="running", **more):
    return {
        "id": "r-1",
        "metadata": {"status_v2": status, "created_at": WHEN, "duration": 0, **more},
    }


def row(run_id, status="running", description=""):
    return {
        "id": run_id,
        "status_v2": status,
        "created_at": WHEN,
        "description": description,
    }


async def test_nextmv_submit_is_one_request(web, app):
    web.answer("POST", f"{HOST}{APP}/runs?instance_id=staging", {"run_id": "r-1"})
    run = await app.submit({"n": 1}, options={"o": 2}, instance_id="staging", key="k")
    assert run.id == "r-1"
    assert sent(web) == [
        (
            "POST",
            f"{APP}/runs?instance_id=staging",
            BEARER | JSON,
            {
                "input": {"n": 1},
                "options": {"o": "2"},
                "configuration": PLAIN,
                "description": "[k]",
            },
        )
    ]


async def test_nextmv_text_goes_by_a_signed_address(web, app):
    web.answer(
        "POST",
        f"{HOST}{APP}/runs/uploadurl",
        {"upload_id": "up-1", "upload_url": f"{SIGNED}?sig=1"},
    )
    web.answer("PUT", f"{SIGNED}?sig=1")
    web.answer("POST", f"{HOST}{APP}/runs", {"run_id": "r-1"})
    await app.submit("text", key="k")
    ask, put, post = web.sent
    # wire/nextmv.md 1.2
    assert ask[1:] == (f"{HOST}{APP}/runs/uploadurl", BEARER, None)
    assert put == ("PUT", f"{SIGNED}?sig=1", {}, b"text")
    assert json.loads(post[3]) == {
        "upload_id": "up-1",
        "configuration": {
            "format": {"input": {"type": "text"}, "output": {"type": "json"}}
        },
        "description": "[k]",
    }


async def test_nextmv_state_and_cancel_are_one_request_each(web, app):
    web.answer("GET", f"{HOST}{APP}/runs/r-1/metadata", metadata())
    web.answer("PATCH", f"{HOST}{APP}/runs/r-1/cancel", body=b"")
    run = app.run("r-1")
    assert await run.state() is RunState.RUNNING
    await run.cancel()
    assert sent(web) == [
        ("GET", f"{APP}/runs/r-1/metadata", BEARER, None),
        ("PATCH", f"{APP}/runs/r-1/cancel", BEARER, None),
    ]


async def test_nextmv_many_states_are_one_page(web, app):
    rows = [row(f"r-{n}") for n in range(9)]
    web.answer(
        "GET",
        f"{HOST}{APP}/runs?pagereturn=true",
        {"runs": rows, "next_page_token": "more"},
    )
    refs = [app.run(f"r-{n}").ref for n in range(9)]
    statuses = await app.client.runs.platform.read_states(refs, {})
    assert statuses.keys() == set(refs)
    assert web.lines == [f"GET {HOST}{APP}/runs?pagereturn=true"]


async def test_nextmv_an_undocumented_status_is_unknown_and_not_final(web, app):
    web.answer("GET", f"{HOST}{APP}/runs/r-1/metadata", metadata("paused"))
    status = await app.run("r-1").status()
    assert (status.state, status.text) == (RunState.UNKNOWN, "paused")
    assert not status.state.final


async def test_nextmv_small_results_take_two_requests(web, app):
    done = metadata("succeeded", output_size=9)
    web.answer("GET", f"{HOST}{APP}/runs/r-1/metadata", done)
    web.answer("GET", f"{HOST}{APP}/runs/r-1", done | {"output": {"n": 1}})
    result = await app.client.runs.platform.fetch_result(app.run("r-1").ref)
    assert result == {"n": 1}
    assert [method for method, *_ in web.sent] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("kind", "size", "body", "expected"),
    [
        ("json", 5 * 2**20 + 1, b'{"n": 1}', {"n": 1}),
        ("text", 4, b"text", b"text"),
        ("multi-file", 4, b"\x1f\x8b", b"\x1f\x8b"),
        ("csv-archive", 4, b"\x1f\x8b", b"\x1f\x8b"),
    ],
)
async def test_nextmv_other_results_come_from_a_signed_address(
    web, app, kind, size, body, expected
):
    done = metadata("succeeded", output_size=size, format={"output": {"type": kind}})
    web.answer("GET", f"{HOST}{APP}/runs/r-1/metadata", done)
    web.answer("GET", f"{HOST}{APP}/runs/r-1/output?format=url", {"url": SIGNED})
    web.answer("GET", SIGNED, body=body)
    result = await app.client.runs.platform.fetch_result(app.run("r-1").ref)
    assert result == expected
    method, url, headers, data = web.sent[-1]
    assert (method, url, data) == ("GET", SIGNED, None)
    assert "Authorization" not in headers


def live(items, status, token=None, hint=None):
    page = {
        "items": [{"timestamp": WHEN, "log": text} for text in items],
        "status_v2": status,
    }
    if token:
        page["next_page_token"] = token
    if hint is not None:
        page["next_available_in_seconds"] = hint
    return page


async def test_nextmv_logs_follow_tokens_and_obey_the_hint(web, app, clock):
    logs = f"{HOST}{APP}/runs/r-1/logs/live"
    web.answer("GET", logs, live(["a", "b"], "running", "t1", 3))
    web.answer("GET", f"{logs}?since=t1", live([], "running", "t2", 2))
    web.answer("GET", f"{logs}?since=t2", live(["c"], "succeeded", "t3", 0))
    web.answer("GET", f"{logs}?since=t3", live([], "succeeded", "t3", 0))
    seen = [event.message async for event in app.run("r-1").logs()]
    assert seen == ["a", "b", "c"]
    assert clock.slept == [3.0, 2.0]
    assert len(web.sent) == 4  # and no state was asked for beside the log


async def test_nextmv_a_page_without_a_token_is_asked_again_and_grows(web, app, clock):
    # wire/nextmv.md 3.3.3: without a token the previous `since` is repeated; without a
    # hint the official client would spin.
    logs = f"{HOST}{APP}/runs/r-1/logs/live"
    web.answer("GET", logs, live(["a"], "running", "t1"))
    web.answer("GET", f"{logs}?since=t1", live(["b"], "running"))
    web.answer("GET", f"{logs}?since=t1", live(["b"], "running"))
    web.answer("GET", f"{logs}?since=t1", live(["b", "c"], "succeeded"))
    web.answer("GET", f"{logs}?since=t1", live(["b", "c"], "succeeded"))
    web.answer("GET", f"{logs}?since=t1", live(["b", "c"], "succeeded"))
    seen = [event.message async for event in app.run("r-1").logs()]
    assert seen == ["a", "b", "c"]
    assert clock.slept


async def test_nextmv_a_list_that_would_never_end_is_left_for_single_reads(web, app):
    page = {"runs": [], "next_page_token": "t"}
    web.answer("GET", f"{HOST}{APP}/runs?pagereturn=true", page)
    refs = [app.run(f"r-{n}").ref for n in range(9)]
    for ref in refs:
        done = metadata("succeeded")
        web.answer("GET", f"{HOST}{APP}/runs/{ref.id}/metadata", done)
    statuses = await app.client.runs.platform.read_states(refs, {})
    assert {status.state for status in statuses.values()} == {RunState.SUCCEEDED}
    assert len(web.lines) == 10


async def test_nextmv_a_submission_in_doubt_is_looked_for_and_not_repeated(web, app):
    web.answer("POST", f"{HOST}{APP}/runs", status=503, body=b"busy")
    web.answer("GET", f"{HOST}{APP}/runs?pagereturn=true", {"runs": [row("r-0")]})
    mine = row("r-1", description="nightly [k]")
    web.answer("GET", f"{HOST}{APP}/runs?pagereturn=true", {"runs": [mine]})
    run = await app.submit({}, description="nightly", key="k")
    assert run.id == "r-1"
    assert [method for method, *_ in web.sent] == ["POST", "GET", "GET"]


async def test_nextmv_a_submission_that_left_no_trace_is_repeated(web, app):
    web.answer("POST", f"{HOST}{APP}/runs", status=503, body=b"busy")
    for _ in range(4):
        web.answer("GET", f"{HOST}{APP}/runs?pagereturn=true", {"runs": []})
    web.answer("POST", f"{HOST}{APP}/runs", {"run_id": "r-1"})
    run = await app.submit({}, key="k")
    assert run.id == "r-1"
    assert [method for method, *_ in web.sent] == ["POST", *["GET"] * 4, "POST"]
    first, *_, last = sent(web)
    assert first == last


async def test_nextmv_a_submission_that_cannot_be_looked_for_stays_in_doubt(web, app):
    web.answer("POST", f"{HOST}{APP}/runs", body=b"<html>", kind="text/html")
    for _ in range(4):
        web.answer("GET", f"{HOST}{APP}/runs?pagereturn=true", [row("r-1")])
    with pytest.raises(OutcomeUnknown, match="could not be looked for") as caught:
        await app.submit({}, key="k")
    assert caught.value.maybe_acted
    assert [method for method, *_ in web.sent].count("POST") == 1


# -- Kubeflow ----------------------------------------------------------------------

RUNS = "/apis/v1beta1/runs"
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: train-}
spec: {entrypoint: main, templates: [{name: main, container: {image: a, command: [b]}}]}
"""


@pytest.fixture
def kubeflow(session):
    return Kubeflow(HOST, token="key", session=session)


def oldest(web):
    """A server of a 1.x release, which takes no ids from clients."""
    web.answer("GET", f"{HOST}/apis/v2beta1/healthz", status=404, body=b"Not Found")
    web.answer("GET", f"{HOST}/apis/v1beta1/healthz", {"multi_user": False})


def newer(web):
    web.answer("GET", f"{HOST}/apis/v2beta1/healthz", {"multi_user": False})


async def test_kubeflow_submit_asks_what_the_server_is_once(web, kubeflow):
    oldest(web)
    for number in (1, 2):
        web.answer("POST", f"{HOST}{RUNS}", {"run": {"id": f"r-{number}"}})
    pipeline = kubeflow.pipeline("p-1")
    first = await pipeline.submit({"lr": 0.1}, name="train", key="k1")
    second = await pipeline.submit({"lr": 0.2}, name="train", key="k2")
    assert (first.id, second.id) == ("r-1", "r-2")
    _, _, one, two = sent(web)
    assert one == (
        "POST",
        RUNS,
        BEARER | JSON,
        {
            "name": "train [k1]",
            "pipeline_spec": {
                "pipeline_id": "p-1",
                "parameters": [{"name": "lr", "value": "0.1"}],
            },
        },
    )
    assert two[3]["name"] == "train [k2]"


async def test_kubeflow_a_submission_in_doubt_is_found_by_its_name(web, kubeflow):
    oldest(web)
    web.answer("POST", f"{HOST}{RUNS}", status=503)
    others = [{"id": "r-0", "name": "TRAIN [k]"}, {"id": "r-1", "name": "train [k]"}]
    web.answer("GET", re.compile(f"{HOST}{RUNS}.*filter="), {"runs": others})
    run = await kubeflow.pipeline(manifest=ARGO).submit(name="train", key="k")
    assert run.id == "r-1"
    assert [method for method, *_ in web.sent] == ["GET", "GET", "POST", "GET"]
    asked = json.loads(URL(web.sent[-1][1]).query["filter"])
    assert asked == {
        "predicates": [{"op": "EQUALS", "key": "name", "string_value": "train [k]"}]
    }


async def test_kubeflow_newer_servers_are_told_the_id(web, kubeflow):
    newer(web)
    web.answer("POST", f"{HOST}{RUNS}", {"run": {"id": "given"}})
    await kubeflow.pipeline("p-1").submit(key=None)
    body = sent(web)[-1][3]
    assert UUID(body["id"]).version == 5
    assert [method for method, *_ in web.sent].count("POST") == 1


async def test_kubeflow_many_states_are_one_listing(web, kubeflow):
    newer(web)
    rows = [{"id": f"r-{n}", "status": "Running"} for n in range(100)]
    web.answer("GET", re.compile(f"{HOST}{RUNS}.*filter="), {"runs": rows})
    refs = [kubeflow.run(f"r-{n}").ref for n in range(100)]
    statuses = await kubeflow.runs.platform.read_states(refs, {})
    assert {status.state for status in statuses.values()} == {RunState.RUNNING}
    assert len(statuses) == 100
    assert len(web.sent) == 2
    assert len(web.lines[-1]) < 8000


@pytest.mark.parametrize(("status", "raised"), [("Running", True), ("Failed", False)])
async def test_kubeflow_a_refused_termination_is_checked(web, kubeflow, status, raised):
    # wire/kubeflow.md 2.6: ended runs are refused, and so is much else.
    newer(web)
    web.answer("POST", f"{HOST}{RUNS}/r-1/terminate", status=400, body=b"{}")
    web.answer("GET", f"{HOST}{RUNS}/r-1", {"run": {"id": "r-1", "status": status}})
    run = kubeflow.run("r-1")
    if raised:
        with pytest.raises(BadRequest):
            await run.cancel()
    else:
        await run.cancel()
    assert sent(web)[1] == ("POST", f"{RUNS}/r-1/terminate", BEARER, None)


async def test_kubeflow_logs_of_the_web_ui_are_named(web, kubeflow):
    newer(web)
    workflow = {
        "metadata": {"name": "w"},
        "status": {"nodes": {"n": {"id": "n", "type": "Pod", "phase": "Running"}}},
    }
    detail = {
        "run": {"id": "r-1", "status": "Running"},
        "pipeline_runtime": {"workflow_manifest": json.dumps(workflow)},
    }
    web.answer("GET", f"{HOST}{RUNS}/r-1", detail, repeat=True)
    logs = re.compile(f"{HOST}/apis/v1alpha1/runs/r-1/nodes/.*/log")
    web.answer("GET", logs, body=b"<html>", kind="text/html", repeat=True)
    with pytest.raises(Unreadable, match="not that of the web UI"):
        await anext(kubeflow.run("r-1").logs())


# -- ABEJA -------------------------------------------------------------------------

DEPLOYMENT = "/organizations/100/deployments/200/runs"


@pytest.fixture
def deployment(session):
    client = Abeja("100", auth_token="key", url=HOST, session=session)
    return client.deployment("200")


def entry(run_id, status="RUNNING", key=None):
    return {
        "run_id": run_id,
        "status": status,
        "created_at": "2026-05-04T21:00:00.120000Z",
        "user_env_vars": {"AIORUNS_SUBMIT_KEY": key} if key else {},
    }


async def test_abeja_submit_is_one_request(web, deployment):
    web.answer("POST", f"{HOST}{DEPLOYMENT}", entry("run-1"))
    run = await deployment.submit("ver-1", environment={"A": "1"}, key="k")
    assert run.id == "run-1"
    assert sent(web) == [
        (
            "POST",
            DEPLOYMENT,
            BEARER | JSON,
            {
                "version_id": "ver-1",
                "environment": {"A": "1", "AIORUNS_SUBMIT_KEY": "k"},
            },
        )
    ]


async def test_abeja_a_submission_in_doubt_is_found_by_its_marker(web, deployment):
    web.fail("POST", f"{HOST}{DEPLOYMENT}", aiohttp.ServerDisconnectedError())
    page = {"entries": [entry("run-2", key="other"), entry("run-1", key="k")]}
    web.answer("GET", f"{HOST}{DEPLOYMENT}", page)
    assert (await deployment.submit("ver-1", key="k")).id == "run-1"
    assert [method for method, *_ in web.sent] == ["GET"]


async def test_abeja_states_singly_and_by_a_page(web, deployment):
    web.answer("GET", f"{HOST}{DEPLOYMENT}/run-1", entry("run-1", "STARTING"))
    assert await deployment.run("run-1").state() is RunState.QUEUED
    entries = [entry(f"run-{n}", "FAILED") for n in range(9)]
    web.answer("GET", f"{HOST}{DEPLOYMENT}", {"entries": entries})
    refs = [deployment.run(f"run-{n}").ref for n in range(9)]
    statuses = await deployment.runs.platform.read_states(refs, {})
    assert {status.state for status in statuses.values()} == {RunState.FAILED}
    assert len(web.sent) == 2


async def test_abeja_cannot_cancel_and_says_so_without_asking(web, deployment):
    with pytest.raises(NotSupported, match="goes on until it ends"):
        await deployment.run("run-1").cancel()
    assert web.sent == []


# -- Cloudify ----------------------------------------------------------------------

EXECUTIONS = "/api/v3.1/executions"
MANAGER = {"Authentication-Token": "key", "Tenant": "default_tenant"}


@pytest.fixture
def cloudify(session):
    return Cloudify(HOST, token="key", session=session)


def denied(action):
    return {"message": f"not permitted: {action}", "error_code": "forbidden_error"}


async def test_cloudify_submit_chooses_the_id_by_the_key(web, cloudify):
    for _ in range(2):
        web.answer("POST", f"{HOST}{EXECUTIONS}", {"id": "ignored"}, status=201)
    first = await cloudify.deployment("web").submit("scale", {"delta": 2}, key="k")
    again = await cloudify.deployment("web").submit("scale", {"delta": 2}, key="k")
    assert first.id == again.id
    post = sent(web)[-1]
    assert post[:3] == ("POST", EXECUTIONS, MANAGER | JSON)
    assert post[3]["id"] == first.id
    assert (post[3]["deployment_id"], post[3]["workflow_id"]) == ("web", "scale")
    assert post[3]["parameters"] == {"delta": 2}


async def test_cloudify_without_the_right_to_ids_the_key_is_a_parameter(web, cloudify):
    web.answer(
        "POST", f"{HOST}{EXECUTIONS}", denied("set_execution_details"), status=403
    )
    for number in (1, 2):
        web.answer("POST", f"{HOST}{EXECUTIONS}", {"id": f"e-{number}"}, status=201)
    deployment = cloudify.deployment("web")
    runs = [await deployment.submit("scale", key=key) for key in ("k1", "k2")]
    assert [run.id for run in runs] == ["e-1", "e-2"]
    refused, first, second = (body for *_, body in sent(web))
    assert "id" in refused
    assert "id" not in first | second
    assert first["parameters"] == {"_aioruns_key": "k1"}
    assert first["allow_custom_parameters"] is True


async def test_cloudify_an_id_that_is_there_is_the_run_of_the_key(web, cloudify):
    taken = {"message": "taken", "error_code": "conflict_error"}
    web.answer("POST", f"{HOST}{EXECUTIONS}", taken, status=409)
    mark = {"id": "x", "workflow_id": "scale"}
    web.answer("GET", re.compile(f"{HOST}{EXECUTIONS}/"), mark)
    run = await cloudify.deployment("web").submit("scale", key="k")
    assert run.id in web.lines[-1]


async def test_cloudify_a_busy_deployment_is_a_plain_refusal(web, cloudify):
    busy = {"message": "busy", "error_code": "existing_running_execution_error"}
    web.answer("POST", f"{HOST}{EXECUTIONS}", busy, status=400)
    with pytest.raises(BadRequest, match="400 busy") as caught:
        await cloudify.deployment("web").submit("scale", key="k")
    assert caught.value.code == "existing_running_execution_error"
    assert len(web.sent) == 1


async def test_cloudify_eighty_states_are_one_listing(web, cloudify):
    rows = [{"id": f"e-{n}", "status": "terminated"} for n in range(80)]
    page = {"items": rows, "metadata": {"pagination": {"total": 80}}}
    web.answer("GET", re.compile(f"{HOST}{EXECUTIONS}.*id="), page)
    refs = [cloudify.deployment("web").run(f"e-{n}").ref for n in range(80)]
    statuses = await cloudify.runs.platform.read_states(refs, {})
    assert {status.state for status in statuses.values()} == {RunState.SUCCEEDED}
    assert len(statuses) == 80
    assert len(web.sent) == 1


@pytest.mark.parametrize(
    ("status", "raised"),
    [("terminated", False), ("cancelling", False), ("started", True)],
)
async def test_cloudify_a_refused_cancel_is_checked(web, cloudify, status, raised):
    refused = {"message": "no", "error_code": "illegal_action_error"}
    web.answer("POST", f"{HOST}{EXECUTIONS}/e-1", refused, status=400)
    state = {"id": "e-1", "status": status}
    web.answer("GET", re.compile(f"{HOST}{EXECUTIONS}/e-1"), state)
    run = cloudify.deployment("web").run("e-1")
    if raised:
        with pytest.raises(BadRequest):
            await run.cancel()
    else:
        await run.cancel()
    assert sent(web)[0] == (
        "POST",
        f"{EXECUTIONS}/e-1",
        MANAGER | JSON,
        {"action": "cancel"},
    )
