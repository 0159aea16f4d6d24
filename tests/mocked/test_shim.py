"""The repair of aioresponses, for as long as it is needed."""

import aiohttp
import pytest
from aioresponses import aioresponses, core
from tests.mocked import shim

URL = "https://api.example.org/"


async def get():
    with aioresponses() as mocked:
        mocked.get(URL, payload={"well": True}, headers={"X-Id": "7"})
        async with aiohttp.ClientSession() as session, session.get(URL) as answer:
            return answer.status, answer.headers["x-id"], await answer.json()


async def test_mocked_answers_can_be_read():
    assert await get() == (200, "7", {"well": True})


@pytest.mark.skipif(not shim.NEEDED, reason="aiohttp before 3.14 needs no shim")
async def test_the_shim_is_still_needed(monkeypatch):
    monkeypatch.setattr(core, "ClientResponse", aiohttp.ClientResponse)
    try:
        await get()
    except TypeError as error:
        assert "stream_writer" in str(error)  # noqa: PT017 - the text is the fact
    else:
        pytest.fail(
            "aioresponses answers without help again: delete tests/mocked/shim.py, "
            "the fixture _shim and this test"
        )
