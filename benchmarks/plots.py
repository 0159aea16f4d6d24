"""Pictures of ratios by case."""

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmarks.clients.places import PLATFORMS
from benchmarks.report import Check, Table

mpl.use("Agg")

_COLORS = dict(
    zip(PLATFORMS, ("#4477aa", "#ee6677", "#228833", "#ccbb44"), strict=True)
)
_PARTS = re.compile(r"(?P<platform>\w+): (?P<what>.*)")

Bars = dict[tuple[str, str], dict[str, Check]]
"""Checks by platform, by table and by what was compared."""


def draw(tables: Sequence[Table], place: Path) -> list[str]:
    """Draw what there is to draw.

    Returns:
        The names of the files.
    """
    beside: Bars = {}
    official: Bars = {}
    for table in tables:
        for check in table.checks:
            parts = _PARTS.fullmatch(check.what)
            if parts is None:
                continue
            what = parts["what"]
            if what.startswith(("speed", "runs a CPU second")):
                continue  # says the same as its CPU
            if "ours / bare" in what or "/ bare submissions" in what:
                of = beside
            elif "official" in what and check.least is not None:
                of = official
            else:
                continue
            found = of.setdefault((table.name, what), {})
            found[parts["platform"]] = check
    drawn = []
    for bars, name, title, log in (
        (
            beside,
            "beside_bare.png",
            "ours / the same work bare (less is better)",
            False,
        ),
        (official, "beside_official.png", "ours / official (more is better)", True),
    ):
        if bars:
            _draw(bars, place / name, title, log=log)
            drawn.append(name)
    return drawn


def _draw(bars: Bars, file: Path, title: str, *, log: bool) -> None:
    figure, axes = plt.subplots(figsize=(10, 0.9 + 0.95 * len(bars)))
    for row, checks in enumerate(bars.values()):
        for number, platform in enumerate(PLATFORMS):
            if platform in checks:
                _bar(axes, row, number, checks[platform], _COLORS[platform])
    axes.set_yticks(
        range(len(bars)), [f"{table}: {_short(what)}" for table, what in bars]
    )
    axes.invert_yaxis()
    if log:
        axes.set_xscale("log")
        least = min(one.range[0] for checks in bars.values() for one in checks.values())
        axes.set_xlim(left=min(1.0, 0.9 * least))
        axes.xaxis.set_major_formatter("{x:g}x")
    axes.axvline(1, color="black", linewidth=1)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(f"{title}; black lines: the range of the rounds; red: the target")
    handles = [Rectangle((0, 0), 1, 1, color=_COLORS[one]) for one in PLATFORMS]
    axes.legend(
        handles, PLATFORMS, ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1.0)
    )
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _bar(axes: Axes, row: int, number: int, check: Check, color: str) -> None:
    at = row + (number - 1.5) * 0.2
    axes.barh(at, check.median, height=0.18, color=color)
    least, most = check.range
    axes.plot([least, most], [at, at], color="black", linewidth=1)
    bound = check.most if check.most is not None else check.least
    if bound is not None:
        axes.plot([bound, bound], [at - 0.1, at + 0.1], color="red", linewidth=2)
    axes.annotate(
        f" {check.median:.2f}" if check.median < 10 else f" {check.median:.0f}",
        (max(most, check.median), at),
        va="center",
        fontsize=8,
    )


def _short(what: str) -> str:
    for long, short in (
        (", ours / bare dict", ""),
        (", ours / bare typed", ""),
        (", ours / bare", ""),
        (" / bare submissions", ""),
        (", ours / official", ""),
        (", official / ours", ""),
        (" in its best pool", ""),
    ):
        what = what.replace(long, short)
    return what
