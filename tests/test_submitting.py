"""A submission makes one run, whatever happens to its answer."""

import pytest
from tests.fake_platform import FakePlatform, failing

from aioruns.errors import (
    BadRequest,
    Forbidden,
    GaveUp,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    ServerFailure,
    TooManyRequests,
    Unreadable,
)
from aioruns.submitting import TRIES, new_key

DOUBTS = [
    OutcomeUnknown("the connection broke"),
    ServerFailure("502", None, 502),
    Unreadable("a login page"),
]


@pytest.fixture
def platform():
    return FakePlatform()


def acting(platform, error):
    """A plan: the server acts, and its answer is lost."""

    def plan():
        platform.create_now(submission_of(platform))
        raise error

    return plan


def submission_of(platform):
    return platform.trying[-1]


@pytest.fixture(autouse=True)
def _remember(platform):
    """What is being created, for plans that act."""
    platform.trying = []
    create = platform.create

    async def remember(submission):
        platform.trying.append(submission)
        return await create(submission)

    platform.create = remember


async def test_nothing_is_looked_for_when_all_goes_well(platform):
    run = await platform.spec("k", payload={"a": 1}).submit()
    assert (run.key, run.target) == ("k", "t")
    assert platform.calls == {"create": 1}
    (submission,) = platform.creations
    assert (submission.key, submission.payload) == ("k", {"a": 1})


@pytest.mark.parametrize(
    "error",
    [
        NotSent("no connection"),
        TooManyRequests("429", None, 429),
        BadRequest("400", None, 400),
        Forbidden("403", None, 403),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_cannot_have_acted_is_raised(platform, error):
    platform.plans["create"] = [failing(error)]
    with pytest.raises(type(error)):
        await platform.spec().submit()
    assert platform.calls == {"create": 1}


async def test_a_call_that_gave_up_before_it_was_sent(platform):
    error = GaveUp("deadline")
    error.maybe_acted = False

    def plan():
        raise error

    platform.plans["create"] = [plan]
    with pytest.raises(GaveUp):
        await platform.spec().submit()
    assert platform.calls == {"create": 1}


@pytest.mark.parametrize("error", DOUBTS, ids=lambda error: type(error).__name__)
async def test_a_run_whose_answer_was_lost_is_found(platform, error):
    platform.plans["create"] = [acting(platform, error)]
    run = await platform.spec("k").submit()
    assert run.id == "run-1"
    assert platform.calls == {"create": 1, "find": 1}


@pytest.mark.parametrize("error", DOUBTS, ids=lambda error: type(error).__name__)
async def test_a_run_that_was_not_created_is_created_once_more(platform, error):
    platform.plans["create"] = [failing(error)]
    run = await platform.spec("k").submit()
    assert [submission.key for submission in platform.trying] == ["k", "k"]
    assert len(platform.creations) == 1
    assert run.id == "run-1"
    looks = 1 + len(platform.abilities.settle)
    assert platform.calls == {"create": 2, "find": looks}
    first, second = platform.moments["create"]
    assert second - first >= sum(platform.abilities.settle)


async def test_a_run_that_lists_show_late(platform):
    def plan():
        ref = platform.create_now(submission_of(platform))
        platform.known[ref].shown = platform.clock.now() + 2.5
        raise OutcomeUnknown("lost")

    platform.plans["create"] = [plan]
    await platform.spec("k").submit()
    assert platform.calls == {"create": 1, "find": 4}
    assert len(platform.creations) == 1


async def test_each_look_is_later_than_the_one_before(platform):
    platform.plans["create"] = [failing(OutcomeUnknown("lost"))]
    await platform.spec("k").submit()
    assert platform.gaps("find") == pytest.approx([0.51, 1.51, 3.01])


async def test_a_submission_that_stays_in_doubt_ends_with_its_error(platform):
    platform.plans["create"] = [failing(ServerFailure("500", None, 500))] * 99
    with pytest.raises(ServerFailure):
        await platform.spec("k").submit()
    assert platform.calls["create"] == TRIES
    assert platform.calls["find"] == TRIES * 4  # the last one too may have acted


async def test_a_server_that_is_done_with_a_request_is_not_asked_again(platform):
    """It is looked for once, since the server may have acted before it failed."""
    error = ServerFailure("500 no such pipeline", None, 500)
    error.conclusive = True

    def refuse():
        raise error

    platform.plans["create"] = [refuse]
    with pytest.raises(ServerFailure, match="no such pipeline") as caught:
        await platform.spec("k").submit()
    assert caught.value.maybe_acted
    assert platform.calls == {"create": 1, "find": 1 + len(platform.abilities.settle)}
    platform.plans["create"] = [acting(platform, error)]
    assert (await platform.spec("k2").submit()).id == "run-1"


async def test_a_platform_that_finds_nothing_sends_once():
    platform = FakePlatform(finds=False)
    platform.plans["create"] = [failing(ServerFailure("500", None, 500))]
    with pytest.raises(OutcomeUnknown, match="no way to find it") as caught:
        await platform.spec("k").submit()
    assert "k" in str(caught.value)
    assert platform.calls == {"create": 1}


async def test_a_look_that_fails_is_repeated(platform):
    platform.plans["create"] = [acting(platform, OutcomeUnknown("lost"))]
    platform.plans["find"] = [failing(ServerFailure("503", None, 503))]
    run = await platform.spec("k").submit()
    assert run.id == "run-1"
    assert platform.calls == {"create": 1, "find": 2}


async def test_without_a_look_nothing_is_sent_again(platform):
    """And a failed look does not claim that nothing was sent."""
    platform.plans["create"] = [acting(platform, OutcomeUnknown("lost"))]
    platform.plans["find"] = [failing(NotSent("no connection"))] * 99
    with pytest.raises(OutcomeUnknown, match="could not be looked for"):
        await platform.spec("k").submit()
    assert platform.calls["create"] == 1


async def test_a_repetition_that_is_refused_because_of_the_first(platform):
    """The first attempt acts so late that all looks miss it."""

    def refuse():
        platform.create_now(submission_of(platform))
        raise BadRequest("another run is active", None, 400)

    platform.plans["create"] = [failing(OutcomeUnknown("lost")), refuse]
    run = await platform.spec("k").submit()
    assert run.id == "run-1"
    assert platform.calls["create"] == 2


async def test_a_repetition_that_is_refused_by_itself(platform):
    refusal = failing(BadRequest("no such thing", None, 400))
    platform.plans["create"] = [failing(OutcomeUnknown("lost")), refusal]
    with pytest.raises(BadRequest):
        await platform.spec("k").submit()
    assert platform.calls["create"] == 2
    assert platform.creations == []


def test_keys_are_new_every_time():
    assert len({new_key() for _ in range(1000)}) == 1000


async def test_a_spec_without_a_key_gets_a_new_one_each_time(platform):
    spec = platform.spec()
    first, second = await spec.submit(), await spec.submit()
    assert first.key != second.key


@pytest.mark.parametrize("key", ["", " ", "a[b]", "x" * 65, "\u00e9", "a\nb"])
def test_keys_that_platforms_could_not_carry(platform, key):
    with pytest.raises(InvalidInput, match="submission key"):
        platform.spec(key)
