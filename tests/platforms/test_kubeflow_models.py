"""Kubeflow's models: what is written can be read, and what cannot be is refused."""

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin
from urllib.parse import unquote_plus

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioruns.errors import InvalidInput, Unreadable
from aioruns.http.codec import DecodeError, decode, encode
from aioruns.http.request import Response
from aioruns.platforms.kubeflow import Filter, Predicate, models
from aioruns.platforms.kubeflow.explain import explain
from aioruns.platforms.kubeflow.filters import chunks
from aioruns.platforms.kubeflow.logtext import split_rest
from aioruns.platforms.kubeflow.models import (
    ApiListRunsResponse,
    ApiPipelineRuntime,
    ApiReadArtifactResponse,
    ApiRun,
    ApiRunDetail,
    ApiRunMetric,
    ApiValue,
    PipelineSpecRuntimeConfig,
    ProtobufAny,
    ReportRunMetricsResponseReportRunMetricResult,
    V2beta1ListRunsResponse,
    V2beta1Run,
    V2beta1RuntimeConfig,
    V2beta1RuntimeStatus,
    polling,
)
from aioruns.platforms.kubeflow.models.writing import wire
from aioruns.platforms.kubeflow.workflow import read_workflow

EVERY = [
    kind
    for module in (models, polling)
    for kind in vars(module).values()
    if isinstance(kind, type) and attrs.has(kind) and kind is not models.RunResult
]
BOTH_WAYS = [
    kind
    for kind in vars(models).values()
    if isinstance(kind, type) and attrs.has(kind) and kind is not models.RunResult
]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(), JSON)
# wire/kubeflow.md 3.1: the epoch means that a time is not set.
TIMES = st.timedeltas(timedelta(days=1), timedelta(days=365_000)).map(
    lambda since: datetime(1970, 1, 1, tzinfo=UTC) + since
)


PLAIN = {
    NoneType: st.none(),
    str: st.text(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    datetime: TIMES,
    object: JSON,
    Any: JSON,
}


def values(kind, **given):
    """Models with any documented content."""
    return st.builds(
        kind,
        **{
            one.name: given.get(one.name, of_type(one.type))
            for one in attrs.fields(kind)
            if one.name != "raw"
        },
    )


def of_type(kind):
    """Values of a field's type."""
    arguments = get_args(kind)
    if get_origin(kind) is list:
        return st.lists(of_type(arguments[0]), max_size=2)
    if get_origin(kind) is dict:
        return st.dictionaries(st.text(), of_type(arguments[1]), max_size=2)
    if arguments:
        # An enumeration is text, too.
        texts = str in arguments
        rest = [one for one in arguments if not (texts and issubclass(one, Enum))]
        return st.one_of(*map(of_type, rest))
    if attrs.has(kind):
        return st.deferred(lambda: values(kind))
    return PLAIN[kind]


@pytest.mark.parametrize("kind", BOTH_WAYS, ids=lambda kind: kind.__name__)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read_again(kind, data):
    given = {}
    if kind is ApiRunDetail:
        given["run"] = values(ApiRun, id=st.text(min_size=1))
    elif kind is ApiListRunsResponse:
        given["runs"] = st.lists(values(ApiRun, id=st.text(min_size=1)), max_size=2)
    elif kind is V2beta1ListRunsResponse:
        some = values(V2beta1Run, run_id=st.text(min_size=1))
        given["runs"] = st.lists(some, max_size=2)
    elif kind is ApiReadArtifactResponse:
        given["data"] = st.none() | st.sampled_from(["", "QQ==", "+/+/"])
    value = data.draw(values(kind, **given))

    written = wire(value)
    read = decode(encode(written), kind)

    assert read == value
    assert read.raw == orjson.loads(encode(written))


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_nothing_else_is_raised_on_any_json(kind, data):
    keys = [
        one.metadata.get("aioruns.json", one.name)
        for one in attrs.fields(kind)
        if one.name != "raw"
    ]
    known = st.dictionaries(st.sampled_from(keys), JSON) if keys else OBJECTS
    body = encode(data.draw(JSON | known))
    try:
        value = decode(body, kind)
    except DecodeError:
        return
    if hasattr(value, "raw"):
        assert value.raw == orjson.loads(body)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
@settings(max_examples=10, deadline=None)
@given(body=st.binary())
def test_nothing_else_is_raised_on_any_bytes(kind, body):
    try:
        decode(body, kind)
    except DecodeError:
        return


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_manifest_error_and_log_can_be_taken(data):
    """With the keys that are looked for, and anything below them."""
    keys = ["status", "nodes", "metadata", "spec", "children", "outputs", "parameters"]
    keys += ["annotations", "name", "activeDeadlineSeconds", "compressedNodes", "id"]
    keys += ["details", "message", "code", "error_message", "startedAt", "templateRef"]
    some = st.recursive(
        JSON,
        lambda inner: st.dictionaries(st.sampled_from(keys), inner, max_size=4),
        max_leaves=12,
    )
    body = encode(data.draw(some))
    explain(Response(500, {}, body))
    split_rest(b"line" + body)
    split_rest(b'{"error_message":' + body + b"}")
    with suppress(Unreadable):
        workflow = read_workflow(body.decode())
        assert workflow.reason is not None
        workflow.outputs()
        for node in workflow.pods:
            workflow.pod_name(node, "G3")


def test_what_is_absent_is_left_out():
    assert wire(ApiRun(name="n", metrics=[])) == {"name": "n"}
    # But what was said is sent.
    assert wire(ApiRun(description="")) == {"description": ""}
    assert wire({"a": None, "b": []}) == {"a": None, "b": []}
    assert wire(ApiRunMetric(number_value=0.0)) == {"number_value": 0.0}


@pytest.mark.parametrize(
    ("number", "text"),
    [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")],
)
def test_numbers_that_are_none_are_text(number, text):
    assert wire(ApiRunMetric(number_value=number)) == {"number_value": text}
    (read,) = decode(
        encode({"metrics": [{"number_value": text}]}), models.ApiReportRunMetricsRequest
    ).metrics
    assert str(read.number_value) == str(number)
    with pytest.raises(InvalidInput, match="no JSON number"):
        wire(V2beta1RuntimeConfig(parameters={"lr": number}))


def test_integers_of_64_bits_are_text():
    value = ApiValue(int_value=2**62 + 1)
    assert wire(value) == {"int_value": str(2**62 + 1)}
    config = PipelineSpecRuntimeConfig(parameters={"n": value, "plain": 7})
    assert wire(config) == {
        "parameters": {"n": {"int_value": str(2**62 + 1)}, "plain": 7}
    }
    assert decode(encode(wire(config)), PipelineSpecRuntimeConfig) == config
    with pytest.raises(InvalidInput, match="64 bits"):
        wire({"n": 2**63})


@pytest.mark.parametrize(
    "value",
    [
        {"int_value": "1", "more": 2},
        {"int_value": "x"},
        {"int_value": True},
        {"double_value": "x"},
        {"string_value": 7},
        {},
        [1],
        "text",
        None,
    ],
)
def test_plain_values_stay_as_they_are(value):
    config = PipelineSpecRuntimeConfig(parameters={"p": value})
    assert config.parameters == {"p": value}


def test_times():
    zone = timezone(timedelta(hours=2))
    run = ApiRun(scheduled_at=datetime(2024, 5, 1, 12, tzinfo=zone))
    assert wire(run) == {"scheduled_at": "2024-05-01T10:00:00Z"}
    assert ApiRun(created_at="2024-05-01T10:00:00Z") == ApiRun(
        created_at=datetime(2024, 5, 1, 10, tzinfo=UTC)
    )
    for unset in ("1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        assert V2beta1RuntimeStatus(update_time=unset).update_time is None
    for wrong in (datetime(2024, 5, 1), "yesterday"):  # noqa: DTZ001 - that is wrong
        with pytest.raises(InvalidInput, match="time"):
            ApiRun(created_at=wrong)
    with pytest.raises(DecodeError):
        decode(b'{"created_at":"yesterday"}', ApiRun)


def test_bytes_are_base64():
    assert wire({"data": b"\xfb\xff"}) == {"data": "+/8="}
    with pytest.raises(DecodeError):
        decode(b'{"data":"-_8="}', ApiReadArtifactResponse)


def test_words_of_later_servers_stay_text():
    run = decode(b'{"run_id":"r","state":"DREAMING"}', V2beta1Run)
    assert run.state == "DREAMING"
    result = decode(b'{"status":"OK"}', ReportRunMetricsResponseReportRunMetricResult)
    assert result.status == "OK"


def test_any_messages_keep_their_fields():
    body = b'{"details":[{"@type":"type.googleapis.com/x.Y","reason":"why"}]}'
    (detail,) = decode(body, models.GoogleRpcStatus).details
    assert detail == ProtobufAny(type="type.googleapis.com/x.Y")
    assert detail.raw["reason"] == "why"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ApiRunDetail, b'{"run":{"name":"n"}}'),
        (ApiRunDetail, b'{"pipeline_runtime":{}}'),
        (ApiListRunsResponse, b'{"runs":[{}]}'),
        (V2beta1ListRunsResponse, b'{"runs":[{"display_name":"n"}]}'),
        (ApiPipelineRuntime, b"<html></html>"),
        (polling.Empty, b"<html></html>"),
        (polling.Empty, b"[]"),
        (polling.Empty, b""),
    ],
)
def test_an_empty_run_is_none(kind, body):
    with pytest.raises(DecodeError):
        decode(body, kind)


@pytest.mark.parametrize("value", [{1, 2}, {7: "a"}, object(), 1j])
def test_what_has_no_json_form(value):
    with pytest.raises(InvalidInput):
        wire({"a": value})


# -- filters -----------------------------------------------------------------------


def said(chosen, version="v1beta1"):
    """What a server reads, which decodes a filter once more (wire/kubeflow.md 5.2)."""
    return orjson.loads(unquote_plus(chosen.text(version)))["predicates"]


@pytest.mark.parametrize(
    ("operation", "value", "sent"),
    [
        ("EQUALS", "50%+ \\u002b", {"string_value": "50%+ \\u002b"}),
        ("IS_SUBSTRING", "a_b", {"string_value": "a_b"}),
        ("GREATER_THAN", 7, {"int_value": 7}),
        ("LESS_THAN", 2**31, {"long_value": str(2**31)}),
        ("LESS_THAN_EQUALS", -(2**31), {"int_value": -(2**31)}),
        (
            "GREATER_THAN_EQUALS",
            datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            {"timestamp_value": "2024-05-01T10:00:00Z"},
        ),
        ("IN", ["a", "b+"], {"string_values": {"values": ["a", "b+"]}}),
        ("IN", (1, 2), {"int_values": {"values": [1, 2]}}),
        ("IN", [1, 2**40], {"long_values": {"values": ["1", str(2**40)]}}),
        ("IN", [], {"string_values": {"values": []}}),
    ],
)
def test_values_by_their_type(operation, value, sent):
    chosen = Filter().where("key", operation, value)
    assert said(chosen) == [{"op": operation, "key": "key", **sent}]
    assert said(chosen, "v2beta1") == [{"operation": operation, "key": "key", **sent}]


def test_conditions_add_up():
    one = Filter().where("name", "EQUALS", "a")
    two = one.where("status", "NOT_EQUALS", "Failed")
    assert [predicate["key"] for predicate in said(two)] == ["name", "status"]
    assert len(one.predicates) == 1
    assert two == Filter(
        (Predicate("name", "EQUALS", "a"), Predicate("status", "NOT_EQUALS", "Failed"))
    )


@pytest.mark.parametrize(
    ("key", "operation", "value"),
    [
        ("", "EQUALS", "a"),
        (7, "EQUALS", "a"),
        ("k", "LIKE", "a"),
        ("k", "EQUALS", ["a"]),
        ("k", "IN", "a"),
        ("k", "IN", ["a", 1]),
        ("k", "IN", [datetime(2024, 5, 1, tzinfo=UTC)]),
        ("k", "IS_SUBSTRING", 7),
        ("k", "EQUALS", True),
        ("k", "EQUALS", 0.5),
        ("k", "EQUALS", None),
        ("k", "EQUALS", 2**63),
        ("k", "EQUALS", datetime(2024, 5, 1)),  # noqa: DTZ001 - that is wrong
    ],
)
def test_conditions_that_cannot_be_right(key, operation, value):
    with pytest.raises(InvalidInput):
        Filter().where(key, operation, value)


@given(st.text(), st.text())
def test_any_text_survives_being_decoded_twice(key, value):
    chosen = Filter().where(key or "k", "EQUALS", value)
    (predicate,) = said(chosen)
    assert predicate["string_value"] == value


def test_ids_are_portioned_by_number_and_by_length():
    ids = [f"6a0e6c1e-0001-4c8f-9d11-{n:012}" for n in range(250)]
    assert [len(portion) for portion in chunks(ids)] == [100, 100, 50]
    assert [one for portion in chunks(ids, 7) for one in portion] == ids
    long = ["x" * 190] * 100
    assert all(len(portion) < 40 for portion in chunks(long))
    assert list(chunks(["y" * 9000, "z"])) == [["y" * 9000], ["z"]]
    assert list(chunks([])) == []
