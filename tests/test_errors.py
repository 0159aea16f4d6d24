"""The errors say what the server may have done, and survive pickling."""

import copy
import copyreg
import pickle
import re

import pytest

from aioruns import errors
from aioruns.errors import (
    AiorunsError,
    CallError,
    Context,
    GaveUp,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    Rejected,
    RunFailed,
    ServerFailure,
    SubmissionsFailed,
    TooManyRequests,
    Unreadable,
    rejection,
)

CONTEXT = Context(
    platform="abeja",
    method="GET",
    url="https://api.example/runs",
    attempts=3,
    elapsed=1.25,
    queued=0.5,
    request_id="req-1",
    excerpt="<html>",
    cursor="abc",
)


def every_class():
    found = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, AiorunsError)
    ]
    # The tree at the top of the file shows them all.
    tree = re.compile(r"^ {4}[│ ]*(?:├── |└── )?([A-Z]\w+)", re.MULTILINE)
    drawn = tree.findall(errors.__doc__)
    assert {kind.__name__ for kind in found} == set(drawn)
    return found


def pickled(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes of our own


def made(kind):
    if issubclass(kind, Rejected):
        return kind("no", CONTEXT, 418, "teapot", 2.5)
    if issubclass(kind, CallError):
        return kind("no", CONTEXT)
    if kind is RunFailed:
        return kind("run-1", "failed", "out of memory")
    if kind is SubmissionsFailed:
        return kind(("cursor",), (("key", "text"),))
    return kind("no")


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("again", [copy.copy, pickled])
def test_every_error_survives_copying_and_pickling(kind, again):
    error = made(kind)
    twin = again(error)
    assert type(twin) is kind
    assert str(twin) == str(error)
    assert twin.args == error.args
    assert vars(twin) == vars(error)


def test_what_was_noted_later_survives_too():
    error = GaveUp("late", CONTEXT)
    error.maybe_acted = False
    error.with_cursor("later")
    twin = pickled(error)
    assert (twin.maybe_acted, twin.context.cursor) == (False, "later")


def test_the_tree_says_whether_the_server_may_have_acted():
    acted = {
        kind.__name__
        for kind in every_class()
        if issubclass(kind, CallError) and kind.maybe_acted
    }
    assert acted == {
        "CallError",
        "OutcomeUnknown",
        "ServerFailure",
        "Unreadable",
        "GaveUp",
    }


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (402, "Rejected"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (418, "Rejected"),
        (429, "TooManyRequests"),
        (500, "ServerFailure"),
        (503, "ServerFailure"),
        (599, "ServerFailure"),
    ],
)
def test_every_status_has_its_class(status, name):
    assert rejection(status).__name__ == name


def test_errors_are_also_what_python_calls_them():
    assert issubclass(GaveUp, TimeoutError)
    assert issubclass(InvalidInput, ValueError)


def test_texts_say_what_and_where():
    assert str(NotSent("no route", CONTEXT)) == (
        "no route (abeja: GET https://api.example/runs, 3 attempts in 1.2 s, "
        "request id req-1)"
    )
    assert str(OutcomeUnknown("cut off")) == "cut off"
    assert "1 attempt in" in str(Unreadable("odd", Context(method="GET", attempts=1)))
    assert str(RunFailed("r", "failed")) == "run r ended as failed"
    assert str(RunFailed("r", "failed", "why")) == "run r ended as failed: why"
    assert str(SubmissionsFailed(("a",), (("k", "no"), ("l", "no")))) == (
        "2 of 3 specs were not submitted; the first, k: no"
    )


def test_rejections_carry_their_status():
    error = TooManyRequests("slow down", CONTEXT, 429, "rate", 2.0)
    assert (error.status, error.code, error.retry_after) == (429, "rate", 2.0)
    assert ServerFailure("no").status == 0


def test_copies_have_attributes_of_their_own():
    """Also where a library registers a way of its own to take exceptions apart."""

    def taken_apart(error):
        # As those do that pickle tracebacks: the new error gets the old one's dict.
        return _put_together, (type(error), error.__dict__, error.args)

    error = TooManyRequests("busy", Context("nextmv"), 429, "code", 3.0)
    copyreg.pickle(TooManyRequests, taken_apart)
    try:
        first, second = copy.copy(error), copy.copy(error)
    finally:
        del copyreg.dispatch_table[TooManyRequests]
    first.with_cursor("first")
    second.with_cursor("second")
    assert first.context.cursor == "first"
    assert second.context.cursor == "second"
    assert error.context.cursor is None
    assert (str(first), first.status, first.retry_after) == ("busy", 429, 3.0)


def _put_together(kind, attributes, args):
    made = kind(*args)
    made.__dict__ = attributes
    return made
