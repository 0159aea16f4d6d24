"""Every documented word for a run's state, on all four platforms.

The words are written down here from the wire documents, and a server that says nothing
else is asked by the clients as users have them.
"""

import logging
from urllib.parse import unquote_plus

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import frozen

from aioruns import Abeja, Cloudify, Kubeflow, Nextmv, Session, wait
from aioruns.http.clock import SystemClock
from aioruns.seam import RunRef

TIME = "2026-05-04T21:00:00.000Z"

QUEUED, RUNNING = "queued", "running"
SUCCEEDED, FAILED, CANCELED = "succeeded", "failed", "canceled"
FINAL = {SUCCEEDED, FAILED, CANCELED}


@frozen
class Words:
    """What a document says of a platform's words.

    Attributes:
        final: Words that it calls terminal, and what they mean.
        others: The words that it does not call terminal, and what they mean.
    """

    final: dict
    others: dict


NEXTMV = Words(  # wire/nextmv.md 4.4
    final={"succeeded": SUCCEEDED, "failed": FAILED, "canceled": CANCELED},
    others={"none": QUEUED, "queued": QUEUED, "running": RUNNING},
)
KUBEFLOW_V1 = Words(  # wire/kubeflow.md 4.1
    final={
        "Succeeded": SUCCEEDED,
        "Failed": FAILED,
        "Error": FAILED,
        "Skipped": SUCCEEDED,
    },
    others={
        "": QUEUED,
        "Pending": QUEUED,
        "Running": RUNNING,
        "Terminating": RUNNING,
        "Unknown": QUEUED,
    },
)
KUBEFLOW_V2 = Words(  # wire/kubeflow.md 4.2
    final={
        "SUCCEEDED": SUCCEEDED,
        "SKIPPED": SUCCEEDED,
        "FAILED": FAILED,
        "CANCELED": CANCELED,
    },
    others={
        "RUNTIME_STATE_UNSPECIFIED": QUEUED,
        "PENDING": QUEUED,
        "RUNNING": RUNNING,
        "CANCELING": RUNNING,
        "PAUSED": QUEUED,
    },
)
ABEJA = Words(  # wire/abeja.md 3.2
    final={"SUCCEEDED": SUCCEEDED, "FAILED": FAILED},
    others={
        "SUBMITTED": QUEUED,
        "PENDING": QUEUED,
        "RUNNABLE": QUEUED,
        "STARTING": QUEUED,
        "RUNNING": RUNNING,
    },
)
CLOUDIFY = Words(  # wire/cloudify.md 3.2.1
    final={"terminated": SUCCEEDED, "failed": FAILED, "cancelled": CANCELED},
    others={
        "pending": QUEUED,
        "started": RUNNING,
        "cancelling": RUNNING,
        "force_cancelling": RUNNING,
        "kill_cancelling": RUNNING,
        "queued": QUEUED,
        "scheduled": QUEUED,
    },
)
DOCUMENTED = {
    "nextmv": NEXTMV,
    "kubeflow v1beta1": KUBEFLOW_V1,
    "kubeflow v2beta1": KUBEFLOW_V2,
    "abeja": ABEJA,
    "cloudify": CLOUDIFY,
}


class Saying:
    """A server of all four APIs whose runs have the words that they are given."""

    def __init__(self):
        self.words = {}

    async def answer(self, request):
        kind = request.path.split("/")[1]
        if kind == "v1":
            told = self.nextmv(request)
        elif kind == "apis":
            told = self.kubeflow(request)
        elif kind == "organizations":
            told = self.abeja(request)
        else:
            told = self.cloudify(request)
        return web.json_response(told)

    def rows(self, request, ids, words, **more):
        """All runs that the query names, or that there are."""
        asked = unquote_plus(request.query_string)
        named = [name for name in self.words if name in asked]
        return [
            {ids: name, words: self.words[name], **more} for name in named or self.words
        ]

    def nextmv(self, request):
        if request.path.endswith("/runs"):
            more = {"created_at": TIME, "name": "", "description": ""}
            return {"runs": self.rows(request, "id", "status_v2", **more)}
        run_id = request.path.split("/")[-2]
        metadata = {
            "application_id": "a",
            "application_instance_id": "",
            "application_version_id": "",
            "created_at": TIME,
            "duration": 1,
            "error": "",
            "input_size": 1,
            "output_size": 1,
            "format": {"input": {"type": "json"}, "output": {"type": "json"}},
            "status_v2": self.words[run_id],
        }
        texts = dict.fromkeys(("name", "description", "user_email"), "")
        return {"id": run_id, **texts, "metadata": metadata}

    def kubeflow(self, request):
        if request.path.endswith("/healthz"):
            return {"multi_user": False}
        if request.path == "/apis/v1beta1/runs":
            return {"runs": self.rows(request, "id", "status", created_at=TIME)}
        if request.path == "/apis/v2beta1/runs":
            return {"runs": self.rows(request, "run_id", "state", created_at=TIME)}
        run_id = request.path.split("/")[-1]
        run = {"id": run_id, "status": self.words[run_id], "created_at": TIME}
        return {"run": run, "pipeline_runtime": {"workflow_manifest": "{}"}}

    def abeja(self, request):
        more = {"created_at": TIME, "modified_at": TIME}
        if request.path.endswith("/runs"):
            return {"entries": self.rows(request, "run_id", "status", **more)}
        run_id = request.path.split("/")[-1]
        return {"run_id": run_id, "status": self.words[run_id], **more}

    def cloudify(self, request):
        run_id = request.path.split("/")[-1]
        if run_id in self.words:
            return {"id": run_id, "status": self.words[run_id], "created_at": TIME}
        items = self.rows(request, "id", "status", created_at=TIME)
        total = len(items)
        pagination = {"total": total, "size": total, "offset": 0}
        return {"items": items, "metadata": {"pagination": pagination}}


@pytest.fixture
async def saying():
    told = Saying()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", told.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        told.url = str(server.make_url("")).rstrip("/")
        yield told


class Hurried(SystemClock):
    """A clock on which a second takes twenty milliseconds."""

    def now(self):
        return super().now() * 50

    async def sleep(self, seconds):
        await super().sleep(seconds / 50)

    async def wait(self, event, seconds):
        await super().wait(event, seconds / 50)

    def limit(self, seconds):
        return super().limit(seconds / 50)


@pytest.fixture
async def session():
    async with Session(clock=Hurried()) as opened:
        yield opened


def connect(name, url, session):
    """The client of a platform, and what its runs belong to."""
    platform, _, version = name.partition(" ")
    if platform == "nextmv":
        return Nextmv("k", url=url, session=session), "a"
    if platform == "kubeflow":
        return Kubeflow(url, token="t", api_version=version, session=session), ""
    if platform == "abeja":
        return Abeja("o", auth_token="t", url=url, session=session), "d"
    return Cloudify(url, token="t", session=session), "b"


def uuid(number):
    return f"00000000-0000-4000-8000-{number:012}"


async def read(name, saying, session, words):
    """Read runs that have these words, at once; return the statuses by word."""
    client, target = connect(name, saying.url, session)
    saying.words = {uuid(number): word for number, word in enumerate(words)}
    refs = [RunRef(target, run_id) for run_id in saying.words]
    found = await client.runs.platform.read_states(refs, {})
    return {saying.words[ref.id]: status for ref, status in found.items()}


def documented():
    for name, words in DOCUMENTED.items():
        for word, state in (words.final | words.others).items():
            yield pytest.param(
                name, word, state, word in words.final, id=f"{name}-{word}"
            )


@pytest.mark.parametrize("name", DOCUMENTED)
async def test_documented_words_mean_what_they_say_when_many_runs_are_read(
    name, saying, session
):
    words = DOCUMENTED[name]
    # Twice each, as no platform reads a few runs like many.
    found = await read(name, saying, session, [*words.final, *words.others] * 2)
    states = {word: status.state.value for word, status in found.items()}
    assert states == words.final | words.others
    final = {word for word, status in found.items() if status.state.final}
    assert final == set(words.final)
    assert all(status.text == word for word, status in found.items())


@pytest.mark.parametrize(("name", "word", "state", "final"), [*documented()])
async def test_a_documented_word_means_what_it_says_when_one_run_is_read(
    name, word, state, final, saying, session
):
    if name == "kubeflow v2beta1":
        # Single runs are read by v1beta1, whose words those are (wire/kubeflow.md 4.2).
        assert final == (state in FINAL)
        return
    found = await read(name, saying, session, [word])
    assert found[word].state.value == state
    assert found[word].state.final == final


@pytest.mark.parametrize("word", ["resting", "SUCCEEDED_PARTLY", "Final"])
@pytest.mark.parametrize("name", DOCUMENTED)
async def test_an_unknown_word_is_not_final_and_is_told_once(
    name, word, saying, session, caplog
):
    caplog.set_level(logging.WARNING, "aioruns")
    client, target = connect(name, saying.url, session)
    saying.words = {uuid(number): word for number in range(12)}
    runs = [client.runs.run(target, run_id) for run_id in saying.words]
    for _ in range(2):
        for run in runs[:2]:
            status = await run.status()
            assert (status.state.value, status.text) == ("unknown", word)
            assert not status.state.final
    waited = await wait(runs, within=5)  # of the hurried seconds
    assert not waited.done
    assert list(waited.pending) == runs
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"{client.origin.platform} names a run state that is not documented: {word!r}"
    ]


def test_these_are_all_words_of_the_documents():
    counts = {name: (len(w.final), len(w.others)) for name, w in DOCUMENTED.items()}
    assert counts == {
        "nextmv": (3, 3),
        "kubeflow v1beta1": (4, 5),
        "kubeflow v2beta1": (4, 5),
        "abeja": (2, 5),
        "cloudify": (3, 7),
    }
