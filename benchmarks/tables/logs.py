"""Following logs: ours beside bare loops and the official clients."""

from urllib.parse import parse_qs, urlsplit

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Server, in_rounds, once, ratio
from benchmarks.report import Row, Table
from benchmarks.stub.shapes import LINES

PAGES = 1000
MILLION = 10_000
"""Pages in a log of a million lines."""


def measure(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """100,000 events on each platform, each client in turn."""
    table = Table("logs", f"Following a log of {PAGES * LINES:,} lines to its end")
    for platform in platforms:
        ours = Case("ours", "ours:logs", {"platform": platform, "pages": PAGES})
        plain = {"platform": platform, "pages": PAGES, "include": _fields(server, ours)}
        cases = [
            ours,
            Case("bare, dicts", "bare:logs", {**plain, "typed": False}),
            Case("bare, typed", "bare:logs", {**plain, "typed": True}),
        ]
        if platform != "kubeflow":  # its official client has no operation for logs
            run = f"official_{platform}:logs"
            cases.append(
                Case("official", run, {"pages": PAGES}, official=True, most_rounds=3)
            )
        series = in_rounds(server, cases, rounds)
        for one in series.values():
            table.add(Row.of(platform, one, PAGES * LINES))
        over = ratio(series["ours"], series["bare, typed"])
        table.check(f"{platform}: CPU, ours / bare typed", over, most=1.20)
        speed = ratio(series["bare, typed"], series["ours"])
        table.check(f"{platform}: speed, ours / bare typed", speed, least=0.80)
        if "official" in series:
            gain = ratio(series["official"], series["ours"])
            table.check(f"{platform}: CPU, official / ours", gain, least=3.0)
    return table


def measure_million(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """A million lines on each platform: memory must stay where it is."""
    table = Table("million", "Following a log of 1,000,000 lines to its end")
    for platform in platforms:
        ours = Case("ours", "ours:logs", {"platform": platform, "pages": MILLION})
        short = Case("ours", "ours:logs", {"platform": platform, "pages": 20})
        plain = {
            "platform": platform,
            "pages": MILLION,
            "include": _fields(server, short),
            "typed": True,
        }
        cases = [ours, Case("bare, typed", "bare:logs", plain)]
        series = in_rounds(server, cases, rounds)
        for one in series.values():
            table.add(Row.of(platform, one, MILLION * LINES))
        speed = ratio(series["bare, typed"], series["ours"])
        table.check(f"{platform}: speed, ours / bare typed", speed, least=0.80)
        growth = series["ours"].median("memory")
        table.check(f"{platform}: memory growth in MiB", growth, most=10.0)
    return table


def _fields(server: Server, ours: Case) -> str:
    """The fields of a row that ours asks for, so that both read the same bytes."""
    if ours.arguments["platform"] != "cloudify":
        return ""
    server.reset()
    once(server, Case("scout", ours.run, {**ours.arguments, "pages": 20}))
    asked = parse_qs(urlsplit(server.paths()[-1]).query)
    return asked.get("_include", [""])[0]
