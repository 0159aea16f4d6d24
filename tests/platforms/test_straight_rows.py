"""Rows of listings that are read straight from their bytes say what the JSON says."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.errors import InvalidInput, Unreadable
from aioruns.http.codec import DecodeError, decode, structure
from aioruns.platforms.abeja.listed import StatePage
from aioruns.platforms.kubeflow.listing import Listing
from aioruns.platforms.kubeflow.models.listed import ListedPage, ListedPageV2
from aioruns.platforms.nextmv.state_rows import StateRows
from aioruns.seam import RunRef, Status

ODD = st.sampled_from([None, "", 7, 2.5, True, [], {}, "noon", "1970-01-01T00:00:00Z"])
TIMES = st.sampled_from(["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123456789+02:00"])
IDS = st.sampled_from(["a", "b", "c"])


def mostly(usual):
    return st.one_of(*[usual] * 9, ODD)


def page_of(name, required, optional):
    rows = st.fixed_dictionaries(required, optional=optional | {"other": ODD})
    return st.fixed_dictionaries(
        {},
        optional={
            name: mostly(st.lists(mostly(rows), max_size=4)),
            "next_page_token": mostly(st.sampled_from(["t", None])),
            "total_size": ODD,
        },
    )


NEXTMV = page_of(
    "runs",
    {"id": mostly(IDS), "status_v2": mostly(st.sampled_from(["running", "failed"]))},
    {"created_at": mostly(TIMES)},
)
ABEJA = page_of(
    "entries",
    {"run_id": mostly(IDS), "status": mostly(st.sampled_from(["RUNNING", "FAILED"]))},
    {"created_at": mostly(TIMES), "modified_at": mostly(TIMES)},
)
KUBEFLOW = page_of(
    "runs",
    {"id": mostly(IDS)},
    {
        "status": mostly(st.sampled_from(["Running", "Failed", "Succeeded"])),
        "error": mostly(st.just("it cannot be shown")),
        "name": mostly(st.just("train")),
        "created_at": mostly(TIMES),
        "finished_at": mostly(TIMES),
    },
)
REFS = {name: RunRef("t", name) for name in "ab"}


def said(read):
    """What came of it, or what it says is wrong."""
    try:
        return read()
    except (DecodeError, Unreadable, InvalidInput, ValueError) as error:
        return str(error)


def both_ways(body, kind):
    return decode(body, kind), structure(orjson.loads(body), kind)


@given(NEXTMV)
def test_nextmv(value):
    body = orjson.dumps(value)
    straight = said(lambda: decode(body, StateRows))
    thorough = said(lambda: structure(orjson.loads(body), StateRows))
    if isinstance(straight, StateRows) and isinstance(thorough, StateRows):
        straight, thorough = (
            said(lambda page=page: (page.statuses(REFS, {}), page.token))
            for page in (straight, thorough)
        )
    assert straight == thorough


@given(ABEJA)
def test_abeja(value):
    body = orjson.dumps(value)
    straight = said(lambda: decode(body, StatePage))
    if not isinstance(straight, StatePage) or straight.rows is None:
        thorough = said(lambda: structure(orjson.loads(body), StatePage))
        assert straight == thorough
        return
    fields = ("run_id", "status", "created_at", "modified_at")
    assert straight.next_page_token == value.get("next_page_token")
    assert [[getattr(row, name) for name in fields] for row in straight.rows] == [
        [row.get(name) for name in fields] for row in value["entries"]
    ]


@given(KUBEFLOW, st.booleans())
def test_kubeflow(value, known):
    body = orjson.dumps(value)
    results = []
    for page in both_ways(body, ListedPage):
        before = {REFS["a"]: Status(REFS["a"], "running", "Running")} if known else {}
        listing = Listing("v1beta1", REFS, before, {})
        error = said(lambda page=page, listing=listing: listing.take(page))
        results.append((error, {} if error else listing.found, listing.failed))
    straight, thorough = results
    assert straight == thorough


USUAL = {
    StateRows: {"runs": [{"id": "a", "status_v2": "running"}]},
    StatePage: {"entries": [{"run_id": "a", "status": "RUNNING"}]},
    ListedPage: {"runs": [{"id": "a", "status": "Running"}]},
}


@pytest.mark.parametrize("kind", USUAL)
def test_a_usual_page_takes_the_short_way(kind, monkeypatch):
    monkeypatch.setattr("aioruns.http.codec.structure", None)
    assert decode(orjson.dumps(USUAL[kind]), kind)


def test_pages_of_v2beta1_take_the_long_way():
    page = decode(b'{"runs":[{"run_id":"a","state":"RUNNING"}]}', ListedPageV2)
    assert page.rows is None
    listing = Listing("v2beta1", REFS, {}, {})
    listing.take(page)
    assert listing.found[REFS["a"]].text == "RUNNING"
