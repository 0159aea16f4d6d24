"""Seeds, the fast world, and the zygote.

`AIORUNS_SEED=7` repeats one seed; `TORTURE_SEEDS=300` runs more of them than usual.
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.faults.clock import FastClock
from tests.faults.followers import Followers

from aioruns.local import records

_SEEDS = 20
"""Seeds of a test; one that asks for `rare_seed` gets a fifth of them."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one = os.environ.get("AIORUNS_SEED")
    count = int(os.environ.get("TORTURE_SEEDS", _SEEDS))
    for name, share in (("seed", 1), ("rare_seed", 5)):
        if name in metafunc.fixturenames:
            seeds = [int(one)] if one else range(max(1, count // share))
            metafunc.parametrize(name, seeds, ids=[f"seed{seed}" for seed in seeds])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FastClock:
    """The time of the client and of the local server."""
    clock = FastClock()
    for name, module in list(sys.modules.items()):
        if name.startswith("aioruns.local"):
            for attribute, value in list(vars(module).items()):
                if value is records.utcnow and module is not records:
                    monkeypatch.setattr(module, attribute, clock.utc)
    monkeypatch.setattr(records, "utcnow", clock.utc)
    return clock


@pytest.fixture(scope="session")
def _zygote() -> Iterator[Followers]:
    followers = Followers()
    followers.open()
    yield followers
    followers.close()


@pytest.fixture
async def followers(_zygote: Followers) -> AsyncIterator[Followers]:
    """Processes that follow logs, and can be killed."""
    _zygote.attach()
    yield _zygote
    await _zygote.detach()
