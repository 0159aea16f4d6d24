"""Numbers that runs tell of themselves, and what they are like taken together."""

import math
import statistics
from collections.abc import Mapping, Sequence

from attrs import frozen

from aioruns.local.nextmv.views import indicators
from aioruns.local.records import Json

PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)

_LARGEST = 1e150
"""Beyond it sums and shifts would overflow to what JSON cannot say."""


def numbers_of(figures: Mapping[str, Json]) -> dict[str, float]:
    """The numbers in `metrics` and `statistics`, by the dotted path to each.

    Args:
        figures: What an output has under these two names; a number that both have under
            one path is taken from the metrics, which came to replace the statistics.
    """
    found: dict[str, float] = {}
    for name in ("statistics", "metrics"):
        for path, value in indicators(figures.get(name, {})).items():
            if type(value) in {int, float} and abs(value) <= _LARGEST:
                found[path] = float(value)
    return found


@frozen
class Distribution:
    """What some values, at least one, are like together."""

    minimum: float
    maximum: float
    count: int
    mean: float
    std: float
    """Of a sample; 0 for a single value."""
    shifted_geometric_mean: float
    shift: float
    percentiles: dict[str, float]
    """`p01` to `p99`, interpolated between values."""

    def statistic(self, name: str) -> float:
        """The value of one statistic, by its name in wire/nextmv.md 4.4."""
        return {**self.summary(), **self.percentiles}[name]

    def summary(self) -> dict[str, float]:
        """DistributionSummaryStatistics (wire/nextmv.md 4.5)."""
        return {
            "min": self.minimum,
            "max": self.maximum,
            "count": self.count,
            "mean": self.mean,
            "std": self.std,
            "shifted_geometric_mean": self.shifted_geometric_mean,
            "shift_parameter": self.shift,
        }


def distribution(values: Sequence[float]) -> Distribution:
    """Describe values; there must be at least one."""
    ordered = sorted(values)
    # No source says which shift is used: one, or what makes every value positive.
    shift = max(1.0, 1.0 - ordered[0])
    logs = [math.log(value + shift) for value in ordered]
    return Distribution(
        minimum=ordered[0],
        maximum=ordered[-1],
        count=len(ordered),
        mean=statistics.fmean(ordered),
        std=_deviation(ordered),
        shifted_geometric_mean=math.exp(statistics.fmean(logs)) - shift,
        shift=shift,
        percentiles={f"p{p:02}": _percentile(ordered, p) for p in PERCENTILES},
    )


def _deviation(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = statistics.fmean(values)
    # `hypot` does not overflow where squares would.
    return math.hypot(*(v - mean for v in values)) / math.sqrt(len(values) - 1)


def _percentile(ordered: Sequence[float], percent: int) -> float:
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    part = place - below
    return ordered[below] * (1 - part) + ordered[above] * part
