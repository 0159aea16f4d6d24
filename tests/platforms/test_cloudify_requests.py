"""Cloudify without a socket: requests and answers as values, and configuration."""

import pickle
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import attrs
import orjson
import pytest
from msgspec.structs import replace

from aioruns.errors import InvalidInput, MissingCredentials
from aioruns.http.codec import DecodeError, decode
from aioruns.http.request import Request, Response
from aioruns.platforms.cloudify import Cloudify, Execution, requests
from aioruns.platforms.cloudify.config import resolve
from aioruns.platforms.cloudify.event_requests import list_events
from aioruns.platforms.cloudify.explain import explain
from aioruns.platforms.cloudify.models import ExecutionState, ListResponse
from aioruns.platforms.cloudify.rows import EventRows
from aioruns.platforms.cloudify.statuses import STATES, reason_of
from aioruns.platforms.cloudify.words import Words
from aioruns.seam import RunState, Submission, Window

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
    by_id = requests.with_id(SUBMISSION, "e-1")
    assert (by_id.method, by_id.path) == ("POST", "/executions")
    assert by_id.json == {
        "deployment_id": "web-1",
        "workflow_id": "w",
        "id": "e-1",
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
    other = replace(SUBMISSION, target="web-2")
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


SINCE = 1_714_557_603_010


def test_events_are_asked_by_the_time_of_their_arrival():
    assert pairs(list_events(["e-1"], SINCE, size=500)) == [
        ("execution_id", "e-1"),
        ("type", "cloudify_event"),
        ("type", "cloudify_log"),
        (
            "_include",
            "_storage_id,type,timestamp,reported_timestamp,message,event_type,logger",
        ),
        ("_sort", "reported_timestamp"),
        ("_size", "500"),
        ("_range", "reported_timestamp,2024-05-01T10:00:03.010Z,"),
    ]
    assert "_range" not in dict(pairs(list_events(["e-1"], size=500)))


def test_events_of_several_executions_name_their_own():
    asked = pairs(list_events(["e-1", "e-2"], size=1, offset=7, down=True))
    assert asked[:2] == [("execution_id", "e-1"), ("execution_id", "e-2")]
    named = dict(asked)
    assert named["_include"].endswith(",execution_id")
    assert (named["_sort"], named["_offset"]) == ("-reported_timestamp", "7")


def test_a_window_is_asked_for_in_whole_milliseconds_around_it():
    """The manager compares microseconds, and shows milliseconds."""
    when = datetime(2024, 5, 1, 10, 0, 3, 10_500, UTC)
    asked = list_events(["e-1"], None, SINCE, size=1, window=Window(when, when))
    assert [value for name, value in pairs(asked) if name == "_range"] == [
        "reported_timestamp,,2024-05-01T10:00:03.010Z",
        "timestamp,2024-05-01T10:00:03.010Z,2024-05-01T10:00:03.011Z",
    ]
    asked = list_events(["e-1"], size=1, window=Window(since=when))
    assert dict(pairs(asked))["_range"] == "timestamp,2024-05-01T10:00:03.010Z,"


def test_words_are_asked_for_newest_first():
    assert pairs(requests.list_words(2000)) == [
        ("_sort", "-created_at"),
        ("_sort", "id"),
        ("_size", "1000"),
        ("_offset", "2000"),
        ("_include", "id,status"),
        ("_include_system_workflows", "true"),
    ]


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


def test_the_documented_event_is_decoded():
    rows = decode(EVENTS, EventRows)
    (event,) = rows.events
    assert (event.source, event.message) == ("ctx.a1", "installed")
    assert event.timestamp == datetime(2024, 5, 1, 10, 0, 4, 900_000, UTC)
    assert (rows.key(0), rows.time(0)) == (182, 1_714_557_605_010)
    assert ([row.run for row in rows.rows], rows.total) == (["e-1"], 1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("_storage_id", None, "storage_id"),
        ("type", None, "type"),
        ("timestamp", 7, "timestamp"),
        ("timestamp", "soon", "timestamp"),
        ("reported_timestamp", 7, "reported_timestamp"),
        ("message", ["x"], "message"),
        ("logger", 7, "logger"),
    ],
)
def test_an_event_of_another_shape_is_said_to_be_that(name, value, said):
    page = orjson.loads(EVENTS)
    page["items"].append(page["items"][0] | {name: value})
    with pytest.raises(DecodeError, match=rf"items\[1\]\.{said}"):
        decode(orjson.dumps(page), EventRows)
    del page["items"][1]["type"]
    with pytest.raises(DecodeError, match=r"missing @ \$\.items\[1\]"):
        decode(orjson.dumps(page), EventRows)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"items": [7]}', b'{"items": 7}'])
def test_what_is_no_page_is_said_to_be_none(body):
    with pytest.raises(DecodeError):
        decode(body, EventRows)
    with pytest.raises(DecodeError):
        decode(body, Words)


def test_an_event_may_lack_what_is_not_needed():
    """Times without a zone, numbers as text, and no total are not usual, but clear."""
    row = {
        "_storage_id": "91",
        "type": "cloudify_event",
        "timestamp": "2024-05-01T10:00:04.900",
        "reported_timestamp": "2024-05-01T10:00:05.010",
        "message": None,
    }
    rows = decode(orjson.dumps({"items": [row]}), EventRows)
    assert (rows.key(0), rows.time(0), rows.total) == (183, 1_714_557_605_010, 0)
    assert rows.events[0].timestamp.tzinfo is not None
    assert (rows.events[0].message, rows.events[0].source) == ("", "")


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
    assert reason_of(plain) == plain
    assert reason_of("") == ""
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in <module>\n    go()\n'
        "TypeError: not\nlike this\n"
    )
    assert reason_of(traceback) == "TypeError: not\nlike this"
    assert reason_of("Traceback (most recent call last):") != ""


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
