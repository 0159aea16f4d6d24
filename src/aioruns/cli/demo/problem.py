"""The demo's program and problem: a travelling-salesman app and berlin52."""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from aioruns.cli.running import CommandError

OPTIMUM = 7542
"""Length of the shortest tour of berlin52, known from TSPLIB."""

METHODS = ("two-opt", "annealing")
ITERATIONS = 60
"""Few enough that not every run finds the shortest tour."""


def program_directory() -> Path:
    """Where the program is: inside an installed package, or in the repository.

    Raises:
        CommandError: It is in neither place.
    """
    here = Path(__file__).resolve().parent
    for place in (here.parent / "tsp", here.parents[3] / "examples" / "tsp"):
        if (place / "main.py").is_file():
            return place
    raise CommandError("the example program examples/tsp is missing: reinstall aioruns")


@frozen
class Problem:
    """Points to visit.

    Attributes:
        name: Name of the instance.
        points: Coordinates.
        file: Where it was read.
    """

    name: str
    points: Sequence[tuple[float, float]]
    file: Path

    @property
    def optimum(self) -> int | None:
        """The length of the shortest tour, if it is known."""
        return OPTIMUM if self.name == "berlin52" else None

    def as_json(self) -> dict[str, object]:
        """The program's input."""
        return {"name": self.name, "points": [list(point) for point in self.points]}

    def length(self, tour: Sequence[int]) -> int:
        """The length of a tour, with distances rounded as TSPLIB does.

        Raises:
            ValueError: It does not visit every point once.
        """
        if sorted(tour) != list(range(len(self.points))):
            raise ValueError("the tour does not visit every point once")
        closed = itertools.pairwise([*tour, tour[0]])
        return sum(
            int(math.dist(self.points[one], self.points[other]) + 0.5)
            for one, other in closed
        )


def read_problem(file: Path | None) -> Problem:
    """Read a problem file; None means berlin52.

    Raises:
        CommandError: It cannot be read, or is no problem.
    """
    file = file or program_directory() / "berlin52.json"
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(
            f"the problem file {file} cannot be read: {error}"
        ) from error
    except ValueError as error:
        raise CommandError(f"the problem file {file} is not JSON: {error}") from error
    try:
        points = [(float(x), float(y)) for x, y in value["points"]]
        name = str(value["name"])
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(
            f"the problem file {file} must hold a name and points [[x, y], ...]"
        ) from error
    if len(points) < 5:
        raise CommandError(
            f"the problem in {file} has {len(points)} points; 5 are needed"
        )
    return Problem(name, points, file.resolve())


def settings(runs: int, first_seed: int) -> Iterator[dict[str, str]]:
    """Options of so many runs: the methods in turn, each with the same seeds."""
    for number in range(runs):
        method = METHODS[number % len(METHODS)]
        seed = first_seed + number // len(METHODS)
        yield {"method": method, "seed": str(seed), "iterations": str(ITERATIONS)}
