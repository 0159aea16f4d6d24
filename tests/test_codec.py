"""Decoding keeps what it does not know, and names the place of what is wrong."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from typing import Any

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from aioruns.http.codec import (
    DecodeError,
    Json,
    decode,
    encode,
    key,
    parse_time,
    structure,
)


class Mood(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Colour(Enum):
    RED = "red"


@frozen
class Inner:
    number: int
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Outer:
    name: str
    mood: Mood | str = "?"
    maybe: Mood | str | None = None
    when: datetime | None = None
    flag: bool = False
    ratio: float = 0.0
    inner: Inner | None = None
    many: Sequence[Inner] = ()
    by_name: Mapping[str, Inner] = field(factory=dict)
    anything: Any = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Plain:
    name: str
    times: tuple[datetime, ...] = ()


def test_unknown_keys_stay_in_raw_at_every_depth():
    body = {
        "name": "n",
        "new": [1],
        "inner": {"number": 1, "x": 2},
        "many": [{"number": 3, "y": 4}],
        "by_name": {"k": {"number": 5, "z": 6}},
    }
    made = decode(encode(body), Outer)
    assert made.raw == body
    assert made.inner.raw == body["inner"]
    assert made.many[0].raw == {"number": 3, "y": 4}
    assert made.by_name["k"].raw == {"number": 5, "z": 6}


def test_raw_is_no_part_of_the_value():
    assert structure({"number": 1, "x": 2}, Inner) == Inner(1)
    assert "x" not in repr(structure({"number": 1, "x": 2}, Inner))


def test_unknown_keys_are_ignored_where_there_is_no_raw():
    assert structure({"name": "n", "new": 1}, Plain) == Plain("n")


def test_a_key_named_raw_does_not_replace_it():
    body = {"number": 1, "raw": {"number": 2}}
    assert structure(body, Inner).raw == body


def test_enums_are_open():
    assert structure({"name": "n", "mood": "good"}, Outer).mood is Mood.GOOD
    odd = structure({"name": "n", "mood": "odd", "maybe": "odd"}, Outer)
    assert (odd.mood, odd.maybe) == ("odd", "odd")
    assert structure({"name": "n", "maybe": None}, Outer).maybe is None
    assert structure(["red", "blue"], list[Colour | str]) == [Colour.RED, "blue"]
    with pytest.raises(DecodeError, match="maybe"):
        structure({"name": "n", "maybe": 3}, Outer)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2024-01-02T03:04:05Z", 0),
        ("2024-01-02T03:04:05.1Z", 100000),
        ("2024-01-02T03:04:05.123Z", 123000),
        ("2024-01-02T03:04:05.123456Z", 123456),
        ("2024-01-02T03:04:05.123456789Z", 123456),
        ("2024-01-02T03:04:05.123456", 123456),
        ("2024-01-02 03:04:05.5+00:00", 500000),
        ("2024-01-02T12:04:05+09:00", 0),
    ],
)
def test_times_of_every_precision_are_read(text, microsecond):
    time = parse_time(text)
    assert time == datetime(2024, 1, 2, 3, 4, 5, microsecond, tzinfo=UTC)
    assert time.tzinfo is not None
    assert structure({"name": "n", "when": text}, Outer).when == time


def test_a_time_keeps_its_zone():
    zone = timezone(timedelta(hours=9))
    assert parse_time("2024-01-02T03:04:05+09:00").utcoffset() == zone.utcoffset(None)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "$"),
        ({"name": 1}, "$.name"),
        ({"name": None}, "$.name"),
        ({"name": "n", "when": 5}, "$.when"),
        ({"name": "n", "when": "yesterday"}, "$.when"),
        ({"name": "n", "flag": "yes"}, "$.flag"),
        ({"name": "n", "flag": 1}, "$.flag"),
        ({"name": "n", "inner": {"number": "x"}}, "$.inner.number"),
        ({"name": "n", "inner": {"number": True}}, "$.inner.number"),
        ({"name": "n", "many": [{"number": 1}, {}]}, "$.many[1]"),
        ({"name": "n", "by_name": {"k": {"number": []}}}, "$.by_name['k'].number"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(body, place):
    with pytest.raises(DecodeError) as caught:
        structure(body, Outer)
    assert f"@ {place}" in str(caught.value)


def test_all_that_is_wrong_is_named():
    with pytest.raises(DecodeError) as caught:
        structure({"name": 1, "flag": 2}, Outer)
    assert "expected str @ $.name" in str(caught.value)
    assert "expected bool @ $.flag" in str(caught.value)


def test_null_means_the_default_where_there_is_one():
    body = {"name": "n", "mood": None, "many": None, "inner": None, "flag": None}
    made = structure(body, Outer)
    assert made == Outer("n")
    assert made.raw == body


@frozen
class Renamed:
    id: str = field(metadata=key("runId"))
    note: str | None = field(default=None, metadata=key("theNote"))
    raw: Json = field(factory=dict, repr=False, eq=False)


def test_fields_may_have_another_key():
    made = structure({"runId": "r", "theNote": None, "id": "other"}, Renamed)
    assert (made.id, made.note) == ("r", None)
    assert encode(made) == b'{"runId":"r"}'
    assert encode(Renamed("r", "n")) == b'{"runId":"r","theNote":"n"}'
    with pytest.raises(DecodeError, match="required field missing"):
        structure({"id": "r"}, Renamed)
    with pytest.raises(DecodeError, match=r"str @ \$\.id"):
        structure({"runId": None}, Renamed)


@frozen
class Tree:
    name: str | None
    _hidden: int = 0
    below: Sequence["Tree"] = ()
    options: Json = field(factory=dict)
    note: "str | None" = None


def test_a_null_that_is_required_is_a_value():
    assert structure({"name": None}, Tree) == Tree(None)
    with pytest.raises(DecodeError, match="required field missing"):
        structure({}, Tree)


def test_models_may_hold_their_own_kind_and_private_fields():
    body = {"name": "a", "_hidden": "7", "below": [{"name": "b", "note": "n"}]}
    made = structure(body, Tree)
    assert made == Tree("a", 7, made.below)
    assert list(made.below) == [Tree("b", note="n")]
    wrong = {"name": "a", "below": [{"name": "b"}, {"name": "c", "below": [{}]}]}
    with pytest.raises(DecodeError, match=r"missing @ \$\.below\[1\]\.below\[0\]"):
        structure(wrong, Tree)


def test_an_object_that_stays_json_is_a_copy():
    options = {"a": {"b": 1}, "c": None}
    made = structure({"name": "n", "options": options}, Tree)
    assert made.options == options
    assert made.options is not options
    with pytest.raises(DecodeError, match=r"expected dict @ \$\.options"):
        structure({"name": "n", "options": [1]}, Tree)
    with pytest.raises(DecodeError, match=r"expected.* @ \$"):
        structure([1], Json)


@pytest.mark.parametrize("body", [[], [1], "text", 7, None, True])
@pytest.mark.parametrize("kind", [Outer, Plain, Inner])
def test_what_is_no_object_is_refused(body, kind):
    with pytest.raises(DecodeError, match="object"):
        structure(body, kind)


def test_numbers_may_come_as_text():
    # wire/kubeflow.md 3.1
    assert structure({"number": "9007199254740993"}, Inner).number == 2**53 + 1
    assert structure({"number": 3.0}, Inner).number == 3
    assert structure({"name": "n", "ratio": 1}, Outer).ratio == 1.0
    assert structure({"name": "n", "ratio": "0.5"}, Outer).ratio == 0.5


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"name": "n"', b"\xff", b"NaN", b"{'a': 1}"]
)
def test_what_is_not_json_is_said_to_be_so(body):
    with pytest.raises(DecodeError, match="not JSON"):
        decode(body, Outer)


def test_bodies_are_given_as_they_are():
    assert decode(b"\xffraw", bytes) == b"\xffraw"
    assert decode("grün".encode(), str) == "grün"
    assert decode(b"a\xff", str) == "a\ufffd"


def test_plain_json_stays_plain():
    assert decode(b'{"a": [1, null]}', Json) == {"a": [1, None]}
    assert decode(b"[1]", Any) == [1]
    assert structure([1], object) == [1]


def test_json_is_written_compactly():
    zone = timezone(timedelta(hours=9))
    value = {
        "text": "日",
        "mood": Mood.GOOD,
        "when": datetime(2024, 1, 2, tzinfo=UTC),
        "model": Plain("n", (datetime(2024, 1, 2, tzinfo=zone),)),
    }
    assert encode(value).decode() == (
        '{"text":"日","mood":"good","when":"2024-01-02T00:00:00+00:00",'
        '"model":{"name":"n","times":["2024-01-02T00:00:00+09:00"]}}'
    )


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError):
        encode({"a": {1, 2}})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(json_values)
def test_json_comes_back_as_it_was(value):
    assert decode(encode(value), Any) == value


@given(json_values)
def test_no_answer_breaks_the_decoder(value):
    try:
        made = decode(encode(value), Outer)
    except DecodeError as error:
        assert "$" in str(error)  # noqa: PT017 - both ends are right
    else:
        assert made.raw == value
