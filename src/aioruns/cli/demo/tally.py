"""What the client saw, counted against what the server's engine recorded."""

from collections import Counter
from collections.abc import Sequence

from attrs import Factory, define, field

from aioruns import Outcome
from aioruns.cli.demo.entrants import Entrant
from aioruns.cli.demo.problem import Problem
from aioruns.local import LocalServer


@define
class Tally:
    """One platform's figures.

    Attributes:
        entrant: The platform.
        outcomes: As they came.
        log: Lines of each run, by its id, in the order in which they were received.
        solutions: Method and length of each tour, as we measure it.
        best: The shortest tour.
        seconds: How long the sweep took.
    """

    entrant: Entrant
    outcomes: list[Outcome] = Factory(list)
    log: dict[str, list[str]] = Factory(dict)
    solutions: list[tuple[str, int]] = Factory(list)
    best: Sequence[int] = ()
    best_length: int | None = None
    seconds: float = 0.0
    written: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)
    duplicated: int = field(default=0, init=False)
    missing: int = field(default=0, init=False)
    repeated: int = field(default=0, init=False)
    disordered: int = field(default=0, init=False)

    @property
    def submitted(self) -> int:
        """Runs that the client has a handle of."""
        return sum(outcome.run is not None for outcome in self.outcomes)

    @property
    def succeeded(self) -> int:
        """Runs that succeeded."""
        return sum(outcome.succeeded for outcome in self.outcomes)

    @property
    def received(self) -> int:
        """Log lines received."""
        return sum(map(len, self.log.values()))

    @property
    def good(self) -> bool:
        """Whether nothing was lost, duplicated, missing, repeated or out of order."""
        wrong = self.lost + self.duplicated + self.missing + self.repeated
        return wrong + self.disordered == 0

    def solve(self, problem: Problem) -> None:
        """Collect the tours once all logs were read, and measure them ourselves."""
        for outcome in self.outcomes:
            if outcome.run is None or not outcome.succeeded:
                continue
            found = self.entrant.solution(outcome, self.log.get(outcome.run.id, []))
            if found is None:
                continue
            tour, method = found
            length = problem.length(tour)
            self.solutions.append((method, length))
            if self.best_length is None or length < self.best_length:
                self.best, self.best_length = tour, length

    async def compare(self, server: LocalServer) -> None:
        """Compare with what the engine recorded."""
        name = self.entrant.name
        recorded = {record.id for record in server.engine.runs(name)}
        ours = Counter(one.run.id for one in self.outcomes if one.run is not None)
        known = recorded & ours.keys()
        self.lost = len(self.entrant.specs) - len(known)
        self.duplicated = len(recorded - known) + ours.total() - len(ours)
        for run_id in sorted(recorded):
            lines = await server.engine.lines(
                name, run_id, streams=self.entrant.streams
            )
            written = [line.text for _, line in lines]
            seen = self.log.get(run_id, [])
            self.written += len(written)
            self.missing += (Counter(written) - Counter(seen)).total()
            self.repeated += (Counter(seen) - Counter(written)).total()
            self.disordered += Counter(written) == Counter(seen) and written != seen


def last_line(tallies: Sequence[Tally]) -> str:
    """The machine-readable end of the demo's output."""
    figures = {
        "runs": sum(len(tally.entrant.specs) for tally in tallies),
        "succeeded": sum(tally.succeeded for tally in tallies),
        "lost": sum(tally.lost for tally in tallies),
        "duplicated": sum(tally.duplicated for tally in tallies),
        "log_lines_missing": sum(tally.missing for tally in tallies),
        "log_lines_repeated": sum(tally.repeated for tally in tallies),
    }
    lengths = [tally.best_length for tally in tallies if tally.best_length is not None]
    best = min(lengths) if lengths else "none"
    text = " ".join(f"{name} {value}" for name, value in figures.items())
    return f"{text} best {best}"
