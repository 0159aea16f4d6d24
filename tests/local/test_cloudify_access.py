"""Users, roles, tokens and maintenance of the Cloudify façade (1.2, 2.10, 5.3)."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from tests.local.test_cloudify import HEADERS, TOKEN, Api, Programs, basic

from aioruns.local.cloudify import User
from aioruns.local.records import utcnow

JSON = {"Tenant": "default_tenant", "Content-Type": "application/json"}


class Office:
    """Sessions with different credentials against one server."""

    def __init__(self, server, programs):
        self.server = server
        self.programs = programs
        self.facade = server.cloudify

    @asynccontextmanager
    async def as_(self, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        async with aiohttp.ClientSession(
            self.server.url, headers=JSON | headers
        ) as session:
            yield Api(session, self.programs, self.facade)

    def user(self, name):
        return self.as_(Authorization=basic(name, f"{name}-secret"))


@pytest.fixture
async def office(server):
    programs, facade = Programs(), server.cloudify
    for workflow in ("echo", "wait"):
        facade.register("web", workflow, getattr(programs, workflow))
    facade.deployment_group("all", ["web"])
    for role in ("manager", "user", "operations", "viewer"):
        facade.users[role] = User(f"{role}-secret", role=role)
    facade.users["root"] = User("root-secret", role="sys_admin")
    return Office(server, programs)


@pytest.fixture
async def admin(office):
    async with office.as_(**HEADERS) as api:
        yield api


# -- roles ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["manager", "user", "operations"])
async def test_working_roles(office, role):
    async with office.user(role) as api:
        ended = await api.until(await api.start("echo"))
        assert ended["created_by"] == role
        group = await api.call(
            "POST",
            "/execution-groups",
            body={"deployment_group_id": "all", "workflow_id": "echo"},
        )
        assert group["created_by"] == role
        members = (await api.get(f"/executions?_group_id={group['id']}"))["items"]
        assert [member["created_by"] for member in members] == [role]
        assert await api.ids(f"?created_by={role}") == [
            ended["id"],
            *group["execution_ids"],
        ]
        body = {"deployment_id": "web", "workflow_id": "echo"}
        for name, permission in (
            ("id", "set_execution_details"),
            ("error", "set_execution_details"),
            ("created_by", "set_owner"),
            ("created_at", "set_timestamp"),
        ):
            message = await api.refused(
                "POST",
                "/executions",
                403,
                "forbidden_error",
                body=body | {name: "2024-01-01"},
            )
            assert permission in message
        event = {
            "event_type": "x",
            "message": {"text": "x"},
            "context": {},
            "reported_timestamp": "2024-01-01",
        }
        body = {"execution_id": ended["id"], "events": [event]}
        await api.refused("POST", "/events", 403, "forbidden_error", body=body)
        await api.refused(
            "POST", "/maintenance/activate", 403, "forbidden_error", body={}
        )


async def test_viewers_only_read(office, admin):
    made = await admin.start("echo", force_status="started")
    async with office.user("viewer") as api:
        for path in (
            "/executions",
            f"/executions/{made['id']}",
            f"/executions/{made['id']}/should-start",
            "/execution-groups",
            "/execution-schedules",
            "/events",
            "/summary/executions?_target_field=status",
            "/deployments",
        ):
            await api.get(path)
        for method, path in (
            ("POST", "/executions"),
            ("DELETE", "/executions"),
            ("POST", f"/executions/{made['id']}"),
            ("PATCH", f"/executions/{made['id']}"),
            ("POST", "/execution-groups"),
            ("PATCH", "/execution-groups/g"),
            ("PUT", "/execution-schedules/s?deployment_id=web"),
            ("POST", "/events"),
            ("DELETE", "/events?type=cloudify_event&deployment_id=web"),
        ):
            await api.refused(method, path, 403, "forbidden_error", body={})


async def test_another_administrator_may_do_everything(office):
    async with office.user("root") as api:
        made = await api.start("echo", id="mine", created_by="user", force=True)
        assert (made["id"], made["created_by"]) == ("mine", "user")
    with pytest.raises(ValueError, match="manager"):
        User("x", role="king")
    assert "secret" not in repr(office.facade.users)


# -- API tokens ----------------------------------------------------------------------


async def test_tokens(office):
    async with office.user("user") as api:
        made = await api.call("POST", "/tokens", body={"description": "mine"})
        assert made == {
            "id": made["id"],
            "username": "user",
            "value": made["value"],
            "role": "user",
            "expiration_date": None,
            "last_used": None,
            "description": "mine",
        }
        kind, token_id, secret = made["value"].split("-", 2)
        assert (kind, token_id, len(token_id)) == ("ctok", made["id"], 10)
        assert len(secret) > 20
        again = await api.get(f"/tokens/{token_id}")
        assert again == made | {"value": f"ctok-{token_id}-********"}
    async with office.as_(Authentication_Token=made["value"]) as api:
        ended = await api.until(await api.start("echo"))
        assert ended["created_by"] == "user"
        async with api.session.get("/api/v3.1/tokens") as response:
            assert response.headers["X-Cloudify-Audit-Auth-Method"] == "token"
            assert response.headers["X-Cloudify-Audit-Username"] == "user"
            (listed,) = (await response.json())["items"]
        assert listed["last_used"] is not None
        assert await api.call("DELETE", f"/tokens/{token_id}", status=204) == ""
        await api.refused("GET", "/executions", 401, "unauthorized_error")


async def test_tokens_of_others(office, admin):
    async with office.user("user") as api:
        mine = await api.call("POST", "/tokens", body={})
    async with office.user("manager") as api:
        path = f"/tokens/{mine['id']}"
        await api.refused("GET", path, 404, "not_found_error")
        await api.refused("DELETE", path, 404, "not_found_error")
        assert (await api.get("/tokens"))["items"] == []
    assert [token["username"] for token in (await admin.get("/tokens"))["items"]] == [
        "user"
    ]
    await admin.call("DELETE", f"/tokens/{mine['id']}", status=204)


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("+10h", timedelta(hours=10)),
        ("+ 30 minutes", timedelta(minutes=30)),
        ("+1 day", timedelta(days=1)),
        ("2090-01-31 18:00", None),
    ],
)
async def test_expiration(admin, text, ahead):
    before = utcnow()
    made = await admin.call("POST", "/tokens", body={"expiration_date": text})
    if ahead is None:
        assert made["expiration_date"] == "2090-01-31T18:00:00.000Z"
    else:
        assert made["expiration_date"][:16] in {
            f"{before + ahead + timedelta(seconds=s):%Y-%m-%dT%H:%M}" for s in (0, 5)
        }


async def test_expired_and_refused_tokens(office, admin):
    old = await admin.call(
        "POST", "/tokens", body={"expiration_date": "2020-01-01 00:00"}
    )
    good = await admin.call("POST", "/tokens", body={})
    for value in (old["value"], good["value"] + "x", "ctok-none-x", f"ctok-{TOKEN}"):
        async with office.as_(Authentication_Token=value) as api:
            await api.refused("GET", "/executions", 401, "unauthorized_error")
    for body in ({"expiration_date": "tomorrow"}, {"description": 1}):
        await admin.refused("POST", "/tokens", 400, "bad_parameters_error", body=body)


# -- execution tokens ----------------------------------------------------------------


async def test_programs_act_with_their_execution_token(office, admin):
    seen = {}

    async def program(job):
        token = job.env["CLOUDIFY_EXECUTION_TOKEN"]
        seen.update(id=job.env["CLOUDIFY_EXECUTION_ID"], token=token)
        event = {"event_type": "task_started", "message": {"text": "m"}, "context": {}}
        for header in ("Execution_Token", "Authentication_Token"):
            async with office.as_(**{header: token}) as api:
                await api.call("POST", "/events", status=201, body={"events": [event]})
                other = await api.start("echo", force="true")
                seen.setdefault("others", []).append(other["created_by"])
        # no tenant is needed for what is the execution's own
        async with (
            aiohttp.ClientSession(office.server.url) as bare,
            bare.post(
                "/api/v3.1/events",
                json={"logs": []},
                headers={"Execution-Token": token},
            ) as response,
        ):
            seen["bare"] = response.status
            assert response.headers["X-Cloudify-Audit-Auth-Method"] == "execution_token"
        async with (
            aiohttp.ClientSession(office.server.url) as bare,
            bare.get(
                "/api/v3.1/executions", headers={"Execution-Token": token}
            ) as response,
        ):
            seen["list"] = response.status

    office.facade.register("web", "act", program)
    async with office.user("user") as api:
        ended = await api.until(await api.start("act"))
    assert (ended["id"], ended["error"]) == (seen["id"], "")
    assert seen["others"] == ["user", "user"]
    assert (seen["bare"], seen["list"]) == (204, 403)
    rows = await admin.rows(f"execution_id={ended['id']}&event_type=task_started")
    assert len(rows) == 2
    # the execution has ended, and its token with it
    async with office.as_(Execution_Token=seen["token"]) as api:
        await api.refused("GET", "/executions", 401, "unauthorized_error")
    assert seen["token"] not in str(await admin.get("/executions"))


async def test_cancelling_executions_start_nothing(office, admin):
    token = asyncio.get_running_loop().create_future()

    async def program(job):
        token.set_result(job.env["CLOUDIFY_EXECUTION_TOKEN"])
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.3)
            raise

    office.facade.register("web", "slow", program)
    slow = await admin.start("slow")
    async with office.as_(Execution_Token=await token) as api:
        await admin.act(slow, "cancel")
        body = {"deployment_id": "web", "workflow_id": "echo", "force": True}
        answer = await api.call("POST", "/executions", status=403, body=body)
        assert answer["error_code"] == "forbidden_while_cancelling"
        assert answer["message"] == ""
    await admin.until(slow)


# -- maintenance ---------------------------------------------------------------------


async def test_activating(admin):
    running = await admin.start("wait")
    admin.facade.maintenance = "activating"
    body = {"deployment_id": "web", "workflow_id": "echo"}
    answer = await admin.call("POST", "/executions", status=503, body=body)
    assert answer["error_code"] == "entering_maintenance_mode"
    assert answer["server_traceback"] == "NoneType: None"
    assert await admin.ids() == [running["id"]]
    await admin.act(running, "cancel")
    await admin.until(running)


async def test_activated(office, admin):
    running = await admin.start("wait")
    queued = await admin.start("echo", queue=True)
    admin.facade.maintenance = "activated"
    for method, path in (
        ("GET", "/executions"),
        ("GET", f"/executions/{running['id']}"),
        ("POST", f"/executions/{running['id']}"),
        ("GET", "/events"),
        ("GET", "/execution-groups"),
    ):
        answer = await admin.call(method, path, status=503, body={})
        assert answer["error_code"] == "maintenance_mode_active"
    assert (await admin.get("/api/version"))["version"] == "7.0.5"
    assert (await admin.get("/maintenance"))["status"] == "activated"

    bypass = {"X-BYPASS-MAINTENANCE": "yes"}
    assert (await admin.get(f"/executions/{queued['id']}", headers=bypass))["id"]
    async with office.user("user") as api:
        await api.call("GET", "/executions", status=503, headers=bypass)

    # nothing is taken from the queue until it is over
    admin.programs.go.set()
    await office.server.engine.ended("cloudify", running["id"])
    await asyncio.sleep(0.05)
    shown = await admin.get(f"/executions/{queued['id']}", headers=bypass)
    assert shown["status"] == "queued"
    admin.facade.maintenance = "deactivated"
    assert (await admin.until(queued))["status"] == "terminated"
    with pytest.raises(ValueError, match="activating"):
        admin.facade.maintenance = "sometimes"


async def test_maintenance_by_requests(admin):
    running = await admin.start("wait")
    await admin.until(running, "started")
    asked = await admin.call("POST", "/maintenance/activate", body={})
    assert asked["status"] == "activating"
    assert asked["requested_by"] == "admin"
    assert asked["remaining_executions"] == [
        {
            "id": running["id"],
            "status": "started",
            "deployment_id": "web",
            "workflow_id": "wait",
        }
    ]
    assert await admin.call("POST", "/maintenance/activate", status=304, body={}) == ""
    admin.programs.go.set()
    async with asyncio.timeout(5):
        while (now := await admin.get("/maintenance"))["status"] != "activated":  # noqa: ASYNC110 - over HTTP there is nothing to wait for
            await asyncio.sleep(0.01)
    assert now["activated_at"]
    assert now["remaining_executions"] == []
    over = await admin.call("POST", "/maintenance/deactivate", body={})
    assert over["status"] == "deactivated"
    assert (
        await admin.call("POST", "/maintenance/deactivate", status=304, body={}) == ""
    )
    assert await admin.ids() == [running["id"]]
