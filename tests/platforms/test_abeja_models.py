"""Whatever ABEJA answers is read as documented, or said to be unreadable."""

from contextlib import suppress
from datetime import UTC, datetime

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioruns.errors import AiorunsError, Unreadable
from aioruns.http.codec import DecodeError, converter, decode, encode, structure
from aioruns.http.request import Response
from aioruns.platforms.abeja import Api, models
from aioruns.platforms.abeja.explain import explain
from aioruns.platforms.abeja.states import status

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**53), 2**53)
TIMES = st.datetimes(timezones=st.just(UTC))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | WHOLE
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(['{"$datalake:1": "c/f"}', '"text"', "[1]", "2024-01-02"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = [getattr(models, name) for name in models.__all__]
REQUIRED = {
    "RunPage": "entries",
    "MarkedRows": "entries",
    "TriggerPage": "entries",
    "ServicePage": "entries",
    "DeploymentPage": "entries",
    "VersionPage": "entries",
    "RunLogs": "events",
    "RecentLogs": "events",
}
FEW = settings(max_examples=25, suppress_health_check=list(HealthCheck))


def made(kind):
    """Values of a model, of every field."""
    return st.builds(
        kind,
        **{
            one.name: of(str(one.type))
            for one in attrs.fields(kind)
            if one.name != "raw"
        },
    )


def of(written):
    """Values of a field, from its type as it is printed."""
    if "Sequence" in written:
        inner = written.partition("[")[2].rpartition("]")[0]
        name = inner.rpartition(".")[2]
        items = made(getattr(models, name)) if hasattr(models, name) else VALUES
        return st.lists(items, max_size=3).map(tuple)
    if "Any" in written:
        return VALUES
    simple = {"datetime": TIMES, "str": TEXTS, "int": WHOLE}
    values = next(values for name, values in simple.items() if name in written)
    return st.none() | values if "None" in written else values


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.data())
@FEW
def test_what_is_written_is_read_back(kind, data):
    value = data.draw(made(kind))
    assert decode(encode(value), kind) == value
    # And what a later server adds is kept, where a caller could want it.
    later = orjson.loads(encode(value)) | {"of later": [1]}
    again = structure(later, kind)
    assert again == value
    if hasattr(again, "raw"):
        assert again.raw == later


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(VALUES)
@FEW
def test_any_json_is_read_or_unreadable(kind, value):
    with suppress(DecodeError):
        read = structure(value, kind)
        assert getattr(read, "raw", value) == value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.data())
@FEW
def test_any_value_under_documented_keys_is_read_or_unreadable(kind, data):
    keys = [one.name for one in attrs.fields(kind) if one.name != "raw"]
    value = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(keys, VALUES)))
    with suppress(DecodeError):
        converter.unstructure(structure(value, kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.binary(max_size=40))
@FEW
def test_any_bytes_are_read_or_unreadable(kind, body):
    with suppress(DecodeError):
        decode(body, kind)


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("items", [{}, {"entries": None, "events": None}])
def test_an_answer_of_another_kind_is_no_empty_page(name, items):
    tokens = {"next_forward_token": "f", "next_backward_token": "b"}
    with pytest.raises(DecodeError, match=REQUIRED[name]):
        structure(tokens | items, getattr(models, name))


@given(st.integers(100, 599), st.binary(max_size=60) | VALUES.map(orjson.dumps))
@FEW
def test_any_error_body_is_explained(code, body):
    said = explain(Response(code, {}, body))
    assert isinstance(said.message, str)
    assert said.code is None or isinstance(said.code, str)


@given(TEXTS)
@FEW
def test_any_word_for_a_status_is_kept(text):
    assert status("2", models.RunRow("run-1", text)).text == text


class Answers:
    """Gives one answer, as a session would give or refuse it."""

    def __init__(self, value):
        self.value = value

    async def send(self, request):
        try:
            return structure(self.value, request.returns)
        except DecodeError as error:
            raise Unreadable(str(error)) from error


PAGES = st.fixed_dictionaries(
    {},
    optional={
        "entries": st.lists(
            st.fixed_dictionaries(
                {"run_id": TEXTS, "status": TEXTS}, optional={"created_at": VALUES}
            ),
            max_size=3,
        ),
        "events": st.lists(
            st.fixed_dictionaries(
                {
                    "message": TEXTS,
                    "timestamp": st.datetimes(
                        timezones=st.timezones() | st.just(UTC)
                    ).map(datetime.isoformat),
                }
            ),
            max_size=3,
        ),
        "next_page_token": st.none() | TEXTS,
        "next_token": st.none() | TEXTS,
        "next_forward_token": TEXTS,
        "next_backward_token": TEXTS,
    },
)


@given(PAGES)
@FEW
async def test_iterators_over_odd_pages_end_or_say_unreadable(page):
    api = Api(Answers(page))
    walks = (
        lambda: api.iter_runs("1", "2"),
        lambda: api.iter_run_logs("1", "2", "3"),
        lambda: api.iter_run_recent_logs("1", "2", "3"),
        lambda: api.iter_run_recent_logs("1", "2", "3", "f"),
        lambda: api.iter_run_recent_logs("1", "2", "3", None, "b"),
    )
    for walk in walks:
        lines = walk()
        with suppress(Unreadable):
            async for _ in lines:
                pass
        if hasattr(lines, "cursor"):
            with suppress(AiorunsError):
                api.iter_run_logs("1", "2", "3", cursor=lines.cursor)
