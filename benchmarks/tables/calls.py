"""Submissions and single reads: ours beside bare loops and the official clients."""

import json
import tempfile
from pathlib import Path

from attrs import evolve

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Ratio, Series, Server, in_rounds, once, ratio
from benchmarks.report import Row, Table

COUNT = 2_000
FAR = 512
"""In flight where answers come 50 ms late."""

_THREADS = (16, 64)
_SCOUTED = 300
_OFFICIAL_ROUNDS = 2
_OVER_OFFICIAL = {"nextmv": 5.5, "kubeflow": 5.0, "abeja": 5.5, "cloudify": 4.0}
_OVER_OFFICIAL_TLS = {"nextmv": 100.0, "kubeflow": 10.0, "abeja": 100.0}
# Nextmv's and ABEJA's clients read all certificates again for each call.
_OFFICIAL_TLS_COUNT = {"nextmv": 60, "abeja": 60}


def measure_submit(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """2,000 submissions, 64 in flight."""
    table = Table("submit", f"{COUNT:,} submissions, 64 in flight")
    table.notes.append(
        "Part of what ours saves beside the bare loop is the work of the kernel: glibc "
        "keeps the buffers of 256 KiB that asyncio receives into once something larger "
        "was freed, and ours sees to that. `bare, buffers kept` does the same."
    )
    for platform in platforms:
        to = {"platform": platform, "count": COUNT}
        loop = _official(platform, "submit", "official, loop", 500, 0)
        pool = _best_pool(server, platform, "submit", 1000)
        cases = [
            Case("ours", "ours_calls:submit", to),
            Case("bare", "bare_calls:submit", to),
            Case(
                "bare, buffers kept",
                "bare_calls:submit",
                {**to, "keeps_buffers": True},
                most_rounds=2,
            ),
            _on_uvloop(Case("ours", "ours_calls:submit", to)),
            _on_uvloop(Case("bare", "bare_calls:submit", to)),
            Case(
                "httpx",
                "bare_calls:submit_httpx",
                {"platform": platform, "count": 150},
                most_rounds=1,
            ),
            loop,
            pool,
        ]
        series = _add(server, cases, rounds, platform, table)
        ours = series["ours"]
        table.check(
            f"{platform}: CPU of a submission, ours / bare",
            ratio(ours, series["bare"]),
            most=1.15,
        )
        table.check(
            f"{platform}: the same, ours / bare, buffers kept",
            ratio(ours, series["bare, buffers kept"]),
        )
        table.check(
            f"{platform}: the same on uvloop",
            ratio(series["ours, uvloop"], series["bare, uvloop"]),
        )
        table.check(
            f"{platform}: submissions a second, ours / official in its best pool",
            speed(ours, series[pool.name]),
            least=_OVER_OFFICIAL[platform],
        )
        table.check(
            f"{platform}: submissions a CPU second, ours / official in its best pool",
            speed(ours, series[pool.name], "cpu"),
        )
        table.check(
            f"{platform}: submissions a second, ours / official in a loop",
            speed(ours, series[loop.name]),
        )
        table.check(
            f"{platform}: submissions a second, ours / httpx",
            speed(ours, series["httpx"]),
        )
    return table


def measure_states(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """2,000 states, read one by one."""
    table = Table("states", f"{COUNT:,} states read one by one, 64 in flight")
    table.notes.append(
        "`Run.status()` of looks at the same time shares requests; here each of the 64 "
        "looks is made by a client of its own on one session, so that none is shared. "
        "`record` is the platform's own operation with all fields: `run_metadata`, "
        "`get_run`, `get_run`, `executions.get`. Each is beside a bare loop over the "
        "same requests, which takes the state out of a dict."
    )
    for platform in platforms:
        with tempfile.TemporaryDirectory() as place:
            _measure_states(server, rounds, platform, Path(place), table)
    return table


def _measure_states(
    server: Server, rounds: int, platform: str, place: Path, table: Table
) -> None:
    to = {"platform": platform, "count": COUNT}
    status = Case("ours, status", "ours_calls:statuses", to)
    record = Case("ours, record", "ours_calls:records", to, most_rounds=2)
    pool = _best_pool(server, platform, "states", 1000)
    paths = {
        case.name: _paths(server, case, place / f"{number}.json")
        for number, case in enumerate((status, record))
    }
    same = paths[status.name].read_bytes() == paths[record.name].read_bytes()
    bare = Case(
        "bare",
        "bare:single_reads",
        {"platform": platform, "paths": str(paths[status.name])},
    )
    cases = [status, record, bare, _on_uvloop(status), _on_uvloop(bare), pool]
    if not same:
        arguments = {"platform": platform, "paths": str(paths[record.name])}
        cases.append(evolve(bare, name="bare, record", arguments=arguments))
    series = _add(server, cases, rounds, platform, table)
    table.check(
        f"{platform}: CPU of a state, ours / bare",
        ratio(series[status.name], series["bare"]),
        most=1.20,
    )
    table.check(
        f"{platform}: the same on uvloop",
        ratio(series["ours, status, uvloop"], series["bare, uvloop"]),
    )
    table.check(
        f"{platform}: CPU of a whole record, ours / bare dict",
        ratio(series[record.name], series["bare" if same else "bare, record"]),
    )
    table.check(
        f"{platform}: states a second, ours / official in its best pool",
        speed(series[status.name], series[pool.name]),
        least=_OVER_OFFICIAL[platform],
    )
    table.check(
        f"{platform}: states a CPU second, ours / official in its best pool",
        speed(series[status.name], series[pool.name], "cpu"),
    )


def measure_late(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """2,000 submissions whose answers come 50 ms late, 512 in flight."""
    table = Table("late", f"{COUNT:,} submissions, answers 50 ms late, 512 in flight")
    for platform in platforms:
        to = {"platform": platform, "count": COUNT, "in_flight": FAR}
        pool = evolve(
            _official(platform, "submit", "official, 64 threads", 1000, 64),
            port="late",
            most_rounds=2,
        )
        cases = [
            Case("ours", "ours_calls:submit", to, port="late"),
            Case("bare", "bare_calls:submit", to, port="late"),
            pool,
        ]
        series = _add(server, cases, rounds, platform, table)
        table.check(
            f"{platform}: seconds that pass, ours / bare",
            ratio(series["ours"], series["bare"], "wall"),
            most=1.15,
        )
        table.check(
            f"{platform}: submissions a second, ours / official with 64 threads",
            speed(series["ours"], series[pool.name]),
        )
    return table


def measure_https(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """2,000 submissions over HTTPS."""
    table = Table("https", f"{COUNT:,} submissions over HTTPS, 64 in flight")
    for platform in platforms:
        to = {"platform": platform, "count": COUNT}
        count = _OFFICIAL_TLS_COUNT.get(platform, 500)
        pool = evolve(_best_pool(server, platform, "submit", count, "tls"), port="tls")
        cases = [
            Case("ours", "ours_calls:submit", to, port="tls"),
            Case("bare", "bare_calls:submit", to, port="tls"),
            pool,
        ]
        series = _add(server, cases, rounds, platform, table)
        table.check(
            f"{platform}: CPU of a submission, ours / bare",
            ratio(series["ours"], series["bare"]),
        )
        table.check(
            f"{platform}: submissions a second, ours / official in its best pool",
            speed(series["ours"], series[pool.name]),
            least=_OVER_OFFICIAL_TLS.get(platform, 10.0),
        )
        table.check(
            f"{platform}: submissions a CPU second, ours / official in its best pool",
            speed(series["ours"], series[pool.name], "cpu"),
        )
    return table


def speed(ours: Series, other: Series, what: str = "wall") -> Ratio:
    """How many times as many ours does in a second that passes, or of CPU."""
    counts = ours.rounds[0]["count"], other.rounds[0]["count"]
    return ratio(other, ours, what, scale=counts[0] / counts[1])


def _add(
    server: Server, cases: list[Case], rounds: int, platform: str, table: Table
) -> dict[str, Series]:
    series = in_rounds(server, cases, rounds)
    for one in series.values():
        table.add(Row.of(platform, one))
    return series


def _official(platform: str, what: str, name: str, count: int, threads: int) -> Case:
    return Case(
        name,
        f"official_{platform}:{what}",
        {"count": count, "threads": threads},
        official=True,
        most_rounds=_OFFICIAL_ROUNDS,
    )


def _best_pool(
    server: Server, platform: str, what: str, count: int, port: str = "plain"
) -> Case:
    """The official client with as many threads as suit it best, by one look at each."""
    tried = {}
    for threads in _THREADS:
        name = f"official, {threads} threads"
        case = _official(platform, what, name, min(count, _SCOUTED), threads)
        tried[threads] = once(server, evolve(case, port=port))["wall"]
    best = min(tried, key=lambda threads: tried[threads])
    return _official(platform, what, f"official, {best} threads", count, best)


def _on_uvloop(case: Case) -> Case:
    return evolve(
        case,
        name=f"{case.name}, uvloop",
        arguments={**case.arguments, "uvloop": True},
        most_rounds=2,
    )


def _paths(server: Server, case: Case, file: Path) -> Path:
    """Write what a case asks for to a file, each once and in order."""
    server.reset()
    once(server, case)
    file.write_text(json.dumps(sorted(server.paths()[-COUNT:])), encoding="ascii")
    return file
