"""The Nextmv client over real sockets, against the local run server."""

import asyncio
import itertools
import json
import socket
import time
from datetime import UTC, datetime

import aiohttp
import anyio
import pytest

from aioruns import Nextmv, RetryPolicy, RunState, Session, as_completed, gather
from aioruns.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GaveUp,
    InvalidInput,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RunFailed,
    Unreadable,
)
from aioruns.local.faults import Fault
from aioruns.platforms.nextmv import Application
from aioruns.seam import Submission

APP = "routing"
SUBMITTING = r"^POST .*/runs$"
MEBIBYTE = 1024 * 1024


class Hurried:
    """A clock on which a second takes twenty milliseconds."""

    pace = 50.0

    def now(self):
        return time.monotonic() * self.pace

    def utc(self):
        return datetime.now(UTC)

    async def sleep(self, seconds):
        await anyio.sleep(seconds / self.pace)

    async def wait(self, event, seconds):
        with anyio.move_on_after(seconds / self.pace):
            await event.wait()

    def limit(self, seconds):
        return anyio.move_on_after(seconds / self.pace)


@pytest.fixture
async def session():
    async with Session(clock=Hurried()) as opened:
        yield opened


@pytest.fixture
def nextmv(server, session):
    server.nextmv.live_delay = 0.5  # of the hurried seconds
    return Nextmv(server.token, url=server.url, session=session)


@pytest.fixture
def app(nextmv):
    return nextmv.application(APP)


async def double(job):
    await job.log("doubling")
    return {"twice": 2 * json.loads(job.stdin)["number"], "options": dict(job.env)}


async def forever(job):
    await job.log("started")
    await asyncio.Event().wait()


def talker(count, pause=0.0):
    async def talk(job):
        for number in range(count):
            await job.log(f"line {number}")
            if pause:
                await asyncio.sleep(pause)

        return {}

    return talk


def lines(count):
    return [f"line {number}" for number in range(count)]


async def messages(stream):
    seen = []
    async for event in stream:
        seen.append(event.message)
        assert len(seen) < 1000, "the log repeats itself"
    return seen


def ids(server):
    return [record.id for record in server.engine.runs("nextmv")]


def begun(server):
    return [record for record in server.engine.runs("nextmv") if record.started]


async def started(server, count=1):
    """Let runs start; the server is in this process, so looking costs no request."""
    async with asyncio.timeout(5):
        while len(begun(server)) < count:  # noqa: ASYNC110 - a state without an event
            await asyncio.sleep(0.001)


# -- one run -----------------------------------------------------------------------


async def test_a_run_from_submission_to_result(server, app):
    server.nextmv.register(APP, double)

    run = await app.submit(
        {"number": 21}, options={"seed": 7, "fast": True}, name="first"
    )
    followed = await messages(run.logs())
    status = await run.wait(within=500)

    assert followed == ["doubling"]
    assert (status.state, status.text) == (RunState.SUCCEEDED, "succeeded")
    assert status.reason == ""
    assert status.created <= status.started <= status.ended
    assert status.created.tzinfo is not None
    assert await run.result() == {
        "twice": 42,
        "options": {"seed": "7", "fast": "true"},
    }
    (record,) = server.engine.runs("nextmv")
    assert record.id == run.id
    assert record.detail["name"] == "first"
    assert record.detail["description"] == f"[{run.key}]"


async def test_the_key_follows_the_description(server, app):
    server.nextmv.register(APP, double)
    await app.submit({"number": 1}, description="nightly", key="sweep-1")
    (record,) = server.engine.runs("nextmv")
    assert record.detail["description"] == "nightly [sweep-1]"


async def test_the_handle_of_a_run_that_exists_asks_nothing_until_used(server, app):
    server.nextmv.register(APP, double)
    first = await app.submit({"number": 4})
    await first.wait()
    before = server.requests["nextmv"]

    again = app.run(first.id)
    moved = app.client.runs.from_cursor(first.cursor)

    assert server.requests["nextmv"] == before
    assert (await again.result())["twice"] == 8
    assert (moved.ref, moved.key) == (first.ref, first.key)


async def test_a_run_without_input_is_given_null(server, app):
    async def tell(job):
        return {"read": job.stdin.decode()}

    server.nextmv.register(APP, tell)
    run = await app.submit()
    assert await run.result() == {"read": "null"}


async def test_an_array_is_an_input(server, app):
    async def tell(job):
        return {"read": json.loads(job.stdin)}

    server.nextmv.register(APP, tell)
    run = await app.submit([1, "two", None])
    assert await run.result() == {"read": [1, "two", None]}


async def test_a_chosen_instance_runs(server, app):
    server.nextmv.register(APP, double)
    run = await app.submit({"number": 1}, instance_id="latest")
    (record,) = server.engine.runs("nextmv")
    assert record.detail["instance_id"] == "latest"
    await run.wait()
    with pytest.raises(NotFound, match="no instance 'staging'"):
        await app.submit({"number": 1}, instance_id="staging")


async def test_a_failed_run_says_why(server, app):
    async def fail(job):
        await job.log("looking for stops")
        raise ValueError("no stops")

    server.nextmv.register(APP, fail)
    run = await app.submit({})

    status = await run.wait()

    assert (status.state, status.reason) == (RunState.FAILED, "no stops")
    assert await messages(run.logs()) == ["looking for stops"]
    with pytest.raises(RunFailed) as caught:
        await run.result()
    assert (caught.value.run_id, caught.value.state) == (run.id, "failed")
    assert caught.value.reason == "no stops"


async def test_failures_seen_on_list_pages_say_why_too(server, app):
    async def fail(job):
        raise ValueError(f"no stops in {json.loads(job.stdin)}")

    server.nextmv.register(APP, fail)
    runs = [await app.submit([number]) for number in range(8)]

    statuses = await asyncio.gather(*(run.wait() for run in runs))

    assert [s.reason for s in statuses] == [f"no stops in [{n}]" for n in range(8)]


async def test_cancel(server, app):
    server.nextmv.register(APP, forever)
    run = await app.submit({})
    await started(server)
    assert await run.state() is RunState.RUNNING

    await run.cancel()
    status = await run.wait()

    assert (status.state, status.text) == (RunState.CANCELED, "canceled")
    assert await messages(run.logs()) == ["started"]
    await run.cancel()  # a run that has ended already is no error
    with pytest.raises(RunFailed, match="ended as canceled"):
        await run.result()


async def test_a_wait_that_runs_out_says_so_and_leaves_the_run_alone(server, app):
    server.nextmv.register(APP, forever)
    run = await app.submit({})
    await started(server)

    with pytest.raises(GaveUp, match="did not end within 3 s") as caught:
        await run.wait(within=3)

    cursor = caught.value.context.cursor
    assert app.client.runs.from_cursor(cursor).ref == run.ref
    assert await run.state() is RunState.RUNNING
    await run.cancel()


# -- what goes by way of URLs ------------------------------------------------------


async def test_text_is_uploaded_and_comes_out_unchanged(server, app):
    async def tell(job):
        return {"read": job.stdin.decode()}

    server.nextmv.register(APP, tell)
    text = 'naïve "text"\nwithout being {JSON}\n'

    run = await app.submit(text)

    assert await run.result() == {"read": text}
    (record,) = server.engine.runs("nextmv")
    assert record.detail["format"] == {
        "input": {"type": "text"},
        "output": {"type": "json"},
    }


async def test_text_output_comes_as_bytes(server, app):
    async def shout(job):
        return job.stdin.upper()

    server.nextmv.register(APP, shout)
    text = {"input": {"type": "text"}, "output": {"type": "text"}}
    run = await app.submit("quiet\n", configuration={"format": text})
    assert await run.result() == b"QUIET\n"


async def test_large_input_and_output_go_by_urls_without_the_key(server):
    sent = []

    async def note(_session, _context, params):
        headers = {name.lower() for name in params.headers}
        place = params.url.path.split("/")[1]
        sent.append((params.method, place, headers & {"authorization", "content-type"}))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)

    async def repeat(job):
        given = json.loads(job.stdin)["text"]
        return {"text": given, "size": len(job.stdin)}

    server.nextmv.register(APP, repeat)
    # The façade answers 400 to a pre-signed request that carries the key.
    async with Session(trace_configs=[trace], clock=Hurried()) as session:
        app = Nextmv(server.token, url=server.url, session=session).application(APP)
        text = "x" * (6 * MEBIBYTE)
        run = await app.submit({"text": text})
        result = await run.result()

    assert result == {"text": text, "size": len(text) + len('{"text":""}')}
    by_url = [one for one in sent if one[1] != "v1"]
    assert [one[:2] for one in by_url] == [("PUT", "uploads"), ("GET", "downloads")]
    assert by_url[0][2] == set()  # wire/nextmv.md 1.2: no content type at all
    assert "authorization" not in by_url[1][2]
    assert all("authorization" in headers for _, at, headers in sent if at == "v1")


async def test_a_login_page_instead_of_a_large_output_is_named(server, app):
    async def large(job):
        return {"text": "x" * (5 * MEBIBYTE)}

    server.nextmv.register(APP, large)
    server.faults.add(Fault("html", "^GET /downloads/"))
    run = await app.submit({})
    with pytest.raises(Unreadable, match="not JSON") as caught:
        await run.result()
    assert "downloads" not in str(caught.value)


@pytest.mark.parametrize(("more", "uploads"), [(0, 0), (1, 1)])
async def test_exactly_five_mebibytes_still_go_inline(server, app, more, uploads):
    async def measure(job):
        return {"size": len(job.stdin)}

    server.nextmv.register(APP, measure)
    size = 5 * MEBIBYTE + more
    run = await app.submit({"text": "x" * (size - len('{"text":""}'))})
    assert app.client.origin.sent == 1 + 2 * uploads
    assert await run.result() == {"size": size}


# -- logs --------------------------------------------------------------------------


async def test_a_long_log_comes_page_by_page_whole_and_in_order(server, app):
    server.nextmv.register(APP, talker(230))
    run = await app.submit({})
    await run.wait()

    assert await messages(run.logs(follow=False)) == lines(230)
    events = [event async for event in run.logs()]
    assert [event.message for event in events] == lines(230)
    assert events == sorted(events, key=lambda event: event.timestamp)
    assert {event.source for event in events} == {"stderr"}
    assert all(event.timestamp.tzinfo for event in events)


async def test_a_log_is_followed_while_it_grows(server, app):
    server.nextmv.register(APP, talker(60, pause=0.002))
    run = await app.submit({})
    before = server.requests["nextmv"]

    assert await messages(run.logs()) == lines(60)

    # 60 lines in 0.15 s or more, pages at 10 ms: this followed, and did not spin.
    assert server.requests["nextmv"] - before < 60


async def test_the_log_of_a_silent_run_ends_with_it(server, app):
    async def silent(job):
        return {}

    server.nextmv.register(APP, silent)
    run = await app.submit({})
    assert await messages(run.logs()) == []


async def test_a_log_continues_after_every_event(server, app):
    server.nextmv.register(APP, talker(45))  # three pages, the last not full
    run = await app.submit({})
    await run.wait()

    for count in range(46):
        first = run.logs()
        seen = [(await anext(first)).message for _ in range(count)]
        rest = await messages(run.logs(cursor=first.cursor))
        assert seen + rest == lines(45), f"stopped after {count}"


async def test_a_log_continues_after_every_event_while_it_grows(server, app):
    server.nextmv.register(APP, talker(50, pause=0.001))
    run = await app.submit({})
    seen, cursor = [], None
    for _ in range(60):
        stream = run.logs(cursor=cursor)  # as if the process had died in between
        event = await anext(stream, None)
        if event is None:
            break
        seen.append(event.message)
        cursor = stream.cursor
    assert seen == lines(50)


async def test_a_log_cursor_of_another_run_is_refused(server, app):
    server.nextmv.register(APP, talker(1))
    one, other = await app.submit({}), await app.submit({})
    with pytest.raises(InvalidInput, match="belongs to run"):
        one.logs(cursor=other.logs().cursor)


# -- trouble on the way in ---------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("429", SUBMITTING, times=2, retry_after=1),
        Fault("429", SUBMITTING, times=1),
        Fault("500", SUBMITTING, times=1),
        Fault("503", SUBMITTING, times=1),
        Fault("503", SUBMITTING, times=1, retry_after=2),
        Fault("drop-before", SUBMITTING, times=2),
        Fault("drop-after", SUBMITTING, times=1),
        Fault("html", SUBMITTING, times=1),
        Fault("truncate", SUBMITTING, times=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.retry_after}",
)
async def test_one_run_whatever_happens_to_its_submission(server, app, fault):
    server.nextmv.register(APP, double)
    server.faults.add(fault)

    run = await app.submit({"number": 3})
    status = await run.wait()

    assert server.faults.counts == {fault.kind: fault.times}
    assert ids(server) == [run.id]
    assert status.state is RunState.SUCCEEDED


@pytest.mark.parametrize("kind", ["429", "503", "drop-before", "drop-after"])
async def test_one_run_whatever_happens_to_its_upload(server, app, kind):
    server.nextmv.register(APP, double)
    server.faults.add(Fault(kind, "^PUT /uploads/", times=1))
    server.faults.add(Fault(kind, "^POST .*/uploadurl$", times=1))
    server.faults.add(Fault("html", "^POST .*/uploadurl$", times=1))

    run = await app.submit('{"number": 3}')

    assert (await run.result())["twice"] == 6
    assert ids(server) == [run.id]


async def test_a_run_is_found_when_the_list_lags_behind(server, app):
    server.nextmv.register(APP, double)
    server.faults.add(Fault("drop-after", SUBMITTING, times=1))
    server.faults.add(Fault("stale-list", r"^GET .*/runs$", times=2, seconds=60))

    run = await app.submit({"number": 3})

    assert server.faults.counts == {"drop-after": 1, "stale-list": 2}
    assert ids(server) == [run.id]


async def test_a_run_that_stays_in_doubt_is_an_error_and_not_a_second_run(server, app):
    server.nextmv.register(APP, double)
    server.faults.add(Fault("drop-before", SUBMITTING))
    with pytest.raises(OutcomeUnknown, match="closed the connection") as caught:
        await app.submit({"number": 3})
    assert caught.value.maybe_acted
    assert ids(server) == []


@pytest.mark.parametrize("kind", ["stale-state", "stale-list"])
async def test_waits_bear_with_answers_that_lag_behind(server, app, kind):
    server.nextmv.register(APP, double)
    server.faults.add(Fault(kind, seconds=0.1))
    # As many as make the watcher read list pages.
    runs = [await app.submit({"number": number}) for number in range(6)]

    results = await asyncio.gather(*(run.result() for run in runs))

    assert [result["twice"] for result in results] == [0, 2, 4, 6, 8, 10]
    assert server.faults.counts[kind] > 0


async def test_waits_and_logs_outlive_bad_answers(server, app):
    server.nextmv.register(APP, talker(60, pause=0.002))
    run = await app.submit({})
    for kind in ("503", "drop-before", "truncate", "html"):
        server.faults.add(Fault(kind, "metadata$", times=1))
    for kind in ("503", "drop-before", "truncate"):
        server.faults.add(Fault(kind, "live$", times=1, after=2))

    status, seen = await asyncio.gather(run.wait(), messages(run.logs()))

    assert status.state is RunState.SUCCEEDED
    assert seen == lines(60)
    assert server.faults.counts.total() >= 4


async def test_a_login_page_in_the_midst_of_a_log_is_endured(server, app):
    server.nextmv.register(APP, talker(45))
    run = await app.submit({})
    await run.wait()
    server.faults.add(Fault("html", "live$", times=2, after=1))
    assert await messages(run.logs()) == lines(45)
    assert server.faults.counts == {"html": 2}


async def test_a_log_that_cannot_be_read_says_from_where_to_go_on(
    server, app, monkeypatch
):
    monkeypatch.setattr("aioruns.patience.PATIENCE", 2.0)
    server.nextmv.register(APP, talker(45))
    run = await app.submit({})
    await run.wait()
    server.faults.add(Fault("html", "live$", after=1))
    stream = run.logs()
    seen = [(await anext(stream)).message for _ in range(20)]
    with pytest.raises(Unreadable, match="cannot be read") as caught:
        await anext(stream)
    server.faults.clear()
    rest = await messages(run.logs(cursor=caught.value.context.cursor))
    assert seen + rest == lines(45)


@pytest.mark.parametrize("kind", ["no-token", "new-token", "empty-page"])
async def test_a_log_comes_whole_whatever_its_tokens_are_like(server, app, kind):
    server.nextmv.register(APP, talker(60, pause=0.002))
    run = await app.submit({})
    server.faults.add(Fault(kind, "live$", rate=0.5))
    assert await messages(run.logs()) == lines(60)
    assert server.faults.counts[kind] > 0


async def test_a_run_is_found_by_its_key_among_others_on_several_pages(server, app):
    server.nextmv.register(APP, double)
    wanted = await app.submit({"number": 0}, key="sweep-1", description="about [x]")
    for number in range(10, 35):
        await app.submit({"number": number}, key=f"sweep-{number}")
    adapter = app.client.runs.platform

    assert await adapter.find(Submission(APP, {}, "sweep-1")) == wanted.ref
    assert await adapter.find(Submission(APP, {}, "sweep-2")) is None


# -- what cannot work --------------------------------------------------------------


async def test_a_wrong_key_is_one_line_that_does_not_hold_it(server, session):
    nextmv = Nextmv("nxmv_wrong", url=server.url, session=session)
    with pytest.raises(Forbidden) as caught:
        await nextmv.application(APP).submit({})
    text = str(caught.value)
    assert text.startswith("403 The API key is wrong or missing.")
    assert "\n" not in text
    assert "nxmv_wrong" not in text + repr(caught.value) + repr(nextmv)
    assert caught.value.context.attempts == 1


async def test_a_host_that_does_not_answer_is_named_after_the_retries():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    policy = RetryPolicy(attempts=2, base=0.01)
    async with (
        Session(retry=policy) as session,
        Nextmv("k", url=f"http://127.0.0.1:{port}", session=session) as nextmv,
    ):
        with pytest.raises(NotSent, match=f"127.0.0.1:{port}") as caught:
            await nextmv.application(APP).submit({})
    assert caught.value.context.attempts == 2
    assert not caught.value.maybe_acted


async def test_a_run_that_is_not_there(server, app):
    server.nextmv.register(APP, double)
    run = app.run("nobody")
    with pytest.raises(NotFound, match="run nobody of routing does not exist"):
        await run.wait()
    with pytest.raises(NotFound, match="no run 'nobody'"):
        await run.cancel()


async def test_what_the_platform_refuses_is_raised_as_it_says(server, app):
    server.nextmv.register(APP, double)
    video = {"format": {"input": {"type": "video"}}}
    with pytest.raises(BadRequest, match="format 'video' is not known"):
        await app.submit({}, configuration=video)
    assert ids(server) == []


async def test_an_application_id_stays_one_segment(server, nextmv):
    odd = "a/b?c#d e%2F.."
    server.nextmv.register(odd, double)
    run = await nextmv.application(odd).submit({"number": 5})
    assert (await run.result())["twice"] == 10
    (record,) = server.engine.runs("nextmv")
    assert record.scope == odd


@pytest.mark.parametrize("empty", ["", ".", ".."])
async def test_an_id_that_names_nothing_is_refused_before_anything_is_sent(
    server, nextmv, empty
):
    with pytest.raises(InvalidInput):
        await nextmv.application(empty).submit({})
    with pytest.raises(InvalidInput):
        await nextmv.application(APP).run(empty).wait()
    assert server.requests["nextmv"] == 0


async def test_applications_are_created_and_looked_up(server, nextmv):
    assert not await Application.exists(nextmv, "fleet")
    made = await Application.new(nextmv, "The fleet", "fleet", "of lorries")
    assert await Application.exists(nextmv, "fleet")
    again = await Application.new(nextmv, "The fleet", "fleet", exist_ok=True)
    assert made.id == again.id == "fleet"
    with pytest.raises(Conflict, match="already is an application 'fleet'"):
        await Application.new(nextmv, "The fleet", "fleet")
    kept = server.engine.document("nextmv", "applications", "fleet")
    assert (kept["name"], kept["description"]) == ("The fleet", "of lorries")


# -- many runs ---------------------------------------------------------------------


def most_at_once(records):
    """The largest number of runs that were submitted and not yet ended."""
    changes = [(r.created, 1) for r in records] + [(r.ended, -1) for r in records]
    return max(itertools.accumulate(step for _, step in sorted(changes)))


async def test_thirty_runs_ten_at_a_time(server, app):
    server.nextmv.register(APP, double)
    specs = [app.spec({"number": number}) for number in range(30)]
    submitted = []

    outcomes = await gather(specs, max_active=10, on_submitted=submitted.append)

    assert [outcome.index for outcome in outcomes] == list(range(30))
    assert [o.result["twice"] for o in outcomes] == [2 * n for n in range(30)]
    assert all(outcome.succeeded for outcome in outcomes)
    records = server.engine.runs("nextmv")
    assert {run.id for run in submitted} == {record.id for record in records}
    assert len(records) == 30
    assert most_at_once(records) <= 10


async def test_one_bad_run_among_many_is_an_outcome(server, app):
    async def picky(job):
        number = json.loads(job.stdin)["number"]
        if number == 3:
            raise ValueError("three is too many")
        return {"number": number}

    server.nextmv.register(APP, picky)
    outcomes = await gather(app.spec({"number": number}) for number in range(6))
    assert [outcome.succeeded for outcome in outcomes].count(False) == 1
    assert outcomes[3].state is RunState.FAILED
    assert outcomes[3].status.reason == "three is too many"


async def test_leaving_a_sweep_early_submits_nothing_more(server, app):
    server.nextmv.register(APP, double)
    endless = (app.spec({"number": number}) for number in itertools.count())

    async with as_completed(endless, max_active=4) as outcomes:
        async for outcome in outcomes:
            if outcome.succeeded:
                break

    at_the_end = ids(server)
    asked = server.requests["nextmv"]
    await asyncio.sleep(0.05)
    assert ids(server) == at_the_end
    assert server.requests["nextmv"] == asked


async def test_a_sweep_through_a_bad_network_makes_each_run_once(server, app):
    server.nextmv.register(APP, double)
    for kind in ("drop-before", "drop-after", "503", "html", "truncate", "429"):
        server.faults.add(Fault(kind, rate=0.04))

    outcomes = await gather(
        [app.spec({"number": number}) for number in range(30)], max_active=10
    )

    assert [o.result["twice"] for o in outcomes if o.succeeded] == [
        2 * o.index for o in outcomes if o.succeeded
    ]
    runs = [outcome.run.id for outcome in outcomes if outcome.run]
    assert sorted(runs) == sorted(ids(server))
    assert server.faults.counts.total() > 5
