"""Our Cloudify client sends what the official one sends, and reads the same answers.

The vectors were recorded from the official client; `make vectors` records them anew.
Where ours differs on purpose, `cloudify/differences.py` says in what, and why.
"""

import copy
import inspect
import json
from collections import Counter
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from tests.wire.cloudify.case import CREDENTIALS, Case
from tests.wire.cloudify.cases import RESOURCES
from tests.wire.cloudify.differences import DIFFERENCES, Difference, same_for_a_manager
from tests.wire.cloudify.operations import DOCUMENTED, PROPERTIES
from tests.wire.cloudify.seeing import NAMES, raised, recording, returned

from aioruns import cloudify
from aioruns.http.retry import RetryPolicy
from aioruns.session import Session

VECTORS = Path(__file__).parent / "cloudify" / "vectors"
CRASHES = {"AttributeError", "KeyError", "NameError", "TypeError"}
CASES = [case for cases in RESOURCES.values() for case in cases]


@pytest.fixture(scope="module")
def recorder():
    with recording() as running:
        yield running


@pytest.fixture(scope="module")
def vectors():
    return {
        case_id: vector
        for resource in RESOURCES
        for case_id, vector in json.loads(
            (VECTORS / f"{resource}.json").read_text()
        ).items()
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_same_requests_and_same_value(case, vectors, recorder):
    official = vectors[case.id]

    ours = await play(case, recorder)

    rows = [row for row in DIFFERENCES if row.is_about(case.id)]
    assert same_for_a_manager(ours["requests"]) == same_for_a_manager(
        requests_wanted(rows, official["requests"])
    )
    check_outcome(outcome_wanted(rows, official["outcome"]), ours["outcome"], rows)


async def play(case: Case, recorder: Any) -> dict[str, Any]:
    """What our client sends and gives back for one case."""
    recorder.play(case.answers if case.ours is None else case.ours)
    async with Session(retry=RetryPolicy(base=0.001)) as session:
        try:
            client = cloudify.Cloudify(
                recorder.url, session=session, **CREDENTIALS[case.connect]
            )
            value = eval(case.call, NAMES | {"client": client})  # noqa: S307 - the cases are our own
            if inspect.isasyncgen(value):
                outcome = returned([item async for item in value])
            else:
                outcome = returned(await value)
        except Exception as error:  # noqa: BLE001 - what it raises is the outcome
            outcome = raised(error) | {"message": str(error)}
    return json.loads(json.dumps({"requests": recorder.seen, "outcome": outcome}))


def requests_wanted(
    rows: list[Difference], official: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    wanted = copy.deepcopy(official)
    for row in rows:
        if row.requests is not None:
            before = copy.deepcopy(wanted)
            wanted = row.requests(wanted)
            assert same_for_a_manager(wanted) != same_for_a_manager(before), (
                f"does not occur any more: {row.reason}"
            )
    return wanted


def outcome_wanted(rows: list[Difference], official: dict[str, Any]) -> dict[str, Any]:
    wanted = copy.deepcopy(official)
    for row in rows:
        if row.values is not None:
            before = copy.deepcopy(wanted)
            wanted = row.values(wanted)
            assert wanted != before, f"does not occur any more: {row.reason}"
    return wanted


def check_outcome(
    official: dict[str, Any], ours: dict[str, Any], rows: list[Difference]
) -> None:
    decided = [row.outcome for row in rows if row.outcome is not None]
    if not decided:
        assert same_outcome(official, ours), f"\n{official}\n{ours}"
        return
    assert not same_outcome(official, ours), "this difference does not occur any more"
    assert all(outcome(ours) for outcome in decided), f"not as was decided: {ours}"


def same_outcome(official: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether both returned equal values, or raised errors with the same names.

    Where the official client has only its base class, ours may have a name.
    """
    if "error" not in official or "error" not in ours:
        return with_times(official) == with_times(ours)
    if "status" not in official:
        return bool(set(official["kinds"]) & set(ours["kinds"]))
    return (official["status"], official["code"]) == (
        ours.get("status"),
        ours.get("code"),
    ) and official["error"] in {"CloudifyClientError", ours["error"]}


def with_times(value: Any) -> Any:
    """Texts of the manager's times as ours are shown."""
    if isinstance(value, list):
        return [with_times(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"properties", "keys"}:
        shown = {
            name: NAMES["datetime"].fromisoformat(item).isoformat()
            if name in TIMES and item
            else item
            for name, item in value["properties"].items()
        }
        return value | {"properties": shown}
    return {name: with_times(item) for name, item in value.items()}


TIMES = {
    "created_at",
    "started_at",
    "ended_at",
    "scheduled_for",
    "next_occurrence",
    "since",
    "until",
}


def test_every_case_has_a_vector_and_every_vector_a_case(vectors):
    repeated = [name for name, n in Counter(c.id for c in CASES).items() if n > 1]

    assert repeated == []
    assert sorted(vectors) == sorted(case.id for case in CASES)


OPERATIONS = [f"{home}.{name}" for home, names in DOCUMENTED.items() for name in names]


def test_all_documented_operations_have_cases():
    assert {case.operation for case in CASES} == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_ours_has_the_operation(operation):
    function = attrgetter(operation)(cloudify.Cloudify("m", token="t"))

    assert inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


@pytest.mark.parametrize("kind", PROPERTIES)
def test_ours_has_the_properties(kind):
    assert all(hasattr(getattr(cloudify, kind), name) for name in PROPERTIES[kind])


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.cases[0])
def test_every_difference_is_about_a_case(row):
    assert row.reason
    assert all(any(row.matches(one, case.id) for case in CASES) for one in row.cases)


def test_no_crash_of_the_official_client_is_taken_over(vectors):
    crashes = {
        case.id for case in CASES if vectors[case.id]["outcome"].get("error") in CRASHES
    }

    assert crashes == {
        one for one in crashes if any(row.is_about(one) for row in DIFFERENCES)
    }
    assert crashes <= {case.id for case in CASES if case.official_fails}
