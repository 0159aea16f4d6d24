"""Where our client differs from the official ones on purpose: the whole list.

A row says what differs and what ours does instead; a row that is not true any more
fails the tests. What the models hold for what is absent is the same everywhere, but for
lists and maps, which are empty with ours and None with the official ones.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.wire.kubeflow.case import Answer, ok

Requests = list[dict[str, Any]]
Outcome = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One decision.

    Attributes:
        cases: Ids of cases; `*` stands for any text.
        reason: Why.
        requests: Makes our requests from the official ones; None if they are the same.
        outcome: Whether our outcome is as decided; None if it is the same.
        answers: What the server answers to requests that only ours makes.
    """

    cases: tuple[str, ...]
    reason: str
    requests: Callable[[Requests], Requests] | None = None
    outcome: Callable[[Outcome], bool] | None = None
    answers: tuple[Answer, ...] = ()

    def is_about(self, case_id: str) -> bool:
        """Whether the row is about a case."""
        return any(self.matches(one, case_id) for one in self.cases)

    @staticmethod
    def matches(pattern: str, case_id: str) -> bool:
        """Whether a pattern of a row names a case."""
        parts = (re.escape(part) for part in pattern.split("*"))
        return re.fullmatch(".*".join(parts), case_id) is not None


@dataclass(frozen=True)
class Rule:
    """A decision about all answers.

    Attributes:
        reason: Why.
        adapt: Makes our outcome from the official one.
    """

    reason: str
    adapt: Callable[[Outcome], Outcome]


def none(_: Requests) -> Requests:
    """Nothing is sent."""
    return []


def refused(outcome: Outcome) -> bool:
    """`InvalidInput`, before anything was sent."""
    return outcome["error"] == "InvalidInput"


def unreadable(outcome: Outcome) -> bool:
    """The answer is an error, and says so."""
    return outcome["error"] == "Unreadable"


def with_value(*places: str, value: Any) -> Callable[[Outcome], bool]:
    """A value returned, with this at a place in it."""

    def check(outcome: Outcome) -> bool:
        found = outcome["value"]
        for place in places:
            found = found[int(place) if place.isdigit() else place]
        return bool(found == value)

    return check


def numbers_as_text(text: str) -> Callable[[Requests], Requests]:
    """The metric's value is text."""

    def requests(official: Requests) -> Requests:
        official[0]["body"]["json"]["metrics"][0]["number_value"] = text
        return official

    return requests


def time_in_utc(official: Requests) -> Requests:
    """The time is sent in UTC."""
    official[0]["body"]["json"]["scheduled_at"] = "2024-05-01T08:00:00Z"
    return official


def time_with_z(official: Requests) -> Requests:
    """UTC is written as Z."""
    official[0]["body"]["json"]["scheduled_at"] = "2024-05-01T10:00:00Z"
    return official


def without_empty_lists(official: Requests) -> Requests:
    """Lists with nothing in them are left out of models."""
    body = official[0]["body"]["json"]
    official[0]["body"]["json"] = {
        key: value for key, value in body.items() if value != []
    }
    return official


def asking_what_the_server_is(official: Requests) -> Requests:
    """One more request, since 1.x servers answer 404 to everything of v2beta1."""
    asked = {
        "method": "GET",
        "path": "/apis/v2beta1/healthz",
        "query": [],
        "body": None,
        "headers": official[0]["headers"],
        "raw_query": None,
        "content_type": None,
    }
    return [*official, asked]


_UNSET = re.compile(r"(1970-01-01|0001-01-01)T00:00:00\+00:00")


def _without_unset(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_unset(item)
            for key, item in value.items()
            if not (isinstance(item, str) and _UNSET.fullmatch(item))
        }
    return (
        [_without_unset(item) for item in value] if isinstance(value, list) else value
    )


EVERYWHERE = (
    Rule(
        "times that are not set are None: the server sends the epoch, and year 1 for "
        "tasks, which no program should take for a time (wire/kubeflow.md 3.1)",
        _without_unset,
    ),
)

_PARAMETERS = ("run", "pipeline_spec", "runtime_config", "parameters")
_HEALTHY = (ok({"multi_user": False, "pipeline_store": "database"}),)

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        ("*/a login page",),
        "A page of HTML with status 200 is no empty run, and no success.",
        outcome=unreadable,
    ),
    Difference(
        (
            "create_run/an empty answer",
            "get_run/an empty answer",
            "create_run/a run without an id",
            "run_service_create_run/an empty answer",
            "run_service_get_run/an empty answer",
            "list_runs/a run without an id",
            "run_service_list_runs/a run without an id",
        ),
        "A run without an id is none: something else than the API has answered.",
        outcome=unreadable,
    ),
    Difference(
        ("get_run/broken JSON",),
        "An answer that broke off is not an empty run.",
        outcome=unreadable,
    ),
    Difference(
        ("read_artifact/the alphabet of URLs",),
        "The answer is wrong and not an argument, so it is no ValueError.",
        outcome=unreadable,
    ),
    Difference(
        ("*/an empty id", "read_artifact/an empty name"),
        "An empty id names the collection, or nothing: it is refused before it is "
        "sent, where the server answers 404.",
        requests=none,
        outcome=refused,
    ),
    Difference(
        (
            "list_runs/a kind without an id",
            "list_runs/an id without a kind",
            "list_runs/the kind that is documented as the default",
        ),
        "The server sees a reference of unknown type, and refuses it with an error "
        "that does not say why (wire/kubeflow.md 2.3).",
        requests=none,
        outcome=refused,
    ),
    Difference(
        ("*/a negative page size",),
        "The server refuses it always.",
        requests=none,
        outcome=refused,
    ),
    Difference(
        ("list_runs/a page size that is text",),
        "It is documented as a number.",
        requests=none,
        outcome=refused,
    ),
    Difference(
        ("create_run/typed parameters",),
        "A 64-bit integer is a number in Python, and text on the wire only.",
        outcome=with_value(
            *_PARAMETERS,
            "n",
            "int_value",
            value=9007199254740993,
        ),
    ),
    Difference(
        ("create_run/plain parameters in the answer",),
        "Servers of 2.x releases show parameters as plain JSON, which the official "
        "client makes empty objects of (wire/kubeflow.md 3.2).",
        outcome=with_value(
            *_PARAMETERS,
            value={"lr": 0.5, "tags": ["a"]},
        ),
    ),
    Difference(
        ("create_run/empty lists", "report_run_metrics/none"),
        "Empty and absent are the same in protobuf JSON (wire/kubeflow.md 3.1).",
        requests=without_empty_lists,
    ),
    Difference(
        ("create_run/a time", "run_service_create_run/a time with an offset"),
        "Times are sent in UTC; the moment is the same.",
        requests=time_in_utc,
    ),
    Difference(
        ("run_service_create_run/everything",),
        "UTC is written as Z; the moment is the same.",
        requests=time_with_z,
    ),
    Difference(
        ("report_run_metrics/a number that is none",),
        "A bare NaN is no JSON, and the server refuses the whole report; as text it "
        "refuses this one metric (wire/kubeflow.md 3.1 and 9).",
        requests=numbers_as_text("NaN"),
    ),
    Difference(
        ("report_run_metrics/an infinite number",),
        "As with NaN.",
        requests=numbers_as_text("-Infinity"),
    ),
    Difference(
        ("run_service_create_run/not to be shown, with a text",),
        "The official client takes the value of every message in an error for bytes, "
        "and raises for any other (wire/kubeflow.md 3.3).",
        outcome=with_value("error", "details", "0", "value", value="why?"),
    ),
    Difference(
        ("run_service_*/unknown", "run_service_*/unknown experiment"),
        "A server of a 1.x release answers 404 to everything of v2beta1, which is not "
        "to be taken for a run that is gone.",
        requests=asking_what_the_server_is,
        answers=_HEALTHY,
    ),
)
