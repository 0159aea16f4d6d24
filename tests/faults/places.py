"""The four platforms of the local server: starting runs, and what they truly wrote."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from attrs import define, field
from tests.faults.follower import Record

from aioruns.local.cloudify.naming import EVENT, LOG
from aioruns.local.cloudify.rows import item
from aioruns.local.records import Line, Program, RunRecord
from aioruns.local.server import LocalServer
from aioruns.runs import Run
from aioruns.seam import ALL, LogEvent, Window

_DEPLOYMENT, _VERSION = "2000000000002", "ver-00aa11bb22cc33dd"
_PODS = ("first", "second", "third")


class Place(Protocol):
    """One platform of the local server."""

    name: str
    most: int
    """Lines of a run at most."""

    def prepare(self, rng: random.Random) -> None:
        """Draw how the platform behaves beside its faults."""
        ...

    async def submit(self, client: Any, programs: Sequence[Program]) -> Run:
        """Start a run of the first program, or of all where a run has several."""
        ...

    async def check(
        self, run: RunRecord, seen: Sequence[Record], window: Window = ALL
    ) -> None:
        """Compare what was seen with what the engine has of the window."""
        ...


@define(eq=False)
class NextmvPlace:
    server: LocalServer
    name: str = "nextmv"
    most: int = 400

    def prepare(self, rng: random.Random) -> None:
        self.server.settings.page_size = page = rng.choice((3, 20, 100))
        self.server.nextmv.live_delay = rng.choice((0.0, 0.5, 2.0))
        self.most = page * 20

    async def submit(self, client: Any, programs: Sequence[Program]) -> Run:
        self.server.nextmv.register("routing", programs[0])
        return await client.application("routing").submit({})

    async def check(
        self, run: RunRecord, seen: Sequence[Record], window: Window = ALL
    ) -> None:
        lines = await _lines(self.server, run, ("stderr",))
        _same(
            [(record.time, record.message) for record in seen],
            [(x.time.isoformat(), x.text) for x in lines if _holds(window, x.time)],
        )


@define(eq=False)
class AbejaPlace:
    server: LocalServer
    name: str = "abeja"
    most: int = 400

    def prepare(self, rng: random.Random) -> None:
        self.server.settings.page_size = page = rng.choice((3, 20, 100))
        self.server.abeja.forward_tokens = rng.choice(("unchanged", "changed"))
        self.most = page * 20

    async def submit(self, client: Any, programs: Sequence[Program]) -> Run:
        self.server.abeja.register(_DEPLOYMENT, _VERSION, programs[0])
        return await client.deployment(_DEPLOYMENT).submit(_VERSION)

    async def check(
        self, run: RunRecord, seen: Sequence[Record], window: Window = ALL
    ) -> None:
        lines = await _lines(self.server, run, ("stdout", "stderr"))
        _same(
            [(record.time, record.message) for record in seen],
            [(x.time.isoformat(), x.text) for x in lines if _holds(window, x.time)],
        )


@define(eq=False)
class KubeflowPlace:
    server: LocalServer
    name: str = "kubeflow"
    most: int = 800
    _pods: int = 1

    def prepare(self, rng: random.Random) -> None:
        self.server.kubeflow.generation = rng.choice(("G1", "G2", "G3"))
        self.server.settings.page_size = 20
        self._pods = rng.randint(1, 3)

    async def submit(self, client: Any, programs: Sequence[Program]) -> Run:
        pods = _PODS[: self._pods if all(map(callable, programs)) else 1]
        left = iter(programs)

        async def one_of_them(job: Any) -> object:
            return await next(left)(job)

        program = programs[0] if len(pods) == 1 else one_of_them
        self.server.kubeflow.register("pods", _manifest(pods), program=program)
        return await client.pipeline("pods").submit()

    async def check(
        self, run: RunRecord, seen: Sequence[Record], window: Window = ALL
    ) -> None:
        found, written = defaultdict(list), defaultdict(list)
        for record in seen:
            found[record.source].append(record.message)
        shown = {node["task"]: node["display_name"] for node in run.detail["nodes"]}
        for line in await _lines(self.server, run, ("stdout", "stderr")):
            written[shown[line.task]].append(line.text)
        assert found.keys() == written.keys()
        for pod, lines in written.items():
            _same(found[pod], lines)


@define(eq=False)
class CloudifyPlace:
    server: LocalServer
    name: str = "cloudify"
    most: int = 1500
    _started: int = field(default=0, init=False)

    def prepare(self, rng: random.Random) -> None:
        # Together much less than the two seconds that the client goes back: a busy
        # machine adds to them, and ten of its milliseconds are almost half a second.
        self.server.cloudify.event_delay = rng.choice((0.0, 0.4))
        self.server.cloudify.commit_delay = rng.choice((0.0, 0.4))
        self.server.cloudify.event_seed = rng.randrange(1000)
        self.most = rng.choice((50, 500, 2500))

    async def submit(self, client: Any, programs: Sequence[Program]) -> Run:
        self._started += 1
        deployment = f"web-{self._started}"  # one execution at a time
        self.server.cloudify.register(deployment, "scale", programs[0])
        return await client.deployment(deployment).submit("scale")

    async def check(
        self, run: RunRecord, seen: Sequence[Record], window: Window = ALL
    ) -> None:
        desk = self.server.cloudify._desks.events
        streams = (EVENT, LOG, "stdout", "stderr")
        rows = await desk._rows([run], streams, None)
        assert rows
        known = defaultdict(list)
        for row in rows:
            told = item(row)
            source = told["event_type" if row.is_event else "logger"] or ""
            shown = desk._arrivals.shown(row.line, row.inserted)
            time = datetime.fromisoformat(told["timestamp"])
            key = (_milliseconds(told["timestamp"]), source, told["message"])
            if _holds(window, time):
                known[key].append((row.inserted, shown))
        keys = [(_milliseconds(r.time), r.source, r.message) for r in seen]
        found = Counter(keys)
        written = Counter({key: len(times) for key, times in known.items()})
        assert not written - found, f"missing: {list(written - found)[:3]}"
        assert not found - written, f"repeated: {list(found - written)[:3]}"
        # Lines that nobody can tell apart may be in any order.
        _in_order([known[key][0] for key in keys if len(known[key]) == 1])


PLACES = {
    "nextmv": NextmvPlace,
    "kubeflow": KubeflowPlace,
    "abeja": AbejaPlace,
    "cloudify": CloudifyPlace,
}


async def _lines(
    server: LocalServer, run: RunRecord, streams: Sequence[str]
) -> list[Line]:
    lines = await server.engine.lines(run.platform, run.id, streams=streams)
    return [line for _, line in lines]


def _same(seen: list[Any], written: list[Any]) -> None:
    if seen == written:
        return
    missing, repeated = Counter(written), Counter(seen)
    missing, repeated = missing - repeated, repeated - missing
    first = next(
        (i for i, (a, b) in enumerate(zip(seen, written, strict=False)) if a != b),
        min(len(seen), len(written)),
    )
    raise AssertionError(
        f"{len(seen)} lines of {len(written)}; {missing.total()} missing "
        f"({_short(missing)}), {repeated.total()} repeated ({_short(repeated)}); the "
        f"first that differs is number {first}"
    )


def _short(lines: "Counter[Any]") -> str:
    return ", ".join(str(line)[:60] for line in list(lines)[:3])


def _in_order(times: list[tuple[Any, Any]]) -> None:
    """What is stamped before another row, and shown no later, comes before it."""
    latest = None
    for index, (stamp, shown) in enumerate(times):
        if latest is not None and stamp < latest:
            ahead = [t for t in times[:index] if t[0] > stamp and t[1] >= shown]
            assert not ahead, f"line {index}, of {stamp}, comes after {ahead[0]}"
        latest = stamp if latest is None else max(latest, stamp)


def _holds(window: Window, time: datetime) -> bool:
    return window.holds(LogEvent(time, ""))


def _milliseconds(time: str) -> str:
    return datetime.fromisoformat(time).isoformat(timespec="milliseconds")


def _manifest(pods: Sequence[str]) -> dict[str, Any]:
    container = {"image": "python", "command": ["true"]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "pods-"},
        "spec": {
            "entrypoint": "all",
            "templates": [
                {
                    "name": "all",
                    "dag": {"tasks": [{"name": pod, "template": pod} for pod in pods]},
                },
                *({"name": pod, "container": container} for pod in pods),
            ],
        },
    }
