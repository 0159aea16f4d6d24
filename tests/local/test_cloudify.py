"""The Cloudify façade over real HTTP, request by request (wire/cloudify.md)."""

import asyncio
import json
import re
import sys
from base64 import b64encode
from itertools import pairwise

import aiohttp
import pytest

from aioruns.local import Command, Fault, LocalServer, State

TOKEN = "local-token"
HEADERS = {
    "Authentication-Token": TOKEN,
    "Tenant": "default_tenant",
    "Content-Type": "application/json",
}
API = "/api/v3.1"
ENDED = {"terminated", "failed", "cancelled"}
KEYS = {
    *("created_at", "visibility", "id", "ended_at", "error", "is_system_workflow"),
    *("parameters_p", "parameters", "status", "workflow_id", "started_at"),
    *("scheduled_for", "is_dry_run", "resume", "total_operations"),
    *("finished_operations", "allow_custom_parameters", "blueprint_id"),
    *("deployment_display_name", "deployment_id", "status_display", "tenant_name"),
    *("created_by", "resource_availability", "private_resource"),
}


class Programs:
    """Workflows of the deployments `web` and `db`, and what they are told."""

    def __init__(self):
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.seen = []

    async def echo(self, job):
        self.seen.append((json.loads(job.stdin), dict(job.env)))
        await job.log("to stderr")
        return "one\ntwo\n"

    async def wait(self, job):
        await job.log("waiting")
        await self.go.wait()
        return "released\n"

    async def stubborn(self, _):
        try:
            self.begun.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "went on\n"

    async def fail(self, _):
        raise RuntimeError("no luck")

    async def flaky(self, _):
        self.seen.append("flaky")
        if len(self.seen) == 1:
            raise RuntimeError("not yet")
        return "now\n"


class Api:
    """One session with credentials, and what every test does."""

    def __init__(self, session, programs, facade):
        self.session = session
        self.programs = programs
        self.facade = facade

    async def call(self, method, path, *, status=200, body=None, **kwargs):
        if body is not None:
            kwargs["data"] = json.dumps(body)
        path = path if path.startswith("/api") else API + path
        async with self.session.request(method, path, **kwargs) as response:
            raw = await response.read()
            assert response.status == status, raw
            if response.content_type == "application/json":
                return json.loads(raw)
            return raw.decode()

    async def get(self, path, **kwargs):
        return await self.call("GET", path, **kwargs)

    async def refused(self, method, path, status, code, **kwargs):
        body = await self.call(method, path, status=status, **kwargs)
        assert body["error_code"] == code, body
        assert body["server_traceback"] is None
        assert body["message"]
        return body["message"]

    async def start(self, workflow, deployment="web", **fields):
        body = {"deployment_id": deployment, "workflow_id": workflow, **fields}
        return await self.call("POST", "/executions", status=201, body=body)

    async def act(self, execution, action, **kwargs):
        path = f"/executions/{execution['id']}"
        return await self.call("POST", path, body={"action": action}, **kwargs)

    async def patch(self, execution, status, code=200, **fields):
        path = f"/executions/{execution['id']}"
        return await self.call(
            "PATCH", path, status=code, body={"status": status, **fields}
        )

    async def until(self, execution, *statuses):
        wanted = set(statuses) or ENDED
        async with asyncio.timeout(10):
            while True:
                now = await self.get(f"/executions/{execution['id']}")
                if now["status"] in wanted:
                    return now
                await asyncio.sleep(0.01)

    async def ids(self, query=""):
        listed = await self.get(f"/executions{query}")
        return [each["id"] for each in listed["items"]]

    async def rows(self, query):
        return (await self.get(f"/events?{query}"))["items"]


@pytest.fixture
async def api(server: LocalServer):
    programs = Programs()
    facade = server.cloudify
    for name in ("echo", "wait", "stubborn", "fail", "flaky"):
        facade.register("web", name, getattr(programs, name), blueprint_id="bp")
        facade.register("db", name, getattr(programs, name))
    facade.register("web", "scale", programs.echo, parameters={"delta": 1, "to": "x"})
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
        yield Api(session, programs, facade)


# -- admission -----------------------------------------------------------------


def basic(user, password):
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "unauthorized_error"),
        ({"Authentication-Token": "other"}, 401, "unauthorized_error"),
        ({"Authorization": basic("admin", "no")}, 401, "unauthorized_error"),
        ({"Authorization": basic("eve", TOKEN)}, 401, "unauthorized_error"),
        ({"Execution-Token": TOKEN}, 401, "unauthorized_error"),
        # the first way in decides (1.2)
        (
            {"Authorization": basic("admin", "no"), "Authentication-Token": TOKEN},
            401,
            "unauthorized_error",
        ),
        ({"Authentication-Token": TOKEN}, 403, "forbidden_error"),
        ({"Authentication-Token": TOKEN, "Tenant": "x"}, 403, "forbidden_error"),
    ],
)
async def test_refuses_credentials(server, headers, status, code):
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as session,
        session.get(f"{API}/executions") as response,
    ):
        assert response.status == status
        assert await response.json() == {
            "message": (await response.json())["message"],
            "error_code": code,
            "server_traceback": None,
        }


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"Authentication-Token": TOKEN}, "token"),
        ({"Authorization": basic("admin", TOKEN)}, "http_basic"),
        # a user that begins with no letter is no user (1.2)
        ({"Authorization": basic("1", "x"), "Authentication-Token": TOKEN}, "token"),
    ],
)
async def test_admits(server, headers, method):
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        async with session.get(f"{API}/executions?_all_tenants=TRUE") as response:
            assert response.status == 200
            assert response.headers["X-Cloudify-Audit-Auth-Method"] == method
            assert response.headers["X-Cloudify-Audit-Tenant"] == "default_tenant"
            assert response.headers["X-Cloudify-Audit-Username"] == "admin"
            assert response.headers["Vary"] == "Cookie"
            assert response.headers["Content-Type"] == "application/json"
        async with session.get("/api/version") as response:
            assert (await response.json())["version"] == "7.0.5"


async def test_pages_of_html(api):
    long = "&".join(f"id={n:036}" for n in range(120))
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/executions/", 404),
        ("GET", "/api/v2/executions", 404),
        ("DELETE", "/executions/x", 405),
        ("GET", f"/executions?{long}", 414),
    ):
        answer = await api.call(method, path, status=status)
        assert answer.startswith("<!doctype html>")
    short = "&".join(f"id={n:036}" for n in range(100))
    assert await api.ids(f"?{short}") == []


@pytest.mark.parametrize(
    ("kind", "code", "traceback"),
    [
        ("500", "internal_server_error", "An injected fault answers 500."),
        ("503", "maintenance_mode_active", "NoneType: None"),
    ],
)
async def test_faults_answer_as_the_manager(server, api, kind, code, traceback):
    server.faults.add(Fault(kind, route="GET /api/v3.1/executions"))
    body = await api.get("/executions", status=int(kind))
    assert (body["error_code"], body["server_traceback"]) == (code, traceback)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "text/plain", "APPLICATION/JSON"]
)
async def test_content_type_is_exact(api, kind):
    await api.refused(
        "POST",
        "/executions",
        415,
        "unsupported_content_type_error",
        body={},
        headers={"Content-Type": kind},
    )


# -- starting ------------------------------------------------------------------


async def test_from_start_to_end(api):
    started = await api.start("echo", parameters={"n": 3, "who": "me"})
    assert started.keys() == KEYS
    expected = {
        "status": "pending",
        "status_display": "pending",
        "deployment_id": "web",
        "deployment_display_name": "web",
        "blueprint_id": "bp",
        "workflow_id": "echo",
        "parameters": {"n": 3, "who": "me"},
        "error": None,
        "started_at": None,
        "ended_at": None,
        "scheduled_for": None,
        "is_dry_run": False,
        "resume": False,
        "is_system_workflow": False,
        "allow_custom_parameters": False,
        "created_by": "admin",
        "tenant_name": "default_tenant",
        "visibility": "tenant",
    }
    assert started.items() >= expected.items()

    ended = await api.until(started)
    assert ended["status"] == "terminated"
    assert ended["status_display"] == "completed"
    assert ended["error"] == ""
    stamps = [ended["created_at"], ended["started_at"], ended["ended_at"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", s) for s in stamps)
    assert stamps == sorted(stamps)

    (parameters, env) = api.programs.seen[0]
    assert parameters == {"n": 3, "who": "me"}
    assert (env["N"], env["WHO"]) == ("3", "me")


async def test_a_real_program(api):
    program = "import os, sys; print(os.environ['X'], sys.stdin.read()); sys.exit(3)"
    api.facade.register("web", "real", Command((sys.executable, "-c", program)))
    started = await api.start("real", parameters={"x": [1]})
    ended = await api.until(started)
    assert ended["status"] == "failed"
    assert ended["error"]
    logs = await api.rows(f"execution_id={started['id']}&type=cloudify_log")
    assert [log["message"] for log in logs] == ['[1] {"x":[1]}']


async def test_what_the_official_client_sends(api):
    null = dict.fromkeys(
        (
            *("parameters", "scheduled_time", "force_status", "id", "created_by"),
            *("created_at", "started_at", "ended_at", "is_system_workflow", "error"),
        )
    )
    flags = ("allow_custom_parameters", "force", "dry_run", "queue")
    started = await api.start(
        "echo", wait_after_fail=600, **null, **dict.fromkeys(flags, "False")
    )
    assert started["parameters"] == {}
    assert (await api.until(started))["status"] == "terminated"


@pytest.mark.parametrize(
    "fields",
    [
        {"deployment_id": None},
        {"deployment_id": 1},
        {"workflow_id": None},
        {"parameters": []},
        {"parameters": "x"},
        {"force": None},
        {"queue": 1},
        {"dry_run": "yes"},
        {"allow_custom_parameters": None},
        {"force_status": "odd"},
        {"force_status": "failed", "scheduled_time": "2099-01-01"},
        {"created_at": "yesterday"},
        {"id": 7},
        {"is_system_workflow": "true"},
        {"wait_after_fail": "long"},
        {"created_by": "nobody"},
    ],
)
async def test_refuses_fields(api, fields):
    body = {"deployment_id": "web", "workflow_id": "echo", **fields}
    await api.refused("POST", "/executions", 400, "bad_parameters_error", body=body)
    assert await api.ids() == []


async def test_refuses_bodies(api):
    start = "/executions"
    answer = await api.call("POST", start, status=400, data="{")
    assert answer.startswith("<!doctype html>")
    await api.refused("POST", start, 400, "bad_parameters_error", body=[])
    message = await api.refused("POST", start, 400, "bad_parameters_error", body={})
    assert "deployment_id" in message
    for fields, status, code in (
        ({"deployment_id": "no", "workflow_id": "echo"}, 404, "not_found_error"),
        (
            {"deployment_id": "web", "workflow_id": "no"},
            400,
            "nonexistent_workflow_error",
        ),
        ({"deployment_id": "", "workflow_id": "no"}, 400, "nonexistent_workflow_error"),
        (
            {"deployment_id": "web", "workflow_id": "scale", "parameters": {"a": 1}},
            400,
            "illegal_execution_parameters_error",
        ),
    ):
        await api.refused("POST", start, status, code, body=fields)
    assert await api.ids() == []


async def test_declared_parameters(api):
    first = await api.start("scale", parameters={"delta": 2})
    assert first["parameters"] == {"delta": 2, "to": "x"}
    await api.until(first)
    second = await api.start(
        "scale", parameters={"more": 1}, allow_custom_parameters="TRUE"
    )
    assert second["parameters"] == {"delta": 1, "to": "x", "more": 1}
    assert second["allow_custom_parameters"] is True


async def test_own_ids(server, api):
    path = "/executions/mine%20%2F%201"
    started = await api.start("echo", id="mine / 1")
    assert started["id"] == "mine / 1"
    again = {"deployment_id": "web", "workflow_id": "echo", "id": "mine / 1"}
    for _ in range(2):  # while it runs, and when it has ended
        await api.refused("POST", "/executions", 409, "conflict_error", body=again)
        await server.engine.ended("cloudify", "mine / 1")
        assert (await api.get(path))["status"] == "terminated"

    api.facade.may_choose_ids = False
    for fields, permission in (
        ({"id": "x"}, "set_execution_details"),
        ({"error": "x"}, "set_execution_details"),
        ({"created_by": "admin"}, "set_owner"),
        ({"created_at": "2024-01-01"}, "set_timestamp"),
    ):
        body = {"deployment_id": "web", "workflow_id": "echo", **fields}
        message = await api.refused(
            "POST", "/executions", 403, "forbidden_error", body=body
        )
        assert permission in message
    await api.until(await api.start("echo", id=None))


async def test_parallel_starts_with_one_id_make_one(api):
    body = {"deployment_id": "web", "workflow_id": "wait", "id": "one", "force": True}

    async def send():
        async with api.session.post(f"{API}/executions", json=body) as response:
            return response.status

    answers = await asyncio.gather(*(send() for _ in range(8)))
    assert sorted(answers) == [201, *[409] * 7]
    assert await api.ids() == ["one"]


async def test_dry_run_does_nothing(api):
    ended = await api.until(await api.start("echo", dry_run="true"))
    assert ended["is_dry_run"] is True
    assert ended["status"] == "terminated"
    assert api.programs.seen == []
    events = await api.rows(f"execution_id={ended['id']}")
    kinds = [event["event_type"] for event in events]
    assert kinds == ["workflow_started", "workflow_succeeded"]


# -- a busy deployment ---------------------------------------------------------


async def test_busy_deployment(api):
    first = await api.start("wait")
    await api.until(first, "started")
    body = {"deployment_id": "web", "workflow_id": "echo"}
    message = await api.refused(
        "POST", "/executions", 400, "existing_running_execution_error", body=body
    )
    assert first["id"] in message
    assert await api.ids() == [first["id"]]

    other = await api.start("echo", "db")
    assert other["status"] == "pending"
    forced = await api.start("echo", force="true")
    assert forced["status"] == "pending"
    await api.until(forced)

    queued = [await api.start("echo", queue=True) for _ in range(3)]
    assert [each["status"] for each in queued] == ["queued"] * 3
    shown = [await api.get(f"/executions/{each['id']}") for each in queued]
    assert [each["status"] for each in shown] == ["queued"] * 3

    path = f"/executions/{queued[0]['id']}/should-start"
    assert await api.get(path) is False
    assert await api.get(f"/executions/{other['id']}/should-start") is True

    api.programs.go.set()
    ended = [await api.until(each) for each in queued]
    assert [each["status"] for each in ended] == ["terminated"] * 3
    for before, after in pairwise(ended):
        assert before["ended_at"] <= after["started_at"]


async def test_queued_execution_can_be_cancelled(api):
    first = await api.start("wait")
    queued = await api.start("echo", queue=True)
    behind = await api.start("echo", queue=True)
    assert (await api.act(queued, "cancel"))["status"] == "cancelling"
    assert (await api.until(queued))["status"] == "cancelled"
    assert (await api.get(f"/executions/{behind['id']}"))["status"] == "queued"
    api.programs.go.set()
    await api.until(first)
    await api.until(behind)


async def test_queue_moves_although_states_are_shown_late(server, api):
    first = await api.start("wait")
    queued = await api.start("echo", queue=True)
    server.faults.add(Fault("stale-state", seconds=30))
    api.programs.go.set()
    await server.engine.ended("cloudify", first["id"])
    async with asyncio.timeout(5):
        await server.engine.ended("cloudify", queued["id"])
    assert (await api.get(f"/executions/{first['id']}"))["status"] == "pending"
    server.faults.clear()
    assert (await api.get(f"/executions/{first['id']}"))["status"] == "terminated"


async def test_system_workflow_goes_alone(api):
    api.facade.register("", "snapshot", api.programs.wait)
    system = await api.start("snapshot", "")
    assert system["deployment_id"] is None
    assert system["is_system_workflow"] is True
    assert system["status"] == "pending"
    blocked = await api.start("echo", force=True)
    assert blocked["status"] == "queued"
    assert await api.ids() == [blocked["id"]]
    both = [system["id"], blocked["id"]]
    assert await api.ids("?_include_system_workflows=True") == both
    assert await api.ids("?is_system_workflow=true") == [system["id"]]
    api.programs.go.set()
    assert (await api.until(blocked))["status"] == "terminated"


# -- reports and actions -------------------------------------------------------


async def test_cancel_running(api):
    started = await api.start("wait")
    await api.until(started, "started")
    answer = await api.act(started, "cancel")
    assert (answer["status"], answer["error"]) == ("cancelling", "")
    ended = await api.until(started)
    assert (ended["status"], ended["error"]) == ("cancelled", "")
    assert ended["ended_at"]
    last = (await api.rows(f"execution_id={started['id']}&_sort=-_storage_id"))[0]
    assert last["event_type"] == "workflow_cancelled"
    await api.refused(
        "POST",
        f"/executions/{started['id']}",
        400,
        "illegal_action_error",
        body={"action": "cancel"},
    )


async def test_ignored_cancel_fails(api):
    started = await api.start("stubborn")
    await api.programs.begun.wait()
    await api.act(started, "force-cancel")
    # the worker reports a success, which is refused, and then a failure (3.2.1)
    assert (await api.until(started))["status"] == "failed"


FORCED = (
    *("pending", "started", "queued", "scheduled", "cancelling", "force_cancelling"),
    *("kill_cancelling", "terminated", "failed", "cancelled"),
)
# wire/cloudify.md 3.2.2; the rows in the order of FORCED
ACTIONS = {
    "cancel": ["cancelling"] * 4 + [400] * 6,
    "force-cancel": ["force_cancelling"] * 5 + [400] * 5,
    "kill": ["kill_cancelling"] * 10,
    "requeue": ["cancelling"] * 4 + [400] * 6,
    "resume": [409, "pending", *[409] * 6, "pending", "pending"],
    "force-resume": [*[409] * 8, "pending", "pending"],
}


@pytest.mark.parametrize("action", ACTIONS)
async def test_what_actions_do(api, action):
    api.facade.defects.kill_takes_ended = True
    api.facade.defects.requeue_cancels = True
    codes = {400: "illegal_action_error", 409: "conflict_error"}
    for status, outcome in zip(FORCED, ACTIONS[action], strict=True):
        made = await api.start("echo", force_status=status)
        assert made["status"] == status
        if outcome in codes:
            path = f"/executions/{made['id']}"
            await api.refused(
                "POST", path, outcome, codes[outcome], body={"action": action}
            )
            assert (await api.get(path))["status"] == status
        else:
            assert (await api.act(made, action))["status"] == outcome
            expected = "terminated" if outcome == "pending" else "cancelled"
            assert (await api.until(made, expected))["status"] == expected


async def test_kill_refuses_what_has_ended(api):
    for status in FORCED:
        made = await api.start("echo", force_status=status)
        if status in ENDED:
            await api.act(made, "kill", status=400)
        else:
            assert (await api.act(made, "kill"))["status"] == "kill_cancelling"


async def test_requeue_puts_what_waits_back_in_line(api):
    for status in FORCED:
        made = await api.start("echo", force_status=status)
        if status in {"pending", "queued", "scheduled"}:
            assert (await api.act(made, "requeue"))["status"] == "queued"
            assert (await api.until(made))["status"] == "terminated"
        else:
            await api.act(made, "requeue", status=400)
            if status not in ENDED:
                await api.patch(made, "failed")


async def test_refuses_actions(api):
    path = "/executions/none"
    await api.refused("POST", path, 404, "not_found_error", body={"action": "cancel"})
    await api.refused("GET", path, 404, "not_found_error")
    made = await api.start("echo", force_status="failed")
    path = f"/executions/{made['id']}"
    for body in ({}, {"action": "dance"}, {"action": None}):
        await api.refused("POST", path, 400, "bad_parameters_error", body=body)


async def test_resume_runs_again(api):
    started = await api.start("flaky")
    failed = await api.until(started)
    assert failed["status"] == "failed"
    assert "not yet" in failed["error"]
    answer = await api.act(started, "resume")
    assert answer["status"] == "pending"
    assert answer["resume"] is True
    assert answer["ended_at"] is None
    assert answer["error"] == failed["error"]
    ended = await api.until(started, "terminated")
    assert ended["error"] == ""
    assert ended["resume"] is True
    assert ended["started_at"] >= failed["started_at"]
    events = await api.rows(f"execution_id={started['id']}&type=cloudify_event")
    assert [event["event_type"] for event in events] == [
        *("workflow_started", "workflow_failed"),
        *("workflow_started", "workflow_succeeded"),
    ]


async def test_restored_execution(api):
    made = await api.start(
        "echo",
        force_status="failed",
        created_at="2024-05-01T10:00:00.123999",
        started_at="2024-05-01T12:00:01+02:00",
        ended_at="2024-05-01T10:00:02Z",
        error="it broke",
    )
    expected = {
        "status": "failed",
        "created_at": "2024-05-01T10:00:00.123Z",
        "started_at": "2024-05-01T10:00:01.000Z",
        "ended_at": "2024-05-01T10:00:02.000Z",
        "error": "it broke",
    }
    assert made.items() >= expected.items()
    assert (await api.get(f"/executions/{made['id']}")) == made
    assert await api.rows(f"execution_id={made['id']}") == []
    by_moment = "?created_at=2024-05-01T10:00:00.123999"
    assert await api.ids(by_moment) == [made["id"]]
    assert await api.ids("?created_at=2024-05-01T10:00:00.123Z") == []


# wire/cloudify.md 3.2.3
AFTER = {
    **{status: set(FORCED) for status in (*FORCED[:4], "kill_cancelling")},
    "cancelling": {"cancelling", "queued", "scheduled", "failed", "cancelled"},
    "force_cancelling": {
        *("force_cancelling", "queued", "scheduled", "failed", "cancelled"),
    },
    **{status: {status} for status in ENDED},
}


@pytest.mark.parametrize("current", FORCED)
async def test_what_workers_may_report(api, current):
    for target in FORCED:
        made = await api.start("wait", force_status=current)
        allowed = target in AFTER[current]
        answer = await api.patch(made, target, 200 if allowed else 400)
        if allowed:
            assert (answer["status"], answer["error"]) == (target, "")
            assert (answer["ended_at"] is not None) == (
                target in ENDED and current not in ENDED
            )
            # a report ends it, so that what is queued is left for another moment
            await api.patch(made, target)
        else:
            assert answer["error_code"] == "invalid_exception_status_update"


async def test_report_frees_the_deployment(api):
    first = await api.start("echo", force_status="started")
    queued = await api.start("echo", queue=True)
    assert queued["status"] == "queued"
    answer = await api.patch(first, "failed", error="worker died")
    assert answer["error"] == "worker died"
    assert (await api.until(queued))["status"] == "terminated"
    path = f"/executions/{first['id']}"
    await api.refused("PATCH", path, 400, "bad_parameters_error", body={})
    body = {"status": "odd"}
    await api.refused("PATCH", path, 400, "invalid_exception_status_update", body=body)
    await api.refused("PATCH", "/executions/no", 404, "not_found_error", body=body)


# -- lists ---------------------------------------------------------------------


@pytest.fixture
async def five(api):
    """Restored executions with known times: e0 to e4, the odd ones of `db`."""
    for n in range(5):
        await api.start(
            "echo",
            "db" if n % 2 else "web",
            id=f"e{n}",
            force_status="terminated" if n < 3 else "failed",
            created_at=f"2024-05-01T10:00:0{n}Z",
            started_at=None if n == 1 else f"2024-05-01T11:00:0{9 - n}Z",
        )
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "01234"),
        ("_sort=-created_at&_sort=id", "43210"),
        ("_sort=%2Bid", "01234"),
        ("_sort=deployment_id&_sort=-id", "31420"),
        ("_sort=-started_at", "10234"),
        ("_size=2", "01"),
        ("_size=2&_offset=1", "12"),
        ("_size=0", ""),
        ("_offset=9", ""),
        ("_size=1&_get_all_results=true", "01234"),
        ("id=e1&id=e3&id=zz", "13"),
        ("id=e1&id=e2&deployment_id=db", "1"),
        ("status=failed", "34"),
        ("status=Failed", ""),
        ("status=odd", ""),
        ("status_display=completed", "012"),
        ("is_dry_run=FALSE", "01234"),
        ("total_operations=0", "01234"),
        ("parameters=%7B%7D", ""),
        ("_group_id=g", ""),
        ("execution_group_id=g", ""),
        ("_range=created_at,2030-01-01,", "01234"),
        ("_get_data=True&_all_tenants=true", "01234"),
    ],
)
async def test_lists(five, query, expected):
    assert "".join(i.removeprefix("e") for i in await five.ids(f"?{query}")) == expected


async def test_list_envelope(five):
    listed = await five.get("/executions?_size=2&_offset=1&_include=id,status")
    assert listed == {
        "metadata": {
            "pagination": {"total": 5, "size": 2, "offset": 1},
            "filtered": None,
        },
        "items": [
            {"id": "e1", "status": "terminated"},
            {"id": "e2", "status": "terminated"},
        ],
    }
    everything = await five.get("/executions?_get_all_results=True&_size=1")
    assert everything["metadata"]["pagination"]["size"] == 1000
    assert everything["items"][0].keys() == KEYS
    first = await five.get("/executions?_include=id&_include=odd&_size=1")
    assert first["items"] == [{"id": "e0"}]
    assert (await five.get("/executions/e0?_include=id")) == {"id": "e0"}


@pytest.mark.parametrize(
    ("query", "code", "bare"),
    [
        ("_include=id, status", "no_such_include_field_error", False),
        ("_include=token", "no_such_include_field_error", False),
        ("token=x", "bad_parameters_error", False),
        ("colour=red", "bad_parameters_error", False),
        ("is_dry_run=1", "bad_parameters_error", False),
        ("_all_tenants=maybe", "bad_parameters_error", False),
        ("_size=-1", "bad_parameters_error", True),
        ("_size=x", "bad_parameters_error", True),
        ("_offset=1.5", "bad_parameters_error", True),
        ("_sort=colour", "bad_parameters_error", True),
        ("_sort=+id", "bad_parameters_error", True),
        ("_sort=id,status", "bad_parameters_error", True),
    ],
)
async def test_refuses_queries(api, query, code, bare):
    body = await api.get(f"/executions?{query}", status=400)
    assert body["error_code"] == code
    assert ("server_traceback" not in body) == bare


# -- deletion ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "query", "left"),
    [
        ({}, "", ["run"]),
        ({}, "?deployment_id=db", ["e0", "e2", "e4", "run"]),
        ({}, "?status=failed", ["e0", "e1", "e2", "run"]),
        ({"keep_last": 2}, "", ["e3", "e4", "run"]),
        ({"keep_last": 9}, "", ["e0", "e1", "e2", "e3", "e4", "run"]),
        ({"to_datetime": "2024-05-01T10:00:02"}, "", ["e2", "e3", "e4", "run"]),
        ({"to_datetime": "2024-05-01 10:00:02.5"}, "", ["e3", "e4", "run"]),
        ({"to_datetime": "2024-05-01T10:00:02.000001Z"}, "", ["e3", "e4", "run"]),
    ],
)
async def test_deletes(five, body, query, left):
    await five.start("echo", id="run", force_status="started")
    answer = await five.call("DELETE", f"/executions{query}", body=body)
    assert answer["metadata"] == {"pagination": {}}
    assert answer["items"] == [{"count": 6 - len(left)}]
    assert await five.ids() == left


async def test_deletes_with_events(api):
    ended = await api.until(await api.start("echo"))
    assert len(await api.rows("")) == 5
    assert (await api.call("DELETE", "/executions", body={}))["items"][0]["count"] == 1
    assert await api.rows("") == []
    await api.refused("GET", f"/executions/{ended['id']}", 404, "not_found_error")


@pytest.mark.parametrize(
    "body",
    [
        {"keep_last": 0},
        {"keep_last": -1},
        {"keep_last": "2"},
        {"keep_last": True},
        {"to_datetime": "2024-05-01T10:00:00+00:00"},
        {"to_datetime": "2024-05-01T10:00:00Z"},
        {"to_datetime": "2024-13-01"},
        {"to_datetime": None},
        {"to_datetime": "2024-05-01", "keep_last": 1},
    ],
)
async def test_refuses_deletions(five, body):
    await five.refused("DELETE", "/executions", 400, "bad_parameters_error", body=body)
    assert len(await five.ids()) == 5


async def test_deletion_needs_a_body(api):
    bare = {"Content-Type": "application/json"}
    answer = await api.call("DELETE", "/executions", status=400, headers=bare)
    assert answer.startswith("<!doctype html>")


# -- events --------------------------------------------------------------------


async def test_events_of_a_run(api):
    ended = await api.until(await api.start("echo"))
    listed = await api.get(f"/events?execution_id={ended['id']}&_sort=_storage_id")
    assert listed["metadata"] == {
        "pagination": {"size": 10000, "offset": 0, "total": 5}
    }
    events = [row for row in listed["items"] if row["type"] == "cloudify_event"]
    logs = [row for row in listed["items"] if row["type"] == "cloudify_log"]
    assert [event["message"] for event in events] == [
        "'echo' workflow execution started",
        "'echo' workflow execution succeeded",
    ]
    assert [(log["logger"], log["message"]) for log in logs] == [
        ("stderr", "to stderr"),
        ("stdout", "one"),
        ("stdout", "two"),
    ]
    assert {log["level"] for log in logs} == {"info"}
    for row in listed["items"]:
        assert row["execution_id"] == ended["id"]
        assert row["execution_group_id"] is None
        assert row["workflow_id"] == "echo"
        assert row["deployment_id"] == "web"
        assert row["blueprint_id"] == "bp"
        assert row["timestamp"] <= row["reported_timestamp"]
    assert "event_type" not in logs[0]
    assert "level" not in events[0]
    assert "logger" not in events[0]
    # (type, _storage_id) is the key: the two tables share numbers
    ids = [row["_storage_id"] for row in listed["items"]]
    assert len(set(ids)) < len(ids)
    assert len({(row["type"], row["_storage_id"]) for row in listed["items"]}) == 5


async def test_last_event_precedes_the_terminal_status(api):
    for workflow in ("echo", "fail"):
        started = await api.start(workflow)
        ended = await api.until(started)
        rows = await api.rows(f"execution_id={started['id']}&_sort=reported_timestamp")
        kind = {"terminated": "succeeded"}.get(ended["status"], ended["status"])
        assert rows[-1]["event_type"] == f"workflow_{kind}"


@pytest.fixture
async def told(api):
    """One execution with events and logs of known times."""
    made = await api.start("echo", force_status="started", id="told")

    def stamp(second):
        return f"2024-05-01T10:00:0{second}.500999"

    def entry(second, text, **fields):
        when = {"timestamp": stamp(second), "reported_timestamp": stamp(second + 1)}
        return {"message": {"text": text}, "context": {}, **when, **fields}

    body = {
        "execution_id": "told",
        "agent_name": "a1",
        "manager_name": None,
        "events": [
            entry(2, "task is 100% done", event_type="task_succeeded"),
            {
                **entry(1, "Task began\0", event_type="task_started", operation="op.a"),
                "context": {"task_error_causes": [{"message": "m"}], "source_id": "s"},
            },
        ],
        "logs": [
            entry(3, "hello", level="debug", logger="ctx"),
            {
                **entry(0, "HELLO world", level="info", logger="ctx"),
                "context": {"operation": "op.b"},
            },
        ],
    }
    assert await api.call("POST", "/events", status=201, body=body) is None
    assert made["status"] == "started"
    return api


async def test_created_events(told):
    rows = {row["message"]: row for row in await told.rows("execution_id=told")}
    assert list(rows) == [
        "HELLO world",
        "Task began<NUL>",
        "task is 100% done",
        "hello",
    ]
    began, hello = rows["Task began<NUL>"], rows["HELLO world"]
    assert began["timestamp"] == "2024-05-01T10:00:01.500Z"
    assert began["reported_timestamp"] == "2024-05-01T10:00:02.500Z"
    assert began["event_type"] == "task_started"
    assert json.loads(began["error_causes"]) == [{"message": "m"}]
    assert (began["operation"], began["source_id"]) == ("op.a", "s")
    assert (began["agent_name"], began["manager_name"]) == ("a1", None)
    assert (hello["level"], hello["logger"]) == ("info", "ctx")
    assert (hello["operation"], hello["error_causes"]) == ("op.b", None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "3120"),
        ("_sort=-timestamp", "0213"),
        ("_sort=@timestamp", "3120"),
        ("_sort=-reported_timestamp&_size=2&_offset=1", "21"),
        ("type=cloudify_event", "12"),
        ("type=cloudify_log", "30"),
        ("type=cloudify_event&type=cloudify_log", "3120"),
        ("type=odd", ""),
        ("event_type=task_started&event_type=x", "1"),
        ("level=info", "3"),
        ("level=info&event_type=task_started", ""),
        ("message=hello", "0"),
        ("message=%25hello%25", "30"),
        ("message.text=h_llo%25", "30"),
        ("message=%25hello%25&message=%25world", "3"),
        ("message=%25100%25", "2"),
        ("operation=op.%25", "31"),
        ("execution_id=none", ""),
        ("execution_id=told&execution_id=none", "3120"),
        ("execution_group_id=g", ""),
        ("deployment_id=web", "3120"),
        ("deployment_id=db", ""),
        ("blueprint_id=bp", "3120"),
        ("node_id=n", ""),
        ("node_instance_id=n", ""),
        # from is inclusive and to exclusive, at microseconds
        ("_range=timestamp,2024-05-01T10:00:01.500999Z,", "120"),
        ("_range=timestamp,2024-05-01T10:00:01.501Z,", "20"),
        ("_range=@timestamp,,2024-05-01T10:00:01.500999", "3"),
        (
            "_range=reported_timestamp,2024-05-01T12:00:02%2B02:00,2024-05-01 10:00:03",
            "1",
        ),
        ("_range=timestamp,2030-01-01,&_range=timestamp,2024-01-01,", "3120"),
        (
            "_range=timestamp,2024-05-01,&_range=reported_timestamp,,2024-05-01T10:00:03",
            "31",
        ),
        ("_all_tenants=true", "3120"),
    ],
)
async def test_event_queries(told, query, expected):
    order = ["hello", "Task began<NUL>", "task is 100% done", "HELLO world"]
    rows = await told.rows(query)
    assert "".join(str(order.index(row["message"])) for row in rows) == expected


async def test_event_fields(told):
    rows = await told.rows("_include=message,odd&level=info")
    assert rows == [{"message": "HELLO world"}]
    assert await told.rows("_include=odd&level=info") == [{}]


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "_sort=colour",
        "_size=x",
        "_range=timestamp,,",
        "_range=timestamp,x,",
        "_range=timestamp",
        "_range=colour,2024-01-01,",
    ],
)
async def test_refuses_event_queries(api, query):
    body = await api.get(f"/events?{query}", status=400)
    assert body["error_code"] == "bad_parameters_error"
    assert ("server_traceback" in body) == (query == "colour=red")


async def test_refuses_events(told):
    event = {"event_type": "x", "message": {"text": "x"}, "context": {}}
    for status, code, fields in (
        (409, "conflict_error", {}),
        (409, "conflict_error", {"execution_id": "told", "execution_group_id": "g"}),
        (404, "not_found_error", {"execution_id": "none"}),
        (404, "not_found_error", {"execution_group_id": "none"}),
    ):
        body = {"events": [event], "logs": None, **fields}
        await told.refused("POST", "/events", status, code, body=body)
    bad = {"execution_id": "told", "events": [event, {"message": {"text": "y"}}]}
    await told.call("POST", "/events", status=500, body=bad)
    empty = {"execution_id": "told", "events": None, "logs": []}
    assert await told.call("POST", "/events", status=204, body=empty) == ""
    assert len(await told.rows("")) == 4


async def test_range_on_a_field_that_is_no_date(api):
    answer = await api.get("/events?_range=message,2024-01-01,", status=500)
    assert answer["error_code"] == "internal_server_error"
    assert answer["server_traceback"]


# -- what surrounds executions -------------------------------------------------


async def test_summary(five):
    items = (await five.get("/summary/executions?_target_field=status"))["items"]
    assert items == [
        {"status": "terminated", "executions": 3},
        {"status": "failed", "executions": 2},
    ]
    query = "_target_field=deployment_id&_sub_field=status&id=e0&id=e1&id=e4"
    items = (await five.get(f"/summary/executions?{query}"))["items"]
    assert items[0] == {
        "deployment_id": "web",
        "executions": 2,
        "by status": [
            {"status": "terminated", "executions": 1},
            {"status": "failed", "executions": 1},
        ],
    }
    for query in ("", "?_target_field=id", "?_target_field=status&_sub_field=id"):
        body = await five.get(f"/summary/executions{query}", status=400)
        assert body["error_code"] == "bad_parameters_error"
        assert "server_traceback" not in body


async def test_deployments(api):
    listed = await api.get("/deployments?_include=id,blueprint_id&_sort=id")
    assert listed["items"] == [
        {"id": "db", "blueprint_id": "local"},
        {"id": "web", "blueprint_id": "bp"},
    ]
    assert listed["metadata"]["pagination"]["total"] == 2
    one = await api.get("/deployments/web")
    declared = {each["name"]: each["parameters"] for each in one["workflows"]}
    assert declared["scale"] == {"delta": {"default": 1}, "to": {"default": "x"}}
    await api.refused("GET", "/deployments/none", 404, "not_found_error")


async def test_states_are_kept_over_a_restart(tmp_path):
    data = str(tmp_path / "runs.db")
    programs = Programs()

    async def session_of(server):
        server.cloudify.register("web", "echo", programs.echo)
        server.cloudify.register("web", "wait", programs.wait)
        return Api(
            aiohttp.ClientSession(server.url, headers=HEADERS),
            programs,
            server.cloudify,
        )

    async with LocalServer(token=TOKEN, data=data) as server:
        api = await session_of(server)
        async with api.session:
            done = await api.until(await api.start("echo"))
            restored = await api.start("echo", force_status="cancelled")
            waiting = await api.start("wait")
            queued = await api.start("echo", queue=True)
            await api.until(waiting, "started")
            lines = await api.rows(f"execution_id={done['id']}")
    async with LocalServer(token=TOKEN, data=data) as server:
        api = await session_of(server)
        async with api.session:
            assert await api.get(f"/executions/{done['id']}") == done
            assert await api.get(f"/executions/{restored['id']}") == restored
            assert await api.rows(f"execution_id={done['id']}") == lines
            lost = await api.until(waiting)
            assert lost["status"] in {"failed", "cancelled"}
            assert (await api.until(queued))["status"] in {"failed", "cancelled"}
            assert (await api.until(await api.start("echo")))["status"] == "terminated"
            for execution in (waiting, queued):
                record = server.engine.get("cloudify", execution["id"])
                assert record.state in {State.FAILED, State.CANCELED}
