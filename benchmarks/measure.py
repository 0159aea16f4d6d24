"""Rounds of cases: each case once a round in a fresh process, then ratios."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from attrs import field, frozen

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
CLIENT_CORE, SERVER_CORE = 0, 1

Figures = dict[str, Any]


@frozen
class Case:
    """One thing to measure.

    Attributes:
        name: Its name in the table.
        run: Module and function below `benchmarks.clients`, as `module:function`.
        arguments: What the function gets beside the meter and the server's address.
        official: Whether it wants the environment of the official clients.
    """

    name: str
    run: str
    arguments: Mapping[str, object] = field(factory=dict)
    official: bool = False


@frozen
class Series:
    """What the rounds said of one case."""

    name: str
    rounds: Sequence[Figures]

    def median(self, what: str = "cpu") -> float:
        """The middle of the rounds."""
        return float(statistics.median(one[what] for one in self.rounds))


@frozen
class Ratio:
    """One case over another: formed within a round, then the median and the range."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.least:.2f}-{self.most:.2f}]"


def ratio(over: Series, under: Series, what: str = "cpu", scale: float = 1.0) -> Ratio:
    """How a figure of one case compares with that of another.

    Args:
        over: The case whose figure is divided.
        under: The case that divides.
        what: Which figure.
        scale: Multiplies the ratio.
    """
    pairs = zip(over.rounds, under.rounds, strict=True)
    found = [scale * one[what] / other[what] for one, other in pairs]
    return Ratio(statistics.median(found), min(found), max(found))


@frozen
class Server:
    """A stub server that runs."""

    url: str

    def reset(self) -> None:
        """Begin to keep the paths that are asked for."""
        self._ask("reset")

    def paths(self) -> list[str]:
        """The paths since the reset; none are kept from now on."""
        kept: list[str] = self._ask("paths")
        return kept

    def _ask(self, what: str) -> Any:
        with urlopen(f"{self.url}/-/{what}") as answer:  # noqa: S310 - our own
            return json.load(answer)


@contextmanager
def serving() -> Iterator[Server]:
    """A stub server in a process of its own, on a core of its own."""
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "benchmarks.stub.server", str(_core(SERVER_CORE))],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        yield Server(f"http://127.0.0.1:{process.stdout.readline().strip()}")
    finally:
        process.terminate()
        process.communicate()


def _core(number: int) -> int:
    return number % (os.cpu_count() or 1)


def once(server: Server, case: Case) -> Figures:
    """Run a case in a process of its own."""
    arguments = {"core": _core(CLIENT_CORE), "url": server.url, **case.arguments}
    interpreter = str(PEERS) if case.official else sys.executable
    path = [str(ROOT)]
    if not case.official:
        path.append(os.environ.get("PYTHONPATH") or str(ROOT / "src"))
    done = subprocess.run(  # noqa: S603 - our own
        [
            interpreter,
            "-m",
            "benchmarks.child",
            f"benchmarks.clients.{case.run}",
            json.dumps(arguments),
        ],
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "PYTHONPATH": os.pathsep.join(path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the case {case.name!r} failed:\n{done.stderr[-3000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def in_rounds(server: Server, cases: Sequence[Case], rounds: int) -> dict[str, Series]:
    """Run all cases round-robin, in the other order every other round."""
    kept: dict[str, list[Figures]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases if number % 2 == 0 else reversed(cases):
            kept[case.name].append(once(server, case))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {name: Series(name, figures) for name, figures in kept.items()}
