"""Values that are made in great numbers: cheap, and still values."""

import gc
import pickle
from datetime import UTC, datetime

import pytest
from tests.fake_platform import FakePlatform

from aioruns.batch import Outcome
from aioruns.http.request import Request, Response
from aioruns.journal_schema import Entry, Stage
from aioruns.seam import LogEvent, RunRef, RunState, Status, Submission
from aioruns.values import Value

NOW = datetime(2026, 5, 1, tzinfo=UTC)
REF = RunRef("routing", "run-1")
VALUES = [
    REF,
    Status(REF, RunState.FAILED, "failed", "why", NOW),
    LogEvent(NOW, "a line", "stderr"),
    Entry(1, 1, 0, 1, "key", Stage.SUBMITTED, False, NOW, "run-1", NOW),
    Submission("routing", {"a": 1}, "key", NOW, True),
    Request("GET", "/runs", dict, repeatable=False),
    Response(200, {"A": "b"}, b"{}"),
]


def sent(value):
    """As it comes out in another process."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - made here


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_they_cannot_be_changed_and_are_equal_by_what_they_hold(value):
    name = type(value).__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(value, name, None)
    again = sent(value)
    assert again == value
    assert again is not value
    assert value != VALUES[VALUES.index(value) - 1]


@pytest.mark.parametrize("value", VALUES[:4], ids=lambda value: type(value).__name__)
def test_the_garbage_collector_need_not_look_at_them(value):
    assert not gc.is_tracked(value)
    assert hash(value) == hash(sent(value))


def test_what_is_large_or_secret_is_not_shown():
    spec = FakePlatform().spec("key", payload={"password": "s3cret"})
    outcome = Outcome("key", index=0, spec=spec, result="s3cret")
    request = Request("PUT", presigned="https://a.example/b?s3cret", body=b"s3cret")
    submission = Submission("routing", {"password": "s3cret"}, "key")
    for value in (spec, outcome, request, submission, Response(200, {}, b"s3cret")):
        assert "s3cret" not in repr(value)
        assert repr(value).startswith(f"{type(value).__name__}(")
    assert "key='key'" in repr(outcome)
    assert "target='routing'" in repr(submission)


def test_a_value_of_ones_own_shows_what_it_does_not_hide():
    class Own(Value, frozen=True):
        name: str
        token: str
        hidden = frozenset({"token"})

    assert repr(Own("n", "t")) == "Own(name='n')"
