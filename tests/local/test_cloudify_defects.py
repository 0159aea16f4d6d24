"""What the real manager does wrong, on and off (wire/cloudify.md 9)."""

import asyncio

import aiohttp
import attrs
import pytest
from tests.local.test_cloudify import API, HEADERS, Api, Programs

from aioruns.local.cloudify import Defects

ENVIRONMENT = "create_deployment_environment"


@pytest.fixture
async def api(server):
    programs, facade = Programs(), server.cloudify
    for deployment in ("web", "db"):
        for workflow in ("echo", "wait"):
            facade.register(deployment, workflow, getattr(programs, workflow))
        facade.register(deployment, ENVIRONMENT, programs.echo)
        facade.register(deployment, "off", programs.echo, available=False)
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
        yield Api(session, programs, facade)


def test_all_are_off_until_switched_on(server):
    assert not any(attrs.astuple(server.cloudify.defects))
    server.cloudify.defects = Defects.all()
    assert all(attrs.astuple(server.cloudify.defects))
    with pytest.raises(AttributeError):
        server.cloudify.defects.unknown = True


async def test_should_start(api):
    made = await api.start("echo", force_status="queued")
    path = f"/executions/{made['id']}/should-start"
    assert await api.get(path) is True
    api.facade.defects.should_start_fails = True
    answer = await api.get(path, status=500)
    assert answer["error_code"] == "internal_server_error"
    assert answer["server_traceback"]


async def test_delete_by_status(api):
    await api.start("echo", force_status="failed")
    api.facade.defects.delete_refuses_status = True
    path = "/executions?status=failed"
    await api.refused("DELETE", path, 400, "bad_parameters_error", body={})
    api.facade.defects.delete_refuses_status = False
    answer = await api.call("DELETE", path, body={})
    assert answer["items"] == [{"count": 1}]


@pytest.mark.parametrize(("defect", "left"), [(False, 2), (True, 1)])
async def test_keep_last_at_or_above_the_matched(api, defect, left):
    api.facade.defects.keep_last_deletes_one = defect
    for n in range(2):
        await api.start("echo", force_status="failed", id=f"e{n}")
    for keep in (2, 9):
        body = {"keep_last": keep, "to_datetime": None}
        del body["to_datetime"]
        await api.call("DELETE", "/executions?id=e0&id=e1", body=body)
        assert await api.ids() == ["e0", "e1"][2 - left :]
        if defect:
            return


async def test_lone_failed_environment(api):
    await api.start(ENVIRONMENT, force_status="failed")
    await api.start("echo", force_status="failed")
    api.facade.defects.lone_environment_breaks_delete = True
    answer = await api.call("DELETE", "/executions", status=500, body={})
    assert answer["error_code"] == "internal_server_error"
    assert len(await api.ids()) == 2
    await api.start(ENVIRONMENT, force_status="terminated")
    answer = await api.call("DELETE", "/executions", body={})
    assert answer["items"] == [{"count": 2}]
    assert len(await api.ids()) == 1


async def test_unknown_status(api):
    await api.start("echo", force_status="failed")
    assert await api.ids("?status=odd&status=failed") != []
    api.facade.defects.unknown_status_fails = True
    answer = await api.get("/executions?status=odd&status=failed", status=500)
    assert answer["error_code"] == "internal_server_error"
    assert len(await api.ids("?status=failed")) == 1


@pytest.mark.parametrize("defect", [False, True])
async def test_refused_starts_may_leave_a_failed_execution(api, defect):
    api.facade.defects.start_leaves_failed = defect
    for body, code in (
        ({"deployment_id": "web", "workflow_id": "off"}, "unavailable_workflow_error"),
        ({"deployment_id": "", "workflow_id": "no"}, "nonexistent_workflow_error"),
        # these leave nothing in any case
        ({"deployment_id": "web", "workflow_id": "no"}, "nonexistent_workflow_error"),
        ({"deployment_id": "web", "workflow_id": 1}, "bad_parameters_error"),
    ):
        await api.refused("POST", "/executions", 400, code, body=body)
    query = "/executions?_include_system_workflows=true&_sort=-deployment_id"
    left = (await api.get(query))["items"]
    assert [(each["workflow_id"], each["status"]) for each in left] == (
        [("no", "failed"), ("off", "failed")] if defect else []
    )
    assert all(each["error"].startswith("Error preparing") for each in left)
    forced = await api.start("off", force=True)
    assert (await api.until(forced))["status"] == "terminated"


@pytest.mark.parametrize("defect", [False, True])
async def test_simultaneous_posts_with_one_id(api, defect):
    api.facade.defects.duplicate_ids = defect
    body = {"deployment_id": "web", "workflow_id": "wait", "id": "one", "force": True}

    async def send():
        async with api.session.post(f"{API}/executions", json=body) as response:
            return response.status

    answers = await asyncio.gather(*(send() for _ in range(4)))
    if not defect:
        assert sorted(answers) == [201, 409, 409, 409]
        assert await api.ids() == ["one"]
        return
    assert answers == [201] * 4
    for query in ("", "?id=one", "?deployment_id=web"):
        assert await api.ids(query) == ["one"] * 4
    message = await api.refused("GET", "/executions/one", 409, "ambiguous_name")
    assert "one" in message
    cancel = {"action": "cancel"}
    await api.refused("POST", "/executions/one", 409, "ambiguous_name", body=cancel)
    # one after the other is refused as ever
    await api.refused("POST", "/executions", 409, "conflict_error", body=body)
    api.programs.go.set()
    async with asyncio.timeout(5):
        while await api.ids("?id=one&status=started&status=pending"):  # noqa: ASYNC110 - over HTTP there is nothing to wait for
            await asyncio.sleep(0.01)
    rows = await api.rows("execution_id=one&event_type=workflow_succeeded")
    assert len(rows) == 4
    assert {row["execution_id"] for row in rows} == {"one"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("pending", "deployment_environment_creation_pending_error"),
        ("started", "deployment_environment_creation_in_progress_error"),
        ("failed", "deployment_creation_error"),
        ("cancelled", "deployment_creation_error"),
    ],
)
async def test_deployments_without_their_environment(api, status, code):
    body = {"deployment_id": "web", "workflow_id": "echo"}
    made = await api.start(ENVIRONMENT, force_status=status)
    await api.refused("POST", "/executions", 400, code, body=body)
    await api.until(await api.start("echo", "db"))
    if status in {"pending", "started"}:
        await api.patch(made, "terminated")
    else:
        await api.call("DELETE", "/executions", body={})
    assert (await api.until(await api.start("echo")))["status"] == "terminated"
