"""Every operation of the official Cloudify client against the local server."""

import json
import sys

import pytest
from tests.peers.running import drive

from aioruns.local import Command, LocalServer
from aioruns.local.cloudify import User

pytestmark = [pytest.mark.peer, pytest.mark.timeout(90)]

SLEEP = "import time; time.sleep(60)"
BASE = "CloudifyClientError"


async def solve(job):
    for n in range(json.loads(job.stdin).get("lines", 1)):
        await job.log(f"line {n}")


def furnish(server):
    facade = server.cloudify
    for n in range(7):
        facade.register(f"d{n}", "solve", solve)
        facade.register(f"d{n}", "sleep", Command((sys.executable, "-c", SLEEP)))
    facade.register("d1", "only", solve)
    facade.deployment_group("fleet", ["d0", "d1", "d2"])
    for name in ("empty", "good", "bad"):
        facade.deployment_group(name, [])
    facade.users["joe"] = User("joe-secret", role="user")


async def test_official_client_goes_through_every_operation(server):
    async with LocalServer(token=server.token) as other:
        furnish(server)
        furnish(other)
        seen = await drive(
            "drive_cloudify_groups.py", server.url, other.url, server.token
        )
    check_groups(server, seen)
    check_executions(seen)
    check_events(seen["events"])
    check_schedules(seen["schedules"])
    check_restored(seen["restored"])
    check_administration(seen["administration"])


def check_groups(server, seen):
    groups = {group.id: group for group in server.engine.runs("cloudify-groups")}
    group = seen["group"]
    assert group["started"] == [2, 3, "solve"]
    assert group["targets"]["status"] is None
    group_id, status, members, deployment_group = group["ended"]
    assert (status, deployment_group) == ("terminated", "fleet")
    assert members == groups[group_id].detail["members"]
    records = [server.engine.get("cloudify", run_id) for run_id in members]
    assert {record.state for record in records} == {"succeeded"}
    assert sorted(group["good"]) == ["d0", "d1", "d2"]
    assert group["parameters"] == [{"lines": 2}, {"lines": 1}, {"lines": 2}]
    assert group["summary"] == [{"status": "terminated", "executions": 3}]
    assert group["changes"] == ["execution_state_change"] * 6
    assert group["skipped"] == [1, True]

    paused = seen["paused"]
    assert paused["paused"] == ["queued", ["queued"] * 3]
    assert paused["light"] == [1, None, None]
    assert paused["running"] == "started"
    assert paused["cancelled"] == "cancelled"
    assert paused["again"] == [BASE, 404, "not_found_error"]
    assert paused["concurrency"] == [BASE, 400, "bad_parameters_error"]
    assert paused["unknown"] == [BASE, 404, "not_found_error"]

    created = seen["created"]
    assert created["created"] == ["mine", "failed", True]
    assert created["listed"] == [["mine", None, None]]
    assert created["data"] == [["failed", True]]
    assert created["conflict"] == [BASE, 409, "conflict_error"]


def check_executions(seen):
    reported = seen["reported"]
    assert reported["created"] == [
        "told",
        "pending",
        "2024-05-01T10:00:00.123Z",
        "none yet",
    ]
    assert reported["should_start"] is True
    assert reported["updated"] == ["started", "", True]
    assert reported["failed"] == ["failed", "broke"]
    assert reported["late"] == [
        "InvalidExecutionUpdateStatus",
        400,
        "invalid_exception_status_update",
    ]
    assert reported["conflict"] == [BASE, 409, "conflict_error"]
    assert reported["resumed"] == ["pending", "terminated"]
    assert reported["dry"] == [True, "terminated"]
    assert (reported["requeued"], reported["after"]) == ("queued", "terminated")
    assert reported["later"] == ["scheduled", True]
    assert reported["came"] == "solve"
    assert seen["deleted"] == {"none": 0, "some": 3, "left": True, "rest": 1}


def check_events(events):
    assert events["logs"] == sorted(f"{w}/{n}" for w in range(4) for n in range(5))
    assert events["in_order"] is True
    assert [json.loads(text) for text in events["causes"]] == [[{"message": "m"}]]
    assert events["batch"] == [3, 21]
    assert events["parts"] == 21
    assert events["found"] == 5
    assert events["of_group"] == [True]
    assert events["neither"] == [BASE, 409, "conflict_error"]
    (gone,) = events["gone"]
    assert 0 < gone < 21
    assert events["left"] is True


def check_schedules(schedules):
    assert schedules["made"] == ["once", "d5", "solve", True]
    assert schedules["conflict"] == [BASE, 409, "conflict_error"]
    assert schedules["ran"] == ["terminated", {"lines": 1}]
    assert schedules["after"] == [None, "terminated"]
    assert schedules["changed"] == [True, False, 3]
    assert schedules["occurrences"] == 2
    assert (
        schedules["listed"][-2:] == [["often", True], ["once", True]]
        or schedules["listed"]
    )
    assert {"often", "once"} <= set(schedules["dumped"])
    assert schedules["left"] == ["often"]
    assert schedules["unknown"] == [BASE, 404, "not_found_error"]


def check_restored(restored):
    for kind in ("executions", "execution_groups", "execution_schedules"):
        assert restored[kind] == [True, True]
    assert restored["errors"] == []
    assert restored["running"] == [
        "cancelled",
        "Marked as cancelled by snapshot restore",
    ]
    assert len(restored["one"]) == 1
    assert restored["group"] == ["mine"]


def check_administration(administration):
    assert administration["works"] == 1
    assert administration["token"] == ["sys_admin", "admin", "peer"]
    assert administration["masked"] is True
    assert administration["listed"] is True
    assert administration["deleted"] == [
        "UserUnauthorizedError",
        401,
        "unauthorized_error",
    ]
    assert administration["off"] == "deactivated"
    assert administration["active"] == [
        "MaintenanceModeActiveError",
        503,
        "maintenance_mode_active",
    ]
    assert administration["again"] == ["NotModifiedError", 304, "not_modified"]
    assert administration["over"] == "deactivated"
    assert administration["creator"] == ["joe", "terminated"]
    assert administration["forbidden"] == ["ForbiddenError", 403, "forbidden_error"]
