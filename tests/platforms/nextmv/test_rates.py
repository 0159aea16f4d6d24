"""The rates that Nextmv Cloud documents (wire/nextmv.md 1.10)."""

import math

import pytest
from tests.fakes import FakeClock
from tests.platforms.nextmv.recording import RecordingNextmv

from aioruns import Nextmv, Session
from aioruns.errors import InvalidInput
from aioruns.http.gate import Pace


@pytest.mark.parametrize(
    "url", [None, "api.cloud.nextmv.io", "https://API.cloud.nextmv.io/"]
)
def test_the_public_cloud_has_the_documented_rates(url, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NEXTMV_ENDPOINT", raising=False)
    nextmv = Nextmv("k", url=url)
    assert nextmv.submissions.per_second == 5
    assert nextmv.origin.gate.pace.per_second == pytest.approx(2000 / 60)


def test_other_places_have_no_rates():
    nextmv = Nextmv("k", url="http://127.0.0.1:1")
    assert nextmv.submissions is None
    assert nextmv.origin.gate.pace is None


def test_rates_can_be_given_and_taken_away():
    nextmv = Nextmv(
        "k",
        url="http://127.0.0.1:1",
        submissions_per_second=2,
        requests_per_minute=30,
    )
    assert nextmv.submissions.per_second == 2
    assert nextmv.origin.gate.pace.per_second == 0.5
    nextmv = Nextmv(
        "k",
        url="api.cloud.nextmv.io",
        submissions_per_second=math.inf,
        requests_per_minute=math.inf,
    )
    assert nextmv.submissions is None
    assert nextmv.origin.gate.pace is None


@pytest.mark.parametrize("rate", [0, -1, math.nan])
@pytest.mark.parametrize("name", ["submissions_per_second", "requests_per_minute"])
def test_a_rate_must_let_something_pass(name, rate):
    with pytest.raises(InvalidInput, match=name):
        Nextmv("k", url="http://127.0.0.1:1", **{name: rate})


async def test_submissions_wait_for_their_turn_and_uploads_do_not():
    clock = FakeClock()
    nextmv = RecordingNextmv()
    nextmv.submissions = Pace(5, clock)
    app = nextmv.application("routing")
    began = clock.now()
    await app.uploads.upload_content({})
    await app.new_run({})
    await app.submit("text")
    assert clock.now() - began == pytest.approx(0.2)
    await app.new_run({})
    assert clock.now() - began == pytest.approx(0.4)


def test_rates_take_their_time_from_the_session():
    clock = FakeClock()
    nextmv = Nextmv("k", url="api.cloud.nextmv.io", session=Session(clock=clock))
    assert nextmv.submissions.clock is clock
    assert nextmv.origin.gate.pace.clock is clock
