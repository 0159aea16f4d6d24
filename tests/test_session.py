"""The session: what is sent again, what is not, and what callers are told.

With a written-down transport and a clock of its own where the session decides, and with
real sockets where aiohttp does.
"""

import asyncio
import logging
import ssl
from pathlib import Path
from urllib.request import getproxies

import aiohttp
import anyio
import pytest
from aiohttp import web
from attrs import field, frozen
from tests.fake_transport import FakeTransport, answer
from tests.fakes import FakeClock

from aioruns import session as session_module
from aioruns.errors import (
    EXCERPT_LENGTH,
    BadRequest,
    GaveUp,
    InvalidInput,
    MissingCredentials,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    ServerFailure,
    SessionClosed,
    SessionNotOpen,
    TooManyRequests,
    Unauthorized,
    Unreadable,
    WrongLoop,
)
from aioruns.http.auth import Headers, TokenFile, basic, bearer
from aioruns.http.codec import Json
from aioruns.http.gate import Gate, Pace
from aioruns.http.request import FileBody, FileSink, Request, Response, path, query
from aioruns.http.retry import RetryPolicy
from aioruns.origin import Explanation, Origin
from aioruns.platforms.client import Client
from aioruns.session import Session

GET = Request("GET", "/runs/r", Json)
POST = Request("POST", "/runs", Json, json={"a": 1})
SECRET = "secret-token"


def made_origin(url="https://api.example", clock=None, **more):
    more.setdefault("auth", Headers({"Authorization": bearer(SECRET)}))
    gate = Gate(8, clock) if clock else Gate(8)
    return Origin("demo", url, gate=gate, **more)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def transport(monkeypatch):
    fake = FakeTransport()
    monkeypatch.setattr(session_module, "AiohttpTransport", lambda *_: fake)
    return fake


@pytest.fixture(autouse=True)
def _steady_draw(monkeypatch):
    """Every pause is half of its bound."""
    monkeypatch.setattr(session_module.random, "random", lambda: 0.5)


@pytest.fixture
async def session(clock, transport):
    async with Session(clock=clock) as opened:
        yield opened


@pytest.fixture
def origin(clock):
    return made_origin(clock=clock)


# -- what is sent ------------------------------------------------------------------


async def test_an_answer_is_structured(session, origin, transport):
    transport.script = [answer(201, {"id": "r"})]
    assert await session.send(POST, origin) == {"id": "r"}
    (sent,) = transport.sent
    assert (sent.method, sent.url) == ("POST", "https://api.example/runs")
    assert sent.body == b'{"a":1}'
    assert sent.headers == {
        "Authorization": f"Bearer {SECRET}",
        "Content-Type": "application/json",
    }
    assert sent.timeout == session.timeout
    assert origin.sent == 1


async def test_requests_without_a_body_have_no_content_type(session, origin, transport):
    await session.send(GET, origin)
    assert "Content-Type" not in transport.sent[0].headers
    raw = Request("PUT", "/x", None, body=b"\x00", content_type="text/csv")
    assert await session.send(raw, origin) is None
    assert transport.sent[1].body == b"\x00"
    assert transport.sent[1].headers["Content-Type"] == "text/csv"


async def test_an_answer_that_nobody_asked_for_is_not_read(session, origin, transport):
    transport.script = [answer(204, body=b""), answer(200, body=b"<html>")]
    request = Request("DELETE", "/runs/r")
    assert await session.send(request, origin) is None
    assert await session.send(request, origin) is None


async def test_a_whole_answer_has_status_headers_and_body(session, origin, transport):
    transport.script = [answer(206, body=b"abc", Next="7")]
    response = await session.send(Request("GET", "/x", Response), origin)
    assert (response.status, response.body) == (206, b"abc")
    assert response.headers["NEXT"] == "7"
    assert "abc" not in repr(response)


async def test_a_presigned_request_carries_no_authorization(session, origin, transport):
    request = Request(
        "PUT", presigned="https://store.example/b?sig=1", body=b"x", content_type="a/b"
    )
    await session.send(request, origin)
    (sent,) = transport.sent
    assert sent.url == "https://store.example/b?sig=1"
    assert sent.headers == {"Content-Type": "a/b"}


async def test_an_attempt_gets_no_more_time_than_the_call_has_left(
    clock, transport, origin
):
    async def slow():
        await clock.sleep(7)
        return OutcomeUnknown("cut off")

    transport.script = [slow, answer()]
    async with Session(clock=clock, timeout=8, deadline=10) as session:
        await session.send(GET, origin)
    assert transport.sent[0].timeout == 8
    assert 2 < transport.sent[1].timeout < 3


# -- what is sent again ------------------------------------------------------------


async def test_a_get_is_tried_again_until_it_succeeds(
    session, origin, transport, clock, caplog
):
    transport.script = [
        answer(503),
        OutcomeUnknown("cut off"),
        NotSent("no route"),
        answer(200, {"ok": True}),
    ]
    with caplog.at_level(logging.INFO, "aioruns.http"):
        assert await session.send(GET, origin) == {"ok": True}
    assert clock.now() == 1000 + 0.25 + 0.5 + 1.0
    assert len(transport.sent) == origin.sent == 4
    assert caplog.text.count("trying again in") == 3
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "failure", [OutcomeUnknown("cut off"), answer(500), answer(503, Retry_After="1")]
)
async def test_a_post_that_may_have_been_done_is_never_sent_again(
    session, origin, transport, failure
):
    transport.script = [failure]
    with pytest.raises((OutcomeUnknown, ServerFailure)) as caught:
        await session.send(POST, origin)
    assert caught.value.maybe_acted
    assert caught.value.context.attempts == 1
    assert len(transport.sent) == 1


@pytest.mark.parametrize("failure", [NotSent("no route"), answer(429)])
async def test_a_post_that_was_not_done_is_sent_again(
    session, origin, transport, failure
):
    transport.script = [failure, failure, answer(200, {"ok": True})]
    assert await session.send(POST, origin) == {"ok": True}
    assert len(transport.sent) == 3


async def test_a_post_that_is_harmless_twice_is_sent_again(session, origin, transport):
    transport.script = [answer(502)]
    await session.send(Request("POST", "/search", repeatable=True), origin)
    assert len(transport.sent) == 2


async def test_the_last_attempt_tells_the_whole_story(session, origin, transport):
    transport.script = [answer(500, {"why": "x"}, X_Request_Id="q1")] * 9
    with pytest.raises(ServerFailure) as caught:
        await session.send(GET, origin)
    context = caught.value.context
    assert len(transport.sent) == context.attempts == session.retry.attempts
    assert (context.platform, context.method) == ("demo", "GET")
    assert context.url == "https://api.example/runs/r"
    assert context.elapsed == 0.25 + 0.5 + 1 + 2 + 4
    assert context.request_id == "q1"
    assert context.excerpt == '{"why":"x"}'


async def test_calls_share_a_budget_of_retries(session, origin, transport):
    session._budget.size = session._budget._left = 3.0
    transport.script = [answer(503)] * 20
    with pytest.raises(ServerFailure) as caught:
        await session.send(GET, origin)
    assert caught.value.context.attempts == 4
    with pytest.raises(ServerFailure) as caught:
        await session.send(GET, origin)
    assert caught.value.context.attempts == 1
    transport.script = [answer()] * 5 + [answer(503), answer()]
    for _ in range(6):
        await session.send(GET, origin)


# -- rate limits -------------------------------------------------------------------


async def test_retry_after_is_obeyed_by_all_calls(session, origin, transport, clock):
    transport.script = [answer(429, Retry_After="10")]
    begun = []

    async def call(after):
        await clock.sleep(after)
        await session.send(GET, origin)
        begun.append(clock.now())

    await asyncio.gather(call(0), *(call(1) for _ in range(5)))
    assert min(begun) >= 1010
    assert len(transport.sent) == 7


async def test_after_a_rate_limit_one_success_opens_for_all(
    session, origin, transport, clock
):
    async def slow():
        await clock.sleep(1)
        return answer()

    transport.script = [slow] * 8
    origin.gate.pause(10)
    await asyncio.gather(*(session.send(GET, origin) for _ in range(8)))
    assert clock.now() == 1012


async def test_a_retry_after_that_is_too_long_fails_at_once(
    session, origin, transport, clock
):
    transport.script = [answer(429, Retry_After="3600")]
    with pytest.raises(TooManyRequests) as caught:
        await session.send(GET, origin)
    assert caught.value.retry_after == 3600
    assert clock.now() == 1000
    # The others wait for as long as we are ready to wait.
    await session.send(GET, origin)
    assert clock.now() == 1000 + session.retry.longest_retry_after


async def test_a_retry_after_may_be_a_date(session, origin, transport, clock):
    transport.script = [answer(503, Retry_After="Wed, 01 May 2024 00:00:30 GMT")]
    await session.send(GET, origin)
    assert clock.now() == 1030.25


async def test_a_refused_submission_with_retry_after_holds_the_others(
    session, origin, transport, clock
):
    transport.script = [answer(503, Retry_After="5")]
    with pytest.raises(ServerFailure):
        await session.send(POST, origin)
    await session.send(GET, origin)
    assert clock.now() == 1005


async def test_other_platforms_are_not_held(session, origin, transport, clock):
    transport.script = [answer(429, Retry_After="3600")]
    with pytest.raises(TooManyRequests):
        await session.send(GET, origin)
    await session.send(GET, made_origin(clock=clock))
    assert clock.now() == 1000


async def test_a_pace_spreads_the_requests(session, transport, clock):
    origin = made_origin(clock=clock)
    origin.gate.pace = Pace(2.0, clock)
    await asyncio.gather(*(session.send(GET, origin) for _ in range(5)))
    assert clock.now() == 1002
    assert len(transport.sent) == 5


# -- the deadline ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "failure", "maybe_acted"),
    [
        (GET, NotSent("no route"), False),
        (POST, answer(429), False),
        (GET, OutcomeUnknown("cut off"), True),
        (GET, answer(503), True),
    ],
)
async def test_the_deadline_gives_up_and_says_what_may_have_happened(
    clock, transport, origin, request_, failure, maybe_acted
):
    transport.script = [failure] * 100
    retry = RetryPolicy(attempts=100, base=4.0)
    async with Session(clock=clock, deadline=10, retry=retry) as session:
        with pytest.raises(GaveUp, match="deadline of 10 s") as caught:
            await session.send(request_, origin)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.maybe_acted is maybe_acted
    assert caught.value.context.attempts == len(transport.sent) == 3
    assert caught.value.__cause__ is not None
    assert clock.now() <= 1010


async def test_time_at_the_gate_is_not_time_of_the_call(clock, transport):
    origin = made_origin(clock=clock)
    origin.gate.pause(50)
    async with Session(clock=clock, deadline=10) as session:
        await session.send(GET, origin)
        assert clock.now() == 1050
        origin.gate.pause(50)
        transport.script = [answer(404)]
        with pytest.raises(NotFound) as caught:
            await session.send(GET, origin)
    assert caught.value.context.queued == 50
    assert caught.value.context.elapsed == 0


async def test_a_gate_that_opens_after_the_deadline_gives_up(clock, transport):
    """Between two attempts the gate may be paused for longer than the call has."""
    origin = made_origin(clock=clock)

    def refused():
        origin.gate.pause(100)  # another call was told to wait
        return OutcomeUnknown("cut off")

    transport.script = [refused, answer()]
    async with Session(clock=clock, deadline=10) as session:
        with pytest.raises(GaveUp) as caught:
            await session.send(GET, origin)
    assert caught.value.maybe_acted
    assert len(transport.sent) == 1


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_clocks_need_time(name, seconds):
    with pytest.raises(InvalidInput, match=f"{name} must be more than 0"):
        Session(**{name: seconds})


# -- answers that are errors -------------------------------------------------------


async def test_the_platform_explains_its_errors(session, clock, transport):
    origin = made_origin(
        clock=clock, explain=lambda _: Explanation("no such thing", "E7")
    )
    transport.script = [answer(400, {"x": 1})]
    with pytest.raises(BadRequest, match="400 no such thing") as caught:
        await session.send(GET, origin)
    assert (caught.value.status, caught.value.code) == (400, "E7")


async def test_the_platform_may_have_a_class_for_its_code(session, clock, transport):
    class Busy(BadRequest):
        pass

    origin = made_origin(clock=clock, explain=lambda _: Explanation("no", "E7", Busy))
    transport.script = [answer(400)]
    with pytest.raises(Busy) as caught:
        await session.send(GET, origin)
    assert (caught.value.status, caught.value.code) == (400, "E7")


def test_an_aiohttp_session_brings_its_own_tls():
    with pytest.raises(InvalidInput, match="connector"):
        Session(http=object(), tls=ssl.create_default_context())


async def test_without_an_explanation_the_text_is_told(session, origin, transport):
    transport.script = [answer(404, body=b"  gone \xff ")]
    with pytest.raises(NotFound, match="404 gone \ufffd"):
        await session.send(GET, origin)


async def test_long_bodies_are_told_in_part(session, origin, transport):
    transport.script = [answer(400, body=b"x" * 100_000)]
    with pytest.raises(BadRequest) as caught:
        await session.send(GET, origin)
    assert len(caught.value.context.excerpt) == EXCERPT_LENGTH
    assert len(str(caught.value)) < 2 * EXCERPT_LENGTH


async def test_a_login_page_is_unreadable(session, origin, transport):
    page = b"<!DOCTYPE html><title>Sign in</title>"
    transport.script = [answer(200, body=page, Content_Type="text/html")]
    with pytest.raises(Unreadable, match="text/html") as caught:
        await session.send(GET, origin)
    assert "login page" in str(caught.value)
    assert caught.value.context.excerpt == page.decode()
    assert caught.value.maybe_acted


@frozen
class Thing:
    id: str
    raw: Json = field(factory=dict, repr=False, eq=False)


async def test_an_answer_of_another_shape_is_unreadable(session, origin, transport):
    transport.script = [answer(200, {"id": 7})]
    with pytest.raises(Unreadable, match=r"\$\.id"):
        await session.send(Request("GET", "/x", Thing), origin)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://other.example/login?secret=1", "https://other.example/login:"),
        ("//u:secret@other.example/x", "https://other.example/x:"),
        ("/login?secret=1", "https://api.example/login:"),
        (None, "an address that it does not name:"),
        ("http://[", "an address that cannot be read:"),
        ("login", "https://api.example/runs/login:"),
    ],
)
async def test_redirects_are_refused_and_named(
    session, origin, transport, status, location, told
):
    headers = {"Location": location} if location else {}
    transport.script = [answer(status, body=b"", **headers)]
    with pytest.raises(Rejected) as caught:
        await session.send(GET, origin)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)
    assert (type(caught.value), caught.value.status) == (Rejected, status)
    assert len(transport.sent) == 1


async def test_a_redirect_of_a_presigned_request_shows_no_path(
    session, origin, transport
):
    transport.script = [answer(307, body=b"", Location="https://b.example/secret/x")]
    request = Request("GET", presigned="https://a.example/secret?sig=1")
    with pytest.raises(Rejected) as caught:
        await session.send(request, origin)
    assert "https://b.example/(pre-signed)" in str(caught.value)
    assert "secret" not in str(caught.value)


# -- credentials -------------------------------------------------------------------


class Renewable:
    """Authorization that can be renewed so many times."""

    def __init__(self, times):
        self.times = times
        self.number = 0

    async def headers(self):
        return {"Authorization": f"Bearer {self.number}"}

    async def renew(self):
        if self.number == self.times:
            return False
        self.number += 1
        return True


async def test_after_a_401_renewed_credentials_are_tried_once(
    session, clock, transport
):
    origin = made_origin(clock=clock, auth=Renewable(5))
    transport.script = [answer(401), answer()]
    await session.send(POST, origin)
    assert [s.headers["Authorization"] for s in transport.sent] == [
        "Bearer 0",
        "Bearer 1",
    ]
    transport.script = [answer(401)] * 9
    transport.sent.clear()
    with pytest.raises(Unauthorized):
        await session.send(POST, origin)
    assert len(transport.sent) == 2


async def test_what_cannot_be_renewed_is_not_tried_again(session, origin, transport):
    transport.script = [answer(401)]
    with pytest.raises(Unauthorized):
        await session.send(GET, origin)
    assert len(transport.sent) == 1


def write(file, text):
    Path(file).write_text(text, encoding="utf-8")


async def test_a_rotated_token_file_is_read_again(session, clock, transport, tmp_path):
    file = tmp_path / "token"
    write(file, "old\n")
    origin = made_origin(clock=clock, auth=TokenFile(file, {"X-Tenant": "t"}))
    await session.send(GET, origin)
    write(file, "new\n")
    transport.script = [answer(401), answer()]
    await session.send(GET, origin)
    assert [s.headers for s in transport.sent] == [
        {"Authorization": f"Bearer {token}", "X-Tenant": "t"}
        for token in ("old", "old", "new")
    ]


async def test_all_calls_that_carried_the_old_token_are_tried_again(
    session, clock, transport, tmp_path
):
    file = tmp_path / "token"
    write(file, "old")
    origin = made_origin(clock=clock, auth=TokenFile(file))
    await session.send(GET, origin)
    write(file, "new")
    hold = asyncio.Event()

    async def late():
        await hold.wait()
        return answer(401)

    transport.script = [late, answer(401)]
    slow = asyncio.create_task(session.send(GET, origin))
    await asyncio.sleep(0)
    await session.send(GET, origin)  # renews the token
    hold.set()
    await slow  # was refused with the old one
    assert transport.sent[-1].headers["Authorization"] == "Bearer new"


async def test_a_token_is_read_again_when_it_is_old(tmp_path):
    file = tmp_path / "token"
    write(file, "old")
    now = [0.0]
    auth = TokenFile(file, max_age=60, now=lambda: now[0])
    assert await auth.headers() == {"Authorization": "Bearer old"}
    write(file, "new")
    assert await auth.headers() == {"Authorization": "Bearer old"}
    now[0] = 61.0
    assert await auth.headers() == {"Authorization": "Bearer new"}


async def test_a_token_that_did_not_change_does_not_help(tmp_path):
    file = tmp_path / "token"
    write(file, "old")
    now = [0.0]
    auth = TokenFile(file, max_age=60, now=lambda: now[0])
    await auth.headers()
    assert not await auth.renew()
    write(file, "new")
    now[0] = 50.0
    assert await auth.renew()
    assert await auth.renew()  # another call, refused with the old one
    now[0] = 111.0
    assert not await auth.renew()


async def test_token_files_that_give_nothing_are_named(session, clock, tmp_path):
    file = tmp_path / "token"
    origin = made_origin(clock=clock, auth=TokenFile(file))
    with pytest.raises(MissingCredentials, match="cannot be read"):
        await session.send(GET, origin)
    write(file, " \n")
    with pytest.raises(MissingCredentials, match="is empty"):
        await session.send(GET, origin)


def test_basic_and_bearer_headers():
    assert bearer("t") == "Bearer t"
    assert basic("user", "pä:ss") == "Basic dXNlcjpww6Q6c3M="


async def test_no_secret_is_in_any_text(session, clock, transport, tmp_path):
    file = tmp_path / "token"
    write(file, SECRET)
    read = TokenFile(file)
    await read.headers()
    origin = made_origin(clock=clock)
    client = Client(origin, session)
    for thing in (read, origin.auth, origin, session, client, origin.gate):
        assert SECRET not in f"{thing!r} {thing}"
    assert "Authorization" in repr(origin.auth)
    signed = Request("GET", presigned=f"https://s.example/{SECRET}?sig={SECRET}")
    asked = Request("GET", path("x"), query=query({"token": SECRET}))
    for request in (signed, asked):
        for failure in (answer(400), answer(302, Location=f"https://x/?{SECRET}")):
            transport.script = [failure]
            with pytest.raises(Rejected) as caught:
                await session.send(request, origin)
            assert SECRET not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://user:secret@api.example", "user name or password"),
        ("https://:secret@api.example", "user name or password"),
        ("ftp://api.example", "not an http"),
        ("api.example", "not an http"),
        ("https://", "not an http"),
        ("", "not an http"),
        ("https://api.example?x=1", "end at a path"),
        ("https://api.example#x", "end at a path"),
    ],
)
def test_addresses_that_cannot_be_right_are_refused(url, told):
    with pytest.raises(InvalidInput, match=told) as caught:
        made_origin(url)
    assert "secret" not in str(caught.value)
    assert made_origin("http://api.example/v1/").base_url == "http://api.example/v1"


# -- opening and closing -----------------------------------------------------------


async def test_before_it_is_opened_it_says_what_to_write(transport, origin):
    with pytest.raises(SessionNotOpen, match="async with"):
        await Session().send(GET, origin)


async def test_after_it_is_closed_it_says_so(clock, transport, origin):
    async with Session(clock=clock) as session:
        await session.send(GET, origin)
    assert transport.closed
    with pytest.raises(SessionClosed, match="is closed"):
        await session.send(GET, origin)
    with pytest.raises(SessionClosed, match="make a new Session"):
        session.open()
    await session.aclose()


async def test_a_session_that_was_never_opened_may_be_closed(transport):
    await Session().aclose()
    assert not transport.closed


def test_in_another_loop_it_says_so(transport):
    session = Session()
    origin = made_origin()

    async def use():
        session.open()
        return await session.send(GET, origin)

    async def use_again():
        return await session.send(GET, origin)

    asyncio.run(use())
    with pytest.raises(WrongLoop, match="another event loop"):
        asyncio.run(use_again())


async def test_closing_waits_for_the_calls_in_flight(clock, transport, origin):
    ready = asyncio.Event()

    async def slow():
        await ready.wait()
        return answer(200, {"ok": True})

    transport.script = [slow]
    session = Session(clock=clock, drain=10)
    session.open()
    call = asyncio.create_task(session.send(GET, origin))
    await asyncio.sleep(0)
    closing = asyncio.create_task(session.aclose())
    await asyncio.sleep(0)
    with pytest.raises(SessionClosed):
        await session.send(GET, origin)
    assert not transport.closed
    ready.set()
    assert await call == {"ok": True}
    await closing
    assert transport.closed


async def test_a_call_that_would_be_sent_again_ends_when_closing(
    clock, transport, origin
):
    transport.script = [answer(503)]
    session = Session(clock=clock)
    session.open()
    call = asyncio.create_task(session.send(GET, origin))
    await asyncio.sleep(0)
    await session.aclose()
    with pytest.raises(SessionClosed):
        await call
    assert len(transport.sent) == 1


async def test_a_client_closes_only_the_session_that_it_made(transport, clock):
    async with Session(clock=clock) as session:
        async with Client(made_origin(), session) as client:
            assert await client.send(GET) == {}
        assert await session.send(GET, made_origin()) == {}
    async with Client(made_origin(), None) as client:
        assert await client.send(GET) == {}
    with pytest.raises(SessionClosed):
        await client.send(GET)


# -- real sockets ------------------------------------------------------------------


class Server:
    """Answers as the test says, and remembers what it was sent."""

    def __init__(self):
        self.seen = []
        self.answers = []
        self.url = ""
        self.released = asyncio.Event()

    async def handle(self, request):
        body = await request.read()
        self.seen.append((request.method, request.raw_path, request.headers, body))
        make = self.answers.pop(0) if self.answers else lambda _: web.json_response({})
        made = make(request)
        return await made if asyncio.iscoroutine(made) else made

    @staticmethod
    def drop(request):
        request.transport.close()
        return web.Response()

    @staticmethod
    async def truncate(request):
        half = web.StreamResponse(headers={"Content-Length": "100"})
        await half.prepare(request)
        await half.write(b'{"half": ')
        request.transport.close()
        return half

    async def hang(self, _):
        await self.released.wait()
        return web.json_response({"late": True})


@pytest.fixture
async def server():
    running = Server()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", running.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield running
    running.released.set()
    await runner.cleanup()


ONCE = RetryPolicy(attempts=1)


async def test_requests_arrive_as_they_were_made(server):
    async with Session() as session:
        request = Request(
            "POST",
            path("runs", "a/b c?d#e%2F", "日"),
            Json,
            query({"t": "a+b/c==&x", "f": True}),
            json={"text": "日"},
        )
        assert await session.send(request, made_origin(server.url)) == {}
    method, target, headers, body = server.seen[0]
    assert (method, target) == (
        "POST",
        "/runs/a%2Fb%20c%3Fd%23e%252F/%E6%97%A5?t=a%2Bb%2Fc%3D%3D%26x&f=true",
    )
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Content-Type"] == "application/json"
    assert body == '{"text":"日"}'.encode()


async def test_a_get_has_neither_body_nor_type(server):
    async with Session() as session:
        await session.send(GET, made_origin(server.url))
    _, _, headers, body = server.seen[0]
    assert (headers.get("Content-Type"), body) == (None, b"")


async def test_a_refused_connection_was_not_sent(unused_tcp_port):
    origin = made_origin(f"http://127.0.0.1:{unused_tcp_port}")
    async with Session(retry=ONCE) as session:
        with pytest.raises(NotSent, match="no connection") as caught:
            await session.send(POST, origin)
    assert not caught.value.maybe_acted


@pytest.mark.parametrize("way", ["drop", "truncate"])
async def test_a_post_that_is_cut_off_arrives_once(server, way):
    async with Session() as session:
        origin = made_origin(server.url)
        await session.send(GET, origin)  # the connection is used again
        server.answers = [getattr(server, way)]
        with pytest.raises(OutcomeUnknown) as caught:
            await session.send(POST, origin)
    assert caught.value.maybe_acted
    assert [seen[0] for seen in server.seen] == ["GET", "POST"]


@pytest.mark.parametrize("way", ["drop", "truncate"])
async def test_a_get_that_is_cut_off_is_tried_again(server, way):
    server.answers = [getattr(server, way)]
    async with Session(retry=RetryPolicy(base=0.01)) as session:
        assert await session.send(GET, made_origin(server.url)) == {}


async def test_an_attempt_has_a_timeout(server):
    server.answers = [server.hang]
    async with Session(timeout=0.1, retry=ONCE) as session:
        with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.1 s"):
            await session.send(POST, made_origin(server.url))


async def test_a_redirect_is_not_followed(server):
    target = "http://127.0.0.1:9/login?x=secret"

    def redirect(_):
        return web.Response(status=302, headers={"Location": target})

    server.answers = [redirect]
    async with Session() as session:
        with pytest.raises(Rejected, match=r"http://127\.0\.0\.1:9/login:"):
            await session.send(GET, made_origin(server.url))
    assert len(server.seen) == 1


async def test_a_presigned_address_is_sent_as_it_was_signed(server):
    signed = f"{server.url}/b/a%2Fb%20c?Sig=a%2Bb%2f&x="
    async with Session() as session:
        request = Request("GET", presigned=signed)
        await session.send(request, made_origin("https://api.example"))
    _, target, headers, _ = server.seen[0]
    assert target == "/b/a%2Fb%20c?Sig=a%2Bb%2f&x="
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("after", "target"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a%2Fb/../c", "/a%2Fb/../c"),
        ("/a?x=1&x=%2C+2", "/a?x=1&x=%2C+2"),
        ("/a?", "/a"),
        ("/a#part?x=1", "/a"),
        ("/a?x=1#part", "/a?x=1"),
        ("/a:b//c?d=/e?f", "/a:b//c?d=/e?f"),
        ("?x=1", "/?x=1"),
        ("?x=/y", "/?x=/y"),
    ],
)
async def test_addresses_below_a_known_server_arrive_as_they_are(server, after, target):
    async with Session() as session:
        origin = made_origin("https://api.example")
        for _ in range(2):
            request = Request("GET", presigned=server.url + after)
            await session.send(request, origin)
    assert [seen[1] for seen in server.seen] == [target] * 2


async def test_more_servers_than_are_kept_can_be_asked(server):
    named = server.url.replace("127.0.0.1", "localhost")
    async with Session() as session:
        for number in range(40):
            user = f"u{number}@"
            where = named.replace("://", f"://{user}") if number < 39 else named
            request = Request("GET", presigned=f"{where}/{number}")
            await session.send(request, made_origin("https://api.example"))
    assert [seen[1] for seen in server.seen] == [f"/{n}" for n in range(40)]


async def test_cookies_are_not_kept(server):
    def cookie(_):
        return web.Response(headers={"Set-Cookie": "sticky=1; Path=/"})

    server.answers = [cookie]
    # A plain jar would keep none for a bare address.
    named = server.url.replace("127.0.0.1", "localhost")
    async with Session() as session:
        for _ in range(2):
            await session.send(Request("GET", "/"), made_origin(named))
    assert "Cookie" not in server.seen[1][2]


async def test_netrc_does_not_replace_our_authorization(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    write(netrc, "machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with Session() as session:
        await session.send(GET, made_origin(server.url))
    assert server.seen[0][2]["Authorization"] == f"Bearer {SECRET}"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    """Nothing of the machine's own takes part."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    assert not getproxies()


async def test_proxies_of_the_environment_are_used_and_bypassed(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with Session() as session:
        await session.send(GET, made_origin("http://api.example"))
        await session.send(GET, made_origin(server.url))
    # A proxy is given the whole address, a server only the path.
    targets = [seen[1] for seen in server.seen]
    assert targets == ["http://api.example/runs/r", "/runs/r"]


async def test_a_session_of_the_callers_own_is_used_and_not_closed(server):
    async with aiohttp.ClientSession(headers={"X-Mine": "1"}) as http:
        async with Session(http=http) as session:
            await session.send(GET, made_origin(server.url))
        assert not http.closed
    assert server.seen[0][2]["X-Mine"] == "1"


async def test_trace_configs_are_passed_on(server):
    traced = []
    config = aiohttp.TraceConfig()

    async def note(_session, _context, params):
        traced.append(params.method)

    config.on_request_start.append(note)
    async with Session(trace_configs=[config]) as session:
        await session.send(GET, made_origin(server.url))
    assert traced == ["GET"]


async def test_calls_that_closing_cuts_off_are_told_so(server):
    server.answers = [server.hang, server.hang]
    session = Session(drain=0.1)
    session.open()
    origin = made_origin(server.url)
    calls = [asyncio.create_task(session.send(r, origin)) for r in (GET, POST)]
    while len(server.seen) < 2:  # noqa: ASYNC110 - requests arrive by the socket
        await asyncio.sleep(0.01)
    await session.aclose()
    with anyio.fail_after(5):
        ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [SessionClosed, SessionClosed]
    assert "while POST" in str(ends[1])
    assert isinstance(ends[1].__cause__, OutcomeUnknown)


async def test_a_cancelled_call_leaves_the_session_usable(server):
    server.answers = [server.hang]
    async with Session() as session:
        origin = Origin("demo", server.url, Headers({}), gate=Gate(1))
        with anyio.move_on_after(0.1) as scope:
            await session.send(GET, origin)
        assert scope.cancelled_caught
        assert await session.send(GET, origin) == {}


async def test_more_calls_than_connections_wait_at_the_gate_without_a_clock(server):
    async def slow(_):
        await asyncio.sleep(0.05)
        return web.json_response({})

    server.answers = [slow] * 8
    async with Session(timeout=0.15) as session:
        origin = Origin("demo", server.url, Headers({}), gate=Gate(1))
        await asyncio.gather(*(session.send(GET, origin) for _ in range(8)))
    assert len(server.seen) == 8


async def test_files_are_streamed_both_ways(server, tmp_path):
    data = bytes(range(256)) * 12_000  # three parts
    source, target = tmp_path / "source", tmp_path / "target"
    await anyio.Path(source).write_bytes(data)
    server.answers = [Server.drop, None, lambda _: web.Response(body=data)]
    server.answers[1] = lambda _: web.json_response({})
    up, down = [], []
    async with Session(retry=RetryPolicy(base=0.01)) as session:
        origin = made_origin(server.url)
        body = FileBody(source, len(data), lambda *done: up.append(done))
        await session.send(Request("PUT", "/f", body=body), origin)
        sink = FileSink(target, lambda *done: down.append(done))
        await session.send(Request("GET", "/f", sink=sink), origin)
    # Every attempt begins at the beginning.
    assert [seen[3] == data for seen in server.seen[:2]] == [True, True]
    assert server.seen[0][2]["Content-Length"] == str(len(data))
    assert await anyio.Path(target).read_bytes() == data
    assert up[-1] == down[-1] == (len(data), len(data))


async def test_an_upload_that_stands_still_is_given_up(tmp_path):
    """The HTTP library's clock for silence starts when the body is written."""
    source = tmp_path / "source"
    await anyio.Path(source).write_bytes(bytes(30_000_000))
    closed = anyio.Event()

    async def read_nothing(reader, writer):
        reader._transport.pause_reading()
        await closed.wait()
        writer.close()

    deaf = await asyncio.start_server(read_nothing, "127.0.0.1", 0)
    port = deaf.sockets[0].getsockname()[1]
    async with deaf, Session(timeout=0.2, retry=RetryPolicy(attempts=1)) as session:
        body = FileBody(source, 30_000_000)
        with pytest.raises(OutcomeUnknown, match=r"stood still for 0\.2 s"):
            await session.send(
                Request("PUT", "/f", body=body), made_origin(f"http://127.0.0.1:{port}")
            )
        closed.set()


async def test_an_error_is_not_written_into_the_file(server, tmp_path):
    target = tmp_path / "target"
    server.answers = [lambda _: web.Response(status=404, text="not here")]
    async with Session() as session:
        request = Request("GET", "/f", sink=FileSink(target))
        with pytest.raises(NotFound, match="not here"):
            await session.send(request, made_origin(server.url))
    assert not await anyio.Path(target).exists()


async def test_large_bodies_arrive_whole(server):
    data = b"x" * 3_000_000
    async with Session() as session:
        request = Request("POST", "/f", body=data, content_type="text/plain")
        await session.send(request, made_origin(server.url))
    assert server.seen[0][3] == data


async def test_a_body_without_a_type_is_sent_without_one(server):
    """What is pre-signed may be signed without a type."""
    async with Session() as session:
        signed = Request("PUT", presigned=f"{server.url}/b", body=b"x")
        await session.send(signed, made_origin())
    assert "Content-Type" not in server.seen[0][2]


async def test_a_file_that_is_not_there_is_said_to_be_so(server, tmp_path):
    async with Session() as session:
        body = FileBody(tmp_path / "none", 1)
        with pytest.raises(FileNotFoundError):
            await session.send(Request("PUT", "/f", body=body), made_origin(server.url))
    assert server.seen == []
