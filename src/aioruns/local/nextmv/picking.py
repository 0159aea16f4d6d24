"""Which run of an ensemble is the best, by the rules in order of their index."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from aioruns.local.records import Json


@frozen
class Candidate:
    """A run that succeeded, with what the rules look at."""

    run_id: str
    statistics: Mapping[str, Json]


@frozen
class Pick:
    """The best run, and how each rule narrowed the choice."""

    run_id: str
    steps: list[dict[str, Json]]


def value_at(statistics: Mapping[str, Json], path: str) -> float | None:
    """The number at `$.a.b`, or None."""
    place: Json = statistics
    for key in path.removeprefix("$.").split("."):
        place = place.get(key) if isinstance(place, Mapping) else None
    if isinstance(place, bool) or not isinstance(place, int | float):
        return None
    return place


def pick(candidates: Sequence[Candidate], rules: Sequence[Mapping[str, Json]]) -> Pick:
    """Choose.

    Every rule keeps the runs that are as good as its best one, within its tolerance.
    Of those that all rules keep, the one with the best exact values wins, and among
    equals the first.

    Args:
        candidates: At least one, in order of the run groups.
        rules: Of the ensemble definition.
    """
    left = list(candidates)
    exact: dict[str, list[float]] = {each.run_id: [] for each in candidates}
    steps: list[dict[str, Json]] = []
    for rule in sorted(rules, key=lambda rule: rule["index"]):
        sign = 1 if rule["objective"] == "maximize" else -1
        values = {
            each.run_id: value
            for each in left
            if (value := value_at(each.statistics, rule["statistics_path"])) is not None
        }
        best = None
        if values:
            best = sign * max(sign * value for value in values.values())
            slack = rule["tolerance"]["value"]
            if rule["tolerance"]["type"] == "relative":
                slack *= abs(best)
            left = [
                each
                for each in left
                if each.run_id in values and abs(values[each.run_id] - best) <= slack
            ]
            for each in left:
                exact[each.run_id].append(sign * values[each.run_id])
        steps.append(
            {
                "rule_id": rule["id"],
                "best_value": best,
                "values": values,
                "remaining_run_ids": [each.run_id for each in left],
            }
        )
    return Pick(max(left, key=lambda each: exact[each.run_id]).run_id, steps)
