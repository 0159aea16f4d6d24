"""What a process does that may be killed: follow a log, and put each line on disk.

One record a line of JSON, in one write to a file that is only appended to: either the
whole record is there, line and cursor, or it is torn and counts for nothing.
"""

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict, evolve, frozen
from tests.faults.clock import FastClock

from aioruns import Abeja, Cloudify, Kubeflow, Nextmv, Session
from aioruns.errors import AiorunsError
from aioruns.logs import LogStream
from aioruns.runs import Run
from aioruns.seam import RunRef

ORGANIZATION = "1000000000001"

CLIENTS: dict[str, Callable[..., AbstractAsyncContextManager[Any]]] = {
    "nextmv": lambda url, token, session: Nextmv(token, url=url, session=session),
    "kubeflow": lambda url, token, session: Kubeflow(url, token=token, session=session),
    "abeja": lambda url, token, session: Abeja(
        ORGANIZATION, auth_token=token, url=url, session=session
    ),
    "cloudify": lambda url, token, session: Cloudify(url, token=token, session=session),
}


@frozen
class Job:
    """What a follower is told.

    Attributes:
        platform: Whose client it uses.
        url: Where the server is.
        token: The server's secret.
        target: The run's scope.
        run: The run's id.
        out: The file of records.
        epoch: Of the clock.
        pace: Of the clock.
        timeout: Seconds of the machine for one attempt.
        cursor: Where to go on.
        busy: Longest pause after a line, in seconds of the clock.
        since: Time of the first line that is wanted.
        until: Time of the first line that is not.
    """

    platform: str
    url: str
    token: str
    target: str
    run: str
    out: str
    epoch: float
    pace: float
    timeout: float = 1.0
    cursor: str | None = None
    busy: float = 0.0
    since: datetime | None = None
    until: datetime | None = None

    def dumps(self) -> bytes:
        """As one line of JSON."""
        return orjson.dumps(asdict(self))


@frozen
class Record:
    """One line of the file: an event with its cursor, the end, or an error."""

    kind: str
    cursor: str = ""
    time: str = ""
    source: str = ""
    message: str = ""


def read_records(out: Path) -> list[Record]:
    """The records of a file; a torn last one is cut off."""
    data = out.read_bytes() if out.exists() else b""
    whole, _, torn = data.rpartition(b"\n")
    if torn:
        os.truncate(out, len(data) - len(torn))
    return [Record(*orjson.loads(line)) for line in whole.splitlines()]


def count_records(out: Path) -> int:
    """How many whole records there are now."""
    return out.read_bytes().count(b"\n") if out.exists() else 0


def run_job(line: bytes) -> None:
    """Follow to the end, or until somebody kills this process."""
    job = Job(**orjson.loads(line))
    times = [time and datetime.fromisoformat(time) for time in (job.since, job.until)]
    asyncio.run(_follow(evolve(job, since=times[0], until=times[1])))


def _stream(run: Run, job: Job) -> LogStream:
    if job.cursor is not None:
        return run.logs(cursor=job.cursor)  # it knows the times
    return run.logs(since=job.since, until=job.until)


async def _follow(job: Job) -> None:
    clock = FastClock(job.pace, job.epoch)
    file = os.open(job.out, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(record: Record) -> None:
        values = (record.kind, record.cursor, record.time, record.source)
        os.write(file, orjson.dumps((*values, record.message)) + b"\n")

    session = Session(timeout=job.timeout, clock=clock)
    async with session, CLIENTS[job.platform](job.url, job.token, session) as client:
        run = Run(client.runs, RunRef(job.target, job.run))
        stream = _stream(run, job)
        try:
            async for event in stream:
                at = event.timestamp.isoformat()
                write(Record("line", stream.cursor, at, event.source, event.message))
                if job.busy and random.random() < 0.1:
                    await clock.sleep(random.uniform(0, job.busy))
            status = await run.wait()
            write(Record("end", stream.cursor, message=status.state.value))
        except AiorunsError as error:
            said = f"{type(error).__name__}: {error}"
            write(Record("error", stream.cursor, message=said))
