"""Our Nextmv client sends what the official one sends, and reads the same answers.

The vectors were recorded from the official client; `make vectors` records them anew.
Where ours differs on purpose, `nextmv/differences.py` says in what, and why.
"""

import copy
import inspect
import json
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.wire.nextmv.case import Answer, Case
from tests.wire.nextmv.cases import RESOURCES
from tests.wire.nextmv.differences import DIFFERENCES, Difference
from tests.wire.nextmv.operations import DOCUMENTED, LATER
from tests.wire.plain import hide_generated, raised, returned, tree
from tests.wire.recording import Recorder, recording

import aioruns
from aioruns import nextmv

VECTORS = Path(__file__).parent / "nextmv" / "vectors"
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
async def test_same_requests_and_same_value(
    case, vectors, recorder, tmp_path, monkeypatch
):
    official = vectors[case.id]
    monkeypatch.chdir(tmp_path)

    difference = difference_of(case)
    recorder.play(answers_of(case, difference))

    ours = await play(case, recorder, tmp_path)

    wanted = requests_wanted(case, official["requests"], difference)
    assert [comparable(one) for one in ours["requests"]] == [
        comparable(one) for one in wanted
    ]
    check_outcome(official["outcome"], ours["outcome"], difference)
    if difference is None or difference.shown is None:
        assert ours.get("shown") == official.get("shown")
    else:
        assert ours["shown"] == difference.shown != official["shown"]


async def play(case: Case, recorder: Recorder, directory: Path) -> dict[str, Any]:
    """What our client sends and gives back for one case."""
    seen: dict[str, Any] = {}
    async with aioruns.Nextmv("wire-key", url=recorder.url) as client:
        names: dict[str, Any] = {name: getattr(nextmv, name) for name in nextmv.__all__}
        names |= {
            "date": date,
            "datetime": datetime,
            "timedelta": timedelta,
            "timezone": timezone,
            "client": client,
            "FILES": recorder.files,
            "tree": tree,
            "tmp": directory,
        }
        if "QUICK" in case.call:
            names["QUICK"] = nextmv.PollingOptions(
                initial_delay=0, delay=0, backoff=0, jitter=0
            )
        names |= case.setup(directory) if case.setup else {}
        try:
            names["app"] = (
                await value_of(case.app, names)
                if case.app
                else client.application("routing")
            )
            seen["outcome"] = returned(await value_of(case.call, names))
        except Exception as error:  # noqa: BLE001 - what it raises is the outcome
            seen["outcome"] = raised(error) | {"message": str(error)}
        if case.shows:
            seen["shown"] = await value_of(case.shows, names)
    seen["requests"] = recorder.requests
    text = json.dumps(seen).replace(recorder.files, "$FILES")
    text = text.replace(str(directory), "$TMP")
    return json.loads(hide_generated(text, case.generated))


async def value_of(expression: str, names: dict[str, Any]) -> Any:
    value = eval(expression, names)  # noqa: S307 - the cases are our own
    return await value if inspect.isawaitable(value) else value


def difference_of(case: Case) -> Difference | None:
    rows = [row for row in DIFFERENCES if row.is_about(case.id)]
    assert len(rows) <= 1, f"more than one row of the differences is about {case.id}"
    return rows[0] if rows else None


def answers_of(case: Case, difference: Difference | None) -> list[Answer]:
    if difference is None or difference.answers is None:
        return list(case.answers)
    return [answer for n, answer in enumerate(case.answers) if n in difference.answers]


def requests_wanted(
    case: Case, official: list[dict[str, Any]], difference: Difference | None
) -> list[dict[str, Any]]:
    if difference is None or difference.requests is None:
        return official
    wanted = difference.requests(case, copy.deepcopy(official))
    assert wanted != official, "this difference of the requests does not occur any more"
    return wanted


def check_outcome(
    official: dict[str, Any], ours: dict[str, Any], difference: Difference | None
) -> None:
    if difference is None or difference.outcome is None:
        assert same_outcome(official, ours), f"\n{official}\n{ours}"
        return
    assert not same_outcome(official, ours), (
        "this difference of the outcome does not occur any more"
    )
    assert difference.outcome(ours), f"not as the differences say: {ours}"


def same_outcome(official: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether both returned equal values, or raised what one handler catches."""
    if "error" not in official or "error" not in ours:
        return official == ours
    if "status" in official or "status" in ours:
        return official.get("status") == ours.get("status")
    if not official["kinds"]:
        return ours["error"] != "NameError"
    return official["kinds"][0] in ours["kinds"]


def comparable(request: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no server looks at: a Content-Type without a body."""
    kept = {**request, "query": sorted(request["query"])}
    if not request["body"]:
        del kept["content_type"]
    return kept


def test_every_case_has_a_vector_and_every_vector_a_case(vectors):
    repeated = [case_id for case_id, count in counted().items() if count > 1]

    assert repeated == []
    assert sorted(vectors) == sorted(case.id for case in CASES)


def counted() -> Counter[str]:
    return Counter(case.id for case in CASES)


def test_all_76_documented_operations_have_cases():
    assert len(DOCUMENTED) == len(set(DOCUMENTED)) == 76
    assert {case.operation for case in CASES} == {*DOCUMENTED, *LATER}


@pytest.mark.parametrize("operation", [*DOCUMENTED, *LATER])
def test_ours_has_the_operation(operation):
    home = nextmv if operation == "list_applications" else nextmv.Application

    function = getattr(home, operation.removeprefix("Application."))

    assert inspect.iscoroutinefunction(inspect.unwrap(function))


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.cases[0])
def test_every_difference_is_about_a_case(row):
    assert row.reason
    assert all(any(row.matches(one, case.id) for case in CASES) for one in row.cases)


def test_no_crash_of_the_official_client_is_taken_over(vectors):
    taken_over = [
        case.id
        for case in CASES
        if vectors[case.id]["outcome"].get("error") in CRASHES
        and difference_of(case) is None
    ]

    assert taken_over == []


def test_cases_fail_in_the_official_client_only_where_they_say_so(vectors):
    surprising = [
        case.id
        for case in CASES
        if vectors[case.id]["outcome"].get("error") in CRASHES
        and not case.official_fails
    ]

    assert surprising == []
