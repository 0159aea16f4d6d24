"""The example program, run as its users and the platforms run it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent.parent / "examples" / "tsp"
BERLIN = (HERE / "berlin52.json").read_bytes()
# The published optimal tour of berlin52, numbered from 1.
OPTIMAL = (
    "1 49 32 45 19 41 8 9 10 43 33 51 11 52 14 13 47 26 27 28 12 25 4 6 15 5 24 48 38 "
    "37 40 39 36 35 34 44 46 16 29 50 20 23 30 2 7 42 21 17 3 18 31 22"
)
METHODS = ("two-opt", "annealing")


def run(*arguments, problem=BERLIN, **env):
    return subprocess.run(
        [sys.executable, "-I", HERE / "main.py", *arguments],
        input=problem,
        capture_output=True,
        timeout=30,
        check=False,
        env=env,
    )


def solution(*arguments, **more):
    done = run(*arguments, **more)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 1
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def tsp():
    spec = importlib.util.spec_from_file_location("tsp_example", HERE / "main.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_published_optimal_tour_is_7542_long(tsp):
    problem = tsp.problem_of(json.loads(BERLIN)["points"])
    tour = [int(number) - 1 for number in OPTIMAL.split()]
    assert sorted(tour) == list(range(52))
    assert problem.length(tour) == 7542


@pytest.mark.parametrize("method", METHODS)
def test_a_run_answers_a_round_trip_and_its_true_length(tsp, method):
    answer = solution("-method", method, "-iterations", "30", "--seed", "3")
    tour, length = answer["solution"]["tour"], answer["solution"]["length"]
    assert sorted(tour) == list(range(52))
    assert tsp.problem_of(json.loads(BERLIN)["points"]).length(tour) == length
    assert 7542 <= length < 8600
    assert answer["statistics"]["result"]["value"] == length
    assert answer["statistics"]["result"]["duration"] > 0
    assert answer["options"] == {"seed": 3, "iterations": 30, "method": method}


@pytest.mark.parametrize("method", METHODS)
def test_default_runs_find_the_optimum(method):
    values = [
        solution("-method", method, "-seed", str(seed))["solution"]["length"]
        for seed in range(3)
    ]
    assert 7542 in values


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_repeats_its_run_and_another_does_not(method):
    options = ("-method", method, "-iterations", "5")
    one, again, other = (solution(*options, "-seed", seed) for seed in ("1", "1", "2"))
    assert one["solution"] == again["solution"]
    assert one["solution"] != other["solution"]


@pytest.mark.parametrize("method", METHODS)
def test_progress_is_told_in_ten_to_sixty_lines_and_never_gets_worse(method):
    done = run("-method", method)
    lines = [line.split() for line in done.stderr.decode().splitlines()]
    assert 10 <= len(lines) <= 60
    assert {(line[0], line[2]) for line in lines} == {("iteration", "incumbent")}
    iterations = [int(line[1]) for line in lines]
    incumbents = [int(line[3]) for line in lines]
    assert iterations == sorted(iterations)
    assert incumbents == sorted(incumbents, reverse=True)
    assert iterations[-1] == 600
    assert incumbents[-1] == json.loads(done.stdout)["solution"]["length"]


def test_options_come_from_the_command_line_then_the_environment():
    env = {"SEED": "5", "ITERATIONS": "3", "METHOD": "annealing"}
    assert solution(**env)["options"] == {
        "seed": 5,
        "iterations": 3,
        "method": "annealing",
    }
    assert solution("--seed=6", **env)["options"]["seed"] == 6
    assert solution("-seed", "6", **env)["options"]["seed"] == 6


def test_files_take_the_place_of_the_streams(tmp_path):
    output = tmp_path / "solution.json"
    files = ("-input", str(HERE / "berlin52.json"), "--output", str(output))
    answer = solution(*files, "-iterations", "2", problem=b"")
    assert json.loads(output.read_bytes()) == answer
    again = solution(INPUT=files[1], ITERATIONS="2", problem=b"")
    assert again["solution"] == answer["solution"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "points",
    [[[0, 0], [0, 3], [4, 0]], [[1, 1]] * 5, [[0, 0.5], [9, 2], [3, 3], [1, 8]]],
)
def test_tiny_problems_are_solved(method, points):
    problem = json.dumps({"name": "tiny", "points": points}).encode()
    answer = solution("-method", method, "-iterations", "4", problem=problem)
    assert sorted(answer["solution"]["tour"]) == list(range(len(points)))


@pytest.mark.parametrize(
    ("arguments", "problem", "says"),
    [
        (["-speed", "9"], BERLIN, "-speed"),
        (["-method", "magic"], BERLIN, "unknown method 'magic'"),
        (["-seed", "x"], BERLIN, "invalid int value"),
        (["-iterations", "0"], BERLIN, "must be 1 or more"),
        (["-input", "/nowhere/x.json"], BERLIN, "cannot read /nowhere/x.json"),
        (["-output", "/nowhere/x.json", "-iterations", "1"], BERLIN, "cannot write"),
        ([], b"", "not JSON"),
        ([], b"\xff{", "not JSON"),
        ([], b"[1]", 'no list "points"'),
        ([], b'{"points": [[1, 2], [3, 4]]}', "2 points"),
        ([], b'{"points": [[1, 2], [3, 4], [NaN, 1]]}', "point 2"),
        ([], b'{"points": [[1, 2], [3, 4], [5, true]]}', "point 2"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(arguments, problem, says):
    done = run(*arguments, problem=problem)
    message = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 2
    assert done.stdout == b""
    assert message.startswith("tsp: ")
    assert says in message
    assert b"Traceback" not in done.stderr
    assert "-output" in arguments or done.stderr.count(b"\n") == 1


def test_the_manifest_and_the_program_agree(tsp):
    manifest = yaml.safe_load((HERE / "app.yaml").read_text())
    assert manifest["files"] == ["main.py"]
    items = manifest["configuration"]["options"]["items"]
    defaults = {item["name"]: item["default"] for item in items}
    assert defaults == solution("-iterations", "600")["options"]
    assert items[2]["additional_attributes"]["values"] == list(tsp.METHODS)
