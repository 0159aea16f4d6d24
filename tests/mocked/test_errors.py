"""Answers become errors: the same for all platforms, each with its own bodies."""

import json
from types import SimpleNamespace

import aiohttp
import pytest
from attrs import field, frozen

from aioruns import Abeja, Cloudify, Kubeflow, Nextmv, Session
from aioruns.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GaveUp,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    ServerFailure,
    TooManyRequests,
    Unauthorized,
    Unreadable,
)
from aioruns.platforms.abeja import requests as abeja
from aioruns.platforms.cloudify import requests as cloudify
from aioruns.platforms.kubeflow import requests as kubeflow
from aioruns.platforms.nextmv import requests as nextmv

HOST = "https://api.example.org"
SECRET = "s3cret-key"


@frozen
class Case:
    """One platform: how it is asked for a run, and how it refuses.

    Attributes:
        name: The platform.
        client: Makes its client from a session.
        request: Reads one run.
        path: Where that goes.
        good: An answer to it.
        misshapen: An answer of another shape, and the place that is wrong.
        bodies: Error bodies, and the message and code that are read from them.
    """

    name: str
    client: object = field(repr=False)
    request: object
    path: str
    good: dict
    misshapen: tuple[object, str]
    bodies: list

    @property
    def url(self):
        return HOST + self.path


CASES = [
    Case(
        "nextmv",
        lambda session: Nextmv(SECRET, url=HOST, session=session),
        nextmv.run_information("app", "r-1"),
        "/v1/applications/app/runs/r-1/metadata",
        {"id": "r-1", "metadata": {"status_v2": "running"}},
        ({"id": "r-1", "metadata": {"status_v2": 7}}, "$.metadata.status_v2"),
        [
            # wire/nextmv.md 7.1: no source defines a schema.
            (b"There is no run.", "There is no run.", None),
            (b'{"error":"no run"}', '{"error":"no run"}', None),
        ],
    ),
    Case(
        "kubeflow",
        lambda session: Kubeflow(HOST, token=SECRET, session=session),
        kubeflow.get_run("r-1"),
        "/apis/v1beta1/runs/r-1",
        {"run": {"id": "r-1"}},
        ({"run": {"id": 7}}, "$.run.id"),
        [
            # wire/kubeflow.md 7.1 and 7.3
            (
                {
                    "error": "ResourceNotFoundError: Run 5f not found.",
                    "code": 5,
                    "message": "ResourceNotFoundError: Run 5f not found.",
                    "details": [{"error_message": "Run 5f not found."}],
                },
                "Run 5f not found.",
                "5",
            ),
            (
                {"code": 5, "message": "long", "details": [{"message": "short"}]},
                "short",
                "5",
            ),
            (b'{"code":12,"message":"Method Not Allowed"}', "Method Not Allowed", "12"),
            (
                b'{"error_message":"no artifact","error_details":"x"}',
                "no artifact",
                None,
            ),
            (b"404 page not found\n", "404 page not found", None),
        ],
    ),
    Case(
        "abeja",
        lambda session: Abeja("100", auth_token=SECRET, url=HOST, session=session),
        abeja.get_run("100", "200", "r-1"),
        "/organizations/100/deployments/200/runs/r-1",
        {"run_id": "r-1", "status": "RUNNING"},
        ({"run_id": "r-1", "status": ["RUNNING"]}, "$.status"),
        [
            # wire/abeja.md 5.1
            (
                b'{"error":"not_found","error_description":"run r-1 does not exist"}',
                "run r-1 does not exist",
                "not_found",
            ),
            (
                {
                    "error": "bad_request",
                    "error_description": "text",
                    "error_detail": {"source_data": ["unknown field"]},
                },
                'text: {"source_data":["unknown field"]}',
                "bad_request",
            ),
            (b'{"error":"gone"}', "gone", "gone"),
            (b"upstream connect error", "upstream connect error", None),
        ],
    ),
    Case(
        "cloudify",
        lambda session: Cloudify(HOST, token=SECRET, session=session),
        cloudify.get_execution("r-1"),
        "/api/v3.1/executions/r-1",
        {"id": "r-1", "status": "started"},
        ({"id": "r-1", "status": None}, "$.status"),
        [
            # wire/cloudify.md 5.1
            (
                {
                    "message": "no such execution",
                    "error_code": "not_found_error",
                    "server_traceback": None,
                },
                "no such execution",
                "not_found_error",
            ),
            (b'{"detail":"not audited"}', "not audited", None),
            (
                b'{"message":"","error_code":"forbidden_while_cancelling"}',
                "forbidden_while_cancelling",
                "forbidden_while_cancelling",
            ),
            (b"<html><h1>Not Found</h1></html>", "Not Found", None),
        ],
    ),
]

PLATFORMS = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
BODIES = [(case, *body) for case in CASES for body in case.bodies]


def as_bytes(body):
    return body if isinstance(body, bytes) else json.dumps(body).encode()


STATUSES = [
    (400, BadRequest),
    (401, Unauthorized),
    (403, Forbidden),
    (404, NotFound),
    (409, Conflict),
    (418, Rejected),
    (422, Rejected),
    (429, TooManyRequests),
    (500, ServerFailure),
    (502, ServerFailure),
    (503, ServerFailure),
    (599, ServerFailure),
]

DOOR = SimpleNamespace(host="api.example.org", port=443, ssl=True, is_ssl=True)
"""As much of aiohttp's key of a connection as its errors look at."""

LOGIN = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


async def ask(case, session):
    return await case.client(session).send(case.request)


# -- error statuses ----------------------------------------------------------------


@PLATFORMS
@pytest.mark.parametrize(("status", "expected"), STATUSES)
async def test_every_status_has_its_class(web, once, case, status, expected):
    body, message, code = case.bodies[0]
    web.answer("GET", case.url, status=status, body=as_bytes(body))
    with pytest.raises(Rejected) as caught:
        await ask(case, once)
    error = caught.value
    assert type(error) is expected
    assert (error.status, error.code, error.retry_after) == (status, code, None)
    assert error.args[0] == f"{status} {message}"
    assert error.maybe_acted is (status >= 500)
    assert web.lines == [f"GET {case.url}"]


@pytest.mark.parametrize(
    ("case", "body", "message", "code"),
    BODIES,
    ids=lambda one: getattr(one, "name", ""),
)
async def test_message_and_code_of_every_body(web, once, case, body, message, code):
    web.answer("GET", case.url, status=404, body=as_bytes(body))
    with pytest.raises(NotFound) as caught:
        await ask(case, once)
    assert caught.value.args[0] == f"404 {message}"
    assert caught.value.code == code
    assert caught.value.context.excerpt == as_bytes(body).decode()


@PLATFORMS
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"[1]", b'"text"', b"{}", b"{", b"\xff\xfe", b"7"]
)
async def test_odd_error_bodies_keep_the_status(web, once, case, body):
    web.answer("GET", case.url, status=403, body=body)
    with pytest.raises(Forbidden) as caught:
        await ask(case, once)
    assert caught.value.args[0].startswith("403")
    assert caught.value.code is None


@PLATFORMS
async def test_an_error_tells_where_and_keeps_the_secret(web, once, case):
    web.answer(
        "GET", case.url, status=404, body=b"x" * 9000, headers={"X-Request-Id": "req-7"}
    )
    with pytest.raises(NotFound) as caught:
        await ask(case, once)
    context = caught.value.context
    assert (context.platform, context.method, context.url) == (
        case.name,
        "GET",
        case.url,
    )
    assert (context.attempts, context.request_id) == (1, "req-7")
    assert context.excerpt == "x" * 500
    text = str(caught.value)
    assert f"{case.name}: GET {case.url}, 1 attempt in " in text
    assert text.endswith("request id req-7)")
    assert "\n" not in text
    assert SECRET not in text + repr(caught.value) + repr(context)
    assert len(text) < 1000


# -- answers that are none ---------------------------------------------------------


@PLATFORMS
async def test_a_login_page_instead_of_an_answer(web, once, case):
    web.answer("GET", case.url, body=LOGIN, kind="text/html; charset=utf-8")
    with pytest.raises(
        Unreadable, match=r"status 200 and text/html.*login page"
    ) as got:
        await ask(case, once)
    assert "Please sign in" in got.value.context.excerpt
    assert got.value.maybe_acted


@PLATFORMS
@pytest.mark.parametrize("body", [b"", b"   ", b'{"id": "r-1"', b"\x1f\x8b"])
async def test_an_answer_that_is_not_json(web, once, case, body):
    web.answer("GET", case.url, body=body)
    with pytest.raises(Unreadable, match="it is not JSON"):
        await ask(case, once)


@PLATFORMS
async def test_an_answer_of_another_shape_names_the_place(web, once, case):
    body, place = case.misshapen
    web.answer("GET", case.url, body)
    with pytest.raises(Unreadable) as caught:
        await ask(case, once)
    assert f"@ {place};" in str(caught.value)


@PLATFORMS
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"{}"])
async def test_an_answer_that_holds_nothing_is_not_a_run(web, once, case, body):
    web.answer("GET", case.url, body=body)
    with pytest.raises(Unreadable):
        await ask(case, once)


@PLATFORMS
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(web, once, case, status):
    target = "https://login.example.org/start?ticket=abc"
    web.answer("GET", case.url, status=status, headers={"Location": target})
    with pytest.raises(Rejected, match="redirects are refused") as caught:
        await ask(case, once)
    assert "to https://login.example.org/start:" in str(caught.value)
    assert "ticket" not in str(caught.value)
    assert caught.value.status == status
    assert web.lines == [f"GET {case.url}"]


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Location": "/login?next=x"}, f"to {HOST}/login:"),
        ({"Location": "//sso.example.org/in"}, "to https://sso.example.org/in:"),
        ({}, "to an address that it does not name"),
    ],
)
async def test_short_redirects_are_spelt_out(web, once, headers, named):
    web.answer("GET", CASES[0].url, status=302, headers=headers)
    with pytest.raises(Rejected, match="redirects") as caught:
        await ask(CASES[0], once)
    assert named in str(caught.value)


# -- trying again ------------------------------------------------------------------


@PLATFORMS
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("Mon, 04 May 2026 21:00:30 GMT", 30.0)],
)
async def test_retry_after_is_the_least_wait(web, session, clock, case, value, seconds):
    web.answer("GET", case.url, status=429, headers={"Retry-After": value})
    web.answer("GET", case.url, case.good)
    began = clock.now()
    assert await ask(case, session)
    assert web.lines == [f"GET {case.url}"] * 2
    # The server's wait, and half a second of our own at most: not all come at once.
    assert seconds <= clock.now() - began < seconds + 1.0


@PLATFORMS
async def test_the_gate_has_the_clock_of_the_session(session, clock, case):
    # Otherwise the tests of pauses would wait for as long as they say.
    assert case.client(session).origin.gate.clock is clock


@PLATFORMS
async def test_a_wait_that_is_too_long_is_an_error_at_once(web, session, clock, case):
    web.answer("GET", case.url, status=429, headers={"Retry-After": "600"})
    with pytest.raises(TooManyRequests) as caught:
        await ask(case, session)
    assert caught.value.retry_after == 600.0
    assert clock.slept == []
    assert len(web.sent) == 1


@PLATFORMS
async def test_after_a_429_the_calls_that_follow_wait_too(web, session, clock, case):
    client = case.client(session)
    web.answer("GET", case.url, status=429, headers={"Retry-After": "600"})
    web.answer("GET", case.url, case.good)
    with pytest.raises(TooManyRequests):
        await client.send(case.request)
    began = clock.now()
    await client.send(case.request)
    # Not ten minutes: no platform is left alone for longer than two.
    assert clock.now() - began == 120.0


@PLATFORMS
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_reading_is_tried_again(web, session, case, status):
    web.answer("GET", case.url, status=status)
    web.answer("GET", case.url, case.good)
    assert await ask(case, session)
    assert len(web.sent) == 2


@PLATFORMS
async def test_reading_is_given_up_after_six_attempts(web, session, case):
    for _ in range(7):
        web.answer("GET", case.url, status=503)
    with pytest.raises(ServerFailure) as caught:
        await ask(case, session)
    assert caught.value.context.attempts == len(web.sent) == 6


@PLATFORMS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_no_is_a_no(web, session, clock, case, status):
    web.answer("GET", case.url, status=status)
    with pytest.raises(Rejected):
        await ask(case, session)
    assert len(web.sent) == 1
    assert clock.slept == []


@PLATFORMS
async def test_the_deadline_ends_the_attempts(web, clock, case):
    for _ in range(9):
        web.answer("GET", case.url, status=503, headers={"Retry-After": "40"})
    async with Session(clock=clock, deadline=100) as session:
        with pytest.raises(GaveUp, match="deadline of 100 s") as caught:
            await ask(case, session)
    assert isinstance(caught.value, TimeoutError)
    assert len(web.sent) == 3


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (aiohttp.ClientConnectorError(DOOR, OSError(111, "refused")), NotSent),
        (aiohttp.ConnectionTimeoutError(), NotSent),
        (aiohttp.ServerDisconnectedError(), OutcomeUnknown),
        (aiohttp.SocketTimeoutError(), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
        (aiohttp.ClientOSError(104, "reset"), OutcomeUnknown),
        (aiohttp.ClientPayloadError(), OutcomeUnknown),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
@PLATFORMS
async def test_what_the_connection_says(web, once, case, exception, expected):
    web.fail("GET", case.url, exception)
    with pytest.raises(expected) as caught:
        await ask(case, once)
    assert type(caught.value) is expected
    assert caught.value.maybe_acted is (expected is OutcomeUnknown)
    assert caught.value.context.url == case.url


@PLATFORMS
async def test_the_request_as_it_is_sent(web, once, case):
    web.answer("GET", case.url, case.good)
    await ask(case, once)
    ((method, url, headers, data),) = web.sent
    assert (method, url, data) == ("GET", case.url, None)
    assert SECRET in json.dumps(headers)
    assert "Content-Type" not in headers
