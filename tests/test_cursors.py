"""Cursors are read back by what wrote them, and by nothing else."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.cursors import make_cursor, read_cursor
from aioruns.errors import InvalidInput

values = st.dictionaries(
    st.text(max_size=5).filter(lambda name: name not in {"v", "kind"}),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    max_size=4,
)


@given(values)
def test_what_was_written_is_read(value):
    text = make_cursor("logs", value)
    assert text.isascii()
    assert set(text).isdisjoint("+/=&? ")
    read = read_cursor(text, "logs")
    assert {name: read[name] for name in value} == value


@given(st.text(max_size=40))
def test_other_texts_are_refused_with_a_sentence(text):
    with pytest.raises(InvalidInput, match="cursor"):
        read_cursor(text, "logs")


@pytest.mark.parametrize("data", [b"[1]", b"7", b'{"v": 2}', b"{}"])
def test_other_versions_and_shapes_are_refused(data):
    text = base64.urlsafe_b64encode(data).decode()
    with pytest.raises(InvalidInput, match="another version"):
        read_cursor(text, "logs")


def test_a_cursor_of_something_else_says_of_what():
    text = make_cursor("logs", {"platform": "nextmv"})
    with pytest.raises(InvalidInput, match="kind 'logs', not to 'run'"):
        read_cursor(text, "run")
    with pytest.raises(InvalidInput, match="platform 'nextmv', not to 'abeja'"):
        read_cursor(text, "logs", platform="abeja")
    with pytest.raises(InvalidInput, match="run None"):
        read_cursor(text, "logs", run="r")


def test_a_cursor_is_plain_json_inside():
    text = make_cursor("run", {"run": "r"})
    inside = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert json.loads(inside) == {"v": 1, "kind": "run", "run": "r"}
