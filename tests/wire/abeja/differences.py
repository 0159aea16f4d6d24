"""Where our client differs from the official one on purpose: the whole list.

A row says what differs and what ours does instead; a row that is not true any more
fails the tests.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Requests = list[dict[str, Any]]


@dataclass(frozen=True)
class Difference:
    """One decision.

    Attributes:
        cases: Ids of cases; `*` stands for any text.
        reason: Why.
        requests: Makes our requests from the official ones; None if they are the same.
        raises: The class of our error; None if the outcome is a value, or the same.
        gives: Values at the fields of ours; None if the outcome is an error, or the
            same.
    """

    cases: tuple[str, ...]
    reason: str
    requests: Callable[[Requests], Requests] | None = None
    raises: str | None = None
    gives: dict[str, Any] | None = None

    def is_about(self, case_id: str) -> bool:
        """Whether the row is about a case."""
        return any(self.matches(one, case_id) for one in self.cases)

    @staticmethod
    def matches(pattern: str, case_id: str) -> bool:
        """Whether a pattern of a row names a case."""
        parts = (re.escape(part) for part in pattern.split("*"))
        return re.fullmatch(".*".join(parts), case_id) is not None


def none(_: Requests) -> Requests:
    """Nothing is sent."""
    return []


def first(official: Requests) -> Requests:
    """Only the first request is sent."""
    return official[:1]


def twice(official: Requests) -> Requests:
    """What was sent is sent again."""
    return [*official, *official]


def path(text: str) -> Callable[[Requests], Requests]:
    """The request goes to another path, without a query."""
    return lambda official: [official[0] | {"path": text, "query": []}]


def without(name: str) -> Callable[[Requests], Requests]:
    """The request has no such pair in its query."""
    return lambda official: [
        one | {"query": [pair for pair in one["query"] if pair[0] != name]}
        for one in official
    ]


def query(**changed: str) -> Callable[[Requests], Requests]:
    """The request has other values in its query."""
    return lambda official: [
        one
        | {"query": [[name, changed.get(name, value)] for name, value in one["query"]]}
        for one in official
    ]


def body(**changed: Any) -> Callable[[Requests], Requests]:
    """The request has other values in its body."""
    return lambda official: [
        one | {"body": {"json": one["body"]["json"] | changed}} for one in official
    ]


def create(**fields: Any) -> Callable[[Requests], Requests]:
    """What ours sends where the official client sends nothing."""
    request = {
        "to": "api",
        "method": "POST",
        "path": "/organizations/1000000000001/deployments/2000000000002/runs",
        "query": [],
        "authorization": "Bearer wire-token",
        "account": None,
        "content_type": "application/json",
        "body": {
            "json": {"version_id": "ver-00aa11bb22cc33dd", "environment": {}} | fields
        },
    }
    return lambda _: [request]


_RUNS = "/organizations/1000000000001/deployments/2000000000002/runs"
_TRIGGERS = "/organizations/1000000000001/deployments/2000000000002/triggers"

DIFFERENCES: tuple[Difference, ...] = (
    # Ids are one segment of the path (wire/abeja.md 1.1).
    Difference(
        ("get_run/slash-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path(f"{_RUNS}/a%2Fb%20c"),
    ),
    Difference(
        ("get_run/question-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path(f"{_RUNS}/a%3Fb%3Dc"),
    ),
    Difference(
        ("get_run/hash-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path(f"{_RUNS}/a%23b"),
    ),
    Difference(
        ("get_trigger/slash-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path(f"{_TRIGGERS}/a%2Fb"),
    ),
    Difference(
        ("*/empty-id",),
        "an empty id names the listing instead of a thing",
        requests=none,
        raises="InvalidInput",
    ),
    # Credentials (wire/abeja.md 1.2).
    Difference(
        ("get_run/as-nobody", "get_run/as-half-a-user", "get_run/as-no-variable"),
        "without a credential the platform refuses everything, so nothing is asked",
        requests=none,
        raises="MissingCredentials",
    ),
    # What may be repeated (wire/abeja.md 1.4).
    Difference(
        ("create_run/failed", "create_trigger/failed", "create_run/gateway"),
        "a creation that may have happened is not repeated blindly",
        requests=first,
    ),
    Difference(
        (
            "create_run/failed-then-created",
            "create_run/unavailable-then-created",
            "create_trigger/unavailable-then-made",
        ),
        "a creation that may have happened is not repeated blindly",
        requests=first,
        raises="ServerFailure",
    ),
    Difference(
        ("create_run/limited", "get_run/limited"),
        "what a rate limit refused did not happen, and is sent again",
        requests=twice,
        gives={"run_id": "run-00000000000000a1"},
    ),
    Difference(
        ("get_run/timed-out",),
        "what timed out at the server can be read again",
        requests=twice,
        gives={"run_id": "run-00000000000000a1"},
    ),
    Difference(
        ("delete_trigger/gone-the-second-time",),
        "a deletion that was repeated finds nothing to delete",
        gives={"message": "tri-00000000000000b2 deleted"},
    ),
    Difference(
        ("get_run/redirected",),
        "a redirection is refused: a login page is not a run",
        requests=first,
        raises="Rejected",
    ),
    # Values that cannot be right (wire/abeja.md 2.1, 2.5).
    Difference(
        ("*/variables-are-no-texts",),
        "values of environment variables are texts, and a number would become one",
        requests=none,
        raises="InvalidInput",
    ),
    Difference(
        (
            "*/too-many-attempts",
            "create_run/attempts-as-text",
            "create_run/input-is-a-list",
            "create_run/payload-is-a-number",
        ),
        "what cannot be right is said before anything is sent",
        requests=none,
        raises="InvalidInput",
    ),
    Difference(
        ("create_trigger/half-an-output", "create_trigger/other-half-of-an-output"),
        "half of an output is not dropped silently",
        requests=none,
        raises="InvalidInput",
    ),
    Difference(
        ("*/both-tokens",),
        "what a server does with both tokens is not documented",
        requests=none,
        raises="InvalidInput",
    ),
    Difference(
        ("create_run/input-as-text",),
        "JSON text is sent as the object that is documented",
        requests=body(input_data={"$datalake:1": "3/f"}),
    ),
    Difference(
        ("create_run/output-data",),
        "the documentation's name of output_template works",
        requests=create(output_template={"$datalake:1": "3"}),
        gives={"status": "SUBMITTED"},
    ),
    Difference(
        ("get_runs/empty-token", "get_trigger_runs/empty-token"),
        "an empty token is no token, as in logs",
        requests=without("next_page_token"),
    ),
    # Times (wire/abeja.md 2.4).
    Difference(
        ("*/fraction-of-the-end",),
        "an end is rounded up, so that no line falls out of the window",
        requests=query(end_time="2024-01-02T03:04:06"),
    ),
    Difference(
        ("get_run_logs/other-zone",),
        "times are converted to UTC",
        requests=query(end_time="2024-01-02T12:00:00"),
    ),
    Difference(
        ("get_run_recent_logs/other-zone", "get_service_recent_logs/other-zone"),
        "times are converted to UTC",
        requests=query(start_time="2024-01-02T12:00:00"),
    ),
    # Answers that are not what the platform documents (wire/abeja.md 1.4, 3).
    Difference(
        (
            "*/answer-without-id",
            "*/answer-empty",
            "*/answer-is-html",
            "*/answer-is-a-list",
            "*/answer-is-a-message",
            "*/no-content",
            "*/html",
            "*/list",
            "*/null",
            "*/half-an-answer",
            "*/without-status",
            "*/without-entries",
            "*/entries-are-no-list",
            "*/token-is-no-text",
            "*/without-events",
            "*/without-tokens",
            "*/line-without-time",
            "*/line-is-a-text",
        ),
        "one error says of any odd answer what is odd in it, and where it came from",
        raises="Unreadable",
    ),
    Difference(
        ("get_run/refused-with-a-list", "get_run/refused-with-null"),
        "an odd error body is still an answer with an error status",
        raises="BadRequest",
    ),
)
