"""Tables of figures, and whether they reach what they must."""

from attrs import define, field, frozen

from benchmarks.measure import Ratio


@frozen
class Row:
    """The figures of one case; memory in MiB, CPU in seconds."""

    platform: str
    case: str
    cpu: float
    requests: float
    memory: float | None = None
    per_second: float | None = None


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
            "| platform | case | CPU s | events/s | requests | memory MiB |",
            "|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            speed = "" if row.per_second is None else f"{row.per_second:,.0f}"
            memory = "" if row.memory is None else f"{row.memory:.1f}"
            lines.append(
                f"| {row.platform} | {row.case} | {row.cpu:.4f} | {speed} "
                f"| {row.requests:,.0f} | {memory} |"
            )
        lines += ["", "| figure | measured | wanted | |", "|---|---|---|---|"]
        for check in self.checks:
            value = _shown(check.value)
            lines.append(
                f"| {check.what} | {value} | {check.bound} | {check.verdict} |"
            )
        return "\n".join(lines) + "\n"


def _shown(value: Ratio | float) -> str:
    if not isinstance(value, Ratio):
        return f"{value:.1f}"
    digits = 2 if value.median >= 0.2 else 4
    low, middle, high = (
        f"{one:.{digits}f}" for one in (value.least, value.median, value.most)
    )
    return f"{middle} [{low} to {high}]"
