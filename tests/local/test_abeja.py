"""The ABEJA façade over real sockets, judged by wire/abeja.md."""

import asyncio
import base64
import json
import re
import sys
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from aioruns.local.abeja import views
from aioruns.local.abeja.inputs import Window
from aioruns.local.faults import Fault
from aioruns.local.records import Command, State
from aioruns.local.server import LocalServer

ORG, DEPLOYMENT, VERSION = "1000000000001", "2000000000002", "ver-00aa11bb22cc33dd"
BASE = f"/organizations/{ORG}/deployments/{DEPLOYMENT}"
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def write_lines(job):
    """Write the numbers from 1 to $LINES."""
    for number in range(1, int(job.env.get("LINES", "0")) + 1):
        await job.log(str(number))


class Api:
    def __init__(self, server, session):
        self.server = server
        self._session = session
        self.headers = {"Authorization": f"Bearer {server.token}"}

    async def call(self, method, path, **more):
        more.setdefault("headers", self.headers)
        url = self.server.url + path
        async with self._session.request(method, url, **more) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def ok(self, method, path, **more):
        status, body = await self.call(method, path, **more)
        assert status == 200, body
        return body

    async def get(self, path, **query):
        return await self.ok("GET", BASE + path, params=query)

    async def refused(self, status, method, path, **more):
        got, body = await self.call(method, path, **more)
        assert got == status
        assert body["error_description"]
        return body

    async def create(self, **body):
        return await self.ok(
            "POST", BASE + "/runs", json={"version_id": VERSION, **body}
        )

    async def ended(self, **body):
        run_id = (await self.create(**body))["run_id"]
        await self.server.engine.ended("abeja", run_id)
        return run_id

    def register(self, program=write_lines):
        self.server.abeja.register(DEPLOYMENT, VERSION, program)


@pytest.fixture
async def api(server):
    async with aiohttp.ClientSession() as session:
        api = Api(server, session)
        api.register()
        yield api


# -- create and get ------------------------------------------------------------------


async def test_a_created_run_has_the_documented_keys_and_defaults(api):
    run = await api.create(environment={"A": "1"})
    assert re.fullmatch(r"run-\w{16}", run["run_id"])
    assert MICROSECONDS.fullmatch(run["created_at"])
    assert run == {
        "run_id": run["run_id"],
        "deployment_id": DEPLOYMENT,
        "status": "SUBMITTED",
        "model_version": "0.0.1",
        "model_version_id": VERSION,
        "models": {},
        "input_data": None,
        "output_template": None,
        "retry_count": 5,
        "distribution": run["distribution"],
        "user_env_vars": {"A": "1"},
        "created_at": run["created_at"],
        "modified_at": run["created_at"],
    }
    assert isinstance(run["distribution"], int)


async def test_every_field_of_a_request_comes_back(api):
    data, out = {"$datalake:1": "3/2024-0f"}, {"$datamart-rdb:1": "7"}
    sent = {
        "environment": {"K": "日本"},
        "input_data": data,
        "output_template": out,
        "models": {"alias": "3333333333333"},
        "retry_count": 0,
        "distribution": 0,
    }
    run = await api.create(**sent)
    assert run["distribution"] == 0
    again = await api.get(f"/runs/{run['run_id']}")
    for body in (run, again):
        assert body["user_env_vars"] == {"K": "日本"}
        assert (body["input_data"], body["output_template"]) == (data, out)
        assert body["models"] == {"alias": "3333333333333"}
        assert body["retry_count"] == 0
    assert "distribution" not in again
    api.server.abeja.json_text = True
    text = await api.get(f"/runs/{run['run_id']}")
    assert json.loads(text["input_data"]) == data
    assert json.loads(text["output_template"]) == out


async def test_the_program_gets_environment_and_input(api):
    seen = []

    async def program(job):
        seen.append((dict(job.env), json.loads(job.stdin)))

    api.register(program)
    await api.ended(environment={"SEED": "7"}, input_data={"$datalake:1": "1/2"})
    await api.ended()
    assert seen == [({"SEED": "7"}, {"$datalake:1": "1/2"}), ({}, None)]


async def test_a_real_process_is_run_and_heard(api):
    code = (
        "import json, os, sys\n"
        "print('one', os.environ['NAME'])\n"
        "print('two', file=sys.stderr)\n"
        "print(json.load(sys.stdin))\n"
        "sys.exit(3)\n"
    )
    api.register(Command((sys.executable, "-c", code)))
    run_id = await api.ended(environment={"NAME": "x"}, input_data={"a:1": "b"})
    assert (await api.get(f"/runs/{run_id}"))["status"] == "FAILED"
    events = (await api.get(f"/runs/{run_id}/logs"))["events"]
    messages = [event["message"] for event in events]
    # Two pipes: the order between them is that of capture.
    assert sorted(messages) == ["one x", "two", "{'a:1': 'b'}"]
    assert all(event.keys() == {"message", "timestamp"} for event in events)
    assert all(MICROSECONDS.fullmatch(event["timestamp"]) for event in events)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version_id": 5}, "version_id"),
        ({"version_id": ""}, "version_id"),
        ({"environment": {"A": 1}}, "environment"),
        ({"environment": [1]}, "environment"),
        ({"input_data": "text"}, "input_data"),
        ({"models": "id"}, "models"),
        ({"retry_count": 10}, "retry_count"),
        ({"retry_count": True}, "retry_count"),
        ({"distribution": "0"}, "distribution"),
    ],
)
async def test_a_wrong_field_is_named(api, body, field):
    body = {"version_id": VERSION, **body}
    answer = await api.refused(400, "POST", BASE + "/runs", json=body)
    assert answer["error"] == "bad_request"
    assert list(answer["error_detail"]) == [field]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"])
async def test_a_body_that_is_no_object_is_refused(api, data):
    await api.refused(400, "POST", BASE + "/runs", data=data)


async def test_what_does_not_exist_is_404(api):
    run_id = (await api.create())["run_id"]
    other = f"/organizations/{ORG}/deployments/9"
    api.server.abeja.register("8", "ver-8", write_lines, organization_id="77")
    body = {"version_id": "ver-nope"}
    for method, path in (
        ("GET", BASE + "/runs/run-0"),
        ("GET", BASE + "/runs/run-0/logs"),
        ("GET", BASE + "/runs/run-0/recentlogs"),
        ("GET", other + "/runs"),
        ("GET", f"/organizations/{ORG}/deployments/8/runs"),
        ("GET", f"/organizations/77/deployments/8/runs/{run_id}"),
        ("GET", BASE + "/triggers/tri-0"),
        ("GET", BASE + "/nothing"),
    ):
        answer = await api.refused(404, method, path)
        assert answer["error"] == "not_found"
    await api.refused(404, "POST", BASE + "/runs", json=body)
    await api.refused(404, "POST", other + "/runs", json=body)
    assert (await api.ok("GET", "/organizations/77/deployments/8/runs")) == {
        "entries": []
    }


async def test_a_run_cannot_be_cancelled_or_deleted(api):
    run_id = (await api.create())["run_id"]
    answer = await api.refused(405, "DELETE", f"{BASE}/runs/{run_id}")
    assert answer["error"] == "method_not_allowed"
    await api.refused(404, "POST", f"{BASE}/runs/{run_id}/stop")


async def test_ids_are_read_unescaped_and_a_trailing_slash_is_accepted(api):
    api.server.abeja.register("a/b c", "v", write_lines)
    path = "/organizations/o%2F1/deployments/a%2Fb%20c/runs/"
    run = await api.ok("POST", path, json={"version_id": "v"})
    assert run["deployment_id"] == "a/b c"
    assert len((await api.ok("GET", path))["entries"]) == 1
    await api.ok("GET", f"{path}{run['run_id']}/logs/")


# -- authentication ------------------------------------------------------------------


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer local-token",
        basic("user-123:local-token"),
        basic("datasource-9:local-token"),
    ],
)
async def test_three_forms_of_credentials_are_accepted(api, header):
    headers = {"Authorization": header}
    await api.ok("GET", BASE + "/runs", headers=headers)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer wrong",
        "Bearer",
        "Token local-token",
        "Basic local-token",
        basic("123:local-token"),
        basic("user-:local-token"),
        basic("user-1:wrong"),
        basic("user-1"),
    ],
)
async def test_anything_else_is_401(api, header):
    headers = {} if header is None else {"Authorization": header}
    for path in ("/runs", "/runs/run-0", "/triggers"):
        body = await api.refused(401, "GET", BASE + path, headers=headers)
        assert body["error"] == "unauthorized"
        assert "local-token" not in json.dumps(body)


# -- status --------------------------------------------------------------------------


async def test_a_run_walks_through_the_states(api):
    gates = [asyncio.Event(), asyncio.Event()]

    async def program(job):
        await gates[int(job.env["N"])].wait()

    async with LocalServer(token="local-token", slots=1) as server:
        api.server = server
        api.register(program)
        first, second = [
            (await api.create(environment={"N": n}))["run_id"] for n in "01"
        ]

        async def status(run_id):
            return (await api.get(f"/runs/{run_id}"))["status"]

        seen = [await status(first), await status(second)]
        while seen[-2:] != ["RUNNING", "RUNNABLE"]:
            seen += [await status(first), await status(second)]
            await asyncio.sleep(0.01)
        assert seen[1::2][0] == "SUBMITTED"
        assert set(seen[::2]) <= {"SUBMITTED", "RUNNABLE", "STARTING", "RUNNING"}
        for gate in gates:
            gate.set()
        for run_id in (first, second):
            await server.engine.ended("abeja", run_id)
            run = await api.get(f"/runs/{run_id}")
            assert run["status"] == "SUCCEEDED"
            assert run["modified_at"] > run["created_at"]


async def test_the_status_of_a_moment_follows_from_the_record(server):
    record = await server.engine.submit("abeja", "r", [], hold=True)
    record.created = start = datetime(2024, 1, 2, tzinfo=UTC)

    def at(seconds):
        status, since = views.standing(record, start + timedelta(seconds=seconds))
        return status, (since - start).total_seconds()

    record.state = State.QUEUED
    assert at(0.01) == ("SUBMITTED", 0)
    assert at(1) == ("RUNNABLE", 0.05)
    record.state, record.started = State.RUNNING, start + timedelta(seconds=2)
    assert at(2.01) == ("STARTING", 2)
    assert at(3) == ("RUNNING", 2.05)
    record.ended = start + timedelta(seconds=4)
    for state, status in (("succeeded", "SUCCEEDED"), ("failed", "FAILED")):
        record.state = State(state)
        assert at(9) == (status, 4)
    record.state = State.CANCELED
    assert at(9) == ("FAILED", 4)


async def test_a_program_that_raises_fails(api):
    async def program(job):
        raise RuntimeError("no")

    api.register(program)
    run_id = await api.ended()
    assert (await api.get(f"/runs/{run_id}"))["status"] == "FAILED"


# -- listing -------------------------------------------------------------------------


async def listed(api, **query):
    """All pages of a listing, as lists of run ids."""
    pages, token = [], None
    while True:
        more = {"next_page_token": token} if token else {}
        body = await api.get("/runs", **query, **more)
        pages.append([run["run_id"] for run in body["entries"]])
        if "next_page_token" not in body:
            return pages
        token = body["next_page_token"]


async def test_runs_are_listed_in_pages_newest_first_or_oldest_first(api):
    api.server.settings.page_size = 2
    assert await api.get("/runs") == {"entries": []}
    ids = [(await api.create())["run_id"] for _ in range(4)]
    newest_first = [[ids[3], ids[2]], [ids[1], ids[0]]]
    assert await listed(api) == newest_first
    assert await listed(api, scan_forward="False") == newest_first
    for spelling in ("True", "true", "TRUE"):
        pages = await listed(api, scan_forward=spelling)
        assert pages == [[ids[0], ids[1]], [ids[2], ids[3]]]
    row = (await api.get("/runs"))["entries"][0]
    assert row.keys() == (await api.get(f"/runs/{ids[0]}")).keys()


async def test_runs_created_between_pages_repeat_nothing(api):
    api.server.settings.page_size = 2
    ids = [(await api.create())["run_id"] for _ in range(4)]
    first = await api.get("/runs")
    await api.create()
    second = await api.get("/runs", next_page_token=first["next_page_token"])
    shown = [run["run_id"] for run in first["entries"] + second["entries"]]
    assert shown == ids[::-1]


async def test_a_page_may_be_empty_and_not_the_last(api):
    api.server.abeja.empty_page_with_token = True
    run_id = await api.ended(environment={"LINES": "2"})
    assert await listed(api) == [[], [run_id]]
    first = await api.get(f"/runs/{run_id}/logs")
    assert first.keys() == {"events", "next_token"}
    assert first["events"] == []
    second = await api.get(f"/runs/{run_id}/logs", next_token=first["next_token"])
    assert len(second["events"]) == 2
    assert "next_token" not in second


async def test_listings_refuse_what_they_do_not_know(api):
    api.server.settings.page_size = 1
    for _ in range(2):
        await api.create()
    token = (await api.get("/runs"))["next_page_token"]
    for query in (
        {"scan_forward": "yes"},
        {"scan_forward": ""},
        {"next_page_token": "nonsense"},
        {"next_page_token": token[:-4] + "AAA="},
        {"next_page_token": token, "scan_forward": "true"},
    ):
        body = await api.refused(400, "GET", BASE + "/runs", params=query)
        assert body["error"] == "bad_request"
    # The official client sends an empty token as it is; it means the first page.
    assert len((await api.get("/runs", next_page_token=""))["entries"]) == 1


# -- logs ----------------------------------------------------------------------------


def messages(body):
    return [event["message"] for event in body["events"]]


async def test_logs_come_oldest_first_in_pages(api):
    api.server.settings.page_size = 2
    run_id = await api.ended(environment={"LINES": "5"})
    seen, query = [], {}
    while True:
        body = await api.get(f"/runs/{run_id}/logs", **query)
        seen.append(messages(body))
        if "next_token" not in body:
            break
        query = {"next_token": body["next_token"]}
    assert seen == [["1", "2"], ["3", "4"], ["5"]]
    empty = await api.ended()
    assert await api.get(f"/runs/{empty}/logs") == {"events": []}


async def test_a_full_last_page_has_no_token(api):
    api.server.settings.page_size = 2
    run_id = await api.ended(environment={"LINES": "2"})
    assert (await api.get(f"/runs/{run_id}/logs")).keys() == {"events"}


async def test_times_bound_the_logs_and_tokens_keep_working(api):
    api.server.settings.page_size = 2
    run_id = await api.ended(environment={"LINES": "5"})
    now = datetime.now(UTC)
    before = (now - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    after = (now + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for path, order in (("logs", ["1", "2"]), ("recentlogs", ["5", "4"])):
        url = f"/runs/{run_id}/{path}"
        assert messages(await api.get(url, start_time=before, end_time=after)) == order
        assert messages(await api.get(url, start_time=after)) == []
        assert messages(await api.get(url, end_time=before)) == []
        assert messages(await api.get(url, start_time="")) == order
        for wrong in (
            "2024-01-02",
            "2024-01-02T03:04:05.5",
            "1",
            "2024-13-02T03:04:05",
        ):
            query = {"end_time": wrong}
            await api.refused(400, "GET", BASE + url, params=query)
    url, window = f"/runs/{run_id}/logs", {"start_time": before, "end_time": after}
    token = (await api.get(url, **window))["next_token"]
    assert messages(await api.get(url, next_token=token, **window)) == ["3", "4"]
    url = f"/runs/{run_id}/recentlogs"
    token = (await api.get(url, **window))["next_backward_token"]
    page = await api.get(url, next_backward_token=token, **window)
    assert messages(page) == ["3", "2"]


async def test_both_ends_of_the_window_are_included():
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    assert Window(moment, moment).holds(moment)
    assert not Window(moment, None).holds(moment - timedelta(microseconds=1))
    assert not Window(None, moment).holds(moment + timedelta(microseconds=1))


async def test_recent_logs_can_be_followed_without_losing_a_line(api):
    api.server.settings.page_size = 2
    steps: asyncio.Queue[int] = asyncio.Queue()

    async def program(job):
        number = 0
        while count := await steps.get():
            for _ in range(count):
                number += 1
                await job.log(str(number))

    api.register(program)
    run_id = (await api.create())["run_id"]
    url = f"/runs/{run_id}/recentlogs"
    empty = await api.get(url)
    assert empty.keys() == {"events", "next_backward_token", "next_forward_token"}
    forward, seen = empty["next_forward_token"], []
    for count in (3, 1, 5, 0):
        steps.put_nowait(count)
        if not count:
            await api.server.engine.ended("abeja", run_id)
        while not steps.empty() or (count and len(seen) < {3: 3, 1: 4, 5: 9}[count]):
            page = await api.get(url, next_forward_token=forward)
            assert len(page["events"]) <= 2
            seen += messages(page)[::-1]
            forward = page["next_forward_token"]
            await asyncio.sleep(0)
    assert seen == [str(number) for number in range(1, 10)]


async def test_recent_logs_start_at_the_end_and_page_both_ways(api):
    api.server.settings.page_size = 2
    run_id = await api.ended(environment={"LINES": "5"})
    url = f"/runs/{run_id}/recentlogs"
    newest = await api.get(url)
    assert messages(newest) == ["5", "4"]
    middle = await api.get(url, next_backward_token=newest["next_backward_token"])
    assert messages(middle) == ["3", "2"]
    oldest = await api.get(url, next_backward_token=middle["next_backward_token"])
    assert messages(oldest) == ["1"]
    before = await api.get(url, next_backward_token=oldest["next_backward_token"])
    assert messages(before) == []
    assert before["next_backward_token"] == oldest["next_backward_token"]
    # From the beginning forward again: every line, each page newest first.
    pages, token = [], before["next_forward_token"]
    for _ in range(4):
        page = await api.get(url, next_forward_token=token)
        pages.append(messages(page))
        token = page["next_forward_token"]
    assert pages == [["2", "1"], ["4", "3"], ["5"], []]


@pytest.mark.parametrize("mode", ["unchanged", "changed"])
async def test_the_tokens_of_an_empty_page(api, mode):
    api.server.abeja.forward_tokens = mode
    run_id = await api.ended(environment={"LINES": "1"})
    url = f"/runs/{run_id}/recentlogs"
    tokens = [(await api.get(url))["next_forward_token"]]
    for _ in range(3):
        page = await api.get(url, next_forward_token=tokens[-1])
        assert page["events"] == []
        tokens.append(page["next_forward_token"])
    assert len(set(tokens)) == (1 if mode == "unchanged" else 4)


async def test_logs_refuse_tokens_that_they_did_not_give(api):
    api.server.settings.page_size = 1
    run_id = await api.ended(environment={"LINES": "2"})
    other = await api.ended(environment={"LINES": "2"})
    log = (await api.get(f"/runs/{run_id}/logs"))["next_token"]
    recent = await api.get(f"/runs/{run_id}/recentlogs")
    forward, backward = recent["next_forward_token"], recent["next_backward_token"]
    for path, query in (
        (f"/runs/{run_id}/logs", {"next_token": "x"}),
        (f"/runs/{run_id}/logs", {"next_token": forward}),
        (f"/runs/{other}/logs", {"next_token": log}),
        (f"/runs/{run_id}/recentlogs", {"next_forward_token": backward}),
        (f"/runs/{run_id}/recentlogs", {"next_backward_token": forward}),
        (f"/runs/{other}/recentlogs", {"next_forward_token": forward}),
        (
            f"/runs/{run_id}/recentlogs",
            {"next_forward_token": forward, "next_backward_token": backward},
        ),
    ):
        body = await api.refused(400, "GET", BASE + path, params=query)
        assert body["error"] == "bad_request"


# -- triggers ------------------------------------------------------------------------


async def test_a_trigger_is_kept_listed_fired_and_deleted(api):
    body = {
        "version_id": VERSION,
        "input_service_name": "datalake",
        "input_service_id": "3333333333333",
        "environment": None,  # as the official client sends it
    }
    made = await api.ok("POST", BASE + "/triggers", json=body)
    assert re.fullmatch(r"tri-\w{16}", made["trigger_id"])
    assert made["user_env_vars"] == {}
    assert made["output_service_name"] is None
    path = f"/triggers/{made['trigger_id']}"
    assert await api.get(path) == made
    assert await api.get("/triggers") == {"entries": [made]}
    assert await api.get(path + "/runs") == {"entries": []}

    await api.create()
    record = await api.server.abeja.fire(made["trigger_id"], "20240102T030405-0f")
    (run,) = (await api.get(path + "/runs", scan_forward="True"))["entries"]
    assert (run["run_id"], run["trigger_id"]) == (record.id, made["trigger_id"])
    assert run["input_data"] == {"$datalake:1": "3333333333333/20240102T030405-0f"}
    assert "model_version" not in run
    assert len((await api.get("/runs"))["entries"]) == 2

    assert "message" in await api.ok("DELETE", BASE + path)
    await api.refused(404, "GET", BASE + path)
    assert await api.get("/triggers") == {"entries": []}


async def test_a_trigger_wants_a_channel_of_the_data_lake(api):
    body = {
        "version_id": VERSION,
        "input_service_name": "mail",
        "input_service_id": "1",
    }
    answer = await api.refused(400, "POST", BASE + "/triggers", json=body)
    assert "input_service_name" in answer["error_detail"]


# -- the server's part -----------------------------------------------------------------


async def test_runs_are_answered_for_after_a_restart(tmp_path, api):
    data = str(tmp_path / "runs.db")
    async with LocalServer(token="local-token", data=data, page_size=1) as server:
        api.server = server
        api.register()
        run_id = await api.ended(environment={"LINES": "2"})
        token = (await api.get(f"/runs/{run_id}/logs"))["next_token"]
    async with LocalServer(token="local-token", data=data, page_size=1) as server:
        api.server = server
        assert (await api.get(f"/runs/{run_id}"))["status"] == "SUCCEEDED"
        page = await api.get(f"/runs/{run_id}/logs", next_token=token)
        assert messages(page) == ["2"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("429", "too_many_requests"),
        ("500", "internal_server_error"),
        ("503", "service_unavailable"),
    ],
)
async def test_injected_errors_have_the_platform_s_body(api, kind, code):
    api.server.faults.add(Fault(kind, route="GET .*/runs"))
    assert (await api.refused(int(kind), "GET", BASE + "/runs"))["error"] == code


async def test_a_dropped_answer_leaves_the_run(api):
    api.server.faults.add(Fault("drop-after", route="POST .*/runs", times=1))
    with pytest.raises(aiohttp.ClientError):
        await api.create(environment={"CLIENT_SUBMIT_ID": "5b0c"})
    (row,) = (await api.get("/runs"))["entries"]
    assert row["user_env_vars"] == {"CLIENT_SUBMIT_ID": "5b0c"}
