"""Whether a candidate is as good as the control: the metrics of acceptance tests."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, object_of, text_of
from aioruns.local.nextmv.distributions import PERCENTILES, Distribution, distribution
from aioruns.local.records import Json

# wire/nextmv.md 4.4
_OPERATORS = ("eq", "gt", "ge", "lt", "le", "ne")
_TOLERANCES = ("", "absolute", "relative")
_STATISTICS = (
    *("min", "max", "mean", "std", "shifted_geometric_mean"),
    *(f"p{percent:02}" for percent in PERCENTILES),
)


def metrics_of(fields: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The `metrics` of a new acceptance test, each with all its keys.

    Raises:
        Refusal: There is none, or one that cannot be judged (400).
    """
    given = fields.get("metrics")
    if not isinstance(given, list) or not given:
        raise Refusal(400, "`metrics` must be an array with at least one metric.")
    found = []
    for place, metric in enumerate(given):
        try:
            found.append(_metric(metric))
        except Refusal as refusal:
            raise Refusal(400, f"`metrics[{place}]`: {refusal.message}") from None
    return found


def _metric(metric: Json) -> dict[str, Json]:
    if not isinstance(metric, dict):
        raise Refusal(400, "a metric must be an object.")
    field = text_of(metric, "field")
    if not field:
        raise Refusal(400, "`field` must name what to compare, as in `result.value`.")
    params = object_of(metric, "params")
    tolerance = object_of(params, "tolerance")
    value = tolerance.get("value", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise Refusal(400, "`params.tolerance.value` must be a number, 0 or more.")
    kind = metric.get("metric_type", "direct-comparison")
    return {
        "field": field,
        "metric_type": _one_of("metric_type", kind, ("direct-comparison",)),
        "params": {
            "operator": _one_of("params.operator", params.get("operator"), _OPERATORS),
            "tolerance": {
                "type": _one_of(
                    "params.tolerance.type", tolerance.get("type", ""), _TOLERANCES
                ),
                "value": value,
            },
        },
        "statistic": _one_of("statistic", metric.get("statistic"), _STATISTICS),
    }


def _one_of(key: str, value: Json, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise Refusal(400, f"`{key}` must be one of {', '.join(map(repr, allowed))}.")
    return value


def holds(params: Mapping[str, Json], candidate: float, control: float) -> bool:
    """Whether `candidate OPERATOR control` holds, given the tolerance.

    The tolerance is in the candidate's favour. A relative one is a fraction of the
    control's value: 0.05 allows for five per cent.
    """
    tolerance = params["tolerance"]
    slack: float = tolerance["value"] if tolerance["type"] else 0
    if tolerance["type"] == "relative":
        slack *= abs(control)
    better = candidate - control
    match params["operator"]:
        case "eq":
            return abs(better) <= slack
        case "ne":
            return abs(better) > slack
        case "gt":
            return better > -slack
        case "ge":
            return better >= -slack
        case "lt":
            return better < slack
        case _:
            return better <= slack


@frozen
class Side:
    """The runs of the control or of the candidate."""

    instance: dict[str, Json]
    """Its `instance_id` and `version_id`."""
    total: int
    """How many runs it has, whatever became of them."""
    numbers: Sequence[Mapping[str, float]]
    """The indicators of those that succeeded."""

    def values(self, field: str) -> list[float]:
        """The values of one indicator."""
        return [numbers[field] for numbers in self.numbers if field in numbers]

    def told(self, found: Distribution) -> dict[str, Json]:
        """ResultStatistics."""
        return {
            **self.instance,
            "number_of_runs_total": self.total,
            "distribution_summary_statistics": found.summary(),
            "distribution_percentiles": found.percentiles,
        }


def results(
    metrics: Sequence[dict[str, Json]], control: Side, candidate: Side
) -> dict[str, Json]:
    """AcceptanceTestResults (wire/nextmv.md 4.5).

    A metric that one side has no value of is told in `error`, and the test is not
    passed.
    """
    judged = []
    missing = []
    for metric in metrics:
        field = metric["field"]
        sides = {"control": control, "candidate": candidate}
        values = {name: side.values(field) for name, side in sides.items()}
        if empty := [name for name, numbers in values.items() if not numbers]:
            missing.append(
                f"no run of the {' or the '.join(empty)} that succeeded has a number "
                f"'{field}' in its metrics or statistics"
            )
            continue
        found = {name: distribution(numbers) for name, numbers in values.items()}
        told = {name: side.told(found[name]) for name, side in sides.items()}
        value = {n: f.statistic(metric["statistic"]) for n, f in found.items()}
        passed = holds(metric["params"], value["candidate"], value["control"])
        judged.append({"metric": metric, "statistics": told, "passed": passed})
    body: dict[str, Json] = {
        "passed": not missing and all(each["passed"] for each in judged),
        "metric_results": judged,
    }
    if missing:
        body["error"] = "; ".join(missing)
    return body
