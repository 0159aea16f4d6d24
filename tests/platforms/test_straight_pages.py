"""Pages that are read straight from their bytes are what the models make of them."""

import json
from datetime import datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.http.codec import DecodeError, decode, parse_time, structure
from aioruns.platforms.abeja.pages import PlainPage, RecentPage
from aioruns.platforms.cloudify.rows import EventRows
from aioruns.platforms.nextmv.live_pages import LivePage

ZONES = ["Z", "Z", "Z", "z", "", "+00:00", "-00:00", "+02:00", "-0330", "+05:30:15"]
FRACTIONS = st.from_regex(r"\A([.,][0-9]{1,10})?\Z")
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - the zone is put behind
TIMES = st.builds(
    lambda moment, fraction, zone: (
        moment.replace(microsecond=0).isoformat() + fraction + zone
    ),
    MOMENTS,
    FRACTIONS,
    st.sampled_from(ZONES),
)
ODD = st.sampled_from(
    [None, "", 7, -1, 2.5, True, [], {}, "noon", "7", "2024-01-02", "cloudify_x"]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def mostly(usual):
    return st.one_of(*[usual] * 9, ODD)


def objects(required, optional=None):
    return st.fixed_dictionaries(required, optional=optional or {})


def pages(name, lines, required=None, optional=None):
    rows = st.lists(mostly(lines), max_size=4)
    return objects({name: mostly(rows), **(required or {})}, optional)


TOKENS = mostly(TEXT)
ABEJA = objects({}, {"timestamp": mostly(TIMES), "message": mostly(TEXT), "x": ODD})
LIVE = objects({}, {"timestamp": mostly(TIMES), "log": mostly(TEXT), "x": ODD})
EVENT = objects(
    {
        "_storage_id": mostly(st.integers(0, 2**53)),
        "type": mostly(st.sampled_from(["cloudify_event", "cloudify_log"])),
        "timestamp": mostly(TIMES),
        "reported_timestamp": TIMES,
    },
    {
        "message": mostly(TEXT),
        "event_type": mostly(TEXT),
        "logger": mostly(TEXT),
        "execution_id": mostly(TEXT),
    },
)
TOTAL = st.just({"pagination": {"total": 7, "size": 1000, "offset": 0}})
PAGES = {
    PlainPage: pages("events", ABEJA, optional={"next_token": TOKENS}),
    RecentPage: pages(
        "events", ABEJA, {"next_forward_token": TOKENS, "next_backward_token": TOKENS}
    ),
    LivePage: objects(
        {},
        {
            "items": mostly(st.lists(mostly(LIVE), max_size=4)),
            "status_v2": mostly(st.sampled_from(["running", "succeeded", "resting"])),
            "next_page_token": TOKENS,
            "next_available_in_seconds": mostly(st.sampled_from([0, 1, 0.5, 2.0])),
        },
    ),
    EventRows: pages("items", EVENT, {"metadata": mostly(TOTAL)}),
}


def shown(page):
    """All that a page says; a page of events shows arrivals as moments."""
    events = [
        (event.timestamp, event.timestamp.utcoffset(), event.message, event.source)
        for event in page.events
    ]
    if isinstance(page, EventRows):
        rows = [(r.number, r.type, parse_time(r.arrival), r.run) for r in page.rows]
        return events, page.total, rows
    if isinstance(page, LivePage):
        return events, page.times, page.text, page.token, page.hint
    if isinstance(page, RecentPage):
        return events, page.next_forward_token, page.next_backward_token
    times = [event.timestamp for event in page.events]
    assert not page.ordered or times == sorted(times)
    return events, page.next_token


def outcome(read, *given):
    try:
        return shown(read(*given))
    except DecodeError as error:
        # The short way leaves it to those who want to know an arrival to read it.
        return "an arrival" if "reported_timestamp" in str(error) else str(error)
    except ValueError:
        return "an arrival"


def the_long_way(body, kind):
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"it is not JSON ({error})") from error
    return structure(value, kind)


@pytest.mark.parametrize("kind", PAGES)
@given(data=st.data())
def test_both_ways_say_the_same(kind, data):
    body = orjson.dumps(data.draw(PAGES[kind]))
    assert outcome(decode, body, kind) == outcome(the_long_way, body, kind)


USUAL = {
    PlainPage: {
        "events": [{"timestamp": "2024-01-02T03:10:05.5Z", "message": "é\n"}],
        "next_token": "t",
    },
    RecentPage: {
        "events": [{"timestamp": "2024-01-02T03:10:05.5Z", "message": "é\n"}],
        "next_forward_token": "f",
        "next_backward_token": "b",
    },
    LivePage: {
        "items": [{"timestamp": "2024-01-02T03:10:05.123456789Z", "log": "é\n"}],
        "status_v2": "running",
        "next_page_token": "t",
        "next_available_in_seconds": 0.5,
    },
    EventRows: {
        "items": [
            {
                "_storage_id": 3,
                "type": "cloudify_event",
                "timestamp": "2024-01-02T03:10:05.500Z",
                "reported_timestamp": "2024-01-02T03:10:05.510Z",
                "message": None,
                "event_type": "workflow_started",
                "logger": None,
            }
        ],
        "metadata": {"pagination": {"total": 1, "size": 1000, "offset": 0}},
    },
}


@pytest.mark.parametrize("kind", USUAL)
@given(data=st.data())
def test_bytes_that_are_not_json_are_refused_by_both(kind, data):
    body = bytearray(json.dumps(USUAL[kind]).encode())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at : at + data.draw(st.integers(0, 3))] = data.draw(
        st.sampled_from([b"", b"\n", b'"', b"\\", b"0", b"-", b",", b"}", b"]"])
    )
    changed = bytes(body)
    assert outcome(decode, changed, kind) == outcome(the_long_way, changed, kind)


@pytest.mark.parametrize("kind", USUAL)
def test_a_usual_page_takes_the_short_way(kind, monkeypatch):
    monkeypatch.setattr("aioruns.http.codec.structure", None)
    page = decode(json.dumps(USUAL[kind]).encode(), kind)
    (event,) = page.events
    assert event.timestamp.tzinfo is not None


@pytest.mark.parametrize(
    ("kind", "text"), [(LivePage, "times"), (PlainPage, None), (EventRows, None)]
)
def test_digits_past_microseconds_are_cut(kind, text):
    value = json.dumps(USUAL[kind]).replace(".5", ".9999999").replace(".123456", ".999")
    page = decode(value.encode(), kind)
    (event,) = page.events
    assert event.timestamp.second == 5
    if text:
        assert page.times == ["2024-01-02T03:10:05.999789Z"]
