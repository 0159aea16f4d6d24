"""Execution groups of the Cloudify façade (wire/cloudify.md 2.6, 3.3, 3.4)."""

import asyncio

import aiohttp
import pytest
from tests.local.test_cloudify import ENDED, HEADERS, TOKEN, Api, Programs

from aioruns.local.cloudify.statuses import status_of
from aioruns.local.server import LocalServer

GROUPS = "/execution-groups"
KEYS = {
    *("id", "created_at", "visibility", "workflow_id", "concurrency", "tenant_name"),
    *("created_by", "resource_availability", "private_resource", "execution_ids"),
    *("deployment_group_id", "status"),
}
FLEET = [f"d{n}" for n in range(6)]


class Fleet(Api):
    """Six deployments in the group `fleet`."""

    def __init__(self, session, programs, facade, engine):
        super().__init__(session, programs, facade)
        self.engine = engine

    async def run(self, workflow="echo", group="fleet", *, status=200, **fields):
        body = {"deployment_group_id": group, "workflow_id": workflow, **fields}
        return await self.call("POST", GROUPS, status=status, body=body)

    async def group(self, group):
        return await self.get(f"{GROUPS}/{group['id']}")

    async def do(self, group, action, status=200):
        path = f"{GROUPS}/{group['id']}"
        return await self.call("POST", path, status=status, body={"action": action})

    async def set(self, group, status=200, **fields):
        path = f"{GROUPS}/{group['id']}"
        return await self.call("PATCH", path, status=status, body=fields)

    async def statuses(self, group):
        listed = await self.get(f"/executions?_group_id={group['id']}&_sort=created_at")
        return [each["status"] for each in listed["items"]]

    async def until_group(self, group, wanted):
        async with asyncio.timeout(10):
            while sorted(await self.statuses(group)) != sorted(wanted):  # noqa: ASYNC110 - over HTTP there is nothing to wait for
                await asyncio.sleep(0.01)


@pytest.fixture
async def fleet(server):
    programs, facade = Programs(), server.cloudify
    for name in FLEET:
        for workflow in ("echo", "wait", "fail", "flaky", "stubborn"):
            facade.register(name, workflow, getattr(programs, workflow))
        facade.register(name, "scale", programs.echo, parameters={"n": 1, "m": 2})
    facade.register("d1", "only", programs.echo)
    facade.deployment_group("fleet", FLEET)
    facade.deployment_group("pair", FLEET[:2])
    facade.deployment_group("none", [])
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
        yield Fleet(session, programs, facade, server.engine)


async def test_from_start_to_end(fleet):
    group = await fleet.run("scale", parameters={"d1": {"n": 7}}, concurrency=2)
    assert group.keys() == KEYS
    assert (group["concurrency"], group["deployment_group_id"]) == (2, "fleet")
    assert (group["workflow_id"], group["created_by"]) == ("scale", "admin")
    assert group["status"] in {"queued", "started"}
    assert len(group["execution_ids"]) == 6
    await fleet.until_group(group, ["terminated"] * 6)
    assert (await fleet.group(group))["status"] == "terminated"
    query = f"/executions?execution_group_id={group['id']}&_sort=created_at"
    members = (await fleet.get(query))["items"]
    assert [each["id"] for each in members] == group["execution_ids"]
    assert [each["deployment_id"] for each in members] == FLEET
    given = [each["parameters"] for each in members]
    assert given == [{"n": 7 if n == 1 else 1, "m": 2} for n in range(6)]
    assert {each["blueprint_id"] for each in members} == {"local"}


async def test_default_parameters_are_under_those_of_a_deployment(fleet):
    group = await fleet.run(
        "scale", "pair", default_parameters={"n": 5}, parameters={"d0": {"m": 9}}
    )
    members = (await fleet.get(f"/executions?_group_id={group['id']}"))["items"]
    assert {each["deployment_id"]: each["parameters"] for each in members} == {
        "d0": {"n": 5, "m": 9},
        "d1": {"n": 5, "m": 2},
    }


async def test_concurrency_limits_and_each_end_starts_another(fleet):
    group = await fleet.run("wait", concurrency=2)
    await fleet.until_group(group, ["started"] * 2 + ["queued"] * 4)
    assert (await fleet.group(group))["status"] == "started"

    # Raising it starts nothing by itself; the next end fills up.
    assert (await fleet.set(group, concurrency=4))["concurrency"] == 4
    await asyncio.sleep(0.05)
    assert (await fleet.statuses(group)).count("queued") == 4
    first = group["execution_ids"][0]
    await fleet.act({"id": first}, "cancel")
    await fleet.until_group(group, ["cancelled"] + ["started"] * 4 + ["queued"])
    fleet.programs.go.set()
    await fleet.until_group(group, ["cancelled"] + ["terminated"] * 5)
    assert (await fleet.group(group))["status"] == "terminated"


async def test_never_more_than_concurrency_at_once(fleet):
    active = 0
    most = 0

    async def counted(_):
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0.01)
        active -= 1

    for name in FLEET:
        fleet.facade.register(name, "counted", counted)
    group = await fleet.run("counted", concurrency=3)
    await fleet.until_group(group, ["terminated"] * 6)
    assert most == 3


async def test_paused_group_waits_until_it_is_resumed(fleet):
    group = await fleet.run(concurrency=0)
    assert group["status"] == "queued"
    await fleet.until(await fleet.start("fail", "d0", force=True))
    assert await fleet.statuses(group) == ["queued"] * 6
    await fleet.set(group, concurrency=3)
    await fleet.until_group(group, ["terminated"] * 6)


async def test_paused_group_does_not_hold_up_others(fleet):
    paused = await fleet.run("echo", concurrency=0)
    waiting = await fleet.run("wait", concurrency=1)
    # their deployments have something queued ahead of them
    assert await fleet.statuses(waiting) == ["queued"] * 6
    await fleet.until(await fleet.start("echo", "d0", force=True))
    await fleet.until_group(waiting, ["started"] + ["queued"] * 5)
    assert await fleet.statuses(paused) == ["queued"] * 6


async def test_busy_deployment_is_queued(fleet):
    busy = await fleet.start("wait", "d0")
    group = await fleet.run("echo", "pair")
    await fleet.until_group(group, ["queued", "terminated"])
    forced = await fleet.run("echo", "pair", force=True)
    await fleet.until_group(forced, ["terminated"] * 2)
    fleet.programs.go.set()
    await fleet.until(busy)
    await fleet.until_group(group, ["terminated"] * 2)


# -- derived status, light and full answers ----------------------------------------


@pytest.mark.parametrize(
    ("members", "status", "defect"),
    [
        (["pending", "pending"], "pending", None),
        (["queued", "pending"], "queued", None),
        (["scheduled", "queued"], "queued", None),
        (["started", "queued"], "started", None),
        (["terminated", "queued"], "started", None),
        (["cancelling", "cancelling"], "started", None),
        (["terminated", "failed"], "failed", None),
        (["cancelled", "failed"], "failed", None),
        (["terminated", "cancelled"], "terminated", None),
        (["cancelled", "cancelled"], "cancelled", "terminated"),
    ],
)
async def test_derived_status(fleet, members, status, defect):
    made = [
        await fleet.start("echo", f"d{n}", force_status=each)
        for n, each in enumerate(members)
    ]
    ids = [each["id"] for each in made]
    group = await fleet.run(associated_executions=ids, id="mine")
    assert (group["id"], group["execution_ids"]) == ("mine", ids)
    assert group["status"] == status
    fleet.facade.defects.cancelled_group_terminated = True
    assert (await fleet.group(group))["status"] == (defect or status)
    assert await fleet.statuses(group) == members  # nothing was started


async def test_light_and_full_answers(fleet):
    group = await fleet.run("echo", "pair")
    await fleet.until_group(group, ["terminated"] * 2)
    full = await fleet.group(group)
    light = full | {"execution_ids": None, "status": None}
    assert (await fleet.get(GROUPS))["items"] == [light]
    assert (await fleet.get(f"{GROUPS}?_get_data=TRUE"))["items"] == [full]
    named = (await fleet.get(f"{GROUPS}?_include=id,status"))["items"]
    assert named == [{"id": group["id"], "status": None}]
    one = await fleet.get(
        f"{GROUPS}/{group['id']}?_include=id,status&_all_tenants=true"
    )
    assert one == {"id": group["id"], "status": "terminated"}
    assert await fleet.set(group, concurrency=1) == light | {"concurrency": 1}
    assert await fleet.do(group, "resume") == light | {"concurrency": 1}
    fleet.facade.deployment_group("x", [])
    empty = await fleet.run(group="none")
    assert (empty["execution_ids"], empty["status"]) == ([], None)


async def test_group_lists(fleet):
    for n in range(3):
        await fleet.run(
            group="none",
            id=f"g{n}",
            concurrency=n,
            created_at=f"2024-05-01T10:00:0{3 - n}Z",
        )

    async def ids(query):
        listed = await fleet.get(f"{GROUPS}?{query}")
        assert listed["metadata"]["filtered"] is None
        return [group["id"] for group in listed["items"]]

    assert await ids("") == ["g2", "g1", "g0"]
    assert await ids("_sort=-created_at&_size=2") == ["g0", "g1"]
    assert await ids("concurrency=1&concurrency=2") == ["g2", "g1"]
    assert await ids("deployment_group_id=none&id=g1") == ["g1"]
    assert await ids("workflow_id=other") == []
    assert await ids("_size=1&_offset=1") == ["g1"]
    for query in ("status=queued", "colour=red", "_sort=colour", "_size=-1"):
        answer = await fleet.get(f"{GROUPS}?{query}", status=400)
        assert answer["error_code"] == "bad_parameters_error"
    await fleet.refused(
        "GET", f"{GROUPS}?_include=colour", 400, "no_such_include_field_error"
    )
    await fleet.call("DELETE", f"{GROUPS}/g0", status=405)


async def test_summary_and_filters_of_a_group(fleet):
    group = await fleet.run("echo", "pair")
    await fleet.until_group(group, ["terminated"] * 2)
    await fleet.until(await fleet.start("echo", "d5"))
    query = f"/summary/executions?_target_field=status&execution_group_id={group['id']}"
    items = (await fleet.get(query))["items"]
    assert items == [{"status": "terminated", "executions": 2}]
    assert await fleet.ids("?execution_group_id=none") == []


# -- refusals ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"deployment_group_id": "no"}, 404, "not_found_error"),
        ({"deployment_group_id": None}, 400, "bad_parameters_error"),
        ({"workflow_id": 1}, 400, "bad_parameters_error"),
        ({"associated_executions": ["no"]}, 404, "not_found_error"),
        ({"concurrency": None}, 400, "bad_parameters_error"),
        ({"concurrency": "2"}, 400, "bad_parameters_error"),
        ({"concurrency": 1.5}, 400, "bad_parameters_error"),
        ({"concurrency": -1}, 400, "bad_parameters_error"),
        ({"concurrency": True}, 409, "storage_error"),
        ({"parameters": []}, 400, "bad_parameters_error"),
        ({"created_by": "nobody"}, 400, "bad_parameters_error"),
    ],
)
async def test_refuses_groups(fleet, fields, status, code):
    body = {"deployment_group_id": "fleet", "workflow_id": "echo", **fields}
    await fleet.refused("POST", GROUPS, status, code, body=body)
    assert (await fleet.get(GROUPS))["items"] == []
    assert await fleet.ids() == []


async def test_refuses_what_is_done_to_groups(fleet):
    await fleet.refused("GET", f"{GROUPS}/no", 404, "not_found_error")
    group = await fleet.run(group="none", id="g")
    body = {"deployment_group_id": "fleet", "workflow_id": "echo", "id": "g"}
    await fleet.refused("POST", GROUPS, 409, "conflict_error", body=body)
    path = f"{GROUPS}/g"
    for action in ("requeue", "dance", None):
        await fleet.refused(
            "POST", path, 400, "bad_parameters_error", body={"action": action}
        )
    no = {"success_group_id": "no", "failure_group_id": None}
    await fleet.refused("PATCH", path, 404, "not_found_error", body=no)
    bad = {"concurrency": -1}
    await fleet.refused("PATCH", path, 400, "bad_parameters_error", body=bad)
    fleet.facade.may_choose_ids = False
    body["id"] = "h"
    await fleet.refused("POST", GROUPS, 403, "forbidden_error", body=body)
    assert (await fleet.group(group))["concurrency"] == 5


async def test_missing_workflow_is_skipped_with_a_log(fleet):
    group = await fleet.run("only", "pair")
    assert len(group["execution_ids"]) == 1
    rows = await fleet.rows(f"execution_group_id={group['id']}&type=cloudify_log")
    assert [row["level"] for row in rows] == ["info"]
    assert "d0" in rows[0]["message"]
    assert rows[0]["execution_group_id"] == group["id"]
    nobody = await fleet.run("nowhere", "pair")
    assert (nobody["execution_ids"], nobody["status"]) == ([], None)


@pytest.mark.parametrize("defect", [False, True])
async def test_illegal_parameters_refuse_the_start(fleet, defect):
    fleet.facade.defects.group_start_leaves_group = defect
    answer = await fleet.run("scale", parameters={"d1": {"odd": 1}}, status=400)
    assert answer["error_code"] == "illegal_execution_parameters_error"
    left = (await fleet.get(f"{GROUPS}?_get_data=true"))["items"]
    assert [group["execution_ids"] for group in left] == ([[]] if defect else [])
    assert await fleet.ids() == []


@pytest.mark.parametrize("defect", [False, True])
async def test_unavailable_workflow_refuses_the_start(fleet, defect):
    fleet.facade.defects.group_start_leaves_group = defect
    for name in FLEET:
        fleet.facade.register(name, "off", fleet.programs.echo, available=False)
    answer = await fleet.run("off", concurrency=2, status=400)
    assert answer["error_code"] == "unavailable_workflow_error"
    left = (await fleet.get(GROUPS))["items"]
    if not defect:
        assert left == []
        assert await fleet.ids() == []
        return
    (group,) = left
    assert await fleet.statuses(group) == ["failed"] * 2 + ["queued"] * 4
    # a later pass picks the others up, and they fail as well
    await fleet.until(await fleet.start("echo", "d0"))
    await fleet.until_group(group, ["failed"] * 6)
    members = (await fleet.get(f"/executions?_group_id={group['id']}"))["items"]
    assert members[0]["error"].startswith("Error preparing execution: ")
    assert members[5]["error"].startswith("Error dequeueing execution: ")


# -- actions ---------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["cancel", "force-cancel", "kill"])
async def test_cancel(fleet, action):
    group = await fleet.run("wait", concurrency=2)
    await fleet.until_group(group, ["started"] * 2 + ["queued"] * 4)
    answer = await fleet.do(group, action)
    assert (answer["execution_ids"], answer["status"]) == (None, None)
    await fleet.until_group(group, ["cancelled"] * 6)
    assert (await fleet.group(group))["status"] == "cancelled"
    members = (await fleet.get(f"/executions?_group_id={group['id']}"))["items"]
    # those that waited have no time of an end, and no event
    assert [bool(each["ended_at"]) for each in members] == [True] * 2 + [False] * 4
    rows = await fleet.rows(f"execution_id={members[5]['id']}")
    assert rows == []


async def test_cancel_of_what_waits_only(fleet):
    for defect in (False, True):
        fleet.facade.defects.group_cancel_without_active = defect
        group = await fleet.run(concurrency=0)
        answer = await fleet.do(group, "cancel", status=404 if defect else 200)
        if defect:
            assert answer["error_code"] == "not_found_error"
        assert await fleet.statuses(group) == ["cancelled"] * 6


@pytest.mark.parametrize("defect", [False, True])
async def test_cancel_with_a_member_that_is_cancelling(fleet, defect):
    fleet.facade.defects.group_cancel_half_applied = defect
    made = [
        await fleet.start("wait", "d0", force_status="cancelling"),
        await fleet.start("wait", "d1", force_status="started"),
        await fleet.start("wait", "d2", force_status="queued"),
        await fleet.start("wait", "d3", force_status="terminated"),
    ]
    group = await fleet.run(associated_executions=[each["id"] for each in made])
    answer = await fleet.do(group, "cancel", status=400 if defect else 200)
    if defect:
        assert answer["error_code"] == "illegal_action_error"
        left = ["cancelling", "started", "cancelled", "terminated"]
        assert await fleet.statuses(group) == left
        await fleet.do(group, "kill")
        left = ["cancelled"] * 3 + ["terminated"]
    else:
        left = ["cancelling", *["cancelled"] * 2, "terminated"]
    await fleet.until_group(group, left)


@pytest.mark.parametrize("action", ["resume", "force-resume"])
async def test_resume(fleet, action):
    fleet.programs.seen.append("every flaky one succeeds but the first")
    group = await fleet.run("wait", concurrency=2)
    await fleet.until_group(group, ["started"] * 2 + ["queued"] * 4)
    await fleet.do(group, "cancel")
    await fleet.until_group(group, ["cancelled"] * 6)
    await fleet.do(group, action)
    await fleet.until_group(group, ["started"] * 2 + ["queued"] * 4)
    fleet.programs.go.set()
    await fleet.until_group(group, ["terminated"] * 6)
    members = (await fleet.get(f"/executions?_group_id={group['id']}"))["items"]
    assert all(each["resume"] and each["ended_at"] for each in members)


async def test_resumed_member_waits_for_its_deployment(fleet):
    group = await fleet.run("fail", "pair")
    await fleet.until_group(group, ["failed"] * 2)
    await fleet.start("wait", "d0")
    await fleet.do(group, "resume")
    await fleet.until_group(group, ["queued", "failed"])
    fleet.programs.go.set()
    await fleet.until_group(group, ["failed"] * 2)


async def test_queued_again_member_can_be_cancelled(fleet):
    group = await fleet.run("fail", "pair")
    await fleet.until_group(group, ["failed"] * 2)
    await fleet.set(group, concurrency=0)
    await fleet.do(group, "resume")
    assert await fleet.statuses(group) == ["queued"] * 2
    await fleet.do(group, "cancel")
    assert await fleet.statuses(group) == ["cancelled"] * 2
    single = {"id": group["execution_ids"][0]}
    assert (await fleet.act(single, "resume"))["status"] == "pending"
    await fleet.until_group(group, ["cancelled", "failed"])


# -- events and target groups --------------------------------------------------------


async def test_group_events(fleet):
    group = await fleet.run("fail", "pair", concurrency=1)
    await fleet.until_group(group, ["failed"] * 2)
    rows = await fleet.rows(
        f"execution_group_id={group['id']}&_sort=reported_timestamp"
    )
    assert [row["event_type"] for row in rows] == ["execution_state_change"] * 4
    first, second = group["execution_ids"]
    told = [(first in row["message"], row["message"]) for row in rows]
    assert [mine for mine, _ in told] == [True, True, False, False]
    assert "started" in told[0][1]
    assert "failed" in told[1][1]
    assert "no luck" in told[1][1]
    assert second in told[2][1]
    for row in rows:
        assert row["execution_group_id"] == group["id"]
        assert row["execution_id"] is None
        assert row["workflow_id"] == "fail"
        assert (row["deployment_id"], row["blueprint_id"]) == (None, None)
    # of a member itself, only its own
    own = await fleet.rows(f"execution_id={first}&type=cloudify_event")
    assert {row["event_type"] for row in own} == {"workflow_started", "workflow_failed"}
    everything = await fleet.rows("type=cloudify_event")
    assert len(everything) == 4 + 4


async def test_reports_of_members_are_told_to_the_group(fleet):
    made = await fleet.start("echo", "d0", force_status="pending")
    group = await fleet.run(associated_executions=[made["id"]])
    await fleet.patch(made, "started")
    await fleet.patch(made, "failed", error="broke")
    rows = await fleet.rows(f"execution_group_id={group['id']}")
    assert [row["message"].split()[-1] for row in rows] == ["now", "'broke'"]


async def test_events_can_be_created_for_a_group(fleet):
    group = await fleet.run(group="none")
    log = {"message": {"text": "hi"}, "context": {}, "level": "info", "logger": "x"}
    body = {"execution_group_id": group["id"], "logs": [log]}
    await fleet.call("POST", "/events", status=201, body=body)
    (row,) = await fleet.rows(f"execution_group_id={group['id']}")
    assert (row["message"], row["execution_id"]) == ("hi", None)


async def test_target_groups(fleet):
    for name in ("good", "bad"):
        fleet.facade.deployment_group(name, [])

    async def deployments(name):
        return (await fleet.get(f"/deployment-groups/{name}"))["deployment_ids"]

    ended = [
        await fleet.start("echo", f"d{n}", force_status=status)
        for n, status in enumerate(("terminated", "failed", "cancelled", "started"))
    ]
    group = await fleet.run(associated_executions=[each["id"] for each in ended])
    answer = await fleet.set(group, success_group_id="good", failure_group_id="bad")
    assert answer["status"] is None
    assert (await deployments("good"), await deployments("bad")) == (["d0"], ["d1"])
    await fleet.patch(ended[3], "terminated")
    assert await deployments("good") == ["d0", "d3"]

    later = await fleet.run("fail", "pair", concurrency=0)
    await fleet.set(later, success_group_id=None, failure_group_id="bad")
    assert await deployments("bad") == ["d1"]
    await fleet.set(later, concurrency=5)
    await fleet.until_group(later, ["failed"] * 2)
    assert await deployments("bad") == ["d1", "d0"]
    listed = (await fleet.get("/deployment-groups?_include=id"))["items"]
    assert [each["id"] for each in listed] == ["fleet", "pair", "none", "good", "bad"]


async def test_deployment_groups_name_registered_deployments(fleet):
    with pytest.raises(ValueError, match="register a workflow"):
        fleet.facade.deployment_group("odd", ["d0", "unknown"])


async def test_deleted_members_leave_their_group(fleet):
    group = await fleet.run("echo", "pair")
    await fleet.until_group(group, ["terminated"] * 2)
    body: dict = {}
    await fleet.call("DELETE", "/executions?deployment_id=d0", body=body)
    left = await fleet.group(group)
    assert left["execution_ids"] == group["execution_ids"][1:]


async def test_an_execution_may_be_of_two_groups(fleet):
    made = await fleet.start("echo", "d0", force_status="queued")
    groups = [await fleet.run(associated_executions=[made["id"]]) for _ in range(2)]
    for group in groups:
        assert await fleet.ids(f"?_group_id={group['id']}") == [made["id"]]
    assert made["status"] not in ENDED


async def test_thousand_members_are_started_in_good_time(fleet):
    names = [f"n{n}" for n in range(1000)]
    ran = 0

    async def quick(_):
        nonlocal ran
        ran += 1

    for name in names:
        fleet.facade.register(name, "quick", quick)
    fleet.facade.deployment_group("many", names)
    group = await fleet.run("quick", "many", concurrency=10)
    async with asyncio.timeout(30):
        for run_id in group["execution_ids"]:
            while fleet.engine.get("cloudify", run_id).detail.get("held"):  # noqa: ASYNC110 - nothing to wait for
                await asyncio.sleep(0.01)
            await fleet.engine.ended("cloudify", run_id)
    assert ran == 1000
    assert (await fleet.group(group))["status"] == "terminated"


async def test_groups_are_kept_over_a_restart(tmp_path):
    data, shown = str(tmp_path / "runs.db"), []
    for _ in range(2):
        async with LocalServer(token=TOKEN, data=data) as server:
            programs = Programs()
            server.cloudify.register("d0", "fail", programs.fail)
            server.cloudify.register("d1", "fail", programs.fail)
            server.cloudify.deployment_group("pair", ["d0", "d1"])
            async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
                fleet = Fleet(session, programs, server.cloudify, server.engine)
                if not shown:
                    group = await fleet.run("fail", "pair")
                    await fleet.until_group(group, ["failed"] * 2)
                    await fleet.set(group, concurrency=0)
                    await fleet.do(group, "resume")
                    assert await fleet.statuses(group) == ["queued"] * 2
                    rows = await fleet.rows(f"execution_group_id={group['id']}")
                shown.append((await fleet.group(group)) | {"status": None})
                assert await fleet.rows(f"execution_group_id={group['id']}") == rows
    assert shown[0] == shown[1]
    statuses = [status_of(r) for r in server.engine.runs("cloudify")]
    assert statuses == ["failed"] * 2
