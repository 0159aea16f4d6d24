"""Reading, polling, assets and packages, against the local run server."""

import asyncio
import json
import sys
import time
import zipfile
from datetime import UTC, datetime

import anyio
import pytest

import aioruns
from aioruns import Nextmv, Session
from aioruns.errors import GaveUp, NotFound
from aioruns.platforms.nextmv import (
    Application,
    PollingOptions,
    TrackedRun,
    TrackedRunStatus,
    list_applications,
)

QUICK = PollingOptions(initial_delay=0, delay=0.5, backoff=0, jitter=0)
PROGRAM = """\
import json, sys
given = json.load(sys.stdin)
print("given", given["number"], file=sys.stderr)
if given["number"] < 0:
    sys.exit("too small")
json.dump({"twice": 2 * given["number"]}, sys.stdout)
"""
FILES = """\
from pathlib import Path
out = Path("outputs/solutions")
out.mkdir(parents=True, exist_ok=True)
for file in Path("inputs").iterdir():
    (out / file.name).write_text(file.read_text().upper())
"""


class Hurried:
    """A clock on which a second takes twenty milliseconds."""

    pace = 50.0

    def now(self):
        return time.monotonic() * self.pace

    def utc(self):
        return datetime.now(UTC)

    async def sleep(self, seconds):
        await anyio.sleep(seconds / self.pace)

    async def wait(self, event, seconds):
        with anyio.move_on_after(seconds / self.pace):
            await event.wait()

    def limit(self, seconds):
        return anyio.move_on_after(seconds / self.pace)


@pytest.fixture
async def nextmv(server):
    async with Session(clock=Hurried()) as session:
        server.nextmv.live_delay = 0.5  # of the hurried seconds
        yield Nextmv(server.token, url=server.url, session=session)


@pytest.fixture
async def app(nextmv, tmp_path):
    made = await Application.new(nextmv, "The fleet", "fleet")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(PROGRAM)
    (tmp_path / "app" / "app.yaml").write_text("files: [main.py]\n")
    await made.push(app_dir=tmp_path / "app", version_id="v1")
    return made


async def test_ported_code_runs(nextmv, app):
    app = await aioruns.nextmv.Application.get(nextmv, "fleet")
    result = await app.new_run_with_result(
        input={"number": 21}, run_options={"seed": 1}, polling_options=QUICK
    )
    assert result.output == {"twice": 42}
    assert result.metadata.status_v2 == "succeeded"
    assert result.metadata.run_is_finalized()
    assert [version.id for version in await app.list_versions()] == ["v1"]
    assert [one.id for one in await list_applications(nextmv)] == ["fleet"]

    lines = await app.run_logs_with_polling(result.id, polling_options=QUICK)
    assert [line.log for line in lines] == ["given 21"]
    assert (await app.run_logs(result.id)).log.strip() == "given 21"
    assert await app.run_input(result.id) == {"number": 21}
    assert await app.run_output(result.id) == {"twice": 42}
    assert [run.id for run in await app.list_runs(status="succeeded")] == [result.id]
    assert await app.list_runs(status="failed") == []


async def test_a_run_that_fails_keeps_its_error_log(app):
    result = await app.new_run_with_result({"number": -1}, polling_options=QUICK)
    assert result.metadata.status_v2 == "failed"
    assert "too small" in result.error_log.stderr
    assert result.output is None


async def test_clones_and_comparisons(app):
    first = await app.new_run_with_result(
        {"number": 1}, run_options={"seed": 1}, name="first", polling_options=QUICK
    )
    clone = await app.clone_run_with_result(first.id, polling_options=QUICK)
    assert clone.output == first.output
    assert clone.name == "first clone"
    assert clone.metadata.tracking.cloned_run_id == first.id
    found = await app.compare_runs([first.id, clone.id])
    assert found.information["name"].has_differences
    assert not found.options["seed"].has_differences
    await app.delete_run(first.id)
    with pytest.raises(NotFound):
        await app.run_information(first.id)


async def test_live_logs_come_as_they_are_written(server, nextmv):
    async def talk(job):
        for number in range(5):
            await job.log(f"line {number}")
            await asyncio.sleep(0.03)
        return {}

    server.nextmv.register("talk", talk)
    app = nextmv.application("talk")
    run_id = await app.new_run({})
    heard = []
    lines = await app.run_logs_with_polling(
        run_id, polling_options=QUICK, log_func=lambda line: heard.append(line.log)
    )
    assert [line.log for line in lines] == [f"line {number}" for number in range(5)]
    assert sorted(heard) == [line.log for line in lines]


async def test_a_run_that_takes_too_long_can_be_canceled(server, nextmv):
    async def forever(job):
        await job.log("started")
        await asyncio.Event().wait()

    server.nextmv.register("forever", forever)
    app = nextmv.application("forever")
    run_id = await app.new_run({})
    with pytest.raises(GaveUp, match=f"run {run_id}"):
        await app.run_result_with_polling(run_id, PollingOptions(max_duration=1))
    await app.cancel_run(run_id)
    result = await app.run_result_with_polling(run_id, QUICK)
    assert result.metadata.status_v2 == "canceled"


async def test_files_in_and_out(nextmv, tmp_path):
    app = await Application.new(nextmv, "Files", "files")
    place = tmp_path / "program"
    place.mkdir()
    (place / "main.py").write_text(FILES)
    (place / "app.yaml").write_text(
        "files: [main.py]\nconfiguration: {content: {format: multi-file}}\n"
    )
    await app.push(app_dir=place)
    given = tmp_path / "given"
    given.mkdir()
    (given / "a.txt").write_text("small")
    result = await app.new_run_with_result(
        input_dir_path=given, output_dir_path=tmp_path / "out", polling_options=QUICK
    )
    assert result.metadata.status_v2 == "succeeded", result.error_log
    found = {path.name: path.read_text() for path in (tmp_path / "out").rglob("a.txt")}
    assert found == {"a.txt": "SMALL"}
    await app.run_input(result.id, tmp_path / "back")
    assert (tmp_path / "back" / "a.txt").read_text() == "small"

    clone = await app.clone_run_with_result(
        result.id, output_dir_path=tmp_path / "again", polling_options=QUICK
    )
    assert clone.metadata.status_v2 == "succeeded"
    assert list((tmp_path / "again").rglob("a.txt"))


async def test_assets_of_a_tracked_run(app, tmp_path):
    result = await app.track_run_with_result(
        TrackedRun(
            TrackedRunStatus.SUCCEEDED,
            input={"number": 1},
            output={"value": 1},
            assets=[{"name": "plot", "content": {"x": [1, 2]}, "content_type": "json"}],
        ),
        polling_options=QUICK,
    )
    assert result.output == {"value": 1}
    (asset,) = await app.list_assets(result.id)
    assert (asset.name, asset.run_id) == ("plot", result.id)
    assert await app.download_asset_content(asset) == {"x": [1, 2]}
    file = tmp_path / "plot.json"
    await app.download_asset_content(asset, file)
    assert json.loads(file.read_text()) == {"x": [1, 2]}


async def test_a_large_result_is_streamed_with_progress(server, nextmv):
    text = "x" * (6 * 1024 * 1024)

    async def much(job):
        return {"text": text}

    server.nextmv.register("much", much)
    app = nextmv.application("much")
    run_id = await app.new_run({})
    await app.run_result_with_polling(run_id, QUICK)
    seen = []
    result = await app.run_result(run_id, progress=lambda *counts: seen.append(counts))
    assert result.output == {"text": text}
    assert len(seen) > 1
    assert seen[-1][0] == seen[-1][1] > len(text)


async def test_bundled_packages_are_there_when_the_program_runs(
    nextmv, tmp_path, monkeypatch
):
    place = tmp_path / "program"
    place.mkdir()
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(place / "tiny-1.0-py3-none-any.whl", "w") as made:
        made.writestr("tiny.py", "WORD = 'tiny'\n")
        made.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    (place / "main.py").write_text(
        "import json, sys, tiny\njson.dump({'word': tiny.WORD}, sys.stdout)\n"
    )
    (place / "app.yaml").write_text(
        "files: [main.py]\n"
        "python:\n"
        "  pip-requirements: [./tiny-1.0-py3-none-any.whl]\n"
        f"  version: '3.{sys.version_info.minor}'\n"
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    app = await Application.new(nextmv, "Tiny", "tiny")
    await app.push(app_dir=place)
    result = await app.new_run_with_result({}, polling_options=QUICK)
    assert result.output == {"word": "tiny"}
