"""Nextmv without a socket: requests, answers, states, credentials, specs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from aioruns import Nextmv, RunState
from aioruns.errors import InvalidInput, MissingCredentials, SessionNotOpen
from aioruns.http.codec import DecodeError, decode
from aioruns.http.request import UNSET, FileSink, Request
from aioruns.platforms.nextmv import models, requests
from aioruns.platforms.nextmv.adapter import STATES
from aioruns.platforms.nextmv.config import DEFAULT_URL, Connection, resolve

APP = "/v1/applications/depot-routing"
RUN = f"{APP}/runs/staging-Qx7dK2pLm"
SIGNED = "https://files.example.org/out/abc?sig=1"
SINK = FileSink(Path("out.json"))


@pytest.fixture
def nextmv():
    return Nextmv("nxmv_example", url="http://127.0.0.1:1")


@pytest.fixture
def app(nextmv):
    return nextmv.application("depot-routing")


# -- requests (wire/nextmv.md 3) ---------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            requests.get_application("depot-routing"),
            Request("GET", APP, models.ApplicationRecord),
        ),
        (
            requests.new_application("depot-routing", "Depots"),
            Request(
                "POST",
                "/v1/applications",
                models.ApplicationRecord,
                json={"id": "depot-routing", "name": "Depots"},
                repeatable=False,
            ),
        ),
        (
            requests.new_run("depot-routing", b'{"input":null}', "staging"),
            Request(
                "POST",
                f"{APP}/runs",
                models.RunCreated,
                (("instance_id", "staging"),),
                body=b'{"input":null}',
                content_type="application/json",
                repeatable=False,
            ),
        ),
        (
            requests.new_run("depot-routing", b'{"input":{}}', None),
            Request(
                "POST",
                f"{APP}/runs",
                models.RunCreated,
                body=b'{"input":{}}',
                content_type="application/json",
                repeatable=False,
            ),
        ),
        (
            requests.upload_url("depot-routing"),
            Request("POST", f"{APP}/runs/uploadurl", models.UploadURL, repeatable=True),
        ),
        (
            requests.upload(SIGNED, b"data"),
            Request("PUT", body=b"data", presigned=SIGNED, repeatable=True),
        ),
        (
            requests.download(SIGNED, SINK, "application/json"),
            Request(
                "GET",
                content_type="application/json",
                sink=SINK,
                presigned=SIGNED,
                repeatable=True,
            ),
        ),
        (
            requests.list_runs("depot-routing", None),
            Request("GET", f"{APP}/runs", models.RunPage, (("pagereturn", "true"),)),
        ),
        (
            requests.list_runs("depot-routing", "eyJrIjoxfQ"),
            Request(
                "GET",
                f"{APP}/runs",
                models.RunPage,
                (("pagereturn", "true"), ("pagetoken", "eyJrIjoxfQ")),
            ),
        ),
        (
            requests.run_information("depot-routing", "staging-Qx7dK2pLm"),
            Request("GET", f"{RUN}/metadata", models.RunInformation),
        ),
        (
            requests.run_result("depot-routing", "staging-Qx7dK2pLm"),
            Request("GET", RUN, models.RunResult),
        ),
        (
            requests.run_result("depot-routing", "staging-Qx7dK2pLm", as_url=True),
            Request("GET", RUN, models.RunResult, (("format", "url"),)),
        ),
        (
            requests.run_part_url(
                "depot-routing", "staging-Qx7dK2pLm", "output", models.DownloadURL
            ),
            Request("GET", f"{RUN}/output", models.DownloadURL, (("format", "url"),)),
        ),
        (
            requests.live_logs("depot-routing", "staging-Qx7dK2pLm", None),
            Request("GET", f"{RUN}/logs/live", models.LiveLogPage),
        ),
        (
            requests.live_logs("depot-routing", "staging-Qx7dK2pLm", "c2Vn"),
            Request(
                "GET", f"{RUN}/logs/live", models.LiveLogPage, (("since", "c2Vn"),)
            ),
        ),
        (
            requests.cancel_run("depot-routing", "staging-Qx7dK2pLm"),
            Request("PATCH", f"{RUN}/cancel", repeatable=True),
        ),
        (
            requests.binary("depot-routing"),
            Request("GET", f"{APP}/binary", models.BinaryUrl),
        ),
        (
            requests.activate("depot-routing", {"executable_type": "python"}),
            Request(
                "PUT",
                f"{APP}/binary",
                json={"requirements": {"executable_type": "python"}},
                repeatable=True,
            ),
        ),
    ],
)
def test_requests_are_as_the_wire_document_says(made, expected):
    assert made == expected
    assert made.repeatable == expected.repeatable


def test_requests_without_a_body_have_none():
    assert requests.cancel_run("a", "b").json is UNSET
    assert requests.upload_url("a").json is UNSET
    assert requests.cancel_run("a", "b").body is None


@pytest.mark.parametrize(
    ("odd", "quoted"),
    [
        ("a/b", "a%2Fb"),
        ("r#1", "r%231"),
        ("r?x=1", "r%3Fx%3D1"),
        ("é %", "%C3%A9%20%25"),
    ],
)
def test_every_id_is_one_segment(odd, quoted):
    # wire/nextmv.md 7.4
    made = requests.run_information(odd, odd)
    assert made.path == f"/v1/applications/{quoted}/runs/{quoted}/metadata"


@pytest.mark.parametrize("id_", ["", ".", ".."])
def test_ids_that_name_nothing_are_refused(id_):
    for make in (
        lambda: requests.get_application(id_),
        lambda: requests.new_run(id_, b"{}", None),
        lambda: requests.run_information("app", id_),
        lambda: requests.cancel_run("app", id_),
        lambda: requests.run_result("app", id_),
    ):
        with pytest.raises(InvalidInput):
            make()


def test_a_signed_address_is_shown_nowhere():
    for made in (
        requests.upload(SIGNED, b"secret data"),
        requests.download(SIGNED, SINK, "application/json"),
    ):
        assert "abc" not in repr(made)
        assert "sig" not in repr(made)
        assert made.shown("https://api") == "https://files.example.org/(pre-signed)"
        assert made.url("https://api") == SIGNED
    url = models.UploadURL("up-1", SIGNED)
    assert "up-1" in repr(url)
    assert "sig" not in repr(url)
    assert "sig" not in repr(models.DownloadURL(SIGNED))
    assert "sig" not in repr(models.BinaryUrl(SIGNED))


# -- answers (wire/nextmv.md 9) ----------------------------------------------------

METADATA = {
    "id": "staging-Qx7dK2pLm",
    "name": "night-042",
    "description": "",
    "user_email": "dev@example.org",
    "metadata": {
        "application_id": "depot-routing",
        "application_instance_id": "staging",
        "application_version_id": "v3",
        "created_at": "2026-05-04T21:00:00.120Z",
        "initiated_at": "2026-05-04T21:00:02.007Z",
        "duration": 0,
        "error": "",
        "input_size": 25,
        "output_size": 0,
        "format": {"input": {"type": "json"}, "output": {"type": "json"}},
        "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},
        "execution_class": "6c9500mb870s",
        "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
        "options": {
            "active_options": {"threads": "4"},
            "options_summary": [{"name": "threads", "value": "4", "source": "run"}],
            "request_options": {"threads": "4"},
        },
        "status_v2": "running",
    },
}

LIVE = {
    "items": [
        {"timestamp": "2026-05-04T21:00:03.500Z", "log": "presolve done"},
        {"timestamp": "2026-05-04T21:00:04.100Z", "log": "incumbent 812.5"},
    ],
    "status_v2": "running",
    "next_page_token": "c2Vnbmq",
    "next_available_in_seconds": 2,
}

ROW = {
    "id": "staging-Qx7dK2pLm",
    "name": "night-042",
    "description": "",
    "user_email": "dev@example.org",
    "created_at": "2026-05-04T21:00:00.120Z",
    "application_id": "depot-routing",
    "application_instance_id": "staging",
    "application_version_id": "v3",
    "run_type": {"type": "standard"},
    "execution_class": "6c9500mb870s",
    "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
    "status_v2": "running",
    "experiment_id": "nightly-7",
}


def read(value, returns):
    return decode(json.dumps(value).encode(), returns)


def at(second, millisecond=0):
    return datetime(2026, 5, 4, 21, 0, second, millisecond * 1000, UTC)


def test_metadata():
    run = read(METADATA, models.RunInformation)
    assert run == models.RunInformation(
        "staging-Qx7dK2pLm",
        models.Metadata(
            status_v2="running",
            created_at=at(0, 120),
            initiated_at=at(2, 7),
            duration=0.0,
            error="",
            input_size=25.0,
            output_size=0.0,
            format=models.Format(
                models.FormatInput("json"), models.FormatOutput("json")
            ),
            application_id="depot-routing",
            application_instance_id="staging",
            application_version_id="v3",
            run_type=models.RunTypeConfiguration("standard", "", ""),
            execution_class="6c9500mb870s",
            runtime="ghcr.io/nextmv-io/runtime/python:3.11",
            options=models.RunOptions(
                {"threads": "4"},
                [models.OptionSummary("threads", "4", "run")],
                {"threads": "4"},
            ),
        ),
        "night-042",
        "",
        "dev@example.org",
    )
    assert run.raw == METADATA
    assert run.metadata.raw["execution_class"] == "6c9500mb870s"


def test_results():
    output = {
        "options": {"threads": 4},
        "solution": {"routes": []},
        "assets": [],
        "metrics": {"value": 812.5},
    }
    assert read(METADATA | {"output": output}, models.RunResult).output == output
    linked = read(METADATA | {"output": {"url": SIGNED}}, models.RunResult)
    assert linked.output == {"url": SIGNED}
    log = {"error": "exit status 1", "stdout": "", "stderr": "Traceback …"}
    failed = read(METADATA | {"error_log": log}, models.RunResult)
    assert failed.error_log == models.ErrorLog("exit status 1", "", "Traceback …")
    assert read({"url": SIGNED}, models.DownloadURL).url == SIGNED
    assert read({"run_id": "r-1"}, models.RunCreated) == models.RunCreated("r-1")


def test_live_logs():
    page = read(LIVE, models.LiveLogPage)
    assert page == models.LiveLogPage(
        [
            models.TimestampedRunLog(at(3, 500), "presolve done"),
            models.TimestampedRunLog(at(4, 100), "incumbent 812.5"),
        ],
        "running",
        "c2Vnbmq",
        2.0,
    )
    for empty in ({}, {"items": None}, {"items": [], "status_v2": "none"}):
        assert not read(empty, models.LiveLogPage).items


def test_nanoseconds_are_cut():
    # wire/nextmv.md 3.3.3
    item = {"timestamp": "2026-05-04T21:00:03.123456789Z", "log": "x"}
    expected = at(3) + timedelta(microseconds=123456)
    assert read(item, models.TimestampedRunLog).timestamp == expected


def test_list_pages():
    page = read({"runs": [ROW], "next_page_token": "eyJrIjoxfQ"}, models.RunPage)
    row = models.RunRow("staging-Qx7dK2pLm", "running", at(0, 120), "night-042", "")
    assert page == models.RunPage([row], "eyJrIjoxfQ")
    # wire/nextmv.md 2: an absent array is an empty page, an absent token the end.
    assert read({"runs": None, "next_page_token": None}, models.RunPage).runs is None
    assert read({}, models.RunPage) == models.RunPage(None, None)


def test_only_what_must_be_there_must_be_there():
    run = read({"id": "r", "metadata": {"status_v2": "new"}}, models.RunInformation)
    assert run.metadata.status_v2 == "new"
    assert run.metadata.created_at is None


@pytest.mark.parametrize(
    ("value", "returns", "place"),
    [
        ({"id": "r", "metadata": {}}, models.RunInformation, "$.metadata.status_v2"),
        ({"id": "r"}, models.RunInformation, "$.metadata"),
        ({"run_id": 7}, models.RunCreated, "$.run_id"),
        ({}, models.RunCreated, "$.run_id"),
        ({"items": [{"log": 1}]}, models.LiveLogPage, "$.items[0]"),
        ({"runs": [ROW, ROW | {"id": None}]}, models.RunPage, "$.runs[1].id"),
        ([], models.RunPage, "$"),
    ],
)
def test_answers_of_another_shape_name_the_place(value, returns, place):
    with pytest.raises(DecodeError) as caught:
        read(value, returns)
    assert place in str(caught.value)


def test_every_documented_status_has_a_state():
    # wire/nextmv.md 4.4, StatusV2
    assert dict(STATES) == {
        "none": RunState.QUEUED,
        "queued": RunState.QUEUED,
        "running": RunState.RUNNING,
        "succeeded": RunState.SUCCEEDED,
        "failed": RunState.FAILED,
        "canceled": RunState.CANCELED,
    }
    final = {text for text, state in STATES.items() if state.final}
    assert final == {"succeeded", "failed", "canceled"}


# -- address and key (wire/nextmv.md 1.3, 1.4) -------------------------------------

FILE = """\
apikey: key-top
endpoint: top.example.org
staging:
  apikey: key-staging
  endpoint: staging.example.org
tunnel:
  apikey: key-tunnel
  endpoint: http://127.0.0.1:8080
keyless:
  endpoint: keyless.example.org
nowhere:
  apikey: key-nowhere
browser:
  auth_type: pkce
  endpoint: browser.example.org
  team_id: team-7
"""

KEY, ENDPOINT, PROFILE = "NEXTMV_API_KEY", "NEXTMV_ENDPOINT", "NEXTMV_PROFILE"
TOP = ("https://top.example.org", "key-top")
STAGING = ("https://staging.example.org", "key-staging")


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(FILE, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        # The file's top level is the default profile.
        ({}, {}, TOP),
        ({"profile": "default"}, {}, TOP),
        ({"profile": "  "}, {}, TOP),
        ({"profile": None}, {PROFILE: " "}, TOP),
        # A named profile, and which name counts.
        ({"profile": "staging"}, {}, STAGING),
        ({"profile": " staging "}, {}, STAGING),
        ({}, {PROFILE: "staging"}, STAGING),
        ({"profile": "keyless"}, {PROFILE: "staging"}, STAGING),
        ({"profile": "staging"}, {PROFILE: "Default"}, TOP),
        ({"profile": "staging"}, {PROFILE: "  "}, STAGING),
        ({"profile": "tunnel"}, {}, ("http://127.0.0.1:8080", "key-tunnel")),
        # The key: argument, environment, file.
        ({"api_key": "arg"}, {}, (TOP[0], "arg")),
        ({"api_key": "arg"}, {KEY: "env"}, (TOP[0], "arg")),
        ({}, {KEY: "env"}, (TOP[0], "env")),
        ({"api_key": ""}, {KEY: "env"}, (TOP[0], "env")),
        ({"api_key": ""}, {KEY: ""}, TOP),
        ({"profile": "staging"}, {KEY: "env"}, (STAGING[0], "env")),
        ({"profile": "keyless"}, {KEY: "e"}, ("https://keyless.example.org", "e")),
        (
            {"profile": "keyless", "api_key": "a"},
            {},
            ("https://keyless.example.org", "a"),
        ),
        (
            {"profile": "browser", "api_key": "a"},
            {},
            ("https://browser.example.org", "a"),
        ),
        ({"api_key": " arg\n"}, {}, (TOP[0], "arg")),
        # The address: argument, environment, file.
        ({"url": "http://h:1"}, {}, ("http://h:1", "key-top")),
        ({"url": "h.example.org"}, {}, ("https://h.example.org", "key-top")),
        ({"url": "h:8443"}, {}, ("https://h:8443", "key-top")),
        ({"url": "http://h:1"}, {ENDPOINT: "env.org"}, ("http://h:1", "key-top")),
        ({}, {ENDPOINT: "env.org"}, ("https://env.org", "key-top")),
        ({}, {ENDPOINT: "http://env.org"}, ("http://env.org", "key-top")),
        ({"url": ""}, {ENDPOINT: ""}, TOP),
        ({"profile": "staging"}, {ENDPOINT: "e"}, ("https://e", "key-staging")),
        ({"profile": "nowhere", "url": "u"}, {}, ("https://u", "key-nowhere")),
        # With both, the file and its profiles do not matter.
        ({"api_key": "a", "url": "u", "profile": "absent"}, {}, ("https://u", "a")),
        ({"profile": "absent"}, {KEY: "e", ENDPOINT: "u"}, ("https://u", "e")),
    ],
)
def test_where_address_and_key_come_from(file, arguments, environ, expected):
    connection = resolve(**arguments, environ=environ, file=file)
    assert (connection.url, connection.api_key) == expected


@pytest.mark.parametrize("text", [None, "", "just text\n", "- a\n- list\n"])
def test_without_a_usable_file_the_platform_itself_is_meant(tmp_path, text):
    file = tmp_path / "config.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    connection = resolve("arg", environ={}, file=file)
    assert (connection.url, connection.api_key) == (DEFAULT_URL, "arg")
    assert DEFAULT_URL == "https://api.cloud.nextmv.io"


@pytest.mark.parametrize(
    ("arguments", "environ", "profile"),
    [
        ({}, {}, "the top level"),
        ({"api_key": "  "}, {}, "the top level"),
        ({"api_key": ""}, {KEY: "\t"}, "the top level"),
        ({}, {KEY: " "}, "the top level"),
        ({"profile": "keyless"}, {}, "the profile keyless"),
    ],
)
def test_without_a_key_the_message_names_the_three_places(
    tmp_path, arguments, environ, profile
):
    file = tmp_path / "config.yaml"
    file.write_text("keyless: {endpoint: k.example.org}\n", encoding="utf-8")
    with pytest.raises(MissingCredentials) as caught:
        resolve(**arguments, environ=environ, file=file)
    text = str(caught.value)
    assert "api_key" in text
    assert "NEXTMV_API_KEY" in text
    assert f"{profile} of {file}" in text
    assert "\n" not in text


@pytest.mark.parametrize("key", ["nxmv_a\nb", "nxmv_\u00e4", "nxmv_\x00"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key):
    with pytest.raises(MissingCredentials, match="cannot be sent") as caught:
        resolve(key, "h", environ={})
    assert "nxmv" not in str(caught.value)


@pytest.mark.parametrize("arguments", [{}, {"api_key": "arg"}, {"url": "http://h"}])
def test_a_profile_that_is_not_there_is_named(file, arguments):
    # An explicit key does not help: the address would be another one than was meant.
    with pytest.raises(InvalidInput, match=r"'absent' is not in .*config\.yaml"):
        resolve(**arguments, profile="absent", environ={}, file=file)


@pytest.mark.parametrize("arguments", [{}, {"api_key": "arg"}])
def test_a_named_profile_without_address_is_an_error(file, arguments):
    # Otherwise the key of a private installation would be sent to the public one.
    with pytest.raises(InvalidInput, match=r"'nowhere' .* has no endpoint"):
        resolve(**arguments, profile="nowhere", environ={}, file=file)


def browser_login(file, tokens):
    place = file.parent / "auth" / "default"
    place.mkdir(parents=True)
    (place / "tokens.json").write_text(tokens)


def test_a_login_through_the_browser_is_used_while_it_is_valid(file):
    """wire/nextmv.md 1.5: the id token is what is sent."""
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    browser_login(
        file, json.dumps({"id_token": "t-1", "access_token": "x", "expires_at": later})
    )

    got = resolve(profile="browser", environ={}, file=file)

    assert got == Connection("https://browser.example.org", "t-1", "team-7")
    assert "t-1" not in repr(got)
    explicit = resolve("key", profile="browser", environ={}, file=file)
    assert (explicit.api_key, explicit.account) == ("key", None)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (None, "holds no login that can be read"),
        ("not json", "holds no login that can be read"),
        ("[]", "holds no login that can be read"),
        ('{"id_token": ""}', "holds no login that can be read"),
        ('{"id_token": "t-1", "expires_at": "2020-01-01T00:00:00"}', "has expired"),
        ('{"id_token": "t-1", "expires_at": "soon"}', "holds no login"),
    ],
)
def test_a_login_through_the_browser_that_cannot_be_used_is_named(file, tokens, said):
    if tokens is not None:
        browser_login(file, tokens)

    with pytest.raises(MissingCredentials, match=r"profile browser .* \(pkce\)") as got:
        resolve(profile="browser", environ={}, file=file)

    assert said in str(got.value)
    assert "official command-line tool" in str(got.value)
    assert "t-1" not in str(got.value)


async def test_a_login_through_the_browser_names_its_team(monkeypatch):
    login = Connection("https://browser.example.org", "t-1", "team-7")
    monkeypatch.setattr("aioruns.platforms.nextmv.client.resolve", lambda *_: login)

    headers = await Nextmv().origin.auth.headers()

    assert headers == {"Authorization": "Bearer t-1", "nextmv-account": "team-7"}


@pytest.mark.parametrize(
    "content",
    [
        b'apikey: "nxmv_secret\nendpoint: x\n',
        b"apikey: nxmv_secret: more\n",
        b"apikey: nxmv_secret\n  bad: [indentation\n",
        b"apikey: nxmv_secret \xff\xfe\n",
        b"endpoint: [1]\napikey: nxmv_secret\n",
    ],
)
def test_a_broken_file_is_named_and_its_text_kept_to_itself(tmp_path, content):
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        resolve(environ={}, file=file)
    error = caught.value
    assert str(file) in str(error)
    shown = "".join(
        str(one) for one in (error, error.__cause__, error.__context__) if one
    )
    assert "secret" not in shown or error.__suppress_context__
    assert "secret" not in str(error) + str(error.__cause__)


def test_the_client_reads_environment_and_home(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in (KEY, ENDPOINT, PROFILE):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingCredentials, match=r"\.nextmv/config\.yaml"):
        Nextmv()
    (tmp_path / ".nextmv").mkdir()
    (tmp_path / ".nextmv" / "config.yaml").write_text(FILE, encoding="utf-8")
    assert Nextmv().origin.base_url == TOP[0]
    assert Nextmv(profile="staging").origin.base_url == STAGING[0]
    monkeypatch.setenv(PROFILE, "staging")
    monkeypatch.setenv(KEY, "env")
    nextmv = Nextmv()
    assert nextmv.origin.base_url == STAGING[0]
    assert nextmv.origin.auth.values == {"Authorization": "Bearer env"}


def test_no_repr_holds_the_key(nextmv, app, file):
    spec = app.spec({"secret": "data"})
    things = (
        nextmv,
        nextmv.origin,
        nextmv.runs,
        app,
        spec,
        app.run("r-1"),
        resolve(environ={}, file=file),
    )
    for thing in things:
        for text in (repr(thing), str(thing)):
            assert "nxmv_example" not in text
            assert "key-top" not in text
    assert "data" not in repr(spec)


@pytest.mark.parametrize(
    "url", ["ftp://h", "https://", "https://u:pw@h", "http://h?x=1"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(InvalidInput) as caught:
        Nextmv("k", url=url)
    assert "pw" not in str(caught.value)


# -- specs (wire/nextmv.md 3.3.1) --------------------------------------------------


def body(spec):
    return spec.payload["body"]


def formats(kind):
    return {"format": {"input": {"type": kind}, "output": {"type": "json"}}}


def test_what_a_spec_sends(app):
    spec = app.spec(
        {"stops": [{"id": "s1"}]},
        options={"solve.duration": "10s", "threads": 4},
        name="night-042",
        description="nightly",
        instance_id="staging",
        key="sweep-1",
    )
    assert (spec.platform, spec.target, spec.key) == (
        "nextmv",
        "depot-routing",
        "sweep-1",
    )
    assert spec.payload == {
        "body": {
            "input": {"stops": [{"id": "s1"}]},
            "name": "night-042",
            "description": "nightly",
            "options": {"solve.duration": "10s", "threads": "4"},
            "configuration": formats("json"),
        },
        "instance_id": "staging",
    }


def test_what_is_not_given_is_not_sent(app):
    spec = app.spec()
    assert spec.payload == {
        "body": {"input": None, "configuration": formats("json")},
        "instance_id": None,
    }
    assert spec.key is None
    assert "options" not in body(app.spec({}, options={}))
    assert body(app.spec({}, name=""))["name"] == ""


def test_the_format_follows_the_input_unless_given(app):
    assert body(app.spec("text"))["configuration"] == formats("text")
    assert body(app.spec([1]))["configuration"] == formats("json")
    given = {"queuing": {"priority": 1}}
    assert body(app.spec("text", configuration=given))["configuration"] == given
    assert body(app.spec({}, configuration={}))["configuration"] == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10s", "10s"),
        ("", ""),
        ('"quoted"', '"quoted"'),
        (1, "1"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (1.5, "1.5"),
        ([1, 2], "[1,2]"),
        ({"a": 1}, '{"a":1}'),
    ],
)
def test_options_become_text(app, value, text):
    assert body(app.spec({}, options={"o": value}))["options"] == {"o": text}


def test_specs_are_values(nextmv, app):
    def make():
        return app.spec({"n": [1, 2]}, options={"seed": 1}, name="a", key="k")

    assert make() == make()
    again = nextmv.application("depot-routing")
    assert again.spec({"n": [1, 2]}, options={"seed": "1"}, name="a", key="k") == make()
    assert make() != app.spec({"n": [1, 3]}, options={"seed": 1}, name="a", key="k")
    assert make() != replace(make(), key="other")
    assert make() != nextmv.application("x").spec({"n": [1, 2]}, name="a", key="k")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"input": {1, 2}}, "not set"),
        ({"input": 5}, "not int"),
        ({"input": b"bytes"}, "not bytes"),
        ({"input": bytearray(b"b")}, "not bytearray"),
        ({"input": object()}, "not object"),
        ({"input": {"deep": [{"er": object()}]}}, "JSON.*object"),
        ({"input": {"s": {1}}}, "JSON.*set"),
        ({"input": {1: "number"}}, "JSON"),
        ({"input": {"n": 2**70}}, "JSON"),
        ({"input": {"n": float("nan")}}, "JSON"),
        ({"input": {"n": [1.0, float("-inf")]}}, "JSON"),
        ({"input": "\ud800"}, "JSON"),
        ({"name": "x" * 129}, "name must be text of at most 128"),
        ({"name": 5}, "name must be text"),
        ({"description": "x" * 181}, "description must be text of at most 180"),
        ({"options": {"": "x"}}, "option's name"),
        ({"options": {5: "x"}}, "option's name"),
        ({"options": {"o": object()}}, "option 'o' cannot be sent"),
        ({"options": {"o": {1}}}, "option 'o' cannot be sent"),
        ({"options": {"o": float("nan")}}, "option 'o' cannot be sent"),
        ({"options": ["o"]}, "options must be a mapping"),
        ({"options": "o=1"}, "options must be a mapping"),
        ({"configuration": "json"}, "configuration must be a mapping"),
        ({"configuration": {"x": object()}}, "JSON"),
        ({"instance_id": ""}, "instance_id"),
        ({"instance_id": 3}, "instance_id"),
        ({"key": ""}, "key"),
        ({"key": "x" * 65}, "key"),
        ({"key": "a]b"}, "key"),
        ({"key": "[a"}, "key"),
        ({"key": "naïve"}, "key"),
        ({"key": "two\nlines"}, "key"),
        ({"key": " a"}, "key"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    app, arguments, said
):
    with pytest.raises(InvalidInput, match=said) as caught:
        app.spec(**arguments)
    assert "\n" not in str(caught.value)
    # The client is not open, so anything that went further would end otherwise.
    with pytest.raises(InvalidInput, match=said):
        await app.submit(**arguments)


async def test_a_good_spec_goes_as_far_as_the_session(app):
    with pytest.raises(SessionNotOpen):
        await app.submit({})


def test_the_longest_texts_and_the_key_fit_the_platform(app):
    # wire/nextmv.md 8.2: 256 characters of description, of which the key takes 67.
    longest = app.spec({}, name="x" * 128, description="y" * 180, key="k" * 64)
    assert len(body(longest)["description"]) + len(f" [{longest.key}]") <= 256


def test_an_application_and_a_run_need_an_id(nextmv, app):
    with pytest.raises(InvalidInput, match="application id"):
        nextmv.application("")
    with pytest.raises(InvalidInput, match="run id"):
        app.run("")
