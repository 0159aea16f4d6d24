"""Keeps results: as JSON, as Markdown, and as plots."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from attrs import asdict

from benchmarks.measure import PEERS, ROOT
from benchmarks.plots import draw
from benchmarks.report import Table

PLACE = ROOT / "benchmarks" / "results"
_OURS = ("aioruns", "aiohttp", "orjson", "attrs", "cattrs", "anyio", "uvloop", "httpx")
_OFFICIAL = ("nextmv", "kfp-server-api", "abeja-sdk", "cloudify-common", "requests")


def keep(tables: Sequence[Table], seconds: float) -> None:
    """Write what was measured.

    Args:
        tables: The results.
        seconds: How long it took.
    """
    PLACE.mkdir(exist_ok=True)
    about = _about(seconds)
    found = {"about": about, "tables": [asdict(table) for table in tables]}
    text = json.dumps(found, indent=1) + "\n"
    (PLACE / "latest.json").write_text(text, encoding="utf-8")
    pictures = draw(tables, PLACE)
    (PLACE.parent / "RESULTS.md").write_text(
        "\n".join(_markdown(tables, about, pictures)), encoding="utf-8"
    )


def _about(seconds: float) -> dict[str, str]:
    """When, where and with what it was measured."""
    script = (
        "import importlib.metadata as m;"
        f"print(*(n + ' ' + m.version(n) for n in {_OFFICIAL!r}), sep=', ')"
    )
    official = subprocess.run(  # noqa: S603 - our own
        [str(PEERS), "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": os.environ.get("COMMIT") or _commit(),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.platform()}",
        "load": "load average at the end "
        + " ".join(f"{one:.1f}" for one in os.getloadavg()),
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {version(name)}" for name in _OURS),
        "official clients": official,
        "took": f"{seconds / 60:.1f} minutes",
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - as the path has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [
        line.partition(":")[2] for line in text.splitlines() if "model name" in line
    ]
    return names[0].strip() if names else platform.processor()


def _markdown(
    tables: Sequence[Table], about: dict[str, str], pictures: Sequence[str]
) -> Iterator[str]:
    yield "# How fast it is"
    yield ""
    yield (
        "Written by `make bench`. Every figure in the columns `measured` is a ratio of "
        "two cases of the same run, or says its unit: formed in each round, then the "
        "median, with the range in brackets. The client has one core and the stub "
        "server another. The slow official clients take part in fewer rounds, and do "
        "fewer calls; `rounds` says how many."
    )
    yield ""
    yield from (f"* {name}: {value}" for name, value in about.items())
    yield ""
    bound = [(table, one) for table in tables for one in table.checks if one.verdict]
    met = sum(one.verdict == "met" for _, one in bound)
    yield f"**{met} of {len(bound)} targets are met.**"
    missed = [(table, one) for table, one in bound if one.verdict != "met"]
    if missed:
        yield ""
        yield "Missed:"
        yield ""
        yield from (
            f"* {table.name}, {one.what}: {one.shown}, wanted {one.bound}"
            for table, one in missed
        )
    yield ""
    yield from (f"![{name}](results/{name})" for name in pictures)
    yield ""
    for table in tables:
        yield table.markdown()
