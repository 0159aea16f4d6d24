"""Tables of figures, and whether they reach what they must."""

from attrs import define, field, frozen

from benchmarks.measure import Ratio, Series


@frozen
class Row:
    """The figures of one case.

    Attributes:
        platform: On which platform.
        case: Who did it.
        cpu: CPU seconds of the client.
        requests: How many it made.
        memory: MiB by which it grew at its peak.
        units: How many things were done: runs submitted, events read.
        wall: Seconds that passed.
        rounds: How often it was measured; the figures are medians.
    """

    platform: str
    case: str
    cpu: float
    requests: float
    memory: float | None = None
    units: float | None = None
    wall: float | None = None
    rounds: int = 0

    @staticmethod
    def of(platform: str, series: Series, units: float | None = None) -> "Row":
        """The medians of a case; without `units` those of its figure `count`."""
        first = series.rounds[0]
        return Row(
            platform,
            series.name,
            series.median(),
            series.median("requests"),
            series.median("memory"),
            units or first.get("count"),
            series.median("wall") if "wall" in first else None,
            len(series.rounds),
        )


@frozen
class Check:
    """A figure and its bound."""

    what: str
    value: Ratio | float
    most: float | None = None
    least: float | None = None

    @property
    def median(self) -> float:
        """The figure itself."""
        return self.value.median if isinstance(self.value, Ratio) else self.value

    @property
    def verdict(self) -> str:
        """Whether it holds; empty where nothing is demanded."""
        if self.most is None and self.least is None:
            return ""
        holds = (self.most is None or self.median <= self.most) and (
            self.least is None or self.median >= self.least
        )
        return "met" if holds else "MISSED"

    @property
    def range(self) -> tuple[float, float]:
        """The least and the most of the rounds."""
        if isinstance(self.value, Ratio):
            return self.value.least, self.value.most
        return self.value, self.value

    @property
    def shown(self) -> str:
        """The figure and its range, as text."""
        return _shown(self.value)

    @property
    def bound(self) -> str:
        """What is demanded."""
        if self.most is not None:
            return f"at most {self.most:.4g}"
        return "" if self.least is None else f"at least {self.least:.4g}"


@define
class Table:
    """One table of the report."""

    name: str
    title: str
    rows: list[Row] = field(factory=list)
    checks: list[Check] = field(factory=list)
    notes: list[str] = field(factory=list)

    def add(self, row: Row) -> None:
        """One more case."""
        self.rows.append(row)

    def check(
        self,
        what: str,
        value: Ratio | float,
        *,
        most: float | None = None,
        least: float | None = None,
    ) -> None:
        """One more figure that matters."""
        self.checks.append(Check(what, value, most, least))

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [
            f"## {self.title}",
            "",
            "| platform | case | CPU s | us each | each/s | requests | MiB | rounds |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            cost = f"{row.cpu / row.units * 1e6:,.1f}" if row.units else ""
            speed = f"{row.units / row.wall:,.0f}" if row.units and row.wall else ""
            memory = "" if row.memory is None else f"{row.memory:.1f}"
            lines.append(
                f"| {row.platform} | {row.case} | {row.cpu:.4f} | {cost} | {speed} "
                f"| {row.requests:,.0f} | {memory} | {row.rounds} |"
            )
        lines += [f"\n{note}" for note in self.notes]
        lines += ["", "| figure | measured | wanted | |", "|---|---|---|---|"]
        for check in self.checks:
            lines.append(
                f"| {check.what} | {check.shown} | {check.bound} | {check.verdict} |"
            )
        return "\n".join(lines) + "\n"


def _shown(value: Ratio | float) -> str:
    if not isinstance(value, Ratio):
        return f"{value:.3g}"
    digits = 2 if value.median >= 0.2 else 4
    low, middle, high = (
        f"{one:.{digits}f}" for one in (value.least, value.median, value.most)
    )
    return f"{middle} [{low} to {high}]"
