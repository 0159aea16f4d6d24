"""States of many runs: few requests, and few objects."""

import json
import math
from urllib.parse import parse_qs, unquote_plus

import pytest

from aioruns.errors import CallError, Unreadable
from aioruns.http.auth import Headers
from aioruns.http.codec import decode
from aioruns.origin import Origin
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow.adapter import Adapter
from aioruns.seam import RunRef, RunState


class Server(Client):
    """Knows the words of runs, and counts what it is asked."""

    def __init__(self, words, version="v1beta1"):
        super().__init__(Origin("kubeflow", "http://kfp", Headers({})), None)
        self.words = words
        self.key, self.word = (
            ("id", "status") if version == "v1beta1" else ("run_id", "state")
        )
        self.listed, self.single = [], []
        self.page = None

    async def send(self, request):
        return decode(self.answer(request), request.returns)

    def answer(self, request):
        if "healthz" in request.path:
            return b"{}"
        if not request.encoded_query:
            run_id = request.path.rpartition("/")[2]
            self.single.append(run_id)
            return json.dumps(
                {"run": {"id": run_id, "status": self.words[run_id]}}
            ).encode()
        (text,) = parse_qs(request.encoded_query)["filter"]
        (predicate,) = json.loads(unquote_plus(text))["predicates"]
        ids = predicate["string_values"]["values"]
        self.listed.append(len(ids))
        if self.page is not None:
            return self.page
        rows = [
            {
                self.key: run_id,
                self.word: self.words[run_id],
                "created_at": "2024-05-01T10:00:00Z",
            }
            for run_id in ids
            if run_id in self.words
        ]
        return json.dumps({"runs": rows, "total_size": len(rows)}).encode()


REFS = [RunRef("", f"6a0e6c1e-0001-4c8f-9d11-{number:012}") for number in range(250)]


@pytest.mark.parametrize("version", ["v1beta1", "v2beta1"])
async def test_a_round_keeps_what_has_not_changed(version):
    server = Server({ref.id: "Running" for ref in REFS}, version)
    adapter = Adapter(server, version)
    known = await adapter.read_states(REFS, {})
    assert {status.state for status in known.values()} == {RunState.RUNNING}
    assert known[REFS[0]].created is not None
    server.words[REFS[3].id] = "Succeeded"
    server.words[REFS[4].id] = "Failed"
    del server.words[REFS[5].id]
    again = await adapter.read_states(REFS, known)
    assert set(REFS) - set(again) == {REFS[5]}
    new = [ref for ref in again if again[ref] is not known[ref]]
    assert sorted(new, key=lambda ref: ref.id) == REFS[3:5]
    assert again[REFS[3]].state is RunState.SUCCEEDED
    assert again[REFS[4]].state is RunState.FAILED
    third = await adapter.read_states(REFS, again)
    assert third[REFS[4]] is again[REFS[4]]
    assert server.single == [REFS[4].id]  # why it failed, asked once
    assert server.listed == [100, 100, 50] * 3


@pytest.mark.parametrize("count", [2, 100, 101, 250])
async def test_one_listing_for_a_hundred_runs(count):
    server = Server({ref.id: "Pending" for ref in REFS})
    found = await Adapter(server).read_states(REFS[:count], {})
    assert len(found) == count
    assert len(server.listed) == math.ceil(count / 100)
    assert server.single == []


async def test_handles_of_one_run_are_all_answered():
    server = Server({ref.id: "Running" for ref in REFS})
    named = RunRef("e-11", REFS[0].id)
    for refs in ([REFS[0], named], [REFS[0], REFS[1], named]):
        found = await Adapter(server).read_states(refs, {})
        assert {ref: status.ref for ref, status in found.items()} == {
            ref: ref for ref in refs
        }


async def test_a_run_without_a_word_may_have_become_unreadable():
    server = Server({ref.id: "" for ref in REFS})
    adapter = Adapter(server)
    known = await adapter.read_states(REFS[:2], {})
    assert known[REFS[0]].state is RunState.QUEUED
    rows = [
        {"id": REFS[0].id, "status": "", "error": "cannot convert"},
        {"id": REFS[1].id},
    ]
    server.page = json.dumps({"runs": rows}).encode()
    found = await adapter.read_states(REFS[:2], known)
    assert found[REFS[0]].state is RunState.UNKNOWN
    assert found[REFS[0]].reason == "cannot convert"
    assert found[REFS[1]].state is RunState.QUEUED


@pytest.mark.parametrize(
    "page",
    [
        {"runs": {"id": "a"}},
        {"runs": "abc"},
        {"runs": 7},
        {"runs": ["a"]},
        {"runs": [None]},
        {"runs": [{"name": "n"}]},
        {"runs": [{"id": []}]},
        {"runs": [{"id": 7}]},
        {"runs": [{"id": REFS[0].id, "status": 7}]},
        {"runs": [{"id": REFS[0].id, "status": "Running", "created_at": "never"}]},
    ],
)
async def test_a_listing_of_another_form_is_unreadable(page):
    server = Server({})
    server.page = json.dumps(page).encode()
    adapter = Adapter(server)
    with pytest.raises(Unreadable, match="listing of runs") as caught:
        await adapter.read_states(REFS[:2], {})
    assert isinstance(caught.value, CallError)
    assert caught.value.context.url == "http://kfp/apis/v1beta1/runs"
