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
        answers: Which answers of the case ours asks for; None if it is all of them.
        shown: What a case shows with ours; None if it is the same.
    """

    cases: tuple[str, ...]
    reason: str
    requests: Callable[[Case, Requests], Requests] | None = None
    outcome: Callable[[Outcome], bool] | None = None
    answers: tuple[int, ...] | None = None
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


def without_the_first(_: Case, official: Requests) -> Requests:
    """All but the first request."""
    return official[1:]


def first_and_last(_: Case, official: Requests) -> Requests:
    """The requests between are not sent."""
    return [official[0], official[-1]]


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


def format_of(kind: str) -> dict[str, Any]:
    """A configuration whose input and output have the same format."""
    return {"format": {"input": {"type": kind}, "output": {"type": kind}}}


PUSHED = (
    api("GET", "/binary"),
    put_file({"archive": {"app.yaml": {"manifest": True}, "main.py": "# main.py\n"}})
    | {
        "path": "/push/1",
        "query": [["sig", "a/b"]],
        "content_type": "application/octet-stream",
    },
    api(
        "PUT",
        "/binary",
        {
            "requirements": {
                "executable_type": "python",
                "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
                "io_configuration": {"format": "json"},
            }
        },
    ),
)
"""What a push of one file sends."""


def expanded(
    instances: tuple[str, ...], inputs: tuple[str, ...]
) -> Callable[[Case, Requests], Requests]:
    """Every instance runs every input of the set, which is read first."""
    runs = [
        {"input_id": one, "instance_id": instance, "input_set_id": "set-1"}
        for instance in instances
        for one in inputs
    ]
    body = {"id": "b", "name": "N", "input_set_id": "set-1", "type": "batch"}
    return sent(
        api("GET", "/experiments/inputsets/set-1"),
        api("POST", "/experiments/batch", body | {"runs": runs}),
    )


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
                if key in _CHANGEABLE and not _same(value, raw.get(key))
            }
            request["body"] = {"json": raw | changes}
    return official


def _same(written: Any, read: Any) -> bool:
    """Whether a value is what the official client makes of what it read."""
    if isinstance(written, list) and isinstance(read, list):
        return [item["id"] for item in written] == [item["id"] for item in read]
    return written == read


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


def logs(*lines: str) -> Callable[[Outcome], bool]:
    """Ours returns these log lines."""

    def check(outcome: Outcome) -> bool:
        return [entry["log"] for entry in outcome.get("value", [])] == list(lines)

    return check


def _at(value: Any, path: list[str]) -> Any:
    for step in path:
        if value is None:
            return None
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    return value


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
            "update_instance/nothing",
            "update_instance/everything",
            "update_instance/configuration",
            "update_instance/lock",
            "update_instance/unlock",
            "update_instance/refused",
            "update_version/name",
            "update_version/both",
            "update_version/more-requirements",
            "update_version/nothing",
            "update_managed_input/name",
            "update_managed_input/both",
            "update_input_set/name",
            "update_input_set/everything",
            "update_input_set/no-inputs",
        ),
        "the merge happens on the JSON that was read, so that no key is lost",
        requests=merged,
    ),
    # Answers that are not what the platform documents (wire/nextmv.md 2, 7.1).
    Difference(
        (
            "*/no-object",
            "*/not-json",
            "*/token-is-no-text",
            "*/items-are-no-list",
            "list_runs/page-is-no-object",
            "upload_url/odd",
            "new_run/no-run-id",
            "new_batch_experiment/no-id-in-the-answer",
        ),
        "one error says of any odd answer what is odd in it, and where it came from",
        outcome=raises("Unreadable"),
    ),
    # Words that a newer platform may use (wire/nextmv.md 4).
    Difference(
        ("run_metadata/unknown-status",),
        "unknown text of an enumeration stays text",
        outcome=gives(metadata__status_v2="paused", id="run-1"),
    ),
    Difference(
        ("run_metadata/unknown-run-type",),
        "unknown text of an enumeration stays text",
        outcome=gives(metadata__run_type__run_type="duet"),
    ),
    Difference(
        ("run_metadata/unknown-format",),
        "unknown text of an enumeration stays text",
        outcome=gives(metadata__format__format_input__input_type="parquet"),
    ),
    Difference(
        ("managed_input/unknown-format",),
        "unknown text of an enumeration stays text",
        outcome=gives(format__format_input__input_type="parquet"),
    ),
    Difference(
        ("Application.get/unknown-type",),
        "unknown text of an enumeration stays text",
        outcome=gives(id="routing", type="swarm"),
    ),
    Difference(
        ("batch_experiment_metadata/unknown-status",),
        "unknown text of an enumeration stays text",
        outcome=gives(status="dreaming"),
    ),
    Difference(
        ("shadow_test/unknown-status",),
        "unknown text of an enumeration stays text",
        requests=sent(api("GET", "/experiments/shadow/one/runs")),
        outcome=gives(status="dreaming", runs=[]),
    ),
    Difference(
        ("switchback_test/unknown-status",),
        "unknown text of an enumeration stays text",
        requests=sent(api("GET", "/experiments/switchback/one/runs")),
        outcome=gives(status="dreaming", runs=[]),
    ),
    Difference(
        ("acceptance_test/nulls",),
        "a status of null is not known, as one that is missing",
        outcome=gives(id="one", status="unknown", results__error="no runs"),
    ),
    Difference(
        ("acceptance_test/unknown-words",),
        "unknown text of an enumeration stays text",
        outcome=gives(status="dreaming", metrics__0__statistic="p33"),
    ),
    Difference(
        ("ensemble_definition/unknown-words",),
        "unknown text of an enumeration stays text",
        outcome=gives(
            rules__0__objective="balance", rules__0__tolerance__type="cosmic"
        ),
    ),
    Difference(
        ("secrets_collection/unknown-kind",),
        "unknown text of an enumeration stays text",
        outcome=gives(secrets__0__secret_type="vault"),
    ),
    Difference(
        ("list_assets/unknown-schema",),
        "unknown text of an enumeration stays text",
        outcome=gives(**{"0__visual__visual_schema": "vega"}),
    ),
    # Keys that the official client cannot do without (wire/nextmv.md 3.3.4, 4).
    Difference(
        (
            "batch_experiment/null-runs",
            "shadow_test/null-runs",
            "switchback_test/null-runs",
        ),
        "no runs are an empty list",
        outcome=gives(runs=[]),
    ),
    Difference(
        ("list_assets/null-items",),
        "no assets are an empty list",
        outcome=returns([]),
    ),
    Difference(
        ("run_logs_with_polling/null-items",),
        "no lines are an empty list",
        outcome=returns([]),
    ),
    Difference(
        ("input_set/without-lists",),
        "missing lists are empty",
        outcome=gives(id="set-1", input_ids=[], inputs=[]),
    ),
    Difference(
        ("batch_experiment/without-input-set",),
        "a batch experiment need not have an input set",
        requests=sent(api("GET", "/experiments/batch/one/runs")),
        outcome=gives(id="one", runs__0__id="run-1"),
    ),
    Difference(
        ("run_result/without-run-type",),
        "a result can be read without the run's type",
        outcome=gives(id="run-1", output__metrics__value=812.5),
    ),
    Difference(
        ("run_result/without-output-format",),
        "a result can be read without the format of its output, which is JSON then",
        requests=sent(api("GET", "/runs/run-1")),
        outcome=gives(id="run-1", output__metrics__value=812.5),
    ),
    # Polling that ends (wire/nextmv.md 5).
    Difference(
        ("*/too-many-tries",),
        "whichever limit ends the polling, the error is the same",
        outcome=raises("GaveUp"),
    ),
    Difference(
        ("run_result_with_polling/stopped",),
        "polling that was stopped says so, instead of failing on what it has not",
        outcome=raises("GaveUp"),
    ),
    # Runs.
    Difference(
        ("run_result/failed-without-output",),
        "the error log of a failed run is not lost with its missing output",
        outcome=gives(error_log__stderr="Trace", metadata__status_v2="failed"),
    ),
    Difference(
        ("run_logs_with_polling/unknown-status",),
        "a status that is not known is not the end",
        requests=sent(api("GET", "/runs/run-1/logs/live")),
        outcome=returns([]),
    ),
    Difference(
        ("run_logs_with_polling/a-page-after-the-end",),
        "the page that a final answer points to is read as well",
        requests=sent(api("GET", "/runs/run-1/logs/live", query=(("since", "t1"),))),
        outcome=logs("a", "last"),
    ),
    Difference(
        ("run_logs_with_polling/repeated-page",),
        "no line comes twice",
        outcome=logs("a", "b"),
    ),
    Difference(
        ("run_input/text",),
        "an input that is text is text",
        outcome=returns("id,x\ns1,1\n"),
    ),
    Difference(
        ("clone_run/of-managed-input",),
        "the clone is given the same managed input, so nothing of it is read",
        requests=first_and_last,
        answers=(0, 4),
    ),
    Difference(
        ("compare_runs/two",),
        "values that have no hash can be compared too",
        outcome=gives(
            run_ids=["run-1", "run-2"],
            metadata__duration__has_differences=True,
            metadata__statistics__has_differences=False,
            options__threads__values={"run-1": "4", "run-2": "8"},
        ),
    ),
    Difference(
        ("new_run/directory-and-dict", "track_run/directory-and-input"),
        "of an input and a directory one would be dropped",
        requests=none,
        outcome=raises("InvalidInput"),
    ),
    Difference(
        (
            "new_run/managed-input-and-directory",
            "track_run/nothing",
        ),
        "what cannot be right is said before anything is sent",
        requests=none,
    ),
    Difference(
        ("update_instance/configuration-of-wrong-type",),
        "what cannot be right is said before anything is sent",
        requests=none,
        outcome=raises("InvalidInput"),
    ),
    Difference(
        (
            "new_run/managed-input-with-configuration",
            "new_run_with_result/managed-input",
        ),
        "a managed input is read for its format, which the configuration replaces",
        requests=without_the_first,
        answers=(1, 2, 3),
    ),
    Difference(
        ("new_run/list",),
        "a list is JSON as well, and not dropped",
        requests=with_json(0, input=[{"a": 1}]),
    ),
    Difference(
        ("new_run/unknown-key-of-configuration",),
        "a configuration that is a mapping is used as it is",
        requests=with_json(0, configuration={"execution_class": "big", "unheard": 1}),
    ),
    Difference(
        ("track_run/text",),
        "without a configuration the format follows from what is tracked",
        requests=with_json(4, configuration=format_of("text")),
    ),
    Difference(
        ("track_run/directories-without-configuration",),
        "without a configuration the format follows from what is tracked",
        requests=with_json(4, configuration=format_of("multi-file")),
    ),
    Difference(
        ("new_run/options-of-the-input",),
        "the options of an input are used where a call is given none, as documented",
        requests=with_json(0, options={"b": "2"}),
    ),
    Difference(
        ("track_run/log-lines",),
        "lines are joined by newlines",
        requests=body_of(5, {"text": "one\ntwo"}),
    ),
    # Uploads.
    Difference(
        ("upload_large_input/dict",),
        "the older name works",
        requests=sent(put_file({"json": {"a": 1}})),
        outcome=returns(None),
    ),
    Difference(
        ("upload_large_input/text",),
        "the older name works",
        requests=sent(put_file({"text": "plain"})),
        outcome=returns(None),
    ),
    Difference(
        ("upload_large_input/tar",),
        "the older name works",
        requests=sent(put_file({"archive": {"a.txt": "one\n"}})),
        outcome=returns(None),
    ),
    Difference(
        ("upload_data/data-wins",),
        "of data and a file one would be dropped",
        requests=none,
        outcome=raises("InvalidInput"),
    ),
    Difference(
        ("upload_data/list",),
        "a list is JSON as well",
        requests=sent(put_file({"json": [1]})),
        outcome=returns(None),
    ),
    # What the newer client dropped (wire/nextmv.md 3.14).
    Difference(
        ("new_batch_experiment/instances",),
        "instances are expanded to runs over the inputs of the set",
        requests=expanded(("staging", "trial"), ("in-1", "in-2")),
        outcome=returns("nightly-7"),
    ),
    Difference(
        ("new_batch_experiment/instances-of-inputs",),
        "instances are expanded to runs over the inputs of the set",
        requests=expanded(("staging",), ("in-9",)),
        outcome=returns("nightly-7"),
    ),
    Difference(
        ("new_scenario_test/seed-order",),
        "the order of arguments that came first is still understood",
        requests=sent(
            api("GET", "/instances/staging"),
            api("GET", "/experiments/inputsets/set-1"),
            api(
                "POST",
                "/experiments/batch",
                {
                    "id": "what-if",
                    "name": "W",
                    "option_sets": {"scenario-1_0": {}},
                    "runs": [
                        {
                            "input_id": f"in-{number}",
                            "option_set": "scenario-1_0",
                            "instance_id": "staging",
                            "input_set_id": "set-1",
                            "scenario_id": "scenario-1",
                            "repetition": 0,
                            "run_number": f"{number}",
                        }
                        for number in (1, 2)
                    ],
                    "type": "scenario",
                },
            ),
        ),
        outcome=returns("what-if"),
    ),
    Difference(
        ("push/with-version",),
        "a version can be made of what was pushed",
        requests=sent(
            *PUSHED,
            api(
                "POST",
                "/versions",
                {"id": "v9", "name": "Nine", "description": "Ninth"},
            ),
        ),
        outcome=returns(None),
    ),
    Difference(
        ("push/no-version",),
        "code that says it wants no version can still say so",
        requests=sent(*PUSHED),
        outcome=returns(None),
    ),
    Difference(
        ("new_shadow_test/comparison-objects",),
        "comparisons may be objects",
        requests=sent(
            api(
                "POST",
                "/experiments/shadow",
                {
                    "id": "shade",
                    "name": "shade",
                    "comparisons": [
                        {"baseline_instance_id": "a", "candidate_instance_ids": ["b"]}
                    ],
                    "termination_events": {"maximum_runs": 1},
                },
            )
        ),
        outcome=gives(shadow_test_id="shade"),
    ),
)
