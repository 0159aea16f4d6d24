"""Following ABEJA's logs: every line once and in order, each page read about once."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

import pytest
from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioruns.errors import BadRequest, InvalidInput, Unreadable
from aioruns.http.clock import SystemClock
from aioruns.http.codec import DecodeError, structure
from aioruns.platforms.abeja.adapter import Adapter
from aioruns.platforms.abeja.pages import PlainPage, RecentPage
from aioruns.platforms.abeja.recent import KEPT_PAGES
from aioruns.seam import ALL, ReadsBack, RunRef, Window

ORG, D, R = "1000000000001", "2000000000002", "run-00000000000000a1"
REF = RunRef(D, R)
START = 1_000_000
MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck)
)


def at(second):
    return datetime.fromtimestamp(START + second, UTC)


def log(count, per_second=4):
    return [(n // per_second, f"line {n}") for n in range(count)]


@define(slots=False)
class Server:
    """One run's log as wire/abeja.md 2 and 4 document it; lines are only added.

    Tokens say behind how many lines they stand.
    """

    lines: list = field(factory=list)  # (second, text), oldest first
    page: int = 3
    refused: set = field(factory=set)
    asked: list = field(factory=list)  # (plain or recent, query)
    random: Random | None = None
    to_come: list = field(factory=list)
    expiring: float = 0.0
    session: object = SimpleNamespace(clock=SystemClock())

    async def send(self, request):
        query = dict(request.query)
        kind = request.path.rpartition("/")[2]
        self.asked.append((kind, query))
        if self.random is not None:
            for _ in range(self.random.choice([0, 0, 0, 1, 3, 7])):
                if self.to_come:
                    self.lines.append(self.to_come.pop(0))
        read = self._plain if kind == "logs" else self._recent
        return structure(read(query), request.returns)

    def _plain(self, query):
        begin = self._position(query.get("next_token"), "n")
        rows = self._rows(query, begin, None)
        size = self._size()
        shown = rows[:size]
        body = {"events": [self._event(row) for row in shown]}
        spare = self.random is not None and self.random.random() < 0.2 and shown
        if len(rows) > size or spare:
            body["next_token"] = f"n{shown[-1][0] + 1}"
        return body

    def _recent(self, query):
        forward, backward = (
            query.get(f"next_{way}_token") for way in ("forward", "backward")
        )
        size = self._size()
        if forward:
            place = self._position(forward, "f")
            shown = self._rows(query, place, None)[:size]
        else:
            place = self._position(backward, "b") if backward else len(self.lines)
            shown = self._rows(query, 0, place)[-size:]
        salt = self.random.choice(["", "#", "##"]) if self.random else ""
        ends = (shown[0][0], shown[-1][0] + 1) if shown else (place, place)
        return {
            "events": [self._event(row) for row in reversed(shown)],
            "next_backward_token": f"b{ends[0]}{salt}",
            "next_forward_token": f"f{ends[1]}{salt}",
        }

    def _position(self, token, kind):
        if token is None:
            return 0
        expired = self.random is not None and self.random.random() < self.expiring
        if token in self.refused or expired:
            self.refused.discard(token)  # a new one of the same text is good
            raise BadRequest("400 expired", None, 400)
        assert token[0] == kind
        return int(token[1:].strip("#"))

    def _rows(self, query, begin, end):
        start, stop = (
            name in query and datetime.fromisoformat(query[name] + "Z").timestamp()
            for name in ("start_time", "end_time")
        )
        return [
            (n, row)
            for n, row in list(enumerate(self.lines))[begin:end]
            if (start is False or START + row[0] >= start)
            and (stop is False or START + row[0] <= stop)
        ]

    def _size(self):
        return self.page if self.random is None else self.random.randint(1, self.page)

    @staticmethod
    def _event(row):
        return {"message": row[1][1], "timestamp": at(row[1][0]).isoformat()}

    @property
    def texts(self):
        return [text for _, text in self.lines]


def adapter(server):
    return Adapter(server, ORG)


def stored(position):
    """A position as a cursor brings it back."""
    return json.loads(json.dumps(position))


async def read_all(server, position=None, window=ALL, budget=1000):
    """All messages behind a position, and the position at the end."""
    messages = []
    for _ in range(budget):
        page = await adapter(server).read_logs(REF, position, window)
        messages += [event.message for event in page.events]
        position = stored(page.after(len(page.events)))
        if not page.more:
            return messages, position
    raise AssertionError


# -- one pass --------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9, 200])
async def test_the_whole_log_is_read_in_order_and_its_pages_once(count):
    server = Server(log(count))
    messages, position = await read_all(server)
    assert messages == server.texts
    assert len(json.dumps(position)) < 120
    # The page that was the last is asked for twice more, around the newest.
    again, position = await read_all(server, position)
    assert again == []
    assert len(server.asked) <= max(1, -(-count // 3)) + 3
    assert set(position) <= {"token", "second", "seen"}
    server.lines += [(5000, "late"), (5000, "late")]
    server.asked.clear()
    more, _ = await read_all(server, position)
    assert more == ["late", "late"]
    assert [kind for kind, _ in server.asked] == ["recentlogs"] * 2


async def test_a_page_is_there_after_one_request():
    server = Server(log(3000), page=100)
    page = await adapter(server).read_logs(REF, None)
    assert (len(page.events), page.more, len(server.asked)) == (100, True, 1)


async def test_the_change_to_the_recent_log_waits_while_lines_come():
    server = Server(log(3))
    _, position = await read_all(server)
    plain = server._plain

    def writing(query):
        body = plain(query)
        server.lines.append((9, "new"))
        return body

    server._plain = writing
    seen = []
    for _ in range(5):
        server.asked.clear()
        more, position = await read_all(server, position)
        seen += more
        assert position.get("plain")
        assert len(server.asked) <= 4
    server._plain = plain
    more, position = await read_all(server, position)
    more, position = await read_all(server, position)
    assert position["token"].startswith("f")
    assert seen + more == ["new"] * len(seen + more)


async def test_the_change_waits_while_the_recent_log_is_behind():
    server = Server(log(8))
    recent = server._recent

    def behind(query):
        lines, server.lines = server.lines, server.lines[:-2]
        body = recent(query)
        server.lines = lines
        return body

    server._recent = behind
    seen, position = await read_all(server)
    for _ in range(3):
        assert await read_all(server, position) == ([], position)
    server._recent = recent
    _, position = await read_all(server, position)
    assert position["token"] == "f8"
    assert seen == server.texts


async def test_an_older_state_of_the_plain_log_changes_nothing():
    server = Server(log(8))
    _, position = await read_all(server)
    server.lines, lines = server.lines[:-1], server.lines
    assert await read_all(server, position) == ([], position)
    server.lines = [*lines, (9, "new")]
    assert (await read_all(server, position))[0] == ["new"]


LINES = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 0.25, 0.5, 1, 2]), st.sampled_from("aab")),
    max_size=60,
).map(
    lambda steps: [
        (sum(step for step, _ in steps[: n + 1]), text)
        for n, (_, text) in enumerate(steps)
    ]
)
ONE_SECOND = st.lists(st.tuples(st.just(0), st.sampled_from("ab")), max_size=60)
ANY_TIMES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), max_size=60)


async def follow(server, rng):
    """Follow to the end, from every place in a new adapter, now and then half a page.

    The consumer takes any number of a page's lines, and goes on from there.
    """
    position, seen, quiet = None, [], 0
    for _ in range(3000):
        page = await adapter(server).read_logs(REF, position)
        count = len(page.events)
        if rng.random() < 0.3:
            count = rng.randint(0, count)
        seen += [event.message for event in page.events[:count]]
        position = stored(page.after(count))
        assert len(json.dumps(position)) < 160
        quiet = 0 if page.events or server.to_come else quiet + 1
        if quiet > 3:
            return seen
    raise AssertionError


@given(LINES | ONE_SECOND | ANY_TIMES, st.integers(0, 60), st.integers())
@MANY
async def test_every_line_comes_once_while_lines_are_written(lines, there, seed):
    rng = Random(seed)
    server = Server(lines[:there], page=5, random=rng, to_come=lines[there:])
    assert await follow(server, rng) == [text for _, text in lines]


@given(LINES | ONE_SECOND, st.integers(0, 60), st.integers())
@MANY
async def test_every_line_comes_once_although_tokens_expire(lines, there, seed):
    rng = Random(seed)
    server = Server(
        lines[:there], page=5, random=rng, to_come=lines[there:], expiring=0.1
    )
    seen, position, quiet = [], None, 0
    for _ in range(3000):
        try:
            page = await adapter(server).read_logs(REF, position)
        except BadRequest:  # of a second token, in one reading
            continue
        seen += [event.message for event in page.events]
        position = stored(page.after(len(page.events)))
        quiet = 0 if page.events or server.to_come else quiet + 1
        if quiet > 3:
            break
    assert seen == [text for _, text in lines]


# -- places ----------------------------------------------------------------------------


@pytest.mark.parametrize("expired", [False, True])
async def test_reading_goes_on_exactly_behind_every_line(expired):
    server = Server(log(70, per_second=8))
    position, consumed = None, 0
    while True:
        server.refused.clear()
        page = await adapter(server).read_logs(REF, position)
        for n in range(len(page.events) + 1):
            place = stored(page.after(n))
            server.refused = {place.get("token")} if expired else set()
            rest, _ = await read_all(server, place)
            assert rest == server.texts[consumed + n :]
        consumed += len(page.events)
        position = page.after(len(page.events))
        if not page.more:
            break
    assert consumed == 70


async def test_places_may_be_asked_for_in_any_order():
    page = await adapter(Server(log(9, 2), page=9)).read_logs(REF, None)
    forward = [page.after(n) for n in range(10)]
    assert [page.after(n) for n in reversed(range(10))] == forward[::-1]
    assert page.after(4) == {"plain": True, "skip": 4, "second": START + 1, "seen": 2}
    assert page.after(5)["seen"] == 1


# As they were written when the recent log was read back to its beginning.
@pytest.mark.parametrize(
    ("position", "rest"),
    [
        ({}, 0),
        ({"skip": 2, "second": START, "seen": 2}, 2),
        ({"token": "f6"}, 6),
        ({"token": "f6", "skip": 1, "second": START + 1, "seen": 3}, 7),
        ({"token": "f6", "start": START + 1, "second": START + 1, "seen": 2}, 6),
        ({"token": "gone", "skip": 1, "second": START + 1, "seen": 3}, 7),
        ({"start": START + 1, "skip": 3, "second": START + 1, "seen": 3}, 7),
    ],
)
async def test_positions_of_the_former_form_are_read(position, rest):
    server = Server(log(20), refused={"gone"})
    assert (await read_all(server, position))[0] == server.texts[rest:]


async def test_identical_lines_of_one_second_are_told_apart_by_count():
    server = Server([(0, "a"), (1, "b"), (1, "b"), (1, "b")], page=9)
    page = await adapter(server).read_logs(REF, None)
    server.refused = {"f4"}
    position = {**page.after(3), "token": "f4", "plain": False}
    assert (await read_all(server, position))[0] == ["b"]


async def test_a_line_out_of_order_does_not_move_the_last_second():
    server = Server([(0, "a"), (5, "b"), (3, "late")])
    page = await adapter(server).read_logs(REF, None)
    assert page.after(3) == {"plain": True, "skip": 3, "second": START + 5, "seen": 1}


async def test_a_chain_begun_by_time_keeps_its_filter():
    server = Server(log(40), refused={"f8"})
    position = {"token": "f8", "second": START + 1, "seen": 4}
    rest, end = await read_all(server, position)
    _, end = await read_all(server, end)
    assert rest == server.texts[8:]
    start = at(1).replace(tzinfo=None).isoformat()
    assert {query.get("start_time") for _, query in server.asked[1:]} == {start}
    assert (end["start"], end["token"]) == (START + 1, "f40")


async def test_an_unchanged_and_a_changed_token_on_an_empty_page_are_kept():
    server = Server(log(3))
    page = await adapter(server).read_logs(REF, {"token": "f3"})
    assert (page.events, page.more, page.after(0)) == ((), False, {"token": "f3"})
    server._recent = lambda _: {
        "events": [],
        "next_forward_token": "g",
        "next_backward_token": "b",
    }
    page = await adapter(server).read_logs(REF, {"token": "f3", "seen": 1})
    assert page.after(0) == {"token": "g", "seen": 1}


async def test_other_refusals_than_of_a_token_are_raised():
    server = Server()

    def refuse(_):
        raise BadRequest("400", None, 400)

    server._plain = refuse
    with pytest.raises(BadRequest):
        await adapter(server).read_logs(REF, None)


async def test_a_server_that_refuses_its_own_tokens_is_an_error():
    with pytest.raises(BadRequest):
        await read_all(Server(log(8, 8), random=Random(0), expiring=1.0))


EVENT = {"message": "m", "timestamp": "2024-01-02T03:10:05Z"}


@pytest.mark.parametrize("position", [{"token": "f"}, {"token": "f", "plain": True}])
async def test_lines_without_a_new_token_are_an_error(position):
    server = Server()
    tokens = {"next_forward_token": "f", "next_backward_token": "b", "next_token": "f"}
    server._recent = server._plain = lambda _: {"events": [EVENT], **tokens}
    with pytest.raises(Unreadable, match="never end"):
        await adapter(server).read_logs(REF, position)


@pytest.mark.parametrize(
    "position",
    [{"token": 3}, {"skip": -1}, {"start": True}, {"second": 1e9}, {"end": 10**15}],
)
async def test_a_damaged_position_is_named(position):
    with pytest.raises(InvalidInput, match="damaged"):
        await adapter(Server()).read_logs(REF, position)


# -- windows ---------------------------------------------------------------------------


async def test_a_window_is_asked_for_in_whole_seconds_along_the_whole_chain():
    server = Server(log(80), page=3)
    window = Window(at(5.5), at(9.5))
    messages, position = await read_all(server, window=window)
    assert messages == server.texts[20:44]  # seconds 5 to 10, both included
    _, position = await read_all(server, position, window)
    assert position["token"] == "f44"
    server.refused = {"f44"}
    assert (await read_all(server, position, window))[0] == []
    assert server.asked[0][1]["start_time"] == at(5).replace(tzinfo=None).isoformat()
    asked = {query["end_time"] for _, query in server.asked}
    assert asked == {at(10).replace(tzinfo=None).isoformat()}


@pytest.mark.parametrize(
    ("window", "query"),
    [
        (
            Window(datetime(1950, 1, 1, tzinfo=UTC)),
            {"start_time": "1970-01-01T00:00:00"},
        ),
        (Window(until=datetime.max.replace(tzinfo=UTC)), {}),
        (Window(until=at(1)), {"end_time": at(1).replace(tzinfo=None).isoformat()}),
    ],
)
async def test_a_window_may_go_to_the_ends_of_the_calendar(window, query):
    server = Server(log(2))
    await adapter(server).read_logs(REF, None, window)
    assert server.asked == [("logs", query)]


# -- from the end ----------------------------------------------------------------------


def test_the_log_can_be_read_back():
    assert isinstance(adapter(Server()), ReadsBack)


@pytest.mark.parametrize("there", [0, 1, 3, 4, 6, 7, 20])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 100])
async def test_the_last_lines_are_read_and_gone_on_from(there, count):
    server = Server(log(there))
    page = await adapter(server).read_newest(REF, count, ALL)
    shown = server.texts[max(0, there - count) :] if count else []
    assert [event.message for event in page.events] == shown
    assert len(server.asked) <= count // 3 + 3
    server.lines += [(99, "new"), (99, "new")]
    for n in range(len(shown) + 1):
        rest, _ = await read_all(server, stored(page.after(n)))
        assert rest == [*shown[n:], "new", "new"]


async def test_very_many_last_lines_are_not_held_all():
    server = Server(log(10 * KEPT_PAGES * 3))
    page = await adapter(server).read_newest(REF, 5 * KEPT_PAGES * 3, ALL)
    assert len(page.events) == KEPT_PAGES * 3
    assert page.more
    rest, _ = await read_all(server, page.after(len(page.events)))
    assert [e.message for e in page.events] + rest == server.texts[-15 * KEPT_PAGES :]


@pytest.mark.parametrize(("per_second", "exact"), [(2, True), (100, False)])
async def test_a_place_near_the_end_is_told_by_time_only_where_it_is_known(
    per_second, exact
):
    server = Server(log(20, per_second))
    page = await adapter(server).read_newest(REF, 4, ALL)
    for n in range(4):
        position = page.after(n)
        server.refused = {position["token"]}
        if exact:
            assert (await read_all(server, position))[0] == server.texts[16 + n :]
        else:
            with pytest.raises(BadRequest):
                await read_all(server, position)


@given(LINES | ONE_SECOND | ANY_TIMES, st.integers(0, 60), st.integers())
@MANY
async def test_lines_are_read_back_once_each(lines, there, seed):
    rng = Random(seed)
    server = Server(lines[:there], page=5, random=rng, to_come=lines[there:])
    page = await adapter(server).read_older(REF, None, ALL)
    # What was there when the newest page was made: lines come later are not part.
    seen, position = [], None
    begun = False
    for _ in range(3000):
        count = len(page.events)
        if rng.random() < 0.4:
            count = rng.randint(0, count)
        seen += [event.message for event in page.events[:count]]
        position = stored(page.after(count))
        if not page.events:
            break
        begun = True
        page = await adapter(server).read_older(REF, position, ALL)
    assert begun or not seen
    texts = [text for _, text in lines][: len(seen)]
    assert seen == texts[::-1]
    if begun:
        assert len(seen) >= min(there, len(lines))


async def test_the_way_back_keeps_to_its_window():
    server = Server(log(80))
    window = Window(at(5), at(9))
    position, seen = None, []
    while True:
        page = await adapter(server).read_older(REF, position, window)
        seen += [event.message for event in page.events]
        if not page.more:
            break
        position = stored(page.after(len(page.events)))
    assert seen == server.texts[20:40][::-1]


@pytest.mark.parametrize(
    "position", [{}, {"back": 3}, {"back": "b3", "skip": "1"}, {"token": "f3"}]
)
async def test_a_damaged_place_of_the_way_back_is_named(position):
    with pytest.raises(InvalidInput, match="damaged"):
        await adapter(Server(log(9))).read_older(REF, position, ALL)


# -- pages that cannot be read ---------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (None, "events"),
        ({}, "events"),
        ([EVENT, 3], r"events\[1\]"),
        ([EVENT, {"message": "m"}], "timestamp"),
        ([EVENT, {**EVENT, "message": 3}], r"events\[1\].message"),
        ([{**EVENT, "timestamp": "noon"}], r"events\[0\].timestamp"),
        ([{**EVENT, "timestamp": None}], r"events\[0\].timestamp"),
    ],
)
@pytest.mark.parametrize("kind", [PlainPage, RecentPage])
def test_a_page_that_cannot_be_read_is_explained(kind, events, said):
    tokens = {"next_forward_token": "f", "next_backward_token": "b"}
    with pytest.raises(DecodeError, match=said):
        structure({"events": events, **tokens}, kind)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"events": [], "next_token": 3}, PlainPage),
        ({"events": []}, RecentPage),
        ({"events": [], "next_forward_token": "f"}, RecentPage),
        ([], PlainPage),
        ("<html>", RecentPage),
    ],
)
def test_a_page_without_sound_tokens_is_refused(body, kind):
    with pytest.raises(DecodeError):
        structure(body, kind)


@pytest.mark.parametrize("digits", ["", ".5", ".123", ".123456", ".123456789"])
def test_times_may_have_any_fraction(digits):
    event = {"message": "m", "timestamp": f"2024-01-02T03:10:05{digits}Z"}
    (line,) = structure({"events": [event], "next_token": None}, PlainPage).events
    assert timedelta(0) <= line.timestamp - datetime(2024, 1, 2, 3, 10, 5, tzinfo=UTC)
    assert line.timestamp.tzinfo is not None
