"""The retry policy, branch by branch: pure, so without a clock."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.errors import (
    NotSent,
    OutcomeUnknown,
    Rejected,
    TooManyRequests,
    Unreadable,
    rejection,
)
from aioruns.http.retry import RetryBudget, RetryPolicy, retry_after

POLICY = RetryPolicy(attempts=6, base=0.5, longest=20.0, longest_retry_after=120.0)


def pause(error, attempt=1, *, repeatable=True, drawn=0.5, policy=POLICY):
    return policy.pause(error, attempt, repeatable=repeatable, random=lambda: drawn)


def status(code, after=None):
    return rejection(code)("no", None, code, None, after)


# -- what may be repeated ----------------------------------------------------------


@pytest.mark.parametrize("error", [NotSent("x"), status(429)])
@pytest.mark.parametrize("repeatable", [True, False])
def test_what_was_not_done_may_always_be_sent_again(error, repeatable):
    assert pause(error, repeatable=repeatable) is not None


@pytest.mark.parametrize(
    "error",
    [
        OutcomeUnknown("x"),
        Unreadable("x"),
        *(status(code) for code in (408, 425, 500, 502, 503, 504)),
    ],
    ids=str,
)
def test_what_may_have_been_done_is_sent_again_only_if_that_is_harmless(error):
    assert pause(error, repeatable=True) is not None
    assert pause(error, repeatable=False) is None


@pytest.mark.parametrize("code", [300, 302, 400, 401, 403, 404, 409, 413, 422, 501])
def test_refusals_are_final(code):
    error = status(code) if code >= 400 else Rejected("no", None, code)
    assert pause(error, repeatable=True) is None


def test_the_last_attempt_is_the_last():
    assert pause(NotSent("x"), 5) is not None
    assert pause(NotSent("x"), 6) is None
    assert pause(NotSent("x"), 1, policy=RetryPolicy(attempts=1)) is None


# -- how long ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0)]
)
def test_pauses_are_drawn_below_a_bound_that_doubles(attempt, bound):
    assert pause(NotSent("x"), attempt, drawn=0.0) == 0.0
    assert pause(NotSent("x"), attempt, drawn=0.5) == bound / 2


def test_no_pause_is_longer_than_the_longest():
    patient = RetryPolicy(attempts=100)
    assert pause(NotSent("x"), 50, drawn=1.0, policy=patient) == patient.longest


def test_retry_after_is_a_floor():
    assert pause(status(429, 7.0), drawn=0.5) == 7.25
    assert pause(status(503, 7.0), drawn=0.0) == 7.0
    assert pause(status(429, 0.0), drawn=0.0) == 0.0
    assert pause(status(429, 120.0), drawn=0.0) == 120.0


def test_a_retry_after_beyond_the_cap_gives_up_at_once():
    assert pause(status(429, 120.1)) is None
    assert pause(status(503, float("inf"))) is None


# -- the header --------------------------------------------------------------------

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 3 ", 3.0),
        ("0.25", 0.25),
        ("-1", 0.0),
        ("Wed, 01 May 2024 12:00:30 GMT", 30.0),
        ("Wed, 01 May 2024 12:00:30 -0000", 30.0),
        ("Wed, 01 May 2024 14:00:30 +0200", 30.0),
        ("Wed, 01 May 2024 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("Wed, 99 May 2024 12:00:30 GMT", None),
    ],
)
def test_the_header_is_seconds_or_a_date(text, seconds):
    assert retry_after(text, NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_anything(text):
    seconds = retry_after(text, NOW)
    assert seconds is None or seconds >= 0.0


# -- the budget --------------------------------------------------------------------


def test_the_budget_is_spent_and_earned_back():
    budget = RetryBudget(size=2.0, refund=0.5)
    assert [budget.take(), budget.take(), budget.take()] == [True, True, False]
    budget.succeeded()
    assert not budget.take()
    budget.succeeded()
    assert budget.take()
    assert not budget.take()


def test_the_budget_never_grows_beyond_its_size():
    budget = RetryBudget(size=1.0, refund=5.0)
    budget.take()
    budget.succeeded()
    budget.succeeded()
    assert [budget.take(), budget.take()] == [True, False]


def test_a_rate_limit_is_recognised_by_its_class():
    assert isinstance(status(429), TooManyRequests)
