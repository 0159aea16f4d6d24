"""Waiting for 10,000 runs: what a round costs, in requests and in CPU."""

import json
import tempfile
from pathlib import Path

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Server, in_rounds, once, ratio
from benchmarks.report import Row, Table

RUNS = 10_000
READS = 2_000
_LIMIT = {"kubeflow": 1 / 20, "cloudify": 1 / 80}
# Where pages follow from each other there is nothing to do at once.
_IN_FLIGHT = {"nextmv": 1, "kubeflow": 32, "abeja": 1, "cloudify": 32}
_BARE_ROUNDS = 5
_OFFICIAL = Case(
    "a round, official",
    "official_kubeflow:rounds",
    {"count": RUNS},
    official=True,
    most_rounds=2,
)


def measure(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """Single reads and rounds of the watcher, each beside the same requests bare."""
    table = Table("waits", f"Waiting for {RUNS:,} runs, and {READS:,} single reads")
    for platform in platforms:
        with tempfile.TemporaryDirectory() as place:
            _measure(server, rounds, platform, Path(place), table)
    return table


def _measure(
    server: Server, rounds: int, platform: str, place: Path, table: Table
) -> None:
    reads = Case(
        "single reads, ours",
        "ours:single_reads",
        {"platform": platform, "count": READS},
    )
    waits = Case("a round, ours", "ours:waits", {"platform": platform, "count": RUNS})

    server.reset()
    once(server, reads)
    singly = place / "singly.json"
    singly.write_text(json.dumps(server.paths()[-READS:]), encoding="ascii")
    server.reset()
    first, last = once(server, waits)["last_round"]
    listed = place / "listed.json"
    listed.write_text(json.dumps(server.paths()[first:last]), encoding="ascii")

    plain = {"platform": platform, "paths": str(singly)}
    lists = {
        "platform": platform,
        "paths": str(listed),
        "in_flight": _IN_FLIGHT[platform],
        "count": _BARE_ROUNDS,
    }
    cases = [
        reads,
        Case("single reads, bare", "bare:single_reads", plain),
        waits,
        Case("a round, bare", "bare:rounds", lists),
    ]
    if platform == "kubeflow":
        cases.append(_OFFICIAL)
    series = in_rounds(server, cases, rounds)
    for one in series.values():
        table.add(Row.of(platform, one))
    ours, bare = series["single reads, ours"], series["single reads, bare"]
    table.check(
        f"{platform}: CPU of a single read, ours / bare", ratio(ours, bare), most=1.20
    )
    round_, same = series["a round, ours"], series["a round, bare"]
    table.check(
        f"{platform}: CPU of a round, ours / bare", ratio(round_, same), most=1.30
    )
    share = ratio(round_, ours, scale=READS / RUNS)
    table.check(
        f"{platform}: CPU of a round / {RUNS:,} single reads",
        share,
        most=_LIMIT.get(platform),
    )
    if platform == "kubeflow":
        table.check(
            f"{platform}: CPU of a round, ours / official",
            ratio(round_, series[_OFFICIAL.name]),
            most=1 / 50,
        )
