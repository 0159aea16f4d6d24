"""Imports, `aioruns --help`, and the first request."""

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Ratio, Series, Server, in_rounds, once, ratio
from benchmarks.report import Row, Table


def measure(
    server: Server,
    rounds: int,
    platforms: tuple[str, ...] = PLATFORMS,  # noqa: ARG001 - it is about none of them
) -> Table:
    """What there is to wait for before the work begins."""
    table = Table("start", "Imports, help, and the first request")
    table.notes.append(
        "CPU ms that `import aioruns` and the use of its public names add to `import "
        "aiohttp` in the same process: a name is loaded when it is used first."
    )
    cases = [
        Case("imports", "starting:imports"),
        Case("aioruns --help", "starting:help_text"),
        Case("first request, ours", "starting:first_request", {"ours": True}),
        Case("first request, bare", "starting:first_request", {"ours": False}),
    ]
    for case in cases:
        once(server, case)  # so that all byte code is there
    series = in_rounds(server, cases, rounds)
    for one in list(series.values())[2:]:
        table.add(Row.of("nextmv", one))
    found = series["imports"]
    table.check("CPU ms of `import aiohttp`", _ms(found, "aiohttp"))
    table.check("CPU ms that `import aioruns` adds", _ms(found, "package"), most=40)
    table.check(
        "CPU ms that a session and one platform add", _ms(found, "one_platform")
    )
    table.check("CPU ms that all names add", _ms(found, "all_names"))
    of_help = series["aioruns --help"]
    table.check("ms of `aioruns --help`", _ms(of_help, "seconds"))
    table.check("`aioruns --help` imports aiohttp", of_help.median("aiohttp"), most=0)
    table.check(
        "CPU of the first request, ours / bare",
        ratio(series["first request, ours"], series["first request, bare"]),
    )
    return table


def _ms(series: Series, what: str) -> Ratio:
    found = [1000 * one[what] for one in series.rounds]
    return Ratio(1000 * series.median(what), min(found), max(found))
