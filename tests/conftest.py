"""What all tests share: no blocking call in the event loop, and a running server."""

from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import blockbuster_ctx

from aioruns.local.server import LocalServer


@pytest.fixture(scope="session", autouse=True)
def _no_blocking_calls() -> Iterator[None]:
    """Make a blocking call of ours in the event loop an error."""
    with blockbuster_ctx("aioruns"):
        yield


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    """All four platforms, with four slots and a known token."""
    async with LocalServer(token="local-token", slots=4) as running:
        yield running
