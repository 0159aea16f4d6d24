"""Sweeps that go on where an earlier process left them."""

import anyio
import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.batch import as_completed, gather, submit_all
from aioruns.errors import (
    BadRequest,
    JournalLocked,
    OutcomeUnknown,
)
from aioruns.seam import RunState


@pytest.fixture
def platform():
    return FakePlatform()


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "sweep.db"


def specs_of(platform, count=10):
    return [platform.spec(payload={"seed": n}) for n in range(count)]


async def test_the_same_sweep_again_asks_for_no_run_again(platform, journal):
    first = await gather(specs_of(platform), journal=journal)
    platform.calls.clear()
    again = await gather(specs_of(platform), journal=journal)
    assert platform.calls["create"] == platform.calls["find"] == 0
    assert platform.calls["read_states"] == 0
    assert [one.run.id for one in again] == [one.run.id for one in first]
    assert [one.key for one in again] == [one.key for one in first]
    assert [one.result for one in again] == [one.result for one in first]
    assert [one.finished for one in again] == [one.finished for one in first]
    assert all(outcome.succeeded for outcome in again)


async def test_what_was_submitted_is_taken_up(platform, journal):
    platform.life = (1000.0, RunState.SUCCEEDED)
    submitted = anyio.Semaphore(0)
    async with as_completed(
        specs_of(platform),
        journal=journal,
        max_active=4,
        on_submitted=lambda _: submitted.release(),
    ):
        for _ in range(4):
            await submitted.acquire()
    outcomes = await gather(specs_of(platform), journal=journal)
    assert platform.calls["create"] == 10
    assert platform.calls["find"] == 0
    assert all(outcome.succeeded for outcome in outcomes)
    assert len({outcome.run.id for outcome in outcomes}) == 10


async def test_what_was_being_submitted_is_looked_up(platform, journal, monkeypatch):
    """Two processes that die with a request under way: before and after it arrived."""
    monkeypatch.setattr("aioruns.sweeps.conducting.SETTLE", 0.0)

    class Died(BaseException):
        pass

    def arrived_and_died():
        platform.create_now(platform.submission)
        raise Died

    def died():
        raise Died

    create = platform.create

    async def remember(submission):
        platform.submission = submission
        return await create(submission)

    platform.create = remember
    for plan in (arrived_and_died, died):
        platform.plans["create"] = [plan]
        with pytest.raises(Died):
            await gather(specs_of(platform, 3), journal=journal, max_active=1)
    outcomes = await gather(specs_of(platform, 3), journal=journal)
    assert all(outcome.succeeded for outcome in outcomes)
    assert len(platform.known) == 3
    assert platform.calls["find"] >= 2


async def test_a_spec_that_was_refused_is_submitted_again(platform, journal):
    platform.plans["create"] = [failing(BadRequest("no", None, 400))]
    (refused,) = await gather(specs_of(platform, 1), journal=journal)
    assert isinstance(refused.error, BadRequest)
    (outcome,) = await gather(specs_of(platform, 1), journal=journal)
    assert outcome.succeeded
    assert outcome.key == refused.key


async def test_a_submission_in_doubt_stays_one(platform, journal):
    def arrive_and_fail():
        platform.create_now(submissions[-1])
        raise OutcomeUnknown("lost")

    create, submissions = platform.create, []

    async def remember(submission):
        submissions.append(submission)
        return await create(submission)

    platform.create = remember
    platform.plans["create"] = [arrive_and_fail]
    platform.plans["find"] = [failing(OutcomeUnknown("lost"))] * 8
    (doubtful,) = await gather(specs_of(platform, 1), journal=journal)
    assert isinstance(doubtful.error, OutcomeUnknown)
    (outcome,) = await gather(specs_of(platform, 1), journal=journal)
    assert outcome.succeeded
    assert len(platform.known) == 1


async def test_attempts_are_kept(platform, journal):
    platform.life = (5.0, RunState.FAILED)
    (first,) = await gather(specs_of(platform, 1), journal=journal, retry_failed=1)
    assert first.attempts == 2
    (same,) = await gather(specs_of(platform, 1), journal=journal, retry_failed=1)
    assert same.state is RunState.FAILED
    assert [one.key for one in same.earlier] == [one.key for one in first.earlier]
    assert [one.run.id for one in same.earlier] == ["run-1"]
    platform.life = (5.0, RunState.SUCCEEDED)
    (outcome,) = await gather(specs_of(platform, 1), journal=journal, retry_failed=2)
    assert outcome.succeeded
    assert outcome.attempts == 3
    assert len({*(one.key for one in outcome.earlier), outcome.key}) == 3
    assert platform.calls["create"] == 3


async def test_equal_and_changed_specs(platform, journal):
    same = [platform.spec(payload={"a": 1}) for _ in range(3)]
    outcomes = await gather(same, journal=journal)
    assert len({outcome.run.id for outcome in outcomes}) == 3
    more = [platform.spec(payload={"a": 1}) for _ in range(4)]
    changed = platform.spec(payload={"a": 2})
    await gather([*more, changed], journal=journal)
    assert platform.calls["create"] == 5


async def test_two_journals_are_two_sweeps(platform, tmp_path):
    for name in ("a.db", "b.db"):
        await gather(specs_of(platform, 3), journal=tmp_path / name)
    assert len({submission.key for submission in platform.creations}) == 6


async def test_two_sweeps_on_one_journal(platform, journal):
    platform.life = (1000.0, RunState.SUCCEEDED)
    async with as_completed(specs_of(platform), journal=journal):
        with pytest.raises(JournalLocked, match=r"sweep\.db"):
            await gather(specs_of(platform), journal=journal)
    assert len({submission.key for submission in platform.creations}) <= 10


async def test_submitted_now_and_followed_later(platform, journal):
    runs = await submit_all(specs_of(platform, 5), journal=journal)
    outcomes = await gather(specs_of(platform, 5), journal=journal)
    assert [outcome.run.id for outcome in outcomes] == [run.id for run in runs]
    assert platform.calls["create"] == 5


async def test_no_secret_reaches_the_journal(platform, journal):
    platform.plans["create"] = [failing(BadRequest("refused", None, 400))]
    spec = platform.spec(payload={"password": "hunter2-payload"})
    other = platform.spec(payload={"password": "hunter2-other"})
    outcomes = await gather([spec, other], journal=journal)
    assert [outcome.succeeded for outcome in outcomes].count(True) == 1
    content = b"".join(file.read_bytes() for file in journal.parent.iterdir())
    assert b"hunter2" not in content
    assert outcomes[1].run.id.encode() in content or outcomes[0].run is not None
