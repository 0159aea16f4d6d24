"""Our ABEJA client sends what the official one sends, and reads the same answers.

The vectors were recorded from the official client; `make vectors` records them anew.
Where ours differs on purpose, `abeja/differences.py` says in what, and why.
"""

import asyncio
import copy
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from tests.peers.running import interpreter
from tests.wire.abeja.case import CONNECTIONS, NAMES, Case
from tests.wire.abeja.cases import RESOURCES
from tests.wire.abeja.differences import DIFFERENCES, Difference
from tests.wire.abeja.operations import DOCUMENTED, OPERATIONS
from tests.wire.abeja.seeing import disagreements, same_error, value_of
from tests.wire.recording import Recorder, recording

import aioruns
from aioruns import abeja

VECTORS = Path(__file__).parent / "abeja" / "vectors"
ROOT = Path(__file__).parents[2]
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
        for case_id, vector in read(resource).items()
    }


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for connection in CONNECTIONS.values():
        for name in connection.environment:
            monkeypatch.delenv(name, raising=False)


def read(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_same_requests_and_same_value(case, vectors, recorder, monkeypatch):
    official = vectors[case.id]
    difference = difference_of(case)
    connection = CONNECTIONS[case.connect]
    for name, value in connection.environment.items():
        monkeypatch.setenv(name, value)
    recorder.play(case.answers)

    outcome = await play(case, recorder)

    assert [comparable(one) for one in recorder.requests] == [
        comparable(one) for one in requests_wanted(official["requests"], difference)
    ]
    check_outcome(official["outcome"], outcome, difference)


class Names:
    """The operations of ours, wherever they live."""

    def __init__(self, client: aioruns.Abeja) -> None:
        self._homes = (client.api, client.catalog)

    def __getattr__(self, name: str) -> Any:
        home = next(one for one in self._homes if hasattr(one, name))
        return getattr(home, name)


async def play(case: Case, recorder: Recorder) -> Any:
    """What our client gives back for one case, or the error that it raises."""
    # As often as the official client was told to, and at once.
    policy = aioruns.RetryPolicy(attempts=2, base=0.0)
    arguments = CONNECTIONS[case.connect].arguments or {}
    async with aioruns.Session(retry=policy) as session:
        try:
            client = aioruns.Abeja(
                NAMES["ORG"], url=recorder.url, session=session, **arguments
            )
            names = {**NAMES, "api": Names(client)}
            return await eval(case.call, names)  # noqa: S307 - the cases are our own
        except Exception as error:  # noqa: BLE001 - what it raises is the outcome
            return error


def difference_of(case: Case) -> Difference | None:
    rows = [row for row in DIFFERENCES if row.is_about(case.id)]
    assert len(rows) <= 1, f"more than one row of the differences is about {case.id}"
    return rows[0] if rows else None


def requests_wanted(
    official: list[dict[str, Any]], difference: Difference | None
) -> list[dict[str, Any]]:
    if difference is None or difference.requests is None:
        return official
    wanted = difference.requests(copy.deepcopy(official))
    assert wanted != official, "this difference of the requests does not occur any more"
    return wanted


def check_outcome(
    official: dict[str, Any], ours: Any, difference: Difference | None
) -> None:
    if difference is not None and difference.raises is not None:
        assert type(ours).__name__ == difference.raises, repr(ours)
        assert official.get("error") != difference.raises, "the same by now"
    elif difference is not None and difference.gives is not None:
        found = {name: getattr(ours, name, None) for name in difference.gives}
        assert found == difference.gives, repr(ours)
        assert "error" in official, "the same by now"
    elif isinstance(ours, Exception):
        assert same_error(official, ours), f"\n{official}\n{ours!r}"
    else:
        assert value_of(ours) == official.get("value"), official
        assert disagreements(ours, official["value"]) == []


def comparable(request: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no server looks at: a Content-Type without a body."""
    kept = {**request, "query": sorted(request["query"])}
    if not request["body"]:
        del kept["content_type"]
    return kept


# -- nothing is left out -------------------------------------------------------------


def test_every_case_has_a_vector_and_every_vector_a_case(vectors):
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids))
    assert sorted(vectors) == sorted(ids)


def test_every_documented_operation_has_several_cases():
    for operation in DOCUMENTED:
        assert any(case.operation == operation for case in CASES)
    for operation in (*OPERATIONS["runs"], *OPERATIONS["triggers"]):
        assert sum(case.operation == operation for case in CASES) >= 4
    assert {case.operation for case in CASES} == set(DOCUMENTED)


@pytest.mark.parametrize("operation", DOCUMENTED)
def test_ours_has_the_operation_with_the_same_arguments_in_the_same_order(operation):
    home = abeja.Api if hasattr(abeja.Api, operation) else abeja.Catalog
    ours = getattr(home, operation)
    assert inspect.iscoroutinefunction(ours)
    parameters = inspect.signature(ours).parameters.values()
    named = [one.name for one in parameters if one.kind is not one.KEYWORD_ONLY]
    assert named[1:] == read("signatures")[operation]


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.cases[0])
def test_every_difference_is_about_a_case(row):
    assert row.reason
    assert row.requests or row.raises or row.gives
    assert all(any(row.matches(one, case.id) for case in CASES) for one in row.cases)


@pytest.mark.parametrize("connect", CONNECTIONS)
def test_every_connection_has_a_case(connect):
    assert any(case.connect == connect for case in CASES)


@pytest.mark.peer
@pytest.mark.timeout(90)
async def test_the_official_client_makes_the_same_vectors_again():
    process = await asyncio.create_subprocess_exec(
        interpreter(),
        "-m",
        "tests.wire.record_abeja",
        "--check",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 0, said.decode()
