"""Where our client differs from the official one on purpose: the whole list.

A row says what differs and what ours does instead; a row that is not true any more
fails the tests.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Requests = list[dict[str, Any]]
Outcome = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One decision.

    Attributes:
        cases: Ids of cases; `*` stands for any text.
        reason: Why.
        requests: Makes our requests from the official ones; None if they are the same.
        values: Makes our outcome from the official one; None if they are the same.
        outcome: Whether our outcome, another one, is as decided.
    """

    cases: tuple[str, ...]
    reason: str
    requests: Callable[[Requests], Requests] | None = None
    values: Callable[[Outcome], Outcome] | None = None
    outcome: Callable[[Outcome], bool] | None = None

    def is_about(self, case_id: str) -> bool:
        """Whether the row is about a case."""
        return any(self.matches(one, case_id) for one in self.cases)

    @staticmethod
    def matches(pattern: str, case_id: str) -> bool:
        """Whether a pattern of a row names a case."""
        parts = (re.escape(part) for part in pattern.split("*"))
        return re.fullmatch(".*".join(parts), case_id) is not None


def same_for_a_manager(requests: Requests) -> Requests:
    """Leave out what no manager looks at.

    The letters of a query's booleans (wire/cloudify.md 2.2), the order of different
    query keys, and the type of a body that is not there.
    """
    return [
        request
        | {
            "query": sorted(
                [name, value.lower() if value in {"True", "False"} else value]
                for name, value in request["query"]
            ),
            "content_type": request["content_type"] if request["body"] else None,
        }
        for request in requests
    ]


# What our requests are.


def none(_: Requests) -> Requests:
    """Nothing is sent."""
    return []


def first_only(official: Requests) -> Requests:
    """The first request alone."""
    return official[:1]


def twice(official: Requests) -> Requests:
    """The same request again."""
    return official * 2


def short_bodies(official: Requests) -> Requests:
    """Nothing for what was not given, and booleans for flags."""
    for request in official:
        request["body"]["json"] = {
            name: {"true": True, "false": False}.get(value, value)
            if isinstance(value, str)
            else value
            for name, value in request["body"]["json"].items()
            if value is not None
        }
    return official


def ordered(official: Requests) -> Requests:
    """In an order of its own."""
    for request in official:
        request["query"] += [["_sort", "created_at"], ["_sort", "id"]]
    return official


def overlapping(official: Requests) -> Requests:
    """The second page begins with the last row of the first."""
    for pair in official[1]["query"]:
        if pair[0] == "_offset":
            pair[1] = str(int(pair[1]) - 1)
    return official


def to(path: str, query: list[list[str]] | None = None) -> Callable[..., Requests]:
    """The first request goes to another path."""

    def requests(official: Requests) -> Requests:
        changed = {"path": f"/api/v3.1{path}"}
        if query is not None:
            changed["query"] = query
        return [official[0] | changed, *official[1:]]

    return requests


def body_with(name: str, value: Any) -> Callable[[Requests], Requests]:
    """The first body has another value."""

    def requests(official: Requests) -> Requests:
        official[0]["body"]["json"][name] = value
        return official

    return requests


def asked_with(name: str, *values: str) -> Callable[[Requests], Requests]:
    """The first query has other values."""

    def requests(official: Requests) -> Requests:
        kept = [pair for pair in official[0]["query"] if pair[0] != name]
        official[0]["query"] = kept + [[name, value] for value in values]
        return official

    return requests


def asked_besides(*fields: str) -> Callable[[Requests], Requests]:
    """The first query includes more fields."""

    def requests(official: Requests) -> Requests:
        for pair in official[0]["query"]:
            if pair[0] == "_include":
                pair[1] = ",".join([pair[1], *fields])
        return official

    return requests


def instead(
    method: str, path: str, query: list[list[str]], body: Any = None
) -> Callable[[Requests], Requests]:
    """A request where the official client crashes before it."""

    def requests(_: Requests) -> Requests:
        return [
            {
                "method": method,
                "path": f"/api/v3.1{path}",
                "query": query,
                "headers": {"Authentication-Token": "wire-token", "Tenant": "wire"},
                "content_type": "application/json",
                "body": body,
            }
        ]

    return requests


# What our outcomes are.


def refused(words: str) -> Callable[[Outcome], bool]:
    """A value is refused before anything is sent."""
    return lambda ours: ours.get("error") == "InvalidInput" and words in ours["message"]


def unreadable(ours: Outcome) -> bool:
    """The answer cannot be read."""
    return ours.get("error") == "Unreadable"


def rejected(status: int) -> Callable[[Outcome], bool]:
    """The error has the answer's status."""
    return lambda ours: ours.get("status") == status


def is_returned(ours: Outcome) -> bool:
    """It is no failure."""
    return "value" in ours


def filled(official: Outcome) -> Outcome:
    """No operations instead of null."""
    value = official["value"]
    for thing in value.get("items", [value]):
        for name in ("total_operations", "finished_operations"):
            if thing["properties"][name] is None:
                thing["properties"][name] = 0
    return official


def false_flags(official: Outcome) -> Outcome:
    """Flags that are null are False, and the id is empty."""
    official["value"]["properties"]["id"] = ""
    for name in ("is_system_workflow", "is_dry_run"):
        official["value"]["properties"][name] = False
    return official


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        (
            "executions.start/*",
            "executions.create/*",
            "executions.restore/two",
            "executions.restore/one-refused",
        ),
        "what is not given is left out, since null is refused for flags, and these are "
        "sent as the booleans that they are (2.3)",
        requests=short_bodies,
    ),
    Difference(
        (
            "executions.list/include-first",
            "executions.get/include",
            "executions.list/everything",
        ),
        "without id and status an execution cannot be told from an answer that is none",
        requests=asked_besides("status"),
    ),
    Difference(
        ("executions.list/include-tuple",),
        "without id and status an execution cannot be told from an answer that is none",
        requests=asked_besides("id"),
    ),
    Difference(
        ("executions.get/include-other", "executions.list/unknown-field"),
        "without id and status an execution cannot be told from an answer that is none",
        requests=asked_besides("id", "status"),
    ),
    Difference(
        ("executions.*/system", "executions.*/scheduled"),
        "counts are numbers, also where the answer has none",
        values=filled,
    ),
    Difference(
        ("executions.*/scheduled",),
        "flags are booleans and ids are texts, also where the answer has null (2.5)",
        values=false_flags,
    ),
    Difference(
        ("*.dump/*",),
        "rows that were created at once have no order otherwise, and pages would miss "
        "some of them (4.1)",
        requests=ordered,
    ),
    Difference(
        ("*.dump/pages",),
        "a page begins with the last row of the one before, so that deletions between "
        "them are noticed (4.1)",
        requests=overlapping,
    ),
    Difference(
        ("executions.dump/empty-page-before-the-total",),
        "an empty page ends the list; the official client asks for ever (4.1)",
        requests=lambda official: official[:2],
        outcome=is_returned,
    ),
    Difference(
        ("executions.get/odd-id",),
        "every id is one segment of the path (1.1)",
        requests=to("/executions/a%20b%2Fc%3Fd%23e", []),
    ),
    Difference(
        ("execution_groups.get/odd-id",),
        "every id is one segment of the path (1.1)",
        requests=to("/execution-groups/a%20b%2Fc"),
    ),
    Difference(
        ("execution_schedules.create/odd-id",),
        "every id is one segment of the path (1.1)",
        requests=to("/execution-schedules/a%20b%2Fc"),
    ),
    Difference(
        ("executions.*/empty-id",),
        "misuse is a ValueError; an assertion may be compiled away",
        outcome=refused("not empty"),
    ),
    Difference(
        ("execution_schedules.create/without-since",),
        "misuse is a ValueError; an assertion may be compiled away",
        outcome=refused("since"),
    ),
    Difference(
        ("execution_groups.create/without-executions",),
        "misuse is a ValueError",
        outcome=refused("at least one"),
    ),
    Difference(
        ("executions.list/unknown-status",),
        "the manager fails over a status that does not exist (2.2)",
        requests=none,
        outcome=refused("finished"),
    ),
    Difference(
        ("executions.delete/keep-none",),
        "the official client leaves 0 out, and everything is deleted (2.7)",
        requests=none,
        outcome=refused("keep_last"),
    ),
    Difference(
        ("executions.delete/both",),
        "the manager refuses both (2.7)",
        requests=none,
        outcome=refused("not both"),
    ),
    Difference(
        ("executions.delete/before-with-zone",),
        "the manager refuses times with a zone, so they are sent in UTC (2.7)",
        requests=body_with("to_datetime", "2024-05-01T08:00:00"),
    ),
    Difference(
        ("events.list/from-with-zone",),
        "times are sent in UTC everywhere",
        requests=asked_with("_range", "@timestamp,2024-05-01T10:00:00,"),
    ),
    Difference(
        ("events.list/range-as-text-and-from",),
        "one range may be given as text",
        requests=instead(
            "GET",
            "/events",
            [
                ["type", "cloudify_event"],
                ["_range", "reported_timestamp,2024-05-01,"],
                ["_range", "@timestamp,2024-05-01,"],
            ],
        ),
        outcome=is_returned,
    ),
    Difference(
        ("events.create/both-ids",),
        "the manager refuses both (2.8)",
        requests=none,
        outcome=refused("not both"),
    ),
    Difference(
        ("events.create/without-context",),
        "the manager fails over it (2.8)",
        requests=none,
        outcome=refused("context"),
    ),
    Difference(
        ("execution_groups.set_concurrency/negative",),
        "the manager refuses it (2.6)",
        requests=none,
        outcome=refused("concurrency"),
    ),
    Difference(
        ("execution_schedules.update/time-as-text",),
        "times may be given as text, as for a creation",
        requests=instead(
            "PATCH",
            "/execution-schedules/n",
            [["deployment_id", "d"]],
            {
                "json": {
                    "since": "2030-01-01T00:00:00",
                    "until": None,
                    "recurrence": None,
                    "count": None,
                    "weekdays": None,
                    "rrule": None,
                    "slip": None,
                    "enabled": None,
                    "stop_on_fail": None,
                    "workflow_id": None,
                }
            },
        ),
        outcome=is_returned,
    ),
    Difference(
        ("executions.*/unexpected-status",),
        "a good answer is good whichever of the 2xx it has",
        outcome=is_returned,
    ),
    Difference(
        ("executions.list/html-as-success", "executions.list/no*"),
        "an answer that is no list is said to be unreadable, with its status and type",
        outcome=unreadable,
    ),
    Difference(
        ("executions.get/error-is-no-object",),
        "an odd error body is no crash",
        outcome=rejected(404),
    ),
    Difference(
        ("executions.list/redirected",),
        "redirects are refused, with the target named",
        requests=first_only,
        outcome=rejected(302),
    ),
    Difference(
        ("executions.get/maintenance",),
        "reading is tried again after 503",
        requests=twice,
        outcome=is_returned,
    ),
    Difference(
        ("executions.get/as-both",),
        "the manager takes one kind of credentials, and a bad one is not healed by a "
        "good one (1.2)",
        requests=none,
        outcome=refused("more than one kind"),
    ),
    Difference(
        ("executions.get/as-no-tenant",),
        "without a tenant every request is refused, so the default one is sent (1.2)",
        requests=lambda official: [
            official[0]
            | {"headers": official[0]["headers"] | {"Tenant": "default_tenant"}}
        ],
    ),
)
