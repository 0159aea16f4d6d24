"""Short round trips by local search: an app for Nextmv, or a plain program.

Reads `{"name": ..., "points": [[x, y], ...]}` and writes the shortest round trip that
it finds. Needs nothing but Python 3.9 or newer.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

MIN_POINTS, MAX_POINTS = 3, 2000
LARGEST = 1e9
NEIGHBOURS = 8
MOVES = 10  # moves per point that annealing tries at one temperature
REGULAR_LINES = 20
IMPROVEMENT_LINES = 35


class Problem(NamedTuple):
    """Distances, rounded as TSPLIB rounds them, and each point's nearest points."""

    dist: list[list[int]]
    near: list[list[int]]

    def length(self, tour: Sequence[int]) -> int:
        """Length of the round trip."""
        return sum(self.dist[tour[i - 1]][tour[i]] for i in range(len(tour)))


def problem_of(points: Sequence[tuple[float, float]]) -> Problem:
    """The problem that the points make."""
    cities = range(len(points))
    dist = [[int(math.dist(a, b) + 0.5) for b in points] for a in points]
    near = []
    for city in cities:
        others = (other for other in cities if other != city)
        near.append(heapq.nsmallest(NEIGHBOURS, others, key=dist[city].__getitem__))
    return Problem(dist, near)


class Tour:
    """A round trip that is improved in place."""

    def __init__(self, problem: Problem, order: Sequence[int]) -> None:
        self.order = list(order)
        self.length = problem.length(order)
        self._problem = problem
        self._position = [0] * len(self.order)
        self._turn(0, len(self.order) - 1)

    def _turn(self, i: int, j: int) -> None:
        """Reverse the stretch from index i to index j."""
        self.order[i : j + 1] = self.order[i : j + 1][::-1]
        for index in range(i, j + 1):
            self._position[self.order[index]] = index

    def descend(self) -> None:
        """Apply 2-opt moves between near points until none helps."""
        waiting = list(self.order)
        queued = set(waiting)
        while waiting:
            city = waiting.pop()
            queued.discard(city)
            for other in self._two_opt(city):
                if other not in queued:
                    queued.add(other)
                    waiting.append(other)

    def _two_opt(self, a: int) -> tuple[int, ...]:
        """Make the first move at `a` that helps; return the ends of its edges."""
        order, position, (dist, near) = self.order, self._position, self._problem
        size = len(order)
        i = position[a]
        for step in (1, -1):
            b = order[(i + step) % size]
            for c in near[a]:
                closer = dist[a][b] - dist[a][c]
                if closer <= 0:
                    break
                j = position[c]
                d = order[(j + step) % size]
                gain = closer + dist[c][d] - dist[b][d]
                if gain > 0:
                    low, high = min(i, j), max(i, j)
                    self._turn(low + (step == 1), high - (step == -1))
                    self.length -= gain
                    return a, b, c, d
        return ()

    def anneal(self, moves: int, temperature: float, rng: random.Random) -> None:
        """Try 2-opt moves, and make some that do not help as well."""
        order, position, (dist, near) = self.order, self._position, self._problem
        size, uniform, log = len(order), rng.random, math.log
        for _ in range(moves):
            a = int(uniform() * size)
            c = near[a][int(uniform() * len(near[a]))]
            i, j = position[a], position[c]
            b, d = order[i + 1 - size], order[j + 1 - size]
            change = dist[a][c] + dist[b][d] - dist[a][b] - dist[c][d]
            if change <= 0 or change < -temperature * log(1 - uniform()):
                self._turn(min(i, j) + 1, max(i, j))
                self.length += change


def two_opt(problem: Problem, iterations: int, rng: random.Random) -> Iterator[Tour]:
    """2-opt from random tours; an iteration is one start."""
    cities = list(range(len(problem.dist)))
    for _ in range(iterations):
        rng.shuffle(cities)
        tour = Tour(problem, cities)
        tour.descend()
        yield tour


def annealing(problem: Problem, iterations: int, rng: random.Random) -> Iterator[Tour]:
    """Simulated annealing, then 2-opt; an iteration is one temperature."""
    cities = list(range(len(problem.dist)))
    rng.shuffle(cities)
    tour = Tour(problem, cities)
    step = sum(problem.dist[a][problem.near[a][0]] for a in cities) / len(cities) + 1
    hot, cold = 2 * step, step / 20
    for iteration in range(iterations):
        temperature = hot * (cold / hot) ** (iteration / iterations)
        tour.anneal(MOVES * len(cities), temperature, rng)
        if iteration == iterations - 1:
            tour.descend()
        yield tour


Method = Callable[[Problem, int, random.Random], Iterator[Tour]]
METHODS: dict[str, Method] = {"two-opt": two_opt, "annealing": annealing}


class Options(NamedTuple):
    """What the command line and the environment ask for."""

    seed: int
    iterations: int
    method: str
    input: str
    output: str


def solve(problem: Problem, options: Options) -> tuple[int, list[int]]:
    """The best tour of a run; tells its progress on standard error."""
    iterations = options.iterations
    every = math.ceil(iterations / REGULAR_LINES)
    spare = IMPROVEMENT_LINES
    best: tuple[int, list[int]] | None = None
    tours = METHODS[options.method](problem, iterations, random.Random(options.seed))
    for iteration, tour in enumerate(tours, start=1):
        better = best is None or tour.length < best[0]
        if best is None or better:
            best = tour.length, list(tour.order)
        regular = iteration % every == 0 or iteration == iterations
        if regular or (better and spare > 0):
            spare -= not regular
            note(f"iteration {iteration} incumbent {best[0]}")
    assert best is not None, "options ask for one iteration at least"  # noqa: S101 - for the type checker
    return best


def note(text: str) -> None:
    """Write a line to standard error at once."""
    print(text, file=sys.stderr, flush=True)


def refuse(message: str) -> NoReturn:
    """End the program: whoever started it has to change something."""
    note(f"tsp: {message}")
    raise SystemExit(2)


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        refuse(message)


def at_least_one(text: str) -> int:
    """A number of iterations."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def options_of(arguments: Sequence[str]) -> Options:
    """Options of the command line, else of the environment, else the defaults."""
    parser = Parser(prog="tsp", description=__doc__, allow_abbrev=False)

    def option(name: str, default: str, meaning: str, **more: Any) -> None:
        # argparse checks a default that is text as if it had been typed.
        parser.add_argument(
            f"-{name}",
            f"--{name}",
            default=os.environ.get(name.upper()) or default,
            help=f"{meaning} (or {name.upper()} in the environment)",
            **more,
        )

    option("seed", "0", "start of the random numbers", type=int)
    option("iterations", "600", "how long to search", type=at_least_one)
    option("method", "two-opt", "one of " + ", ".join(METHODS))
    option("input", "", "file with the problem, instead of standard input")
    option("output", "", "file for the solution, beside standard output")
    options = Options(**vars(parser.parse_args(arguments)))
    if options.method not in METHODS:
        refuse(f"unknown method {options.method!r}; choose one of {', '.join(METHODS)}")
    return options


def read_points(path: str) -> list[tuple[float, float]]:
    """The points of the problem in a file, or on standard input."""
    try:
        if path:
            with open(path, "rb") as file:  # noqa: PTH123 - the usual way in a script
                raw = file.read()
        else:
            raw = sys.stdin.buffer.read()
    except OSError as error:
        refuse(f"cannot read {path}: {error.strerror}")
    source = path or "standard input"
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        refuse(f"the problem on {source} is not JSON: {error}")
    points = document.get("points") if isinstance(document, dict) else None
    if not isinstance(points, list):
        refuse(f'the problem on {source} has no list "points"')
    if not MIN_POINTS <= len(points) <= MAX_POINTS:
        refuse(f"{len(points)} points; give {MIN_POINTS} to {MAX_POINTS}")
    for number, point in enumerate(points):
        if not is_point(point):
            refuse(f"point {number} is not a pair of numbers: {json.dumps(point)[:80]}")
    return [(x, y) for x, y in points]


def is_point(value: object) -> bool:
    """Whether the value is a pair of numbers that distances can be made of."""
    return (
        isinstance(value, list)
        and len(value) == len("xy")
        and all(type(part) in (int, float) and abs(part) <= LARGEST for part in value)
    )


def main(arguments: Sequence[str]) -> None:
    """Read, solve, write."""
    options = options_of(arguments)
    points = read_points(options.input)
    started = time.perf_counter()
    length, tour = solve(problem_of(points), options)
    duration = round(time.perf_counter() - started, 6)
    asked = {name: getattr(options, name) for name in ("seed", "iterations", "method")}
    text = json.dumps(
        {
            "options": asked,
            "solution": {"tour": tour, "length": length},
            "statistics": {"result": {"value": length, "duration": duration}},
        }
    )
    if options.output:
        try:
            with open(options.output, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
                file.write(text + "\n")
        except OSError as error:
            refuse(f"cannot write {options.output}: {error.strerror}")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
