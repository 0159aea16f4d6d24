"""Execution schedules, and when they come due (wire/cloudify.md 2.5)."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import islice

import aiohttp
import pytest
from tests.local.test_cloudify import HEADERS, KEYS, Api, Programs

from aioruns.local.cloudify.answers import Refusal
from aioruns.local.cloudify.recurrences import recurrence_of, rule_of
from aioruns.local.server import LocalServer

PATH = "/execution-schedules"


def soon(seconds):
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
async def api(server):
    programs, facade = Programs(), server.cloudify
    for workflow in ("echo", "wait", "fail"):
        facade.register("web", workflow, getattr(programs, workflow))
    facade.register("web", "scale", programs.echo, parameters={"n": 1})
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
        yield Api(session, programs, facade)


async def put(api, name="s", deployment="web", status=201, **fields):
    body = {"workflow_id": "echo", "since": soon(3600), "count": 1, **fields}
    path = f"{PATH}/{name}?deployment_id={deployment}"
    return await api.call("PUT", path, status=status, body=body)


async def until_ran(api, count=1):
    async with asyncio.timeout(10):
        while len(found := await api.ids()) < count:  # noqa: ASYNC110 - over HTTP there is nothing to wait for
            await asyncio.sleep(0.01)
    return found


async def test_one_shot_starts_at_its_time(api):
    since = soon(0.15)
    schedule = await put(api, since=since, parameters={"n": 7}, workflow_id="scale")
    assert schedule["id"] == "s"
    assert schedule["next_occurrence"] == schedule["since"] == since[:23] + "Z"
    assert schedule["rule"] == {"recurrence": None, "count": 1, "weekdays": None}
    assert schedule["latest_execution_status"] is None
    assert (schedule["slip"], schedule["enabled"]) == (0, True)
    assert len(schedule["all_next_occurrences"]) == 1
    assert await api.ids() == []

    (run_id,) = await until_ran(api)
    ended = await api.until({"id": run_id})
    assert ended["created_at"] >= schedule["since"]
    assert ended["parameters"] == {"n": 7}
    assert ended["created_by"] == "admin"
    after = await api.get(f"{PATH}/s?deployment_id=web")
    assert after["latest_execution_status"] == "terminated"
    assert after["next_occurrence"] is None
    assert after["all_next_occurrences"] == []
    await asyncio.sleep(0.05)
    assert await api.ids() == [run_id]


async def test_recurring_schedule_runs_again_and_stops_when_it_failed(api):
    await put(api, since=soon(0.05), recurrence="1 seconds", count=None)
    await until_ran(api, 2)
    gone = await api.call("DELETE", f"{PATH}/s?deployment_id=web", status=204)
    assert gone == ""
    first = await api.ids()
    await put(
        api,
        since=soon(0.05),
        recurrence="1 sec",
        count=9,
        workflow_id="fail",
        stop_on_fail=True,
    )
    await until_ran(api, len(first) + 1)
    async with asyncio.timeout(5):
        while (await api.get(f"{PATH}/s?deployment_id=web"))["enabled"]:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.02)
    assert len(await api.ids()) == len(first) + 1


async def test_due_schedule_waits_for_a_busy_deployment(api):
    first = await api.start("wait")
    await put(api, since=soon(0.05))
    _, queued = await until_ran(api, 2)
    assert (await api.get(f"/executions/{queued}"))["status"] == "queued"
    api.programs.go.set()
    await api.until(first)
    assert (await api.until({"id": queued}))["status"] == "terminated"


async def test_disabled_schedule_does_not_start(api):
    await put(api, since=soon(0.1), enabled=False)
    await put(api, "later", since=soon(0.1))
    changed = await api.call(
        "PATCH",
        f"{PATH}/later?deployment_id=web",
        status=201,
        body={"since": soon(3600), "until": None, "slip": None, "enabled": None},
    )
    await asyncio.sleep(0.2)
    assert await api.ids() == []
    assert changed["rule"]["count"] == 1
    path = f"{PATH}/s?deployment_id=web"
    body = {"since": soon(0.05), "enabled": "true", "workflow_id": "fail"}
    await api.call("PATCH", path, status=201, body=body)
    (run_id,) = await until_ran(api)
    assert (await api.until({"id": run_id}))["status"] == "failed"


async def test_schedules_survive_a_restart(tmp_path):
    data = str(tmp_path / "runs.db")
    ran = asyncio.Event()

    async def program(_):
        ran.set()

    for since in (soon(0.2), None):
        async with LocalServer(token="local-token", data=data) as server:
            server.cloudify.register("web", "echo", program)
            if since:
                async with aiohttp.ClientSession(server.url, headers=HEADERS) as s:
                    await put(Api(s, None, server.cloudify), since=since)
            else:
                async with asyncio.timeout(10):
                    await ran.wait()


async def test_same_id_is_refused_per_deployment(api):
    api.facade.register("db", "echo", api.programs.echo)

    async def send():
        body = {"workflow_id": "echo", "since": soon(3600), "count": 1}
        path = f"/api/v3.1{PATH}/s?deployment_id=web"
        async with api.session.put(path, json=body) as response:
            return response.status

    assert sorted(await asyncio.gather(*(send() for _ in range(6)))) == [
        201,
        *[409] * 5,
    ]
    assert (await put(api, deployment="db"))["deployment_id"] == "db"
    answer = await put(api, status=409)
    assert answer["error_code"] == "conflict_error"


async def test_lists(api):
    for name in ("a", "b", "ab"):
        await put(api, name, created_at="2024-05-01T10:00:00Z")
    listed = await api.get(f"{PATH}?_sort=-id&_size=2&_include=id,deployment_id")
    assert listed == {
        "items": [
            {"id": "b", "deployment_id": "web"},
            {"id": "ab", "deployment_id": "web"},
        ],
        "metadata": {
            "pagination": {"total": 3, "size": 2, "offset": 0},
            "filtered": None,
        },
    }
    assert len((await api.get(f"{PATH}?_search=A"))["items"]) == 2
    assert len((await api.get(f"{PATH}?id=a&id=b&workflow_id=echo"))["items"]) == 2
    dumped = (await api.get(f"{PATH}?_include=id,rule,since,created_by"))["items"][0]
    assert dumped["rule"] == {"recurrence": None, "count": 1, "weekdays": None}
    one = await api.get(f"{PATH}/a?deployment_id=web&_include=id")
    assert one == {"id": "a"}


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"deployment": "no"}, 404, "not_found_error"),
        ({"workflow_id": "no"}, 400, "nonexistent_workflow_error"),
        ({"workflow_id": None}, 400, "bad_parameters_error"),
        ({"since": None}, 400, "bad_parameters_error"),
        ({"since": "2030-01-01T10:00:00Z"}, 400, "bad_parameters_error"),
        ({"since": "2030-01-01T10:00"}, 400, "bad_parameters_error"),
        ({"since": "+2h"}, 400, "bad_parameters_error"),
        ({"count": None}, 400, "bad_parameters_error"),
        ({"count": 2}, 400, "bad_parameters_error"),
        ({"recurrence": "often"}, 400, "bad_parameters_error"),
        ({"recurrence": "1 day", "weekdays": ["xx"]}, 400, "bad_parameters_error"),
        ({"recurrence": "1 day", "weekdays": "mo"}, 400, "bad_parameters_error"),
        ({"rrule": "FREQ=DAILY"}, 400, "bad_parameters_error"),
        ({"rrule": "nonsense", "count": None}, 400, "bad_parameters_error"),
        ({"parameters": []}, 400, "bad_parameters_error"),
        ({"execution_arguments": "x"}, 400, "bad_parameters_error"),
        ({"execution_arguments": {"force": 1}}, 400, "bad_parameters_error"),
        ({"slip": "1"}, 400, "bad_parameters_error"),
        ({"enabled": "maybe"}, 400, "bad_parameters_error"),
    ],
)
async def test_refuses_schedules(api, fields, status, code):
    assert (await put(api, status=status, **fields))["error_code"] == code
    assert (await api.get(PATH))["items"] == []


async def test_calls_by_id_need_the_deployment(api):
    await put(api)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = await api.call(method, f"{PATH}/s", status=400, body={})
        assert answer.startswith("<!doctype html>")
    for method in ("GET", "PATCH", "DELETE"):
        path = f"{PATH}/no?deployment_id=web"
        await api.refused(method, path, 404, "not_found_error", body={})


async def test_maintenance_holds_schedules(api):
    api.facade.maintenance = "activated"
    async with aiohttp.ClientSession(
        api.session._base_url, headers=HEADERS | {"X-BYPASS-MAINTENANCE": "1"}
    ) as session:
        bypassing = Api(session, api.programs, api.facade)
        await put(bypassing, since=soon(0.05))
        await asyncio.sleep(0.15)
        assert await bypassing.ids() == []


# -- the deprecated way --------------------------------------------------------------


@pytest.mark.parametrize("defect", [False, True])
async def test_scheduled_time_makes_a_schedule(api, defect):
    api.facade.defects.schedule_without_id = defect
    answer = await api.start("echo", scheduled_time=soon(0.1), parameters={"n": 3})
    assert answer.keys() == KEYS
    assert answer["status"] == "scheduled"
    (schedule,) = (await api.get(PATH))["items"]
    if defect:
        told = {name for name, value in answer.items() if value is not None}
        assert told == {"status", "status_display"}
    else:
        assert answer["id"] == schedule["id"]
        assert (answer["deployment_id"], answer["workflow_id"]) == ("web", "echo")
        assert answer["scheduled_for"] == schedule["since"]
    (run_id,) = await until_ran(api)
    assert (await api.until({"id": run_id}))["parameters"] == {"n": 3}


async def test_refuses_scheduled_times(api):
    body = {"deployment_id": "web", "workflow_id": "echo"}
    past = body | {"scheduled_time": "2020-01-01T00:00:00"}
    await api.refused("POST", "/executions", 400, "bad_parameters_error", body=past)
    never = body | {"scheduled_time": "whenever"}
    answer = await api.call("POST", "/executions", status=500, body=never)
    assert answer["error_code"] == "internal_server_error"
    unknown = body | {"scheduled_time": soon(60), "deployment_id": "no"}
    await api.refused("POST", "/executions", 404, "not_found_error", body=unknown)


# -- occurrences ---------------------------------------------------------------------

START = datetime(2024, 1, 31, 10, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("rule", "after", "expected"),
    [
        ({"count": 1}, -1, ["01-31 10"]),
        ({"count": 1}, 0, []),
        (
            {"recurrence": "2 days", "count": 3},
            -1,
            ["01-31 10", "02-02 10", "02-04 10"],
        ),
        ({"recurrence": "2 days", "count": 3}, 0, ["02-02 10", "02-04 10"]),
        ({"recurrence": "2 days", "count": 3}, 86400 * 9, []),
        ({"recurrence": "6h"}, 3600, ["01-31 16", "01-31 22", "02-01 04"]),
        ({"recurrence": "1 week"}, 0, ["02-07 10", "02-14 10", "02-21 10"]),
        # months without the day are left out
        ({"recurrence": "1 month"}, 0, ["03-31 10", "05-31 10", "07-31 10"]),
        (
            {"recurrence": "1 days", "weekdays": ["mo", "FR"]},
            0,
            ["02-02 10", "02-05 10", "02-09 10"],
        ),
        (
            {"recurrence": "2 weeks", "weekdays": ["TU"]},
            0,
            ["02-13 10", "02-27 10", "03-12 10"],
        ),
        (
            {"rrule": "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=2"},
            -1,
            ["01-31 10", "02-03 10"],
        ),
        ({"rrule": "FREQ=DAILY;UNTIL=20240201T120000Z"}, 0, ["02-01 10"]),
        (
            {"rrule": "FREQ=WEEKLY;BYDAY=MO,TU"},
            0,
            ["02-05 10", "02-06 10", "02-12 10"],
        ),
    ],
)
def test_occurrences(rule, after, expected):
    recurrence = recurrence_of(rule_of(rule), None)
    found = recurrence.after(START + timedelta(seconds=after), START)
    assert [f"{when:%m-%d %H}" for when in islice(found, 3)] == expected


def test_seconds_of_years_are_not_counted():
    recurrence = recurrence_of({"recurrence": "1 sec"}, None)
    later = START + timedelta(days=3650)
    assert next(recurrence.after(later, START)) == later + timedelta(seconds=1)
    yearly = recurrence_of({"recurrence": "1 year"}, START + timedelta(days=800))
    assert [when.year for when in yearly.after(START, START)] == [2025, 2026]


def test_rules_keep_what_is_not_changed():
    before = rule_of({"recurrence": "1 day", "count": 3, "weekdays": ["MO"]})
    after = rule_of({"recurrence": "2 days", "count": None}, before)
    assert after == {"recurrence": "2 days", "count": 3, "weekdays": ["MO"]}
    assert rule_of({"rrule": "FREQ=DAILY"}, before) == {"rrule": "FREQ=DAILY"}
    for text in ("1 fortnight", "day", "FREQ=DAILY;BYHOUR=3"):
        with pytest.raises(Refusal):
            recurrence_of({"recurrence": text, "rrule": text}, None)
