"""Where our client differs from the official one on purpose: the whole list.

A row says what differs and what ours does instead; a row that is not true any more
fails the tests.
"""

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.wire.nextmv.case import Case

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
        shown: What a case shows with ours; None if it is the same.
    """

    cases: tuple[str, ...]
    reason: str
    requests: Callable[[Case, Requests], Requests] | None = None
    outcome: Callable[[Outcome], bool] | None = None
    shown: Any = None

    def is_about(self, case_id: str) -> bool:
        """Whether the row is about a case."""
        return any(self.matches(one, case_id) for one in self.cases)

    @staticmethod
    def matches(pattern: str, case_id: str) -> bool:
        """Whether a pattern of a row names a case."""
        parts = (re.escape(part) for part in pattern.split("*"))
        return re.fullmatch(".*".join(parts), case_id) is not None


# What our requests are.


def none(_: Case, __: Requests) -> Requests:
    """Nothing is sent."""
    return []


def without_the_last(_: Case, official: Requests) -> Requests:
    """All but the last request."""
    return official[:-1]


def path_of_last(path: str) -> Callable[[Case, Requests], Requests]:
    """The last request goes to another path, without a query."""

    def requests(_: Case, official: Requests) -> Requests:
        return [*official[:-1], official[-1] | {"path": path, "query": []}]

    return requests


def body_of(index: int, body: Any) -> Callable[[Case, Requests], Requests]:
    """One request has another body."""

    def requests(_: Case, official: Requests) -> Requests:
        official[index]["body"] = body
        return official

    return requests


def with_json(index: int, **changes: Any) -> Callable[[Case, Requests], Requests]:
    """One request's JSON body has other values under some keys."""

    def requests(_: Case, official: Requests) -> Requests:
        official[index]["body"]["json"] |= changes
        return official

    return requests


def sent(*requests: dict[str, Any]) -> Callable[[Case, Requests], Requests]:
    """What ours sends where the official client sends nothing."""
    return lambda _, official: [*official, *copy.deepcopy(requests)]


def api(
    method: str, path: str, body: Any = None, query: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    """A request to the API, below the application."""
    return {
        "to": "api",
        "method": method,
        "path": f"/v1/applications/routing{path}",
        "query": [list(pair) for pair in query],
        "authorization": "Bearer wire-key",
        "account": None,
        "content_type": "application/json",
        "body": None if body is None else {"json": body},
    }


def put_file(body: Any) -> dict[str, Any]:
    """An upload to a pre-signed URL: neither key nor content type."""
    return {
        "to": "files",
        "method": "PUT",
        "path": "/up/1",
        "query": [["sig", "a/b"], ["n", "1"]],
        "authorization": None,
        "account": None,
        "content_type": None,
        "body": body,
    }


_CHANGEABLE = {
    "name",
    "description",
    "default_instance",
    "default_experiment_instance",
    "version_id",
    "configuration",
    "inputs",
}


def merged(case: Case, official: Requests) -> Requests:
    """The PUT has the object as it was read, with the given keys changed."""
    raw = case.answers[0].body
    for request in official:
        if request["method"] == "PUT" and not request["path"].endswith("/lock"):
            body = request["body"]["json"]
            changes = {
                key: value
                for key, value in body.items()
                if key in _CHANGEABLE and value != _without_nulls(raw.get(key))
            }
            request["body"] = {"json": raw | changes}
    return official


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


# What our outcome is.


def raises(name: str) -> Callable[[Outcome], bool]:
    """Ours raises an error of this class."""
    return lambda outcome: outcome.get("error") == name


def gives(**wanted: Any) -> Callable[[Outcome], bool]:
    """Ours returns a value with these values at paths such as `metadata__status_v2`."""

    def check(outcome: Outcome) -> bool:
        return "value" in outcome and all(
            _at(outcome["value"], path.split("__")) == value
            for path, value in wanted.items()
        )

    return check


def returns(wanted: Any) -> Callable[[Outcome], bool]:
    """Ours returns this value."""
    return lambda outcome: "value" in outcome and outcome["value"] == wanted


def _at(value: Any, path: list[str]) -> Any:
    for step in path:
        if value is None:
            return None
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    return value


_RUN_INFORMATION = "/runs/{}/metadata"

DIFFERENCES: tuple[Difference, ...] = (
    # Ids are one segment of the path (wire/nextmv.md 7.4).
    Difference(
        ("run_metadata/slash-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path_of_last("/v1/applications/routing/runs/a%2Fb/metadata"),
    ),
    Difference(
        ("run_metadata/question-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path_of_last("/v1/applications/routing/runs/a%3Fb%3Dc/metadata"),
    ),
    Difference(
        ("run_metadata/hash-in-the-id",),
        "an id is one segment of the path; unquoted it reads something else",
        requests=path_of_last("/v1/applications/routing/runs/a%23b/metadata"),
    ),
    # Updates keep what the client does not know (wire/nextmv.md 7.3).
    Difference(
        (
            "update/name",
            "update/everything",
            "update/positional",
            "update/nothing",
            "update/refused",
            "update_instance/name",
            "update_instance/everything",
            "update_instance/configuration",
            "update_instance/lock",
            "update_instance/unlock",
            "update_instance/refused",
            "update_version/name",
            "update_version/both",
            "update_version/more-requirements",
            "update_managed_input/name",
            "update_managed_input/both",
            "update_input_set/name",
            "update_input_set/everything",
        ),
        "the merge happens on the JSON that was read, so that no key is lost",
        requests=merged,
    ),
)
