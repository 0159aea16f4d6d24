"""Requests are values, and every id is one segment of its path."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.errors import InvalidInput
from aioruns.http.request import UNSET, Request, member, path, query

BASE = "https://api.example/v1"
names = st.text(
    st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20
).filter(lambda text: text not in {".", ".."})


@given(st.lists(names, min_size=1, max_size=4))
def test_every_segment_comes_back_as_it_was(segments):
    made = path(*segments)
    assert made.startswith("/")
    assert [unquote(part) for part in made[1:].split("/")] == segments
    assert not set("?# ") & set(made)


@given(names)
def test_a_thing_of_a_collection_has_the_path_of_its_segments(item):
    assert member("/v1/runs", item) == path("v1", "runs", item)


@pytest.mark.parametrize("item", ["", ".", ".."])
def test_a_thing_without_a_name_is_in_no_collection(item):
    with pytest.raises(InvalidInput, match="names nothing"):
        member("/v1/runs", item)


def test_ids_cannot_change_the_path():
    assert path("runs", "a/b?c#d e") == "/runs/a%2Fb%3Fc%23d%20e"
    assert path("runs", "%2F") == "/runs/%252F"


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_segments_that_name_nothing_are_refused(segment):
    with pytest.raises(InvalidInput, match="the id after /v1/runs is"):
        path("v1", "runs", segment, "logs")


def test_query_values_become_text():
    assert query({"a": 1, "b": True, "c": False, "d": None, "e": "", "f": 0.5}) == (
        ("a", "1"),
        ("b", "true"),
        ("c", "false"),
        ("e", ""),
        ("f", "0.5"),
    )
    assert query({"k": ["x", "y"], "none": []}) == (("k", "x"), ("k", "y"))


@given(st.dictionaries(names, names, max_size=4))
def test_queries_come_back_as_they_were(pairs):
    request = Request("GET", "/runs", query=query(pairs))
    assert dict(parse_qsl(urlsplit(request.url(BASE)).query)) == pairs


def test_requests_compare_as_values():
    made = Request("GET", path("runs"), dict, query({"a": 1}))
    assert made == Request("GET", "/runs", dict, (("a", "1"),))
    assert made != Request("GET", "/runs", dict)
    assert Request("POST", "/runs", json=None) != Request("POST", "/runs")
    assert Request("GET", "/runs").json is UNSET


@pytest.mark.parametrize(
    ("method", "repeatable"),
    [
        ("GET", True),
        ("HEAD", True),
        ("PUT", True),
        ("DELETE", True),
        ("POST", False),
        ("PATCH", False),
    ],
)
def test_what_may_be_sent_twice(method, repeatable):
    assert Request(method).repeatable is repeatable
    assert Request(method, repeatable=not repeatable).repeatable is not repeatable


def test_addresses_are_shown_without_their_query():
    request = Request("GET", "/runs", query=(("token", "secret"),))
    assert request.url(BASE) == f"{BASE}/runs?token=secret"
    assert request.shown(BASE) == f"{BASE}/runs"


def test_a_presigned_address_is_used_as_it_is_and_never_shown():
    signed = "https://store.example/bucket/secret-path?Signature=secret%2Fsign"
    request = Request("PUT", presigned=signed, body=b"secret-body")
    assert request.url(BASE) == signed
    assert request.shown(BASE) == "https://store.example/(pre-signed)"
    assert "secret" not in repr(request)
