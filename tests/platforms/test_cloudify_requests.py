"""Cloudify without a socket: requests and answers as values, and configuration."""

import pickle
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import attrs
import orjson
import pytest

from aioruns.errors import InvalidInput, MissingCredentials
from aioruns.http.codec import decode
from aioruns.http.request import Request, Response
from aioruns.platforms.cloudify import Cloudify, Execution, following, requests
from aioruns.platforms.cloudify.adapter import _reason
from aioruns.platforms.cloudify.config import resolve
from aioruns.platforms.cloudify.explain import explain
from aioruns.platforms.cloudify.models import (
    EventItem,
    ExecutionState,
    ListResponse,
)
from aioruns.platforms.cloudify.statuses import STATES
from aioruns.seam import RunState, Submission

VARIABLES = ("HOST", "TENANT", "USERNAME", "PASSWORD", "TOKEN")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(f"CLOUDIFY_{name}", raising=False)


@pytest.fixture
def cloudify():
    return Cloudify("http://127.0.0.1:1234", token="t")


# -- specs --------------------------------------------------------------------------


def test_a_spec_is_the_body_without_the_key(cloudify):
    spec = cloudify.deployment("web-1").spec("scale", {"delta": 2}, key="k")
    assert spec.payload == {
        "deployment_id": "web-1",
        "workflow_id": "scale",
        "parameters": {"delta": 2},
        "force": False,
        "dry_run": False,
        "queue": False,
        "allow_custom_parameters": False,
    }
    assert (spec.target, spec.key, spec.platform) == ("web-1", "k", "cloudify")
    assert spec == cloudify.deployment("web-1").spec("scale", {"delta": 2}, key="k")
    assert spec != cloudify.deployment("web-1").spec("scale", {"delta": 3}, key="k")


def test_nothing_is_sent_for_what_was_not_given(cloudify):
    deployment = cloudify.deployment("web-1")
    assert "parameters" not in deployment.spec("install").payload
    assert "wait_after_fail" not in deployment.spec("install").payload
    spec = deployment.spec("install", queue=True, wait_after_fail=0)
    assert spec.payload["queue"] is True
    assert spec.payload["wait_after_fail"] == 0


def test_a_spec_keeps_its_own_copy_of_the_parameters(cloudify):
    parameters = {"nodes": ["a"]}
    spec = cloudify.deployment("web-1").spec("scale", parameters)
    parameters["nodes"].append("b")
    assert spec.payload["parameters"] == {"nodes": ["a"]}


def test_everything_wrong_is_said_at_once(cloudify):
    with pytest.raises(InvalidInput) as caught:
        cloudify.deployment("web-1").spec(
            "",
            {requests.MARKER: "x", "bad": object()},
            force=1,  # type: ignore[arg-type]  # on purpose
            wait_after_fail=True,
        )
    for part in ("workflow_id", requests.MARKER, "object", "force", "wait_after_fail"):
        assert part in str(caught.value)


@pytest.mark.parametrize("parameters", [["a"], "text", 3])
def test_parameters_are_an_object(cloudify, parameters):
    with pytest.raises(InvalidInput, match="JSON object"):
        cloudify.deployment("web-1").spec("scale", parameters)


def test_empty_ids_are_refused(cloudify):
    with pytest.raises(InvalidInput, match="deployment id"):
        cloudify.deployment("")
    with pytest.raises(InvalidInput, match="run id"):
        cloudify.deployment("web-1").run("")


# -- requests -----------------------------------------------------------------------

SUBMISSION = Submission("web-1", {"deployment_id": "web-1", "workflow_id": "w"}, "k")


def pairs(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url("http://h/api/v3.1")).query)


def test_a_key_is_an_id_or_a_marker():
    by_id = requests.with_id(SUBMISSION)
    assert (by_id.method, by_id.path) == ("POST", "/executions")
    assert by_id.json == {
        "deployment_id": "web-1",
        "workflow_id": "w",
        "id": requests.execution_id(SUBMISSION),
    }
    assert not by_id.repeatable
    assert requests.with_marker(SUBMISSION).json == {
        "deployment_id": "web-1",
        "workflow_id": "w",
        "parameters": {"_aioruns_key": "k"},
        "allow_custom_parameters": True,
    }


def test_the_same_key_makes_the_same_id_in_its_deployment_only():
    again = Submission("web-1", {}, "k")
    assert requests.execution_id(again) == requests.execution_id(SUBMISSION)
    other = attrs.evolve(SUBMISSION, target="web-2")
    assert requests.execution_id(other) != requests.execution_id(SUBMISSION)
    # Journals of other processes depend on it: it must never change.
    assert requests.execution_id(SUBMISSION) == "b53ee74f-7041-51d7-b69c-17169df51e0e"


def test_states_are_read_by_repeated_ids():
    asked = requests.list_states(["e-1", "e/2"])
    assert pairs(asked) == [
        ("id", "e-1"),
        ("id", "e/2"),
        ("_include", "id,status,error,created_at,started_at,ended_at"),
        ("_include_system_workflows", "true"),
        ("_size", "1000"),
    ]


def test_ids_are_divided_so_that_the_request_line_fits():
    """wire/cloudify.md 1.6."""
    ids = [f"3f0c0a52-9d0e-4c0b-8f57-{number:012}" for number in range(200)]
    ids += [f"{number}/" + "long id " * 20 for number in range(30)]
    parts = list(requests.chunks(ids))
    assert [one for part in parts for one in part] == ids
    assert len(parts[0]) == 80
    for part in parts:
        url = requests.list_states(part).url("/api/v3.1")
        assert len(f"GET {url} HTTP/1.1") < 4094
    assert list(requests.chunks([])) == []


def test_events_are_asked_by_the_time_of_their_arrival():
    since = datetime(2024, 5, 1, 10, 0, 3, 10_000, UTC)
    assert pairs(requests.list_events("e-1", since, 500, 0)) == [
        ("execution_id", "e-1"),
        ("type", "cloudify_event"),
        ("type", "cloudify_log"),
        ("_sort", "reported_timestamp"),
        ("_size", "500"),
        ("_offset", "0"),
        ("_range", "reported_timestamp,2024-05-01T10:00:03.010Z,"),
    ]
    assert "_range" not in dict(pairs(requests.list_events("e-1", None, 500, 0)))


def test_a_cancel_may_be_repeated_and_an_id_is_one_segment():
    asked = requests.cancel("a b/c")
    assert asked == Request(
        "POST", "/executions/a%20b%2Fc", json={"action": "cancel"}, repeatable=True
    )


# -- answers ------------------------------------------------------------------------

# wire/cloudify.md 7
EXECUTION = b"""
{"created_at": "2024-05-01T10:00:00.123Z", "visibility": "tenant",
 "id": "3f0c0a52-9d0e-4c0b-8f57-2a1b5c0d9e10", "ended_at": null,
 "error": null, "is_system_workflow": false, "parameters_p": null,
 "parameters": {"delta": 2, "_submit_key": "7c1e"},
 "status": "pending", "workflow_id": "scale", "started_at": null,
 "scheduled_for": null, "is_dry_run": false, "resume": false,
 "total_operations": 0, "finished_operations": 0, "allow_custom_parameters": true,
 "blueprint_id": "web", "deployment_display_name": "Web 1", "deployment_id": "web-1",
 "status_display": "pending", "tenant_name": "default_tenant",
 "created_by": "user", "resource_availability": "tenant", "private_resource": false}
"""
EVENTS = b"""
{"metadata": {"pagination": {"size": 500, "offset": 0, "total": 1}},
 "items": [{"_storage_id": 91, "type": "cloudify_log",
   "timestamp": "2024-05-01T10:00:04.900Z",
   "reported_timestamp": "2024-05-01T10:00:05.010Z", "message": "installed",
   "level": "info", "logger": "ctx.a1", "operation": "lifecycle.create",
   "execution_id": "e-1", "execution_group_id": null, "workflow_id": "scale",
   "deployment_id": "web-1", "deployment_display_name": "Web 1",
   "blueprint_id": "web", "error_causes": null, "source_id": null, "target_id": null,
   "node_instance_id": null, "node_name": null, "manager_name": "m1",
   "agent_name": null}]}
"""


def test_an_execution_has_all_25_fields_and_the_object_as_it_came():
    execution = decode(EXECUTION, Execution)
    names = {field.name for field in attrs.fields(Execution)} - {"raw"}
    assert names == set(orjson.loads(EXECUTION))
    assert len(names) == 25
    assert execution.created_at == datetime(2024, 5, 1, 10, 0, 0, 123_000, UTC)
    assert execution.parameters == {"delta": 2, "_submit_key": "7c1e"}
    assert execution.raw == orjson.loads(EXECUTION)
    assert "7c1e" not in repr(execution)  # parameters may be secret


def test_an_execution_may_lack_what_is_not_needed():
    execution = decode(b'{"id": "e", "status": "odd", "new": [1]}', Execution)
    assert (execution.status, execution.raw["new"]) == ("odd", [1])


def test_states_of_a_bulk_poll():
    page = decode(
        b'{"metadata": {"pagination": {"total": 2, "size": 1000, "offset": 0},'
        b' "filtered": null}, "items": [{"id": "e-1", "status": "started"},'
        b' {"id": "e-2", "status": "terminated"}]}',
        ListResponse[ExecutionState],
    )
    assert [(row.id, row.status) for row in page.items] == [
        ("e-1", "started"),
        ("e-2", "terminated"),
    ]
    assert page.metadata.pagination.total == 2


def test_every_documented_status_has_a_state():
    """wire/cloudify.md 3.2.1."""
    assert STATES == {
        "pending": RunState.QUEUED,
        "queued": RunState.QUEUED,
        "scheduled": RunState.QUEUED,
        "started": RunState.RUNNING,
        "cancelling": RunState.RUNNING,
        "force_cancelling": RunState.RUNNING,
        "kill_cancelling": RunState.RUNNING,
        "terminated": RunState.SUCCEEDED,
        "failed": RunState.FAILED,
        "cancelled": RunState.CANCELED,
    }


def test_the_reason_is_what_follows_the_traceback():
    plain = "Error preparing execution: no such plugin"
    assert _reason(plain) == plain
    assert _reason("") == ""
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in <module>\n    go()\n'
        "TypeError: not\nlike this\n"
    )
    assert _reason(traceback) == "TypeError: not\nlike this"
    assert _reason("Traceback (most recent call last):") != ""


# -- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (
            b'{"message": "gone", "error_code": "not_found_error", "x": null}',
            "gone",
            "not_found_error",
        ),
        (b'{"message": "", "error_code": "a_code"}', "a_code", "a_code"),
        (b'{"detail": "no such log"}', "no such log", None),
        (b'{"error_code": 7}', '{"error_code": 7}', None),
        (b"[1]", "[1]", None),
        (b"", "", None),
        (b"\xff\xfe", "\ufffd\ufffd", None),
        (
            b"<!doctype html>\n<title>400 Bad</title>\n<p>not &lt; JSON</p>",
            "400 Bad not < JSON",
            None,
        ),
    ],
)
def test_error_bodies_are_explained(body, message, code):
    said = explain(Response(400, {}, body))
    assert (said.message, said.code) == (message, code)


# -- logs ---------------------------------------------------------------------------


def row(number: int, at: int, kind: str = "cloudify_log") -> EventItem:
    """A row that arrived `at` milliseconds into some hour."""
    when = datetime.fromtimestamp(1_714_557_600 + at / 1000, UTC)
    text = f"{kind} {number}"
    return EventItem(number, kind, when, when, text, event_type="e", logger="l")


class Manager:
    """Answers the events query as the manager does."""

    def __init__(self, rows):
        self.rows = rows
        self.asked = []

    async def __call__(self, request):
        asked = dict(pairs(request))
        self.asked.append(asked)
        rows = self.rows
        if "_range" in asked:
            since = datetime.fromisoformat(asked["_range"].split(",")[1])
            rows = [one for one in rows if one.reported_timestamp >= since]
        rows = sorted(rows, key=lambda one: one.reported_timestamp)
        start, size = int(asked["_offset"]), int(asked["_size"])
        items = [
            {
                "_storage_id": one.storage_id,
                "type": one.type,
                "timestamp": one.timestamp.isoformat(),
                "reported_timestamp": one.reported_timestamp.isoformat(),
                "message": one.message,
            }
            for one in rows[start : start + size]
        ]
        page = {"items": items, "metadata": {"pagination": {"total": len(rows)}}}
        return decode(orjson.dumps(page), request.returns)


async def texts(manager, position=None):
    page = await following.read(manager, "e-1", position)
    return [event.message for event in page.events], page


def test_the_documented_event_is_decoded():
    page = decode(EVENTS, ListResponse[EventItem])
    (item,) = page.items
    assert (item.storage_id, item.logger, item.message) == (91, "ctx.a1", "installed")


async def test_events_and_logs_share_numbers_and_are_told_apart():
    manager = Manager([row(1, 0), row(1, 0, "cloudify_event"), row(2, 5)])
    lines, page = await texts(manager)
    assert lines == ["cloudify_log 1", "cloudify_event 1", "cloudify_log 2"]
    again, _ = await texts(manager, page.after(3))
    assert again == []


async def test_a_row_that_arrives_late_is_read_once():
    manager = Manager([row(1, 0), row(3, 3000)])
    _, page = await texts(manager)
    manager.rows.append(row(2, 1500))
    lines, page = await texts(manager, page.after(2))
    assert lines == ["cloudify_log 2"]
    manager.rows.append(row(4, 4000))
    lines, page = await texts(manager, page.after(1))
    assert lines == ["cloudify_log 4"]
    assert (await texts(manager, page.after(1)))[0] == []


async def test_every_position_continues_exactly(monkeypatch):
    monkeypatch.setattr(following, "ROWS", 7)
    times = [0, 0, 1, 500, 1999, 2000, 2000, 2001, 2001, 4000, 4100, 9000, 9000, 9001]
    manager = Manager([row(number, at) for number, at in enumerate(times)])
    expected = [f"cloudify_log {number}" for number in range(len(times))]

    async def rest(position):
        lines = []
        while True:
            got, page = await texts(manager, position)
            lines += got
            position = page.after(len(got))
            if not page.more:
                return lines

    assert await rest(None) == expected
    position, count = None, 0
    while count < len(expected):
        got, page = await texts(manager, position)
        for taken in range(len(got) + 1):
            stored = orjson.loads(orjson.dumps(page.after(taken)))
            assert await rest(stored) == expected[count + taken :]
        count += len(got)
        position = page.after(len(got))


async def test_more_rows_at_one_moment_than_a_page_has(monkeypatch):
    """Every request brings new rows, however many the overlap holds."""
    monkeypatch.setattr(following, "ROWS", 10)
    manager = Manager([row(number, 0) for number in range(95)])
    position, lines = None, []
    while True:
        got, page = await texts(manager, position)
        lines += got
        position = page.after(len(got))
        if not page.more:
            break
    assert len(set(lines)) == len(lines) == 95
    assert len(manager.asked) == 10


async def test_a_position_forgets_what_is_out_of_reach():
    manager = Manager([row(number, number * 100) for number in range(200)])
    _, page = await texts(manager)
    position = page.after(200)
    assert len(position["seen"]) == 21
    manager.rows.append(row(500, 60_000))
    _, page = await texts(manager, position)
    assert len(page.after(1)["seen"]) == 1


# -- configuration ------------------------------------------------------------------


def headers(**arguments):
    return dict(resolve(**arguments).headers)


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ({}, "http://localhost/api/v3.1"),
        ({"host": "m"}, "http://m/api/v3.1"),
        ({"host": "m", "port": 8080}, "http://m:8080/api/v3.1"),
        ({"host": "m", "port": 443}, "https://m:443/api/v3.1"),
        ({"host": "m", "protocol": "https"}, "https://m/api/v3.1"),
        ({"host": "m:81"}, "http://m:81/api/v3.1"),
        ({"host": "::1", "port": 81}, "http://[::1]:81/api/v3.1"),
        ({"host": "http://127.0.0.1:1234/"}, "http://127.0.0.1:1234/api/v3.1"),
        ({"host": "https://m/cfy", "api_version": "v3"}, "https://m/cfy/api/v3"),
    ],
)
def test_addresses(arguments, url):
    assert resolve(token="t", **arguments).url == url


@pytest.mark.parametrize(
    "arguments",
    [
        {"host": "http://m", "port": 80},
        {"host": "http://m", "protocol": "http"},
        {"host": "m", "protocol": "ftp"},
        {"host": "m", "port": 0},
        {"host": "m:80", "port": 80},
        {"api_version": ""},
        {"tenant": "a\nb"},
    ],
)
def test_addresses_that_cannot_be(arguments):
    with pytest.raises(InvalidInput):
        resolve(token="t", **arguments)


def test_each_kind_of_credentials_has_its_header():
    tenant = {"Tenant": "default_tenant"}
    assert headers(token="t") == {"Authentication-Token": "t", **tenant}
    assert headers(execution_token="x") == {"Execution-Token": "x", **tenant}
    assert headers(username="user", password="pass", tenant="b") == {
        "Authorization": "Basic dXNlcjpwYXNz",
        "Tenant": "b",
    }


def test_arguments_win_over_the_environment(monkeypatch):
    monkeypatch.setenv("CLOUDIFY_HOST", "far")
    monkeypatch.setenv("CLOUDIFY_TENANT", "theirs")
    monkeypatch.setenv("CLOUDIFY_TOKEN", "env")
    found = resolve()
    assert found.url == "http://far/api/v3.1"
    assert found.headers == {"Authentication-Token": "env", "Tenant": "theirs"}
    assert resolve("near", token="t", tenant="ours").headers == {
        "Authentication-Token": "t",
        "Tenant": "ours",
    }
    # A pair that is given beats a token that is set, and is completed if needed.
    monkeypatch.setenv("CLOUDIFY_PASSWORD", "pass")
    assert "Authorization" in headers(username="user")
    assert "Authentication-Token" not in headers(username="user")


def test_the_environment_may_hold_a_pair(monkeypatch):
    monkeypatch.setenv("CLOUDIFY_USERNAME", "user")
    with pytest.raises(MissingCredentials, match="CLOUDIFY_PASSWORD"):
        resolve()
    monkeypatch.setenv("CLOUDIFY_PASSWORD", "pass")
    assert headers()["Authorization"] == "Basic dXNlcjpwYXNz"
    monkeypatch.setenv("CLOUDIFY_TOKEN", "t")
    with pytest.raises(InvalidInput, match="unset one"):
        resolve()


def test_exactly_one_kind_must_result():
    with pytest.raises(MissingCredentials, match="CLOUDIFY_TOKEN"):
        resolve()
    with pytest.raises(MissingCredentials, match="CLOUDIFY_USERNAME"):
        resolve(password="pass")
    with pytest.raises(InvalidInput, match="more than one kind"):
        resolve(username="u", password="p", token="t")
    with pytest.raises(InvalidInput, match="more than one kind"):
        resolve(execution_token="x", token="t")


@pytest.mark.parametrize("name", ["7user", "a:b", "\u00e9ve"])
def test_user_names_that_the_manager_would_ignore(name):
    with pytest.raises(InvalidInput, match="user name"):
        resolve(username=name, password="p")


def test_secrets_are_in_no_repr():
    connection = resolve("m", username="user", password="hush-hush")
    client = Cloudify("m", token="hush-hush")
    for shown in (connection, client, client.origin, client.deployment("d")):
        assert "hush" not in repr(shown)
        assert "dXNlcj" not in repr(shown)


def test_misuse_of_the_client_is_said():
    with pytest.raises(InvalidInput, match="choose_ids"):
        Cloudify("m", token="t", choose_ids="never")  # type: ignore[arg-type]  # wrong
    with pytest.raises(InvalidInput, match="max_in_flight"):
        Cloudify("m", token="t", max_in_flight=0)


def test_an_execution_pickles():
    execution = decode(EXECUTION, Execution)
    assert pickle.loads(pickle.dumps(execution)) == execution  # noqa: S301 - our own
