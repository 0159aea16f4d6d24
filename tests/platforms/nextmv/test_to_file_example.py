"""The example of docs/logs-and-waits.md that keeps a log in a file, and is killed."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

import aioruns

DOCS = Path(__file__).parents[3] / "docs" / "logs-and-waits.md"
LINES = 250


def example():
    """The program, as the page has it."""
    blocks = DOCS.read_text(encoding="utf-8").split("```python\n")[1:]
    (program,) = [
        block.split("```")[0] for block in blocks if "async def to_file" in block
    ]
    return program


async def talk(job):
    for number in range(LINES):
        await job.log(f"line {number}" if number % 3 else "the same")
        await asyncio.sleep(0.01)
    return {}


def expected():
    return [f"line {number}" if number % 3 else "the same" for number in range(LINES)]


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "to_file.py"
    file.write_text(example(), encoding="utf-8")
    return file


def size(file):
    return file.stat().st_size if file.exists() else 0


def tear(file):
    """What a kill may leave: a line without its mark, and half a line."""
    with file.open("ab") as opened:
        opened.write(b"2026-05-04T21:00:00+00:00 not marked\n2026-05-04T21:0")


@pytest.mark.timeout(60)
async def test_no_line_is_lost_or_doubled_by_kills(server, program, tmp_path):
    server.nextmv.register("routing", talk)
    server.nextmv.live_delay = 0.05
    log = tmp_path / "run.log"
    async with aioruns.Nextmv(server.token, url=server.url) as nextmv:
        run = await nextmv.application("routing").submit({})
    environment = {
        **os.environ,
        "NEXTMV_API_KEY": server.token,
        "NEXTMV_ENDPOINT": server.url,
        "PYTHONPATH": str(Path(aioruns.__file__).parents[1]),
    }

    async def start():
        return await asyncio.create_subprocess_exec(
            sys.executable, str(program), "routing", run.id, str(log), env=environment
        )

    kills = 0
    while True:
        before = await asyncio.to_thread(size, log)
        child = await start()
        try:
            while child.returncode is None and kills < 3:
                if await asyncio.to_thread(size, log) > before + 200:
                    break
                await asyncio.sleep(0.003)
            if kills == 3 or child.returncode is not None:
                assert await child.wait() == 0
                break
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        kills += 1
        await asyncio.to_thread(tear, log)

    assert kills  # mostly three; a machine under load may let it end earlier
    text = await asyncio.to_thread(log.read_text)
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == expected()
