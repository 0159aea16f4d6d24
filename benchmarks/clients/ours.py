"""aioruns, as a user has it, against the stub server."""

import asyncio
from collections.abc import Collection, Iterator, Mapping

import anyio
from attrs import define, field

import aioruns
from aioruns.http.clock import SystemClock
from aioruns.platforms.client import Client
from aioruns.seam import Platform, RunRef, Status
from benchmarks.child import Meter, cpu
from benchmarks.clients.places import (
    APP,
    DEPLOYMENT,
    KEY,
    ORGANIZATION,
    log_run,
)
from benchmarks.stub.shapes import LINES, run_id

IN_FLIGHT = 64
WARM_ROUNDS = 3
ROUNDS = 5

_TARGETS = {
    "nextmv": APP,
    "kubeflow": "",
    "abeja": DEPLOYMENT,
    "cloudify": APP,
}


@define(eq=False)
class Hurrying(SystemClock):
    """A clock on which pauses take no time: what is measured is CPU."""

    ahead: float = field(default=0.0, init=False)

    def now(self) -> float:
        """Seconds, pauses included."""
        return super().now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Let the others have their turn, and say that time has passed."""
        await asyncio.sleep(0)
        self.ahead += max(0.0, seconds)

    async def wait(self, event: anyio.Event, seconds: float) -> None:
        """The same, unless the event is set already."""
        await asyncio.sleep(0)
        if not event.is_set():
            self.ahead += max(0.0, seconds)


@define(eq=False)
class Still(Hurrying):
    """Time passes by pauses only, so that all waits begin at the same moment."""

    def now(self) -> float:
        """Seconds that were waited for."""
        return self.ahead


@define(eq=False)
class Rounds:
    """A platform that notes when each round of the watcher begins."""

    platform: Platform
    client: Client
    count: int
    marks: list[tuple[float, int]] = field(factory=list)
    done: asyncio.Event = field(factory=asyncio.Event)

    def __getattr__(self, name: str) -> object:
        return getattr(self.platform, name)

    async def read_states(
        self, refs: Collection[RunRef], known: Mapping[RunRef, Status]
    ) -> Mapping[RunRef, Status]:
        """Note CPU and requests so far, and let the platform read."""
        if not self.done.is_set():
            if len(refs) != self.count:
                raise SystemExit(f"a round is about {len(refs)} runs")
            self.marks.append((cpu(), self.client.origin.sent))
            if len(self.marks) > WARM_ROUNDS + ROUNDS:
                self.done.set()
        return await self.platform.read_states(refs, known)


def connect(
    platform: str, url: str, session: aioruns.Session, in_flight: int = IN_FLIGHT
) -> Client:
    """A platform's client for the stub server."""
    if platform == "nextmv":
        return aioruns.Nextmv(KEY, url=url, session=session, max_in_flight=in_flight)
    if platform == "kubeflow":
        return aioruns.Kubeflow(
            url, token=KEY, session=session, max_in_flight=in_flight
        )
    if platform == "abeja":
        return aioruns.Abeja(
            ORGANIZATION,
            auth_token=KEY,
            url=url,
            session=session,
            max_in_flight=in_flight,
        )
    return aioruns.Cloudify(url, token=KEY, session=session, max_in_flight=in_flight)


async def logs(meter: Meter, url: str, platform: str, pages: int) -> dict[str, object]:
    """Follow the whole log of one ended run, one event after the other."""
    async with aioruns.Session(clock=Hurrying()) as session:
        client = connect(platform, url, session)
        target = _TARGETS[platform]
        await _follow(client, target, 20)
        meter.start()
        sent = client.origin.sent
        await _follow(client, target, pages)
        meter.stop()
        return {"requests": client.origin.sent - sent}


async def _follow(client: Client, target: str, pages: int) -> None:
    count = 0
    last = ""
    async for event in client.runs.run(target, log_run(pages)).logs():
        count += 1
        last = event.message
    expected = f"epoch {pages - 1:06d} step {LINES - 1:02d}"
    if count != pages * LINES or not last.startswith(expected):
        raise SystemExit(f"{count} events came, the last of them {last!r}")


async def single_reads(
    meter: Meter, url: str, platform: str, count: int
) -> dict[str, object]:
    """Read the states of many runs one by one, 64 at a time, as typed values."""
    async with aioruns.Session() as session:
        client = connect(platform, url, session)
        target = _TARGETS[platform]
        await _read_all(client, target, iter(range(4 * IN_FLIGHT)))
        meter.start()
        await _read_all(client, target, iter(range(count)))
        meter.stop()
    return {"requests": count}


async def _read_all(client: Client, target: str, numbers: Iterator[int]) -> None:
    read_states = client.runs.platform.read_states

    async def work() -> None:
        for number in numbers:
            ref = RunRef(target, run_id(number))
            statuses = await read_states([ref], {})
            if statuses[ref].state.final:
                raise SystemExit("a run has ended")

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work())


async def waits(meter: Meter, url: str, platform: str, count: int) -> dict[str, object]:
    """Wait for many runs, and tell what one round of the watcher costs."""
    async with aioruns.Session(clock=Still()) as session:
        client = connect(platform, url, session)
        rounds = Rounds(client.runs.platform, client, count)
        client.runs.platform = rounds  # type: ignore[assignment]  # passes all on
        runs = [client.runs.run(_TARGETS[platform], run_id(n)) for n in range(count)]
        meter.start()
        waits = [asyncio.create_task(run.wait()) for run in runs]
        finished = asyncio.create_task(rounds.done.wait())
        await asyncio.wait([finished, *waits], return_when=asyncio.FIRST_COMPLETED)
        meter.stop()
        for wait in waits:
            wait.cancel()
        ended = await asyncio.gather(*waits, return_exceptions=True)
    if not rounds.done.is_set():
        raise SystemExit(f"a wait ended before the time: {ended[:1]}")
    first, last = rounds.marks[-1 - ROUNDS], rounds.marks[-1]
    meter.figures["cpu"] = (last[0] - first[0]) / ROUNDS
    del meter.figures["wall"]
    return {
        "requests": (last[1] - first[1]) / ROUNDS,
        "last_round": [rounds.marks[-2][1], last[1]],
    }
