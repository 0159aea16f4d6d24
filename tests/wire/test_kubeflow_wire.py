"""Our Kubeflow client sends what the official ones send, and reads the same answers.

The vectors were recorded from the official clients; `make vectors` records them anew.
Where ours differs on purpose, `kubeflow/differences.py` says in what, and why.
"""

import asyncio
import copy
import inspect
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.peers.running import interpreter
from tests.wire.kubeflow.case import CONNECTIONS, Case
from tests.wire.kubeflow.cases import VERSIONS
from tests.wire.kubeflow.differences import DIFFERENCES, EVERYWHERE, Difference
from tests.wire.kubeflow.operations import DOCUMENTED
from tests.wire.kubeflow.seeing import NAMES, KubeflowRecorder, returned
from tests.wire.plain import raised

import aioruns
from aioruns import kubeflow

VECTORS = Path(__file__).parent / "kubeflow" / "vectors"
ROOT = Path(__file__).parents[2]
CASES = [
    pytest.param(version, case, id=f"{version}-{case.id}")
    for version, cases in VERSIONS.items()
    for case in cases
]


@pytest.fixture(scope="module")
def recorder():
    with closing(KubeflowRecorder()) as running:
        yield running


@pytest.fixture(scope="module")
def vectors():
    return {
        version: json.loads((VECTORS / f"{version}.json").read_text())
        for version in VERSIONS
    }


@pytest.mark.parametrize(("version", "case"), CASES)
async def test_same_requests_and_same_value(version, case, vectors, recorder):
    official = vectors[version][case.id]
    difference = difference_of(case)
    recorder.play([*case.answers, *(difference.answers if difference else ())])

    outcome = await play(version, case, recorder)

    assert [comparable(one) for one in recorder.seen] == [
        comparable(one) for one in requests_wanted(official["requests"], difference)
    ]
    check_outcome(adapted(official["outcome"]), outcome, difference)


async def play(version: str, case: Case, recorder: KubeflowRecorder) -> dict[str, Any]:
    """What our client gives back for one case."""
    how = dict(CONNECTIONS[case.connect])
    host = recorder.url + how.pop("path", "")
    # What is repeated after an error is not what is compared here.
    once = aioruns.RetryPolicy(attempts=1)
    async with aioruns.Session(retry=once) as session:
        # In a thread, since it looks for files with credentials.
        client = await asyncio.to_thread(aioruns.Kubeflow, host, session=session, **how)
        service = client.run_service
        if version == "v2beta1":
            service = client.run_service_v2
        names = {**NAMES, "kfp": kubeflow, "service": service}
        try:
            value = eval(case.call, names)  # noqa: S307 - the cases are our own
            outcome = returned(await value)
        except Exception as error:  # noqa: BLE001 - what it raises is the outcome
            outcome = raised(error) | {"message": str(error)}
    return json.loads(json.dumps(outcome))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KF_PIPELINES_SA_TOKEN_PATH", raising=False)


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


def adapted(outcome: dict[str, Any]) -> dict[str, Any]:
    """The official outcome with what is different in all answers."""
    for rule in EVERYWHERE:
        outcome = rule.adapt(copy.deepcopy(outcome))
    return outcome


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
    return official["kinds"][0] in ours["kinds"]


def comparable(request: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no server looks at: a Content-Type without a body."""
    kept = dict(request)
    if not request["body"]:
        del kept["content_type"]
    return kept


@pytest.mark.parametrize("version", VERSIONS)
def test_every_case_has_a_vector_and_every_vector_a_case(version, vectors):
    ids = [case.id for case in VERSIONS[version]]
    assert len(ids) == len(set(ids))
    assert sorted(vectors[version]) == sorted(ids)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_documented_operation_has_cases(version):
    operations = {case.operation for case in VERSIONS[version]}
    assert operations == set(DOCUMENTED[version])


@pytest.mark.parametrize(
    ("version", "operation"),
    [(version, name) for version, names in DOCUMENTED.items() for name in names],
)
def test_ours_has_the_operation(version, operation):
    home = kubeflow.RunService if version == "v1beta1" else kubeflow.RunServiceV2
    assert inspect.iscoroutinefunction(getattr(home, operation))
    short = operation.removeprefix("run_service_")
    assert getattr(home, short) is getattr(home, operation)


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.cases[0])
def test_every_difference_is_about_a_case(row):
    ids = [case.id for cases in VERSIONS.values() for case in cases]
    assert row.reason
    assert all(any(row.matches(one, case_id) for case_id in ids) for one in row.cases)


@pytest.mark.parametrize("rule", EVERYWHERE, ids=lambda rule: rule.reason)
def test_every_rule_is_still_needed(rule, vectors):
    outcomes = [
        vector["outcome"] for found in vectors.values() for vector in found.values()
    ]
    assert any(rule.adapt(copy.deepcopy(one)) != one for one in outcomes)


@pytest.mark.peer
@pytest.mark.timeout(90)
@pytest.mark.parametrize("environment", [".venv-peers", ".venv-peers-kfp2"])
async def test_the_official_clients_make_the_same_vectors_again(environment):
    process = await asyncio.create_subprocess_exec(
        interpreter(environment),
        "-m",
        "tests.wire.record_kubeflow",
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
