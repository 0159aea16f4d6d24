"""pytest fixtures for code that uses aioruns; pytest finds them by itself.

They need pytest-asyncio and the extra `cli`, which holds the local run server.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from aioruns.local import LocalServer


@pytest_asyncio.fixture
async def aioruns_server() -> "AsyncIterator[LocalServer]":
    """A local run server on a free loopback port.

    Example:
        ```python
        async def test_my_service(aioruns_server):
            aioruns_server.nextmv.register("routing", my_program)
            async with aioruns.Nextmv(
                aioruns_server.token, url=aioruns_server.url
            ) as nextmv:
                ...
        ```
    """
    from aioruns.local import LocalServer  # noqa: PLC0415 - loaded only when asked for

    async with LocalServer() as server:
        yield server
