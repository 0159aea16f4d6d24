"""Whatever a manager answers is read as documented, or said to be unreadable."""

from contextlib import suppress
from datetime import UTC

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioruns.http.codec import DecodeError, decode, encode, structure
from aioruns.http.request import Response
from aioruns.platforms.cloudify import models
from aioruns.platforms.cloudify.explain import explain

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**53), 2**53)
TIMES = st.datetimes(timezones=st.just(UTC))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | WHOLE
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
KINDS = [
    models.Execution,
    models.ScheduledExecution,
    models.ExecutionState,
    models.ExecutionMark,
    models.ExecutionGroup,
    models.ExecutionSchedule,
    models.Event,
    models.EventItem,
    models.Started,
    models.StatusCount,
    models.Pagination,
]
LISTS = [models.ListResponse[kind] for kind in KINDS]


def made(kind):
    """Values of a model, of every field."""
    return st.builds(
        kind,
        **{
            one.alias: of(str(one.type))
            for one in attrs.fields(kind)
            if one.name != "raw"
        },
    )


def of(written):
    simple = {
        "dict[str, typing.Any]": OBJECTS,
        "tuple[str, ...]": st.lists(TEXTS, max_size=3).map(tuple),
        "str": TEXTS,
        "int": WHOLE,
        "bool": st.booleans(),
        "datetime": TIMES,
    }
    for name, values in simple.items():
        if name in written:
            return st.none() | values if "None" in written else values
    raise AssertionError(written)


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_what_is_written_is_read_back(kind, data):
    value = data.draw(made(kind))
    again = decode(encode(value), kind)
    assert again == value
    listed = structure(
        {"items": [{**_json(value), "of": "later"}]}, models.ListResponse[kind]
    )
    assert list(listed) == [value]
    if isinstance(value, models.ExecutionGroup | models.Execution | models.Event):
        assert listed[0]["of"] == listed[0].get("of") == listed[0].raw["of"] == "later"


def _json(value):
    return decode(encode(value), dict)


@pytest.mark.parametrize("kind", [*KINDS, *LISTS, models.ListResponse[int]])
@given(value=VALUES)
@settings(max_examples=40)
def test_any_json_is_read_or_refused(kind, value):
    with suppress(DecodeError):
        structure(value, kind)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=40)
def test_documented_keys_with_any_values_are_read_or_refused(kind, data):
    names = [one.name for one in attrs.fields(kind)]
    value = data.draw(st.dictionaries(st.sampled_from(names), VALUES))
    listed = {"items": [value], "metadata": {"pagination": value}}
    for thing, shape in ((value, kind), (listed, models.ListResponse[kind])):
        with suppress(DecodeError):
            structure(thing, shape)


@given(st.sampled_from([400, 401, 403, 404, 409, 500, 503]), VALUES | OBJECTS)
def test_any_error_body_is_explained(status, body):
    said = explain(Response(status, {}, encode(body)))
    assert isinstance(said.message, str)
    assert said.code is None or isinstance(said.code, str)


@given(st.binary())
def test_any_bytes_of_an_error_are_explained(body):
    assert isinstance(explain(Response(500, {}, body)).message, str)


def test_a_list_is_a_sequence_of_its_items():
    rows = [{"id": "a", "status": "failed"}, {"id": "b", "status": "queued"}]
    metadata = {"pagination": {"total": 9, "size": 2, "offset": 4}, "filtered": None}
    page = structure(
        {"items": rows, "metadata": metadata}, models.ListResponse[models.Execution]
    )
    assert [row.id for row in page] == ["a", "b"]
    assert (len(page), page[1].id, page[0] in page) == (2, "b", True)
    assert [row.id for row in reversed(page)] == ["b", "a"]
    assert page[:1] == page.items[:1]
    assert page.metadata.pagination == models.Pagination(9, 2, 4)
    assert page.metadata.raw == metadata
    with pytest.raises(ValueError, match="2 items"):
        page.one()
    assert models.ListResponse((7,)).one() == 7
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        page.items = ()


def test_an_execution_knows_its_constants():
    execution = models.Execution("e", "cancelled")
    assert execution.KILL_CANCELLING == "kill_cancelling"
    assert execution.status in models.Execution.END_STATES
    assert execution.ended
    assert not models.Execution("e", models.Execution.STARTED).ended
