"""Sweeps of runs that end at once, beside their bare submissions."""

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Server, in_rounds, ratio
from benchmarks.report import Row, Table

COUNT = 10_000
MAX_ACTIVE = 3_000
_WITH_RESULTS = 3_000
_RESULT_REQUESTS = {"nextmv": 2, "kubeflow": 1, "abeja": 1, "cloudify": 1}


def measure(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """Sweeps of 10,000 with and without journal, and with results."""
    table = Table("sweep", f"A sweep of {COUNT:,} runs that end at once")
    table.notes.append(
        f"`max_active={MAX_ACTIVE}`, 64 requests in flight; requests beside the "
        "submissions (and two or one for each result) are what waiting costs. With "
        f"results it is {_WITH_RESULTS:,} runs, once."
    )
    for platform in platforms:
        to = {"platform": platform, "count": COUNT, "max_active": MAX_ACTIVE}
        kinds = {
            "ours": (False, False),
            "ours, journal": (False, True),
            "ours, journal, results": (True, True),
        }
        cases = [
            Case(
                name,
                "ours_sweep:sweep",
                {
                    **to,
                    "count": _WITH_RESULTS if results else COUNT,
                    "results": results,
                    "journal": journal,
                },
                submits=True,
                most_rounds=1 if results else None,
            )
            for name, (results, journal) in kinds.items()
        ]
        cases.append(
            Case(
                "bare submissions",
                "bare_calls:submit",
                {"platform": platform, "count": COUNT},
            )
        )
        series = in_rounds(server, cases, rounds)
        for one in series.values():
            table.add(Row.of(platform, one))
        bare = series["bare submissions"]
        table.check(
            f"{platform}: CPU of a run, sweep with journal / bare submissions",
            ratio(series["ours, journal"], bare),
            most=1.45,
        )
        table.check(
            f"{platform}: the same without a journal", ratio(series["ours"], bare)
        )
        for name, least in (("ours", 0.8), ("ours, journal", 0.7)):
            table.check(
                f"{platform}: runs a CPU second, {name} / bare submissions",
                ratio(bare, series[name]),
                least=least,
            )
        table.check(
            f"{platform}: the same with journal and results",
            ratio(series["ours, journal, results"], bare, scale=COUNT / _WITH_RESULTS),
        )
        for name, count, fetched in (
            ("ours, journal", COUNT, 0),
            ("ours, journal, results", _WITH_RESULTS, _RESULT_REQUESTS[platform]),
        ):
            waiting = series[name].median("requests") / count - 1 - fetched
            table.check(
                f"{platform}: requests of waiting a submission, {name}", waiting
            )
    return table
