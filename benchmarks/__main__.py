"""Measure, and say whether the targets are met.

python -m benchmarks [TABLE ...] [--rounds N] [--platform NAME] [--save]

All tables together take less than ten minutes on two cores; their results are kept in
benchmarks/RESULTS.md and benchmarks/results/, those of a selection with --save only.
"""

import argparse
import sys
import time
from collections.abc import Callable

from attrs import frozen

from benchmarks.clients.places import PLATFORMS
from benchmarks.keeping import keep
from benchmarks.measure import Server, serving
from benchmarks.report import Table
from benchmarks.tables import calls, capacity, decoding, logs, starting, sweeps, waits


@frozen
class Kind:
    """A table that can be measured, and in how many rounds unless others are asked for.

    Fewer where a round takes long, or nothing is demanded of the figures.
    """

    measure: Callable[[Server, int, tuple[str, ...]], Table]
    rounds: int


TABLES = {
    "capacity": Kind(capacity.measure, 1),
    "submit": Kind(calls.measure_submit, 5),
    "states": Kind(calls.measure_states, 5),
    "late": Kind(calls.measure_late, 5),
    "https": Kind(calls.measure_https, 3),
    "waits": Kind(waits.measure, 5),
    "sweep": Kind(sweeps.measure, 5),
    "logs": Kind(logs.measure, 5),
    "million": Kind(logs.measure_million, 1),
    "decode": Kind(decoding.measure, 1),
    "start": Kind(starting.measure, 5),
}


def main() -> None:
    """Measure the tables that the arguments name; all by default."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--platform", action="append", choices=PLATFORMS)
    parser.add_argument("--save", action="store_true", help="keep the results")
    arguments = parser.parse_args()
    unknown = set(arguments.tables) - set(TABLES)
    if unknown:
        parser.error(
            f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}"
        )
    platforms = tuple(arguments.platform or PLATFORMS)
    names = arguments.tables or list(TABLES)
    done = []
    began = time.monotonic()
    with serving() as server:
        for name in names:
            kind = TABLES[name]
            at = time.monotonic()
            table = kind.measure(server, arguments.rounds or kind.rounds, platforms)
            print(table.markdown(), flush=True)
            print(f"{name}: {time.monotonic() - at:.0f} s", file=sys.stderr)
            done.append(table)
    if arguments.save or (not arguments.tables and not arguments.platform):
        keep(done, time.monotonic() - began)


if __name__ == "__main__":
    main()
