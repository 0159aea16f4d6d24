"""What the runs of a batch are like, group by group."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from aioruns.local.nextmv.distributions import Distribution, distribution
from aioruns.local.records import Json, RunRecord

_GROUPINGS = (
    {"instanceID": "instance_id", "versionID": "version_id", "optionSet": "option_set"},
    {
        "inputID": "input_id",
        "instanceID": "instance_id",
        "versionID": "version_id",
        "optionSet": "option_set",
    },
)
"""What a group has in common: the name in answers, and the key in a run's detail."""


def grouped_summaries(
    runs: Sequence[tuple[RunRecord, Mapping[str, float]]],
) -> list[dict[str, Json]]:
    """The `grouped_distributional_summaries` of a batch.

    Args:
        runs: The runs that succeeded, each with its indicators.
    """
    return [
        _summary(tuple(grouping), values, members)
        for grouping in _GROUPINGS
        for values, members in _grouped(runs, tuple(grouping.values())).items()
    ]


def _grouped(
    runs: Sequence[tuple[RunRecord, Mapping[str, float]]], keys: Sequence[str]
) -> dict[tuple[str, ...], list[Mapping[str, float]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, float]]] = defaultdict(list)
    for record, numbers in runs:
        values = tuple(record.detail.get(key) or "" for key in keys)
        groups[values].append(numbers)
    return groups


def _summary(
    keys: Sequence[str], values: Sequence[str], members: Sequence[Mapping[str, float]]
) -> dict[str, Json]:
    collected: dict[str, list[float]] = defaultdict(list)
    for numbers in members:
        for name, number in numbers.items():
            collected[name].append(number)
    return {
        "group_keys": list(keys),
        "group_values": list(values),
        "indicator_keys": list(collected),
        "indicator_distributions": {
            name: _told(distribution(numbers)) for name, numbers in collected.items()
        },
        "number_of_runs_total": len(members),
    }


def _told(found: Distribution) -> dict[str, Json]:
    told: dict[str, Json] = found.summary()
    shift = told.pop("shift_parameter")
    geometric = {"value": told["shifted_geometric_mean"], "shift": shift}
    return told | {
        "shifted_geometric_mean": geometric,
        "percentiles": found.percentiles,
    }
