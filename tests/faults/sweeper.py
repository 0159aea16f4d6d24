"""What a process does that may be killed in the middle of a sweep with a journal.

It writes one record a line for each outcome, in one write each, and a last one when the
sweep has come to its end.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
from attrs import asdict, frozen
from tests.faults.clock import FastClock
from tests.faults.follower import CLIENTS
from tests.faults.grounds import GROUNDS

from aioruns import Session, as_completed
from aioruns.batch import Outcome


@frozen
class SweepJob:
    """What a sweeper is told.

    Attributes:
        platform: Whose client it uses.
        url: Where the server is.
        token: The server's secret.
        journal: The journal's file.
        out: The file of records, which is begun anew.
        epoch: Of the clock.
        pace: Of the clock.
        count: How many seeds are swept.
        max_active: As of `as_completed`.
        retry_failed: As of `as_completed`.
        cancel_remote: As of `as_completed`.
        timeout: Seconds of the machine for one attempt.
    """

    platform: str
    url: str
    token: str
    journal: str
    out: str
    epoch: float
    pace: float
    count: int
    max_active: int = 8
    retry_failed: int = 0
    cancel_remote: bool = False
    timeout: float = 1.0

    def dumps(self) -> bytes:
        """As one line of JSON."""
        return orjson.dumps(asdict(self))


@frozen
class Told:
    """What a sweeper tells of one outcome.

    Attributes:
        seed: The spec's place in the input, which is its seed.
        state: How the run ended.
        result: The seed that the result tells; None if there is none.
        runs: The ids of all attempts.
        error: What went wrong; empty if nothing did.
    """

    seed: int
    state: str
    result: int | None
    runs: list[str | None]
    error: str


def read_told(out: Path) -> tuple[list[Told], bool]:
    """What a sweeper has told, and whether it came to its end."""
    data = out.read_bytes() if out.exists() else b""
    lines = [orjson.loads(line) for line in data.split(b"\n")[:-1]]
    ended = bool(lines) and lines[-1] == "end"
    return [Told(*line) for line in lines if line != "end"], ended


def run_sweep(line: bytes) -> None:
    """Sweep to the end, or until somebody kills this process."""
    asyncio.run(sweep(SweepJob(**orjson.loads(line))))


async def sweep(job: SweepJob) -> None:
    """Sweep to the end."""
    file = os.open(job.out, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_APPEND)
    ground = GROUNDS[job.platform]
    async for one in _outcomes(job):
        result = ground.seed(one.result) if one.result is not None else None
        runs = [each.run and each.run.id for each in (*one.earlier, one)]
        error = f"{type(one.error).__name__}: {one.error}" if one.error else ""
        told = (one.index, one.state.value, result, runs, error)
        os.write(file, orjson.dumps(told) + b"\n")
    os.write(file, b'"end"\n')


async def _outcomes(job: SweepJob) -> AsyncIterator[Outcome]:
    clock = FastClock(job.pace, job.epoch)
    session = Session(timeout=job.timeout, clock=clock)
    async with session, CLIENTS[job.platform](job.url, job.token, session) as client:
        specs = GROUNDS[job.platform].specs(client, job.count)
        async with as_completed(
            specs,
            max_active=job.max_active,
            retry_failed=job.retry_failed,
            cancel_remote=job.cancel_remote,
            journal=job.journal,
        ) as outcomes:
            async for outcome in outcomes:
                yield outcome
