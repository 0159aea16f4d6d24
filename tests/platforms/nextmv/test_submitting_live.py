"""Submitting to Nextmv over real sockets: what arrives, and how often."""

import asyncio

import pytest

from aioruns import Nextmv
from aioruns.errors import OutcomeUnknown, SessionNotOpen
from aioruns.http.request import Request
from aioruns.local.faults import Fault
from aioruns.platforms.nextmv import TrackedRun, TrackedRunStatus

SUBMITTING = r"^POST .*/runs$"


@pytest.fixture
async def app(server):
    async with Nextmv(server.token, url=server.url) as nextmv:
        yield nextmv.application("routing")


@pytest.fixture
def directory(tmp_path):
    place = tmp_path / "files"
    (place / "deep").mkdir(parents=True)
    (place / "stops.csv").write_text("id\n1\n")
    (place / "deep" / "notes.txt").write_text("ünïcode")
    return place


async def files(job):
    return await asyncio.to_thread(_read, job.directory / "inputs")


def _read(found):
    return {
        file.relative_to(found).as_posix(): file.read_text()
        for file in found.rglob("*")
        if file.is_file()
    }


async def echo(job):
    return {"stdin": job.stdin.decode()}


@pytest.mark.parametrize("way", ["input_dir_path", "input"])
async def test_the_files_of_a_directory_arrive(server, app, directory, way):
    server.nextmv.register("routing", files)
    configuration = {
        "format": {"input": {"type": "multi-file"}, "output": {"type": "json"}}
    }
    run = await app.submit(**{way: directory}, configuration=configuration)
    assert await run.result() == {"stops.csv": "id\n1\n", "deep/notes.txt": "ünïcode"}


async def test_text_and_files_arrive_as_they_are(server, app, directory):
    server.nextmv.register("routing", echo)
    for given in ("id\n1\n", directory / "stops.csv"):
        run = app.run(await app.new_run(given))
        assert await run.result() == {"stdin": "id\n1\n"}


async def test_progress_is_told_while_a_file_is_uploaded(server, app, tmp_path):
    server.nextmv.register("routing", echo)
    size = 3 * 1024 * 1024
    (tmp_path / "large.csv").write_bytes(b"x" * size)
    told = []
    await app.new_run(tmp_path / "large.csv", progress=lambda *now: told.append(now))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (size, size)
    assert len(told) >= 3


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "503"])
async def test_a_post_sent_up_to_eleven_times(server, app, fault):
    server.nextmv.register("routing", echo)
    server.faults.add(Fault(fault, SUBMITTING))
    with pytest.raises(Exception, match=r"503|closed the connection") as caught:
        await app.new_run({"a": 1})
    assert caught.value.maybe_acted
    assert isinstance(caught.value, OutcomeUnknown) == fault.startswith("drop")
    assert server.faults.counts == {fault: 1}
    assert len(server.engine.runs("nextmv")) == (fault == "drop-after")


async def test_a_refusal_because_of_a_rate_is_sent_again(server, app):
    server.nextmv.register("routing", echo)
    server.faults.add(Fault("429", SUBMITTING, times=2))
    run_id = await app.new_run({"a": 1})
    assert [run.id for run in server.engine.runs("nextmv")] == [run_id]


async def test_a_submission_of_files_in_doubt_is_one_run(server, app, directory):
    server.nextmv.register("routing", files)
    server.faults.add(Fault("drop-after", SUBMITTING, times=1))
    run = await app.submit(input_dir_path=directory)
    assert [one.id for one in server.engine.runs("nextmv")] == [run.id]


async def test_a_tracked_run_reads_as_it_was(server, app):
    server.nextmv.register("routing", echo)
    tracked = TrackedRun(
        TrackedRunStatus.FAILED,
        {"a": 1},
        duration=1500,
        error="no route",
        logs=["one", "two"],
        name="elsewhere",
    )
    run = app.run(await app.track_run(tracked))
    status = await run.wait(within=10)
    assert (status.text, status.reason) == ("failed", "no route")
    path = f"/v1/applications/routing/runs/{run.id}/logs"
    answer = await app.client.send(Request("GET", path, dict[str, str]))
    assert answer["log"].splitlines() == ["one", "two"]


async def test_a_client_that_is_not_open_says_so(directory):
    app = Nextmv("k", url="http://127.0.0.1:1").application("routing")
    with pytest.raises(SessionNotOpen):
        await app.new_run(input_dir_path=directory)
