"""The four platforms of the local server as places for sweeps over seeds.

Each spec carries a seed to its program, and each result tells it again: so the program
counts how often every spec truly ran, and an outcome shows whose result it has.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field, frozen

from aioruns.local.faults import Fault
from aioruns.local.records import Job
from aioruns.local.server import LocalServer
from aioruns.runs import RunSpec

_DEPLOYMENT, _VERSION = "2000000000002", "ver-00aa11bb22cc33dd"


@define(eq=False)
class Work:
    """The program of all runs: short, and it fails where that is wanted.

    Attributes:
        fails: Every so many-th seed fails; 0 for none.
        times: How often one of them fails before it succeeds.
        seconds: Of the machine; how long a run takes at most.
        lasting: Every so many-th seed lasts until it is cancelled; 0 for none.
        seen: How often each seed was run.
    """

    fails: int = 0
    times: int = 1
    seconds: float = 0.02
    lasting: int = 0
    seen: Counter[int] = field(factory=Counter)

    async def __call__(self, job: Job) -> object:
        """Run once."""
        seed = _seed_of(job)
        self.seen[seed] += 1
        if self.lasting and seed % self.lasting == 0:
            await asyncio.Event().wait()
        if self.seconds:
            await asyncio.sleep(random.uniform(0, self.seconds))
        if self.is_failing(seed) and self.seen[seed] <= self.times:
            raise ValueError("on purpose")
        return {"seed": seed}

    def is_failing(self, seed: int) -> bool:
        """Whether a seed is one of those that fail at first."""
        return bool(self.fails) and seed % self.fails == 0


def _seed_of(job: Job) -> int:
    for name in ("SEED", "seed"):
        if name in job.env:
            return int(job.env[name])
    return int(json.loads(job.stdin)["seed"])


@frozen
class Ground:
    """A platform on which seeds are swept.

    Attributes:
        register: Makes the program runnable on a local server.
        spec: The spec of a seed.
        seed: The seed that a result tells.
    """

    register: Callable[[LocalServer, Work], None]
    spec: Callable[[Any, int], RunSpec]
    seed: Callable[[Any], int]

    def specs(self, client: Any, count: int) -> Iterator[RunSpec]:
        """The specs of the seeds from 0."""
        return (self.spec(client, seed) for seed in range(count))


def _kubeflow_seed(result: Any) -> int:
    (parameter,) = result.raw["run"]["pipeline_spec"]["parameters"]
    return int(parameter["value"])


GROUNDS = {
    "nextmv": Ground(
        lambda server, work: server.nextmv.register("routing", work),
        lambda client, seed: client.application("routing").spec({"seed": seed}),
        lambda result: result["seed"],
    ),
    "kubeflow": Ground(
        lambda server, work: server.kubeflow.register("train", program=work),
        lambda client, seed: client.pipeline("train").spec({"seed": str(seed)}),
        _kubeflow_seed,
    ),
    "abeja": Ground(
        lambda server, work: server.abeja.register(_DEPLOYMENT, _VERSION, work),
        lambda client, seed: client.deployment(_DEPLOYMENT).spec(
            _VERSION, environment={"SEED": str(seed)}
        ),
        lambda result: int(result.user_env_vars["SEED"]),
    ),
    "cloudify": Ground(
        lambda server, work: server.cloudify.register("web", "scale", work),
        lambda client, seed: client.deployment("web").spec(
            "scale", {"seed": seed}, force=True
        ),
        lambda result: result.parameters["seed"],
    ),
}


def one_in_five(rng: random.Random) -> list[Fault]:
    """Faults that hit one request in five, beside lists that lag by seconds.

    Half of them hit before the server acts and half after, or as good as.
    """
    answering = [
        Fault("429", rate=0.02),
        Fault("429", rate=0.01, retry_after=1),
        Fault("500", rate=0.02),
        Fault("502", rate=0.02),
        Fault("503", rate=0.02, retry_after=1),
        Fault("refuse", rate=0.01, times=3, seconds=0.03),
        Fault("drop-before", rate=0.03),
        Fault("drop-after", rate=0.04),
        Fault("truncate", rate=0.04),
        Fault("html", rate=0.02),
    ]
    rng.shuffle(answering)
    return [
        Fault("stale-list", rate=0.3, seconds=rng.uniform(1, 4)),
        Fault("stale-state", rate=0.1, seconds=rng.uniform(0, 4)),
        *answering,
    ]


def as_wanted(work: Work, runs: int, count: int, retried: int = 0) -> list[str]:
    """What is wrong with what was run; empty if each seed ran as often as it should.

    Args:
        work: The program.
        runs: How many runs the server has.
        count: How many seeds there were.
        retried: How often the sweep submits a run again that failed.
    """
    wrong = []
    for seed in range(count):
        wanted = 1 + min(retried, work.times) * work.is_failing(seed)
        if work.seen[seed] != wanted:
            wrong.append(f"seed {seed} ran {work.seen[seed]} times, not {wanted}")
    if runs != work.seen.total():
        wrong.append(f"{runs} runs exist, and {work.seen.total()} ran")
    return wrong
