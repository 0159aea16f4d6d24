"""ABEJA without a socket: requests as values, answers, credentials, and choices."""

import json
import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import define, field

from aioruns.errors import (
    InvalidInput,
    MissingCredentials,
    NotFound,
    NotSupported,
    ServerFailure,
    Unreadable,
)
from aioruns.http.codec import decode, encode, structure
from aioruns.http.request import Response
from aioruns.platforms.abeja import (
    Abeja,
    AbejaRun,
    RecentLogs,
    RunLogs,
    RunPage,
    config,
    requests,
)
from aioruns.platforms.abeja.adapter import Adapter
from aioruns.platforms.abeja.explain import explain
from aioruns.platforms.abeja.finding import MARGIN, MOST_PAGES
from aioruns.platforms.abeja.listed import StatePage
from aioruns.platforms.abeja.models import MarkedRows, RunRow
from aioruns.platforms.abeja.payload import MARKER, RESERVED
from aioruns.platforms.abeja.states import STATES, status
from aioruns.seam import RunRef, RunState, Submission

ORG, D, R = "1000000000001", "2000000000002", "run-00000000000000a1"
RUNS = f"/organizations/{ORG}/deployments/{D}/runs"
NOON = datetime(2024, 1, 2, 12, 0, 0, tzinfo=UTC)


# -- requests as values ------------------------------------------------------------


def test_create_run_sends_what_was_given_and_environment_always():
    request = requests.create_run(ORG, D, "ver-1")
    assert (request.method, request.path) == ("POST", RUNS)
    assert request.json == {"version_id": "ver-1", "environment": {}}
    assert not request.repeatable
    assert request.returns is AbejaRun
    assert requests.create_run(
        ORG,
        D,
        "ver-1",
        {"$datalake:1": "c/f"},
        output_template='{"$datalake:1": "c"}',
        model_id="m",
        environment={"A": "1"},
        retry_count=0,
        distribution=0,
    ).json == {
        "version_id": "ver-1",
        "environment": {"A": "1"},
        "input_data": {"$datalake:1": "c/f"},
        "output_template": {"$datalake:1": "c"},
        "models": {"alias": "m"},
        "retry_count": 0,
        "distribution": 0,
    }


def test_empty_operators_are_left_out():
    request = requests.create_run(ORG, D, "ver-1", {}, output_template="{}")
    assert request.json == {"version_id": "ver-1", "environment": {}}


def test_reads_are_gets_below_the_run():
    assert requests.get_run(ORG, D, R).path == f"{RUNS}/{R}"
    assert requests.get_run_logs(ORG, D, R).path == f"{RUNS}/{R}/logs"
    assert requests.get_run_recent_logs(ORG, D, R).path == f"{RUNS}/{R}/recentlogs"
    assert requests.get_runs(ORG, D).url("https://h") == f"https://h{RUNS}"


def test_booleans_are_spelled_as_python_spells_them():
    assert requests.get_runs(ORG, D, scan_forward=True).query == (
        ("scan_forward", "True"),
    )
    assert requests.get_runs(ORG, D, scan_forward=False).query == (
        ("scan_forward", "False"),
    )


def test_tokens_are_encoded_and_empty_ones_left_out():
    request = requests.get_runs(ORG, D, next_page_token="a+b/c==&x")
    assert request.url("").endswith("?next_page_token=a%2Bb%2Fc%3D%3D%26x")
    assert requests.get_runs(ORG, D, next_page_token="").query == ()
    assert requests.get_run_logs(ORG, D, R, next_token="").query == ()


def test_times_become_utc_seconds_rounded_outwards():
    tokyo = timezone(timedelta(hours=9))
    time = datetime(2024, 1, 2, 3, 4, 5, 1, tzinfo=tokyo)
    request = requests.get_run_logs(ORG, D, R, start_time=time, end_time=time)
    assert request.query == (
        ("start_time", "2024-01-01T18:04:05"),
        ("end_time", "2024-01-01T18:04:06"),
    )
    naive = datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001 - no zone means UTC
    request = requests.get_run_recent_logs(ORG, D, R, start_time=naive, end_time=naive)
    assert request.query == (
        ("start_time", "2024-01-02T03:04:05"),
        ("end_time", "2024-01-02T03:04:05"),
    )


def test_both_tokens_of_recent_logs_are_refused():
    with pytest.raises(InvalidInput, match="next_backward_token"):
        requests.get_run_recent_logs(
            ORG, D, R, next_forward_token="f", next_backward_token="b"
        )


def test_ids_stay_one_segment_and_empty_ones_are_refused():
    assert requests.get_run(ORG, D, "a/b c?d").path.endswith("/runs/a%2Fb%20c%3Fd")
    with pytest.raises(InvalidInput, match="names nothing"):
        requests.get_run(ORG, D, "")


# -- answers -----------------------------------------------------------------------

CREATED = {
    "run_id": R,
    "deployment_id": D,
    "status": "SUBMITTED",
    "model_version": "0.1.0",
    "model_version_id": "ver-00aa11bb22cc33dd",
    "models": {},
    "input_data": {"$datalake:1": "3000000000003/20240102T030405-0f0f"},
    "output_template": None,
    "retry_count": 0,
    "distribution": 4,
    "user_env_vars": {"CLIENT_SUBMIT_ID": "5b0c"},
    "created_at": "2024-01-02T03:10:00.123456Z",
    "modified_at": "2024-01-02T03:10:00.123456Z",
}


def test_a_run_is_decoded():
    run = decode(encode(CREATED), AbejaRun)
    assert (run.run_id, run.status, run.distribution) == (R, "SUBMITTED", 4)
    assert run.created_at == datetime(2024, 1, 2, 3, 10, 0, 123456, tzinfo=UTC)
    assert run.raw == CREATED
    assert "5b0c" not in repr(run)


def test_operators_may_be_json_text_and_fields_may_be_missing():
    text = json.dumps(CREATED["input_data"])
    run = structure({**CREATED, "input_data": text, "new": 1}, AbejaRun)
    assert run.input_data == CREATED["input_data"]
    assert structure({**CREATED, "input_data": "{"}, AbejaRun).input_data == "{"
    bare = structure({"run_id": R, "status": "NEW", "models": None}, AbejaRun)
    assert bare.status == "NEW"


def test_pages_are_decoded():
    page = structure({"entries": [CREATED], "next_page_token": "t"}, RunPage)
    assert page.entries[0].run_id == R
    assert structure({"entries": []}, RunPage).next_page_token is None
    event = {"message": "boot", "timestamp": "2024-01-02T03:10:05.000001Z"}
    logs = structure({"events": [event]}, RunLogs)
    assert (logs.events[0].message, logs.next_token) == ("boot", None)
    short = {**event, "timestamp": "2024-01-02T03:10:05Z"}
    tokens = {"next_forward_token": "f", "next_backward_token": "b"}
    assert structure({"events": [short], **tokens}, RecentLogs).events


def test_every_documented_status_is_known_and_others_are_kept():
    documented = "SUBMITTED PENDING RUNNABLE STARTING RUNNING SUCCEEDED FAILED"
    assert set(STATES) == set(documented.split())
    final = {text for text, state in STATES.items() if state.final}
    assert final == {"SUCCEEDED", "FAILED"}
    odd = status(D, RunRow(R, "PAUSED", NOON, NOON))
    assert (odd.state, odd.text, odd.ended) == (RunState.UNKNOWN, "PAUSED", None)
    done = status(D, RunRow(R, "FAILED", NOON, NOON))
    assert (done.state, done.ended) == (RunState.FAILED, NOON)


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error": "x", "error_description": "no"}', "no", "x"),
        (b'{"error": "x"}', "x", "x"),
        (
            b'{"error_description": "no", "error_detail": {"a": ["b"]}}',
            'no: {"a":["b"]}',
            None,
        ),
        (b"<html>", "<html>", None),
        (b"[1]", "[1]", None),
        (b'{"error": 1}', '{"error": 1}', None),
        (b"\xff", "\ufffd", None),
        (b"", "", None),
    ],
)
def test_error_bodies_never_fail(body, message, code):
    said = explain(Response(400, {}, body))
    assert (said.message, said.code) == (message, code)


# -- what a spec refuses, and keeps ------------------------------------------------


def client(**more):
    return Abeja(ORG, auth_token="secret-token", url="http://127.0.0.1:1", **more)


def test_a_spec_is_a_value():
    deployment = client().deployment(D)
    environment = {"A": "1"}
    spec = deployment.spec("ver-1", environment=environment, key="k")
    assert spec == deployment.spec("ver-1", environment={"A": "1"}, key="k")
    environment["A"] = "2"
    assert spec.payload["environment"] == {"A": "1"}
    assert MARKER not in spec.payload["environment"]
    assert "'A'" not in repr(spec)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InvalidInput) as caught:
        client().deployment(D).spec(
            "",
            input_data="[1]",
            output_template={"$datalake:1": 7},
            model_id="",
            environment={"1A": "x", "B": 7, "HANDLER": "x", MARKER: "x"},
            retry_count=10,
            distribution=True,
        )
    said = str(caught.value)
    for word in (
        "version_id",
        "input_data",
        "output_template",
        "model_id",
        "'1A'",
        "'B'",
        "HANDLER",
        MARKER,
        "0 to 9",
        "distribution",
    ):
        assert word in said


def test_the_marker_is_a_name_that_a_run_may_have():
    assert MARKER not in RESERVED
    body = requests.create_run(ORG, D, "ver-1", environment={MARKER: "k"}).json
    assert body["environment"] == {MARKER: "k"}
    with pytest.raises(InvalidInput, match="must be text"):
        requests.create_run(ORG, D, "ver-1", environment={1: "k"})


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names_are_refused(name):
    with pytest.raises(InvalidInput, match=name):
        client().deployment(D).spec("ver-1", environment={name: "x"})


@pytest.mark.parametrize(
    "values",
    [
        {"input_data": "{"},
        {"input_data": 3},
        {"environment": ["A"]},
        {"environment": {"A": None}},
        {"retry_count": -1},
        {"retry_count": True},
        {"retry_count": 1.0},
        {"key": " "},
    ],
)
def test_single_wrong_values_are_refused(values):
    with pytest.raises(InvalidInput):
        client().deployment(D).spec("ver-1", **values)


def test_handles_refuse_ids_that_name_nothing():
    with pytest.raises(InvalidInput, match="deployment id"):
        client().deployment("")
    with pytest.raises(InvalidInput, match="deployment id"):
        client().deployment(2000000000002)
    with pytest.raises(InvalidInput, match="run id"):
        client().deployment(D).run("")


# -- address and credentials -------------------------------------------------------

VARIABLES = (
    config.TOKEN_VARIABLE,
    *config.USER_VARIABLES,
    *config.DATASOURCE_VARIABLES,
    "ABEJA_API_URL",
    "ABEJA_ORGANIZATION_ID",
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


async def header(abeja):
    headers = await abeja.origin.auth.headers()
    return headers["Authorization"]


async def test_arguments_make_the_header():
    assert await header(Abeja(ORG, auth_token="t")) == "Bearer t"
    user = Abeja(ORG, user_id="1", personal_access_token="p")
    prefixed = Abeja(ORG, user_id="user-1", personal_access_token="p")
    assert await header(user) == await header(prefixed) == "Basic dXNlci0xOnA="
    source = Abeja(ORG, datasource_id="1", datasource_secret="s")
    prefixed = Abeja(ORG, datasource_id="datasource-1", datasource_secret="s")
    assert await header(source) == await header(prefixed)
    assert await header(source) == "Basic ZGF0YXNvdXJjZS0xOnM="
    both = Abeja(ORG, auth_token="t", user_id="1", personal_access_token="p")
    assert await header(both) == "Bearer t"


async def test_the_environment_is_asked_in_order(monkeypatch):
    monkeypatch.setenv("ABEJA_ORGANIZATION_ID", "org")
    monkeypatch.setenv("ABEJA_PLATFORM_DATASOURCE_ID", "1")
    monkeypatch.setenv("ABEJA_PLATFORM_DATASOURCE_SECRET", "s")
    assert await header(Abeja()) == "Basic ZGF0YXNvdXJjZS0xOnM="
    monkeypatch.setenv("ABEJA_PLATFORM_USER_ID", "1")
    # Half a pair does not hide a whole one.
    assert await header(Abeja()) == "Basic ZGF0YXNvdXJjZS0xOnM="
    monkeypatch.setenv("ABEJA_PLATFORM_PERSONAL_ACCESS_TOKEN", "p")
    assert await header(Abeja()) == "Basic dXNlci0xOnA="
    monkeypatch.setenv("PLATFORM_AUTH_TOKEN", "t")
    assert await header(Abeja()) == "Bearer t"
    assert await header(Abeja(auth_token="mine")) == "Bearer mine"
    assert Abeja().organization_id == "org"
    assert Abeja("other").organization_id == "other"


def test_an_argument_disables_the_environment(monkeypatch):
    monkeypatch.setenv("PLATFORM_AUTH_TOKEN", "t")
    with pytest.raises(MissingCredentials, match="without personal_access_token"):
        Abeja(ORG, user_id="1")
    with pytest.raises(MissingCredentials, match="auth_token of Abeja is empty"):
        Abeja(ORG, auth_token="")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("user_id", "personal_access_token"),
        ("personal_access_token", "user_id"),
        ("datasource_id", "datasource_secret"),
        ("datasource_secret", "datasource_id"),
    ],
)
def test_half_a_pair_names_the_missing_half(monkeypatch, given, missing):
    with pytest.raises(MissingCredentials, match=f"without {missing}"):
        Abeja(ORG, **{given: "x"})
    with pytest.raises(MissingCredentials, match=f"without {missing}"):
        Abeja(ORG, **{given: "x", "auth_token": "t"})
    names = dict(
        zip(
            ("user_id", "personal_access_token", "datasource_id", "datasource_secret"),
            (*config.USER_VARIABLES, *config.DATASOURCE_VARIABLES),
            strict=True,
        )
    )
    monkeypatch.setenv(names[given], "x")
    with pytest.raises(MissingCredentials, match=f"without {names[missing]}"):
        Abeja(ORG)


def test_missing_credentials_name_every_place_in_one_line():
    with pytest.raises(MissingCredentials) as caught:
        Abeja(ORG)
    said = str(caught.value)
    assert "\n" not in said
    for name in (*VARIABLES[:5], "auth_token", "user_id", "datasource_secret"):
        assert name in said
    with pytest.raises(MissingCredentials, match="ABEJA_ORGANIZATION_ID"):
        Abeja(auth_token="t")
    with pytest.raises(InvalidInput, match="organization_id"):
        Abeja(1000000000001, auth_token="t")


def test_a_credential_with_a_line_break_is_refused_unseen():
    with pytest.raises(MissingCredentials, match="line break") as caught:
        Abeja(ORG, auth_token="secret\nmore")
    assert "secret" not in str(caught.value)


def test_the_address_is_read_when_the_client_is_made(monkeypatch):
    assert Abeja(ORG, auth_token="t").origin.base_url == "https://api.abeja.io"
    monkeypatch.setenv("ABEJA_API_URL", "http://127.0.0.1:1/")
    assert Abeja(ORG, auth_token="t").origin.base_url == "http://127.0.0.1:1"
    named = Abeja(ORG, auth_token="t", url="http://127.0.0.1:2")
    assert named.origin.base_url == "http://127.0.0.1:2"
    with pytest.raises(InvalidInput, match="max_in_flight"):
        client(max_in_flight=0)


def test_no_secret_is_shown():
    abeja = client()
    for shown in (abeja, abeja.origin, abeja.origin.auth, abeja.runs):
        assert "secret-token" not in repr(shown)
    pair = config.Credentials("secret-a", ("u", "secret-b"), ("d", "secret-c"))
    assert "secret" not in repr(pair)


# -- the adapter against a scripted platform ---------------------------------------


class StillClock:
    """A clock that only the test moves."""

    def __init__(self):
        self.time = 1000.0

    def utc(self):
        # Local clocks may be very wrong: only differences count.
        return datetime.fromtimestamp(self.time, UTC)


@define
class StubSession:
    clock: StillClock


@define(slots=False)
class Platform:
    """Answers requests as the API documents it, and counts them."""

    rows: list = field(factory=list)  # (run id, status, created, marker), newest first
    page: int = 3
    asked: list = field(factory=list)
    fail: list = field(factory=list)
    session: StubSession = field(factory=lambda: StubSession(StillClock()))

    async def send(self, request):
        self.asked.append(request)
        if self.fail and (error := self.fail.pop(0)) is not None:
            raise error
        query = dict(request.query)
        name = request.path.removeprefix(RUNS).strip("/").split("/")
        if request.method == "POST":
            return structure(self._row(self.rows[0]), request.returns)
        if name == [""]:
            return structure(self._listing(query), request.returns)
        if len(name) == 1:
            for row in self.rows:
                if row[0] == name[0]:
                    return structure(self._row(row), request.returns)
            raise NotFound("404", None, 404)
        raise AssertionError(request.path)

    def _row(self, row):
        run_id, text, created, marker = row
        return {
            "run_id": run_id,
            "status": text,
            "created_at": created and created.isoformat(),
            "user_env_vars": {MARKER: marker} if marker else {},
        }

    def _listing(self, query):
        begin = int(query.get("next_page_token", 0))
        shown = self.rows[begin : begin + self.page]
        body = {"entries": [self._row(row) for row in shown]}
        if begin + self.page < len(self.rows):
            body["next_page_token"] = str(begin + self.page)
        return body

    @property
    def listings(self):
        return [r for r in self.asked if r.path == RUNS and r.method == "GET"]


def adapter(platform):
    return Adapter(platform, ORG)


def rows(count, since=NOON):
    """Rows of runs r0 (the oldest) to rN, newest first, a second apart."""
    made = [
        (f"r{n}", "RUNNING", since + timedelta(seconds=n), None) for n in range(count)
    ]
    return made[::-1]


def refs(*numbers):
    return [RunRef(D, f"r{n}") for n in numbers]


async def test_two_runs_are_read_singly_and_absent_ones_left_out():
    platform = Platform(rows(10))
    states = await adapter(platform).read_states(refs(3, 99), {})
    assert set(states) == set(refs(3))
    assert platform.listings == []
    assert len(platform.asked) == 2


async def test_many_runs_are_read_from_as_few_pages_as_show_them():
    platform = Platform(rows(30), page=10)
    states = await adapter(platform).read_states(refs(*range(15, 30)), {})
    assert set(states) == set(refs(*range(15, 30)))
    assert len(platform.asked) == len(platform.listings) == 2
    assert platform.asked[0].returns is StatePage


async def test_a_straggler_is_read_singly_after_a_fruitless_page():
    platform = Platform(rows(300), page=10)
    states = await adapter(platform).read_states(refs(0, *range(290, 300)), {})
    assert len(states) == 11
    assert len(platform.listings) == 2  # the fruitful one, and one in vain
    assert len(platform.asked) == 3


async def test_a_listing_that_cost_too_much_is_remembered_for_a_while():
    platform = Platform(rows(300), page=10)
    reader = adapter(platform)
    await reader.read_states(refs(0, 1, 2), {})
    assert len(platform.asked) == 6  # three pages in vain, three single reads
    counts = []
    for _ in range(5):
        platform.asked.clear()
        await reader.read_states(refs(0, 1, 2), {})
        counts.append(len(platform.asked))
    assert counts == [3, 3, 3, 3, 6]  # 6 fades to less than 3, then listing is retried


async def test_pages_are_never_more_than_runs():
    platform = Platform(rows(1000), page=1)
    wanted = refs(999, 997, 995, 993)
    await adapter(platform).read_states(wanted, {})
    assert len(platform.listings) <= len(wanted)


async def test_a_run_whose_word_is_the_same_is_not_made_anew():
    platform = Platform(rows(30), page=10)
    reader = adapter(platform)
    for wanted in (refs(*range(20)), refs(3)):  # from the listing, and singly
        platform.rows[26] = (platform.rows[26][0], "RUNNING", *platform.rows[26][2:])
        known = await reader.read_states(wanted, {})
        platform.rows[26] = (platform.rows[26][0], "FAILED", *platform.rows[26][2:])
        again = await reader.read_states(wanted, known)
        assert {ref for ref in known if again[ref] is not known[ref]} == set(refs(3))
        assert again[refs(3)[0]].state is RunState.FAILED


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"status": "RUNNING"}, "run_id"),
        ({"run_id": "r1"}, "status"),
        ({"run_id": ["r1"], "status": "RUNNING"}, "run_id"),
        ({"run_id": "r1", "status": 3}, "status"),
        ("r1", "object"),
        (None, "object"),
    ],
)
async def test_a_row_that_cannot_be_read_is_named(row, said):
    platform = Platform()
    platform._listing = lambda _: {"entries": [row]}
    with pytest.raises(Unreadable, match=said):
        await adapter(platform).read_states(refs(1, 2, 3), {})


async def test_a_run_that_moves_between_pages_is_taken_once():
    platform = Platform(rows(6), page=3)
    double = platform.rows[2]
    platform.rows.insert(3, (double[0], "SUCCEEDED", *double[2:]))
    states = await adapter(platform).read_states(refs(5, 4, 3, 2), {})
    assert states[RunRef(D, "r3")].state is RunState.SUCCEEDED


async def test_a_listing_that_is_not_found_leaves_runs_to_single_reads():
    platform = Platform(rows(3), fail=[NotFound("404", None, 404)])
    assert len(await adapter(platform).read_states(refs(0, 1, 2), {})) == 3


async def test_errors_of_single_reads_come_out_as_they_are():
    platform = Platform(rows(3), fail=[None, ServerFailure("500", None, 500)])
    with pytest.raises(ServerFailure):
        await adapter(platform).read_states(refs(0, 1), {})


async def test_a_page_token_that_repeats_is_an_error():
    platform = Platform(rows(30), page=0)
    platform.page = 0
    with pytest.raises(Unreadable, match="never end"):
        # The first page answers token "0", and so does the second.
        await adapter(platform).read_states(refs(1, 2, 3), {})


# -- create and find ---------------------------------------------------------------


def submission(key="k", platform=None):
    since = platform and platform.session.clock.utc()
    payload = {"version_id": "ver-1", "environment": {"A": "1"}}
    return Submission(D, payload, key, since)


async def test_create_adds_the_marker_and_keeps_the_payload():
    platform = Platform(rows(1))
    asked = submission()
    assert await adapter(platform).create(asked) == RunRef(D, "r0")
    sent = platform.asked[0].json
    assert sent["environment"] == {"A": "1", MARKER: "k"}
    assert asked.payload["environment"] == {"A": "1"}


def marked(platform, index, key="k"):
    platform.rows[index] = (*platform.rows[index][:3], key)


async def test_find_stops_at_rows_older_than_the_submission():
    platform = Platform(rows(1000), page=50)
    marked(platform, 0)
    found = await adapter(platform).find(submission(platform=platform))
    assert found == RunRef(D, "r999")
    # Rows are a second apart: seven pages of 50 go back beyond the margin.
    assert len(platform.asked) == 1 + MARGIN.seconds // 50
    assert platform.asked[0].returns is MarkedRows


async def test_find_counts_the_time_since_the_submission():
    platform = Platform(rows(1000), page=50)
    marked(platform, 400)  # created 400 s before the newest row
    asked = submission(platform=platform)
    platform.session.clock.time += 399
    assert await adapter(platform).find(asked) == RunRef(D, "r599")
    # 399 s and the margin of 300 s: row 700 is the first that is older.
    assert len(platform.asked) == 15


async def test_find_remembers_the_newest_time_of_the_server():
    platform = Platform(rows(1000), page=50)
    made = adapter(platform)
    await made.read_states(refs(999), {})
    asked = submission(platform=platform)
    platform.session.clock.time += 3600
    platform.rows = platform.rows[700:]  # nothing new: the rows are old by now
    platform.asked.clear()
    assert await made.find(asked) is None
    # The oldest rows of the first page are older than the submission and its margin.
    assert len(platform.asked) == 1


async def test_find_without_a_known_time_is_bounded_by_pages(caplog):
    platform = Platform(rows(3 * MOST_PAGES + 10), page=3)
    marked(platform, 30)
    with caplog.at_level(logging.WARNING, "aioruns"):
        found = await adapter(platform).find(submission())
    assert found == RunRef(D, platform.rows[30][0])
    assert len(platform.asked) == MOST_PAGES
    assert "and no more" in caplog.text


async def test_find_takes_the_oldest_of_two_and_says_so(caplog):
    platform = Platform(rows(10))
    marked(platform, 1)
    marked(platform, 4)
    with caplog.at_level(logging.WARNING, "aioruns"):
        found = await adapter(platform).find(submission(platform=platform))
    assert found == RunRef(D, "r5")
    assert "r8, r5" in caplog.text


async def test_find_says_none_when_nothing_carries_the_key():
    platform = Platform(rows(10))
    marked(platform, 1, "other")
    assert await adapter(platform).find(submission(platform=platform)) is None


async def test_cancel_is_not_supported():
    with pytest.raises(NotSupported, match="cancel"):
        await adapter(Platform()).cancel(RunRef(D, R))
