"""Rounds of cases: each case once a round in a fresh process, then ratios."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from attrs import field, frozen

from benchmarks.certificate import write_certificate

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
        port: Which port of the stub server it talks to: `plain`, `late` or `tls`.
        submits: Whether it submits runs that the server remembers, so that the server
            forgets them before.
        most_rounds: In how many rounds it takes part, at most.
    """

    name: str
    run: str
    arguments: Mapping[str, object] = field(factory=dict)
    official: bool = False
    port: str = "plain"
    submits: bool = False
    most_rounds: int | None = None


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
    pairs = zip(over.rounds, under.rounds, strict=False)  # slow ones take part less
    found = [scale * one[what] / other[what] for one, other in pairs]
    return Ratio(statistics.median(found), min(found), max(found))


@frozen
class Server:
    """A stub server that runs."""

    url: str
    late_url: str = ""
    tls_url: str = ""
    authority: str = ""

    def reset(self) -> None:
        """Begin to keep the paths that are asked for."""
        self._ask("reset")

    def paths(self) -> list[str]:
        """The paths since the reset; none are kept from now on."""
        kept: list[str] = self._ask("paths")
        return kept

    def forget(self) -> None:
        """Drop the runs that were submitted."""
        self._ask("forget")

    def cpu(self) -> float:
        """CPU seconds that the server has spent."""
        return float(self._ask("cpu"))

    def _ask(self, what: str) -> Any:
        with urlopen(f"{self.url}/-/{what}") as answer:  # noqa: S310 - our own
            return json.load(answer)


@contextmanager
def serving() -> Iterator[Server]:
    """A stub server in a process of its own, on a core of its own."""
    with tempfile.TemporaryDirectory() as place:
        certificate, authority = write_certificate(Path(place))
        process = subprocess.Popen(  # noqa: S603 - our own
            [
                sys.executable,
                "-m",
                "benchmarks.stub.server",
                str(_core(SERVER_CORE)),
                str(certificate),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            plain, late, tls = process.stdout.readline().split()
            yield Server(
                f"http://127.0.0.1:{plain}",
                f"http://127.0.0.1:{late}",
                f"https://127.0.0.1:{tls}",
                str(authority),
            )
        finally:
            process.terminate()
            process.communicate()


def _core(number: int) -> int:
    return number % (os.cpu_count() or 1)


def once(server: Server, case: Case) -> Figures:
    """Run a case in a process of its own."""
    url = {"late": server.late_url, "tls": server.tls_url}.get(case.port, server.url)
    arguments = {"core": _core(CLIENT_CORE), "url": url, **case.arguments}
    if case.port == "tls":
        arguments["authority"] = server.authority
    if case.submits:
        server.forget()
    interpreter = str(PEERS) if case.official else sys.executable
    path = [str(ROOT)]
    if not case.official:
        # The sources beside these, whatever is installed.
        path.append(str(ROOT / "src"))
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
            if case.most_rounds is not None and number >= case.most_rounds:
                continue
            kept[case.name].append(once(server, case))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {name: Series(name, figures) for name, figures in kept.items()}
