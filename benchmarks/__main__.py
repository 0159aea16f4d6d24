"""Measure, and say whether the targets are met.

python -m benchmarks [logs] [million] [waits] [--rounds 5] [--platform NAME]
"""

import argparse

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import serving
from benchmarks.tables import logs, waits

TABLES = {
    "logs": logs.measure,
    "million": logs.measure_million,
    "waits": waits.measure,
}


def main() -> None:
    """Measure the tables that the arguments name; all by default."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--platform", action="append", choices=PLATFORMS)
    arguments = parser.parse_args()
    unknown = set(arguments.tables) - set(TABLES)
    if unknown:
        parser.error(
            f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}"
        )
    platforms = tuple(arguments.platform or PLATFORMS)
    with serving() as server:
        for name in arguments.tables or TABLES:
            table = TABLES[name](server, arguments.rounds, platforms)
            print(table.markdown(), flush=True)


if __name__ == "__main__":
    main()
