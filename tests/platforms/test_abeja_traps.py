"""Every trap of wire/abeja.md 4.3, against iterators over a scripted platform."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, field

from aioruns.errors import BadRequest, InvalidInput, ServerFailure, Unreadable
from aioruns.http.codec import structure
from aioruns.platforms.abeja import Api

ORG, D, R = "1000000000001", "2000000000002", "run-00000000000000a1"
NOON = datetime(2024, 1, 2, 12, 0, 0, tzinfo=UTC)


@define(slots=False)
class Scripted:
    """Gives prepared answers in order, and keeps the requests."""

    answers: list = field(factory=list)
    asked: list = field(factory=list)

    async def send(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return structure(answer, request.returns)

    @property
    def queries(self):
        return [dict(request.query) for request in self.asked]


def runs(*names, token=None):
    body = {"entries": [{"run_id": name, "status": "RUNNING"} for name in names]}
    return body if token is None else body | {"next_page_token": token}


def events(texts, newest_first):
    made = [
        {
            "message": text,
            "timestamp": (NOON + timedelta(seconds=int(text[1:]))).isoformat(),
        }
        for text in texts
    ]
    return made[::-1] if newest_first else made


def logs(*texts, token=None):
    body = {"events": events(texts, newest_first=False)}
    return body if token is None else body | {"next_token": token}


def recent(*texts, forward, backward="b"):
    """A page of recent logs; the texts are given oldest first."""
    return {
        "events": events(texts, newest_first=True),
        "next_forward_token": forward,
        "next_backward_token": backward,
    }


async def names(iterator):
    return [run.run_id async for run in iterator]


async def texts(iterator):
    return [event.message async for event in iterator]


# -- the end: 4.1 --------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", [{}, {"next_page_token": None}, {"next_page_token": ""}]
)
async def test_a_listing_ends_without_a_token(end):
    client = Scripted([runs("r2", token="t"), runs("r1") | end])
    assert await names(Api(client).iter_runs(ORG, D)) == ["r2", "r1"]


@pytest.mark.parametrize("end", [{}, {"next_token": None}, {"next_token": ""}])
async def test_a_log_ends_without_a_token(end):
    client = Scripted([logs("l1", token="t"), logs("l2") | end])
    assert await texts(Api(client).iter_run_logs(ORG, D, R)) == ["l1", "l2"]


async def test_an_empty_page_with_a_token_is_not_the_end():
    client = Scripted([runs(token="t1"), runs(token="t2"), runs("r1")])
    assert await names(Api(client).iter_runs(ORG, D)) == ["r1"]
    client = Scripted([logs(token="t1"), logs(token="t2"), logs("l1")])
    assert await texts(Api(client).iter_run_logs(ORG, D, R)) == ["l1"]


async def test_an_empty_recent_page_ends_both_ways():
    client = Scripted([recent("l2", forward="f", backward="b2"), recent(forward="f")])
    lines = Api(client).iter_run_recent_logs(ORG, D, R, next_forward_token="f0")
    assert await texts(lines) == ["l2"]
    client = Scripted([recent("l1", forward="f"), recent(forward="f0", backward="b")])
    lines = Api(client).iter_run_recent_logs(ORG, D, R, next_backward_token="b2")
    assert await texts(lines) == ["l1"]


# -- order: 4.2 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forward", "sent"), [(None, {}), (True, "True"), (False, "False")]
)
async def test_runs_keep_the_order_of_their_pages(forward, sent):
    client = Scripted([runs("r1", "r2", token="t"), runs("r3")])
    api = Api(client)
    assert await names(api.iter_runs(ORG, D, scan_forward=forward)) == [
        "r1",
        "r2",
        "r3",
    ]
    chosen = {"scan_forward": sent} if sent else {}
    assert client.queries == [chosen, chosen | {"next_page_token": "t"}]


async def test_recent_logs_come_oldest_first_whatever_the_order_of_pages():
    pages = [
        recent("l5", "l6", forward="f6", backward="b5"),
        recent("l3", "l4", forward="f4", backward="b3"),
        recent("l1", "l2", forward="f2", backward="b1"),
        recent(forward="f0", backward="b1"),
    ]
    whole = Scripted([*pages, recent(forward="f6", backward="b6")])
    lines = Api(whole).iter_run_recent_logs(ORG, D, R)
    assert await texts(lines) == ["l1", "l2", "l3", "l4", "l5", "l6"]

    older = Scripted(pages[1:])
    lines = Api(older).iter_run_recent_logs(ORG, D, R, next_backward_token="b5")
    assert await texts(lines) == ["l1", "l2", "l3", "l4"]
    assert [q["next_backward_token"] for q in older.queries] == ["b5", "b3", "b1"]

    newer = Scripted([pages[1], pages[0], recent(forward="f6")])
    lines = Api(newer).iter_run_recent_logs(ORG, D, R, next_forward_token="f2")
    assert await texts(lines) == ["l3", "l4", "l5", "l6"]
    assert [q["next_forward_token"] for q in newer.queries] == ["f2", "f4", "f6"]


async def test_lines_of_one_time_keep_the_order_of_the_page():
    page = recent("l1", "l1", "l1", forward="f")
    for number, event in enumerate(page["events"]):
        event["message"] = f"same {number}"
    client = Scripted([page, recent(forward="f")])
    lines = Api(client).iter_run_recent_logs(ORG, D, R, next_forward_token="f0")
    assert await texts(lines) == ["same 2", "same 1", "same 0"]


# -- the traps: 4.3 ------------------------------------------------------------------


async def test_trap_tokens_are_always_returned():
    empty = recent(forward="f", backward="b")
    client = Scripted([recent("l1", forward="f", backward="b"), empty, empty, empty])
    assert await texts(Api(client).iter_run_recent_logs(ORG, D, R)) == ["l1"]
    assert len(client.asked) == 3  # the newest, nothing older, nothing newer


@pytest.mark.parametrize("given", ["f1", "f1-changed"])
async def test_trap_the_forward_token_of_an_empty_page_is_the_latest(given):
    client = Scripted([recent("l1", forward="f1"), recent(forward=given)])
    api = Api(client)
    lines = api.iter_run_recent_logs(ORG, D, R, next_forward_token="f0")
    assert await texts(lines) == ["l1"]
    client.answers = [recent("l2", forward="f2"), recent(forward="f2")]
    assert await texts(api.iter_run_recent_logs(ORG, D, R, cursor=lines.cursor)) == [
        "l2"
    ]
    assert client.queries[2] == {"next_forward_token": given}


async def test_trap_a_token_that_expired_is_replaced_by_time_and_count():
    client = Scripted(
        [
            recent("l1", "l2", forward="f2", backward="b1"),
            recent(forward="f0"),
            recent(forward="f2"),
        ]
    )
    api = Api(client)
    lines = api.iter_run_recent_logs(ORG, D, R)
    assert await texts(lines) == ["l1", "l2"]
    client.answers = [
        BadRequest("400 the token expired", None, 400),
        recent("l2", "l3", forward="f3", backward="b2"),
        recent(forward="f1"),
        recent(forward="f3"),
    ]
    again = api.iter_run_recent_logs(ORG, D, R, cursor=lines.cursor)
    assert await texts(again) == ["l3"]
    assert client.queries[4] == {"start_time": "2024-01-02T12:00:02"}


async def test_trap_a_token_from_elsewhere_that_expired_is_an_error():
    client = Scripted([BadRequest("400 the token expired", None, 400)])
    lines = Api(client).iter_run_recent_logs(ORG, D, R, next_forward_token="f0")
    with pytest.raises(BadRequest):
        await texts(lines)


@pytest.mark.parametrize("page", [runs, logs])
async def test_trap_a_token_that_repeats_without_items_is_an_error_the_second_time(
    page,
):
    first = "r1" if page is runs else "l1"
    walk = {
        runs: lambda api: names(api.iter_runs(ORG, D)),
        logs: lambda api: texts(api.iter_run_logs(ORG, D, R)),
    }[page]
    last = "r2" if page is runs else "l2"
    # Once is no loop yet.
    client = Scripted([page(first, token="t"), page(token="t"), page(last)])
    assert await walk(Api(client)) == [first, last]
    client = Scripted([page(first, token="t"), *[page(token="t")] * 9])
    with pytest.raises(Unreadable, match="never end"):
        await walk(Api(client))
    assert len(client.asked) == 3
    # A page that points to itself gives the same items for ever.
    client = Scripted([page(first, token="t"), *[page(last, token="t")] * 9])
    with pytest.raises(Unreadable, match="never end"):
        await walk(Api(client))
    assert len(client.asked) == 2


@pytest.mark.parametrize("direction", ["forward", "backward"])
async def test_trap_lines_with_the_old_recent_token_are_an_error(direction):
    client = Scripted([recent("l1", forward="t", backward="t")] * 9)
    token = {f"next_{direction}_token": "t"}
    with pytest.raises(Unreadable, match="never end"):
        await texts(Api(client).iter_run_recent_logs(ORG, D, R, **token))
    assert len(client.asked) == 1


async def test_trap_the_end_of_a_plain_log_has_no_cursor_so_the_last_second_is_reread():
    late = "2024-01-02T12:00:02.700000Z"
    client = Scripted([logs("l1", token="t"), logs("l2", "l2")])
    api = Api(client)
    lines = api.iter_run_logs(ORG, D, R)
    assert await texts(lines) == ["l1", "l2", "l2"]
    # The same text at the same time once more: told apart by count.
    page = logs("l2", "l2", "l2", "l3")
    page["events"][2]["timestamp"] = late
    client.answers = [page]
    again = api.iter_run_logs(ORG, D, R, cursor=lines.cursor)
    assert [(e.message, e.timestamp.microsecond) async for e in again] == [
        ("l2", 700000),
        ("l3", 0),
    ]
    assert client.queries[2] == {"start_time": "2024-01-02T12:00:02"}


async def test_a_log_that_is_empty_can_be_gone_on_with():
    client = Scripted([logs(), logs("l1")])
    api = Api(client)
    lines = api.iter_run_logs(ORG, D, R, start_time=NOON)
    assert await texts(lines) == []
    assert await texts(api.iter_run_logs(ORG, D, R, cursor=lines.cursor)) == ["l1"]
    assert client.queries[1] == {"start_time": "2024-01-02T12:00:00"}


class Server:
    """Pages that are given by number, while a run is created after every page."""

    def __init__(self, count, size):
        self.names = [f"r{number}" for number in range(count)][::-1]
        self.size = size

    async def send(self, request):
        begin = int(dict(request.query).get("next_page_token", 0))
        shown = self.names[begin : begin + self.size]
        more = begin + self.size < len(self.names)
        self.names.insert(0, f"new{len(self.names)}")
        return structure(
            runs(*shown, token=str(begin + self.size) if more else None),
            request.returns,
        )


async def test_trap_rows_that_move_while_runs_are_created_come_once():
    found = await names(Api(Server(20, size=4)).iter_runs(ORG, D))
    assert found == [f"r{number}" for number in range(20)][::-1]


async def test_trap_filters_are_the_same_along_one_chain():
    tokyo = timezone(timedelta(hours=9))
    window = {
        "start_time": datetime(2024, 1, 2, 3, 4, 5, 1, tzinfo=tokyo),
        "end_time": datetime(2024, 1, 2, 3, 4, 6, 1),  # noqa: DTZ001 - no zone is UTC
    }
    sent = {"start_time": "2024-01-01T18:04:05", "end_time": "2024-01-02T03:04:07"}
    client = Scripted([logs("l1", token="t1"), logs(token="t2"), logs("l2")])
    await texts(Api(client).iter_run_logs(ORG, D, R, **window))
    assert client.queries == [
        sent,
        sent | {"next_token": "t1"},
        sent | {"next_token": "t2"},
    ]
    client = Scripted(
        [
            recent("l3", "l4", forward="f4", backward="b3"),
            recent("l1", "l2", forward="f2", backward="b1"),
            recent(forward="f0"),
            recent(forward="f4"),
        ]
    )
    lines = Api(client).iter_run_recent_logs(ORG, D, R, **window)
    assert await texts(lines) == ["l1", "l2", "l3", "l4"]
    assert [
        {name: query[name] for name in sent if name in query}
        for query in client.queries
    ] == [sent] * 4
    # The cursor keeps them as well.
    client.answers = [recent("l5", forward="f5"), recent(forward="f5")]
    again = Api(client).iter_run_recent_logs(ORG, D, R, cursor=lines.cursor)
    assert await texts(again) == ["l5"]
    assert client.queries[4] == sent | {"next_forward_token": "f4"}


async def test_trap_tokens_are_sent_encoded():
    token = "f/1=+ x&y"
    client = Scripted([runs(token=token), runs(), logs(token=token), logs()])
    client.answers += [recent(forward="f")] * 2
    api = Api(client)
    await names(api.iter_runs(ORG, D))
    await texts(api.iter_run_logs(ORG, D, R))
    await texts(api.iter_run_recent_logs(ORG, D, R, next_forward_token=token))
    sent = [urlsplit(request.url("http://h")).query for request in client.asked]
    assert [dict(parse_qsl(one)) for one in sent if one] == [
        {"next_page_token": token},
        {"next_token": token},
        {"next_forward_token": token},
    ]
    assert "f%2F1%3D%2B" in sent[1]


def test_trap_both_recent_tokens_are_refused_before_anything_is_sent():
    both = {"next_forward_token": "f", "next_backward_token": "b"}
    api = Api(Scripted())
    for walk in (api.iter_run_recent_logs, api.iter_service_recent_logs):
        with pytest.raises(InvalidInput, match="newer or older"):
            walk(ORG, D, R, **both)


# -- cursors -------------------------------------------------------------------------


async def test_an_iterator_goes_on_behind_every_line():
    pages = {
        None: logs("l1", "l2", "l2", token="a"),
        "a": logs("l2", "l3", token="b"),
        "b": logs(token="c"),
        "c": logs("l3", "l4", "l4"),
    }
    every = [event for page in pages.values() for event in page["events"]]

    class Log:
        async def send(self, request):
            query = dict(request.query)
            page = pages[query.get("next_token")]
            if start := query.get("start_time"):
                kept = [e for e in every if e["timestamp"] >= start]
                page = {"events": kept}
            return structure(page, request.returns)

    api = Api(Log())
    lines = api.iter_run_logs(ORG, D, R)
    cursors, seen = [lines.cursor], []
    async for event in lines:
        seen.append(event.message)
        cursors.append(lines.cursor)
    assert seen == [event["message"] for event in every]
    for consumed, cursor in enumerate(cursors):
        again = api.iter_run_logs(ORG, D, R, cursor=cursor)
        assert await texts(again) == seen[consumed:]


async def test_an_error_holds_the_cursor_to_go_on_from():
    down = ServerFailure("503 down", None, 503)
    client = Scripted([logs("l1", "l2", token="t"), down])
    api = Api(client)
    lines = api.iter_run_logs(ORG, D, R)
    assert [(await anext(lines)).message for _ in range(2)] == ["l1", "l2"]
    with pytest.raises(ServerFailure) as caught:
        await anext(lines)
    client.answers = [logs("l3")]
    rest = api.iter_run_logs(ORG, D, R, cursor=caught.value.context.cursor)
    assert await texts(rest) == ["l3"]

    client = Scripted([runs("r1", token="t"), down])
    with pytest.raises(ServerFailure) as caught:
        await names(Api(client).iter_runs(ORG, D))
    assert caught.value.context.cursor == "t"


@pytest.mark.parametrize(
    "also", [{"next_token": "t"}, {"start_time": NOON}, {"end_time": NOON}]
)
def test_a_cursor_is_given_alone_and_to_its_own_log(also):
    api = Api(Scripted())
    cursor = api.iter_run_logs(ORG, D, R).cursor
    api.iter_run_logs(ORG, D, R, cursor=cursor)
    with pytest.raises(InvalidInput, match="alone"):
        api.iter_run_logs(ORG, D, R, cursor=cursor, **also)
    with pytest.raises(InvalidInput, match="belongs to"):
        api.iter_run_logs(ORG, D, "run-2", cursor=cursor)
    with pytest.raises(InvalidInput, match="belongs to"):
        api.iter_run_recent_logs(ORG, D, R, cursor=cursor)


async def test_a_walk_can_be_left_at_any_time():
    client = Scripted([logs("l1", "l2", token="t")])
    lines = Api(client).iter_run_logs(ORG, D, R)
    assert (await anext(lines)).message == "l1"
    assert len(client.asked) == 1
    client = Scripted([runs("r1", "r2", token="t")])
    async for run in Api(client).iter_runs(ORG, D):
        assert run.run_id == "r1"
        break
    assert len(client.asked) == 1


async def test_reading_a_finished_walk_again_gives_nothing():
    client = Scripted([logs("l1")])
    lines = Api(client).iter_run_logs(ORG, D, R)
    assert await texts(lines) == ["l1"]
    assert await texts(lines) == []
    assert len(client.asked) == 1
