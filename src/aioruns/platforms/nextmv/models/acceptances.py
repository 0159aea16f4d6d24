"""Acceptance tests: is a candidate as good as what runs now (wire/nextmv.md 4.5)."""

from datetime import datetime
from enum import StrEnum

import attrs
from attrs import frozen

from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.experiments import ExperimentStatus


class MetricType(StrEnum):
    """How a metric compares two instances."""

    direct_comparison = "direct-comparison"


class StatisticType(StrEnum):
    """What makes one value of the values of many runs."""

    min = "min"
    max = "max"
    mean = "mean"
    std = "std"
    shifted_geometric_mean = "shifted_geometric_mean"
    p01 = "p01"
    p05 = "p05"
    p10 = "p10"
    p25 = "p25"
    p50 = "p50"
    p75 = "p75"
    p90 = "p90"
    p95 = "p95"
    p99 = "p99"


class Comparison(StrEnum):
    """How the candidate's value must compare to the control's."""

    equal_to = "eq"
    greater_than = "gt"
    greater_than_or_equal_to = "ge"
    less_than = "lt"
    less_than_or_equal_to = "le"
    not_equal_to = "ne"


class MetricToleranceType(StrEnum):
    """How a tolerance is meant."""

    undefined = ""
    absolute = "absolute"
    relative = "relative"


ToleranceType = MetricToleranceType
"""The older name (wire/nextmv.md 3.14)."""


@frozen
class MetricTolerance:
    """By how much a comparison may be missed."""

    type: MetricToleranceType | str
    value: float
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class MetricParams:
    """How values are compared."""

    operator: Comparison | str
    tolerance: MetricTolerance
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class Metric:
    """What is compared.

    Attributes:
        field: Path of a figure in the runs' results, for example `result.value`.
        metric_type: How it compares.
        params: Operator and tolerance.
        statistic: What makes one value of the values of many runs.
    """

    field: str
    metric_type: MetricType | str
    params: MetricParams
    statistic: StatisticType | str
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class ComparisonInstance:
    """One of the two that are compared."""

    instance_id: str = ""
    version_id: str = ""
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class DistributionSummaryStatistics:
    """The values of many runs, summarised."""

    min: float = 0.0
    max: float = 0.0
    count: int = 0
    mean: float = 0.0
    std: float = 0.0
    shifted_geometric_mean: float = 0.0
    shift_parameter: float = 0.0
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class DistributionPercentiles:
    """The values of many runs, by percentile."""

    p01: float = 0.0
    p05: float = 0.0
    p10: float = 0.0
    p25: float = 0.0
    p50: float = 0.0
    p75: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class ResultStatistics:
    """What a metric found in the runs of one instance."""

    instance_id: str = ""
    version_id: str = ""
    number_of_runs_total: int = 0
    distribution_summary_statistics: DistributionSummaryStatistics = attrs.field(
        factory=DistributionSummaryStatistics
    )
    distribution_percentiles: DistributionPercentiles = attrs.field(
        factory=DistributionPercentiles
    )
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class MetricStatistics:
    """What a metric found on both sides."""

    control: ResultStatistics = attrs.field(factory=ResultStatistics)
    candidate: ResultStatistics = attrs.field(factory=ResultStatistics)
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class MetricResult:
    """Whether a metric was passed, and the figures that say so."""

    metric: Metric
    passed: bool = False
    statistics: MetricStatistics = attrs.field(factory=MetricStatistics)
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class AcceptanceTestResults:
    """What an acceptance test found.

    Attributes:
        passed: Whether all metrics were passed.
        metric_results: The metrics one by one.
        error: Why there is no result.
    """

    passed: bool = False
    metric_results: list[MetricResult] | None = None
    error: str | None = None
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)


@frozen
class AcceptanceTest:
    """A candidate instance, compared to the one that runs now.

    Attributes:
        id: The test's id, which is the id of its batch experiment as well.
        name: Name for people.
        description: Text for people.
        created_at: When it was created.
        updated_at: When it was changed last.
        app_id: The application.
        experiment_id: The batch experiment that has the runs.
        control: The instance that runs now.
        candidate: The instance that is to be accepted.
        metrics: What is compared.
        status: Where it stands.
        results: What was found, once it has ended.
    """

    id: str
    name: str = ""
    description: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    app_id: str | None = None
    experiment_id: str | None = None
    control: ComparisonInstance | None = None
    candidate: ComparisonInstance | None = None
    metrics: list[Metric] | None = None
    status: ExperimentStatus | str = ExperimentStatus.UNKNOWN
    results: AcceptanceTestResults | None = None
    raw: Json = attrs.field(factory=dict, repr=False, eq=False)
