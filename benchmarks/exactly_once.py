"""Ten thousand submissions a platform, while one request in five fails.

A local run server counts what was truly run: specs that were never run, runs that
nobody wanted, runs of which nobody was told, and errors that reached the caller. The
sweeps of aioruns, and beside them the official clients in a pool of threads.

    python -m benchmarks.exactly_once [--count 10000] [--platform NAME] [--ours]

Pauses of our client take a twentieth of their time, and so do the lags of the server.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import anyio
from attrs import define, field, frozen

import aioruns
from aioruns.batch import Outcome
from aioruns.http.clock import SystemClock
from aioruns.local.faults import Fault
from aioruns.local.records import Job
from aioruns.local.server import LocalServer
from aioruns.runs import RunSpec
from benchmarks.child import Meter
from benchmarks.clients.official_submissions import DEPLOYMENT, ORGANIZATION, VERSION
from benchmarks.clients.places import PLATFORMS

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
PACE = 20.0
THREADS = 64
ACTIVE = 500
PASSES = 5
SEED = 20260101

FAULTS = [
    Fault("stale-list", rate=0.3, seconds=3 / PACE),
    Fault("429", rate=0.028),
    Fault("429", rate=0.002, retry_after=1),
    Fault("500", rate=0.02),
    Fault("502", rate=0.02),
    Fault("503", rate=0.02),
    Fault("refuse", rate=0.002, seconds=0.05),
    Fault("drop-before", rate=0.04),
    Fault("drop-after", rate=0.04),
    Fault("truncate", rate=0.04),
    Fault("html", rate=0.02),
]


@frozen
class Hurried(SystemClock):
    """Pauses and clocks run faster; the wall clock is the server's."""

    def now(self) -> float:
        """Seconds, short ones."""
        return super().now() * PACE

    async def sleep(self, seconds: float) -> None:
        """Let short seconds pass."""
        await anyio.sleep(seconds / PACE)

    async def wait(self, event: anyio.Event, seconds: float) -> None:
        """Let short seconds pass, or fewer if the event is set."""
        with anyio.move_on_after(seconds / PACE):
            await event.wait()

    def limit(self, seconds: float) -> anyio.CancelScope:
        """A cancel scope of short seconds."""
        return anyio.move_on_after(seconds / PACE)


@define(eq=False)
class Work:
    """The program of all runs, which counts them by their seeds."""

    seen: Counter[int] = field(factory=Counter)

    async def __call__(self, job: Job) -> object:
        """Run once."""
        for name in ("SEED", "seed"):
            if name in job.env:
                seed = int(job.env[name])
                break
        else:
            seed = int(json.loads(job.stdin)["seed"])
        self.seen[seed] += 1
        return {"seed": seed}

    def register(self, server: LocalServer) -> None:
        """Make it runnable on all platforms."""
        server.nextmv.register("routing", self)
        server.kubeflow.register("train", program=self)
        server.abeja.register(DEPLOYMENT, VERSION, self)
        server.cloudify.register("web", "scale", self)


def _connect(
    platform: str, url: str, token: str, session: aioruns.Session
) -> aioruns.Nextmv | aioruns.Kubeflow | aioruns.Abeja | aioruns.Cloudify:
    if platform == "nextmv":
        return aioruns.Nextmv(token, url=url, session=session)
    if platform == "kubeflow":
        return aioruns.Kubeflow(url, token=token, session=session)
    if platform == "abeja":
        return aioruns.Abeja(ORGANIZATION, auth_token=token, url=url, session=session)
    return aioruns.Cloudify(url, token=token, session=session)


def _spec(client: object, seed: int) -> RunSpec:
    match client:
        case aioruns.Nextmv():
            return client.application("routing").spec({"seed": seed})
        case aioruns.Kubeflow():
            return client.pipeline("train").spec({"seed": str(seed)})
        case aioruns.Abeja():
            environment = {"SEED": str(seed)}
            deployment = client.deployment(DEPLOYMENT)
            return deployment.spec(VERSION, environment=environment)
        case aioruns.Cloudify():
            web = client.deployment("web")
            return web.spec("scale", {"seed": seed}, force=True)
    raise AssertionError


async def sweep(
    meter: Meter, url: str, token: str, platform: str, count: int, journal: str
) -> dict[str, object]:
    """Our part: one sweep, and the same again if submissions failed for certain."""
    said = []
    ids: list[str] = []
    async with aioruns.Session(clock=Hurried(), timeout=200.0) as session:
        client = _connect(platform, url, token, session)
        meter.start()
        for _ in range(PASSES):
            outcomes = await aioruns.gather(
                (_spec(client, seed) for seed in range(count)),
                max_active=ACTIVE,
                journal=journal,
            )
            ids = [one.run.id for one in outcomes if one.run]
            errors = [_why(one) for one in outcomes if not one.succeeded]
            said.append(Counter(errors))
            if not errors:
                break
        meter.stop()
    return {"ids": ids, "errors": dict(said[0]), "left": dict(said[-1])}


def _why(outcome: Outcome) -> str:
    return type(outcome.error).__name__ if outcome.error else outcome.state.value


async def _client(run: str, official: bool, arguments: dict[str, object]) -> object:  # noqa: FBT001 - two of a kind
    process = await asyncio.create_subprocess_exec(
        str(PEERS) if official else sys.executable,
        "-m",
        "benchmarks.child",
        f"benchmarks.{run}",
        json.dumps(arguments),
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "PYTHONPATH": str(ROOT)
            if official
            else os.pathsep.join((str(ROOT), str(ROOT / "src"))),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the client of {arguments['platform']} failed")
    return json.loads(out.splitlines()[-1])


async def measure(platform: str, count: int, *, official: bool) -> bool:
    """Let one client submit to a server of its own; print what it came to."""
    work = Work()
    with tempfile.TemporaryDirectory() as place:
        async with LocalServer(slots=64, seed=SEED) as server:
            work.register(server)
            for fault in FAULTS:
                server.faults.add(fault)
            arguments = {
                "url": server.url,
                "token": server.token,
                "platform": platform,
                "count": count,
            }
            began = time.monotonic()
            if official:
                run = "clients.official_submissions:submit"
                said = await _client(run, True, arguments | {"threads": THREADS})
            else:
                arguments["journal"] = str(Path(place, "sweep.db"))
                said = await _client("exactly_once:sweep", False, arguments)
            seconds = time.monotonic() - began
            server.faults.clear()
            runs = {run.id for run in server.engine.runs(platform)}
            for run_id in runs:
                await server.engine.ended(platform, run_id)
            hit = sum(n for kind, n in server.faults.counts.items() if "-l" not in kind)
            share = hit / sum(server.requests.values())
    assert isinstance(said, dict)  # noqa: S101 - narrows
    lost = count - len(work.seen)
    twice = len(runs) - len(work.seen)
    unknown = len(runs - set(said["ids"]))
    errors = ", ".join(f"{n} {kind}" for kind, n in said["errors"].items()) or "0"
    client = "official" if official else "aioruns"
    print(
        f"| {platform} | {client} | {len(runs)} | {lost} | {twice} | {unknown} "
        f"| {errors} | {share:.1%} | {seconds:.0f} |",
        flush=True,
    )
    clean = not (lost or twice or unknown or said.get("left"))
    return official or (clean and len(said["ids"]) == count)


async def main() -> None:
    """All platforms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--platform", action="append", choices=PLATFORMS)
    parser.add_argument("--ours", action="store_true", help="no official clients")
    arguments = parser.parse_args()
    print(
        "| platform | client | runs | lost | duplicated | nobody was told | "
        "errors raised at first | requests hit | seconds |\n" + "|---" * 9 + "|"
    )
    met = True
    for platform in arguments.platform or PLATFORMS:
        for official in (False,) if arguments.ours else (False, True):
            met &= await measure(platform, arguments.count, official=official)
    if not met:
        raise SystemExit("a sweep of aioruns has lost or duplicated runs")


if __name__ == "__main__":
    asyncio.run(main())
