"""Kubeflow without a socket: requests, answers, states, logs and configuration."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

from aioruns.errors import (
    BadRequest,
    CallError,
    InvalidInput,
    MissingCredentials,
    NotFound,
    NotSupported,
    ServerFailure,
    Unreadable,
)
from aioruns.http.auth import Headers, TokenFile
from aioruns.http.codec import DecodeError, decode
from aioruns.http.request import Request, Response
from aioruns.origin import Origin
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import Kubeflow, config, requests, statuses
from aioruns.platforms.kubeflow.adapter import Adapter
from aioruns.platforms.kubeflow.explain import explain
from aioruns.platforms.kubeflow.manifest import read_manifest
from aioruns.platforms.kubeflow.models import ApiListRunsResponse, ApiRunDetail
from aioruns.platforms.kubeflow.models.polling import (
    Created,
    CreatedV2,
    Detail,
    Health,
    Rows,
    RowV2,
    State,
)
from aioruns.platforms.kubeflow.requests import Scope
from aioruns.platforms.kubeflow.server import Probe, Server
from aioruns.platforms.kubeflow.workflow import Node, Workflow, read_workflow
from aioruns.seam import RunRef, RunState, Submission

RUN_ID = "6a0e6c1e-0001-4c8f-9d11-000000000001"
REF = RunRef("e-11", RUN_ID)
WORKFLOW = {"kind": "Workflow", "metadata": {"generateName": "train-"}, "spec": {}}
IR = {"pipelineInfo": {"name": "train"}, "root": {}}


# -- requests ----------------------------------------------------------------------


def test_single_runs_are_read_by_v1beta1():
    request = requests.get_run(RUN_ID)
    assert request.method == "GET"
    assert request.path == f"/apis/v1beta1/runs/{RUN_ID}"
    assert request.returns is ApiRunDetail
    assert request.repeatable


def test_an_id_is_one_quoted_segment():
    assert requests.get_run("a/b:c d").path == "/apis/v1beta1/runs/a%2Fb%3Ac%20d"
    with pytest.raises(InvalidInput, match="names nothing"):
        requests.get_run("")


def test_a_creation_is_never_repeated_blindly():
    assert requests.create_run({"name": "n"}).json == {"name": "n"}
    assert not requests.create_run({}).repeatable
    assert not requests.create_run_v2({}).repeatable
    assert not requests.submit({}).repeatable
    assert not requests.submit_v2({}).repeatable
    assert not requests.act("v1beta1", RUN_ID, "retry").repeatable


def test_a_termination_has_a_slash_or_a_colon():
    v1 = requests.act("v1beta1", RUN_ID, "terminate")
    v2 = requests.act("v2beta1", RUN_ID, "terminate")
    assert v1.path == f"/apis/v1beta1/runs/{RUN_ID}/terminate"
    assert v2.path == f"/apis/v2beta1/runs/{RUN_ID}:terminate"
    assert v1.repeatable
    assert v2.repeatable


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (requests.act("v1beta1", "r", "archive"), "POST v1beta1/runs/r:archive"),
        (requests.act("v2beta1", "r", "unarchive"), "POST v2beta1/runs/r:unarchive"),
        (requests.delete_run("v1beta1", "r"), "DELETE v1beta1/runs/r"),
        (requests.delete_run("v2beta1", "r"), "DELETE v2beta1/runs/r"),
        (requests.act("v1beta1", "r", "retry"), "POST v1beta1/runs/r/retry"),
        (requests.act("v2beta1", "r", "retry"), "POST v2beta1/runs/r:retry"),
        (requests.report_run_metrics("r", {}), "POST v1beta1/runs/r:reportMetrics"),
        (
            requests.read_artifact("v1beta1", "r", "n", "a"),
            "GET v1beta1/runs/r/nodes/n/artifacts/a:read",
        ),
        (requests.get_run_v2("r"), "GET v2beta1/runs/r"),
        (requests.read_log("r", "n", None), "GET v1alpha1/runs/r/nodes/n/log"),
        (requests.health("v2beta1"), "GET v2beta1/healthz"),
        (requests.create_run_v2({}), "POST v2beta1/runs"),
    ],
)
def test_the_other_operations(request_, line):
    method, place = line.split()
    assert (request_.method, request_.path) == (method, f"/apis/{place}")


def _query(request: Request[Any]) -> dict[str, str]:
    return dict(parse_qsl(request.url("").partition("?")[2], strict_parsing=True))


def test_states_are_listed_by_an_in_filter():
    v1 = _query(requests.read_rows("v1beta1", ["a", "b"]))
    v2 = _query(requests.read_rows("v2beta1", ["a"], Scope(namespace="team")))
    assert json.loads(v1.pop("filter")) == {
        "predicates": [
            {"op": "IN", "key": "id", "string_values": {"values": ["a", "b"]}}
        ]
    }
    assert v1 == {"page_size": "200"}
    assert json.loads(v2.pop("filter")) == {
        "predicates": [
            {"operation": "IN", "key": "run_id", "string_values": {"values": ["a"]}}
        ]
    }
    assert v2 == {"page_size": "200", "namespace": "team"}


def test_a_scope_has_both_dotted_parameters():
    query = dict(requests.find_name("n", Scope(experiment="e-11")).query)
    assert query["resource_reference_key.type"] == "EXPERIMENT"
    assert query["resource_reference_key.id"] == "e-11"
    query = dict(requests.find_name("n", Scope(namespace="team")).query)
    assert query["resource_reference_key.type"] == "NAMESPACE"
    assert query["resource_reference_key.id"] == "team"


@pytest.mark.parametrize("name", ["50%+1", "a%20b", 'quote " \\u002b', "日本+%"])
def test_a_filter_survives_being_decoded_twice(name):
    sent = requests.find_name(name).url("http://kfp")
    (text,) = [v for k, v in parse_qsl(sent.partition("?")[2]) if k == "filter"]
    twice = json.loads(unquote_plus(text))
    assert twice["predicates"][0]["string_value"] == name


def test_a_hundred_ids_fit_into_a_request_line():
    ids = [RUN_ID[:-3] + f"{number:03}" for number in range(100)]
    assert len(requests.read_rows("v1beta1", ids).url("")) < 8000


@pytest.mark.parametrize(
    "ids", [["a", RUN_ID], ['quote "', "50%+1"], ["a&b=c", "d"], ["日本", "e"]]
)
def test_ids_survive_being_decoded_twice(ids):
    for version in ("v1beta1", "v2beta1"):
        text = _query(requests.read_rows(version, ids))["filter"]
        (predicate,) = json.loads(unquote_plus(text))["predicates"]
        assert predicate["string_values"] == {"values": ids}


def test_listing_leaves_out_what_is_not_given():
    assert requests.list_runs().query == ()
    request = requests.list_runs(page_size=2, sort_by="created_at desc")
    assert request.query == (("page_size", "2"), ("sort_by", "created_at desc"))


# -- answers -----------------------------------------------------------------------

CREATED = b"""{"run":{"id":"6a0e6c1e-0001-4c8f-9d11-000000000001","name":"train-7",
"pipeline_spec":{"workflow_manifest":"kind: Workflow","parameters":[{"name":"lr"}]},
"resource_references":[{"key":{"type":"EXPERIMENT","id":"e-11"},"relationship":"OWNER"}],
"service_account":"trainer","created_at":"2024-05-01T10:00:00Z",
"scheduled_at":"1970-01-01T00:00:00Z","finished_at":"1970-01-01T00:00:00Z"},
"pipeline_runtime":{"workflow_manifest":"{}"}}"""


def test_an_answer_of_a_creation():
    detail = decode(CREATED, ApiRunDetail)
    assert detail.run.id == RUN_ID
    assert detail.run.status is None
    assert detail.run.created_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert detail.run.scheduled_at is None
    assert detail.run.finished_at is None
    assert detail.run.pipeline_spec.parameters[0].value is None
    assert detail.run.resource_references[0].key.id == "e-11"
    assert detail.raw["run"]["service_account"] == "trainer"


@pytest.mark.parametrize("body", [b"{}", b'{"run":{}}', b"[]", b"<html></html>"])
def test_an_answer_without_a_run_is_not_an_empty_run(body):
    with pytest.raises(DecodeError):
        decode(body, ApiRunDetail)
    with pytest.raises(DecodeError):
        decode(body, Detail)


def test_an_answer_of_a_v2_creation_without_an_id():
    assert decode(b'{"run_id":"r"}', CreatedV2).run_id == "r"
    with pytest.raises(DecodeError):
        decode(b"{}", CreatedV2)


def test_an_empty_listing_is_an_empty_object():
    assert decode(b"{}", Rows).runs == ()
    assert decode(b"{}", ApiListRunsResponse) == ApiListRunsResponse()


def test_a_page_with_a_row_that_the_server_cannot_show():
    body = b'{"runs":[{"id":"r","error":"cannot convert"}],"total_size":1}'
    (row,) = decode(body, Rows).runs
    status = statuses.from_row(REF, row)
    assert status.state is RunState.UNKNOWN
    assert status.reason == "cannot convert"
    row_v2 = decode(b'{"run_id":"r","error":{"message":"no"}}', RowV2)
    assert statuses.from_row_v2(REF, row_v2).reason == "no"


def test_unset_times_of_both_kinds():
    body = (
        b'{"run_id":"r","state":"FAILED","created_at":"2024-05-01T10:00:00Z",'
        b'"finished_at":"0001-01-01T00:00:00Z"}'
    )
    row = decode(body, RowV2)
    assert row.finished_at is None


# -- states ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", RunState.QUEUED),
        ("Pending", RunState.QUEUED),
        ("Running", RunState.RUNNING),
        ("Terminating", RunState.RUNNING),
        ("Unknown", RunState.QUEUED),
        ("Succeeded", RunState.SUCCEEDED),
        ("Failed", RunState.FAILED),
        ("Error", RunState.FAILED),
        ("Skipped", RunState.SUCCEEDED),
        ("RUNTIME_STATE_UNSPECIFIED", RunState.QUEUED),
        ("PENDING", RunState.QUEUED),
        ("RUNNING", RunState.RUNNING),
        ("SUCCEEDED", RunState.SUCCEEDED),
        ("SKIPPED", RunState.SUCCEEDED),
        ("FAILED", RunState.FAILED),
        ("CANCELING", RunState.RUNNING),
        ("CANCELED", RunState.CANCELED),
        ("PAUSED", RunState.QUEUED),
        ("Meditating", RunState.UNKNOWN),
    ],
)
def test_every_documented_word(text, state):
    assert statuses.state_of(text) is state


def _manifest(status: dict[str, object], **spec: object) -> str:
    metadata = {"name": "train-x7k2p"}
    return json.dumps({"metadata": metadata, "spec": spec, "status": status})


def _detail(status: str) -> Detail:
    return decode(json.dumps({"run": {"id": "r", "status": status}}).encode(), Detail)


FIT = {
    "id": "train-x7k2p-1187722",
    "displayName": "fit",
    "type": "Pod",
    "templateName": "fitting",
    "phase": "Failed",
    "message": "Error (exit code 1)",
    "startedAt": "2024-05-01T10:00:05Z",
}


@pytest.mark.parametrize(
    ("text", "deadline", "state"),
    [
        ("Failed", {"activeDeadlineSeconds": 0}, RunState.CANCELED),
        ("Failed", {"activeDeadlineSeconds": 60}, RunState.FAILED),
        ("Error", {}, RunState.FAILED),
        ("Succeeded", {"activeDeadlineSeconds": 0}, RunState.SUCCEEDED),
        ("Terminating", {"activeDeadlineSeconds": 0}, RunState.RUNNING),
    ],
)
def test_a_terminated_run_is_told_by_its_manifest(text, deadline, state):
    workflow = read_workflow(_manifest({"message": "child failed"}, **deadline))
    status = statuses.from_detail(REF, _detail(text).run, workflow)
    assert status.state is state
    assert status.text == text


def test_the_reason_is_in_the_nodes():
    workflow = read_workflow(
        _manifest({"message": "child failed", "nodes": {FIT["id"]: FIT}})
    )
    status = statuses.from_detail(REF, _detail("Failed").run, workflow)
    assert status.reason == "fit: Error (exit code 1)"
    assert read_workflow(_manifest({"message": "no quota"})).reason == "no quota"


@pytest.mark.parametrize(
    ("history", "state"),
    [
        (["RUNNING", "CANCELING", "FAILED"], RunState.CANCELED),
        (["CANCELING", "FAILED", "RUNNING", "FAILED"], RunState.FAILED),
        (["RUNNING", "FAILED"], RunState.FAILED),
        ([], RunState.FAILED),
    ],
)
def test_a_terminated_run_is_told_by_its_last_transition(history, state):
    transitions = [{"state": name} for name in history]
    run = {"run_id": "r", "state": "FAILED", "state_history": transitions}
    row = decode(json.dumps(run).encode(), RowV2)
    assert statuses.from_row_v2(REF, row).state is state


# -- workflows ---------------------------------------------------------------------


def test_pod_names_of_both_kinds():
    node = Node(id="train-x7k2p-1187722", template="fitting")
    plain = Workflow(name="train-x7k2p")
    assert plain.pod_name(node, "G1") == "train-x7k2p-1187722"
    assert plain.pod_name(node, "G3") == "train-x7k2p-fitting-1187722"
    v1 = Workflow(name="train-x7k2p", pod_names="v1")
    assert v1.pod_name(node, "G3") == "train-x7k2p-1187722"
    assert plain.pod_name(Node(id="train-x7k2p", template="t"), "G3") == "train-x7k2p"


def test_nodes_are_in_the_order_of_their_start():
    def node(name: str, started: str, *children: str) -> dict[str, object]:
        return {
            "id": name,
            "type": "Pod",
            "startedAt": started,
            "children": list(children),
        }

    nodes = {
        "a": node("a", "10:00:01"),
        "c": node("c", "10:00:00", "a"),
        "z": node("z", "10:00:00", "c", "b"),
        "b": node("b", "10:00:01"),
        "waiting": node("waiting", ""),
    }
    workflow = read_workflow(_manifest({"nodes": nodes}))
    ids = [node.id for node in workflow.nodes]
    assert ids[:2] == ["z", "c"]
    assert set(ids[2:4]) == {"a", "b"}
    assert ids[4] == "waiting"


def test_compressed_nodes():
    packed = base64.b64encode(gzip.compress(json.dumps({FIT["id"]: FIT}).encode()))
    workflow = read_workflow(_manifest({"compressedNodes": packed.decode()}))
    assert [node.display_name for node in workflow.pods] == ["fit"]


@pytest.mark.parametrize("text", ["{", '{"status": {"compressedNodes": "!"}}'])
def test_an_unreadable_manifest(text):
    with pytest.raises(Unreadable, match="workflow manifest"):
        read_workflow(text)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"status": {"nodes": [1]}}'])
def test_a_manifest_without_nodes(text):
    assert read_workflow(text).nodes == ()


def test_outputs_by_display_name_unless_it_is_shared():
    def node(name: str, shown: str, value: str) -> dict[str, object]:
        outputs = {"parameters": [{"name": "loss", "value": value}, {"name": "empty"}]}
        return {"name": name, "displayName": shown, "outputs": outputs}

    nodes = {"1": node("w.a.fit", "fit", "1"), "2": node("w.b.fit", "fit", "2")}
    nodes["3"] = node("w.check", "check", "3")
    assert read_workflow(_manifest({"nodes": nodes})).outputs() == {
        "w.a.fit": {"loss": "1", "empty": ""},
        "w.b.fit": {"loss": "2", "empty": ""},
        "check": {"loss": "3", "empty": ""},
    }


# -- errors and the server's generation --------------------------------------------


def _explained(body: bytes) -> tuple[str, str | None]:
    said = explain(Response(404, {}, body))
    return said.message, said.code


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b"""{"error":"long","code":5,"message":"long","details":[{"@type":"x",
            "error_message":"Run 5f not found.","error_details":"long"}]}""",
            ("Run 5f not found.", "5"),
        ),
        (
            b'{"code":5, "message":"long", "details":[{"code":5,"message":"short"}]}',
            ("short", "5"),
        ),
        (b'{"code":3,"message":"bad JSON"}', ("bad JSON", "3")),
        (b'{"error":"only","code":3}', ("only", "3")),
        (b'{"error_message":"no artifact"}', ("no artifact", None)),
        (b"404 page not found\n", ("404 page not found", None)),
        (b"[1]", ("[1]", None)),
        (b'{"details":[],"code":"x"}', ('{"details":[],"code":"x"}', None)),
        (b'{"details":[7],"message":{}}', ('{"details":[7],"message":{}}', None)),
        (b"\xff", ("\ufffd", None)),
        (b"", ("", None)),
    ],
)
def test_error_bodies(body, said):
    assert _explained(body) == said


@pytest.mark.parametrize(
    ("health", "server"),
    [
        (Health(), Server("G2")),
        (Health(multi_user=True), Server("G2", multi_user=True)),
        (Health(pipeline_store="database"), Server("G3")),
    ],
)
async def test_generations_that_speak_v2beta1(health, server):
    async def ask(request):
        assert request == requests.health("v2beta1")
        return health

    assert await Probe(ask, "v1beta1").server() == server


# -- specs -------------------------------------------------------------------------


@pytest.fixture
def kubeflow() -> Kubeflow:
    return Kubeflow("http://kfp.example:8888/", token="abc")


def test_the_body_of_a_stored_pipeline(kubeflow):
    values = {"lr": 0.1, "tags": ["a", "b"], "name": "plain", "on": True}
    spec = kubeflow.pipeline("p-5").spec(values, experiment_id="e-11", name="train")
    assert spec.target == "e-11"
    assert spec.payload == {
        "name": "train",
        "pipeline_spec": {
            "pipeline_id": "p-5",
            "parameters": [
                {"name": "lr", "value": "0.1"},
                {"name": "tags", "value": '["a","b"]'},
                {"name": "name", "value": "plain"},
                {"name": "on", "value": "true"},
            ],
            "runtime_config": {"parameters": values},
        },
        "resource_references": [
            {"key": {"type": "EXPERIMENT", "id": "e-11"}, "relationship": "OWNER"}
        ],
    }
    values["tags"].append("c")
    assert spec.payload["pipeline_spec"]["runtime_config"]["parameters"]["tags"] == [
        "a",
        "b",
    ]


def test_the_body_of_a_version(kubeflow):
    spec = kubeflow.pipeline(version_id="v-22").spec(
        description="d", service_account="trainer", experiment_id="e-11"
    )
    assert spec.payload == {
        "name": "v-22",
        "description": "d",
        "service_account": "trainer",
        "pipeline_spec": {},
        "resource_references": [
            {"key": {"type": "EXPERIMENT", "id": "e-11"}, "relationship": "OWNER"},
            {
                "key": {"type": "PIPELINE_VERSION", "id": "v-22"},
                "relationship": "CREATOR",
            },
        ],
    }


def test_the_body_in_v2beta1():
    kubeflow = Kubeflow("http://kfp", token="abc", api_version="v2beta1")
    spec = kubeflow.pipeline(version_id="v-22").spec({"lr": 0.1}, experiment_id="e-11")
    assert spec.payload == {
        "display_name": "v-22",
        "experiment_id": "e-11",
        "pipeline_version_reference": {"pipeline_version_id": "v-22"},
        "runtime_config": {"parameters": {"lr": 0.1}},
    }
    inline = kubeflow.pipeline(manifest=WORKFLOW).spec({"lr": 0.1})
    assert inline.payload["pipeline_spec"]["parameters"] == [
        {"name": "lr", "value": "0.1"}
    ]


@pytest.mark.parametrize(
    "manifest",
    [
        WORKFLOW,
        json.dumps(WORKFLOW),
        "kind: Workflow\nmetadata:\n  generateName: train-\nspec: {}\n",
    ],
)
def test_a_manifest_is_sent_as_json_text(kubeflow, manifest):
    payload = kubeflow.pipeline(manifest=manifest).spec({"n": 1}).payload
    assert json.loads(payload["pipeline_spec"]["workflow_manifest"]) == WORKFLOW
    assert "runtime_config" not in payload["pipeline_spec"]
    assert payload["name"] == "train"


def test_pipelines_of_the_2x_compiler_go_by_v2beta1(kubeflow):
    payload = kubeflow.pipeline(manifest=IR).spec({"n": 1}).payload
    assert payload == {
        "display_name": "train",
        "pipeline_spec": IR,
        "runtime_config": {"parameters": {"n": 1}},
    }
    two = "pipelineInfo: {name: train}\n---\nplatforms: {}\n"
    assert read_manifest(two).value == {
        "pipeline_spec": {"pipelineInfo": {"name": "train"}},
        "platform_spec": {"platforms": {}},
    }
    assert read_manifest(two).name == "train"


@pytest.mark.parametrize(
    "manifest", ["", "{}", "kind: Pod", "a: [", "1", [1], 7, {"spec": {1, 2}}]
)
def test_what_is_no_manifest(kubeflow, manifest):
    with pytest.raises(InvalidInput, match="manifest"):
        kubeflow.pipeline(manifest=manifest)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"pipeline_id": "p", "version_id": "v"}, {"pipeline_id": " "}],
)
def test_exactly_one_source(kubeflow, arguments):
    with pytest.raises(InvalidInput):
        kubeflow.pipeline(**arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"parameters": [1]}, "mapping"),
        ({"parameters": {"": 1}}, "name"),
        ({"parameters": {7: 1}}, "name"),
        ({"parameters": {"a": {1, 2}}}, "'a' has no JSON form"),
        ({"parameters": {"a": float("nan")}}, "'a' has no JSON form"),
        ({"parameters": {"a": "\ud800"}}, "'a' has no JSON form"),
        ({"parameters": {"a": "x" * 10_001}}, "10000"),
        ({"parameters": {"a": "\x00" * 1_700}}, "10225 bytes"),
        ({"name": ""}, "name is empty"),
        ({"name": 7}, "name must be text"),
        ({"name": "n" * 250}, "shorten"),
        ({"key": " "}, "key is empty"),
        ({"key": "k" * 255}, "shorten"),
        ({"experiment_id": ""}, "experiment_id is empty"),
    ],
)
async def test_a_spec_refuses_what_cannot_be_right(kubeflow, arguments, said):
    with pytest.raises(InvalidInput, match=said):
        kubeflow.pipeline("p-5").spec(**arguments)
    # The client is not open, so anything that went further would end otherwise.
    with pytest.raises(InvalidInput, match=said):
        await kubeflow.pipeline("p-5").submit(**arguments)


def test_parameters_that_just_fit_are_taken(kubeflow):
    spec = kubeflow.pipeline("p-5").spec({"a": "x" * 9_913, "b": True, "c": [1, "é"]})
    assert [one["value"] for one in spec.payload["pipeline_spec"]["parameters"]][
        1:
    ] == [
        "true",
        '[1,"é"]',
    ]


def test_specs_compare_as_values(kubeflow):
    pipeline = kubeflow.pipeline("p-5")
    assert pipeline.spec({"n": 1}) == pipeline.spec({"n": 1})
    assert pipeline.spec({"n": 1}) != pipeline.spec({"n": 2})


# -- configuration -----------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty home and outside of any cluster."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    monkeypatch.delenv("KF_PIPELINES_SA_TOKEN_PATH", raising=False)
    monkeypatch.setattr(config, "POD_NAMESPACE", tmp_path / "namespace")
    monkeypatch.setattr(config, "POD_TOKEN", tmp_path / "token")
    return tmp_path


def _settings(home: Path, text: str) -> None:
    file = home / ".config" / "kfp" / "context.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)


def _headers(kubeflow: Kubeflow) -> dict[str, str]:
    assert isinstance(kubeflow.origin.auth, Headers)
    return dict(kubeflow.origin.auth.values)


def test_no_address_names_every_place(home):
    with pytest.raises(MissingCredentials) as caught:
        Kubeflow()
    text = str(caught.value)
    assert "host" in text
    assert "KF_PIPELINES_ENDPOINT" in text
    assert str(home / "namespace") in text


def test_the_order_of_addresses(home, monkeypatch):
    (home / "namespace").write_text("team")
    assert Kubeflow().origin.base_url == config.IN_CLUSTER
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", "http://from-env/pipeline/")
    assert Kubeflow().origin.base_url == "http://from-env/pipeline"
    assert Kubeflow("http://given").origin.base_url == "http://given"


def test_a_single_user_server_wants_no_credentials(home):
    assert _headers(Kubeflow("http://kfp")) == {}


def test_given_credentials(home):
    (home / "token").write_text("ambient")
    kubeflow = Kubeflow("http://kfp", token="abc\n", user_id="me@example.com")
    assert _headers(kubeflow) == {
        "Authorization": "Bearer abc",
        "kubeflow-userid": "me@example.com",
    }
    assert "abc" not in repr(kubeflow.origin)
    kubeflow = Kubeflow("http://kfp", cookie="authservice_session=1")
    assert _headers(kubeflow) == {"Cookie": "authservice_session=1"}
    kubeflow = Kubeflow("http://kfp", token="t", user_id="me", user_id_header="x-user")
    assert _headers(kubeflow)["x-user"] == "me"


def test_the_order_of_token_files(home, monkeypatch):
    def file_of(kubeflow: Kubeflow) -> Path:
        assert isinstance(kubeflow.origin.auth, TokenFile)
        return kubeflow.origin.auth.file

    _settings(home, '{"client_authentication_cookie": "from settings"}')
    (home / "token").write_text("pod")
    assert file_of(Kubeflow("http://kfp")) == home / "token"
    (home / "by-env").write_text("env")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(home / "by-env"))
    assert file_of(Kubeflow("http://kfp")) == home / "by-env"
    (home / "given").write_text("given")
    assert file_of(Kubeflow("http://kfp", token_file="~/given")) == home / "given"
    with pytest.raises(MissingCredentials, match="token_file names"):
        Kubeflow("http://kfp", token_file=home / "nowhere")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(home / "nowhere"))
    with pytest.raises(MissingCredentials, match="KF_PIPELINES_SA_TOKEN_PATH names"):
        Kubeflow("http://kfp")


def test_the_settings_file_of_the_official_sdk(home):
    _settings(
        home,
        '{"namespace": "team", "client_authentication_cookie": "session=1",'
        '"client_authentication_header_name": "x-key",'
        '"client_authentication_header_value": "secret"}',
    )
    kubeflow = Kubeflow("http://kfp")
    assert _headers(kubeflow) == {"Cookie": "session=1", "x-key": "secret"}
    assert kubeflow.runs.platform.namespace == "team"
    other = Kubeflow("http://kfp", namespace="mine")
    assert other.runs.platform.namespace == "mine"


@pytest.mark.parametrize("text", ["null", "{}", '{"namespace": null}'])
def test_settings_that_say_nothing(home, text):
    _settings(home, text)
    assert _headers(Kubeflow("http://kfp")) == {}


def test_settings_that_cannot_be_read(home):
    _settings(home, "{")
    with pytest.raises(MissingCredentials, match=r"context\.json is not JSON"):
        Kubeflow("http://kfp")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"token": ""}, "token is empty"),
        ({"token": "a\nb"}, "control character"),
        ({"cookie": " "}, "cookie is empty"),
        ({"token": "a", "token_file": "b"}, "either token or token_file"),
        ({"api_version": "v3"}, "api_version"),
        ({"max_in_flight": 0}, "max_in_flight"),
    ],
)
def test_arguments_that_cannot_be_right(home, arguments, said):
    with pytest.raises(InvalidInput, match=said):
        Kubeflow("http://kfp", **arguments)


def test_an_address_that_is_none(home):
    with pytest.raises(InvalidInput, match="address"):
        Kubeflow("kfp:8888")


# -- the adapter against a server that says what a test wants -----------------------


class Scripted(Client):
    """Answers requests from a function, and remembers them."""

    def __init__(self, answer: Callable[[Request[Any]], bytes | CallError]) -> None:
        super().__init__(Origin("kubeflow", "http://kfp", Headers({})), None)
        self.answer = answer
        self.asked: list[Request[Any]] = []

    async def send(self, request: Request[Any]) -> Any:
        self.asked.append(request)
        answer = self.answer(request)
        if isinstance(answer, CallError):
            raise answer
        return decode(answer, request.returns) if request.returns else None


def _pending(run_id: str) -> bytes:
    row = {"id": run_id, "run_id": run_id, "status": "Pending"}
    return json.dumps({"runs": [row]}).encode()


async def test_a_multi_user_server_is_asked_in_a_scope():
    def answer(request: Request[Any]) -> bytes | CallError:
        return b'{"multi_user":true}' if "healthz" in request.path else b"{}"

    client = Scripted(answer)
    adapter = Adapter(client, namespace="team")
    await adapter.read_states([RunRef("e-11", "a"), RunRef("e-11", "b")], {})
    assert _query(client.asked[-1])["resource_reference_key.id"] == "e-11"
    await adapter.read_states([RunRef("", "a"), RunRef("", "b")], {})
    asked = _query(client.asked[-1])
    assert asked["resource_reference_key.type"] == "NAMESPACE"
    assert asked["resource_reference_key.id"] == "team"


async def test_without_a_scope_a_multi_user_server_is_asked_singly():
    def answer(request: Request[Any]) -> bytes | CallError:
        if "healthz" in request.path:
            return b'{"multi_user":true}'
        return NotFound("gone") if request.path.endswith("b") else CREATED

    client = Scripted(answer)
    refs = [RunRef("", "a"), RunRef("", "b")]
    found = await Adapter(client).read_states(refs, {})
    assert list(found) == refs[:1]
    assert len(client.asked) == 3


async def test_a_deleted_experiment_has_no_runs():
    def answer(request: Request[Any]) -> bytes | CallError:
        multi_user = b'{"multi_user":true}'
        return multi_user if "healthz" in request.path else NotFound("no experiment")

    refs = [RunRef("e", "a"), RunRef("e", "b")]
    assert await Adapter(Scripted(answer)).read_states(refs, {}) == {}
    with pytest.raises(NotFound):
        await Adapter(Scripted(lambda _: NotFound("nothing here"))).read_states(
            refs, {}
        )


async def test_a_run_whose_manifest_is_still_empty_is_seen_by_the_listing():
    def answer(request: Request[Any]) -> bytes | CallError:
        if "healthz" in request.path:
            return b"{}"
        return _pending("a") if request.encoded_query else NotFound("no manifest")

    ref = RunRef("", "a")
    found = await Adapter(Scripted(answer)).read_states([ref], {})
    assert found[ref].state is RunState.QUEUED


async def test_a_failed_run_whose_manifest_cannot_be_had_has_failed():
    rows = [{"id": "a", "status": "Failed"}, {"id": "b", "status": "Running"}]

    def answer(request: Request[Any]) -> bytes | CallError:
        if "healthz" in request.path:
            return b"{}"
        if request.encoded_query:
            return json.dumps({"runs": rows}).encode()
        return ServerFailure("500 broken", status=500)

    refs = [RunRef("", "a"), RunRef("", "b")]
    found = await Adapter(Scripted(answer)).read_states(refs, {})
    assert [found[ref].state for ref in refs] == [RunState.FAILED, RunState.RUNNING]
    assert "500 broken" in found[refs[0]].reason


async def test_a_refused_termination_of_an_active_run_is_an_error():
    def answer(request: Request[Any]) -> bytes | CallError:
        if request.method == "POST":
            return BadRequest("400 no", status=400)
        if "healthz" in request.path:
            return b"{}"
        return b'{"run":{"id":"a","status":"Running"}}'

    with pytest.raises(BadRequest):
        await Adapter(Scripted(answer)).cancel(RunRef("", "a"))
    ending = b'{"run":{"id":"a","status":"Terminating"}}'
    client = Scripted(
        lambda r: ending if "runs/a" in r.path and r.method == "GET" else answer(r)
    )
    await Adapter(client).cancel(RunRef("", "a"))


async def test_pipelines_of_the_2x_compiler_are_refused_by_1x_servers():
    def answer(request: Request[Any]) -> bytes | CallError:
        return NotFound("Not Found") if "v2beta1" in request.path else b"{}"

    client = Scripted(answer)
    submission = Submission("", {"display_name": "n", "pipeline_spec": IR}, "k")
    with pytest.raises(NotSupported, match="Argo"):
        await Adapter(client).create(submission)
    assert [request.method for request in client.asked] == ["GET", "GET"]


async def test_one_form_of_parameters_for_1x_servers():
    def answer(request: Request[Any]) -> bytes | CallError:
        if "healthz" in request.path:
            return NotFound("Not Found") if "v2beta1" in request.path else b"{}"
        return CREATED

    client = Scripted(answer)
    kubeflow = Kubeflow("http://kfp", token="abc")
    payload = kubeflow.pipeline("p-5").spec({"n": 1}, name="train").payload
    ref = await Adapter(client).create(Submission("", payload, "k"))
    assert ref == RunRef("", RUN_ID)
    assert client.asked[-1].json == {
        "name": "train [k]",
        "pipeline_spec": {
            "pipeline_id": "p-5",
            "parameters": [{"name": "n", "value": "1"}],
        },
    }
    assert "runtime_config" in payload["pipeline_spec"]


@pytest.mark.parametrize("kind", [Created, State])
@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{}", r"\$\.run$"),
        (b'{"run": null}', r"\$\.run$"),
        (b'{"run": {"id": 3}, "pipeline_runtime": {}}', r"\$\.run\.id$"),
    ],
)
def test_what_is_read_by_hand_says_where_it_is_wrong(kind, body, where):
    with pytest.raises(DecodeError, match=where):
        decode(body, kind)


def test_a_state_is_read_with_or_without_what_is_optional():
    never = b'"created_at": "1970-01-01T00:00:00Z", "finished_at": null'
    for rest in (b"", b', "pipeline_runtime": {"workflow_manifest": ""}'):
        state = decode(b'{"run": {"id": "r", %b}%b}' % (never, rest), State)
        assert (state.status, state.created_at, state.finished_at) == ("", None, None)
