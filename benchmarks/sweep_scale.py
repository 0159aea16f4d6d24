"""One sweep of 100,000 specs: what it takes of memory, and of time for each run.

    python -m benchmarks.sweep_scale [--count 100000] [--platform NAME]

Against the stub server, whose runs end at once. Memory is what the process holds above
what it held before the sweep, at its peak and as the sweep goes on; time is the CPU of
a run, in each fifth of the sweep. The stub's lists show runs of this sweep only.
"""

import argparse

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Figures, once, serving

MOST_MEMORY = 120.0
MOST_CHANGE = 0.15


def _tell(platform: str, figures: Figures, *, journal: bool) -> bool:
    parts, times = figures["parts"], figures["times"]
    # The first part opens connections and fills what is in flight; the others are as
    # restless as the machine is, so that only the whole way tells.
    change = times[-1] / times[1] - 1
    growth = parts[-1] - parts[0]
    met = bool(figures["memory"] < MOST_MEMORY and change < MOST_CHANGE)
    print(
        f"| {platform} | {'yes' if journal else 'no'} | {figures['memory']:.0f} "
        f"| {', '.join(f'{part:.0f}' for part in parts)} | {growth:+.1f} "
        f"| {', '.join(f'{1e6 * time:.0f}' for time in times)} | {change:+.0%} "
        f"| {figures['wall']:.0f} | {'met' if met else 'MISSED'} |",
        flush=True,
    )
    return met


def main() -> None:
    """Print a line for each platform, with and without a journal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--platform", action="append", choices=PLATFORMS)
    arguments = parser.parse_args()
    print(
        "| platform | journal | peak MiB | MiB after each fifth | growth MiB "
        "| CPU us a run in each fifth | change | seconds | |\n" + "|---" * 9 + "|"
    )
    met = True
    with serving() as server:
        for platform in arguments.platform or PLATFORMS:
            for journal in (False, True):
                to = {
                    "platform": platform,
                    "count": arguments.count,
                    "journal": journal,
                }
                case = Case(platform, "long_sweep:sweep", to, submits=True)
                met &= _tell(platform, once(server, case), journal=journal)
    if not met:
        raise SystemExit("a sweep grows with its length")


if __name__ == "__main__":
    main()
