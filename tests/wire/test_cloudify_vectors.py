"""The recorded vectors are what the official client does, and nothing was edited."""

import asyncio
from pathlib import Path

import pytest
from tests.peers.running import interpreter

ROOT = Path(__file__).parents[2]


@pytest.mark.peer
@pytest.mark.timeout(90)
async def test_the_official_client_makes_the_same_vectors_again():
    process = await asyncio.create_subprocess_exec(
        interpreter(),
        "-m",
        "tests.wire.record_cloudify",
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
